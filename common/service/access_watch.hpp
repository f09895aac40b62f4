#pragma once
// AccessWatch: the actor that keeps the access rules of its process fresh: on each hint of the
// vault's stream "access", and once a second in any case, so that rules are never older than that
// while the vault answers.

#include "common/actor/actor.hpp"

namespace lepton::service {

class AccessWatch final : public actor::Actor {
 public:
  using Update = std::function<Status(AccessSnapshot)>;
  explicit AccessWatch(Update update) : update_(std::move(update)) {}

  void start(actor::Context& c) override { tick(c); }
  void on_hint(Hint const& hint, actor::Context& c) override {
    if (hint.sender == "vault" && hint.stream == "access" && hint.head != head_) pull(c);
  }
  std::map<std::string, std::int64_t> counters() const override { return {{"head", head_}}; }

 private:
  void tick(actor::Context& c) {
    pull(c);
    c.after(1'000, [this](actor::Context& later) { tick(later); });
  }
  void pull(actor::Context& c) {
    if (asking_) return;
    asking_ = true;
    c.ask("vault", SnapshotGet{"vault", "access"}, 2'000,
          [this](Result<Snapshot> got, actor::Context& later) { take(got, later); });
  }
  void take(Result<Snapshot> const& got, actor::Context& c) {
    asking_ = false;
    if (!got) return;  // the rules known stay in force
    auto rules = codec::decode<AccessSnapshot>(got->body.data);
    if (!rules)
      return c.log(actor::Level::error, "access rules cannot be read: " + rules.error().what);
    head_ = got->head;
    if (auto updated = update_(std::move(*rules)); !updated)
      c.log(actor::Level::error, "access rules refused: " + updated.error().what);
  }

  Update update_;
  std::int64_t head_ = -1;
  bool asking_ = false;
};

}  // namespace lepton::service
