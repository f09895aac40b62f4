#pragma once
// The scaler: decides how many replicas each service should have. Reports of a service come in
// about once a second; each policy is asked at its own pace; what changes a number is a row, an
// audit entry and an event of the stream "scaling", in one transaction. Whoever places replicas
// follows that stream; the answer to each report says the number, too.
//
// A service that was not heard of for a while is left alone: nothing is decided from old figures.
// Windows of samples are lost with the process; what it did in the last hour is not, so rates hold
// across restarts, and nothing is removed before the windows have filled again.
//
// Threads: the actor's. Errors: invalid, not_found, exhausted.

#include <map>
#include <memory>
#include <string>

#include "common/actor/actor.hpp"
#include "schemas/scaler.hpp"
#include "services/scaler/core/scale.hpp"
#include "services/scaler/rows.hpp"

namespace lepton::scaler {

inline constexpr char const* stream_name = "scaling";

struct Settings {
  TimeMs look_every_ms = 1'000;
  TimeMs report_valid_ms = 15'000;     // older reports decide nothing
  std::size_t looks_max = 500;         // decisions of one handler; the rest follows at once
  std::size_t services_max = 100'000;  // removed ones count, too
};

class Scaler final : public actor::Actor {
 public:
  explicit Scaler(Settings settings);

  std::vector<store::Table const*> tables() const override;
  // Throws when stored settings are not valid.
  void restore(actor::Rows const& rows) override;
  void start(actor::Context& c) override;
  Result<std::string> snapshot(std::string_view stream) override;
  std::map<std::string, std::int64_t> counters() const override;

 private:
  using Context = actor::Context;

  struct Service {
    ScalingRow row;
    std::unique_ptr<Policy> policy;
    Signals signals;
    Memory memory;
    std::uint32_t ready = 0;
    std::uint32_t silent = 0;
    std::optional<TimeMs> reported_at;
    std::optional<WallMs> reported_wall;
    std::optional<ScaleDecision> newest;
    TimeMs due_at = 0;
  };

  Result<ScaleWanted> put(ServiceScalePut const& m, Context& c);
  Result<double> shares_with(ServiceScalePut const& m) const;
  Result<ScaleWanted> scale(ServiceScale const& m, Context& c);
  Result<ServiceUnscaled> remove(ServiceScaleRemove const& m, Context& c);
  Result<ScaleWanted> report(ServiceReport const& m, Context& c);
  void explain(ServiceExplain const& m, actor::Ticket<ServiceExplain> ticket, Context& c);

  Result<ScaledServicePage> list(ScaledServiceList const& m, Context& c);

  Result<Service*> find(std::string const& name);
  void round(std::string const& from, Context& c);
  bool is_due(Service const& service, TimeMs now) const;
  bool is_heard(Service const& service, TimeMs now) const;
  Signals const* leader_of(Service const& service, TimeMs now) const;
  void look(Service& service, Context& c);
  void by_hand(Service& service, std::uint32_t wanted, std::string reason, Context& c);
  void commit(Service& service, ScaleDecision decision, Context& c);
  static ScaleWanted wanted_of(Service const& service);

  Settings settings_;
  std::map<std::string, Service> services_;
  std::map<std::string, std::uint64_t> removed_;  // and the number of their last change
  std::int64_t decisions_ = 0, changes_ = 0, reports_ = 0;
};

}  // namespace lepton::scaler
