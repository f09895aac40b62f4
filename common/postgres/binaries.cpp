#include "common/postgres/binaries.hpp"

#include <fmt/format.h>

#include <vector>

#include "common/base/text.hpp"

namespace lepton::postgres {

Result<Binaries> find_binaries(std::optional<int> major, std::filesystem::path const& root) {
  Binaries best;
  std::vector<std::string> seen;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(root, error)) {
    auto const number = text::parse_int(entry.path().filename().string());
    auto const bin = entry.path() / "bin";
    if (!number || !std::filesystem::exists(bin / "initdb", error)) continue;
    seen.push_back(std::to_string(*number));
    auto const wanted = major ? *number == *major : *number >= oldest_major;
    if (wanted && *number > best.major) best = {static_cast<int>(*number), bin};
  }
  if (best.major != 0) return best;
  auto const found = seen.empty() ? "none" : "only version " + text::join(seen, ", ");
  if (major)
    return Error{Code::not_found,
                 fmt::format("the data folder was made by PostgreSQL {}, but under {} there is {}; "
                             "try: apt-get install postgresql-{}",
                             *major, root.string(), found, *major)};
  return Error{Code::not_found,
               fmt::format("PostgreSQL {} or newer is needed, but under {} there is {}; try: "
                           "apt-get install postgresql, or set database_url to a running server",
                           oldest_major, root.string(), found)};
}

}  // namespace lepton::postgres
