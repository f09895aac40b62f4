#pragma once
// Everything that a handler wants to happen. Rows and events are committed in one transaction; only
// then do answers, asks, timers, work and reads leave. Nothing of an outbox happens if its rows are
// not durable.

#include <functional>
#include <string>
#include <vector>

#include "common/actor/message.hpp"
#include "common/store/store.hpp"

namespace lepton::actor {

class Context;
using Continue = std::function<void(Context&)>;

struct EventDraft {
  std::string stream;
  std::string topic;
  std::string body;
};

struct AnswerDraft {
  Route route;
  Header header;  // kind, topic and id of the answer
  std::string body;
  bool local = false;
};

struct AskDraft {
  std::string peer;
  std::string topic;
  std::string body;
  TimeMs timeout_ms = 0;
  TimeMs patience_ms = 0;  // how long the other side may hold the answer back
  std::function<void(Answer const&, Context&)> then;
};

struct TimerDraft {
  TimeMs delay_ms = 0;
  Continue then;
};

struct WorkDraft {
  std::function<void()> job;
  Continue then;
};

struct FindDraft {
  store::Query query;
  std::function<void(Result<std::vector<store::Cells>> const&, Context&)> then;
};

struct Outbox {
  std::vector<store::Change> changes;
  std::vector<EventDraft> events;
  std::vector<AnswerDraft> answers;
  std::vector<AskDraft> asks;
  std::vector<TimerDraft> timers;
  std::vector<WorkDraft> works;
  std::vector<FindDraft> finds;

  bool has_rows() const { return !changes.empty() || !events.empty(); }
};

}  // namespace lepton::actor
