// SPDX-License-Identifier: Apache-2.0
// Runs real probes in the real sandbox: bubblewrap, Debian's python3 and sh.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>

#include "node/check/cgroup.h"
#include "node/check/inference_check.h"
#include "node/check/npy.h"
#include "tests/fakes/manual_clock.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {
namespace {

using nlohmann::json;

std::string npy(std::vector<float> values) {
  Tensor tensor{Dtype::kFloat32, {values.size()}, Bytes(values.size() * 4)};
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return std::string(as_text(serialise_npy(tensor)));
}

// A bundle whose probe is a python3 script; `body` runs between "start" and "done".
class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    dir_.write("tree/validation/cases/speech/output_0.npy", npy({0.25F, 0.75F}));
    dir_.write("tree/validation/cases/wrong.npy", npy({0.25F, 0.80F}));
    dir_.write("tree/validation/cases/nan.npy", npy({0.25F, std::nanf("")}));
    dir_.write("tree/models/vad.onnx", "model");
    manifest_.models = {{"models/vad.onnx", sha256(as_bytes("model")), "onnx", {}}};
    spec_ = json::parse(R"({"schema":1,"argv":["/usr/bin/python3","-I","{validation}/probe/run.py"],
      "models":[{"path":"models/vad.onnx"}],
      "cases":[{"name":"speech","outputs":{"output":{"file":"cases/speech/output_0.npy",
                "rtol":1e-3,"atol":1e-4}}}],
      "limits":{"wall_s":20,"memory_mb":256,"tmp_mb":4}})");
    body_ = report_case("speech/output_0.npy");
  }

  static std::string report_case(const std::string& file) {
    return "import shutil\n"
           "shutil.copy(os.environ['LINESIDE_CASES'] + '/" +
           file +
           "', 'o.npy')\n"
           "say(t='case', name='speech', outputs={'output': 'o.npy'})\n";
  }

  CheckReport run(const std::string& end = "say(t='done')\n") {
    dir_.write("tree/validation/probe/run.py",
               "import json, os, sys\n"
               "channel = os.fdopen(int(os.environ['LINESIDE_RESULT_FD']), 'w', buffering=1)\n"
               "def say(**line): channel.write(json.dumps(line) + '\\n')\n"
               "say(t='start', schema=1, runtime=" +
                   runtime_ +
                   ", provider='CPU')\n"
                   "say(t='load', model='models/vad.onnx', ms=1.5)\n" +
                   body_ + end);
    return run_spec();
  }

  CheckReport run_spec(const std::string& bwrap = "bwrap") {
    std::string text = spec_.dump();
    dir_.write("tree/validation/probe.json", text);
    manifest_.check = sha256(as_bytes(text));
    CheckOptions options;
    options.bwrap = bwrap;
    options.scratch = dir_ / "scratch";
    options.devices = devices_;
    options.busy_wait = std::chrono::milliseconds(1);
    options.grace = std::chrono::milliseconds(100);
    InferenceCheck check(*disk_, clock_, options);
    CheckRequest request;
    request.tree = dir_ / "tree";
    request.manifest = &manifest_;
    std::jthread stopper;
    if (stop_when_begun_) stopper = std::jthread([this] { stop_once_begun(); });
    auto report = check.run(request, stop_.get_token());
    EXPECT_EQ(report.ok(), !stop_when_begun_);
    // Nothing stays behind.
    EXPECT_TRUE(!std::filesystem::exists(dir_ / "scratch") ||
                std::filesystem::is_empty(dir_ / "scratch"));
    return report.ok() ? *report : CheckReport{};
  }

  // The probe says that it runs by a file "begun".
  void stop_once_begun() {
    auto begun = [this] {
      std::error_code gone;
      for (const auto& out : std::filesystem::directory_iterator(dir_ / "scratch", gone)) {
        if (std::filesystem::exists(out.path() / "begun", gone)) return true;
      }
      return false;
    };
    while (!begun()) std::this_thread::yield();
    stop_.request_stop();
  }

  // The verdict is a failure of exactly this check.
  void expect_failure(const CheckReport& report, const std::string& check,
                      const std::string& words) {
    EXPECT_EQ(report.verdict, Verdict::kFail) << report.cause << report.stderr_tail;
    EXPECT_EQ(report.cause.substr(0, check.size() + 1), check + ":") << report.cause;
    EXPECT_NE(report.cause.find(words), std::string::npos) << report.cause;
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  fakes::ManualClock clock_{UtcTime{std::chrono::seconds(1'795'000'000)}};
  trust::Manifest manifest_;
  json spec_;
  std::vector<std::string> devices_;
  bool stop_when_begun_ = false;
  std::stop_source stop_;
  std::string runtime_ = "{}";
  std::string body_;
};

TEST_F(CheckTest, PassesWhatInfers) {
  body_ += "say(t='latency', n=3, us=[3, 1, 2])\n";
  CheckReport report = run();
  EXPECT_EQ(report.verdict, Verdict::kPass) << report.cause << report.stderr_tail;
  auto passed = report.ids(CheckStatus::kPassed);
  EXPECT_EQ(passed, (std::vector<std::string>{"integrity.check", "integrity.models", "protocol",
                                              "load.model", "infer.case.speech"}));
  EXPECT_EQ(report.measured.at("latency.p50_us"), "2");
}

TEST_F(CheckTest, WrongOutputFails) {
  body_ = report_case("wrong.npy");
  expect_failure(run(), "infer.case.speech", "element 1");
}

TEST_F(CheckTest, NaNFails) {
  body_ = report_case("nan.npy");
  expect_failure(run(), "infer.case.speech", "nan");
}

TEST_F(CheckTest, ACaseThatWasNotRunFails) {
  body_.clear();
  expect_failure(run(), "infer.case.speech", "did not run");
}

TEST_F(CheckTest, ALinkInPlaceOfAnOutputIsNotFollowed) {
  body_ =
      "os.symlink('/etc/passwd', 'o.npy')\n"
      "say(t='case', name='speech', outputs={'output': 'o.npy'})\n";
  expect_failure(run(), "infer.case.speech", "no file");
}

TEST_F(CheckTest, StatusZeroWithoutDoneFails) {
  expect_failure(run(""), "protocol", "done");
}

TEST_F(CheckTest, ExitStatusesNameTheirCause) {
  const std::pair<int, const char*> rows[] = {{10, "deps.import"},
                                              {11, "load.model"},
                                              {12, "infer.run"},
                                              {13, "provider"},
                                              {3, "unclassified"}};
  for (auto [status, check] : rows) {
    expect_failure(run("sys.exit(" + std::to_string(status) + ")\n"), check, "");
  }
}

TEST_F(CheckTest, ABusySensorIsAskedThreeTimes) {
  // {out} is one folder for all attempts, so the probe can count them.
  body_ =
      "n = len(os.listdir('.'))\nopen(str(n), 'w').close()\n"
      "if n < 2: sys.exit(75)\n" +
      body_;
  EXPECT_EQ(run().verdict, Verdict::kPass);
  body_ = "sys.exit(75)\n";
  expect_failure(run(), "provider", "busy");
}

TEST_F(CheckTest, SignalsNameTheirCause) {
  expect_failure(run("os.kill(os.getpid(), 11)\n"), "crash", "SIGSEGV");
  expect_failure(run("os.kill(os.getpid(), 4)\n"), "cpu", "SIGILL");
}

TEST_F(CheckTest, AHangIsEnded) {
  spec_["limits"]["wall_s"] = 1;
  expect_failure(run("import time, signal\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)\n"),
                 "limits", "wall clock");
}

TEST_F(CheckTest, ALogFloodIsCappedAndForgiven) {
  body_ += "for i in range(50000): print('warning: initializer', i, file=sys.stderr)\n";
  CheckReport report = run();
  EXPECT_EQ(report.verdict, Verdict::kPass) << report.cause;
  EXPECT_EQ(report.stderr_tail.size(), 4096U);
  EXPECT_NE(report.stderr_tail.find("initializer 49999"), std::string::npos);
}

TEST_F(CheckTest, TooManyResultsFail) {
  spec_["limits"]["output_kb"] = 1;
  body_ += "for i in range(1000): say(t='note', text='x' * 100)\n";
  expect_failure(run(), "limits", "results");
}

TEST_F(CheckTest, TheMemoryLimitHolds) {
  spec_["limits"]["memory_mb"] = 64;
  CheckReport report = run("data = bytearray(200 << 20)\nsay(t='done')\n");
  EXPECT_EQ(report.verdict, Verdict::kFail) << report.cause;
  bool grouped = Cgroup::create(64 << 20, 64) != nullptr;
  EXPECT_TRUE(!grouped || report.cause == "mem.peak: out of memory") << report.cause;
}

TEST_F(CheckTest, FillingTheDiskIsEnded) {
  expect_failure(run("import time\n"
                     "for i in range(64): open(f'f{i}', 'wb').write(bytes(1 << 20))\n"
                     "time.sleep(600)\n"),
                 "limits", "files");
}

TEST_F(CheckTest, NothingOutsideCanBeWritten) {
  body_ +=
      "for path in ['/usr/x', '/lineside/models/vad.onnx', '/etc/x', '/x']:\n"
      "  try:\n    open(path, 'w')\n    sys.exit(12)\n  except OSError: pass\n";
  EXPECT_EQ(run().verdict, Verdict::kPass);
  EXPECT_EQ(dir_.read("tree/models/vad.onnx"), "model");
}

TEST_F(CheckTest, ThereIsNoNetworkNorOtherProcess) {
  body_ +=
      "import socket\n"
      "if [i for _, i in socket.if_nameindex() if i != 'lo']: sys.exit(12)\n"
      "try:\n  socket.create_connection(('192.0.2.1', 80), 1); sys.exit(12)\n"
      "except OSError: pass\n"
      "if len([p for p in os.listdir('/proc') if p.isdigit()]) > 2: sys.exit(12)\n"
      "if 'HOME' in os.environ and os.environ['HOME'] != '/lineside-out': sys.exit(12)\n"
      "if os.path.exists('/proc/self/fd/5'): os.read(5, 1) and sys.exit(12)\n";
  CheckReport report = run();
  EXPECT_EQ(report.verdict, Verdict::kPass) << report.cause << report.stderr_tail;
}

// As root in the sandbox's own user namespace a probe could write to the device's disk.
TEST_F(CheckTest, AProbeGetsNoDeviceThatTheConfigurationDoesNotList) {
  spec_["devices"] = {"/dev/kmsg-of-nobody", "/dev/zero"};
  CheckReport report = run();
  EXPECT_EQ(report.verdict, Verdict::kError);  // no fault of the bundle's
  EXPECT_NE(report.cause.find("/dev/zero"), std::string::npos) << report.cause;
  EXPECT_NE(report.cause.find("[check] devices"), std::string::npos) << report.cause;
  devices_ = {"/dev/zero"};
  EXPECT_EQ(run().verdict, Verdict::kPass);
}

TEST_F(CheckTest, ACheckThatIsStoppedLeavesNoProcessBehind) {
  body_ = "import time\nopen('begun', 'w')\ntime.sleep(600)\n";
  stop_when_begun_ = true;
  run();
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(CheckTest, TracingIsDeniedBySignal) {
  expect_failure(run("import ctypes\nctypes.CDLL(None).ptrace(0, 0, 0, 0)\n"), "sandbox", "SIGSYS");
}

TEST_F(CheckTest, VersionsMustBeThoseOfTheManifest) {
  // The incident: the firmware is new, numpy is not.
  manifest_.python = "3.11.2";
  manifest_.packages = {{"numpy", "1.21.6"}};
  runtime_ = "{'python': '3.11.2', 'numpy': '1.19.5'}";
  expect_failure(run(), "deps.versions", "numpy 1.19.5");
  runtime_ = "{'python': '3.11.2', 'NumPy': '1.21.6'}";
  EXPECT_EQ(run().verdict, Verdict::kPass);
  runtime_ = "{'python': '3.11.2', 'tensorflow': '2.8.0'}";
  expect_failure(run(), "deps.versions", "not in the manifest");
}

TEST_F(CheckTest, AnotherProviderThanRequiredFails) {
  spec_["required_provider"] = "CUDA";
  expect_failure(run(), "provider", "CPU, limit CUDA");
}

TEST_F(CheckTest, BudgetsAreHeld) {
  spec_["budgets"] = {{"load_ms", 1}};
  expect_failure(run(), "time.load", "1.5 ms, limit 1 ms");
  spec_["budgets"] = {{"p50_ms", 1}};
  expect_failure(run(), "latency.p50_abs", "not measured");
}

TEST_F(CheckTest, NegativeCasesAndDeterminism) {
  spec_["negative_cases"] = json::parse(R"([{"name":"silence","expect":{"output":{"max":0.2}}}])");
  body_ += "say(t='case', name='silence', outputs={'output': 'o.npy'})\n";
  expect_failure(run(), "infer.negative.silence", "at most 0.2");
  spec_.erase("negative_cases");
  body_ = report_case("speech/output_0.npy") +
          "shutil.copy(os.environ['LINESIDE_CASES'] + '/wrong.npy', 'p.npy')\n"
          "say(t='case', name='speech', outputs={'output': 'p.npy'})\n";
  expect_failure(run(), "infer.determinism", "differs");
}

TEST_F(CheckTest, ASwappedModelIsNoticedBeforeAnythingRuns) {
  dir_.write("tree/models/vad.onnx", "moDel");
  expect_failure(run(), "integrity.models", "vad.onnx");
}

TEST_F(CheckTest, AnotherProbeThanTheManifestsIsRefused) {
  run();
  dir_.write("tree/validation/probe.json", spec_.dump() + " ");
  CheckOptions options;
  options.scratch = dir_ / "scratch";
  InferenceCheck check(*disk_, clock_, options);
  CheckRequest request;
  request.tree = dir_ / "tree";
  request.manifest = &manifest_;
  auto report = check.run(request, {});
  ASSERT_TRUE(report.ok());
  expect_failure(*report, "integrity.check", "not the one");
}

TEST_F(CheckTest, AProgramThatDoesNotExistIsTheBundlesFault) {
  spec_["argv"] = {"{runtime}/bin/nothing"};
  expect_failure(run(), "unclassified", "cannot be executed");
}

TEST_F(CheckTest, WithoutASandboxItIsAnErrorAndNotAFailure) {
  CheckReport report = run_spec("/nonexistent/bwrap");
  EXPECT_EQ(report.verdict, Verdict::kError);
  EXPECT_NE(report.cause.find("environment"), std::string::npos);
  report = run_spec("/bin/false");
  EXPECT_EQ(report.verdict, Verdict::kError) << report.cause;
}

TEST_F(CheckTest, AProbeThatReportsNoVersionsDoesNotPass) {
  manifest_.python = "3.11.2";
  manifest_.packages = {{"numpy", "1.21.6"}};
  runtime_ = "{}";
  expect_failure(run(), "deps.versions", "python 3.11.2");
  runtime_ = "{'python': '3.11.2'}";
  expect_failure(run(), "deps.versions", "a package of the manifest");
  runtime_ = "{'numpy': '1.21.6'}";
  expect_failure(run(), "deps.versions", "python 3.11.2");
  runtime_ = "{'python': '3.11.2', 'numpy': '1.21.6'}";
  EXPECT_EQ(run().verdict, Verdict::kPass);
}

}  // namespace
}  // namespace lineside::node
