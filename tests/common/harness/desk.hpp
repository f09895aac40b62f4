#pragma once
// The messages and the actor that the tests of the runtime drive.

#include "common/actor/system.hpp"

namespace lepton::test {

struct Value {
  static constexpr std::string_view topic = "desk.value";  // as an event
  std::int64_t n = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "n", &Value::n, "A number."));
  }
};
static_assert(schema::complete<Value>());

// A mutation; `what` says which behaviour of the actor it wants.
struct Change {
  static constexpr std::string_view topic = "desk.change";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = Value;
  std::string what;
  std::string key;
  std::int64_t n = 0;
  std::string resource() const { return "desk/" + key; }
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "what", &Change::what, "Which behaviour."),
                          field(2, "key", &Change::key, "Of the row."),
                          field(3, "n", &Change::n, "A number."));
  }
};
static_assert(schema::complete<Change>());

struct Look {
  static constexpr std::string_view topic = "desk.look";
  static constexpr Verb verb = Verb::read;
  using Reply = Value;
  std::string key;
  std::string resource() const { return "desk/" + key; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "key", &Look::key, "Of the row."));
  }
};
static_assert(schema::complete<Look>());

// A question whose answer may be held back until there is news.
struct Await {
  static constexpr std::string_view topic = "desk.await";
  static constexpr Verb verb = Verb::read;
  using Reply = Value;
  std::int64_t wait_ms = 0;
  std::string resource() const { return "desk"; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "wait_ms", &Await::wait_ms, "How long, ms."));
  }
};
static_assert(schema::complete<Await>());

struct Revealed {
  Secret<std::string> secret;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "secret", &Revealed::secret, "The secret."));
  }
};
static_assert(schema::complete<Revealed>());

struct Mint {
  static constexpr std::string_view topic = "desk.mint";
  static constexpr bool mutates = true;
  using Reply = Revealed;
  std::string name;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &Mint::name, "Of the secret."));
  }
};
static_assert(schema::complete<Mint>());

struct Reveal {
  static constexpr std::string_view topic = "desk.reveal";
  static constexpr bool audited = true;
  using Reply = Revealed;
  std::string name;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &Reveal::name, "Of the secret."));
  }
};
static_assert(schema::complete<Reveal>());

struct PeerOnly {
  static constexpr std::string_view topic = "desk.peer_only";
  static constexpr bool peer_only = true;
  using Reply = Value;
  std::string key;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "key", &PeerOnly::key, "Anything."));
  }
};
static_assert(schema::complete<PeerOnly>());

struct ValueRow {
  static constexpr std::string_view table = "value";
  std::string key;
  std::int64_t n = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "key", &ValueRow::key, "The key.").key(),
                          schema::field(2, "n", &ValueRow::n, "The number."));
  }
};
static_assert(schema::complete<ValueRow>());

// What happened inside the actor, kept over its lives by the test.
struct Seen {
  int lives = 0;
  std::vector<std::string> lines;
};

class DeskActor final : public actor::Actor {
 public:
  explicit DeskActor(Seen& seen);
  std::vector<store::Table const*> tables() const override;
  void restore(actor::Rows const& rows) override;
  void on_down(actor::Down const& down, actor::Context&) override;
  void on_hint(Hint const& hint, actor::Context& c) override;
  Result<std::string> snapshot(std::string_view) override { return std::string("state"); }
  std::map<std::string, std::int64_t> const& values() const { return values_; }

 private:
  using Behaviour = void (*)(DeskActor&, Change const&, actor::Ticket<Change>, actor::Context&);
  static std::map<std::string, Behaviour> const& behaviours();
  static std::map<std::string, Behaviour> const& direct_behaviours();
  static std::map<std::string, Behaviour> const& late_behaviours();

  void change(Change const& m, actor::Ticket<Change> ticket, actor::Context& c);
  void ask(std::string const& peer, TimeMs timeout_ms, actor::Context& c);
  void put(std::string const& key, std::int64_t n, actor::Context& c);
  Result<Value> look(Look const& m, actor::Context&);
  Result<Revealed> mint(Mint const& m, actor::Context& c);
  Result<Revealed> reveal(Reveal const& m, actor::Context& c);
  Result<Value> peer_only(PeerOnly const&, actor::Context&) { return Value{7}; }

  Seen& seen_;
  std::map<std::string, std::int64_t> values_;
  std::vector<actor::Ticket<Change>> kept_;
};

}  // namespace lepton::test
