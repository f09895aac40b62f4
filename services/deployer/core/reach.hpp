#pragma once
// How near a node is to users and to data, and how exposed, by what its labels say:
// `latency_ms=12`, `data/imagenet`, `exposure/internet=0.3`. What a node does not say counts as too
// far and as wholly exposed. Pure.

#include <string>

#include "services/deployer/core/affinity.hpp"

namespace lepton::deployer {

inline constexpr std::int64_t whole_milli = 1'000;  // a probability of 1

// Refuses with the field of the spec named.
Status check_reach(Constraints const& c);

bool within(LabelLimit const& limit, Labels const& labels);
std::int64_t limits_met(Constraints const& c, Labels const& labels);

bool has_data(Constraints const& c, Labels const& labels);
// Nothing when the network of the node is not known. 0 where the data is.
std::optional<std::int64_t> transfer_ms(DataNeed const& data, Labels const& labels,
                                        std::int64_t bandwidth_mbit);
bool arrives_in_time(DataNeed const& data, Labels const& labels, std::int64_t bandwidth_mbit);

// The sum of weight x probability, in millionths; what is not known counts as certain.
std::int64_t exposure_micro(ExposureLimit const& e, Labels const& labels);
bool exposed_too_much(ExposureLimit const& e, Labels const& labels);

// "latency_ms 20 and pue 1.2"
std::string limits_text(Constraints const& c);
// "has latency_ms 35, more than 20"
std::string limits_in_words(Constraints const& c, Labels const& labels);
std::string transfer_in_words(DataNeed const& data, Labels const& labels,
                              std::int64_t bandwidth_mbit);
// "is exposed by 0.62 (internet 0.6 x 0.9 + tenants 0.4 x 0.2), more than 0.3"
std::string exposure_in_words(ExposureLimit const& e, Labels const& labels);

}  // namespace lepton::deployer
