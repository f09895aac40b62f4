#include "services/node/runner/launch_channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::int64_t discard_timeout_ms = 2'000;

Error hung_up() {
  return {Code::internal, "the node or the runner was killed while it launched the task"};
}

Status send_text(int socket, std::string_view text) {
  while (!text.empty()) {
    auto const n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return hung_up();
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::shutdown(socket, SHUT_WR);
  return ok();
}

bool readable(int socket, std::int64_t until_ms) {
  SystemClock const clock;
  for (;;) {
    auto const left_ms = until_ms - clock.now_ms();
    if (left_ms <= 0) return false;
    pollfd wait{socket, POLLIN, 0};
    auto const n = ::poll(&wait, 1, static_cast<int>(left_ms));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

// Fixed buffer and reserved text: a growing string would leave unwiped copies of secrets behind.
Result<Secret<>> receive_text(int socket, std::int64_t timeout_ms) {
  std::string text;
  text.reserve(2 * Record::size_max);
  auto const until_ms = SystemClock().now_ms() + timeout_ms;
  for (;;) {
    if (!readable(socket, until_ms))
      return Error{Code::internal, "the other side of the launch socket says nothing"};
    char part[4096];
    auto const n = ::recv(socket, part, sizeof part, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) text.append(part, static_cast<std::size_t>(n));
    wipe(part, sizeof part);
    if (n < 0) return hung_up();
    if (n == 0) return Secret<>(std::move(text));
    if (text.size() > Record::size_max) return Error{Code::invalid, "the launch is over 1 MiB"};
  }
}

void wipe_record(Record& record) {
  for (auto& [key, value] : record.lines()) wipe(value.data(), value.size());
}

}  // namespace

Status send_secrets(int socket, Secrets const& secrets) {
  Record record;
  for (auto const& [name, value] : secrets) {
    record.put("name", name);
    record.put("value", value.reveal());
  }
  record.put("complete", std::int64_t{1});
  Secret<> const text(record.encode());
  wipe_record(record);
  return send_text(socket, text.reveal());
}

Result<Secrets> receive_secrets(int socket, std::int64_t timeout_ms) {
  auto const text = receive_text(socket, timeout_ms);
  if (!text) return text.error();
  auto record = Record::decode(text->reveal());
  // Without the mark the node died half way; starting with half of the secrets would be wrong.
  if (!record || record->number("complete", 0) != 1) return hung_up();
  auto const names = record->all("name");
  auto values = record->all("value");
  wipe_record(*record);
  if (names.size() != values.size()) return hung_up();
  Secrets secrets;
  for (std::size_t i = 0; i < names.size(); ++i) {
    secrets.emplace(names[i], Secret<>(values[i]));
    wipe(values[i].data(), values[i].size());
  }
  return secrets;
}

Status send_report(int socket, Status const& report) {
  // A socket that is closed with unread data tells its other side an error instead of the report.
  (void)receive_text(socket, discard_timeout_ms);
  Record record;
  record.put("code", report ? "ok" : schema::name_of(report.error().code));
  record.put("what", report ? "" : report.error().what);
  return send_text(socket, record.encode());
}

Status receive_report(int socket, std::int64_t timeout_ms) {
  auto const text = receive_text(socket, timeout_ms);
  if (!text) return text.error();
  auto const record = Record::decode(text->reveal());
  if (!record || record->text("code").empty()) return hung_up();
  if (record->text("code") == "ok") return ok();
  constexpr auto names = enumerators(Code{});
  auto code = Code::internal;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == record->text("code")) code = static_cast<Code>(i);
  return Error{code, record->text("what")};
}

}  // namespace lepton::node
