#pragma once
// Keeper: keeps one program running. It is started again after a growing pause; more than 5 ends
// within 60 s and it gives up with a sentence that names the log (the restart intensity of OTP's
// supervisors). One thread; times in ms.

#include <optional>

#include "cli/up/program.hpp"
#include "common/actor/intensity.hpp"

namespace lepton::cli {

inline constexpr std::size_t restarts_max = 5;
inline constexpr TimeMs restarts_period_ms = 60'000;
inline constexpr TimeMs pause_first_ms = 200;
inline constexpr TimeMs pause_max_ms = 5'000;

// Before the n-th start in a row, n from 1.
TimeMs pause_before(std::size_t restart);

class Keeper {
 public:
  enum class Change : std::uint8_t { none, ended, started };

  explicit Keeper(ProgramSpec spec) : spec_(std::move(spec)) {}

  ProgramSpec const& spec() const { return spec_; }
  Status start(TimeMs now);
  // What has become of it, and what is due; an error: it gives up.
  Result<Change> step(TimeMs now);
  bool runs() const { return program_.has_value(); }
  int last_status() const { return last_status_; }
  // Its last words, for people.
  Error report(std::string const& what) const;
  Status stop(TimeMs limit_ms);

 private:
  ProgramSpec spec_;
  std::optional<Program> program_;
  actor::Intensity intensity_{restarts_max, restarts_period_ms};
  std::size_t in_a_row_ = 0;
  TimeMs started_at_ = 0;
  TimeMs due_at_ = 0;
  int last_status_ = 0;
};

}  // namespace lepton::cli
