#pragma once
// service apply|show|list|history|revert|remove: services and their replicas; service
// autoscale|scale|explain|release: how many replicas a service has, and why. One thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/scaler.hpp"
#include "schemas/service.hpp"

namespace lepton::cli {

Commands service_commands();
Commands serving_commands();

// What a person types for `autoscale`.
struct AutoscaleOptions {
  std::string service, policy = "hpa", signal = "cpu", per_replica = "0.7";
  std::int64_t min = 1, max = 1, replicas = -1;
  std::string up_cooldown = "0s", down_cooldown = "0s", zero_after = "30s";
  std::string keep = "1", share = "1", period = "1m", follows;  // of the policy adjustment
};
// invalid, with the name of the option.
Result<ServiceScalePut> autoscale_request(AutoscaleOptions const& options);

// The answer to what changes a service; also to a number by hand.
Result<int> show_applied(Shell& shell, Result<ServiceApplied> const& got);

Table service_table(ServicePage const& page);
Table service_sheet(ServiceView const& view);
Table replica_table(ServiceView const& view, WallMs now_ms);
Table revision_table(RevisionPage const& page, WallMs now_ms);

Table scaled_table(ScaledServicePage const& page, WallMs now_ms);
// The sheet of one service, and its changes below.
Table explanation_sheet(ServiceExplanation const& told, WallMs now_ms);
Table change_table(ServiceExplanation const& told, WallMs now_ms);

}  // namespace lepton::cli
