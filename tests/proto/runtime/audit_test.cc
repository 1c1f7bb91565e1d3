// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/audit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/proto/runtime/tree_maker.h"

namespace lineside::runtime {
namespace {

using fakes::dist;

class AuditTest : public ::testing::Test {
 protected:
  std::vector<Finding> findings() {
    auto inventory = read_inventory(*disk_, dir_.path());
    EXPECT_TRUE(inventory.ok());
    auto out = audit(*inventory, options_);
    EXPECT_TRUE(out.ok());
    return *out;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    for (const Finding& one : findings()) out.push_back(line_of(one));
    return out;
  }
  // The first finding of a rule; an empty one if there is none.
  Finding first(std::string_view rule) {
    for (Finding& one : findings()) {
      if (one.rule == rule) return one;
    }
    return {};
  }
  // METADATA, one module, and a RECORD that names both.
  void recorded(const std::string& hash) {
    dist(dir_, site_, "six", "1.16.0");
    dir_.write(site_ + "/six.py", "x = 1\n");
    dir_.write(site_ + "/six-1.16.0.dist-info/RECORD",
               "six.py," + hash +
                   ",6\nsix-1.16.0.dist-info/RECORD,,\n../../bin/tool,,\n"
                   "__pycache__/six.cpython-311.pyc,,\n");
  }
  void matrix(const std::string& text) {
    auto config = Config::parse(text, "matrix.toml");
    ASSERT_TRUE(config.ok());
    auto rules = read_matrix(*config);
    ASSERT_TRUE(rules.ok()) << rules.error().what;
    ASSERT_TRUE(config->finish().ok()) << config->finish().error().what;
    options_.matrix = *rules;
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  std::string site_ = "runtime/lib/python3.11/site-packages";
  AuditOptions options_;
};

TEST_F(AuditTest, TheIncidentIsTheFirstLine) {
  dist(dir_, site_, "tensorflow", "2.8.0",
       "Requires-Dist: absl-py (>=0.4.0)\nRequires-Dist: numpy (>=1.20)\nRequires-Dist: "
       "protobuf>=3.9.2\n"
       "Requires-Dist: x ; extra == 'gpu'\nRequires-Dist: old ; python_version < '3.8'\n");
  dist(dir_, site_, "numpy", "1.19.5");
  dist(dir_, site_, "protobuf", "4.21.0");
  EXPECT_EQ(lines(),
            (std::vector<std::string>{
                "error: tensorflow 2.8.0 requires numpy>=1.20, the bundle holds numpy 1.19.5",
                "error: tensorflow 2.8.0 requires absl-py>=0.4.0, the bundle holds no absl-py"}));
}

TEST_F(AuditTest, AHealthyTreeHasNoFindings) {
  dist(dir_, site_, "onnxruntime", "1.20.1",
       "Requires-Dist: NumPy>=1.21.6\nRequires-Python: >=3.10\n");
  dist(dir_, site_, "numpy", "1.26.4");
  dir_.write("models/vad.onnx", fakes::onnx_model(10, 18));
  recorded(fakes::record_hash("x = 1\n"));
  EXPECT_EQ(lines(), std::vector<std::string>{});
}

TEST_F(AuditTest, CopiesThatPackagesCarryInsideAreNotInstalled) {
  dist(dir_, site_, "packaging", "26.0");
  dist(dir_, site_ + "/setuptools/_vendor", "packaging", "24.0");
  EXPECT_TRUE(findings().empty());
}

TEST_F(AuditTest, TheRuntimesOwnCopyWinsOverTheFirmwares) {
  dist(dir_, "firmware/usr/lib/python3/dist-packages", "numpy", "1.24.2");
  dist(dir_, site_, "onnxruntime", "1.20.1", "Requires-Dist: numpy>=1.21.6\n");
  EXPECT_TRUE(findings().empty());
  dist(dir_, site_, "numpy", "1.19.5");
  EXPECT_EQ(first("dep-version").fact_b, "numpy 1.19.5");
}

TEST_F(AuditTest, ABadRequirementIsSaidAndNotGuessed) {
  dist(dir_, site_, "odd", "1.0", "Requires-Dist: numpy =>1\n");
  EXPECT_EQ(first("unreadable").severity, Severity::kWarning);
}

TEST_F(AuditTest, TwoVersionsOfOnePackage) {
  dist(dir_, site_, "numpy", "1.26.4");
  dist(dir_, site_, "numpy", "1.19.5");
  EXPECT_EQ(first("dist-duplicate").subject, "numpy");
}

TEST_F(AuditTest, RequiresPythonTakesAnyPatchOfAKnownMinor) {
  dist(dir_, site_, "a", "1.0", "Requires-Python: >=3.11.4\n");
  EXPECT_TRUE(findings().empty());
  options_.python = "3.11.2";
  EXPECT_EQ(first("requires-python").message,
            "a 1.0 requires Python >=3.11.4, the runtime is Python 3.11.2 (cp311)");
}

TEST_F(AuditTest, WheelsOfAnotherPythonAreNamed) {
  dist(dir_, site_, "numpy", "1.19.5");
  dir_.write(site_ + "/numpy-1.19.5.dist-info/WHEEL",
             "Wheel-Version: 1.0\nTag: cp39-cp39-manylinux2010_x86_64\n");
  EXPECT_EQ(first("python-abi").message,
            "numpy 1.19.5 is built for cp39-cp39-manylinux2010_x86_64, the runtime is Python 3.11 "
            "(cp311)");
}

TEST_F(AuditTest, ModulesOfAnotherPythonAreNamedUnlessOneFitsBeside) {
  dist(dir_, site_, "numpy", "1.19.5");
  dir_.write(site_ + "/numpy/core/_umath.cpython-39-x86_64-linux-gnu.so", "");
  EXPECT_EQ(first("python-abi").subject, site_ + "/numpy");
  dir_.write(site_ + "/numpy/core/_umath.cpython-311-x86_64-linux-gnu.so", "");
  EXPECT_TRUE(findings().empty());
}

TEST_F(AuditTest, AFileThatIsNotTheInstalledOne) {
  recorded(fakes::record_hash("y = 1\n"));
  EXPECT_EQ(first("record-mismatch").subject, site_ + "/six.py");
}

TEST_F(AuditTest, AnInstalledFileThatIsGone) {
  recorded(fakes::record_hash("x = 1\n"));
  ASSERT_TRUE(disk_->remove(dir_ / (site_ + "/six.py")).ok());
  EXPECT_EQ(first("record-missing-file").severity, Severity::kError);
}

TEST_F(AuditTest, ANewerGlibcThanTheRootFileSystemDefines) {
  fakes::ElfMaker libc;
  libc.soname = "libc.so.6";
  libc.version_definitions = {"GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.36", "GLIBC_PRIVATE"};
  dir_.write("firmware/usr/lib/x86_64-linux-gnu/libc.so.6", libc.str());
  fakes::ElfMaker ort;
  ort.needed = {"libc.so.6"};
  ort.version_needs = {{"libc.so.6", {"GLIBC_2.2.5", "GLIBC_2.38"}}};
  dir_.write("runtime/lib/libonnxruntime.so.1.21.0", ort.str());
  EXPECT_EQ(lines(),
            std::vector<std::string>{
                "error: runtime/lib/libonnxruntime.so.1.21.0 needs GLIBC_2.38 of libc.so.6, the "
                "device has __glibc 2.36"});
}

TEST_F(AuditTest, ANewerGlibcThanTheDeviceDeclares) {
  fakes::ElfMaker ort;
  ort.version_needs = {{"libc.so.6", {"GLIBC_2.27"}}};
  dir_.write("runtime/lib/libonnxruntime.so", ort.str());
  options_.device["__glibc"] = "2.36";
  EXPECT_TRUE(findings().empty());
  options_.device["__glibc"] = "2.24";
  EXPECT_EQ(first("elf-version").fact_b, "the device has __glibc 2.24");
}

TEST_F(AuditTest, ALibraryThatIsNowhere) {
  fakes::ElfMaker plugin;
  plugin.needed = {"libcublas.so.10.0", "libc.so.6", "libown.so.1"};
  dir_.write("runtime/lib/plugin.so", plugin.str());
  fakes::ElfMaker own;
  own.soname = "libown.so.1";
  dir_.write("runtime/lib/libown.so.1.2", own.str());
  EXPECT_EQ(first("elf-needed").severity, Severity::kWarning) << "nobody knows the firmware";
  options_.base_libraries = {"libc.so.6"};
  EXPECT_EQ(
      lines(),
      std::vector<std::string>{
          "error: runtime/lib/plugin.so needs libcublas.so.10.0, which is nowhere in the bundle"});
}

TEST_F(AuditTest, AnotherMachineAndAHigherCpuLevel) {
  fakes::ElfMaker arm;
  arm.machine = 183;
  dir_.write("runtime/lib/arm.so", arm.str());
  fakes::ElfMaker avx;
  avx.isa_needed = 7;
  dir_.write("runtime/lib/avx.so", avx.str());
  options_.device = {{"__arch", "amd64"}, {"__cpu", "x86-64-v2"}};
  EXPECT_EQ(lines(), (std::vector<std::string>{
                         "error: runtime/lib/arm.so is for aarch64, the device is amd64",
                         "error: runtime/lib/avx.so needs x86-64-v3, the device has x86-64-v2"}));
}

TEST_F(AuditTest, AModelNewerThanItsRuntime) {
  dist(dir_, site_, "onnxruntime", "1.17.0");
  dir_.write("models/vad.onnx", fakes::onnx_model(10, 18));
  EXPECT_EQ(first("model-ir").message,
            "models/vad.onnx has ONNX IR version 10, onnxruntime 1.17.0 loads at most 9");
}

TEST_F(AuditTest, ATruncatedModelIsAnError) {
  std::string model = fakes::onnx_model(8, 15);
  dir_.write("models/vad.onnx", model.substr(0, model.size() / 2));
  EXPECT_EQ(first("unreadable").severity, Severity::kError);
}

TEST_F(AuditTest, TheMatrixRequiresAndForbids) {
  dist(dir_, site_, "tensorflow", "2.8.0");
  dist(dir_, site_, "numpy", "1.20.3");
  dist(dir_, site_, "onnxruntime", "1.21.0");
  options_.device = {{"firmware", "4.2.7"}, {"__cpu", "x86-64-v2"}};
  matrix(
      "[[rule]]\nid = 'R17'\nwhen = 'tensorflow ~= 2.8.0'\nrequire = 'numpy >= 1.21'\nreason = "
      "'the incident'\n"
      "[[rule]]\nid = 'R18'\nwhen = 'tensorflow < 2.9'\nrequire = 'protobuf < 3.21'\n"
      "[[rule]]\nid = 'R20'\nwhen = 'firmware ~= 4.2 and numpy'\nforbid = 'onnxruntime >= 1.21'\n"
      "[[rule]]\nid = 'R21'\nwhen = 'numpy'\nrequire = '__cpu >= x86-64-v2'\n"
      "[[rule]]\nid = 'R22'\nwhen = 'numpy < 1'\nforbid = 'numpy'\n");
  EXPECT_EQ(
      lines(),
      (std::vector<std::string>{
          "error: R17: tensorflow 2.8.0 asks for numpy >= 1.21, the bundle holds numpy 1.20.3 "
          "(the incident)",
          "error: R18: tensorflow 2.8.0 asks for protobuf < 3.21, the bundle holds no protobuf",
          "error: R20: firmware 4.2.7 and numpy 1.20.3 asks for not onnxruntime >= 1.21, the "
          "bundle holds onnxruntime 1.21.0"}));
}

TEST_F(AuditTest, AMatrixRuleWithoutEffectIsRefused) {
  for (std::string text :
       {"[[rule]]\nid='a'\nwhen='numpy'\n", "[[rule]]\nid='a'\nforbid='numpy'\n",
        "[[rule]]\nid='a'\nwhen='numpy => 1'\nforbid='x'\n",
        "[[rule]]\nid='a'\nwhen='b'\nforbid='x'\n[[rule]]\nid='a'\nwhen='b'\nforbid='x'\n"}) {
    auto config = Config::parse(text, "matrix.toml");
    EXPECT_EQ(read_matrix(*config).error().code, Code::kUsage) << text;
  }
}

TEST_F(AuditTest, AWaiverHoldsUntilItsDayAndForItsSubject) {
  dist(dir_, site_, "tensorflow", "2.8.0", "Requires-Dist: numpy>=1.20\n");
  dist(dir_, site_, "numpy", "1.19.5");
  auto config = Config::parse(
      "[[waiver]]\nrule = 'dep-version'\nsubject = 'tensorflow->numpy'\nby = 'Kim'\n"
      "until = '2026-12-31T00:00:00Z'\nreason = 'tried on line 7'\n",
      "waivers.toml");
  options_.waivers = *read_waivers(*config);
  options_.now = *parse_utc("2026-12-30T23:59:59Z");
  EXPECT_TRUE(passes(findings()));
  EXPECT_EQ(
      lines().front(),
      "waived (by Kim until 2026-12-31T00:00:00Z: tried on line 7): tensorflow 2.8.0 requires "
      "numpy>=1.20, the bundle holds numpy 1.19.5");
  options_.now = options_.waivers[0].until;
  EXPECT_FALSE(passes(findings()));
  EXPECT_NE(lines().front().find("the waiver by Kim ran out on 2026-12-31"), std::string::npos);
  options_.now = {};
  options_.waivers[0].subject = "tensorflow->protobuf";
  EXPECT_FALSE(passes(findings()));
}

TEST_F(AuditTest, TheInventoryKeepsItsFactsThroughJson) {
  dist(dir_, site_, "numpy", "1.19.5", "Requires-Dist: a>1\n");
  dir_.write(site_ + "/numpy-1.19.5.dist-info/WHEEL", "Tag: cp39-cp39-linux_x86_64\n");
  dir_.write("runtime/lib/python3.11/os.py", "");
  dir_.write("models/vad.onnx", fakes::onnx_model(8, 16));
  auto json = inventory_json(*read_inventory(*disk_, dir_.path()));
  auto back = parse_inventory(json);
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(inventory_json(*back), json);
  EXPECT_EQ(json["models"][0]["opset"]["ai.onnx"], 16);
  EXPECT_EQ(json["python"][0]["abi"], "cp311");
  json["packages"] = 3;
  EXPECT_EQ(parse_inventory(json).error().code, Code::kMalformed);
}

TEST_F(AuditTest, ThePatchVersionIsReadFromTheInterpreter) {
  dir_.write("runtime/bin/python3.11", std::string(2000, 'x') + std::string("\0"
                                                                            "3.11.2\0",
                                                                            8));
  auto inventory = read_inventory(*disk_, dir_.path());
  ASSERT_EQ(inventory->pythons.size(), 1U);
  EXPECT_EQ(inventory->pythons[0].version, "3.11.2");
}

}  // namespace
}  // namespace lineside::runtime
