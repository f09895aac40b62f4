// bench_messaging [--quick] [--durable URL] [--only-durable]: what our messages cost beside plain
// TCP and bare libzmq with CURVE, and our durable changes beside bare libpq. Sides alternate in
// each round; medians of the rounds are shown, and the last line is JSON. `--durable`: the
// administrator's URL of an empty database, instead of a private one.

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "bench/messaging/side.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton::bench {
namespace {

struct Series {
  std::vector<double> rtt_p50_us, rtt_p99_us, pipelined_rps, pubsub_mps;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void note_requests(Series& series, Shared const& shared) {
  series.rtt_p50_us.push_back(shared.rtt_p50_us);
  series.rtt_p99_us.push_back(shared.rtt_p99_us);
  series.pipelined_rps.push_back(shared.pipelined_rps);
}

template <class F>
double nanoseconds(int count, F const& once) {
  auto const begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) once();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin)
             .count() /
         count;
}

struct CodecTimes {
  double encode_ns, decode_ns;
};
CodecTimes measure_codec() {
  Sample sample;
  auto const bytes = codec::encode(sample);
  std::vector<double> encode, decode;
  std::size_t check = 0;
  for (int round = 0; round < 7; ++round) {
    encode.push_back(nanoseconds(100'000, [&] { check += codec::encode(sample).size(); }));
    decode.push_back(
        nanoseconds(100'000, [&] { check += codec::decode<Sample>(bytes)->note.size(); }));
  }
  std::printf("codec of %zu octets: encode %.0f ns, decode %.0f ns (%zu)\n", bytes.size(),
              median(encode), median(decode), check % 10);
  return {median(encode), median(decode)};
}

int run(int rounds, Load const& load, std::string const& database_url, bool quick) {
  std::printf("real-time priority: %s; %d rounds\n", real_time_allowed() ? "yes" : "not allowed",
              rounds);
  auto const codec = measure_codec();
  auto& shared = create_shared();
  Series tcp, bare, ours;
  for (int round = 1; round <= rounds; ++round) {
    run_pair(tcp_server, tcp_client, load, shared);
    tcp.rtt_p50_us.push_back(shared.rtt_p50_us);
    run_pair(bare_server, bare_client, load, shared);
    note_requests(bare, shared);
    run_pair(our_server, our_client, load, shared);
    note_requests(ours, shared);
    run_pair(bare_publisher, bare_subscriber, load, shared);
    bare.pubsub_mps.push_back(shared.pubsub_mps);
    run_pair(our_publisher, our_subscriber, load, shared);
    ours.pubsub_mps.push_back(shared.pubsub_mps);
    std::printf(
        "round %d: rtt us tcp %.1f bare %.1f ours %.1f | pipelined/s bare %.0f ours %.0f | "
        "pubsub/s bare %.0f ours %.0f\n",
        round, tcp.rtt_p50_us.back(), bare.rtt_p50_us.back(), ours.rtt_p50_us.back(),
        bare.pipelined_rps.back(), ours.pipelined_rps.back(), bare.pubsub_mps.back(),
        ours.pubsub_mps.back());
    std::fflush(stdout);
  }
  auto const durable = durable_fields(database_url, quick);
  auto const rtt = median(ours.rtt_p50_us), bare_rtt = median(bare.rtt_p50_us);
  auto const rps = median(ours.pipelined_rps), bare_rps = median(bare.pipelined_rps);
  std::printf("ours / bare: rtt %.2f, pipelined %.2f\n", rtt / bare_rtt, rps / bare_rps);
  fmt::print(
      "{{\"rtt_p50_us\": {:.1f}, \"rtt_p99_us\": {:.1f}, \"bare_curve_rtt_p50_us\": {:.1f}, "
      "\"tcp_rtt_p50_us\": {:.1f}, \"rtt_ratio\": {:.3f}, \"pipelined_rps\": {:.0f}, "
      "\"bare_curve_pipelined_rps\": {:.0f}, \"pubsub_mps\": {:.0f}, \"bare_curve_pubsub_mps\": "
      "{:.0f}, "
      "\"encode_ns\": {:.0f}, \"decode_ns\": {:.0f}{}}}\n",
      rtt, median(ours.rtt_p99_us), bare_rtt, median(tcp.rtt_p50_us), rtt / bare_rtt, rps, bare_rps,
      median(ours.pubsub_mps), median(bare.pubsub_mps), codec.encode_ns, codec.decode_ns, durable);
  return 0;
}

}  // namespace
}  // namespace lepton::bench

int main(int argc, char** argv) {
  lepton::bench::Load load;
  int rounds = 7;
  bool quick = false, only_durable = false;
  std::string database_url;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
      rounds = 5;
      load.rtt_count = 2000;
      load.pipelined_count = 30'000;
      load.pubsub_count = 50'000;
    } else if (std::strcmp(argv[i], "--durable") == 0 && i + 1 < argc) {
      database_url = argv[++i];
    } else if (std::strcmp(argv[i], "--only-durable") == 0) {
      only_durable = true;
    } else if (std::strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
      ++i;  // no trace is used here
    } else {
      std::fprintf(stderr, "usage: bench_messaging [--quick] [--durable URL] [--only-durable]\n");
      return 2;
    }
  }
  if (only_durable) {
    std::printf("{%s}\n", lepton::bench::durable_fields(database_url, quick).substr(2).c_str());
    return 0;
  }
  return lepton::bench::run(rounds, load, database_url, quick);
}
