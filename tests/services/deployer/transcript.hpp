#pragma once
// What happens to jobs, minute by minute, in words: a line whenever one is otherwise than before,
// with the reason where it waits. For tests that a newcomer can read as a story.

#include <map>
#include <string>

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {

class Transcript {
 public:
  void look_at(TimeMs now, Deployer const& deployer) {
    for (auto const& [id, job] : deployer.jobs()) {
      auto const waits = job.run.state == JobState::queued;
      look(now, id.value,
           waits ? "waits: " + deployer.why_now(job) : std::string(schema::name_of(job.run.state)));
    }
  }
  std::string const& text() const { return text_; }

 private:
  static constexpr TimeMs minute = 60'000, hour = 60 * minute;

  void look(TimeMs now, std::string const& job, std::string const& what) {
    if (std::exchange(last_[job], what) == what) return;
    text_ += std::to_string(now / hour) + ":" + (now / minute % 60 < 10 ? "0" : "") +
             std::to_string(now / minute % 60) + " " + job + " " + what + "\n";
  }

  std::map<std::string, std::string> last_;
  std::string text_;
};

}  // namespace lepton::deployer::testing
