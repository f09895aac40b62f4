#include "cli/jobs/exec.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <memory>

#include "cli/connect.hpp"
#include "cli/spec/amounts.hpp"
#include "common/base/text.hpp"
#include "schemas/exec_pieces.hpp"

namespace lepton::cli {
namespace {

constexpr int exit_own_error = 255, exit_interrupted = 130;
constexpr std::size_t write_max = 4'096;        // a pipe that takes something takes so much (POSIX)
constexpr TimeMs keep_alive_ms = 5'000;         // while what was heard cannot be printed
constexpr std::int64_t wait_ms = 5'000;         // of one question for output
constexpr TimeMs contact_lost_max_ms = 30'000;  // then it is given up
constexpr TimeMs input_turn_ms = 20, turn_ms = 200, retry_ms = 300;
constexpr std::size_t input_part_max = 64 << 10;
constexpr std::size_t talks_max = 2;  // one may wait for output while another brings input

struct ExecOptions {
  std::string task;
  std::vector<std::string> command;
  bool input = false;
  std::string limit = "1h";
};

struct Target {
  std::string job;
  std::uint32_t task = 0;
};

Result<Target> parse_target(std::string const& text) {
  auto const slash = text.find('/');
  if (slash == text.npos) return Target{text, 0};
  auto const number = text::parse_int(text.substr(slash + 1));
  if (!number || *number < 0 || *number > 1'023)
    return Error{Code::invalid, "'" + text + "': after the '/' comes the index of a task, from 0"};
  return Target{text.substr(0, slash), static_cast<std::uint32_t>(*number)};
}

volatile std::sig_atomic_t interrupted = 0;

// An interrupt ends the command over there, too.
void watch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  for (int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

class Conversation {
 public:
  Conversation(Shell& shell, bus::Client& client, std::string exec, bool has_input)
      : shell_(shell), client_(client), exec_(std::move(exec)), input_open_(has_input) {
    if (!has_input) input_ended_ = true;
  }

  Result<int> run() {
    heard_at_ms_ = clock_.now_ms();
    while (!error_ && (!end_.ended || (!unprinted_.empty() && !stopping_))) {
      if (interrupted != 0 && !std::exchange(stopping_, true)) has_news_ = true;
      read_input();
      print();
      if (!end_.ended && is_time_to_talk()) talk();
      client_.pump(input_open_ || !unprinted_.empty() ? input_turn_ms : turn_ms);
    }
    if (error_) return *error_;
    if (print_error_) return *print_error_;
    if (stopping_ && end_.exit_code < 0) return exit_interrupted;
    if (end_.exit_code < 0) return Error{Code::unavailable, end_.why};
    return end_.exit_code;
  }

 private:
  bool is_time_to_talk() const {
    if (talks_ == 0) return clock_.now_ms() >= talk_at_ms_;
    return has_news_ && talks_ < talks_max;
  }

  void read_input() {
    if (!input_open_ || input_.size() >= input_part_max) return;
    pollfd source{STDIN_FILENO, POLLIN, 0};
    if (::poll(&source, 1, 0) <= 0) return;
    char part[input_part_max];
    auto const n = ::read(STDIN_FILENO, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    has_news_ = true;
    if (n > 0) return void(input_.append(part, static_cast<std::size_t>(n)));
    input_open_ = false;
    input_ended_ = true;
  }

  void talk() {
    ExecTalk m{exec_, output_taken_, input_taken_, Bytes{input_}, input_ended_, stopping_, 0};
    m.wait_ms = stopping_ || !unprinted_.empty() ? 0 : wait_ms;
    has_news_ = false;
    ++talks_;
    auto const sent = client_.submit(
        m, [this](Result<ExecHeard> const& heard) { take(heard); },
        shell_.timeout_ms() + m.wait_ms);
    if (!sent) take(sent.error());
  }

  void take(Result<ExecHeard> const& heard) {
    --talks_;
    auto const now = clock_.now_ms();
    if (!heard) {
      if (!is_passing(heard.error().code) || now - heard_at_ms_ > contact_lost_max_ms)
        error_ = heard.error();
      talk_at_ms_ = now + retry_ms;
      return;
    }
    heard_at_ms_ = now;
    auto const passed = heard->input_taken - input_taken_;
    if (passed > 0) {
      input_.erase(0, static_cast<std::size_t>(passed));
      input_taken_ += passed;
    }
    keep(*heard);
    if (heard->end.ended && (stopping_ || is_all_here(*heard))) end_ = heard->end;
    print();
    if (stopping_) talk_at_ms_ = now + retry_ms;
    if (!unprinted_.empty()) talk_at_ms_ = now + keep_alive_ms;
  }

  // What comes after it is heard again when this is printed: so the command waits for the reader.
  void keep(ExecHeard const& heard) {
    if (!unprinted_.empty() || print_error_) return;
    auto at = heard.output_offset;
    for (auto const& piece : heard.output) {
      auto const& data = piece.data.data;
      auto const skip = output_taken_ - at;
      at += static_cast<std::int64_t>(data.size());
      if (skip < 0 || at <= output_taken_) continue;  // of a late answer
      unprinted_.push_back({piece.is_error, {data.substr(static_cast<std::size_t>(skip))}});
      output_taken_ = at;
    }
    output_taken_ -= bytes_of(unprinted_);
  }
  bool is_all_here(ExecHeard const& heard) const {
    return heard.output_offset + bytes_of(heard.output) <= output_taken_ + bytes_of(unprinted_);
  }

  // Never waits for a reader.
  void print() {
    while (!unprinted_.empty()) {
      auto& piece = unprinted_.front();
      auto& data = piece.data.data;
      auto const fd = ::fileno(piece.is_error ? shell_.err : shell_.out);
      pollfd door{fd, POLLOUT, 0};
      if (::poll(&door, 1, 0) <= 0) return;
      auto const n = ::write(fd, data.data(), std::min(data.size(), write_max));
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
      if (n < 0) return lose_reader();
      data.erase(0, static_cast<std::size_t>(n));
      output_taken_ += n;
      if (data.empty()) unprinted_.pop_front();
      if (unprinted_.empty()) talk_at_ms_ = 0;
    }
  }

  // Nothing may pass for whole that is not: the command is ended, and this program fails.
  void lose_reader() {
    print_error_ = Error{Code::unavailable, std::string("cannot write what the command prints: ") +
                                                std::strerror(errno) + "; it was ended"};
    unprinted_.clear();
    stopping_ = true;
    has_news_ = true;
    talk_at_ms_ = 0;
  }

  Shell& shell_;
  bus::Client& client_;
  SystemClock clock_;
  std::string exec_;
  bool input_open_ = false, input_ended_ = false, stopping_ = false, has_news_ = false;
  std::string input_;
  std::int64_t input_taken_ = 0, output_taken_ = 0;
  std::size_t talks_ = 0;
  TimeMs heard_at_ms_ = 0, talk_at_ms_ = 0;
  std::deque<ExecPiece> unprinted_;
  ExecEnd end_;
  std::optional<Error> error_, print_error_;
};

Result<int> exec(Shell& shell, ExecOptions const& o) {
  auto const target = parse_target(o.task);
  if (!target) return target.error();
  auto const limit = parse_duration_ms(o.limit);
  if (!limit) return Error{Code::invalid, "--limit: " + limit.error().what};
  if (*limit < 1'000 || *limit > exec_time_max_ms)
    return Error{Code::invalid, "--limit must be from 1s to 1d"};
  auto client = connect(shell, Service::deployer);
  if (!client) return client.error();
  auto const opened = client->call(JobExec{JobId{target->job}, target->task, o.command, *limit},
                                   shell.timeout_ms());
  if (!opened) return opened.error();
  watch_interrupts();
  return Conversation(shell, *client, opened->exec, o.input).run();
}

}  // namespace

Command exec_command() {
  auto const o = std::make_shared<ExecOptions>();
  Command c{"exec",
            "Runs a command beside a running task: same user, folder, limits and variables. Exits "
            "as the command does; 255: there was none. Who ran what stands in the audit log",
            "lepton exec digits -- ps -ef\n"
            "lepton exec train/1 -- sh -c 'ls -l $LEPTON_OUTPUT_DIR; nvidia-smi'\n"
            "lepton exec -i train -- tar -xf - < more.tar"};
  c.required("JOB", "As in `lepton job show`, with /TASK for a task of a gang", &o->task)
      .required("COMMAND", "Program and arguments, after --", &o->command)
      .flag("-i,--input", "Passes standard input on, 64 MiB at most", &o->input)
      .option("--limit", "Ends it after so long, at most 1d", &o->limit);
  c.run = [o](Shell& shell) { return exec(shell, *o); };
  c.error_status = exit_own_error;
  return c;
}

}  // namespace lepton::cli
