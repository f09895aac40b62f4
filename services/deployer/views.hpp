#pragma once
// Answers for people, made from the state. Pure.

#include <string>

#include "common/actor/message.hpp"
#include "schemas/vault.hpp"
#include "services/deployer/state.hpp"

namespace lepton::deployer {

// What a node says of itself, with what people have set over it.
std::map<std::string, std::string> labels_of(NodeRow const& row);
// Of what the deployer itself does.
AuditEvent own_event(std::string resource, std::string action, AuditOutcome outcome,
                     std::string why = "");
// Sorted by key, one of each.
void put_taint(std::vector<Taint>& taints, Taint const& taint);
JobView view_of(Job const& job);
JobLine line_of(Job const& job, WallMs now);
std::string words_of(TaskSize const& size);  // "4 CPU, 16384 MiB"
std::string words_of(Resizing const& resizing);
// "2 x 1 GPU H100, 4 CPU, 16384 MiB"
std::string resources_in_words(ResourceRequest const& each, std::uint32_t nodes);

// What the vault is asked for before a task starts: name to path; "vault://ml/hf" names the path
// "secret/ml/hf". Credentials of the image's registry are among them.
std::map<std::string, std::string> secrets_of(JobSpec const& spec);
inline bool has_secrets(JobSpec const& spec) {
  return !spec.secrets.empty() || !spec.image_credentials.empty();
}
OnBehalf submitter(actor::Caller const& caller);
std::string cancelled_by(actor::Caller const& caller, std::string const& reason);

}  // namespace lepton::deployer
