#pragma once
// A request that is sent again while the service answers "not yet" (unavailable): the rules of
// access reach each service about a second after the vault made them. One thread; times in ms.

#include <algorithm>

#include "common/bus/client.hpp"

namespace lepton::cli {

inline constexpr TimeMs patience_ms = 15'000;

template <class M>
Result<typename M::Reply> ask_patiently(bus::Client& client, M const& message,
                                        TimeMs limit_ms = patience_ms) {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + limit_ms;
  for (;;) {
    auto reply = client.call(message, std::max<TimeMs>(1, deadline - clock.now_ms()));
    if (reply || reply.error().code != Code::unavailable || clock.now_ms() >= deadline)
      return reply;
    auto const again_at = clock.now_ms() + std::max<TimeMs>(100, client.retry_after_ms());
    while (clock.now_ms() < std::min(again_at, deadline))
      client.pump(static_cast<int>(again_at - clock.now_ms()));
  }
}

}  // namespace lepton::cli
