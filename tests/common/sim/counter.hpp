#pragma once
// The smallest useful actors: a counter with a durable row, and a driver that keeps asking it. For
// tests of the simulated world and of the runtime.

#include "common/actor/system.hpp"
#include "common/sim/world.hpp"

namespace lepton::test {

struct Sum {
  std::int64_t value = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "value", &Sum::value, "The sum so far."));
  }
};
static_assert(schema::complete<Sum>());

struct Add {
  static constexpr std::string_view topic = "counter.add";
  static constexpr bool mutates = true;
  using Reply = Sum;
  std::int64_t by = 0;
  std::string resource() const { return "counter"; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "by", &Add::by, "How much to add."));
  }
};
static_assert(schema::complete<Add>());

struct Read {
  static constexpr std::string_view topic = "counter.read";
  using Reply = Sum;
  std::int64_t unused = 0;
  std::string resource() const { return "counter"; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "unused", &Read::unused, "Nothing.").optional());
  }
};
static_assert(schema::complete<Read>());

struct SumRow {
  static constexpr std::string_view table = "sum";
  std::int64_t id = 0;
  std::int64_t value = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "id", &SumRow::id, "Always 0.").key(),
                          schema::field(2, "value", &SumRow::value, "The sum so far."));
  }
};
static_assert(schema::complete<SumRow>());

class Counter final : public actor::Actor {
 public:
  Counter() {
    on<Add>(&Counter::add);
    on<Read>(&Counter::read);
  }
  std::vector<store::Table const*> tables() const override { return {&store::table_of<SumRow>()}; }
  void restore(actor::Rows const& rows) override {
    for (auto const& row : rows.of<SumRow>()) sum_ = row.value;
  }
  std::int64_t sum() const { return sum_; }

 private:
  Result<Sum> add(Add const& m, actor::Context& c) {
    sum_ += m.by;
    c.upsert(SumRow{0, sum_});
    return Sum{sum_};
  }
  Result<Sum> read(Read const&, actor::Context&) { return Sum{sum_}; }
  std::int64_t sum_ = 0;
};

// Asks the counter `width` times at once, and again as soon as an answer comes.
class Driver final : public actor::Actor {
 public:
  explicit Driver(int width) : width_(width) {}
  void start(actor::Context& c) override {
    for (int i = 0; i < width_; ++i) ask(c);
  }
  std::int64_t answers = 0;

 private:
  void ask(actor::Context& c) {
    c.ask("counter", Read{}, 5'000, [this](Result<Sum> const&, actor::Context& later) {
      ++answers;
      ask(later);
    });
  }
  int width_;
};

inline sim::Maker counter_maker() {
  return [](sim::Machine& machine) {
    auto system = std::make_unique<actor::System>(actor::SystemSettings{.service = "counter"},
                                                  machine.ports());
    system->add("counter", [] { return std::make_unique<Counter>(); }, {});
    return sim::Built(std::move(system));
  };
}

inline sim::Maker driver_maker(int width) {
  return [width](sim::Machine& machine) {
    auto system = std::make_unique<actor::System>(actor::SystemSettings{.service = machine.name()},
                                                  machine.ports());
    actor::HostSettings settings;
    settings.durable = false;
    settings.streams = {};
    system->add(
        machine.name(), [width] { return std::make_unique<Driver>(width); }, settings);
    return sim::Built(std::move(system));
  };
}

inline std::int64_t stored_sum(sim::World const& world) {
  auto const& rows = world.disk("counter").rows("sum");
  return rows.empty() ? 0 : std::get<std::int64_t>(rows.begin()->second[1]);
}

}  // namespace lepton::test
