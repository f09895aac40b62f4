#include "common/service/config.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "common/base/text.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::service {

namespace {

// The codec reads the word "unknown", which other versions may have written for what they know.
Status check_policy(Config const& config) {
  if (config.placement_policy != PlacementPolicy::unknown) return ok();
  constexpr auto all = enumerators(PlacementPolicy{});
  std::vector<std::string> const names(all.begin() + 1, all.end());
  return Error{Code::invalid,
               "placement_policy: 'unknown' is not one of " + text::join(names, ", ")};
}

}  // namespace

Result<std::string> read_small_file(std::string const& path) {
  constexpr std::size_t bytes_max = 64 * 1024;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Error{errno == EACCES ? Code::denied : Code::not_found,
                 "cannot read " + path + ": " + std::strerror(errno)};
  std::string text(bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > bytes_max) return Error{Code::invalid, path + " is larger than 64 KiB"};
  return text;
}

Result<Config> read_config(std::string const& path) {
  auto text = read_small_file(path);
  if (!text) return text.error();
  auto config = codec::from_yaml<Config>(*text);
  if (!config) return Error{Code::invalid, path + ": " + config.error().what};
  if (auto policy = check_policy(*config); !policy)
    return Error{Code::invalid, path + ": " + policy.error().what};
  return config;
}

}  // namespace lepton::service
