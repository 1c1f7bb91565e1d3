// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "proto/runtime/audit_context.h"

namespace lineside::runtime {
namespace {

// Debian, Go and the kernel name one machine differently.
std::string_view plain_machine(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSame = {
      {{"amd64", "x86_64"},
       {"x86-64", "x86_64"},
       {"arm64", "aarch64"},
       {"armhf", "armv7l"},
       {"arm", "armv7l"},
       {"i386", "i686"}}};
  for (auto [other, plain] : kSame) {
    if (name == other) return plain;
  }
  return name;
}

Finding about(std::string_view rule, const std::string& subject, std::string required,
              std::string found) {
  Finding out;
  out.rule = rule;
  out.subject = subject;
  out.fact_a = std::move(required);
  out.fact_b = std::move(found);
  out.message = fmt::format("{}, {}", out.fact_a, out.fact_b);
  return out;
}

// Which host fact answers for "GLIBC_2.38".
std::string_view fact_of(std::string_view version) {
  if (version.starts_with("GLIBC_")) return "__glibc";
  if (version.starts_with("GLIBCXX_")) return "__libstdcxx";
  if (version.starts_with("CXXABI_")) return "__cxxabi";
  return {};
}

bool device_has(const AuditContext& context, const std::string& version) {
  std::string provided = context.provided(fact_of(version));
  auto wanted = Version::parse(std::string_view(version).substr(version.find('_') + 1));
  auto there = Version::parse(provided);
  return !wanted.ok() || !there.ok() || *wanted <= *there;  // what is not known is no finding
}

void check_versions(const AuditContext& context, const NativeObject& object,
                    std::vector<Finding>& out) {
  for (const auto& [library, versions] : object.elf.version_needs) {
    auto here = context.inventory.libraries.find(library);
    bool known = here != context.inventory.libraries.end() && !here->second.empty();
    std::string missing;
    std::string fact;
    for (const std::string& version : versions) {
      bool has =
          known ? std::find(here->second.begin(), here->second.end(), version) != here->second.end()
                : device_has(context, version);
      if (has) continue;
      missing += (missing.empty() ? "" : ", ") + version;
      fact = fact_of(version);
    }
    if (missing.empty()) continue;
    std::string provided = context.provided(fact);
    out.push_back(about(
        "elf-version", object.path, fmt::format("{} needs {} of {}", object.path, missing, library),
        known && provided.empty() ? "the bundle's " + library + " does not define it"
                                  : fmt::format("the device has {} {}", fact, provided)));
  }
}

class Needed {
 public:
  explicit Needed(const AuditContext& context) : context_(context) {
    declared_ = !context.options.base_libraries.empty();
    auto names = declared_ ? context.options.base_libraries : base_libraries();
    for (std::string& name : names) {
      // A root file system shows its libraries; only the loader may be reached through a link.
      if (!context.inventory.has_rootfs || declared_ || name.starts_with("ld-")) {
        base_.insert(std::move(name));
      }
    }
  }

  void check(const NativeObject& object, std::vector<Finding>& out) const {
    for (const std::string& name : object.elf.needed) {
      std::string_view file = base_name(name);
      if (context_.inventory.libraries.contains(file) || base_.contains(file)) continue;
      Finding finding =
          about("elf-needed", object.path, fmt::format("{} needs {}", object.path, name),
                "which is nowhere in the bundle");
      if (!context_.inventory.has_rootfs && !declared_) {
        finding.severity = Severity::kWarning;
        finding.advice =
            "the firmware's libraries are not known: declare them, or pack its root file system";
      }
      out.push_back(std::move(finding));
    }
  }

 private:
  const AuditContext& context_;
  bool declared_ = false;
  std::set<std::string, std::less<>> base_;
};

int level_of(std::string_view cpu) {
  static constexpr std::string_view kPrefix = "x86-64-v";
  if (cpu == "x86-64") return 1;
  if (!cpu.starts_with(kPrefix) || cpu.size() != kPrefix.size() + 1) return 0;
  return cpu.back() - '0';
}

void check_machine(const AuditContext& context, const NativeObject& object,
                   std::vector<Finding>& out) {
  std::string machine = context.provided("__arch");
  if (!machine.empty() && plain_machine(machine) != object.elf.machine) {
    out.push_back(about("elf-machine", object.path,
                        fmt::format("{} is for {}", object.path, object.elf.machine),
                        "the device is " + machine));
  }
  int level = level_of(context.provided("__cpu"));
  if (level > 0 && object.elf.cpu_level > level) {
    out.push_back(about("cpu-level", object.path,
                        fmt::format("{} needs x86-64-v{}", object.path, object.elf.cpu_level),
                        "the device has " + context.provided("__cpu")));
  }
}

}  // namespace

std::vector<std::string> base_libraries() {
  return {"libc.so.6",
          "libm.so.6",
          "libpthread.so.0",
          "libdl.so.2",
          "librt.so.1",
          "libutil.so.1",
          "libresolv.so.2",
          "libgcc_s.so.1",
          "libstdc++.so.6",
          "libatomic.so.1",
          "libcrypt.so.1",
          "libz.so.1",
          "linux-vdso.so.1",
          "ld-linux-x86-64.so.2",
          "ld-linux-aarch64.so.1",
          "ld-linux-armhf.so.3",
          "ld-linux.so.2"};
}

void native_findings(const AuditContext& context, std::vector<Finding>& out) {
  Needed needed(context);
  auto declared = context.options.device.find("__arch");
  std::string measured = context.provided("__arch");
  if (context.inventory.has_rootfs && declared != context.options.device.end() &&
      plain_machine(declared->second) != plain_machine(measured)) {
    out.push_back(about("elf-machine", "firmware", "the firmware is for " + measured,
                        "the device is " + declared->second));
  }
  for (const NativeObject& object : context.inventory.objects) {
    check_machine(context, object, out);
    check_versions(context, object, out);
    needed.check(object, out);
  }
}

}  // namespace lineside::runtime
