// SPDX-License-Identifier: Apache-2.0
// What we sign, read by programs of other people: tuf-js, @sigstore/verify, securesystemslib.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "proto/trust/sigstore_bundle.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::trust {
namespace {

using fakes::must;

struct Ended {
  int status = -1;
  std::string out;  // standard error, too
};

Ended run(const std::string& program, const std::string& script, const std::string& arguments) {
  std::string command = "LINESIDE_INDEPENDENT='" LINESIDE_INDEPENDENT "' '" + program +
                        "' '" LINESIDE_SOURCE_DIR "/tests/independent/" + script + "' " +
                        arguments + " 2>&1";
  Ended ended;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> part{};
  while (std::size_t count = std::fread(part.data(), 1, part.size(), pipe)) {
    ended.out.append(part.data(), count);
  }
  ended.status = WEXITSTATUS(::pclose(pipe));
  return ended;
}
Ended node(const std::string& script, const std::string& arguments) {
  return run(LINESIDE_NODE, script, arguments);
}

std::string quoted(const Path& path) {
  return "'" + path.string() + "'";
}

std::string text_of(BytesView bytes) {
  return std::string(as_text(bytes));
}

// One byte in the middle of `text` becomes another of base64.
std::string bent(std::string text, const std::string& member) {
  std::size_t at = text.find("\"" + member + "\":\"") + member.size() + 40;
  text[at] = text[at] == 'A' ? 'B' : 'A';
  return text;
}

class TufJs : public testing::Test {
 protected:
  // Two of three sign root and targets, one of them with a P-256 key as tokens have it.
  TufJs() {
    std::vector<PublicKey> people = {anna_.public_key(), bert_.public_key(), token_.public_key()};
    RootSpec spec;
    spec.roles["root"] = spec.roles["targets"] = {people, 2};
    spec.roles["snapshot"] = spec.roles["timestamp"] = {{online_.public_key()}, 1};
    spec.names[anna_.public_key().keyid()] = "anna";
    root_ = must(draft_root(spec, 1, now_));
    for (const PrivateKey* key : {&anna_, &token_}) root_ = must(sign_metadata(root_, *key));
    dir_.write("root.json", text_of(root_));
    check(repository_.create(root_, {&anna_, &token_, &online_}, {}, now_));
    check(repository_.publish({{"vision/1.0.0.json", to_bytes("the first")}},
                              {&anna_, &token_, &online_}, {}, now_));
  }
  static void check(const Result<void>& done) {
    if (!done.ok()) throw std::runtime_error(done.error().describe());
  }
  Ended read(const std::string& target, const std::string& client) {
    return node("read_origin.cjs", quoted(dir_ / "origin") + " " + quoted(dir_ / "root.json") +
                                       " " + quoted(dir_ / client) + " " + target);
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  UtcTime now_ = SystemClock().now();
  PrivateKey anna_ = must(PrivateKey::generate(Scheme::kEd25519));
  PrivateKey bert_ = must(PrivateKey::generate(Scheme::kEd25519));
  PrivateKey token_ = must(PrivateKey::generate(Scheme::kEcdsaP256Sha256));
  PrivateKey online_ = must(PrivateKey::generate(Scheme::kEd25519));
  Repository repository_{*disk_, dir_ / "origin"};
  Bytes root_;
};

TEST_F(TufJs, ReadsWhatWasPublished) {
  Ended read_it = read("vision/1.0.0.json", "client");
  EXPECT_EQ(read_it.status, 0) << read_it.out;
  EXPECT_EQ(read_it.out, "the first");
}

TEST_F(TufJs, FollowsARotationOfEveryKey) {
  PrivateKey fresh = must(PrivateKey::generate(Scheme::kEcdsaP256Sha256));
  RootSpec spec;
  spec.roles["root"] = spec.roles["targets"] = {{bert_.public_key(), fresh.public_key()}, 2};
  spec.roles["snapshot"] = spec.roles["timestamp"] = {{fresh.public_key()}, 1};
  Bytes two = must(draft_root(spec, 2, now_));
  for (const PrivateKey* key : {&anna_, &bert_, &fresh}) two = must(sign_metadata(two, *key));
  check(repository_.rotate_root(two, {&anna_, &bert_, &token_, &online_, &fresh}, {}, now_));
  check(repository_.publish({{"vision/2.0.0.json", to_bytes("the second")}}, {&bert_, &fresh}, {},
                            now_));
  Ended read_it = read("vision/1.0.0.json vision/2.0.0.json", "client");
  EXPECT_EQ(read_it.status, 0) << read_it.out;
  EXPECT_EQ(read_it.out, "the firstthe second");
}

TEST_F(TufJs, RefusesWhatWasChanged) {
  std::string timestamp = dir_.read("origin/metadata/timestamp.json");
  dir_.write("origin/metadata/timestamp.json",
             timestamp.replace(timestamp.find("\"version\":2"), 11, "\"version\":3"));
  EXPECT_EQ(read("vision/1.0.0.json", "client").status, 1);
}

class Sigstore : public testing::Test {
 protected:
  Ended verify(const std::string& device, const std::string& bundle) {
    dir_.write("bundle.json", bundle);
    dir_.write("key.pem", site_.key(device).public_key().pem());
    return node("verify_bundle.cjs", quoted(dir_ / "bundle.json") + " " + quoted(dir_ / "key.pem"));
  }
  std::string bundle_of(const std::string& device) {
    Bytes envelope = site_.seal(site_.passed(device));
    return text_of(must(sigstore_bundle(envelope, site_.key(device).public_key())));
  }
  fakes::TempDir dir_;
  fakes::SignedSite site_;
};

// cam01 has an Ed25519 key in a file, cam03 a P-256 key as a TPM has it.
TEST_F(Sigstore, VerifiesAttestationsOfBothKindsOfKeys) {
  for (const char* device : {"cam01", "cam03"}) {
    Ended verified = verify(device, bundle_of(device));
    EXPECT_EQ(verified.status, 0) << device << ": " << verified.out;
    EXPECT_EQ(verified.out, site_.manifest_digest().hex() + "\n");
  }
}

TEST_F(Sigstore, RefusesAnotherPayloadSignatureOrKey) {
  std::string bundle = bundle_of("cam01");
  EXPECT_EQ(verify("cam01", bent(bundle, "payload")).status, 1);
  EXPECT_EQ(verify("cam01", bent(bundle, "sig")).status, 1);
  EXPECT_EQ(verify("cam02", bundle).status, 1);
}

class Securesystemslib : public testing::Test {
 protected:
  std::string key_file(const std::string& name, const PublicKey& key) {
    nlohmann::json tree = key.tuf();
    tree["keyid"] = key.keyid();
    return quoted(dir_.write(name + ".json", tree.dump()));
  }
  Ended verify(BytesView envelope, const std::string& arguments) {
    dir_.write("envelope.json", text_of(envelope));
    return run(LINESIDE_PYTHON, "verify_envelope.py",
               quoted(dir_ / "envelope.json") + " " + arguments);
  }
  fakes::TempDir dir_;
  fakes::SignedSite site_;
};

TEST_F(Securesystemslib, VerifiesAttestations) {
  for (const char* device : {"cam01", "cam03"}) {
    Bytes envelope = site_.seal(site_.passed(device));
    std::string key = key_file(device, site_.key(device).public_key());
    Ended verified = verify(envelope, "1 " + key);
    EXPECT_EQ(verified.status, 0) << verified.out;
    EXPECT_EQ(verified.out, "application/vnd.in-toto+json\n");
    EXPECT_NE(verify(as_bytes(bent(text_of(envelope), "payload")), "1 " + key).status, 0);
  }
}

TEST_F(Securesystemslib, CountsTheOperatorsOfARoster) {
  Bytes envelope = site_.sign(kRosterType, serialise(site_.roster));
  std::string both;
  for (const PublicKey& key : site_.operators().keys) both += " " + key_file(key.keyid(), key);
  Ended verified = verify(envelope, "2" + both);
  EXPECT_EQ(verified.status, 0) << verified.out;
  Bytes one = must(seal(kRosterType, serialise(site_.roster), {&site_.anna()}));
  EXPECT_NE(verify(one, "2" + both).status, 0);
}

}  // namespace
}  // namespace lineside::trust
