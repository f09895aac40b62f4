// The order of requests tells apart what equality tells apart: a field that it forgets would let
// two kinds of request share what is kept for one.

#include "services/deployer/core/by_request.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(ByRequest, EveryFieldCounts) {
  using Change = std::function<void(ResourceRequest&)>;
  std::vector<Change> const changes{[](auto& r) { ++r.cpu_milli; },
                                    [](auto& r) { ++r.memory_mib; },
                                    [](auto& r) { ++r.disk_mib; },
                                    [](auto& r) { ++r.gpus; },
                                    [](auto& r) { ++r.gpu_milli; },
                                    [](auto& r) { ++r.gpu_memory_mib; },
                                    [](auto& r) { ++r.ports; },
                                    [](auto& r) { r.gpu_models = {"A100"}; },
                                    [](auto& r) { r.where.regions = {"eu"}; },
                                    [](auto& r) { ++r.bandwidth_mbit; },
                                    [](auto& r) { r.mig_profile = "1g.10gb"; }};
  ASSERT_EQ(changes.size(), schema::field_count<ResourceRequest>);
  ResourceRequest const plain;
  for (auto const& change : changes) {
    auto other = plain;
    change(other);
    EXPECT_NE(ByRequest()(plain, other), ByRequest()(other, plain));
  }
}

TEST(ByRequestProperty, NeitherIsLessWhereBothAreEqual) {
  ASSERT_TRUE(rc::check([] {
    auto const a = any_request(), b = any_request();
    RC_ASSERT((a == b) == (!ByRequest()(a, b) && !ByRequest()(b, a)));
    RC_ASSERT(!(ByRequest()(a, b) && ByRequest()(b, a)));
  }));
}

}  // namespace
}  // namespace lepton::deployer
