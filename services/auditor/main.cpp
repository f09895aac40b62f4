#include <cstdio>
#include <filesystem>

#include "common/service/service.hpp"
#include "services/auditor/auditor.hpp"
#include "services/auditor/log_key.hpp"

namespace {

using namespace lepton;

std::string log_key_file(service::Config const& config) {
  if (!config.log_key_file.empty()) return config.log_key_file;
  return std::filesystem::path(config.keys_file).replace_filename("auditor_log.key").string();
}

Result<auditor::Settings> settings_of(service::Config const& config) {
  if (!auditor::is_key_name(config.log_origin))
    return Error{Code::invalid,
                 "log_origin: '" + config.log_origin +
                     "' is no name for a log; use printable ASCII without spaces and '+', for "
                     "example audit.example.org/lepton"};
  crypto::SystemEntropy entropy;
  auto key = auditor::read_or_create_log_key(log_key_file(config), entropy);
  if (!key) return key.error();
  return auditor::Settings{.key = std::move(*key), .origin = config.log_origin};
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<auditor::Settings> settings;
  // The key is made before anything runs; what is wrong with the arguments or the file is said by
  // run().
  if (auto config = argc == 3 ? service::read_config(argv[2]) : Error{}; config) {
    auto made = settings_of(*config);
    if (!made) return std::fprintf(stderr, "lepton-auditor: %s\n", made.error().what.c_str()), 1;
    settings = std::move(*made);
  }
  auto const make = [&settings](service::Config const&) -> actor::Factory {
    LEPTON_CHECK(settings.has_value(), "run() makes the actor only of settings that could be read");
    return [wanted = *settings] { return std::make_unique<auditor::Auditor>(wanted); };
  };
  return service::run({"auditor", make, {}}, argc, argv);
}
