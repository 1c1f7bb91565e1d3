// SPDX-License-Identifier: Apache-2.0
#include "node/check/verdict.h"

#include <gtest/gtest.h>

#include "node/check/probe_lines.h"

namespace lineside::node {
namespace {

TEST(Verdict, ExitStatusesMeanWhatTheContractSays) {
  struct RowOf {
    int status;
    EndKind kind;
    const char* check;
  };
  const RowOf rows[] = {
      {0, EndKind::kGood, "protocol"},       {10, EndKind::kFailed, "deps.import"},
      {11, EndKind::kFailed, "load.model"},  {12, EndKind::kFailed, "infer.run"},
      {13, EndKind::kFailed, "provider"},    {75, EndKind::kRetry, "provider"},
      {1, EndKind::kFailed, "unclassified"}, {127, EndKind::kFailed, "unclassified"},
      {132, EndKind::kFailed, "cpu"},        {134, EndKind::kFailed, "crash"},
      {137, EndKind::kFailed, "limits"},     {139, EndKind::kFailed, "crash"},
      {159, EndKind::kFailed, "sandbox"},    {168, EndKind::kFailed, "crash"},
  };
  for (const RowOf& row : rows) {
    ProcessEnd end;
    end.status = row.status;
    EndMeaning meaning = meaning_of(end);
    EXPECT_EQ(meaning.kind, row.kind) << row.status;
    EXPECT_EQ(meaning.check, row.check) << row.status;
  }
}

TEST(Verdict, TheAgentsOwnReasonsComeBeforeTheStatus) {
  ProcessEnd end{137, false, false, true, false};
  EXPECT_EQ(meaning_of(end).check, "mem.peak");
  end = {0, true, false, false, false};
  EXPECT_EQ(meaning_of(end).kind, EndKind::kFailed);
}

TEST(Verdict, TheFirstFailureIsTheCause) {
  CheckReport report;
  report.pass("protocol");
  report.fail("infer.case.speech", "0.5", "0.1");
  report.fail("mem.peak", "9 MB");
  EXPECT_EQ(report.verdict, Verdict::kFail);
  EXPECT_EQ(report.cause, "infer.case.speech: 0.5, limit 0.1");
  EXPECT_EQ(report.ids(CheckStatus::kFailed).size(), 2U);
}

TEST(Verdict, TheImportThatFailedIsTheTellingLineAndNotWhatFollowedFromIt) {
  EXPECT_EQ(telling_line("Traceback (most recent call last):\n"
                         "  File \"run.py\", line 3, in <module>\n"
                         "ImportError: numpy.core.multiarray failed to import\n\n"
                         "The above exception was the direct cause of the following exception:\n\n"
                         "SystemError: initialization failed without a cause\n"),
            "ImportError: numpy.core.multiarray failed to import");
  EXPECT_EQ(telling_line("probe: ModuleNotFoundError: No module named 'onnxruntime'\nsorry\n"),
            "ModuleNotFoundError: No module named 'onnxruntime'");
  // numpy's own message begins with an empty line and ends with what it was.
  EXPECT_EQ(telling_line("ImportError: \n\nIMPORTANT: PLEASE READ THIS\n\n"
                         "Original error was: No module named 'numpy.core._multiarray_umath'\n\n"),
            "Original error was: No module named 'numpy.core._multiarray_umath'");
  EXPECT_EQ(telling_line("one\n  two  \n \n"), "two  ");
  EXPECT_EQ(telling_line(""), "");
  EXPECT_EQ(telling_line("\n\n"), "");
  EXPECT_EQ(telling_line(std::string(300, 'x')).size(), 200U);
}

Result<ProbeResult> lines(const std::string& text) {
  return parse_probe_lines(as_bytes(text));
}
const std::string kStart =
    R"({"t":"start","schema":1,"runtime":{"python":"3.11.2"},"provider":"CPU"})"
    "\n";

TEST(ProbeLines, ReadsAWholeRun) {
  auto result = lines(kStart + R"({"t":"import","ms":54.6}
{"t":"load","model":"models/a","ms":40}
{"t":"load","model":"models/b","ms":2}
{"t":"case","name":"speech","outputs":{"output":"o.npy"}}
{"t":"something new","x":[1]}
{"t":"latency","n":3,"us":[3,1,2]}
{"t":"done"}
)");
  ASSERT_TRUE(result.ok()) << result.error().what;
  EXPECT_TRUE(result->done);
  EXPECT_EQ(result->runtime.at("python"), "3.11.2");
  EXPECT_EQ(result->load_ms, 42);
  EXPECT_EQ(result->cases.at(0).outputs.at("output"), "o.npy");
  EXPECT_EQ(percentile(result->latency_us, 0.5), 2);
}

TEST(ProbeLines, WithoutDoneItIsNotDone) {
  auto result = lines(kStart);
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->done);
}

TEST(ProbeLines, RefusesWhatIsNotTheProtocol) {
  for (const std::string& text : {
           std::string("hello\n"),
           std::string("{}\n"),
           std::string("{\"t\":\"done\"}\n"),
           kStart + kStart,
           kStart + "{\"t\":\"done\"}\n{\"t\":\"done\"}\n",
           kStart + "{\"t\":\"done\"}",
           kStart + "{\"t\":\"import\",\"ms\":-1}\n",
           kStart + "{\"t\":\"case\",\"name\":\"a\",\"outputs\":{\"o\":\"../../etc/passwd\"}}\n",
           kStart + "{\"t\":\"latency\",\"us\":[1e999]}\n",
           kStart + std::string(100, '[') + "\n",
           kStart + "{\"t\":\"x\",\"y\":\"" + std::string(70'000, 'a') + "\"}\n",
       }) {
    EXPECT_FALSE(lines(text).ok()) << text.substr(0, 200);
  }
}

TEST(ProbeLines, PercentilesInterpolateLikeNumpy) {
  EXPECT_EQ(percentile({4, 1, 2, 3}, 0.5), 2.5);
  EXPECT_EQ(percentile({1}, 0.95), 1);
  EXPECT_FALSE(percentile({}, 0.5));
}

}  // namespace
}  // namespace lineside::node
