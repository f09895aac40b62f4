#pragma once
// How a request is answered: to whom it came from, under its topic and identity. A refusal says
// which sending of the request it refuses (schemas/refusal.hpp). Pure; any thread.

#include <string>

#include "common/actor/outbox.hpp"

namespace lepton::actor {

AnswerDraft reply_to(Request const& request, std::string body);
AnswerDraft refusal_to(Request const& request, Refusal refusal);
// In the place of an answer that has not left.
AnswerDraft refused_instead(AnswerDraft answer, Refusal refusal);

}  // namespace lepton::actor
