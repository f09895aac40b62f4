#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cli/replay/progress.hpp"
#include "cli/replay/report.hpp"
#include "cli/replay/trace.hpp"
#include "tests/cli/capture.hpp"

namespace lepton::cli {
namespace {

constexpr auto pod_header =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time\n";

std::string file(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Trace, NodesByTheNamesOfTheColumns) {
  auto const nodes = parse_nodes(
      "model,sn,memory_mib,cpu_milli,gpu,more\r\nT4,n-1,1024,2000,2,x\r\n,n-2,1,2,0,\n");
  ASSERT_TRUE(nodes) << nodes.error().what;
  EXPECT_EQ(*nodes, (std::vector<TraceNode>{{"n-1", 2000, 1024, 2, "T4"}, {"n-2", 2, 1, 0, ""}}));
}

TEST(Trace, PodsInTheOrderOfArrivalThenOfLines) {
  auto const pods =
      parse_pods(std::string(pod_header) +
                 "late,1,2,1,460,T4|P100,LS,7\nfirst,1,2,0,0,T4,BE,3\nsecond,1,2,8,1000,,LS,3\n");
  ASSERT_TRUE(pods) << pods.error().what;
  ASSERT_EQ(pods->size(), 3u);
  EXPECT_EQ((*pods)[0].name, "first");
  EXPECT_EQ((*pods)[1].name, "second");
  EXPECT_EQ((*pods)[2].name, "late");
  auto const& late = (*pods)[2].resources;
  EXPECT_EQ(late.gpu_milli, 460u);
  EXPECT_EQ(late.gpu_models, (std::vector<std::string>{"T4", "P100"}));
  EXPECT_EQ((*pods)[0].resources.gpus, 0u);
  EXPECT_EQ((*pods)[0].resources.gpu_milli, 1000u);  // no GPU: the field keeps its default
  EXPECT_TRUE((*pods)[0].resources.gpu_models.empty());
  EXPECT_EQ((*pods)[1].resources.gpu_milli, 1000u);
}

TEST(Trace, WithoutTimesTheOrderOfLinesCounts) {
  auto const pods =
      parse_pods("name,cpu_milli,memory_mib,num_gpu,gpu_milli\nb,1,2,0,0\na,1,2,0,0\n");
  ASSERT_TRUE(pods);
  EXPECT_EQ((*pods)[0].name, "b");
}

TEST(Trace, WrongFilesNameLineAndColumn) {
  EXPECT_EQ(parse_nodes("").error().what, "the file is empty");
  EXPECT_EQ(parse_nodes("sn,cpu_milli\n").error().what,
            "line 1: the header has no column 'memory_mib'; is it the right file?");
  std::string const header = "sn,cpu_milli,memory_mib,gpu,model\n";
  EXPECT_EQ(parse_nodes(header + "a,x,1,1,T4\n").error().what,
            "line 2: cpu_milli: expected a whole number from 0 to 10000000, got 'x'");
  EXPECT_EQ(parse_nodes(header + "a,1,1,1,T4\nb,1\n").error().what,
            "line 3: has 2 values, the header 5");
  EXPECT_EQ(parse_nodes(header + "a,1,1,1,T4\nA,1,1,1,T4\n").error().what,
            "line 3: sn: node 'A' stands twice");
  EXPECT_EQ(parse_nodes(header + "\"a\",1,1,1,T4\n").error().what,
            "line 2: quotes are not supported; write the values plainly");
  EXPECT_EQ(parse_pods(std::string(pod_header) + "a,1,2,1,1001,,LS,3\n").error().what,
            "line 2: gpu_milli: expected a whole number from 0 to 1000, got '1001'");
  EXPECT_EQ(parse_pods(std::string(pod_header) + "a,-1,2,1,100,,LS,3\n").error().code,
            Code::invalid);
}

TEST(Trace, BecomesSpecsAndDeclarations) {
  EXPECT_EQ(label_of("Openb_Pod.0001-"), "openb-pod-0001");
  EXPECT_EQ(label_of("__"), "unnamed");
  PoolId const pool{"replay-x"};
  auto const node = declaration_of({"N_1", 2000, 1024, 2, "T4"}, pool);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->node.value, "replay-x-n-1");
  ASSERT_EQ(node->capacity.gpus.size(), 2u);
  EXPECT_EQ(node->capacity.gpus[1].model, "T4");
  EXPECT_NE(node->capacity.gpus[0].uuid, node->capacity.gpus[1].uuid);
  EXPECT_FALSE(declaration_of({std::string(60, 'n'), 1, 1, 0, ""}, pool));
  TracePod pod;
  pod.name = "Pod_1";
  auto const spec = spec_of(pod, pool);
  EXPECT_EQ(spec.name, "pod-1");
  EXPECT_EQ(spec.no_fit, NoFit::refuse);
  EXPECT_EQ(spec.pool, pool);
  EXPECT_FALSE(spec.command.empty());
}

TEST(Trace, TheSmallTraceOfTheExamples) {
  auto const nodes = parse_nodes(file("examples/trace/nodes.csv"));
  auto const pods = parse_pods(file("examples/trace/pods.csv"));
  ASSERT_TRUE(nodes && pods);
  EXPECT_EQ(nodes->size(), 40u);
  EXPECT_EQ(pods->size(), 200u);
}

TEST(Trace, ThePublicTrace) {
  auto const* data = std::getenv("LEPTON_DATA");
  if (data == nullptr) GTEST_SKIP() << "LEPTON_DATA is not set: the public trace is not here";
  auto const folder = std::string(data) + "/gpu-trace-v2023/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  auto const nodes = parse_nodes(file(folder + "openb_node_list_gpu_node.csv"));
  auto const pods = parse_pods(file(folder + "openb_pod_list_default.csv"));
  ASSERT_TRUE(nodes && pods);
  EXPECT_EQ(nodes->size(), 1213u);
  EXPECT_EQ(pods->size(), 8152u);
  EXPECT_TRUE(parse_pods(file(folder + "openb_pod_list_multigpu20.csv")));
}

TEST(Report, PercentilesByNearestRank) {
  std::vector<double> none, some{4, 1, 3, 2}, one{7};
  EXPECT_EQ(percentile(none, 0.5), 0);
  EXPECT_EQ(percentile(some, 0.5), 2);
  EXPECT_EQ(percentile(some, 0.99), 4);
  EXPECT_EQ(percentile(some, 0), 1);
  EXPECT_EQ(percentile(one, 0.5), 7);
}

TEST(Report, AsATable) {
  ReplayReport r;
  r.pool = "replay-x";
  r.nodes = 2;
  r.gpus = 8;
  r.gpus_free = 1;
  r.unallocated_gpu_percent = 12.5;
  r.pods = 10;
  r.placed = 7;
  r.refused = 2;
  r.failed = 1;
  r.failures["no answer"] = 1;
  r.seconds = 0.5;
  r.submits_per_s = 20;
  r.submit_to_placed_p50_ms = 1.234;
  r.submit_to_placed_p99_ms = 9;
  r.audit_entries = 8;
  r.audit_missing = 1;
  EXPECT_EQ(report_sheet(r).text(false),
            "POOL              replay-x\n"
            "NODES             2 with 8 GPUs\n"
            "PODS              10\n"
            "PLACED            7\n"
            "REFUSED           2\n"
            "FAILED            1\n"
            "                  1 x no answer\n"
            "GPU UNALLOCATED   12.50 % (1.0 of 8)\n"
            "SUBMITS           20/s over 0.50 s\n"
            "SUBMIT TO PLACED  p50 1.23 ms, p99 9.00 ms\n"
            "AUDIT ENTRIES     8 submits, 1 MISSING\n");
}

TEST(Progress, PlainLinesWhereNobodyLooks) {
  Capture capture;
  ProgressBar bar(capture.shell, "replayed", 20);
  for (std::size_t done = 0; done <= 20; ++done) bar.show(done);
  auto const said = capture.err();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 10);
  EXPECT_EQ(said.find('\r'), std::string::npos);
  EXPECT_NE(said.find("replayed 20 of 20"), std::string::npos);
}

}  // namespace
}  // namespace lepton::cli
