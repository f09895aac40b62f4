#include "common/actor/answers.hpp"

#include <utility>

#include "common/codec/msgpack.hpp"

namespace lepton::actor {

AnswerDraft reply_to(Request const& request, std::string body) {
  auto const& asked = request.header;
  return {request.route,
          {.kind = Kind::reply,
           .topic = asked.topic,
           .id = asked.id,
           .attempt = asked.attempt,
           .trace = asked.trace},
          std::move(body),
          request.caller.door == Door::local};
}

AnswerDraft refusal_to(Request const& request, Refusal refusal) {
  return refused_instead(reply_to(request, ""), std::move(refusal));
}

AnswerDraft refused_instead(AnswerDraft answer, Refusal refusal) {
  refusal.attempt = answer.header.attempt;
  answer.header.kind = Kind::refusal;
  answer.body = codec::encode(refusal);
  return answer;
}

}  // namespace lepton::actor
