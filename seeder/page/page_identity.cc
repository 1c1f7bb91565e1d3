// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/page_identity.h"

#include <arpa/inet.h>

#include "proto/trust/key_file.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxPemBytes = 65536;

bool is_address(const std::string& name) {
  unsigned char buffer[16];
  return ::inet_pton(AF_INET, name.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), buffer) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

Result<std::string> read_pem(const Disk& disk, const Path& file) {
  Result<Bytes> bytes = disk.read(file, kMaxPemBytes);
  if (bytes.ok()) return std::string(as_text(*bytes));
  return Error{Code::kUsage, "the page's certificate: " + bytes.error().what};
}

Result<http::Identity> load(const Disk& disk, const Path& certificate, const Path& key) {
  TRY_ASSIGN(std::string chain, read_pem(disk, certificate));
  TRY_ASSIGN(std::string secret, read_pem(disk, key));
  Result<http::Identity> identity = http::Identity::load(chain, secret);
  if (identity.ok()) return identity;
  return Error{Code::kUsage,
               certificate.string() + " with " + key.string() + ": " + identity.error().what};
}

Result<trust::PrivateKey> own_key(Disk& disk, const Path& file) {
  TRY_ASSIGN(auto present, disk.stat(file));
  if (!present) {
    TRY_ASSIGN(trust::PrivateKey fresh,
               trust::PrivateKey::generate(trust::Scheme::kEcdsaP256Sha256));
    TRY(trust::save_key(disk, file, fresh, std::nullopt));
  }
  return trust::load_key(disk, file, {});
}

}  // namespace

Result<http::Identity> page_identity(Disk& disk, const PageCertificate& wanted) {
  if (wanted.certificate && wanted.key) return load(disk, *wanted.certificate, *wanted.key);
  TRY(disk.make_dirs(wanted.folder));
  Path key_file = wanted.folder / "key.pem";
  Path certificate_file = wanted.folder / "certificate.pem";
  TRY_ASSIGN(trust::PrivateKey key, own_key(disk, key_file));
  TRY_ASSIGN(auto present, disk.stat(certificate_file));
  if (present) return load(disk, certificate_file, key_file);
  TRY_ASSIGN(std::string pem, key.to_pem(std::nullopt));
  TRY_ASSIGN(http::Identity made,
             http::Identity::make(pem, "lineside page", alternative_names(wanted.names)));
  TRY_ASSIGN(std::string certificate, made.certificates_pem());
  TRY(disk.replace(certificate_file, as_bytes(certificate)));
  return made;
}

}  // namespace lineside::seeder
