#pragma once
// Bounds of everything that one connection may cost. Checked before anything is decoded.

#include <cstddef>

namespace lepton::bus {

struct Limits {
  std::size_t header_bytes_max = 4u << 10;
  std::size_t body_bytes_max = 4u << 20;
  int receive_queue_max = 2000;  // per connection; more than an honest peer has out at once
  int send_queue_max = 1000;     // messages per connection, then answers are dropped and counted
  int batch_max = 64;            // messages of one socket per poll
};

inline constexpr std::size_t header_size_octets = 4;  // in front of each header
inline constexpr std::size_t id_bytes_max = 64;
inline constexpr std::size_t topic_bytes_max = 128;
inline constexpr int heartbeat_every_ms = 1000;
inline constexpr int silence_max_ms = 2500;  // then a connection counts as lost

}  // namespace lepton::bus
