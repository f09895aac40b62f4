#pragma once
// Amounts and times as people read them. Pure; any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "schemas/resize.hpp"

namespace lepton::cli {

std::string duration_words(std::int64_t ms);   // "850ms", "42s", "3m10s", "2h5m", "4d3h"
std::string ago(WallMs at_ms, WallMs now_ms);  // "3m10s ago", "-" for 0
std::string mib_words(std::int64_t mib);       // "512 MiB", "1.5 GiB"
std::string milli_words(std::int64_t milli);   // "1.5", "16"
std::string task_words(TaskSize const& size);  // "16 CPU, 1.5 GiB"
std::string time_words(WallMs at_ms);          // UTC, "-" for 0

}  // namespace lepton::cli
