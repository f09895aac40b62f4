// The two ends of a stream of numbered events, each in a process of its own; the publisher is a
// real actor system on a real bus, its rows of events are in a file. Arguments are NAME=VALUE:
//   keys=FILE       its key pair
// Publisher, if it has rows=:
//   peer= hint=     endpoints to listen at
//   fast= slow=     the keys of its consumers
//   rows=FILE       the rows of events
//   events=N        it emits 100 at once, and as many as this in all after SIGUSR1
// Consumer:
//   name=           fast or slow
//   of= hints= key=   the endpoints and the key of the publisher
//   numbers=FILE    one line of 9 octets for each event that it has taken in, in this order
// Prints "ready" once it serves. Ends with its parent.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>
#include <map>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"

using namespace lepton;

namespace {

using Args = std::map<std::string, std::string>;

constexpr std::int64_t first_events = 100, burst = 20;
constexpr TimeMs pull_again_ms = 2'000;
volatile std::sig_atomic_t go = 0;

// About 1 KiB, so that events which are kept where they should not be are seen in the memory.
struct Note {
  static constexpr std::string_view topic = "desk.note";
  std::string text;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "text", &Note::text, "Begins with its number."));
  }
};
static_assert(schema::complete<Note>());

std::string text_of(std::int64_t number) {
  auto text = std::to_string(number);
  text.insert(0, 8 - text.size(), '0');
  return text + std::string(1'000, '.');
}

class Publisher final : public actor::Actor {
 public:
  explicit Publisher(std::int64_t total) : total_(total) {}
  void start(actor::Context& c) override { emit(c); }

 private:
  void emit(actor::Context& c) {
    auto const allowed = go != 0 ? total_ : first_events;
    auto const to = std::min(allowed, emitted_ + burst);
    TimeMs const pause_ms = to == emitted_ ? 5 : 0;
    while (emitted_ < to) c.emit("audit", Note{text_of(++emitted_)});
    c.after(pause_ms, [this](actor::Context& later) { emit(later); });
  }
  std::int64_t total_, emitted_ = 0;
};

// Bodies of events, all of one size, one after the other; no other rows.
class EventFile final : public store::Store {
 public:
  explicit EventFile(std::string const& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {}
  ~EventFile() override { ::close(fd_); }

  void commit(store::Batch batch, Committed done) override {
    for (auto const& change : batch.changes) {
      if (change.table != events()) continue;
      if (change.op == store::Op::append) write(change.cells);
      if (change.op == store::Op::erase_to) first_ = std::get<std::int64_t>(change.cells[1]) + 1;
    }
    told_.push_back([done] { done({}); });
  }
  void load(std::vector<store::Table const*> tables, Loaded done) override {
    told_.push_back([done, n = tables.size()] { done(std::vector<std::vector<store::Cells>>(n)); });
  }
  void find(store::Query query, Found done) override {
    std::vector<store::Cells> rows;
    if (query.table == events() && query.where.size() == 2) {
      auto const after = std::get<std::int64_t>(query.where[1].value);
      for (auto seq = std::max(after + 1, first_); seq <= last_ && rows.size() < query.limit; ++seq)
        rows.push_back(store::to_cells(read(seq)));
    }
    told_.push_back([done, rows] { done(rows); });
  }
  bool tell() {
    bool const any = !told_.empty();
    for (auto now = std::exchange(told_, {}); auto const& then : now) then();
    return any;
  }

 private:
  static store::Table const* events() { return &store::table_of<actor::EventRow>(); }
  off_t place(std::int64_t seq) const { return off_t(seq - 1) * off_t(size_); }
  void write(store::Cells const& cells) {
    auto const row = *store::from_cells<actor::EventRow>(cells);
    size_ = row.body.data.size();
    if (::pwrite(fd_, row.body.data.data(), size_, place(row.seq)) != ssize_t(size_)) std::_Exit(3);
    last_ = row.seq;
  }
  actor::EventRow read(std::int64_t seq) const {
    std::string body(size_, '\0');
    if (::pread(fd_, body.data(), size_, place(seq)) != ssize_t(size_)) std::_Exit(3);
    return {"audit", seq, std::string(Note::topic), Bytes{std::move(body)}, 0};
  }
  int fd_;
  std::size_t size_ = 0;
  std::int64_t first_ = 1, last_ = 0;
  std::deque<std::function<void()>> told_;
};

class NoGate final : public actor::Gate {
  Status allow(actor::Caller const&, Verb, std::string_view) override { return ok(); }
};
class NoWorker final : public actor::Worker {
  void run(std::function<void()>, std::function<void()>) override { std::_Exit(3); }
};

class Reception final : public bus::Sink {
 public:
  Reception(bus::Bus& bus, actor::System& system) : bus_(bus), system_(system) {}
  void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                  std::string body) override {
    actor::Request request;
    request.caller = {door, bus_.peer_of(key), key, {}, {}};
    request.route = std::move(route);
    request.header = std::move(header);
    request.body = std::move(body);
    system_.deliver_request(std::move(request));
  }
  void on_answer(std::string const&, Header, std::string) override {}
  void on_hint(std::string const&, Hint) override {}

 private:
  bus::Bus& bus_;
  actor::System& system_;
};

int serve() {
  std::puts("ready");
  return std::fflush(stdout);
}

[[noreturn]] void publish(Args args, bus::Bus& bus) {
  std::signal(SIGUSR1, [](int) { go = 1; });
  SystemClock clock;
  EventFile store(args["rows"]);
  NoGate gate;
  NoWorker worker;
  crypto::SystemEntropy entropy;
  Chance chance(1);
  actor::Ports ports{clock, store, bus, gate, worker, entropy, chance, [](auto, auto const&) {}};
  actor::System system({.service = "desk"}, ports);
  actor::HostSettings settings;
  settings.audit_consumers = {"fast", "slow"};
  settings.outlet.kept_max = 1'000;
  auto const make = [n = std::stoll(args["events"])] { return std::make_unique<Publisher>(n); };
  system.add("desk", make, settings);
  system.start();
  Reception reception(bus, system);
  serve();
  for (bool more = false;;) {
    auto const next = system.next_at().value_or(clock.now_ms()) - clock.now_ms();
    bus.poll(reception, more ? 0 : int(std::clamp<TimeMs>(next, 0, 100)));
    more = store.tell();
    more = system.step() || more;
  }
}

// Pulls from its own cursor, as the auditor does: a page is taken in before the next is asked for.
class Consumer final : public bus::Sink {
 public:
  Consumer(Args args, bus::Bus& bus)
      : name_(args["name"]),
        bus_(bus),
        fd_(::open(args["numbers"].c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

  void on_request(actor::Door, std::string, actor::Route, Header, std::string) override {}
  void on_hint(std::string const&, Hint hint) override {
    head_ = std::max(head_, hint.head);
    pull_if_behind();
  }
  // An answer of an earlier pull is late and no answer any more.
  void on_answer(std::string const&, Header header, std::string body) override {
    if (header.id != asked_) return;
    asked_.clear();
    auto const page = codec::decode<EventsPage>(body);
    if (header.kind != Kind::reply || !page || page->reset) std::_Exit(4);
    epoch_ = page->epoch;
    head_ = std::max(head_, page->head);
    for (auto const& event : page->events) take(event);
    pull_if_behind();
  }

 private:
  void pull_if_behind() {
    if (head_ <= seq_ || (!asked_.empty() && clock_.now_ms() < again_at_)) return;
    again_at_ = clock_.now_ms() + pull_again_ms;
    Header header;
    header.kind = Kind::request;
    header.topic = EventsPull::topic;
    header.id = asked_ = "pull-" + std::to_string(++pulls_);
    header.deadline_ms = 10'000;
    EventsPull const pull{"desk", "audit", name_, epoch_, seq_, 500};
    bus_.request("desk", header, codec::encode(pull));
  }
  // Whatever number comes is written down: the test is the judge.
  void take(EventRecord const& event) {
    auto const note = codec::decode<Note>(event.body.data);
    if (!note || note->text != text_of(event.seq)) std::_Exit(4);
    auto const line = note->text.substr(0, 8) + "\n";
    if (::write(fd_, line.data(), line.size()) != ssize_t(line.size())) std::_Exit(3);
    seq_ = event.seq;
  }
  std::string name_, asked_;
  bus::Bus& bus_;
  SystemClock clock_;
  int fd_;
  std::int64_t epoch_ = 0, seq_ = 0, head_ = 0, pulls_ = 0;
  TimeMs again_at_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Args args;
  for (auto const& arg : std::vector<std::string>(argv + 1, argv + argc))
    args[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
  bool const publisher = !args["rows"].empty();
  auto keys = bus::read_keys(args["keys"]);
  if (!keys) return std::fprintf(stderr, "%s\n", keys.error().what.c_str()), 2;
  bus::BusSettings settings{"desk", *keys, args["peer"], "", args["hint"], {}, {}};
  if (publisher) {
    for (auto const* const name : {"fast", "slow"})
      settings.peers.push_back({name, "", "", args[name]});
  } else {
    settings.name = args["name"];
    settings.peers.push_back({"desk", args["of"], args["hints"], args["key"]});
  }
  auto bus = bus::Bus::open(std::move(settings));
  if (!bus) return std::fprintf(stderr, "%s\n", bus.error().what.c_str()), 2;
  if (publisher) publish(std::move(args), **bus);
  Consumer consumer(std::move(args), **bus);
  serve();
  while (true) (*bus)->poll(consumer, -1);
}
