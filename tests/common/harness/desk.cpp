#include "tests/common/harness/desk.hpp"

namespace lepton::test {

DeskActor::DeskActor(Seen& seen) : seen_(seen) {
  ++seen_.lives;
  on<Change>(&DeskActor::change);
  on<Look>(&DeskActor::look);
  on<Mint>(&DeskActor::mint);
  on<Reveal>(&DeskActor::reveal);
  on<PeerOnly>(&DeskActor::peer_only);
}

std::vector<store::Table const*> DeskActor::tables() const {
  return {&store::table_of<ValueRow>()};
}

void DeskActor::restore(actor::Rows const& rows) {
  for (auto const& row : rows.of<ValueRow>()) values_[row.key] = row.n;
}

void DeskActor::on_down(actor::Down const& down, actor::Context&) {
  seen_.lines.push_back("down " + down.actor + ": " + down.reason);
}

void DeskActor::on_hint(Hint const& hint, actor::Context& c) {
  if (hint.sender == "ask desk") return ask("desk", 1'000, c);
  seen_.lines.push_back("hint " + hint.sender + " " + std::to_string(hint.head));
}

void DeskActor::change(Change const& m, actor::Ticket<Change> ticket, actor::Context& c) {
  auto const found = behaviours().find(m.what);
  if (found == behaviours().end())
    return c.answer(ticket, Result<Value>(Error{Code::invalid, "no behaviour '" + m.what + "'"}));
  found->second(*this, m, ticket, c);
}

void DeskActor::ask(std::string const& peer, TimeMs timeout_ms, actor::Context& c) {
  c.ask(peer, Look{"x"}, timeout_ms, [this](Result<Value> const& r, actor::Context&) {
    seen_.lines.push_back(r ? "answer " + std::to_string(r->n)
                            : std::string(schema::name_of(r.error().code)));
  });
}

void DeskActor::put(std::string const& key, std::int64_t n, actor::Context& c) {
  values_[key] = n;
  c.upsert(ValueRow{key, n});
}

Result<Value> DeskActor::look(Look const& m, actor::Context&) {
  auto const found = values_.find(m.key);
  if (found == values_.end()) return Error{Code::not_found, "no key '" + m.key + "'"};
  return Value{found->second};
}

Result<Revealed> DeskActor::mint(Mint const& m, actor::Context& c) {
  if (auto allowed = c.allow(Verb::write, "secret/" + m.name); !allowed) return allowed.error();
  put(m.name, 1, c);
  return Revealed{Secret<std::string>("token of " + m.name)};
}

Result<Revealed> DeskActor::reveal(Reveal const& m, actor::Context& c) {
  if (auto allowed = c.allow(Verb::read, "secret/" + m.name); !allowed) return allowed.error();
  c.note("reason", "test");
  return Revealed{Secret<std::string>("value of " + m.name)};
}

std::map<std::string, DeskActor::Behaviour> const& DeskActor::direct_behaviours() {
  using T = actor::Ticket<Change>;
  using C = actor::Context;
  using D = DeskActor;
  static std::map<std::string, Behaviour> const direct{
      {"put",
       [](D& d, Change const& m, T t, C& c) {
         d.put(m.key, m.n, c);
         c.answer(t, Value{m.n});
       }},
      {"add",
       [](D& d, Change const& m, T t, C& c) {
         d.put(m.key, d.values_[m.key] + m.n, c);
         c.answer(t, Value{d.values_[m.key]});
       }},
      {"insert",
       [](D& d, Change const& m, T t, C& c) {  // rejected when the row is there
         d.values_[m.key] = m.n;
         c.append(ValueRow{m.key, m.n});
         c.answer(t, Value{m.n});
       }},
      {"throw",
       [](D& d, Change const& m, T, C& c) {
         d.put(m.key, m.n, c);
         throw std::runtime_error("thrown by the test");
       }},
      {"keep", [](D& d, Change const&, T t, C&) { d.kept_.push_back(t); }},
      {"answer kept",
       [](D& d, Change const& m, T t, C& c) {
         d.put(m.key, m.n, c);
         for (auto kept : d.kept_) c.answer(kept, Value{m.n});
         d.kept_.clear();
         c.answer(t, Value{m.n});
       }},
      {"answer twice",
       [](D& d, Change const& m, T t, C& c) {
         d.put(m.key, m.n, c);
         c.answer(t, Value{1});
         c.answer(t, Value{2});
         c.note("caller", c.caller().name);  // the request stays readable to the end of its handler
       }},
      {"emit",
       [](D&, Change const& m, T t, C& c) {
         for (std::int64_t i = 0; i < m.n; ++i) c.emit("news", Value{i});
         c.answer(t, Value{m.n});
       }},
  };
  return direct;
}

// Those whose effect comes later: timers, asks, work and reads.
std::map<std::string, DeskActor::Behaviour> const& DeskActor::late_behaviours() {
  using T = actor::Ticket<Change>;
  using C = actor::Context;
  using D = DeskActor;
  static std::map<std::string, Behaviour> const late{
      {"timer",
       [](D& d, Change const& m, T t, C& c) {
         c.after(m.n, [&d, key = m.key](C& later) {
           d.seen_.lines.push_back("timer " + key);
           d.put(key, 1, later);
         });
         c.answer(t, Value{m.n});
       }},
      {"bad timer",
       [](D& d, Change const& m, T t, C& c) {
         c.after(m.n, [&d](C&) {
           d.seen_.lines.push_back("bad timer");
           throw std::runtime_error("thrown by a timer");
         });
         c.answer(t, Value{0});
       }},
      {"ask",
       [](D& d, Change const& m, T t, C& c) {  // key names the peer, n the timeout
         d.ask(m.key, m.n, c);
         c.answer(t, Value{0});
       }},
      {"ask often",
       [](D& d, Change const& m, T t, C& c) {  // key names the peer
         auto& lines = d.seen_.lines;          // of the test, which outlives this actor
         for (std::int64_t i = 0; i < m.n; ++i)
           c.ask(m.key, Look{"x"}, 1'000,
                 [&lines](Result<Value> const&, C&) { lines.push_back("heard"); });
         c.answer(t, Value{0});
       }},
      {"await",
       [](D&, Change const& m, T t, C& c) {  // key names the peer, n how long it may wait
         c.ask(m.key, Await{m.n}, 60'000, [](Result<Value> const&, C&) {});
         c.answer(t, Value{0});
       }},
      {"work",
       [](D& d, Change const& m, T t, C& c) {
         auto shared = std::make_shared<std::int64_t>(0);
         c.work([shared, n = m.n] { *shared = n * n; },
                [&d, shared, key = m.key, t](C& later) {
                  d.put(key, *shared, later);
                  later.answer(t, Value{*shared});
                });
       }},
      {"find",
       [](D& d, Change const& m, T t, C& c) {
         store::Query const query{nullptr, {{"key", store::Compare::equal, m.key}}, "", false, 10};
         c.find<ValueRow>(query, [&d, t](Result<std::vector<ValueRow>> const& found, C& later) {
           if (!found) return later.answer(t, Result<Value>(found.error()));
           d.seen_.lines.push_back("found " + std::to_string(found->size()));
           later.answer(t, Value{found->empty() ? -1 : found->front().n});
         });
       }},
  };
  return late;
}

std::map<std::string, DeskActor::Behaviour> const& DeskActor::behaviours() {
  static auto const all = [] {
    auto both = direct_behaviours();
    both.insert(late_behaviours().begin(), late_behaviours().end());
    return both;
  }();
  return all;
}

}  // namespace lepton::test
