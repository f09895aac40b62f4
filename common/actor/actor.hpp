#pragma once
// An actor: private state, one mailbox, handlers that run one at a time to the end and never wait.
// A handler reads its state, calls the pure core, and fills the Outbox of its Context; the host
// (host.hpp) makes the rows durable and then sends. A thrown exception ends this life: a new
// instance is made and its state rebuilt from rows.
//
// Threads: only the thread of its system. Rule: a handler that answers with an Error has changed
// nothing.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/actor/context.hpp"

namespace lepton::actor {

// The rows found at start, by table.
class Rows {
 public:
  explicit Rows(std::map<store::Table const*, std::vector<store::Cells>> tables)
      : tables_(std::move(tables)) {}

  template <store::Row T>
  std::vector<T> of() const {
    std::vector<T> rows;
    auto const found = tables_.find(&store::table_of<T>());
    if (found == tables_.end()) return rows;
    rows.reserve(found->second.size());
    for (auto const& cells : found->second) {
      auto row = store::from_cells<T>(cells);
      LEPTON_CHECK(row.has_value(), "a stored row does not have the shape of its type");
      rows.push_back(std::move(*row));
    }
    return rows;
  }

 private:
  std::map<store::Table const*, std::vector<store::Cells>> tables_;
};

struct Down {
  std::string actor;
  std::string reason;
};

class Actor {
 public:
  using Admit = std::function<Status(std::string resource)>;
  // Nothing: the answer comes later through its ticket.
  using Outcome = std::optional<Result<std::string>>;
  struct Handler {
    Traits traits;
    std::function<Outcome(std::string_view body, Admit const& admit, Context&)> run;
  };

  virtual ~Actor() = default;

  // Tables whose rows restore() wants; the big ones are left out and read with Context::find.
  virtual std::vector<store::Table const*> tables() const { return {}; }
  virtual void restore(Rows const&) {}
  virtual void start(Context&) {}
  virtual void on_hint(Hint const&, Context&) {}
  virtual void on_down(Down const&, Context&) {}
  // The state behind a stream, for a consumer that comes late.
  virtual Result<std::string> snapshot(std::string_view stream) {
    return Error{Code::not_found, "stream '" + std::string(stream) + "' has no snapshot"};
  }
  virtual std::map<std::string, std::int64_t> counters() const { return {}; }

  Handler const* handler(std::string const& topic) const {
    auto const found = handlers_.find(topic);
    return found == handlers_.end() ? nullptr : &found->second;
  }

 protected:
  // Result<M::Reply> (Self::*)(M const&, Context&): the answer comes with the return.
  template <class M, class Self>
  void on(Result<typename M::Reply> (Self::*handle)(M const&, Context&)) {
    on<M>(*static_cast<Self*>(this), handle);
  }
  // void (Self::*)(M const&, Ticket<M>, Context&): the answer comes with Context::answer.
  template <class M, class Self>
  void on(void (Self::*handle)(M const&, Ticket<M>, Context&)) {
    on<M>(*static_cast<Self*>(this), handle);
  }
  // The same for a part that lives as long as the actor.
  template <class M, class Part>
  void on(Part& part, Result<typename M::Reply> (Part::*handle)(M const&, Context&)) {
    add<M>([&part, handle](M const& message, Context& c) -> Outcome {
      auto result = (part.*handle)(message, c);
      if (!result) return Result<std::string>(result.error());
      return Result<std::string>(codec::encode(*result));
    });
  }
  template <class M, class Part>
  void on(Part& part, void (Part::*handle)(M const&, Ticket<M>, Context&)) {
    add<M>([&part, handle](M const& message, Context& c) -> Outcome {
      (part.*handle)(message, c.ticket<M>(), c);
      return std::nullopt;
    });
  }

 private:
  template <class M, class F>
  void add(F handle) {
    auto run = [handle](std::string_view body, Admit const& admit, Context& c) -> Outcome {
      auto message = codec::decode<M>(body);
      if (!message) return Result<std::string>(message.error());
      std::string resource;
      if constexpr (requires { message->resource(); }) resource = message->resource();
      if (auto admitted = admit(std::move(resource)); !admitted)
        return Result<std::string>(admitted.error());
      return handle(*message, c);
    };
    handlers_[std::string(M::topic)] = {traits_of<M>(), std::move(run)};
  }

  std::map<std::string, Handler, std::less<>> handlers_;
};

using Factory = std::function<std::unique_ptr<Actor>()>;

}  // namespace lepton::actor
