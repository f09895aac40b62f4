#include "cli/up/rotate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "cli/up/access.hpp"
#include "cli/up/lock.hpp"
#include "cli/up/node.hpp"
#include "cli/up/program.hpp"
#include "cli/up/settings.hpp"
#include "common/base/text.hpp"
#include "common/bus/probe.hpp"
#include "common/codec/yaml.hpp"
#include "schemas/vault.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr TimeMs step_limit_ms = 30'000;
constexpr TimeMs end_limit_ms = 10'000;
constexpr TimeMs look_every_ms = 100;
constexpr int knock_ms = 1'000;

std::string program_of(std::string const& name) {
  return "lepton-" + name;
}

// One at a time; the kernel forgets it with the process.
Result<Fd> lock_rotation(Layout const& layout) {
  auto const path = layout.state / "rotate.lock";
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file && flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return Error{Code::conflict,
               fmt::format("{} cannot be locked: another key is being rotated; try again when it "
                           "is done, as the account that ran `lepton up`",
                           path.string())};
}

class Rotation {
 public:
  Rotation(StackPlan plan, std::string service, Shell& shell)
      : plan_(std::move(plan)), service_(std::move(service)), shell_(shell) {}

  Status run(bool only_prepare);
  std::string both_keys() const { return old_.public_key + " " + next_.public_key; }
  bool is_prepared() const { return !swapped_; }

 private:
  Status read_keys();
  Status tell(std::string const& keys);
  Status tell_services();
  Status note();
  Status swap();
  Status begin_anew();
  Result<bool> all_doors(bus::KeyPair const& keys, bus::Shake wanted);
  Status prepare();
  Status finish();
  template <class Holds>
  Status wait(Holds holds, std::string const& what);

  fs::path next_file() const { return plan_.layout.keys(service_ + ".next"); }
  fs::path old_file() const { return plan_.layout.keys(service_ + ".old"); }
  fs::path file() const { return plan_.layout.keys(service_); }

  StackPlan plan_;
  std::string service_;
  Shell& shell_;
  bus::Context context_;
  bus::KeyPair old_, next_;
  bool swapped_ = false;  // an earlier run has come that far
};

Status Rotation::read_keys() {
  crypto::SystemEntropy entropy;
  auto names = service_names();
  names.insert(names.end(), {"admin", "node"});
  for (auto const& name : names) {
    auto keys = bus::read_keys(plan_.layout.keys(name));
    if (!keys) return keys.error();
    plan_.public_keys[name] = keys->public_key;
    if (name == service_) old_ = std::move(*keys);
  }
  swapped_ = fs::exists(old_file()) && !fs::exists(next_file());
  auto other =
      swapped_ ? bus::read_keys(old_file()) : bus::read_or_create_keys(next_file(), entropy);
  if (!other) return other.error();
  next_ = std::move(*other);
  if (swapped_) std::swap(old_, next_);
  return ok();
}

Status Rotation::tell_services() {
  for (auto const& name : service_names()) {
    auto const text = codec::to_yaml(service_config(plan_, name));
    if (auto written = write_private_file(plan_.layout.config(name), text); !written)
      return written;
  }
  if (plan_.settings.node)
    if (auto written = write_node_config(plan_.layout.config("node"), node_setup(plan_)); !written)
      return written;
  return write_context(plan_.layout.context, client_context(plan_));
}

// Who runs reads the keys of its peers again; standbys do so when they take over.
Status Rotation::tell(std::string const& keys) {
  plan_.public_keys[service_] = keys;
  if (auto told = tell_services(); !told) return told;
  auto names = service_names();
  if (plan_.settings.node) names.emplace_back("node");
  for (auto const& name : names)
    if (name != service_)
      for (auto const pid : running(program_of(name), plan_.layout.config(name))) kill(pid, SIGHUP);
  return ok();
}

template <class Holds>
Status Rotation::wait(Holds holds, std::string const& what) {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + step_limit_ms;
  for (;;) {
    auto const now = holds();
    if (!now) return now.error();
    if (*now) return ok();
    if (clock.now_ms() >= deadline)
      return Error{Code::timeout, fmt::format("after {} s {}; see `lepton status` and the logs, "
                                              "then run the same command again to finish",
                                              step_limit_ms / 1000, what)};
    std::this_thread::sleep_for(std::chrono::milliseconds(look_every_ms));
  }
}

// By trying: what does each peer's door say to this pair?
Result<bool> Rotation::all_doors(bus::KeyPair const& keys, bus::Shake wanted) {
  for (auto const& name : service_names()) {
    if (name == service_) continue;
    auto const door = service_config(plan_, name).peer_endpoint;
    auto const seen = bus::knock_with(context_, door, plan_.public_keys.at(name), keys, knock_ms);
    if (!seen) return seen.error();
    if (*seen != wanted) return false;
  }
  return true;
}

// Under one id, so that a rotation that is finished by a second run has one entry, too.
Status Rotation::note() {
  auto client = connect_to(plan_, "vault", true);
  if (!client) return client.error();
  auto const id = "key-rotate-" + next_.public_key;
  auto const noted = client->call(ServiceKeyRotate{service_, old_.public_key, next_.public_key},
                                  shell_.timeout_ms(), id);
  return noted ? ok() : Status(noted.error());
}

// There is a whole pair in the file at every moment.
Status Rotation::swap() {
  std::error_code error;
  fs::remove(old_file(), error);
  fs::create_hard_link(file(), old_file(), error);
  if (!error) fs::rename(next_file(), file(), error);
  if (!error) return ok();
  return Error{Code::internal, fmt::format("the key files in {} cannot be changed: {}",
                                           file().parent_path().string(), error.message())};
}

Status Rotation::begin_anew() {
  auto const pids = running(program_of(service_), plan_.layout.config(service_));
  if (auto ended = end_leftovers(pids, end_limit_ms); !ended) return ended;
  auto plan = plan_;
  plan.public_keys[service_] = next_.public_key;
  return wait(
      [&]() -> Result<bool> {
        auto client = connect_to(plan, service_, false);
        if (!client) return client.error();
        auto const health = client->call(HealthGet{service_}, 1'000);
        return health && health->ready;
      },
      service_ + " does not answer with its new key");
}

Status Rotation::prepare() {
  auto status = tell(both_keys());
  if (!status) return status;
  return wait([&] { return all_doors(next_, bus::Shake::accepted); },
              "a service does not know the new key");
}

Status Rotation::finish() {
  auto status = tell(next_.public_key + " " + old_.public_key);
  if (status) status = begin_anew();
  if (status) status = tell(next_.public_key);
  if (status)
    status = wait([&] { return all_doors(old_, bus::Shake::refused); },
                  "a service still takes the old key");
  std::error_code ignored;
  if (status) fs::remove(old_file(), ignored);
  return status;
}

Status Rotation::run(bool only_prepare) {
  auto status = read_keys();
  if (status && !swapped_) {
    status = prepare();
    if (!status || only_prepare) return status;
    shell_.say(service_ + ": its peers know both keys; it begins anew with the new one");
    status = note();
    if (status) status = swap();
  }
  return status ? finish() : status;
}

Status check(Layout const& layout, std::string const& service) {
  auto const names = service_names();
  if (std::find(names.begin(), names.end(), service) == names.end())
    return Error{Code::invalid, fmt::format("there is no service '{}'; there are {}", service,
                                            text::join(names, ", "))};
  auto const supervisor = supervisor_of(layout);
  if (!supervisor) return supervisor.error();
  if (*supervisor) return ok();
  return Error{Code::unavailable,
               "nothing runs here whose key could be rotated; run `lepton up` first"};
}

}  // namespace

Result<int> rotate_key(Shell& shell, RotateOptions const& options) {
  auto const layout = find_layout(options.state, shell.context_path);
  if (!layout) return layout.error();
  if (auto good = check(*layout, options.service); !good) return good.error();
  auto const lock = lock_rotation(*layout);
  if (!lock) return lock.error();
  auto const settings = read_settings(*layout);
  if (!settings) return settings.error();
  if (!*settings) return Error{Code::unavailable, "`lepton up` is still starting; try again"};
  Rotation rotation({*layout, **settings, {}}, options.service, shell);
  if (auto done = rotation.run(options.prepare); !done) return done.error();
  if (options.prepare && rotation.is_prepared()) {
    shell.print(rotation.both_keys() + "\n");
    shell.next("lepton key rotate " + options.service);
    return 0;
  }
  shell.say(fmt::format("{} has a new key; the old one is refused", options.service));
  shell.next("lepton status");
  return 0;
}

}  // namespace lepton::cli
