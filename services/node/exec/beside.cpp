#include "services/node/exec/beside.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/exec_channel.hpp"

namespace lepton::node {
namespace {

constexpr TimeMs end_patience_ms = 1'000;

// The word that comes next, or `timeout`.
Result<ExecWord> wait_for_word(Fd const& socket, TimeMs until_ms) {
  for (SystemClock const clock;;) {
    auto const left_ms = until_ms - clock.now_ms();
    if (left_ms <= 0) return Error{Code::timeout, "not done in time"};
    pollfd source{socket.get(), POLLIN, 0};
    auto const ready = ::poll(&source, 1, static_cast<int>(left_ms));
    if (ready > 0) return receive_word(socket);
    if (ready < 0 && errno != EINTR) return Error{Code::unavailable, "the runner cannot be heard"};
  }
}

// Nothing to read, nobody who reads. The other end of its input: while it is open, it may run.
Result<Fd> make_streams(ExecCall& call) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return file_error("make", "a pipe", errno);
  call.streams[0] = Fd(ends[0]);
  Fd held(ends[1]);
  for (std::size_t i = 1; i < call.streams.size(); ++i) {
    call.streams[i] = Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!call.streams[i]) return file_error("open", "/dev/null", errno);
  }
  auto const end = input_end();
  if (::write(held.get(), end.data(), end.size()) != static_cast<ssize_t>(end.size()))
    return file_error("write to", "a pipe", errno);
  return held;
}

}  // namespace

Result<int> run_beside(std::string const& state_dir, std::string const& attempt,
                       std::vector<std::string> const& command, TimeMs timeout_ms) {
  SystemClock const clock;
  auto const until_ms = clock.now_ms() + timeout_ms;
  ExecCall call{command, {}};
  auto held = make_streams(call);
  if (!held) return held.error();
  auto const socket = reach_exec_door(AttemptFiles(state_dir, attempt).folder);
  if (!socket) return Error{Code::unavailable, socket.error().what};
  if (auto sent = send_call(*socket, call); !sent) return sent.error();
  call = {};
  auto word = wait_for_word(*socket, until_ms);
  if (word && word->kind == ExecWord::Kind::running) word = wait_for_word(*socket, until_ms);
  if (!word && word.error().code == Code::timeout) {
    held->reset();  // a hang-up ends it
    (void)wait_for_word(*socket, clock.now_ms() + end_patience_ms);
    return word.error();
  }
  if (!word) return Error{Code::unavailable, "the task has ended"};
  if (word->kind == ExecWord::Kind::ended && word->exit_code >= 0) return word->exit_code;
  return Error{Code::unavailable, word->why};
}

}  // namespace lepton::node
