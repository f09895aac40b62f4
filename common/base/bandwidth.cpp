#include "common/base/bandwidth.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace lepton {

Result<std::int64_t> parse_bandwidth_mbit(std::string_view text) {
  struct Unit {
    std::string_view name;
    double mbit;
  };
  constexpr std::array<Unit, 3> units{{{"Mbit", 1}, {"Gbit", 1e3}, {"Tbit", 1e6}}};
  auto const bad = [&](std::string const& why) {
    return Error{Code::invalid, "'" + std::string(text.substr(0, 64)) + "' " + why};
  };
  auto const size = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  auto const [end, failed] =
      std::from_chars(text.data(), text.data() + size, number, std::chars_format::fixed);
  auto const unit = std::find_if(units.begin(), units.end(),
                                 [&](Unit const& u) { return u.name == text.substr(size); });
  if (size == 0 || failed != std::errc{} || end != text.data() + size || unit == units.end())
    return bad("is not a bandwidth; write bits per second, for example 10Gbit or 800Mbit");
  auto const mbit = std::ceil(number * unit->mbit);
  if (mbit > static_cast<double>(bandwidth_mbit_max)) return bad("is more than any network has");
  return static_cast<std::int64_t>(mbit);
}

}  // namespace lepton
