// Somebody fetches what ended tasks have left (`lepton job fetch`), and reads what tasks print
// (`lepton logs`): whatever is shown is exactly what that attempt left, and that task printed.

#include "schemas/outputs.hpp"
#include "services/deployer/core/lifecycle.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

constexpr TimeMs fetch_ms = 20'000;

}  // namespace

std::string log_of(std::string const& task) {
  std::string text;
  for (int line = 0; line < 20; ++line) text += task + " says " + std::to_string(line) + "\n";
  return text;
}

void Suite::read_job_log() {
  if (submitted_.empty()) return;
  auto const job = submitted_[chance_.below(submitted_.size())];
  auto const whole = log_of(deployer::task_id(job, 0).value);
  JobLogs message{.job = job};
  message.offset = static_cast<std::int64_t>(chance_.below(whole.size()));
  message.limit = static_cast<std::uint32_t>(1 + chance_.below(whole.size()));
  auto const wanted = whole.substr(static_cast<std::size_t>(message.offset), message.limit);
  ask(*admin_, "deployer", message, {.deadline_ms = fetch_ms},
      [this, job, wanted](Result<LogChunk> const& got) {
        if (!got || got->text.data.empty()) return;
        if (got->text.data != wanted) world_.fail("the log of " + job.value + " is another one");
        ++log_parts_read_;
      });
}

void Suite::fetch_something() {
  if (submitted_.empty()) return;
  for (auto const& [name, runner] : runners_)
    for (auto const& status : runner->scan()) outputs_.leave(name, status);
  auto const job = submitted_[chance_.below(submitted_.size())];
  ask(*admin_, "deployer", JobOutputs{job, 0, ""}, {.deadline_ms = fetch_ms},
      [this, job](Result<OutputPage> const& got) {
        if (!got) return;
        if (got->attempt.value.find(job.value + "-0-") != 0)
          world_.fail("outputs of " + got->attempt.value + " are shown for " + job.value);
        if (auto const what = LeftOutputs::difference(*got); !what.empty()) world_.fail(what);
        read_output(job, *got);
      });
}

// A part of one of the files; it may begin behind its end.
void Suite::read_output(JobId const& job, OutputPage const& page) {
  auto const files = LeftOutputs::of(page.attempt.value);
  auto const file =
      *std::next(files.begin(), static_cast<std::ptrdiff_t>(chance_.below(files.size())));
  auto const& path = file.first;
  auto const from = chance_.below(file.second.size() + 10);
  auto const limit = static_cast<std::uint32_t>(1 + chance_.below(300));
  auto const wanted = from < file.second.size() ? file.second.substr(from, limit) : "";
  JobOutputRead const message{job, 0, page.attempt, path, static_cast<std::int64_t>(from), limit};
  ask(*admin_, "deployer", message, {.deadline_ms = fetch_ms},
      [this, path, wanted](Result<OutputChunk> const& got) {
        if (!got) return;
        if (got->data.data != wanted) world_.fail(path + " is read as something else");
        ++outputs_read_;
      });
}

}  // namespace lepton::sim
