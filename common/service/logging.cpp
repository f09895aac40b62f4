#include "common/service/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace lepton::service {
namespace {

spdlog::level::level_enum to_spdlog(actor::Level level) {
  switch (level) {
    case actor::Level::debug:
      return spdlog::level::debug;
    case actor::Level::info:
      return spdlog::level::info;
    case actor::Level::warning:
      return spdlog::level::warn;
    case actor::Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

actor::Log make_log(std::string const& level) {
  static auto const logger = [] {
    auto made = spdlog::stderr_logger_st("lepton");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  logger->set_level(level == "warning" ? spdlog::level::warn : spdlog::level::from_str(level));
  return [](actor::Level l, std::string const& text) { logger->log(to_spdlog(l), text); };
}

}  // namespace lepton::service
