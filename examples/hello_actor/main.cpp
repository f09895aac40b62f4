// One actor with a message, a timer and a row, in a simulated world: it greets, remembers how
// often, and says so each second; a crash in between loses nothing. Run it: build/bin/hello_actor
#include <cstdio>

#include "common/sim/world.hpp"

using namespace lepton;

struct Greeting {
  std::string text;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "text", &Greeting::text, "The greeting."));
  }
};

struct Hello {  // the message
  static constexpr std::string_view topic = "greeter.hello";
  static constexpr bool mutates = true;  // recorded under its id and audited
  using Reply = Greeting;
  std::string name;
  std::string resource() const { return "guests/" + name; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &Hello::name, "Who says hello."));
  }
};

struct GuestRow {  // the row
  static constexpr std::string_view table = "guest";
  std::string name;
  std::int64_t visits = 0;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &GuestRow::name, "The guest.").key(),
                          schema::field(2, "visits", &GuestRow::visits, "How often."));
  }
};
static_assert(schema::complete<Greeting>() && schema::complete<Hello>() &&
              schema::complete<GuestRow>());

class Greeter final : public actor::Actor {
 public:
  Greeter() { on<Hello>(&Greeter::hello); }
  std::vector<store::Table const*> tables() const override {
    return {&store::table_of<GuestRow>()};
  }
  void restore(actor::Rows const& rows) override {
    for (auto const& row : rows.of<GuestRow>()) visits_[row.name] = row.visits;
  }
  void start(actor::Context& c) override { tick(c); }

 private:
  Result<Greeting> hello(Hello const& m, actor::Context& c) {
    if (m.name.empty()) return Error{Code::invalid, "a guest needs a name"};
    auto const visits = ++visits_[m.name];
    c.upsert(GuestRow{m.name, visits});  // durable before the answer leaves
    return Greeting{"Hello " + m.name + ", visit " + std::to_string(visits)};
  }
  void tick(actor::Context& c) {  // the timer
    std::printf("%6lld ms: %zu guests\n", static_cast<long long>(c.now()), visits_.size());
    c.after(1'000, [this](actor::Context& later) { tick(later); });
  }
  std::map<std::string, std::int64_t> visits_;
};

int main() {
  sim::World world(1, sim::Faults::none());
  world.add_process("greeter", [](sim::Machine& machine) {
    auto system = std::make_unique<actor::System>(actor::SystemSettings{"hello"}, machine.ports());
    system->add("greeter", [] { return std::make_unique<Greeter>(); }, {});
    return sim::Built(std::move(system));
  });
  auto& ann = world.add_client("ann");
  auto const say = [](Result<Greeting> const& r) { std::puts(r ? r->text.c_str() : "?"); };
  ann.send("greeter", Hello{"Ann"}, {}, say);
  world.run_for(1'500);
  world.crash("greeter");
  ann.send("greeter", Hello{"Ann"}, {}, say);
  world.run_for(3'000);
  return world.history()[1].outcome == sim::Outcome::acked ? 0 : 1;
}
