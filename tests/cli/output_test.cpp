#include <gtest/gtest.h>

#include "cli/jobs/decision_commands.hpp"
#include "cli/jobs/explain.hpp"
#include "cli/jobs/job_views.hpp"
#include "cli/nodes/status.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "tests/cli/capture.hpp"

namespace lepton::cli {
namespace {

TEST(Output, DurationsAreShort) {
  EXPECT_EQ(duration_words(0), "0ms");
  EXPECT_EQ(duration_words(999), "999ms");
  EXPECT_EQ(duration_words(42'900), "42s");
  EXPECT_EQ(duration_words(190'000), "3m10s");
  EXPECT_EQ(duration_words(3'600'000), "1h");
  EXPECT_EQ(duration_words(7'500'000), "2h5m");
  EXPECT_EQ(duration_words(356'400'000), "4d3h");
  EXPECT_EQ(ago(0, 5000), "-");
  EXPECT_EQ(ago(9000, 5000), "0ms ago");
  EXPECT_EQ(mib_words(512), "512 MiB");
  EXPECT_EQ(mib_words(1536), "1.5 GiB");
  EXPECT_EQ(milli_words(1500), "1.5");
}

TEST(Output, TablesAlign) {
  Table table({"NAME", "COUNT", "STATUS"});
  table.row({"a", "7", "running"}).row({"longer", "1200", "-"});
  EXPECT_EQ(table.text(false),
            "NAME    COUNT  STATUS\n"
            "a           7  running\n"
            "longer   1200  -\n");
  EXPECT_EQ(table.names(), "a\nlonger\n");
}

TEST(Output, WidthIsCountedInLettersNotOctets) {
  Table table({"A", "B"});
  table.row({"größe", "x"}).row({"abcde", "y"});
  EXPECT_EQ(table.text(false), "A      B\ngröße  x\nabcde  y\n");
}

TEST(Output, StatesGetAColourOnlyWhereItIsWanted) {
  Table table({"NAME", "STATUS"});
  table.row({"a", "failed"});
  EXPECT_EQ(table.text(true), "NAME  STATUS\na     \033[31mfailed\033[0m\n");
  EXPECT_EQ(table.text(false).find('\033'), std::string::npos);
}

TEST(Output, NobodyPaintsOnTheTerminal) {
  EXPECT_EQ(printable("a\033[2Jb\nc\x7f"), "a?[2Jb c?");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a?31m");
  EXPECT_EQ(printable("größe"), "größe");
}

JobPage page() {
  JobPage p;
  JobLine line;
  line.job.value = "0190-a";
  line.name = "digits";
  line.owner = "ann";
  line.state = JobState::running;
  line.resources = "1 CPU, 512 MiB";
  line.submitted_at_ms = 1'000;
  line.duration_ms = 61'000;
  p.jobs.push_back(line);
  p.total = 1;
  p.states["running"] = 1;
  return p;
}

TEST(Output, AListOfJobs) {
  EXPECT_EQ(
      job_table(page(), 62'000).text(false),
      "ID      NAME    OWNER  RESOURCES       SUBMITTED  DURATION  RECOVERIES  STATUS   REASON\n"
      "0190-a  digits  ann    1 CPU, 512 MiB  1m1s ago   1m1s               0  running\n");
}

TEST(Output, TheSameAnswerInEveryForm) {
  Capture capture;
  capture.shell.format = Format::json;
  emit(capture.shell, page(), job_table(page(), 0));
  // 64-bit integers are texts: a browser's numbers end at 2^53.
  EXPECT_NE(capture.out().find("\"submitted_at_ms\": \"1000\""), std::string::npos)
      << capture.out();
  EXPECT_NE(capture.out().find("\"state\": \"running\""), std::string::npos);
  Capture yaml;
  yaml.shell.format = Format::yaml;
  emit(yaml.shell, page(), job_table(page(), 0));
  EXPECT_EQ(yaml.out().find("jobs:\n  - job: \"0190-a\"\n"), 0u) << yaml.out();
  Capture name;
  name.shell.format = Format::name;
  emit(name.shell, page(), job_table(page(), 0));
  EXPECT_EQ(name.out(), "0190-a\n");
  EXPECT_EQ(name.err(), "");
}

TEST(Output, AJobAndItsTasks) {
  JobView job;
  job.job.value = "0190-a";
  job.owner = "ann";
  job.spec.name = "train";
  job.spec.command = {"python3", "t.py"};
  job.spec.resources.gpus = 2;
  job.spec.resources.gpu_models = {"H100", "A100"};
  job.state = JobState::failed;
  job.started_at_ms = 1'000;
  job.finished_at_ms = 4'000;
  job.why = "exit code 3";
  TaskView task;
  task.state = AttemptState::exited;
  task.exit_code = 3;
  task.allocation.node.value = "gpu-7";
  task.allocation.cpu_milli = 1000;
  task.allocation.memory_mib = 512;
  task.allocation.gpus = {{0, 1000}, {1, 1000}};
  job.tasks.push_back(task);
  auto const sheet = job_sheet(job, 9'000).text(false);
  EXPECT_NE(sheet.find("RESOURCES  2 GPU (H100 or A100), 1 CPU, 512 MiB\n"), std::string::npos)
      << sheet;
  EXPECT_NE(sheet.find("DURATION   3s\n"), std::string::npos) << sheet;
  EXPECT_EQ(task_table(job).text(false),
            "TASK  NODE   HOLDS                  STATUS  EXIT  REASON\n"
            "   0  gpu-7  2 GPU, 1 CPU, 512 MiB  exited     3\n");
  EXPECT_EQ(ending_words(job), "failed: exit code 3");
}

TEST(Output, StatusSaysHowManyAreUp) {
  auto const line = [](char const* state) { return ServiceLine{"x", state, "", 0, "", 0}; };
  EXPECT_EQ(status_exit({{line("up"), line("up")}}), 0);
  EXPECT_EQ(status_exit({{line("up"), line("down")}}), 8);
  EXPECT_EQ(status_exit({{line("up"), line("starting")}}), 8);
  EXPECT_EQ(status_exit({{line("down"), line("down")}}), 6);
}

TEST(Output, AnExplanationSaysWhatIsMissingAndWhen) {
  JobExplanation e;
  e.job = JobId{"j"};
  e.state = JobState::queued;
  e.what = "no node fits";
  e.nearest_miss = "fits if 0.12 of one GPU more were free on node n1";
  e.pool_nodes = 3;
  e.ahead = 2;
  e.starts_by_ms = 600'000;
  e.starts_after = JobId{"y"};
  e.reserved = true;
  e.policy = "foresight";
  e.rejected = {{"gpu_share", "gpu share short", 3}};
  EXPECT_EQ(explanation_sheet(e, 0).text(false),
            "ID       j\n"
            "STATUS   queued\n"
            "REASON   no node fits\n"
            "NEAREST  fits if 0.12 of one GPU more were free on node n1\n"
            "STARTS   at the latest 1970-01-01T00:10:00Z, in 10m, when job y ends\n"
            "AHEAD    2 jobs\n"
            "POLICY   foresight\n");
  EXPECT_EQ(rejection_table(e).text(false),
            "RULE       REJECTS  WHY\n"
            "gpu_share  3 of 3   gpu share short\n");
  e.choices = {{NodeId{"n1"}, true, 1, 0, 0, {{"stranded", 12.5, "x"}, {"left_over", 3, "y"}}}};
  EXPECT_EQ(choice_table(e.choices).text(false),
            "RANK  NODE  HERE  MODEL  WISHES  COST\n"
            "   1  n1    yes       0       0  stranded 12.5, left_over 3\n");
}

TEST(Output, DecisionsSayWhereAndWhyAndWhetherTheyComeOutTheSame) {
  DecisionLine placed{7,           600'000,        "place", JobId{"j"}, PoolId{"p"},
                      "foresight", {NodeId{"n1"}}, {},      "",         {{"stranded", 12.5, "x"}}};
  DecisionLine waits{8,           601'000, "wait", JobId{"k"},     PoolId{"p"},
                     "foresight", {},      {},     "no node fits", {}};
  DecisionLine preempts{9,           602'000,        "preempt",    JobId{"k"}, PoolId{"p"},
                        "foresight", {NodeId{"n1"}}, {JobId{"j"}}, "",         {}};
  EXPECT_EQ(decision_table({{placed, waits, preempts}}).text(false),
            "NUMBER  AT                    KIND     JOB  NODES  POLICY     WHY\n"
            "     7  1970-01-01T00:10:00Z  place    j    n1     foresight  stranded 12.5\n"
            "     8  1970-01-01T00:10:01Z  wait     k    -      foresight  no node fits\n"
            "     9  1970-01-01T00:10:02Z  preempt  k    n1     foresight  stops j\n");
  DecisionsReplayed r{.first = 1, .last = 8, .replayed = 3, .given = 1};
  EXPECT_EQ(replay_sheet(r).text(false),
            "RECORDS     1 to 8\n"
            "MADE AGAIN  3\n"
            "AS GIVEN    1\n"
            "OUTCOME     the same again\n");
  r.different = {4, 6};
  r.decision = {placed};
  r.nodes_that_fit = 2;
  r.pool_nodes = 5;
  EXPECT_EQ(replay_sheet(r).text(false),
            "DECISION    7, place, 1970-01-01T00:10:00Z\n"
            "JOB         j\n"
            "NODES       n1\n"
            "FITTED      2 of 5 nodes then\n"
            "POLICY      foresight\n"
            "RECORDS     1 to 8\n"
            "MADE AGAIN  3\n"
            "AS GIVEN    1\n"
            "OUTCOME     otherwise: 4 6\n");
}

}  // namespace
}  // namespace lepton::cli
