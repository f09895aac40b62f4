#pragma once
// Answers for people, made from the state. Pure.

#include <string>

#include "common/actor/message.hpp"
#include "schemas/vault.hpp"
#include "services/deployer/state.hpp"

namespace lepton::deployer {

// What a node says of itself, with what people have set over it.
std::map<std::string, std::string> labels_of(NodeRow const& row);
JobView view_of(Job const& job);
JobLine line_of(Job const& job, WallMs now);
std::string resources_in_words(JobSpec const& spec);  // "2 x 1 GPU H100, 4 CPU, 16384 MiB"

// "vault://ml/hf" names the path "secret/ml/hf".
std::string secret_path(std::string const& url);
OnBehalf submitter(actor::Caller const& caller);
std::string cancelled_by(actor::Caller const& caller, std::string const& reason);

}  // namespace lepton::deployer
