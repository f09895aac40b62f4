#pragma once
// The rows that the actor runtime itself keeps in each service's schema (schemas/sql/platform).

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"

namespace lepton::actor {

// A mutation that took effect, and its answer: the same request again gets the same answer.
struct RequestRow {
  static constexpr std::string_view table = "request";
  std::string caller;
  std::string request_id;
  Bytes body_hash;
  Bytes reply;
  std::int64_t at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = RequestRow;
    return schema::fields(
        field(1, "caller", &R::caller, "Authenticated name.").key(),
        field(2, "request_id", &R::request_id, "Chosen by the caller.").key(),
        field(3, "body_hash", &R::body_hash, "SHA-256 of topic and body."),
        field(4, "reply", &R::reply, "The encoded answer; empty when it held a secret."),
        field(5, "at_ms", &R::at_ms, "When, ms since 1970."));
  }
};
static_assert(schema::complete<RequestRow>());

struct EventRow {
  static constexpr std::string_view table = "event";
  std::string stream;
  std::int64_t seq = 0;
  std::string topic;
  Bytes body;
  std::int64_t at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using R = EventRow;
    return schema::fields(field(1, "stream", &R::stream, "The stream.").key(),
                          field(2, "seq", &R::seq, "Number without gaps.").key(),
                          field(3, "topic", &R::topic, "Which message the body holds."),
                          field(4, "body", &R::body, "The encoded event."),
                          field(5, "at_ms", &R::at_ms, "When, ms since 1970."));
  }
};
static_assert(schema::complete<EventRow>());

// How far a registered consumer of a stream of ours has acknowledged.
struct CursorRow {
  static constexpr std::string_view table = "cursor";
  std::string consumer;
  std::string stream;
  std::int64_t acked = 0;

  static consteval auto fields() {
    using schema::field;
    using R = CursorRow;
    return schema::fields(field(1, "consumer", &R::consumer, "The service that reads.").key(),
                          field(2, "stream", &R::stream, "The stream.").key(),
                          field(3, "acked", &R::acked, "Durable at the consumer to here."));
  }
};
static_assert(schema::complete<CursorRow>());

// Where the numbers of a stream of ours stand; the epoch rises when a restore sets them back.
struct StreamRow {
  static constexpr std::string_view table = "stream";
  std::string name;
  std::int64_t epoch = 1;
  std::int64_t head = 0;

  static consteval auto fields() {
    using schema::field;
    using R = StreamRow;
    return schema::fields(
        field(1, "name", &R::name, "The stream.").key(),
        field(2, "epoch", &R::epoch, "Rises when numbering begins anew."),
        field(3, "head", &R::head, "Rows to here were acknowledged and dropped."));
  }
};
static_assert(schema::complete<StreamRow>());

// How far we have taken in another service's stream; written with the effect of the events.
struct InboxRow {
  static constexpr std::string_view table = "inbox";
  std::string sender;
  std::string stream;
  std::int64_t epoch = 0;
  std::int64_t seq = 0;

  static consteval auto fields() {
    using schema::field;
    using R = InboxRow;
    return schema::fields(field(1, "sender", &R::sender, "The service that writes.").key(),
                          field(2, "stream", &R::stream, "The stream.").key(),
                          field(3, "epoch", &R::epoch, "Epoch of the number."),
                          field(4, "seq", &R::seq, "Taken in to here."));
  }
};
static_assert(schema::complete<InboxRow>());

}  // namespace lepton::actor
