#pragma once
// Amounts as specs write them. Grammars (no spaces inside; "N+" and "N.." mean at least N):
//
//   duration = 1*( number ("ms" / "s" / "m" / "h" / "d") )          10m, 1h30m, 500ms; "0" is none
//   bandwidth = that of common/base/bandwidth.hpp [ "+" / ".." ]         10Gbit, 800Mbit+
//   memory   = number ("B" / "kB" / "MB" / "GB" / "TB" / "KiB" / "MiB" / "GiB" / "TiB") [ "+" /
//   ".." ] cpus     = ( number / whole "m" ) [ "+" / ".." ]                16, 0.5, 500m, 16+ gpu
//   = count / model [ ":" count ]                          2, H100, H100:8
//
// Decimal units are powers of 1000 as the makers of devices use them: a GPU sold with 80GB has
// 76,294 MiB and more. Memory is rounded up to whole MiB. Errors: invalid, with the cure. Pure; any
// thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace lepton::cli {

Result<std::int64_t> parse_duration_ms(std::string_view text);
Result<std::int64_t> parse_memory_mib(std::string_view text);
Result<std::int64_t> parse_cpu_milli(std::string_view text);
Result<std::int64_t> parse_open_bandwidth_mbit(std::string_view text);

struct GpuWish {
  std::string model;  // empty: any
  std::uint32_t count = 1;
  bool operator==(GpuWish const&) const = default;
};
Result<GpuWish> parse_gpu(std::string_view text);

}  // namespace lepton::cli
