#pragma once
// A bounded queue in two lanes. The control lane (timers, continuations, liveness) goes first and
// has its own bound, so that a flood of requests cannot delay it. Bounds: messages and bytes, per
// lane.

#include <array>
#include <deque>
#include <variant>

#include "common/actor/outbox.hpp"

namespace lepton::actor {

enum class Lane : std::uint8_t { control, normal };

struct Mail {
  std::variant<Request, Continue> content;
  TimeMs arrived_at = 0;

  std::size_t bytes() const {
    auto const* request = std::get_if<Request>(&content);
    return request == nullptr ? 64 : request->body.size() + 256;
  }
};

class Mailbox {
 public:
  struct Bounds {
    std::size_t messages_max = 20'000;
    std::size_t bytes_max = 64u << 20;
  };
  explicit Mailbox(Bounds bounds) : bounds_(bounds) {}

  // False when the lane is full; the mail is untouched then.
  bool push(Lane lane, Mail&& mail) {
    auto& q = queues_[index(lane)];
    if (q.mails.size() >= bounds_.messages_max || q.bytes + mail.bytes() > bounds_.bytes_max)
      return false;
    q.bytes += mail.bytes();
    q.mails.push_back(std::move(mail));
    return true;
  }
  // Back to the head of its lane; not bounded, as it was taken from there.
  void put_back(Lane lane, Mail mail) {
    auto& q = queues_[index(lane)];
    q.bytes += mail.bytes();
    q.mails.push_front(std::move(mail));
  }
  // The oldest of the control lane, else of the normal lane when that is wanted too.
  std::optional<Mail> pop(Lane last = Lane::normal) {
    for (std::size_t i = 0; i <= index(last); ++i) {
      auto& q = queues_[i];
      if (q.mails.empty()) continue;
      Mail mail = std::move(q.mails.front());
      q.mails.pop_front();
      q.bytes -= mail.bytes();
      return mail;
    }
    return std::nullopt;
  }
  std::size_t size() const { return queues_[0].mails.size() + queues_[1].mails.size(); }
  bool empty() const { return size() == 0; }
  bool empty(Lane lane) const { return queues_[index(lane)].mails.empty(); }
  // Continuations die with the life that wanted them; requests stay.
  void drop_continuations() {
    for (auto& q : queues_) {
      std::erase_if(q.mails,
                    [](Mail const& m) { return std::holds_alternative<Continue>(m.content); });
      q.bytes = 0;
      for (auto const& m : q.mails) q.bytes += m.bytes();
    }
  }

 private:
  struct Queue {
    std::deque<Mail> mails;
    std::size_t bytes = 0;
  };
  static std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }
  Bounds bounds_;
  std::array<Queue, 2> queues_;
};

}  // namespace lepton::actor
