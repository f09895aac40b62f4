#pragma once
// service autoscale|scale|list|explain|release: how many replicas a service has, and why. One
// thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/scaler.hpp"

namespace lepton::cli {

Commands service_commands();

// What a person types for `autoscale`.
struct AutoscaleOptions {
  std::string service, policy = "hpa", signal = "cpu", per_replica = "0.7";
  std::int64_t min = 1, max = 1, replicas = -1;
  std::string up_cooldown = "0s", down_cooldown = "0s", zero_after = "30s";
};
// invalid, with the name of the option.
Result<ServiceScalePut> autoscale_request(AutoscaleOptions const& options);

Table service_table(ScaledServicePage const& page, WallMs now_ms);
// The sheet of one service, and its changes below.
Table explanation_sheet(ServiceExplanation const& told, WallMs now_ms);
Table change_table(ServiceExplanation const& told, WallMs now_ms);

}  // namespace lepton::cli
