// Real programs: up, kills of each kind, down, backup and restore. Every wait is for a state.

#include "cli/up/up.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>

// glibc 2.36 forgot the language linkage in this header.
extern "C" {
#include <sys/pidfd.h>
}

#include "cli/up/access.hpp"
#include "cli/up/lock.hpp"
#include "cli/up/patience.hpp"
#include "cli/up/program.hpp"
#include "cli/up/steward.hpp"
#include "common/base/text.hpp"
#include "schemas/vault_access.hpp"
#include "tests/cli_up/place.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

// SIGKILL, and until the process is gone.
void kill_hard(pid_t pid) {
  Fd const process(pidfd_open(pid, 0));
  ASSERT_TRUE(process) << "no process " << pid;
  pidfd_send_signal(process.get(), SIGKILL, nullptr, 0);
  pollfd entry{process.get(), POLLIN, 0};
  ASSERT_EQ(poll(&entry, 1, 10'000), 1);
}

// Stands still while it lives.
class Pause {
 public:
  explicit Pause(pid_t pid) : process_(pidfd_open(pid, 0)) { signal(SIGSTOP); }
  ~Pause() { signal(SIGCONT); }
  Pause(Pause const&) = delete;
  Pause& operator=(Pause const&) = delete;

 private:
  void signal(int number) const {
    EXPECT_EQ(pidfd_send_signal(process_.get(), number, nullptr, 0), 0);
  }
  Fd process_;
};

pid_t pid_of(Layout const& layout, std::string const& service) {
  auto const pids = running("lepton-" + service, layout.config(service));
  return pids.size() == 1 ? pids.front() : 0;
}

pid_t postgres_pid(Layout const& layout) {
  std::ifstream file(layout.postgres_data() / "postmaster.pid");
  pid_t pid = 0;
  file >> pid;
  return pid;
}

Status put_policy(StackPlan const& plan, std::string const& name) {
  auto client = connect_to(plan, "vault", true);
  if (!client) return client.error();
  Policy const policy{name, {{"job/{subject}/*", {Verb::read}, Effect::allow}}};
  auto const stored = ask_patiently(*client, PolicyPut{policy}, 60'000);
  return stored ? ok() : Status(stored.error());
}

bool has_policy(StackPlan const& plan, std::string const& name) {
  auto client = connect_to(plan, "vault", true);
  if (!client) return false;
  auto const page = ask_patiently(*client, PolicyList{}, 60'000);
  if (!page) return ADD_FAILURE() << page.error().what, false;
  return std::any_of(page->policies.begin(), page->policies.end(),
                     [&](Policy const& policy) { return policy.name == name; });
}

bool becomes_open(StackPlan const& plan) {
  auto client = connect_to(plan, "vault", false);
  if (!client) return false;
  SystemClock const clock;
  auto const deadline = clock.now_ms() + 30'000;
  while (clock.now_ms() < deadline) {
    auto const state = client->call(VaultStatus{}, 500);
    if (state && !state->sealed) return true;
    client->pump(50);
  }
  return false;
}

// One control plane for all tests of the suite; each leaves it running.
class Up : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    place = std::make_unique<Place>();
    layout = place->layout();
    auto const up =
        run_lepton(layout, {"up", "--detach", "--port-base", std::to_string(free_port_base())});
    ASSERT_EQ(up.status, 0) << up.output;
    plan = plan_of(layout);
  }
  static void TearDownTestSuite() {
    run_lepton(layout, {"down"});
    place.reset();
  }
  void SetUp() override {
    for (auto const& name : service_names()) ASSERT_TRUE(becomes_ready(plan, name)) << name;
  }

  static std::unique_ptr<Place> place;
  static Layout layout;
  static StackPlan plan;
};
std::unique_ptr<Place> Up::place;
Layout Up::layout;
StackPlan Up::plan;

TEST_F(Up, ServesAndKeepsItsSecretsToItself) {
  EXPECT_EQ(run_lepton(layout, {"status"}).status, 0);
  for (auto const& file : {layout.root_key(), layout.admin_token(), layout.reader_url(),
                           layout.url("vault"), layout.keys("admin"), layout.settings()}) {
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0) << file;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
  EXPECT_TRUE(put_policy(plan, "first"));
  EXPECT_TRUE(has_policy(plan, "first"));
}

TEST_F(Up, ThisMachineIsANode) {
  ASSERT_TRUE(becomes_open(plan));
  auto const joined = node_joins(plan, 30'000);
  ASSERT_TRUE(joined) << joined.error().what;
  EXPECT_TRUE(*joined);
  EXPECT_NE(pid_of(layout, "node"), 0);
}

TEST_F(Up, AnotherMachineJoinsWithAToken) {
  ASSERT_TRUE(becomes_open(plan));
  auto client = connect_to(plan, "vault", true);
  ASSERT_TRUE(client) << client.error().what;
  auto const issued =
      ask_patiently(*client, TokenCreate{"far-away", {node_policy_name}, "", token_ttl_ms});
  ASSERT_TRUE(issued) << issued.error().what;
  auto const far = place->layout("far");
  std::vector<std::string> const join{"node",
                                      "join",
                                      issued->token.reveal(),
                                      "--name",
                                      "far-away",
                                      "--deployer",
                                      client_endpoint(plan.settings, "deployer"),
                                      "--server-key",
                                      plan.public_keys.at("deployer")};
  auto const joined = run_lepton(far, join);
  ASSERT_EQ(joined.status, 0) << joined.output;
  auto elsewhere = plan;
  elsewhere.settings.node_name = "far-away";
  auto const seen = node_joins(elsewhere, 30'000);
  EXPECT_TRUE(seen && *seen);
  EXPECT_EQ(run_lepton(far, join).status, 5);  // it runs already
  EXPECT_TRUE(end_leftovers(running("lepton-node", far.config("node")), 15'000));
}

TEST_F(Up, TheSecondIsRefusedAndNamesTheFirst) {
  auto const pid = supervisor_of(layout).value();
  ASSERT_TRUE(pid.has_value());
  for (auto const* how : {"--detach", "--no-node"}) {
    auto const second = run_lepton(layout, {"up", how});
    EXPECT_EQ(second.status, 5) << second.output;
    EXPECT_NE(second.output.find(std::to_string(*pid)), std::string::npos) << second.output;
    EXPECT_NE(second.output.find("lepton down"), std::string::npos) << second.output;
  }
}

TEST_F(Up, AKilledServiceComesBack) {
  for (auto const* name : {"deployer", "auditor", "scaler", "monitor"}) {
    auto const before = pid_of(layout, name);
    ASSERT_NE(before, 0);
    kill_hard(before);
    EXPECT_TRUE(becomes_ready(plan, name)) << name;
    auto const after = pid_of(layout, name);
    EXPECT_NE(after, 0);
    EXPECT_NE(after, before);
  }
}

TEST_F(Up, AKilledVaultIsUnsealedAgain) {
  auto const before = pid_of(layout, "vault");
  ASSERT_NE(before, 0);
  kill_hard(before);
  EXPECT_TRUE(becomes_open(plan));
  EXPECT_NE(pid_of(layout, "vault"), before);
}

// The supervisor stands still meanwhile, so that the steward of the test looks, and when it says.
TEST_F(Up, AVaultThatFellBeforeAnybodyLookedIsUnsealedAgain) {
  ASSERT_TRUE(becomes_open(plan));
  Pause const supervisor(supervisor_of(layout).value().value());
  std::string said;
  Steward steward(plan, [&](std::string const& line) { said += line + "\n"; });
  ASSERT_TRUE(steward.is_ready("vault", 5'000));
  ASSERT_TRUE(steward.open_up());
  kill_hard(pid_of(layout, "vault"));
  SystemClock const clock;
  auto now = clock.now_ms();
  steward.step(now);  // in vain
  auto vault = Program::start({"vault",
                               *find_program("lepton-vault"),
                               {"--config", layout.config("vault")},
                               layout.log("vault")});
  ASSERT_TRUE(vault) << vault.error().what;
  ASSERT_TRUE(becomes_ready(plan, "vault"));
  auto const deadline = clock.now_ms() + 30'000;
  while (said.find("vault: unsealed again") == std::string::npos && clock.now_ms() < deadline)
    steward.step(now += 500);
  EXPECT_TRUE(becomes_open(plan)) << said;
  EXPECT_TRUE(vault->stop(10'000));
}

TEST_F(Up, AKilledPostgresComesBackAndChangesAreTaken) {
  ASSERT_TRUE(becomes_open(plan));
  ASSERT_TRUE(put_policy(plan, "before-the-kill"));
  auto const before = postgres_pid(layout);
  ASSERT_NE(before, 0);
  kill_hard(before);
  auto const put = put_policy(plan, "after-the-kill");
  EXPECT_TRUE(put) << put.error().what;
  EXPECT_NE(postgres_pid(layout), before);
  EXPECT_TRUE(has_policy(plan, "before-the-kill"));
  EXPECT_TRUE(has_policy(plan, "after-the-kill"));
}

TEST_F(Up, AKilledSupervisorLeavesNothingInTheWay) {
  ASSERT_TRUE(becomes_open(plan));
  ASSERT_TRUE(put_policy(plan, "kept"));
  auto const supervisor = supervisor_of(layout).value();
  ASSERT_TRUE(supervisor.has_value());
  kill_hard(*supervisor);
  EXPECT_EQ(supervisor_of(layout).value(), std::nullopt);
  auto const again = run_lepton(layout, {"up", "--detach"});
  ASSERT_EQ(again.status, 0) << again.output;
  EXPECT_TRUE(has_policy(plan, "kept"));
  for (auto const& name : service_names()) EXPECT_NE(pid_of(layout, name), 0) << name;
}

TEST_F(Up, GoesDownAndUpAgainWithTheSameSettings) {
  ASSERT_TRUE(becomes_open(plan));
  ASSERT_TRUE(put_policy(plan, "through-down"));
  auto const down = run_lepton(layout, {"down"});
  EXPECT_EQ(down.status, 0) << down.output;
  for (auto const& name : service_names()) EXPECT_EQ(pid_of(layout, name), 0) << name;
  auto const nothing = run_lepton(layout, {"down"});
  EXPECT_EQ(nothing.status, 0);
  EXPECT_NE(nothing.output.find("nothing"), std::string::npos) << nothing.output;
  auto const up = run_lepton(layout, {"up", "--detach"});
  ASSERT_EQ(up.status, 0) << up.output;
  EXPECT_EQ(plan_of(layout).settings, plan.settings);
  EXPECT_TRUE(has_policy(plan, "through-down"));
}

TEST_F(Up, ABackupComesBackElsewhere) {
  ASSERT_TRUE(becomes_open(plan));
  ASSERT_TRUE(put_policy(plan, "in-the-backup"));
  auto const file = (place->root() / "one.backup").string();
  auto const made = run_lepton(layout, {"backup", file});
  ASSERT_EQ(made.status, 0) << made.output;
  EXPECT_EQ(run_lepton(layout, {"backup", file}).status, 5);
  EXPECT_EQ(run_lepton(layout, {"restore", file}).status, 5);  // it runs
  ASSERT_EQ(run_lepton(layout, {"down"}).status, 0);
  EXPECT_EQ(run_lepton(layout, {"restore", file}).status, 5);  // it is not empty

  auto const other = place->layout("other");
  auto const restored = run_lepton(other, {"restore", file});
  ASSERT_EQ(restored.status, 0) << restored.output;
  EXPECT_FALSE(fs::exists(other.root_key()));
  fs::copy_file(layout.root_key(), other.root_key());
  auto const up = run_lepton(other, {"up", "--detach"});
  EXPECT_EQ(up.status, 0) << up.output;
  bool const kept = up.status == 0 && has_policy(plan_of(other), "in-the-backup");
  EXPECT_TRUE(kept);
  EXPECT_EQ(run_lepton(other, {"down"}).status, 0);
  ASSERT_EQ(run_lepton(layout, {"up", "--detach"}).status, 0);
}

TEST(UpAlone, APortInUseIsNamedBeforeAnythingStarts) {
  Place const place;
  auto const layout = place.layout();
  auto const base = free_port_base();
  Fd const taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int const on = 1;
  setsockopt(taken.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(base + 4));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(listen(taken.get(), 1), 0);
  auto const up = run_lepton(layout, {"up", "--detach", "--port-base", std::to_string(base)});
  EXPECT_EQ(up.status, 5) << up.output;
  EXPECT_NE(up.output.find(std::to_string(base + 4)), std::string::npos) << up.output;
  EXPECT_NE(up.output.find("--port-base"), std::string::npos) << up.output;
  EXPECT_FALSE(fs::exists(layout.postgres_data()));
  EXPECT_FALSE(fs::exists(layout.settings()));
}

TEST(UpAlone, NothingToStopIsNoError) {
  Place const place;
  EXPECT_EQ(run_lepton(place.layout(), {"down"}).status, 0);
}

TEST(UpAlone, WhatIsNoBackupLeavesNothingBehind) {
  Place const place;
  auto const layout = place.layout();
  std::ofstream(place.root() / "noise") << "not an archive";
  EXPECT_EQ(run_lepton(layout, {"restore", (place.root() / "noise").string()}).status, 2);
  EXPECT_EQ(run_lepton(layout, {"restore", (place.root() / "absent").string()}).status, 3);
  EXPECT_FALSE(fs::exists(layout.postgres_data()));
}

TEST(UpAlone, JoinRefusesWhatCannotWork) {
  Place const place;
  auto const layout = place.layout();
  std::string const key(40, 'a');
  auto const join = [&](std::string const& token, std::string const& door, std::string const& k) {
    return run_lepton(layout, {"node", "join", token, "--deployer", door, "--server-key", k})
        .status;
  };
  EXPECT_EQ(join("no-token", "tcp://127.0.0.1:7107", key), 2);
  EXPECT_EQ(join("lep1.a.b", "http://127.0.0.1", key), 2);
  EXPECT_EQ(join("lep1.a.b", "tcp://127.0.0.1:7107", "short"), 2);
  EXPECT_FALSE(fs::exists(layout.node_token()));
}

}  // namespace
}  // namespace lepton::cli
