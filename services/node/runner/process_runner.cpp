#include "services/node/runner/process_runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "common/base/time.hpp"
#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/launch_channel.hpp"
#include "services/node/runner/leftovers.hpp"
#include "services/node/runner/process_table.hpp"
#include "services/node/runner/record.hpp"
#include "services/node/runner/users.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t log_part_max = std::size_t{4} << 20;

std::vector<std::string> names_in(std::string const& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Status make_state_folders(std::string const& state_dir) {
  if (state_dir.empty() || state_dir[0] != '/')
    return Error{Code::invalid, "the node's state folder must be an absolute path"};
  std::error_code error;
  auto const created = std::filesystem::create_directories(state_dir, error);
  if (error) return file_error("create", state_dir, error.value());
  // The task's user passes through to its output folder, and reads nothing else.
  if (created && ::chmod(state_dir.c_str(), 0711) != 0)
    return file_error("set the mode of", state_dir, errno);
  for (auto const& [name, mode] : {std::pair{"", 0711u}, {"/attempts", 0711u}, {"/locks", 0700u}})
    if (auto made = make_folder(state_dir + name, mode); !made) return made;
  return ok();
}

// Starts the runner with nothing of this process but the socket. Its pid, or why not.
Result<pid_t> spawn_runner(std::vector<std::string> arguments, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int fd : {0, 1, 2})
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, socket, launch_fd);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = 0;
  auto const error = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return file_error("start the runner program", arguments[0], error);
  return pid;
}

// Only the first of the runner's processes is ours, and it leaves at once.
void reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

RunStatus not_started(RunSpec const& spec, EndReason reason, std::string what) {
  RunStatus status;
  status.attempt = spec.attempt;
  status.task = spec.task;
  status.state = RunState::failed_to_start;
  status.reason = reason;
  status.what = std::move(what);
  status.ended_wall_ms = SystemClock().wall_ms();
  return status;
}

Status as_error(RunStatus const& status) {
  if (status.state != RunState::failed_to_start) return ok();
  return Error{code_of(status.reason), status.what};
}

}  // namespace

Result<ProcessRunner> ProcessRunner::open(ProcessRunnerOptions options) {
  if (auto made = make_state_folders(options.state_dir); !made) return made.error();
  if (options.runner_program.empty()) options.runner_program = own_folder() + "/lepton-runner";
  if (::access(options.runner_program.c_str(), X_OK) != 0)
    return Error{Code::invalid,
                 fmt::format("the program {} is missing; install it beside the node's own program",
                             options.runner_program)};
  auto const attempts = options.state_dir + "/attempts";
  // Half made or half removed by an earlier life of the node.
  for (auto const& name : names_in(attempts))
    if (name.starts_with('.')) (void)remove_tree(attempts + "/" + name);
  return ProcessRunner(std::move(options));
}

std::string ProcessRunner::programs() const {
  return std::filesystem::path(options_.runner_program).parent_path().string();
}

Result<RunSpec> ProcessRunner::completed(RunSpec spec) const {
  if (!spec.image.empty() && options_.engine_socket.empty())
    return Error{Code::invalid, "this machine runs no containers; start Docker and then the node"};
  if (!spec.image.empty()) spec.engine_socket = options_.engine_socket;
  auto user = choose_user(spec.user, {options_.task_user, options_.allow_root_tasks}, ::geteuid());
  if (!user) return user.error();
  spec.user = *user;
  return spec;
}

Status ProcessRunner::start(RunSpec const& wanted, Secrets const& secrets) {
  if (auto good = validate(wanted, secrets); !good) return good;
  auto const spec = completed(wanted);
  if (!spec) return spec.error();
  if (auto claimed = claim(*spec); !claimed)
    return claimed.error().code == Code::conflict ? again(*spec) : claimed;
  auto launched = launch(*spec, secrets);
  if (launched) return launched;
  // Whatever was said, the status file decides: the first to write it wins.
  AttemptFiles const files(options_.state_dir, spec->attempt);
  (void)write_first_status(
      files, not_started(*spec, reason_of(launched.error().code), launched.error().what));
  auto const status = resolve(files);
  if (!status) return status.error();
  return status->state == RunState::failed_to_start ? launched : ok();
}

// The folder appears at once with its spec and its reserve, or not at all.
Status ProcessRunner::claim(RunSpec const& spec) {
  AttemptFiles const final_place(options_.state_dir, spec.attempt);
  if (::access(final_place.folder.c_str(), F_OK) == 0)
    return Error{Code::conflict, "the attempt exists"};
  AttemptFiles const files(options_.state_dir, ".new-" + spec.attempt);
  auto done = make_folder(files.folder, 0711);
  if (done) done = replace_file(files.spec, encode(spec));
  if (done) done = reserve_file(files.status_reserve, status_size_max);
  if (done && !spec.folder.empty() && ::rename(spec.folder.c_str(), files.work.c_str()) != 0)
    done = file_error("take the working folder", spec.folder, errno);
  if (done && ::rename(files.folder.c_str(), final_place.folder.c_str()) != 0)
    done = file_error("create", final_place.folder, errno);
  if (!done) (void)remove_tree(files.folder);
  return done;
}

Status ProcessRunner::again(RunSpec const& spec) {
  AttemptFiles const files(options_.state_dir, spec.attempt);
  auto const before = read_spec(files);
  if (!before || *before != spec)
    return Error{Code::conflict,
                 fmt::format("attempt {} exists with another spec; give the new one a new id",
                             spec.attempt)};
  auto const status = resolve(files);
  return status ? as_error(*status) : status.error();
}

Status ProcessRunner::launch(RunSpec const& spec, Secrets const& secrets) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return file_error("make a socket for", spec.attempt, errno);
  Fd mine(ends[0]), theirs(ends[1]);
  auto const pid =
      spawn_runner({options_.runner_program, options_.state_dir, spec.attempt, options_.mountinfo},
                   theirs.get());
  if (!pid) return pid.error();
  theirs.reset();
  auto report = send_secrets(mine.get(), secrets);
  if (auto received = receive_report(mine.get(), options_.start_timeout_ms); report || !received)
    report = received;
  // Where it hangs; else it has left, and its entry is still ours.
  if (!report && report.error().code == Code::internal) ::kill(*pid, SIGKILL);
  reap(*pid);
  return report;
}

Result<RunStatus> ProcessRunner::resolve(AttemptFiles const& files) {
  auto status = read_status(files);
  if (!status && status.error().code == Code::not_found) {
    auto const spec = read_spec(files);
    if (!spec) return spec.error();
    (void)write_first_status(files, not_started(*spec, EndReason::launch_lost,
                                                "the node stopped before the task was started"));
    status = read_status(files);
  }
  if (!status || terminal(status->state)) return status;
  auto lock = TaskLock::try_take(lock_path(options_.state_dir, status->task));
  if (!lock) return lock.error();
  if (!*lock) return status;  // its runner lives, or another one is ending what is left
  if (may_live_on(files, *status)) {
    lock->reset();
    adopt(*status);
    return status;
  }
  auto settled = settle_dead(files, **lock, programs(), options_.end_patience_ms);
  if (settled) (void)remove_tree(files.work);  // its runner would have
  if (settled || settled.error().code != Code::unavailable) return settled;
  status->state = RunState::ending;
  status->what = settled.error().what;
  return status;
}

// A container does not end with those who watch it, when all of them are killed at once.
bool ProcessRunner::may_live_on(AttemptFiles const& files, RunStatus const& status) const {
  auto const spec = read_spec(files);
  return spec && !spec->image.empty() && !options_.engine_socket.empty() &&
         status.state == RunState::running && status.boot_id == boot_id();
}

// What comes of it is in the status file in the end; the next look tries again where nothing does.
void ProcessRunner::adopt(RunStatus const& status) const {
  Fd const nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  auto const pid = spawn_runner(
      {options_.runner_program, options_.state_dir, status.attempt, options_.mountinfo, "adopt"},
      nowhere.get());
  if (pid) reap(*pid);
}

Result<AttemptFiles> ProcessRunner::known(std::string_view attempt) const {
  AttemptFiles files(options_.state_dir, attempt);
  if (!is_safe_name(attempt) || ::access(files.spec.c_str(), F_OK) != 0)
    return Error{Code::not_found, fmt::format("this node knows no attempt {}", attempt)};
  return files;
}

Status ProcessRunner::renew_lease(std::string_view attempt, std::int64_t deadline_boottime_ms) {
  auto const files = known(attempt);
  if (!files) return files.error();
  auto const status = read_status(*files);
  if (status && terminal(status->state))
    return Error{Code::conflict, fmt::format("attempt {} has ended", attempt)};
  Record record;
  record.put("deadline_boottime_ms", deadline_boottime_ms);
  return replace_file(files->lease, record.encode(), Durable::no);
}

Status ProcessRunner::request_stop(std::string_view attempt, std::string_view why) {
  auto const files = known(attempt);
  if (!files) return files.error();
  auto const status = resolve(*files);
  if (!status) return status.error();
  if (terminal(status->state)) return ok();
  Record record;
  record.put("why", why.substr(0, 256));
  if (auto written = replace_file(files->stop, record.encode()); !written) return written;
  // The signal only hurries: the runner looks at the file once a second anyway.
  if (auto const runner = read_process(status->runner_pid);
      runner && runner->start_ticks == status->runner_start_ticks)
    signal_exactly(*runner, SIGTERM);
  return ok();
}

// The new limits hold first and are noted then. They are set also where the note says that they
// hold: who set others may have died, or got no answer, before those were noted.
Status ProcessRunner::resize(std::string_view attempt, RunLimits const& limits) {
  auto const files = known(attempt);
  if (!files) return files.error();
  auto const spec = read_spec(*files);
  if (!spec) return spec.error();
  if (auto good = check_resize(*spec, limits); !good) return good;
  auto const status = resolve(*files);
  if (!status) return status.error();
  if (status->state != RunState::running)
    return Error{Code::conflict, fmt::format("attempt {} does not run", attempt)};
  if (auto done = apply(*files, *spec, *status, limits); !done) return done;
  return write_limits(*files, limits);
}

Status ProcessRunner::apply(AttemptFiles const& files, RunSpec const& spec, RunStatus const& status,
                            RunLimits const& limits) const {
  if (spec.image.empty()) return change_limits(status.groups, limits);
  return resize_container(programs(), files.state_dir, spec, limits);
}

Result<RunLimits> ProcessRunner::limits(std::string_view attempt) {
  auto const files = known(attempt);
  if (!files) return files.error();
  auto const spec = read_spec(*files);
  if (!spec) return spec.error();
  return read_limits(*files, *spec);
}

Result<RunStatus> ProcessRunner::poll(std::string_view attempt) {
  auto const files = known(attempt);
  if (!files) return files.error();
  return resolve(*files);
}

std::vector<RunStatus> ProcessRunner::scan() {
  std::vector<RunStatus> all;
  for (auto const& name : names_in(options_.state_dir + "/attempts")) {
    if (!is_safe_name(name)) continue;
    auto status = poll(name);
    if (!status) {
      RunStatus unreadable;
      unreadable.attempt = name;
      unreadable.what = status.error().what;
      all.push_back(std::move(unreadable));
    } else {
      all.push_back(std::move(*status));
    }
  }
  return all;
}

Result<LogPart> ProcessRunner::read_log(std::string_view attempt, std::int64_t offset,
                                        std::size_t max) {
  auto const files = known(attempt);
  if (!files) return files.error();
  if (offset < 0) return Error{Code::invalid, "the log has no negative offset"};
  Fd file(::open(files->log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return LogPart{"", 0, true};
  if (!file) return file_error("read", files->log, errno);
  LogPart part;
  part.text.resize(std::min(max, log_part_max));
  auto const n = ::pread(file.get(), part.text.data(), part.text.size(), offset);
  if (n < 0) return file_error("read", files->log, errno);
  part.text.resize(static_cast<std::size_t>(n));
  part.next_offset = offset + n;
  struct stat info {};
  part.at_end = ::fstat(file.get(), &info) == 0 && part.next_offset >= info.st_size;
  return part;
}

Status ProcessRunner::remove(std::string_view attempt) {
  auto const files = known(attempt);
  if (!files) return files.error();
  auto const status = resolve(*files);
  if (!status) return status.error();
  if (!terminal(status->state))
    return Error{Code::conflict, fmt::format("attempt {} still runs; stop it first", attempt)};
  // One that was made as its watcher died, and never started.
  if (auto const spec = read_spec(*files))
    if (auto gone = end_container(programs(), options_.state_dir, *spec); !gone) return gone;
  AttemptFiles const gone(options_.state_dir, fmt::format(".gone-{}", attempt));
  (void)remove_tree(gone.folder);
  if (::rename(files->folder.c_str(), gone.folder.c_str()) != 0)
    return file_error("remove", files->folder, errno);
  auto const path = lock_path(options_.state_dir, status->task);
  auto lock = TaskLock::try_take(path);
  if (lock && *lock && TaskLock::holder(path).empty()) (void)(*lock)->unlink();
  return remove_tree(gone.folder);
}

std::string ProcessRunner::output_dir(std::string_view attempt) const {
  return AttemptFiles(options_.state_dir, attempt).out;
}

}  // namespace lepton::node
