#include "services/node/runner/docker/container_run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "schemas/registry.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/docker/image_pull.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t wait_part_ms = 3'600'000;  // of one call that waits for the end
constexpr std::int64_t engine_away_ms = 120'000;  // a restart of the engine is survived
constexpr std::int64_t term_limit_ms = 5'000;
constexpr int pause_ms = 500;
constexpr int begin_turn_ms = 50;  // until the container has read its environment

Fd watch_term() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

void say(std::string const& line) {
  (void)write_all(1, line + "\n", "the log");
}

// What is for the registry alone: the container does not get it.
Secret<> take_credentials(std::vector<std::string>& lines) {
  auto const start = std::string(registry_secret) + "=";
  auto const found = std::find_if(lines.begin(), lines.end(),
                                  [&](auto const& line) { return line.starts_with(start); });
  if (found == lines.end()) return {};
  Secret<> credentials(found->substr(start.size()));
  wipe(found->data(), found->size());
  lines.erase(found);
  return credentials;
}

}  // namespace

int ContainerRun::run(std::vector<std::string>& lines, std::string const& init) {
  signals_ = watch_term();
  auto const begun = begin(lines, init);
  for (auto& line : lines) wipe(line.data(), line.size());
  if (!begun) return tell(begun.error());
  return to_its_end();
}

int ContainerRun::run_on() {
  signals_ = watch_term();
  auto pipes = ContainerPipes::found(files_.folder + "/box");
  if (!pipes) return tell(pipes.error());
  pipes_ = std::move(*pipes);
  return to_its_end();
}

int ContainerRun::to_its_end() {
  auto const state = watch();
  relay();
  auto const code = tell(state);
  (void)docker_.remove(path_ + "?force=true&v=true");  // the runner makes sure of it again
  return code;
}

Status ContainerRun::begin(std::vector<std::string>& lines, std::string const& init) {
  auto const credentials = take_credentials(lines);
  auto const image = ImagePull(docker_, files_.state_dir).have(spec_.image, credentials);
  if (!image) return image.error();
  auto place = prepare(lines, init);
  if (!place) return place.error();
  place->image = *image;
  auto const made = docker_.post("/containers/create?name=" + container_name(spec_.attempt),
                                 create_body(spec_, *place));
  if (!made) return made.error();
  auto const started = docker_.post(path_ + "/start");
  return started ? ok() : Status(started.error());
}

Result<ContainerPlace> ContainerRun::prepare(std::vector<std::string>& lines,
                                             std::string const& init) {
  auto const user = find_user(spec_.user);
  auto const uid = user ? user->uid : ::geteuid();
  auto const gid = user ? user->gid : ::getegid();
  auto pipes = ContainerPipes::make(files_.folder + "/box", uid, gid);
  if (!pipes) return pipes.error();
  pipes_ = std::move(*pipes);
  auto frame = environment_frame(lines, secrets_);
  auto const filled = pipes_.fill(frame);
  wipe(frame.data(), frame.size());
  if (!filled) return filled.error();
  return ContainerPlace{pipes_.folder,
                        init,
                        files_.out,
                        spec_.folder.empty() ? "" : files_.work,
                        fmt::format("{}:{}", uid, gid),
                        !secrets_.empty()};
}

// A second thread waits for the end, however often the engine's answer has to be asked for again.
Result<ContainerState> ContainerRun::watch() {
  Fd const over(::eventfd(0, EFD_CLOEXEC));
  Result<ContainerState> state = Error{Code::internal, "not known yet"};
  std::thread waiting([this, &state, fd = over.get()] {
    state = ended();
    (void)::eventfd_write(fd, 1);
  });
  for (bool is_over = false, term_due = false; !is_over;) {
    pollfd sources[] = {
        {over.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {pipes_.log.get(), POLLIN, 0}};
    ::poll(sources, 3, term_due ? pause_ms : pipes_.is_read() ? -1 : begin_turn_ms);
    if (sources[2].revents != 0) relay();
    signalfd_siginfo info{};
    term_due |= ::read(signals_.get(), &info, sizeof info) == sizeof info;
    is_over = sources[0].revents != 0;
    if (term_due && !is_over) term_due = !pass_on_term();
  }
  waiting.join();
  return state;
}

// Not while the engine is away: then it is told again.
bool ContainerRun::pass_on_term() const {
  auto const told = docker_.post(path_ + "/kill?signal=SIGTERM", "", term_limit_ms);
  return told || told.error().code == Code::not_found || told.error().code == Code::conflict;
}

// Blocks while the runner does not take more: then the container's prints wait, too.
void ContainerRun::relay() {
  char part[64 << 10];
  for (;;) {
    auto const n = ::read(pipes_.log.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    if (!write_all(1, {part, static_cast<std::size_t>(n)}, "the log")) return;
  }
}

// Not before the engine has said so; an engine that is restarted is waited for.
Result<ContainerState> ContainerRun::ended() const {
  SystemClock const clock;
  for (auto until = clock.now_ms() + engine_away_ms;;) {
    auto const body = docker_.get(path_ + "/json");
    auto const state = body ? container_state(*body) : Result<ContainerState>(body.error());
    if (state && !state->running) return state;
    if (!state && (state.error().code != Code::unavailable || clock.now_ms() >= until))
      return state;
    auto const waited =
        state && docker_.post(path_ + "/wait?condition=not-running", "", wait_part_ms);
    if (state) until = clock.now_ms() + engine_away_ms;
    if (!waited) ::poll(nullptr, 0, pause_ms);
  }
}

int ContainerRun::tell(Result<ContainerState> const& state) {
  ContainerEnd end;
  if (state) {
    end.exit_code = state->exit_code;
    end.oom_killed = state->oom_killed;
  } else {
    end.error = state.error().what;
    say("lepton: " + end.error);
  }
  (void)write_container_end(files_, end);
  return state ? state->exit_code : 125;
}

}  // namespace lepton::node
