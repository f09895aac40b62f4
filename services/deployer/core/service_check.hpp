#pragma once
// Refuses a service that could not run as written. Pure; the error names the field.

#include "common/base/result.hpp"
#include "schemas/service.hpp"

namespace lepton::deployer {

inline constexpr std::size_t service_name_max = 50;

Status check_service(ServiceSpec const& spec);

}  // namespace lepton::deployer
