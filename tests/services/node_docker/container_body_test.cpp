// What Docker is asked for, what its answers mean, and the names of images.

#include "services/node/runner/docker/container_body.hpp"

#include <gtest/gtest.h>

#include "common/base/image_name.hpp"
#include "services/node/runner/docker/container_find.hpp"
#include "services/node/runner/docker/container_pipe.hpp"

namespace lepton::node {
namespace {

RunSpec full_spec() {
  RunSpec spec;
  spec.attempt = "a-1";
  spec.task = "a";
  spec.command = {"python3", "train.py"};
  spec.image = "pytorch/pytorch:2.1";
  spec.env = {{"PLAIN", "plain-value"}};
  spec.cpu_milli = 1'500;
  spec.memory_mib = 64;
  spec.pids_max = 100;
  spec.cpus = "0-3,8";
  spec.gpu_uuids = {"GPU-1", "GPU-2"};
  spec.working_dir = "/src";
  return spec;
}

TEST(ContainerPid, IsReadFromWhatTheEngineSays) {
  EXPECT_EQ(*container_pid(R"({"State":{"Running":true,"Pid":4711}})"), 4711);
  EXPECT_EQ(*container_pid(R"({"State":{"Running":false,"Pid":0}})"), 0);
  for (auto const* text : {"", "{}", "nonsense", R"({"State":{}})", R"({"State":{"Pid":-1}})",
                           R"({"State":{"Pid":"x"}})", R"({"State":{"Pid":99999999}})"})
    EXPECT_EQ(container_pid(text).error().code, Code::unavailable) << text;
}

TEST(CreateBody, SaysAllThatTheSpecSays) {
  auto const body = create_body(
      full_spec(), {"/s/box", "/p/lepton-init", "/s/out", "", "65534:65533", true, "sha256:1"});
  EXPECT_EQ(
      body,
      R"({"Image":"sha256:1","Entrypoint":["/.lepton-init"],)"
      R"("Cmd":["python3","train.py"],)"
      R"("User":"65534:65533","Labels":{"lepton.attempt":"a-1","lepton.task":"a",)"
      R"("lepton.image":"pytorch/pytorch:2.1"},"HostConfig":{)"
      R"("Memory":67108864,"MemorySwap":67108864,"NanoCpus":1500000000,"ShmSize":33554432,)"
      R"("CpusetCpus":"0-3,8","PidsLimit":100,"Mounts":[)"
      R"({"Type":"bind","Source":"/s/box","Target":"/.lepton","ReadOnly":true},)"
      R"({"Type":"bind","Source":"/p/lepton-init","Target":"/.lepton-init","ReadOnly":true},)"
      R"({"Type":"bind","Source":"/s/out","Target":"/out","ReadOnly":false}],)"
      R"("Tmpfs":{"/run/secrets":"rw,noexec,nosuid,nodev,size=2m,mode=0700,uid=65534,gid=65533"},)"
      R"("NetworkMode":"host","RestartPolicy":{"Name":"no"},"LogConfig":{"Type":"none"},)"
      R"("CapDrop":["ALL"],"SecurityOpt":["no-new-privileges"],"DeviceRequests":[)"
      R"({"Driver":"","DeviceIDs":["GPU-1","GPU-2"],"Capabilities":[["gpu"]]}]},)"
      R"("WorkingDir":"/src"})");
}

TEST(CreateBody, AWorkingFolderOfItsOwnIsMountedAndEntered) {
  auto spec = full_spec();
  spec.working_dir.clear();
  auto const body = create_body(spec, {"/s/box", "/p/lepton-init", "/s/out", "/s/work", "1:1"});
  auto const mount = R"({"Type":"bind","Source":"/s/work","Target":"/work","ReadOnly":false})";
  EXPECT_NE(body.find(mount), std::string::npos) << body;
  EXPECT_NE(body.find(R"("WorkingDir":"/work")"), std::string::npos) << body;
}

TEST(CreateBody, HoldsNoValueOfAVariable) {
  EXPECT_EQ(create_body(full_spec(), {}).find("plain-value"), std::string::npos);
}

TEST(ContainerStateOf, IsReadFromWhatDockerSays) {
  auto const state = container_state(
      R"({"Id":"x","State":{"Running":false,"Paused":false,"OOMKilled":true,"ExitCode":137}})");
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->running);
  EXPECT_TRUE(state->oom_killed);
  EXPECT_EQ(state->exit_code, 137);
  EXPECT_FALSE(container_state("no json"));
  EXPECT_FALSE(container_state("{}"));
}

TEST(FindOwn, IsOursByItsLabelsAndWasStarted) {
  RunSpec spec;
  spec.attempt = "a-1";
  spec.task = "a";
  auto const told = [](std::string const& status, std::string const& attempt) {
    return R"({"State":{"Status":")" + status + R"("},"Config":{"Labels":{"lepton.attempt":")" +
           attempt + R"(","lepton.task":"a"}}})";
  };
  EXPECT_EQ(*find_own(told("running", "a-1"), spec), Container::running);
  EXPECT_EQ(*find_own(told("paused", "a-1"), spec), Container::running);
  EXPECT_EQ(*find_own(told("exited", "a-1"), spec), Container::ended);
  EXPECT_EQ(*find_own(told("created", "a-1"), spec), Container::none);
  EXPECT_EQ(*find_own(told("running", "a-2"), spec), Container::none);
  EXPECT_EQ(*find_own(R"({"State":{"Status":"running"}})", spec), Container::none);
  EXPECT_FALSE(find_own("{}", spec)) << "not told is not none";
  EXPECT_FALSE(find_own("no json", spec));
}

TEST(Resize, MemoryAndCpuTogether) {
  EXPECT_EQ(resize_body({1'500, 64}),
            R"({"Memory":67108864,"MemorySwap":67108864,"NanoCpus":1500000000})");
  EXPECT_EQ(resize_body({0, 64}), R"({"Memory":67108864,"MemorySwap":67108864})");
}

TEST(Resize, CachedFilesAreNotInUse) {
  EXPECT_EQ(*memory_in_use_mib(
                R"({"memory_stats":{"usage":104857600,"stats":{"inactive_file":62914560}}})"),
            40);
  EXPECT_EQ(*memory_in_use_mib(
                R"({"memory_stats":{"usage":10485760,"stats":{"total_inactive_file":4194304}}})"),
            6);
  for (auto const* text : {"", "{}", R"({"memory_stats":{}})", R"({"memory_stats":{"usage":0}})"})
    EXPECT_EQ(memory_in_use_mib(text).error().code, Code::unavailable) << text;
}

TEST(Pull, AFailureIsInTheLastLines) {
  EXPECT_TRUE(pulled("{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n"));
  auto const failed = pulled("{\"status\":\"Pulling\"}\r\n{\"error\":\"no space left\"}\r\n");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "no space left");
}

TEST(Pull, TheNameAndTheTagAreSentApart) {
  EXPECT_EQ(pull_query("debian"), "fromImage=debian&tag=latest");
  EXPECT_EQ(pull_query("localhost:5000/a/b"), "fromImage=localhost%3A5000%2Fa%2Fb&tag=latest");
  EXPECT_EQ(pull_query("localhost:5000/a/b:2"), "fromImage=localhost%3A5000%2Fa%2Fb&tag=2");
  EXPECT_EQ(pull_query("a@sha256:00ff"), "fromImage=a&tag=sha256%3A00ff");
}

TEST(ImageName, IsRefusedWhenItCouldBeSomethingElse) {
  for (auto const* good : {"debian", "debian:bookworm-slim", "ghcr.io/org/app:v1.2", "a/b_c/d-e",
                           "localhost:5000/x", "a@sha256:00ff"})
    EXPECT_TRUE(is_image(good)) << good;
  for (auto const* bad : {"", "-v", "/etc", "a//b", "../a", "a b", "a?x=1", "a:", "a%2f", "a\n"})
    EXPECT_FALSE(is_image(bad)) << bad;
}

TEST(EnvironmentFrame, MarksSecretsAndSaysItsLength) {
  std::string const entries("eA=1\0sTOKEN=x=y\0", 16);
  EXPECT_EQ(environment_frame({"A=1", "TOKEN=x=y"}, {"TOKEN"}), "0000000016\n" + entries);
}

}  // namespace
}  // namespace lepton::node
