#pragma once
// Commands beside tasks in the simulated world (`lepton exec`). What each of them prints and is
// given is known beforehand, byte by byte, so that what is lost, doubled or out of order shows at
// once; and so does one that begins twice, or that nobody ends. Owned by Suite; one thread.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/sim/world.hpp"
#include "services/node/exec/executor.hpp"
#include "services/node/runner/fake_runner.hpp"

namespace lepton::sim {

// "echo": gives back what it is given, until that ends; "count N": prints N bytes; "wait": nothing.
struct CommandKind {
  std::vector<std::string> words;

  bool reads() const { return words[0] == "echo"; }
  std::int64_t prints() const { return words[0] == "count" ? std::stoll(words[1]) : 0; }
  std::int32_t exit_code() const { return words[0] == "count" ? 3 : 0; }
};

// The bytes from `offset` on of everything that is printed or given.
std::string command_text(std::int64_t offset, std::int64_t bytes);

class Commands {
 public:
  explicit Commands(World& world) : world_(world) {}

  // For one life of a node: its commands end with it.
  std::shared_ptr<node::Executor> on(std::shared_ptr<node::FakeRunner> runner);
  bool any_runs() const { return !running_.empty(); }
  // Somebody was told that it has ended before it began.
  void told_as_never_begun(std::string const& exec);

 private:
  class Played;

  World& world_;
  std::set<std::string> begun_;  // ever, anywhere
  std::set<std::string> running_;
  std::set<std::string> never_;
};

}  // namespace lepton::sim
