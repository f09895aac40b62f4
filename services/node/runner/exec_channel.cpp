#include "services/node/runner/exec_channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t message_max = 64 << 10;
constexpr int call_limit_ms = 1'000, waiting_max = 8;
constexpr char const* name = "exec";

// Through an open folder: a socket's own path may hold 107 octets only.
Result<sockaddr_un> address_in(Fd const& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto const path = fmt::format("/proc/self/fd/{}/{}", folder.get(), name);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

sockaddr const* bare(sockaddr_un const& address) {
  return reinterpret_cast<sockaddr const*>(&address);
}

Status send_text(Fd const& socket, std::string const& text, std::array<Fd, 3> const* streams) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {};
  if (streams != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(3 * sizeof(int));
    int const fds[] = {(*streams)[0].get(), (*streams)[1].get(), (*streams)[2].get()};
    std::memcpy(CMSG_DATA(head), fds, sizeof fds);
  }
  if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) >= 0) return ok();
  return file_error("write to", "the runner's socket", errno);
}

Result<Record> receive_text(Fd const& socket, std::array<Fd, 3>* streams) {
  std::string text(message_max, '\0');
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n = 0;
  do n = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n <= 0) return Error{Code::unavailable, "the other side of the socket has hung up"};
  auto const* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS) {
    int fds[3] = {-1, -1, -1};
    std::memcpy(fds, CMSG_DATA(head), std::min(sizeof fds, head->cmsg_len - CMSG_LEN(0)));
    for (std::size_t i = 0; i < 3; ++i) {
      Fd own(fds[i]);
      if (streams != nullptr) (*streams)[i] = std::move(own);
    }
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return Error{Code::invalid, "a message on the runner's socket is too large"};
  return Record::decode(std::string_view(text).substr(0, static_cast<std::size_t>(n)));
}

}  // namespace

Result<Fd> open_exec_door(std::string const& attempt_folder) {
  Fd const folder(::open(attempt_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return file_error("open", attempt_folder, errno);
  Fd door(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto const address = address_in(folder);
  ::unlinkat(folder.get(), name, 0);
  auto const before = ::umask(0177);
  auto const bound = door && ::bind(door.get(), bare(*address), sizeof *address) == 0;
  ::umask(before);
  if (!bound || ::listen(door.get(), waiting_max) != 0)
    return file_error("listen on", attempt_folder + "/" + name, errno);
  return door;
}

Result<Fd> reach_exec_door(std::string const& attempt_folder) {
  Fd const folder(::open(attempt_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Error{Code::not_found, "the task is not on this node any more"};
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto const address = address_in(folder);
  if (socket && ::connect(socket.get(), bare(*address), sizeof *address) == 0) {
    ::fcntl(socket.get(), F_SETFL, 0);
    return socket;
  }
  if (errno == EAGAIN)
    return Error{Code::exhausted, "the task's runner is busy with other commands; try again"};
  return Error{Code::conflict,
               "nobody takes commands beside this task: it has ended, or was started by an earlier "
               "version of the node"};
}

Result<Fd> accept_exec(Fd const& door) {
  Fd socket(::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return file_error("accept on", "the runner's socket", errno);
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.uid != ::geteuid())
    return Error{Code::denied, "the runner's socket is for the node only"};
  return socket;
}

Status send_call(Fd const& socket, ExecCall const& call) {
  Record record;
  for (auto const& argument : call.command) record.put("arg", argument);
  return send_text(socket, record.encode(), &call.streams);
}

Result<ExecCall> receive_call(Fd const& socket) {
  pollfd source{socket.get(), POLLIN, 0};
  if (::poll(&source, 1, call_limit_ms) <= 0)
    return Error{Code::timeout, "the node said nothing on the runner's socket"};
  ExecCall call;
  auto const record = receive_text(socket, &call.streams);
  if (!record) return record.error();
  call.command = record->all("arg");
  if (call.command.empty() || !call.streams[2])
    return Error{Code::invalid, "a command needs a program and three streams"};
  return call;
}

Status send_word(Fd const& socket, ExecWord const& word) {
  Record record;
  record.put("kind", static_cast<std::int64_t>(word.kind));
  record.put("exit_code", std::int64_t{word.exit_code});
  record.put("why", word.why);
  return send_text(socket, record.encode(), nullptr);
}

Result<ExecWord> receive_word(Fd const& socket) {
  auto const record = receive_text(socket, nullptr);
  if (!record) return record.error();
  auto const kind = record->number("kind", -1);
  if (kind < 0 || kind > static_cast<std::int64_t>(ExecWord::Kind::ended))
    return Error{Code::invalid, "the runner's answer cannot be read"};
  return ExecWord{static_cast<ExecWord::Kind>(kind),
                  static_cast<int>(record->number("exit_code", -1)), record->text("why")};
}

std::string input_frame(std::string_view data) {
  std::string frame = "d";
  for (int shift = 24; shift >= 0; shift -= 8)
    frame += static_cast<char>(data.size() >> shift & 0xff);
  return frame += data;
}

std::string input_end() {
  return std::string("e\0\0\0\0", 5);
}

}  // namespace lepton::node
