#pragma once
// One side of a comparison: a server and a client, each in a process of its own, over loopback. The
// processes are forked before any libzmq context lives in them. Results return through shared
// memory.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "common/schema/schema.hpp"

namespace lepton::bench {

// 256 octets on the wire, in the mix of a usual message.
struct Sample {
  static constexpr std::string_view topic = "bench.sample";
  using Reply = Sample;
  std::string job = "0190b1c2-7f3a-7abc-8def-0123456789ab";
  std::string owner = "anna";
  std::uint32_t gpus = 8;
  std::int64_t memory_mib = 81920;
  std::int64_t queued_at_ms = 1'800'000'000'000;
  double priority = 0.75;
  bool urgent = false;
  std::string note = std::string(163, 'n');

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "job", &Sample::job, "Identity."),
                          field(2, "owner", &Sample::owner, "Who asked."),
                          field(3, "gpus", &Sample::gpus, "Whole GPUs."),
                          field(4, "memory_mib", &Sample::memory_mib, "Memory, MiB."),
                          field(5, "queued_at_ms", &Sample::queued_at_ms, "Since 1970, ms."),
                          field(6, "priority", &Sample::priority, "0 to 1."),
                          field(7, "urgent", &Sample::urgent, "Jumps the queue."),
                          field(8, "note", &Sample::note, "Free text."));
  }
};
static_assert(schema::complete<Sample>());

struct Load {
  int rtt_warm = 500, rtt_count = 5000;
  int pipelined_count = 100'000, window = 1000;
  int pubsub_count = 200'000, pubsub_ahead = 500;
  int queue = 4000;  // high-water marks of both sides
};

// In memory that both processes share.
struct Shared {
  char endpoint[64];
  char server_key[48];
  std::atomic<bool> ready;
  std::atomic<std::int64_t> received;       // of a subscriber
  std::atomic<std::int64_t> commits, rows;  // of a durable server
  double rtt_p50_us, rtt_p99_us, pipelined_rps, pubsub_mps;
  double group_items;  // durable changes in one transaction, mean of the pipelined part
};

using Part = std::function<void(Load const&, Shared&)>;

// Runs the server until the client is done, with real-time priority where that is allowed.
void run_pair(Part const& server, Part const& client, Load const& load, Shared& shared);
Shared& create_shared();
bool use_real_time();  // for this thread and what it starts from now on
bool real_time_allowed();

// Lets a publisher stay at most so far ahead of its subscriber. A queue that is full drops without
// a word, so that after a pause one more is sent anyway.
class Pace {
 public:
  Pace(Load const& load, Shared const& shared) : ahead_(load.pubsub_ahead), shared_(shared) {}
  void before(std::int64_t number) const;

 private:
  std::int64_t ahead_;
  Shared const& shared_;
};

std::string free_endpoint();
void wait_ready(Shared& shared);

// Calls `once` for warm-up and then count times, and notes the median and the 99th percentile.
void measure_rtt(Load const& load, Shared& shared, std::function<void()> const& once);

void tcp_server(Load const& load, Shared& shared);
void tcp_client(Load const& load, Shared& shared);
void bare_server(Load const& load, Shared& shared);
void bare_client(Load const& load, Shared& shared);
void bare_publisher(Load const& load, Shared& shared);
void bare_subscriber(Load const& load, Shared& shared);
void our_server(Load const& load, Shared& shared);
void our_client(Load const& load, Shared& shared);
void our_publisher(Load const& load, Shared& shared);
void our_subscriber(Load const& load, Shared& shared);

// What needs a database; see durable.cpp. Without a URL it is a private one. Returns JSON fields,
// each beginning with ", ".
std::string durable_fields(std::string const& database_url, bool quick);

}  // namespace lepton::bench
