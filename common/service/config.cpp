#include "common/service/config.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "common/codec/yaml.hpp"

namespace lepton::service {

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
  return config;
}

}  // namespace lepton::service
