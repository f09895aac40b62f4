#pragma once
// What a handler may do: read the time and chance, and fill its Outbox. Lives for one handler call
// only.

#include <string>
#include <utility>
#include <vector>

#include "common/actor/call.hpp"
#include "common/actor/outbox.hpp"
#include "common/actor/ports.hpp"
#include "common/codec/msgpack.hpp"
#include "common/store/row.hpp"

namespace lepton::actor {

// The host's side of a context: what needs more than the outbox.
class Desk {
 public:
  virtual ~Desk() = default;
  virtual TimeMs now() const = 0;
  virtual WallMs wall() const = 0;
  virtual Chance& chance() = 0;
  virtual crypto::Entropy& entropy() = 0;
  virtual void log(Level level, std::string const& text) = 0;
  virtual std::string const& name() const = 0;
  virtual void close(std::uint64_t call, Result<std::string> answer, Outbox& out) = 0;
  virtual Call* find_call(std::uint64_t call) = 0;
  virtual Status allow(Call& call, Verb verb, std::string resource) = 0;
};

class Context {
 public:
  Context(Desk& desk, Call* call) : desk_(desk), call_(call) {}

  TimeMs now() const { return desk_.now(); }
  WallMs wall() const { return desk_.wall(); }
  Chance& chance() { return desk_.chance(); }
  crypto::Entropy& entropy() { return desk_.entropy(); }
  void log(Level level, std::string const& text) { desk_.log(level, text); }

  // The request being handled; only inside its handler.
  Caller const& caller() const { return call().request.caller; }
  std::string const& request_id() const { return call().request.header.id; }
  // A further fact for the audit entry of the request being handled.
  void note(std::string name, std::string value) {
    call().detail[std::move(name)] = std::move(value);
  }
  // For messages without resource(), whose path only the state tells: may the caller do this? Names
  // the path for the audit entry, too. Such a handler must ask before it answers a client.
  Status allow(Verb verb, std::string resource) {
    return desk_.allow(call(), verb, std::move(resource));
  }
  // The handler has its own proof of the right (the administrator's key, say), and names the path.
  void grant(std::string resource) {
    call().resource = std::move(resource);
    call().allowed = true;
  }
  // A peer acts for this person: the audit entry names the person.
  void on_behalf(std::string subject) { call().actor = std::move(subject); }
  void acts_on(std::string resource) { call().resource = std::move(resource); }

  template <store::Row T>
  void append(T const& row) {
    out.changes.push_back({store::Op::append, &store::table_of<T>(), store::to_cells(row)});
  }
  template <store::Row T>
  void upsert(T const& row) {
    out.changes.push_back({store::Op::upsert, &store::table_of<T>(), store::to_cells(row)});
  }
  template <store::Row T>
  void erase(T const& row) {
    out.changes.push_back({store::Op::erase, &store::table_of<T>(), store::key_cells(row)});
  }
  // As store::Op::erase_to: the leading key cells, and the highest number that goes.
  template <store::Row T>
  void erase_to(store::Cells key) {
    out.changes.push_back({store::Op::erase_to, &store::table_of<T>(), std::move(key)});
  }

  template <class M>
  void emit(std::string stream, M const& event) {
    out.events.push_back({std::move(stream), std::string(M::topic), codec::encode(event)});
  }
  // For changes that no request asked for; requests are audited by the host itself.
  void audit(AuditEvent event) {
    event.at_ms = wall();
    emit("audit", event);
  }

  // `then` gets exactly one of: the reply, the refusal, or a timeout.
  template <class M, class F>
  void ask(std::string peer, M const& message, TimeMs timeout_ms, F then) {
    auto decode = [then = std::move(then)](Answer const& answer, Context& c) {
      if (auto const* refusal = std::get_if<Refusal>(&answer))
        return then(Result<typename M::Reply>(Error{refusal->code, refusal->what}), c);
      then(codec::decode<typename M::Reply>(std::get<std::string>(answer)), c);
    };
    TimeMs patience_ms = 0;
    if constexpr (requires { message.wait_ms; }) patience_ms = message.wait_ms;
    out.asks.push_back({std::move(peer), std::string(M::topic), codec::encode(message), timeout_ms,
                        patience_ms, std::move(decode)});
  }

  void after(TimeMs delay_ms, Continue then) { out.timers.push_back({delay_ms, std::move(then)}); }
  // `job` runs on another thread: it must own all it touches.
  void work(std::function<void()> job, Continue then) {
    out.works.push_back({std::move(job), std::move(then)});
  }

  template <store::Row T, class F>
  void find(store::Query query, F then) {
    query.table = &store::table_of<T>();
    auto decode = [then = std::move(then)](Result<std::vector<store::Cells>> const& found,
                                           Context& c) {
      if (!found) return then(Result<std::vector<T>>(found.error()), c);
      std::vector<T> rows;
      for (auto const& cells : *found) {
        auto row = store::from_cells<T>(cells);
        if (!row)
          return then(Result<std::vector<T>>(
                          Error{Code::internal, "a stored row of table '" + std::string(T::table) +
                                                    "' does not have the shape of its type"}),
                      c);
        rows.push_back(std::move(*row));
      }
      then(Result<std::vector<T>>(std::move(rows)), c);
    };
    out.finds.push_back({std::move(query), std::move(decode)});
  }

  // Takes the answer of the current request into one's own hands.
  template <class M>
  Ticket<M> ticket() const {
    return {call().number};
  }
  template <class M>
  void answer(Ticket<M> ticket, Result<typename M::Reply> const& result) {
    if (result)
      desk_.close(ticket.call, codec::encode(*result), out);
    else
      desk_.close(ticket.call, result.error(), out);
  }
  // The call behind a ticket; null once it was answered or timed out.
  template <class M>
  Call* open_call(Ticket<M> ticket) {
    return desk_.find_call(ticket.call);
  }

  Outbox out;

 private:
  Call& call() const {
    LEPTON_CHECK(call_ != nullptr, "no request is being handled");
    return *call_;
  }
  Desk& desk_;
  Call* call_;
};

}  // namespace lepton::actor
