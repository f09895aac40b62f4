#include "cli/jobs/follow.hpp"

#include <chrono>
#include <optional>
#include <thread>

#include "cli/connect.hpp"
#include "cli/jobs/job_views.hpp"

namespace lepton::cli {
namespace {

constexpr std::int64_t wait_ms = 10'000;         // of one question for news
constexpr TimeMs contact_lost_max_ms = 120'000;  // then following gives up
constexpr auto poll_pause = std::chrono::milliseconds(300);

// Asks again while a service is away for a while, as after a restart.
class Patience {
 public:
  explicit Patience(Shell& shell) : shell_(shell) {}

  template <class M>
  Result<typename M::Reply> ask(bus::Client& client, M const& message, TimeMs timeout_ms) {
    for (auto const since = clock_.now_ms();;) {
      auto reply = client.call(message, timeout_ms);
      if (reply || !is_passing(reply.error().code) || clock_.now_ms() - since > contact_lost_max_ms)
        return reply;
      shell_.say("no answer yet (" + reply.error().what + "); asking again");
      std::this_thread::sleep_for(poll_pause);
    }
  }

 private:
  Shell& shell_;
  SystemClock clock_;
};

}  // namespace

Result<int> print_logs(Shell& shell, LogOptions const& o) {
  if (o.task < 0 || o.offset < 0) return Error{Code::invalid, "--task and --offset count from 0"};
  auto client = connect(shell, Service::deployer);
  if (!client) return client.error();
  Patience patience(shell);
  JobLogs wish{JobId{o.job}, static_cast<std::uint32_t>(o.task), o.offset, 262'144,
               o.follow ? wait_ms : 0};
  std::string note;
  for (bool first = true;; first = false) {
    auto const timeout = shell.timeout_ms() + wish.wait_ms + 5'000;
    auto const chunk =
        first && !o.follow ? client->call(wish, timeout) : patience.ask(*client, wish, timeout);
    if (!chunk) return chunk.error();
    shell.print(chunk->text.data);
    auto const moved = chunk->next > wish.offset;
    wish.offset = std::max(wish.offset, chunk->next);
    if (!chunk->note.empty() && chunk->note != note) shell.say(note = chunk->note);
    if (chunk->ended) break;
    if (!o.follow && !moved) break;
    // A note is answered at once, however long the question may wait.
    if (!moved) std::this_thread::sleep_for(poll_pause);
  }
  shell.next("lepton job show " + o.job);
  return 0;
}

namespace {

// Until `over` has an answer; `words` are said whenever they change.
template <class Words, class Over>
Result<int> watch(Shell& shell, JobId const& job, Words const& words, Over const& over) {
  auto client = connect(shell, Service::deployer);
  if (!client) return client.error();
  Patience patience(shell);
  std::string said;
  for (;;) {
    auto const view = patience.ask(*client, JobShow{job}, shell.timeout_ms());
    if (!view) return view.error();
    if (auto now = words(*view); now != said && !now.empty()) shell.say(said = now);
    if (std::optional<Result<int>> end = over(*view)) return *end;
    std::this_thread::sleep_for(poll_pause);
  }
}

std::optional<Result<int>> end_of(JobView const& view) {
  if (!is_final(view.state)) return std::nullopt;
  return view.state == JobState::succeeded ? 0 : 1;
}

}  // namespace

Result<int> wait_for_end(Shell& shell, JobId const& job) {
  return watch(shell, job, ending_words, end_of);
}

Result<int> wait_for_size(Shell& shell, JobId const& job, TaskSize const& size) {
  auto const over = [&](JobView const& view) -> std::optional<Result<int>> {
    auto const& now = view.spec.resources;
    if (!view.resizing.empty()) return std::nullopt;
    if (size_of(now) == size) return 0;
    return Error{Code::conflict, view.why.empty() ? "the job has another size" : view.why};
  };
  return watch(
      shell, job, [](JobView const& view) { return view.resizing; }, over);
}

}  // namespace lepton::cli
