// SPDX-License-Identifier: Apache-2.0
// The site gateway as the operator's program speaks to it: its key pinned, ours shown.
#pragma once

#include <string>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/http/client.h"
#include "proto/trust/keys.h"

namespace lineside::ctl {

class Gateway {
 public:
  // `address`: "IP:port". kUsage if it is empty or none.
  static Result<Gateway> connect(const std::string& address, const trust::PublicKey& pinned,
                                 const trust::PrivateKey& own);

  // The body of a 2xx answer. A problem document becomes its own code and words; kHttp otherwise;
  // codes of http::Client.
  Result<Bytes> get(const std::string& target);
  Result<Bytes> post(const std::string& target, BytesView body);
  // A client whose paths begin at `path`, e.g. for the mirrored vendor repository.
  [[nodiscard]] Result<http::Client> below(const std::string& path) const;

 private:
  Gateway(http::ClientOptions options, http::Client client)
      : options_(std::move(options)), client_(std::move(client)) {}
  http::ClientOptions options_;
  http::Client client_;
};

// What became of a posted document whose answer was lost: `shown` is what the gateway shows of its
// kind since. ok() if that is `ours`; else `lost`, saying whether it can be given again.
Result<void> settle_post(const Error& lost, const Result<Bytes>& shown, BytesView ours);

// The code of a problem document's "code" member; kHttp if it is no known name.
Code code_of_name(std::string_view name);

}  // namespace lineside::ctl
