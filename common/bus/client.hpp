#pragma once
// Client: one connection to the client door of one service, for programs that are no service. Owned
// by one thread, which does all its work inside call() and pump(). A request is sent again under
// the same id, with growing pauses, until it is answered or its deadline passes (the Lazy Pirate of
// the ZeroMQ guide, on a DEALER): a server that records mutations by id makes that harmless. Times
// in milliseconds.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bus/keys.hpp"
#include "common/bus/limits.hpp"
#include "common/codec/msgpack.hpp"
#include "schemas/platform.hpp"

namespace lepton::bus {

struct ClientSettings {
  std::string endpoint;           // client door of the service
  std::string server_public_key;  // z85; the server must prove that it has its secret half; during
                                  // a rotation two, see keys_in()
  KeyPair keys;
  Secret<std::string> token;  // may be empty: then only open requests are served
  std::string trace;          // goes with each request
  int window = 1000;          // requests in flight
  TimeMs resend_first_ms = 300;
  TimeMs resend_max_ms = 3000;
  Limits limits;
};

class Client {
 public:
  // Body of the reply, or why there is none.
  using Done = std::function<void(Result<std::string>)>;

  // Does not wait for the server; what stops a request is found by its deadline.
  static Result<Client> connect(ClientSettings settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  // requests still open are forgotten

  // Sends and waits. A refusal is an error with its code; `unavailable`: it never left, `timeout`:
  // no answer. The same id for the same mutation, also after a restart of the caller, has one
  // effect.
  template <class M>
  Result<typename M::Reply> call(M const& message, TimeMs timeout_ms = 10'000,
                                 std::optional<std::string> id = {}) {
    auto body = exchange(M::topic, codec::encode(message), timeout_ms, std::move(id));
    if (!body) return body.error();
    return read<typename M::Reply>(*body);
  }

  // Sends and returns; `done` is called once, inside a later pump(). `exhausted` when the window is
  // full.
  template <class M>
  Status submit(M const& message, std::function<void(Result<typename M::Reply>)> done,
                TimeMs timeout_ms = 10'000, std::optional<std::string> id = {}) {
    return submit_body(
        M::topic, codec::encode(message), timeout_ms, std::move(id),
        [then = std::move(done)](Result<std::string> body) {
          then(body ? read<typename M::Reply>(*body) : Result<typename M::Reply>(body.error()));
        });
  }

  // The same for encoded bodies.
  Result<std::string> exchange(std::string_view topic, std::string body, TimeMs timeout_ms,
                               std::optional<std::string> id = {});
  Status submit_body(std::string_view topic, std::string body, TimeMs timeout_ms,
                     std::optional<std::string> id, Done done);

  // Receives, resends and ends what is due; waits at most timeout_ms for something to happen.
  // Returns how many requests it ended.
  int pump(TimeMs timeout_ms);
  std::size_t in_flight() const;
  std::size_t room() const;  // what the window still takes

  // Of the last refusal, inside `done` or after call(): worth trying again after so long; 0: never.
  TimeMs retry_after_ms() const;
  std::map<std::string, std::int64_t> counters() const;

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  template <class T>
  static Result<T> read(std::string const& body) {
    auto reply = codec::decode<T>(body);
    if (!reply)
      return Error{Code::internal, "the answer cannot be read (" + reply.error().what +
                                       "); server and client may be of different versions"};
    return reply;
  }
  std::unique_ptr<Impl> impl_;
};

}  // namespace lepton::bus
