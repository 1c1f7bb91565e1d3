// SPDX-License-Identifier: Apache-2.0
// Tokens of one test: a SoftHSM (PKCS #11) and a TPM (swtpm), both in a temporary folder and gone
// with it.
#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "proto/trust/keys.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::fakes {

inline void run_or_throw(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// A token "plant" with PIN 1234. $SOFTHSM2_CONF names it to this process and its children.
class SoftHsm {
 public:
  static constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";

  SoftHsm() {
    std::filesystem::create_directory(dir_ / "tokens");
    dir_.write("softhsm2.conf", "directories.tokendir = " + (dir_ / "tokens").string() +
                                    "\nobjectstore.backend = file\nlog.level = ERROR\n");
    ::setenv("SOFTHSM2_CONF", (dir_ / "softhsm2.conf").c_str(), 1);
    run_or_throw("softhsm2-util --init-token --free --label plant --pin 1234 --so-pin 4321 >'" +
                 (dir_ / "log").string() + "'");
  }
  ~SoftHsm() { ::unsetenv("SOFTHSM2_CONF"); }
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  // A new key in the token; its public half.
  trust::PublicKey add_key(const std::string& label, const std::string& id, trust::Scheme scheme) {
    auto key = trust::PrivateKey::generate(scheme);
    if (!key.ok()) throw std::runtime_error(key.error().describe());
    dir_.write("key.pem", key->to_pem(std::nullopt).value());
    run_or_throw("softhsm2-util --import '" + (dir_ / "key.pem").string() +
                 "' --token plant --pin 1234 --label " + label + " --id " + id + " >'" +
                 (dir_ / "log").string() + "'");
    std::filesystem::remove(dir_ / "key.pem");
    return key->public_key();
  }
  // "pkcs11:token=plant;object=LABEL?module-path=…"
  static std::string uri(const std::string& label) {
    return "pkcs11:token=plant;object=" + label + "?module-path=" + kModule;
  }

 private:
  TempDir dir_;
};

// A process speaks to one TPM: use() names it in $TPM2OPENSSL_TCTI before the first key.
class SoftTpm {
 public:
  SoftTpm() {
    const std::string socket = (dir_ / "tpm").string();
    run_or_throw("swtpm socket --tpm2 --tpmstate dir='" + dir_.path().string() +
                 "' --server type=unixio,path='" + socket + "' --ctrl type=unixio,path='" + socket +
                 ".ctrl' --flags not-need-init,startup-clear --daemon --pid file='" + socket +
                 ".pid'");
    std::ifstream(socket + ".pid") >> pid_;
    tcti_ = "swtpm:path=" + socket;
  }
  ~SoftTpm() {
    if (pid_ > 0) ::kill(pid_, SIGTERM);
  }
  SoftTpm(const SoftTpm&) = delete;
  SoftTpm& operator=(const SoftTpm&) = delete;

  void use() const { ::setenv("TPM2OPENSSL_TCTI", tcti_.c_str(), 1); }
  [[nodiscard]] const std::string& tcti() const { return tcti_; }

 private:
  TempDir dir_;
  std::string tcti_;
  pid_t pid_ = 0;
};

}  // namespace lineside::fakes
