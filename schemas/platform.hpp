#pragma once
// What every service speaks: the header of each message, event streams, snapshots, and the audit
// event.
//
// Conversation of a stream (S its sender, C a consumer):
//   follow = { S:Hint } C:EventsPull ( S:EventsPage / S:Refusal )      ; `after` also acknowledges
//   late   = C:SnapshotGet S:Snapshot follow                           ; when a page says `reset`

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton {

inline constexpr std::uint32_t wire_version = 1;

enum class Kind : std::uint8_t { unknown, request, reply, refusal, hint };
consteval auto enumerators(Kind) {
  return std::to_array<std::string_view>({"unknown", "request", "reply", "refusal", "hint"});
}

// Head of each message, in the same frame as the body (common/bus/frames.hpp). Who sent it is not
// here: the door knows the CURVE key, and only that (or a token bound to it) is believed.
struct Header {
  std::uint32_t version = wire_version;
  Kind kind = Kind::unknown;
  std::string topic;
  std::string id;
  std::int64_t deadline_ms = 0;
  std::uint32_t attempt = 1;
  std::string trace;
  std::string token;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "version", &Header::version, "Major version of this frame."),
        field(2, "kind", &Header::kind, "Request, reply, refusal or hint."),
        field(3, "topic", &Header::topic, "Which message the body holds."),
        field(4, "id", &Header::id, "Identity of the request; the answer carries it too."),
        field(5, "deadline_ms", &Header::deadline_ms, "Time left for an answer, ms."),
        field(6, "attempt", &Header::attempt, "1 for the first sending, then counts up.").since(1),
        field(7, "trace", &Header::trace, "Ties together the messages of one action.").since(1),
        field(8, "token", &Header::token, "Token of a client.").since(1));
  }
};
static_assert(schema::complete<Header>());

// The fast hint that a stream has grown: after each commit, and every 500 ms so that none is missed
// for long.
struct Hint {
  std::string sender;
  std::string stream;
  std::int64_t epoch = 0;
  std::int64_t head = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "sender", &Hint::sender, "The service."),
                          field(2, "stream", &Hint::stream, "The stream."),
                          field(3, "epoch", &Hint::epoch, "Rises when numbering begins anew."),
                          field(4, "head", &Hint::head, "Number of the last committed event."));
  }
};
static_assert(schema::complete<Hint>());

struct EventRecord {
  std::int64_t seq = 0;
  std::string topic;
  Bytes body;
  std::int64_t at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "seq", &EventRecord::seq, "Number within the stream, without gaps."),
        field(2, "topic", &EventRecord::topic, "Which message the body holds."),
        field(3, "body", &EventRecord::body, "The encoded event."),
        field(4, "at_ms", &EventRecord::at_ms, "When it happened, ms since 1970."));
  }
};
static_assert(schema::complete<EventRecord>());

struct EventsPage {
  std::int64_t epoch = 0;
  std::int64_t head = 0;
  bool reset = false;
  std::vector<EventRecord> events;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "epoch", &EventsPage::epoch, "Epoch of the numbers."),
        field(2, "head", &EventsPage::head, "Number of the last committed event."),
        field(3, "reset", &EventsPage::reset,
              "The cursor does not fit: take a snapshot, or begin anew."),
        field(4, "events", &EventsPage::events, "The events after the cursor, in order."));
  }
};
static_assert(schema::complete<EventsPage>());

struct EventsPull {
  static constexpr std::string_view topic = "platform.events.pull";
  static constexpr bool peer_only = true;
  using Reply = EventsPage;
  std::string service;
  std::string stream;
  std::string consumer;
  std::int64_t epoch = 0;
  std::int64_t after = 0;
  std::uint32_t limit = 500;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "service", &EventsPull::service, "Whose stream."),
        field(2, "stream", &EventsPull::stream, "The stream."),
        field(3, "consumer", &EventsPull::consumer, "Who reads; must be the caller."),
        field(4, "epoch", &EventsPull::epoch, "Epoch of the cursor; 0 before the first page."),
        field(5, "after", &EventsPull::after, "Everything to here is durable at the consumer."),
        field(6, "limit", &EventsPull::limit, "At most so many events.").bounds(1, 2000));
  }
};
static_assert(schema::complete<EventsPull>());

struct Snapshot {
  std::int64_t epoch = 0;
  std::int64_t head = 0;
  Bytes body;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "epoch", &Snapshot::epoch, "Epoch of the stream."),
                          field(2, "head", &Snapshot::head, "The state holds all events to here."),
                          field(3, "body", &Snapshot::body, "The encoded state."));
  }
};
static_assert(schema::complete<Snapshot>());

struct SnapshotGet {
  static constexpr std::string_view topic = "platform.snapshot.get";
  static constexpr bool peer_only = true;
  using Reply = Snapshot;
  std::string service;
  std::string stream;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "service", &SnapshotGet::service, "Whose stream."),
                          field(2, "stream", &SnapshotGet::stream, "The stream."));
  }
};
static_assert(schema::complete<SnapshotGet>());

struct Health {
  std::string service;
  std::string version;
  bool ready = false;
  std::string detail;
  std::int64_t uptime_ms = 0;
  std::map<std::string, std::int64_t> counters;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "service", &Health::service, "The service."),
        field(2, "version", &Health::version, "Version of the program."),
        field(3, "ready", &Health::ready, "It serves requests."),
        field(4, "detail", &Health::detail, "Why it is not ready, or what it holds."),
        field(5, "uptime_ms", &Health::uptime_ms, "Since the process began, ms."),
        field(6, "counters", &Health::counters, "What it counted since then."));
  }
};
static_assert(schema::complete<Health>());

// Open to every authenticated key: it says nothing about the work.
struct HealthGet {
  static constexpr std::string_view topic = "platform.health.get";
  static constexpr bool open = true;
  using Reply = Health;
  std::string service;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "service", &HealthGet::service, "Which service is meant."));
  }
};
static_assert(schema::complete<HealthGet>());

enum class AuditOutcome : std::uint8_t { unknown, done, denied, failed };
consteval auto enumerators(AuditOutcome) {
  return std::to_array<std::string_view>({"unknown", "done", "denied", "failed"});
}

// One fact for the audit log, written in the transaction of the change itself (stream "audit").
struct AuditEvent {
  static constexpr std::string_view topic = "platform.audit.event";
  std::int64_t at_ms = 0;
  std::string actor;
  std::string action;
  std::string resource;
  AuditOutcome outcome = AuditOutcome::unknown;
  std::string request_id;
  std::map<std::string, std::string> detail;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "at_ms", &AuditEvent::at_ms, "When it happened, ms since 1970."),
        field(2, "actor", &AuditEvent::actor, "Who caused it."),
        field(3, "action", &AuditEvent::action, "What was done, as the topic of its request."),
        field(4, "resource", &AuditEvent::resource, "To what, as a resource path."),
        field(5, "outcome", &AuditEvent::outcome, "Done, denied or failed."),
        field(6, "request_id", &AuditEvent::request_id,
              "Identity of the request, if there was one."),
        field(7, "detail", &AuditEvent::detail, "Further facts; never a secret."));
  }
};
static_assert(schema::complete<AuditEvent>());

}  // namespace lepton
