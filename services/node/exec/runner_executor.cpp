#include "services/node/exec/runner_executor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "common/base/time.hpp"
#include "schemas/exec_pieces.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/exec_channel.hpp"

namespace lepton::node {
namespace {

constexpr TimeMs end_patience_ms = 20'000;   // from the hang-up to the end of a command
constexpr TimeMs drain_patience_ms = 2'000;  // from the end of a command to that of its output
constexpr std::size_t part_max = 64 << 10, last_words_max = 64 << 10;
constexpr TimeMs begin_patience_ms = 10'000;  // from the call to the word that it runs
constexpr int turn_ms = 200;

struct Pipes {
  Fd input, output, errors;
  ExecCall call;
};

Result<Pipes> make_pipes(std::vector<std::string> command) {
  Pipes p;
  p.call.command = std::move(command);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return file_error("make", "a pipe", errno);
  p.call.streams[0] = Fd(ends[0]);
  p.input = Fd(ends[1]);
  ::fcntl(p.input.get(), F_SETFL, O_NONBLOCK);
  for (std::size_t i = 1; i < p.call.streams.size(); ++i) {
    if (::pipe2(ends, O_CLOEXEC) != 0) return file_error("make", "a pipe", errno);
    (i == 1 ? p.output : p.errors) = Fd(ends[0]);
    p.call.streams[i] = Fd(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  return p;
}

}  // namespace

class RunnerExecutor::Run {
 public:
  Run(std::string const& state_dir, ExecTask const& task)
      : attempt_folder_(AttemptFiles(state_dir, task.attempt).folder),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this, command = task.command] { serve(command); }) {}
  ~Run() {
    stop("the node is ending");
    thread_.join();
  }

  std::size_t room() {
    std::lock_guard const lock(mutex_);
    return buffer_max - std::min(buffer_max, input_.size());
  }
  void give(std::string_view input, bool ended) {
    {
      std::lock_guard const lock(mutex_);
      input_ += input;
      input_ended_ = input_ended_ || ended;
    }
    wake();
  }
  ExecNews fetch(std::size_t bytes_max) {
    ExecNews news;
    {
      std::lock_guard const lock(mutex_);
      news.output = take_bytes(output_, static_cast<std::int64_t>(bytes_max));
      output_bytes_ -= static_cast<std::size_t>(bytes_of(news.output));
      if (output_.empty()) news.end = end_;
    }
    wake();
    return news;
  }
  void stop(std::string const& why) {
    {
      std::lock_guard const lock(mutex_);
      if (stopped_.empty()) stopped_ = why.empty() ? "it was ended" : why;
    }
    wake();
  }
  bool is_over() {
    std::lock_guard const lock(mutex_);
    return end_.ended;
  }

 private:
  void wake() const { (void)::eventfd_write(wake_.get(), 1); }

  void serve(std::vector<std::string> const& command) {
    auto end = run(command);
    std::lock_guard const lock(mutex_);
    if (!stopped_.empty()) end = {true, -1, stopped_};
    end_ = end;
  }

  ExecEnd run(std::vector<std::string> const& command) {
    auto pipes = make_pipes(command);
    if (!pipes) return {true, -1, pipes.error().what};
    auto const socket = reach_exec_door(attempt_folder_);
    if (!socket) return {true, -1, socket.error().what};
    if (auto sent = send_call(*socket, pipes->call); !sent) return {true, -1, sent.error().what};
    pipes->call = {};
    if (!wait_for_word(*socket)) return {true, -1, "the task's runner does not answer"};
    auto const word = receive_word(*socket);
    if (!word) return {true, -1, "the task has ended"};
    if (word->kind == ExecWord::Kind::refused) return {true, -1, word->why};
    return pass(*pipes, *socket);
  }

  bool wait_for_word(Fd const& socket) {
    for (auto const until = clock_.now_ms() + begin_patience_ms;
         clock_.now_ms() < until && !is_stopped();) {
      pollfd source{socket.get(), POLLIN, 0};
      if (::poll(&source, 1, turn_ms) > 0) return true;
    }
    return false;
  }

  // Until the runner has said how it ended, and nobody holds the output open any more.
  ExecEnd pass(Pipes& pipes, Fd const& socket) {
    std::optional<ExecEnd> end;
    while (!end || pipes.output || pipes.errors) {
      auto const full = is_full();
      pollfd sources[] = {{end ? -1 : socket.get(), POLLIN, 0},
                          {wake_.get(), POLLIN, 0},
                          {full ? -1 : pipes.output.get(), POLLIN, 0},
                          {full ? -1 : pipes.errors.get(), POLLIN, 0},
                          {framed_.empty() ? -1 : pipes.input.get(), POLLOUT, 0}};
      ::poll(sources, 5, turn_ms);
      eventfd_t ignored = 0;
      (void)::eventfd_read(wake_.get(), &ignored);
      if (sources[0].revents != 0) end = read_end(socket);
      if (sources[2].revents != 0) read_output(pipes.output, false);
      if (sources[3].revents != 0) read_output(pipes.errors, true);
      pass_input(pipes.input);
      if (is_stopped() && pipes.input) {
        pipes.input.reset();
        late_at_ms_ = clock_.now_ms() + end_patience_ms;
      }
      if (end && !full && late_at_ms_ == 0) late_at_ms_ = clock_.now_ms() + drain_patience_ms;
      if (late_at_ms_ > 0 && !full && clock_.now_ms() >= late_at_ms_) break;
    }
    return end.value_or(ExecEnd{true, -1, "the command could not be ended"});
  }

  static ExecEnd read_end(Fd const& socket) {
    auto const word = receive_word(socket);
    if (!word) return {true, -1, "the task has ended, and the command with it"};
    return {true, word->exit_code, word->why};
  }

  bool is_full() {
    std::lock_guard const lock(mutex_);
    return stopped_.empty() && (output_bytes_ >= buffer_max || output_.size() >= pieces_max);
  }
  bool is_stopped() {
    std::lock_guard const lock(mutex_);
    return !stopped_.empty();
  }

  void read_output(Fd& pipe, bool is_error) {
    char part[part_max];
    auto const n = ::read(pipe.get(), part, sizeof part);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return pipe.reset();
    std::lock_guard const lock(mutex_);
    // What is stopped is drained, so that it can end; a few last words are kept.
    if (!stopped_.empty() && (late_bytes_ += static_cast<std::size_t>(n)) > last_words_max) return;
    if (output_.empty() || output_.back().is_error != is_error) output_.push_back({is_error, {}});
    output_.back().data.data.append(part, static_cast<std::size_t>(n));
    output_bytes_ += static_cast<std::size_t>(n);
  }

  void pass_input(Fd const& pipe) {
    if (framed_.empty()) {
      std::lock_guard const lock(mutex_);
      auto const part = std::string_view(input_).substr(0, part_max);
      if (!part.empty()) framed_ = input_frame(part);
      input_.erase(0, part.size());
      if (input_.empty() && input_ended_ && !std::exchange(end_told_, true)) framed_ += input_end();
    }
    if (!pipe || framed_.empty()) return;
    auto const n = ::write(pipe.get(), framed_.data(), framed_.size());
    if (n > 0) framed_.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) framed_.clear();
  }

  SystemClock clock_;
  std::string attempt_folder_;
  Fd wake_;
  std::mutex mutex_;  // of the next six
  std::string input_;
  bool input_ended_ = false;
  std::deque<ExecPiece> output_;
  std::size_t output_bytes_ = 0, late_bytes_ = 0;  // late: since it was stopped
  std::string stopped_;
  ExecEnd end_;
  std::string framed_;  // the thread's own
  bool end_told_ = false;
  TimeMs late_at_ms_ = 0;
  std::thread thread_;
};

RunnerExecutor::RunnerExecutor(std::string state_dir) : state_dir_(std::move(state_dir)) {}

RunnerExecutor::~RunnerExecutor() = default;

RunnerExecutor::Run* RunnerExecutor::find(std::string const& exec) {
  auto const found = runs_.find(exec);
  return found == runs_.end() ? nullptr : found->second.get();
}

Status RunnerExecutor::begin(ExecTask const& task) {
  std::erase_if(leaving_, [](auto const& run) { return run->is_over(); });
  if (runs_.size() + leaving_.size() >= running_max)
    return Error{Code::exhausted, "16 commands run on this node, which is its limit"};
  runs_[task.exec] = std::make_unique<Run>(state_dir_, task);
  return ok();
}

std::size_t RunnerExecutor::room(std::string const& exec) {
  auto* run = find(exec);
  return run == nullptr ? 0 : run->room();
}

void RunnerExecutor::give(std::string const& exec, std::string_view input, bool ended) {
  if (auto* run = find(exec)) run->give(input, ended);
}

ExecNews RunnerExecutor::fetch(std::string const& exec, std::size_t bytes_max) {
  auto* run = find(exec);
  if (run == nullptr) return {{}, {true, -1, "this node does not know the command"}};
  return run->fetch(bytes_max);
}

void RunnerExecutor::stop(std::string const& exec, std::string const& why) {
  if (auto* run = find(exec)) run->stop(why);
}

void RunnerExecutor::forget(std::string const& exec) {
  auto const found = runs_.find(exec);
  if (found == runs_.end()) return;
  if (!found->second->is_over()) {
    found->second->stop("nobody waits for it");
    leaving_.push_back(std::move(found->second));
  }
  runs_.erase(found);
}

}  // namespace lepton::node
