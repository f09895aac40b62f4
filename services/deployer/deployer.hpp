#pragma once
// The deployer: takes jobs in, queues them durably, places them, has them started, follows them to
// their end. Decisions are the pure core's (core/); this actor keeps the state, stores each step,
// and talks to nodes.
//
// A node's orders are level-triggered: each sync is answered with all that should be started and
// stopped there now, computed from the durable state. A claim (the job_run row) is committed before
// its start leaves.
//
// Files: jobs.cpp requests of people; nodes.cpp nodes and their syncs; inventory.cpp their list
// and declared ones; flow.cpp what events do; preemption.cpp work that gives way; quotas.cpp
// what owners are owed; logs.cpp log relay; views.cpp answers for people; services.cpp requests
// about services; serving.cpp their replicas; entrance.cpp their balancer and the scaler;
// use.cpp what replicas use; marks.cpp labels, taints and drains; relations.cpp arrays and what
// waits for what; backfill.cpp reservations of those who wait; patience.cpp the places of who
// has waited for long; spot.cpp who stays off spot nodes; resize.cpp other sizes; elastic.cpp
// workers that join a job; explain.cpp reasons. Parts of their own: folders/ working folders;
// relay.hpp what people ask of a task on its node; execs/ commands beside tasks; use_watch.hpp
// what the monitor measured of replicas; node_watch.hpp what it says of nodes; slices.hpp parts
// of machines that are nodes; power_caps.hpp what racks may draw.

#include <deque>
#include <map>
#include <set>

#include "common/actor/actor.hpp"
#include "schemas/decision.hpp"
#include "schemas/explain.hpp"
#include "schemas/node.hpp"
#include "schemas/node_marks.hpp"
#include "schemas/quota.hpp"
#include "schemas/resize.hpp"
#include "schemas/scaler.hpp"
#include "services/deployer/balancer/balancer.hpp"
#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/cluster.hpp"
#include "services/deployer/core/hold.hpp"
#include "services/deployer/core/patience.hpp"
#include "services/deployer/core/placer.hpp"
#include "services/deployer/core/preempt.hpp"
#include "services/deployer/core/queue.hpp"
#include "services/deployer/core/quota.hpp"
#include "services/deployer/core/usage.hpp"
#include "services/deployer/decisions/replays.hpp"
#include "services/deployer/execs/execs.hpp"
#include "services/deployer/folders/folders.hpp"
#include "services/deployer/node_watch.hpp"
#include "services/deployer/power_caps.hpp"
#include "services/deployer/relay.hpp"
#include "services/deployer/serving.hpp"
#include "services/deployer/settings.hpp"
#include "services/deployer/slices.hpp"
#include "services/deployer/state.hpp"
#include "services/deployer/use_watch.hpp"
#include "services/deployer/vacated_ports.hpp"

namespace lepton::deployer {

class Deployer final : public actor::Actor, private Folders::Jobs, private Relay::Tasks {
 public:
  // Without a balancer services have no entrance.
  explicit Deployer(Settings settings = {}, std::shared_ptr<Balancer> balancer = nullptr);

  std::vector<store::Table const*> tables() const override;
  void restore(actor::Rows const& rows) override;
  void start(actor::Context& c) override;
  void on_hint(Hint const& hint, actor::Context& c) override { node_watch_.on_hint(hint, c); }
  std::map<std::string, std::int64_t> counters() const override;

  // For invariants of the simulation.
  Cluster const& cluster() const { return cluster_; }
  Ledger const& ledger() const { return ledger_; }
  std::map<JobId, Job> const& jobs() const { return jobs_; }
  std::map<NodeId, NodeLink> const& nodes() const { return nodes_; }
  std::string why_now(Job const& job) const;
  std::map<std::string, ServiceState> const& services() const { return serving_.services; }
  std::size_t vacated_ports() const { return vacated_.size(); }
  std::size_t planned_slices() const { return slices_.planned().all().size(); }
  std::vector<Replica> replicas_of(ServiceState const& s) const;
  Folders const& folders() const { return folders_; }
  std::int64_t oldest_decision() const { return decisions_.snapshots().front(); }

 private:
  using Context = actor::Context;
  template <class M>
  using Ticket = actor::Ticket<M>;

  // jobs.cpp
  void submit(JobSubmit const& m, Ticket<JobSubmit> ticket, Context& c);
  void accept(JobSubmit const& m, Ticket<JobSubmit> ticket, Context& c);
  Result<JobView> show(JobShow const& m, Context& c);
  Result<JobPage> list(JobList const& m, Context& c);
  Result<JobCancelled> cancel(JobCancel const& m, Context& c);
  Result<PlanView> plan(JobPlan const& m, Context& c);
  Status check_submit(JobSubmit const& m, Context& c);
  JobAccepted accepted(Job const& job) const;
  Job& take_in(JobId const& id, JobSpec const& spec, JobRow const& common, Context& c);
  Result<Job*> find_job(JobId const& wanted, Context& c, Verb verb);
  JobLine line_of(Job const& job, WallMs now) const;

  // nodes.cpp
  void sync(NodeSync const& m, Ticket<NodeSync> ticket, Context& c);
  Result<NodePage> list_nodes(NodeList const& m, Context& c);
  Result<NodesDeclared> declare(NodeDeclare const& m, Context& c);
  Result<PoolRemoved> remove_pool(PoolRemove const& m, Context& c);
  Status meet(NodeSync const& m, Context& c);
  Status check_age(NodeLink& link, NodeSync const& m);
  Status take_offer(NodeLink& link, NodeSync const& m, Context& c);
  void take_reports(NodeSync const& m, Context& c);
  void take_report(NodeId const& node, AttemptReport const& report, Context& c);
  void reboot(NodeLink& link, std::string const& boot_id, Context& c);
  NodeOrders orders_for(NodeLink& link, Context& c);
  std::vector<GangMember> gang_of(Job const& job) const;
  void order_starts(NodeId const& node, NodeOrders& orders) const;
  void order_probes(NodeLink const& link, NodeOrders& orders) const;
  void wake_node(NodeId const& node, Context& c) override;
  void answer_sync(NodeLink& link, Ticket<NodeSync> ticket, NodeOrders orders, Context& c);
  void set_node_state(NodeLink& link, NodeState state, Context& c, std::string const& why = "");
  void note_health(NodeLink& link, Context& c);
  Status upsert_node(NodeLink& link, Context& c);
  Status add_declared(NodeDeclare const& m, Context& c);

  // marks.cpp
  Result<NodeMarked> mark(NodeMark const& m, Context& c);
  Result<NodeChanged> drain(NodeDrain const& m, Context& c);

  // flow.cpp
  Instant instant(Context& c) const;
  void apply_event(Job& job, Event const& event, Context& c);
  void act(Job& job, Action const& action, Context& c);
  void save(Job const& job, Context& c);
  void finish(Job& job, Context& c);
  AuditEvent job_event(Job const& job, std::string action) const;
  void audit_job(Job const& job, std::string action, AuditOutcome outcome, Context& c);
  void enqueue(Job const& job);
  void pass(Context& c);
  std::optional<Misfit> try_place(QueuedJob const& queued, std::vector<Job*>& placed, WallMs now,
                                  Context& c);
  std::optional<Misfit> place_now(QueuedJob const& queued, std::vector<Job*>& placed, WallMs now,
                                  bool lent, Context& c);
  void launch(Job& job, std::uint32_t index, Context& c);
  void simulate(AttemptId const& attempt, NodeId const& node, Context& c);
  void simulate_end(Job const& job, std::uint32_t index, TimeMs ran_ms, Context& c);
  void resume_simulated(Job& job, Context& c);
  void simulated_report(AttemptId const& attempt, NodeId const& node, AttemptState state,
                        std::int32_t exit_code, Context& c);
  void resolve_secrets(Job const& job, std::uint32_t index, Context& c);
  void retry_for_power();
  void tick(Context& c);
  void tick_nodes(Context& c);
  void tick_jobs(Context& c);
  Job* job_of(AttemptId const& attempt);
  Member const* member_of(AttemptId const& attempt) const;
  std::vector<JobId> jobs_on(NodeId const& node) const;

  // preemption.cpp
  void add_live(Job const& job);
  void drop_live(Job const& job);
  std::vector<Running> running_in(PoolId const& pool, std::int32_t priority) const;
  bool is_awaited(std::vector<Allocation> const& held) const;
  std::vector<Limited> unclaimed(std::vector<Limited> limited) const;
  std::size_t preempting() const;
  Holding& hold_places(QueuedJob const& queued, std::vector<Allocation> const& places);
  void drop_hold(Job const& job);
  bool may_have_victims(Preemptor const& job) const;
  // What the plan was made from goes to `input`, if anywhere.
  std::optional<PreemptionPlan> plan_for(QueuedJob const& queued, std::string const& owner,
                                         Context& c, DecisionInput* input = nullptr);
  void preempt(Context& c);
  void begin_hold(QueuedJob const& queued, PreemptionPlan const& plan, Context& c);
  void top_up_holds(Context& c);
  void give_up(JobId const& id, std::string const& why, Context& c);
  void begin_round(Job& job, Context& c);

  // relations.cpp
  Result<std::vector<Dependency>> resolve_after(JobSpec const& spec,
                                                std::string const& owner) const;
  void accept_array(JobSubmit const& m, Ticket<JobSubmit> ticket, JobRow const& common, Context& c);
  bool has_waited(Job& job, Context& c);
  void admit(Job& job, Context& c);
  void settle_ended(Context& c);
  void admit_dependents(JobId const& ended, Context& c);
  void next_of_array(JobArray& array, JobId const& ended, Context& c);
  void note_array(Job const& job);
  void forget_finished(Job const& job);
  JobId const* find_array(JobId const& wanted, std::string const& owner) const;
  StateCounts counts_of(JobId const& array) const;
  JobState state_of_any(JobId const& id) const;
  JobAccepted accepted_array(JobId const& array) const;
  JobView view_of_array(JobId const& array) const;
  JobLine line_of_array(JobId const& array, WallMs now) const;
  JobCancelled cancel_array(JobId const& array, std::string const& reason, Context& c);

  // backfill.cpp
  bool has_limits(PoolId const& pool) const;
  bool is_ahead(QueuedJob const& a, QueuedJob const& b) const;
  void note_head(QueuedJob const& job);
  QueuedJob const* head_before(QueuedJob const& job);
  Reservation const* reservation_for(QueuedJob const& head, WallMs now);
  std::optional<Reservation> plan_reservation(QueuedJob const& job, WallMs now);
  std::vector<Limited> limited_in(PoolId const& pool, WallMs now, bool all) const;
  std::optional<WallMs> ends_by(AttemptId const& attempt, WallMs now) const;
  std::optional<Misfit> respect_head(QueuedJob const& queued, std::vector<Allocation>& places,
                                     WallMs now, Beside& beside);
  void drop_reservations();
  void lapse_reservations(WallMs now);

  // resize.cpp
  Result<JobResized> resize_job(JobResize const& m, Context& c);
  bool all_run(Job const& job) const;
  Status resize_queued(Job& job, TaskSize const& to, Context& c);
  Status resize_running(Job& job, Resizing resizing, Context& c);
  Status give_size(Job& job, std::uint32_t task, TaskSize const& size);
  void tell_size(Job& job, Context& c);
  void take_size_report(Job& job, std::uint32_t task, SizeReport const& report, Context& c);
  void settle_size(Job& job, Context& c);
  void end_resizing(Job& job, Context& c);
  void order_size(Job const& job, std::uint32_t task, NodeOrders& orders) const;

  // elastic.cpp
  void tick_elastic(Context& c);
  void add_workers(Job& base, Context& c);
  void add_worker(Job const& base, std::uint32_t number, Context& c);
  void end_worker(JobId const& base, JobId const& id, Context& c);
  void note_worker(Job const& job);
  std::uint32_t workers_in(JobId const& base, JobState state) const;
  Seat seat_of(Job const& job, std::uint32_t index) const;

  // spot.cpp
  std::string kin_of(Job const& job) const;
  std::string kin_by_base(Job const& job) const;
  std::vector<JobId> kin_jobs(Job const& job) const;
  bool is_on_demand(Job const& job) const;
  std::uint32_t standing_beside(Job const& job) const;
  ResourceRequest request_of(Job const& job) const;
  QueuedJob as_now(QueuedJob const& queued) const;
  void note_standing(Job const& job);

  // patience.cpp
  void keep_places(Context& c);
  void begin_keeping(QueuedJob const& queued, Reservation const& plan, Context& c);
  bool starts_elsewhere(JobId const& id, Context& c);
  bool has_lost_its_places(JobId const& id, TimeMs now);
  bool lasts(Job const& job, WallMs now) const;
  void let_go_in_vain(JobId const& id, Context& c);
  JobId const* elder_of(PoolId const& pool) const;
  std::vector<Hold*> lenders_for(QueuedJob const& queued, WallMs now);

  // explain.cpp
  Result<JobExplanation> explain_job(JobExplain const& m, Context& c);
  void explain_waiting(Job const& job, JobExplanation& e, Context& c);
  void explain_places(Job const& job, std::uint32_t most, JobExplanation& e);

  // deciding.cpp
  void arrived(ResourceRequest const& request, std::uint32_t tasks);
  DecisionInput input_of(DecisionKind kind, QueuedJob const& queued, Context& c);
  void note_placed(Job& job, QueuedJob const& queued, std::vector<Allocation> const& places,
                   Beside const& beside, Context& c);
  void note_waits(Job& job, QueuedJob const& queued, Misfit const& misfit, Context& c);
  Result<JobId> decided_about(JobId const& named, Context& c);
  void list_decisions(DecisionList const& m, Ticket<DecisionList> ticket, Context& c);
  void replay_decisions(DecisionReplay const& m, Ticket<DecisionReplay> ticket, Context& c);

  // quotas.cpp
  Result<QuotaChanged> put_quota(QuotaPut const& m, Context& c);
  Result<QuotaChanged> remove_quota(QuotaRemove const& m, Context& c);
  Result<QuotaPage> list_quotas(QuotaList const& m, Context& c);
  void queue_anew(PoolId const& pool);
  void hold_for(Job const& job, AttemptId const& attempt, Allocation const& allocation);
  void release(AttemptId const& attempt, Context& c);
  std::optional<std::string> beyond_limit(Job const& job) const;
  std::optional<std::string> objection(JobSpec const& spec, std::string const& owner,
                                       std::vector<Allocation> const& places, WallMs now);
  std::optional<std::string> objection(Job const& job, std::vector<Allocation> const& places,
                                       WallMs now);
  std::optional<std::string> beyond_limit_alone(JobSpec const& spec,
                                                std::string const& owner) const;
  void mark_borrowed(std::vector<Running>& running, PoolId const& pool) const;
  Preemptor preemptor_of(QueuedJob const& queued, std::string const& owner) const;

  // deployer.cpp: what its parts have to know
  std::map<NodeId, std::int64_t> bandwidth_held() const;
  Slices::Hooks slice_hooks();
  std::optional<FolderName> folder_of(NodeId const& node, AttemptId const& attempt) const override;
  std::set<FolderName> folders_in_use() const override;
  Result<TaskPlace> task_place(JobId const& job, std::uint32_t task, Verb verb,
                               Context& c) override;

  // logs.cpp
  void logs(JobLogs const& m, Ticket<JobLogs> ticket, Context& c);
  void take_log(NodeId const& from, LogPart const& part, Context& c);

  // services.cpp
  void apply_service(ServiceApply const& m, Ticket<ServiceApply> ticket, Context& c);
  void revert_service(ServiceRevert const& m, Ticket<ServiceRevert> ticket, Context& c);
  Result<ServiceApplied> resize_service(ServiceResize const& m, Context& c);
  Result<ServiceRemoved> remove_service(ServiceRemove const& m, Context& c);
  Result<ServiceView> show_service(ServiceShow const& m, Context& c);
  Result<ServicePage> list_services(ServiceList const& m, Context& c);
  Result<RevisionPage> service_history(ServiceHistory const& m, Context& c);
  Result<ServiceState*> find_service(std::string const& service);
  Result<std::uint32_t> choose_entrance(ServiceSpec const& spec) const;
  Status check_apply(ServiceSpec const& spec) const;
  template <class M>
  void consider(ServiceSpec const& spec, std::string const& note, Ticket<M> ticket, Context& c);
  template <class M>
  void take_revision(ServiceSpec const& spec, std::string const& note, Ticket<M> ticket,
                     Context& c);
  ServiceApplied applied(ServiceState const& s, bool changed) const;
  ServiceLine line_of(ServiceState const& s, Context& c) const;

  // serving.cpp
  void touch(std::string const& service, Context& c);
  void serve_touched(Context& c);
  void tick_services(Context& c);
  void serve(ServiceState& s, Context& c);
  void note_rolled_out(ServiceState& s, Context& c);
  void start_replica(ServiceState& s, std::uint32_t template_number, Context& c);
  void drain_replica(ReplicaRow& replica, std::int64_t drain_ms, Context& c);
  void stop_replica(ReplicaRow const& replica, std::string const& why, Context& c);
  void end_drains(ServiceState& s, Context& c);
  void end_slow(ServiceState& s, Context& c);
  void count_failure(ServiceState& s, ReplicaRow const& replica, std::string const& why,
                     Context& c);
  void replica_ended(Job const& job, Context& c);
  void replica_reported(AttemptId const& attempt, Readiness readiness, Context& c);
  ReplicaState replica_state(ReplicaRow const& replica) const;

  // entrance.cpp
  void balance_soon(Context& c);
  void balance(Context& c);
  void balanced(std::vector<Entrance> const& wanted, Result<std::vector<EntranceLoad>> const& seen,
                Context& c);
  std::optional<BalancedServer> server_of(Job const& job, Allocation const& held) const;
  std::vector<Entrance> wanted_entrances() const;
  bool stands_behind_entrance(Job const& job) const;
  void note_load(EntranceLoad const& load, Context& c);
  void wake(ServiceState& s, Context& c);
  void tell_scaler(ServiceState& s, Context& c);
  void scaling_told(std::string const& name, std::uint32_t revision, Result<ScaleWanted> const& got,
                    Context& c);
  void report_service(ServiceState& s, Context& c);
  void watch_use(Context& c);
  std::vector<MeasuredUse> measured(ServiceState const& s, TimeMs now) const;
  void take_wanted(ServiceState& s, Result<ScaleWanted> const& got, Context& c);
  void forget_service(ServiceState& s, Context& c);

  Settings settings_;
  std::shared_ptr<Balancer> balancer_;
  Folders folders_;
  Relay relay_;
  Execs execs_;
  Serving serving_;
  UseWatch use_watch_{settings_.report_every_ms};
  NodeWatch node_watch_;
  std::map<JobId, Job> jobs_;
  std::map<std::pair<std::string, std::string>, JobId> newest_;  // (owner, name) to the newest job
  std::deque<JobId> finished_;
  std::set<JobId> live_;  // has attempts that are not over
  // The preemptible ones of these, by what they are worth; and those that are ending.
  std::map<PoolId, std::map<std::int32_t, std::set<JobId>>> preemptible_;
  std::set<JobId> stopping_;
  // Jobs whose places are held: their victims are stopping, or they have waited for long, which is
  // one in a pool at most. They are queued, but not in the queue.
  std::map<JobId, Holding> holding_;
  std::map<JobId, JobArray> arrays_;
  std::map<JobId, std::set<JobId>> workers_;     // of an elastic job, those that have not ended
  std::map<JobId, std::set<JobId>> dependents_;  // of a job or an array that has not ended
  std::deque<JobId> ended_;                      // somebody may wait for them
  std::map<PoolId, Reserved> reserved_;
  std::map<PoolId, std::optional<QueuedJob>> heads_;  // in the present pass
  std::map<std::string, std::uint32_t> standing_;     // on demand, by kin; in the present pass
  std::map<PoolId, std::size_t> limited_;             // live jobs with a time limit
  std::map<JobId, TimeMs> plan_again_at_;             // jobs that no preemption would start
  Patience patience_{settings_.patience_ms};
  TimeMs patience_check_at_ = 0;
  std::map<NodeId, NodeLink> nodes_;
  Cluster cluster_;
  VacatedPorts vacated_{cluster_};
  Placer placer_{cluster_, settings_.placement_policy};
  Slices slices_{cluster_, placer_, nodes_, next_order_, slice_hooks()};
  PowerCaps power_{cluster_, placer_, [this](Context& c) { retry_for_power(), pass(c); }};
  DecisionLog decisions_{cluster_, placer_, settings_.decisions};
  Replays replays_{decisions_};
  Queue queue_;
  Ledger ledger_;
  std::map<std::pair<PoolId, std::string>, QuotaRow> quotas_;
  std::uint64_t next_order_ = 1;
  WallMs last_queued_at_ms_ = 0;  // never falls, whatever the clock does
  WallMs wall_at_start_ = 0;      // at monotonic 0, as read when this life began
  bool more_to_place_ = false;
  std::map<AttemptId, AttemptSecrets> secrets_;
  std::set<AttemptId> resolving_;
  std::map<std::uint64_t, LogWish> log_wishes_;
};

}  // namespace lepton::deployer
