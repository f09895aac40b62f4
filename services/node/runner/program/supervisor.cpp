#include "services/node/runner/program/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/environment.hpp"
#include "services/node/runner/launch_channel.hpp"
#include "services/node/runner/process_table.hpp"
#include "services/node/runner/program/reap.hpp"
#include "services/node/runner/record.hpp"
#include "services/node/runner/runner.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t secrets_timeout_ms = 10'000;
constexpr std::int64_t end_patience_ms = 600'000;
constexpr std::size_t drain_bytes = 1 << 20;  // per turn, so that limits stay watched
constexpr int turn_ms = 1'000;                // a stop file without its signal is seen by then
constexpr int kill_turn_ms = 20;
constexpr int final_write_tries = 60;

Fd watch_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, signal);
  return Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<User> user_to_become(RunSpec const& spec) {
  return ::geteuid() == 0 ? find_user(spec.user) : std::nullopt;
}

std::string home_of(std::optional<User> const& user, std::string const& fallback) {
  if (!user) return fallback;
  auto const own = user->home != "/" && ::access(user->home.c_str(), X_OK) == 0;
  return own ? user->home : fallback;
}

}  // namespace

bool Supervisor::listen() {
  signals_ = watch_signals();
  auto const me = read_process(::getpid());
  status_.runner_pid = ::getpid();
  status_.runner_start_ticks = me ? me->start_ticks : 0;
  return static_cast<bool>(signals_);
}

int Supervisor::run_on(Container found) {
  auto log = LogSink::open(files_.log, spec_.log_bytes_max);
  if (!listen() || !log) return 1;
  log_ = std::move(*log);
  log_->say("[lepton: what watched the container was killed; some output may be missing]\n");
  auto watcher = launch_task({watch_command(own_folder(), files_.state_dir, spec_),
                              std::nullopt,
                              status_.groups,
                              "/",
                              {}});
  if (!watcher) return 1;
  if (found == Container::ended) spec_.autonomous = true, spec_.max_duration_ms = 0;
  take(std::move(*watcher));
  // On a full disk the first runner's word stays; what counts is watched.
  (void)replace_file(files_.status, encode(status_));
  watch();
  return finish();
}

int Supervisor::run(Fd socket) {
  if (auto begun = begin(socket.get()); !begun) return refuse(socket.get(), begun.error());
  (void)send_report(socket.get(), ok());
  socket.reset();
  watch();
  return finish();
}

// By now the task may run elsewhere.
bool Supervisor::is_too_late() const {
  return !spec_.autonomous && spec_.lease_until_ms > 0 && clock_.now_ms() >= spec_.lease_until_ms;
}

Status Supervisor::begin(int socket) {
  if (!listen()) return file_error("watch", "signals", errno);
  auto launched = launch(socket);
  if (!launched) return launched.error();
  status_.started_wall_ms = clock_.wall_ms();
  status_.started_ms = clock_.now_ms();
  take(std::move(*launched));
  return replace_file(files_.status, encode(status_));
}

void Supervisor::take(Launched task) {
  task_ = std::move(task);
  auto const began = status_.started_ms;
  lease_until_ms_ = spec_.lease_until_ms > 0 ? spec_.lease_until_ms : began + spec_.lease_ms;
  time_limit_at_ms_ = spec_.max_duration_ms > 0 ? began + spec_.max_duration_ms : 0;
  status_.state = RunState::running;
  status_.pid = task_.pid;
  // The task may be over by now, but nobody has reaped it: the entry is there.
  auto const process = read_process(task_.pid);
  status_.pid_start_ticks = process ? process->start_ticks : 0;
  // Without it the task runs as well, and commands beside it are refused.
  if (auto door = ExecDoor::open(files_.folder)) exec_door_ = std::move(*door);
}

Result<Launched> Supervisor::launch(int socket) {
  if (::access(files_.stop.c_str(), F_OK) == 0)
    return Error{Code::conflict, "the attempt was stopped before it started"};
  auto const secrets = receive_secrets(socket, secrets_timeout_ms);
  if (!secrets) return secrets.error();
  if (is_too_late())
    return Error{Code::timeout, "the lease ran out before the attempt could start"};
  auto user = user_to_become(spec_);
  if (::geteuid() == 0 && !user)
    return Error{Code::invalid, fmt::format("this machine has no user {} any more", spec_.user)};
  if (auto ready = prepare_place(user); !ready) return ready.error();
  auto plan = spec_.image.empty() ? process_plan(*secrets, user) : container_plan(*secrets);
  auto launched = launch_task(plan);
  for (auto& line : plan.environment) wipe(line.data(), line.size());
  return launched;
}

std::string Supervisor::working_dir() const {
  if (!spec_.working_dir.empty()) return spec_.working_dir;
  return spec_.folder.empty() ? files_.out : files_.work;
}

LaunchPlan Supervisor::process_plan(Secrets const& secrets, std::optional<User> const& user) const {
  return {
      spec_.command, user, status_.groups, working_dir(),
      task_environment(spec_, secrets,
                       {user ? user->name : spec_.user, home_of(user, files_.out), files_.out})};
}

// Who watches a container needs the rights to talk to the engine; the task in it is the user's.
LaunchPlan Supervisor::container_plan(Secrets const& secrets) const {
  return {container_command(own_folder(), files_.state_dir, spec_, secrets), std::nullopt,
          status_.groups, "/", container_environment(spec_, secrets, container_out)};
}

// With the rights, limits, folder and environment of the task, and never longer than it.
Result<pid_t> Supervisor::launch_beside(ExecCall const& call) const {
  if (kill_at_ms_ > 0) return Error{Code::conflict, "the task is being stopped"};
  LaunchPlan plan;
  plan.groups = status_.groups;
  plan.streams = {call.streams[0].get(), call.streams[1].get(), call.streams[2].get()};
  if (spec_.image.empty()) {
    plan.command = call.command;
    plan.switch_to = user_to_become(spec_);
    plan.working_dir = working_dir();
    plan.beside = task_.pid;
  } else {
    plan.command = {own_folder() + "/lepton-container", "exec", files_.state_dir, spec_.attempt};
    plan.command.insert(plan.command.end(), call.command.begin(), call.command.end());
    plan.working_dir = "/";
  }
  auto const launched = launch_task(plan);
  if (!launched) return launched.error();
  return launched->pid;
}

Status Supervisor::prepare_place(std::optional<User> const& user) {
  auto log = LogSink::open(files_.log, spec_.log_bytes_max);
  if (!log) return log.error();
  log_ = std::move(*log);
  if (auto made = make_folder(files_.out, 0700); !made) return made;
  if (user && ::chown(files_.out.c_str(), user->uid, user->gid) != 0)
    return file_error("give to the task's user", files_.out, errno);
  if (spec_.folder.empty() || !user) return ok();
  return give_tree(files_.work, user->uid, user->gid);
}

// Nothing runs and nothing will: said in the status and to the node.
int Supervisor::refuse(int socket, Error const& error) {
  (void)kill_groups(status_.groups);
  if (!end_descendants(end_patience_ms) || !end_box()) return 1;
  remove_groups(status_.groups);
  (void)remove_tree(files_.work);
  status_.state = RunState::failed_to_start;
  status_.reason = ::access(files_.stop.c_str(), F_OK) == 0 ? EndReason::stopped
                   : is_too_late()                          ? EndReason::lease_expired
                                                            : reason_of(error.code);
  status_.what = error.what;
  status_.ended_wall_ms = clock_.wall_ms();
  auto const written = write_final();
  (void)send_report(socket, error);
  return written ? 0 : 1;
}

void Supervisor::watch() {
  while (!wait_status_) {
    wait_for_something();
    reap();
    if (!wait_status_) check_limits();
  }
}

void Supervisor::wait_for_something() {
  auto const now = clock_.now_ms();
  std::int64_t wait_ms = turn_ms;
  auto const until = [&](TimeMs at) { wait_ms = std::clamp<std::int64_t>(at - now, 0, wait_ms); };
  if (kill_at_ms_ > 0) {
    if (now < kill_at_ms_) until(kill_at_ms_);
    wait_ms = now < kill_at_ms_ ? wait_ms : kill_turn_ms;
  } else {
    if (!spec_.autonomous) until(lease_until_ms_);
    if (time_limit_at_ms_ > 0) until(time_limit_at_ms_);
  }
  pollfd sources[] = {{signals_.get(), POLLIN, 0},
                      {output_open_ ? task_.output.get() : -1, POLLIN, 0},
                      {exec_door_ ? exec_door_->descriptor() : -1, POLLIN, 0}};
  ::poll(sources, 3, static_cast<int>(wait_ms));
  if (sources[2].revents != 0)
    exec_door_->answer([this](ExecCall const& call) { return launch_beside(call); });
  if (sources[1].revents != 0) output_open_ = log_->drain(task_.output.get(), drain_bytes);
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    if (info.ssi_signo != SIGCHLD) asked_to_stop_ = true;
}

void Supervisor::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == task_.pid)
      wait_status_ = status;
    else if (exec_door_)
      exec_door_->reaped(pid, status);
}

void Supervisor::check_limits() {
  auto const now = clock_.now_ms();
  if (kill_at_ms_ > 0) {
    if (now >= kill_at_ms_) kill_descendants();
    return;
  }
  if (asked_to_stop_ || ::access(files_.stop.c_str(), F_OK) == 0) {
    auto const text = read_file(files_.stop, Record::size_max);
    auto const record = text ? Record::decode(*text) : Record();
    end_task(EndReason::stopped,
             record && text ? record->text("why") : "the runner was told to end");
  } else if (time_limit_at_ms_ > 0 && now >= time_limit_at_ms_) {
    end_task(EndReason::time_limit,
             fmt::format("it ran for its limit of {} ms", spec_.max_duration_ms));
  } else if (!spec_.autonomous && now >= lease_until_ms_) {
    read_lease();
    if (now >= lease_until_ms_)
      end_task(EndReason::lease_expired, "the control plane did not renew the lease in time");
  }
}

// Only when it matters: a file that changes costs nothing until then.
void Supervisor::read_lease() {
  auto const text = read_file(files_.lease, Record::size_max);
  auto const record = text ? Record::decode(*text) : Record();
  if (record && text)
    lease_until_ms_ = std::max(lease_until_ms_, record->number("deadline_boottime_ms", 0));
}

// The grace counts from the end of the lease at the latest: after that the work may be elsewhere.
void Supervisor::end_task(EndReason reason, std::string what) {
  status_.reason = reason;
  status_.what = std::move(what);
  read_lease();
  auto const from = spec_.autonomous ? clock_.now_ms() : std::min(clock_.now_ms(), lease_until_ms_);
  kill_at_ms_ = std::max<TimeMs>(1, from + spec_.stop_grace_ms);
  ::kill(-task_.pid, SIGTERM);  // the task leads its process group and is not reaped yet
}

int Supervisor::finish() {
  if (exec_door_) exec_door_->close();
  // The task ended; what it left behind ends now, and only then the attempt has ended.
  (void)kill_groups(status_.groups);
  if (!end_descendants(end_patience_ms) || !end_box()) return 1;
  while (output_open_) {
    auto const before = log_->kept_bytes() + log_->dropped_bytes();
    output_open_ = log_->drain(task_.output.get(), drain_bytes);
    if (log_->kept_bytes() + log_->dropped_bytes() == before) break;
  }
  explain_end();
  remove_groups(status_.groups);
  (void)remove_tree(files_.work);  // what is worth keeping is in the output folder
  return write_final() ? 0 : 1;
}

// An engine that does not answer is asked again: only its word ends the attempt.
bool Supervisor::end_box() {
  for (auto const until = clock_.now_ms() + end_patience_ms;;) {
    if (end_container(own_folder(), files_.state_dir, spec_)) return true;
    if (clock_.now_ms() >= until) return false;
    ::poll(nullptr, 0, turn_ms);
  }
}

void Supervisor::explain_end() {
  explain_wait_status(*wait_status_);
  auto const end = spec_.image.empty() ? Result<ContainerEnd>(Error{Code::not_found, ""})
                                       : read_container_end(files_);
  if (end) explain_container(*end);
  explain_reason();
}

// The exit code of the first process in the container, which says a signal as shells do.
void Supervisor::explain_container(ContainerEnd const& end) {
  constexpr int signal_base = 128, signal_max = 64;
  status_.exit_code = end.exit_code;
  status_.signal = 0;
  if (end.exit_code > signal_base && end.exit_code <= signal_base + signal_max) {
    status_.signal = end.exit_code - signal_base;
    status_.exit_code = -1;
  }
  if (end.oom_killed && status_.oom_kills == 0) status_.oom_kills = 1;
  if (end.error.empty() || status_.reason != EndReason::unknown) return;
  status_.reason = EndReason::start_failed;
  status_.what = end.error;
}

void Supervisor::explain_wait_status(int status) {
  status_.state = RunState::exited;
  status_.ended_wall_ms = clock_.wall_ms();
  status_.log_bytes = log_->kept_bytes();
  status_.log_dropped_bytes = log_->dropped_bytes();
  status_.oom_kills = oom_kills(status_.groups);
  if (WIFEXITED(status)) status_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) status_.signal = WTERMSIG(status);
}

void Supervisor::explain_reason() {
  if (status_.reason != EndReason::unknown) return;  // we ended it
  if (status_.oom_kills > 0 && status_.exit_code != 0) {
    status_.reason = EndReason::oom;
    status_.what = fmt::format("out of memory at its limit of {} MiB; ask for more memory_mib",
                               read_limits(files_, spec_).memory_mib);
  } else if (status_.signal != 0) {
    status_.reason = EndReason::killed;
    status_.what = fmt::format("ended by signal {}", status_.signal);
  } else {
    status_.reason = EndReason::exited;
  }
}

bool Supervisor::write_final() {
  for (int i = 0; i < final_write_tries; ++i) {
    // The lock's name goes first: who sees the final status may start the next attempt at once.
    if (lock_.set_holder("") && write_last_status(files_, status_)) return true;
    if (::access(files_.folder.c_str(), F_OK) != 0) return true;  // nobody is left to tell
    ::poll(nullptr, 0, turn_ms);                                  // a full disk may get room
  }
  return false;
}

}  // namespace lepton::node
