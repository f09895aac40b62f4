// Numbered events between real processes: a consumer that stands still loses nothing, and costs
// neither the other consumer nor the publisher anything that grows.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

constexpr std::int64_t first_events = 100, events = 40'000;  // of about 1 KiB
constexpr int limit_ms = 120'000;

struct Stream {
  rig::Folder folder;
  KeyPair publisher_keys = rig::keys(), fast_keys = rig::keys(), slow_keys = rig::keys();
  std::string requests = rig::free_tcp(), hints = rig::free_tcp();
  std::unique_ptr<rig::Child> publisher, fast, slow;

  explicit Stream(bool has_slow) {
    publisher = child(publisher_keys, "desk",
                      {"peer=" + requests, "hint=" + hints, "fast=" + fast_keys.public_key,
                       "slow=" + slow_keys.public_key, "rows=" + folder.file("rows"),
                       "events=" + std::to_string(events)});
    fast = consumer(fast_keys, "fast");
    if (has_slow) slow = consumer(slow_keys, "slow");
    EXPECT_TRUE(has("fast", first_events) && (!has_slow || has("slow", first_events)));
  }
  // Whether the consumer has so many numbers within limit_ms.
  bool has(std::string const& consumer, std::int64_t count) const {
    return rig::until(
        {}, [&] { return taken_in(consumer) >= count; }, limit_ms);
  }
  std::int64_t taken_in(std::string const& consumer) const {
    std::error_code none;
    auto const size = std::filesystem::file_size(folder.file(consumer), none);
    return none ? 0 : std::int64_t(size / 9);
  }
  std::vector<std::int64_t> numbers(std::string const& consumer) const {
    std::ifstream file(folder.file(consumer));
    std::vector<std::int64_t> out;
    for (std::int64_t number = 0; file >> number;) out.push_back(number);
    return out;
  }
  // How long the fast consumer needs for the rest, ms.
  long run() const {
    auto const start = rig::Clock::now();
    publisher->signal(SIGUSR1);
    EXPECT_TRUE(has("fast", events)) << taken_in("fast");
    return rig::milliseconds_since(start);
  }

 private:
  std::unique_ptr<rig::Child> child(KeyPair const& keys, std::string const& name,
                                    std::vector<std::string> args) const {
    EXPECT_TRUE(write_keys(folder.file(name + ".key"), keys));
    args.push_back("keys=" + folder.file(name + ".key"));
    auto out = std::make_unique<rig::Child>(std::move(args), STREAM_CHILD);
    EXPECT_TRUE(out->serves) << name;
    return out;
  }
  std::unique_ptr<rig::Child> consumer(KeyPair const& keys, std::string const& name) const {
    return child(keys, name,
                 {"name=" + name, "of=" + requests, "hints=" + hints,
                  "key=" + publisher_keys.public_key, "numbers=" + folder.file(name)});
  }
};

std::vector<std::int64_t> every_number() {
  std::vector<std::int64_t> out;
  for (std::int64_t number = 1; number <= events; ++number) out.push_back(number);
  return out;
}

TEST(Trap, AFrozenConsumerLosesNothingAndHoldsUpNobody) {
  auto const without_ms = Stream(false).run();
  Stream stream(true);
  auto const before_kib = stream.publisher->peak_memory_kib();
  stream.slow->signal(SIGSTOP);
  auto const with_ms = stream.run();
  auto const grown_kib = stream.publisher->peak_memory_kib() - before_kib;
  EXPECT_EQ(stream.numbers("fast"), every_number()) << "every event, once, in order";
  EXPECT_EQ(stream.taken_in("slow"), first_events) << "it stands still";
  // Both may be slow on a busy machine; who waits for the frozen one never comes to the end.
  EXPECT_LT(with_ms, 5 * without_ms + 5'000);
  // All events together are 40 MiB. Those of the last moments are in memory, all are in rows.
  if (rig::memory_can_be_judged) {
    EXPECT_LT(grown_kib, 12 * 1024);
  }
  stream.slow->signal(SIGCONT);
  EXPECT_TRUE(stream.has("slow", events)) << stream.taken_in("slow");
  EXPECT_EQ(stream.numbers("slow"), every_number()) << "it goes on from its cursor";
  EXPECT_EQ(stream.taken_in("fast"), events);
  RecordProperty("without_ms", int(without_ms));
  RecordProperty("with_ms", int(with_ms));
  RecordProperty("grown_kib", int(grown_kib));
}

}  // namespace
}  // namespace lepton::bus
