#pragma once
// A temporary state folder for tests, which other users (PostgreSQL's) may pass through, and the
// programs that a test runs on it. One thread.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/up/plan.hpp"
#include "common/bus/client.hpp"

namespace lepton::cli {

class Place {
 public:
  Place();
  ~Place();
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;

  std::filesystem::path const& root() const { return root_; }
  // `name` is a state folder in it.
  Layout layout(std::string const& name = "state") const;

 private:
  std::filesystem::path root_;
};

struct Outcome {
  int status = -1;
  std::string output;
};

// `lepton ARGUMENTS` on a state folder, to its end.
Outcome run_lepton(Layout const& layout, std::vector<std::string> arguments);

// Nine ports in a row that are free now.
std::int64_t free_port_base();

// The plan of a state folder that has been up.
StackPlan plan_of(Layout const& layout);

// Asks until the service says it is ready, at most limit_ms.
bool becomes_ready(StackPlan const& plan, std::string const& service, TimeMs limit_ms = 30'000);

}  // namespace lepton::cli
