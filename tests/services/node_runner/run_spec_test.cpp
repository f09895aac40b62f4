#include "services/node/runner/run_spec.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "services/node/runner/environment.hpp"

namespace lepton::node {
namespace {

RunSpec good() {
  RunSpec spec;
  spec.attempt = "digits-0-1";
  spec.task = "digits-0";
  spec.user = "nobody";
  spec.command = {"python3", "train.py", "--text", "a b\n\"c\""};
  spec.env = {{"EPOCHS", "3"}, {"EMPTY", ""}, {"_X", "a=b"}};
  spec.cpu_milli = 1500;
  spec.memory_mib = 4096;
  spec.pids_max = 100;
  spec.cpus = "0-3,8";
  spec.gpu_uuids = {"GPU-1", "GPU-2"};
  spec.ports = {8080, 65535};
  spec.working_dir = "/srv";
  spec.max_duration_ms = 1000;
  spec.autonomous = true;
  return spec;
}

TEST(RunSpec, ComesBackFromItsFile) {
  auto const back = decode_run_spec(encode(good()));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, good());
}

TEST(RunSpec, ADamagedFileIsRefused) {
  for (auto const* text : {"", "attempt=a\n", "garbage"}) EXPECT_FALSE(decode_run_spec(text));
  EXPECT_FALSE(decode_run_spec(encode(good()) + "port=0\n"));
  EXPECT_FALSE(decode_run_spec(encode(good()) + "port=70000\n"));
}

struct Bad {
  std::string name;  // must appear in the sentence
  std::function<void(RunSpec&)> spoil;
};

TEST(RunSpec, RefusalsNameWhatIsWrong) {
  std::vector<Bad> const table{
      {"../x", [](RunSpec& s) { s.attempt = "../x"; }},
      {"attempt id", [](RunSpec& s) { s.attempt = ""; }},
      {"task id", [](RunSpec& s) { s.task = ".hidden"; }},
      {"task id", [](RunSpec& s) { s.task = std::string(129, 'a'); }},
      {"command is empty", [](RunSpec& s) { s.command = {}; }},
      {"command is empty", [](RunSpec& s) { s.command = {""}; }},
      {"NUL", [](RunSpec& s) { s.command = {std::string("a\0b", 3)}; }},
      {"absolute", [](RunSpec& s) { s.working_dir = "relative"; }},
      {"cpu_milli", [](RunSpec& s) { s.cpu_milli = -1; }},
      {"memory_mib", [](RunSpec& s) { s.memory_mib = std::int64_t{1} << 60; }},
      {"lease_ms", [](RunSpec& s) { s.autonomous = false, s.lease_ms = 0; }},
      {"log_bytes_max", [](RunSpec& s) { s.log_bytes_max = -5; }},
      {"list of CPUs", [](RunSpec& s) { s.cpus = "0-3,2"; }},
      {"GPU UUID", [](RunSpec& s) { s.gpu_uuids = {"GPU 1,2"}; }},
      {"port", [](RunSpec& s) { s.ports = {0}; }},
      {"user name", [](RunSpec& s) { s.user = "-root"; }},
      {"1X",
       [](RunSpec& s) {
         s.env = {{"1X", ""}};
       }},
      {"A B",
       [](RunSpec& s) {
         s.env = {{"A B", ""}};
       }},
      {"CUDA_VISIBLE_DEVICES",
       [](RunSpec& s) {
         s.env = {{"CUDA_VISIBLE_DEVICES", "0"}};
       }},
      {"LEPTON_TASK_ID",
       [](RunSpec& s) {
         s.env = {{"LEPTON_TASK_ID", "x"}};
       }},
      {"PORT12",
       [](RunSpec& s) {
         s.env = {{"PORT12", "1"}};
       }},
      {"512",
       [](RunSpec& s) {
         s.env = {{"BIG", std::string(600 << 10, 'x')}};
       }},
  };
  for (auto const& bad : table) {
    auto spec = good();
    bad.spoil(spec);
    auto const refused = validate(spec, {});
    ASSERT_FALSE(refused) << bad.name;
    EXPECT_EQ(refused.error().code, Code::invalid);
    auto const& what = refused.error().what;
    EXPECT_TRUE(what.find(bad.name) != what.npos || bad.name == "512") << what;
  }
  auto spec = good();
  spec.env = {{"PORTAL", "a name that only begins like a port"}};
  EXPECT_TRUE(validate(spec, {}));
}

TEST(RunSpec, SecretsObeyTheSameRulesAndStayUnnamed) {
  EXPECT_FALSE(validate(good(), {{"PORT", Secret<>("x")}}));
  auto const twice = validate(good(), {{"EPOCHS", Secret<>("hunter2")}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().what, "EPOCHS is given as env and as secret; keep one");
  auto const nul = validate(good(), {{"TOKEN", Secret<>(std::string("hunter2\0x", 9))}});
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().what.find("hunter2"), std::string::npos);
}

TEST(Environment, IsBuiltFromNothingAndTheNodeHasTheLastWord) {
  auto spec = good();
  spec.env = {{"LANG", "de_DE.UTF-8"}};
  spec.listen = "0.0.0.0";
  auto const lines = task_environment(spec, {{"TOKEN", Secret<>("t")}}, {"ada", "/home/ada", "/o"});
  std::vector<std::string> const expected{
      "CUDA_VISIBLE_DEVICES=GPU-1,GPU-2",
      "HOME=/home/ada",
      "LANG=de_DE.UTF-8",
      "LEPTON_ATTEMPT_ID=digits-0-1",
      "LEPTON_LISTEN=0.0.0.0",
      "LEPTON_OUTPUT_DIR=/o",
      "LEPTON_TASK_ID=digits-0",
      "LOGNAME=ada",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "PORT=8080",
      "PORT0=8080",
      "PORT1=65535",
      "TOKEN=t",
      "USER=ada"};
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace lepton::node
