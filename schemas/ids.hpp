#pragma once
// The identities that travel between services. All are texts within the grammar of the thing they
// name.

#include "common/base/id.hpp"

namespace lepton {

using JobId = Id<struct JobTag>;          // uuid7, chosen by the caller
using TaskId = Id<struct TaskTag>;        // <job>-<index of the gang member>
using AttemptId = Id<struct AttemptTag>;  // <task>-<number of the attempt, from 1>
using NodeId = Id<struct NodeTag>;        // DNS label, unique in the installation
using PoolId = Id<struct PoolTag>;        // DNS label

}  // namespace lepton
