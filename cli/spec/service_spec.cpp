#include "cli/spec/service_spec.hpp"

#include <algorithm>

#include "cli/spec/amounts.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

using codec::Tree;

bool is_of_service(std::string_view name) {
  bool found = false;
  schema::each<ServiceFile>([&](auto const& f) { found = found || f.name == name; });
  return found;
}

Tree const& at(Tree const& tree, std::string const& path) {
  auto const* node = &tree;
  for (auto const& name : text::split(path, '.'))
    if (auto const* child = node->find(name)) node = child;
  return *node;
}

// A number of replicas is both of its limits.
void make_limits(Tree& replicas) {
  if (replicas.kind == Tree::Kind::map || replicas.kind == Tree::Kind::list) return;
  auto const number = replicas;
  replicas = Tree{Tree::Kind::map};
  replicas.line = number.line;
  replicas.entries = {{"min", number}, {"max", number}};
}

Status check_words(Tree const& tree) {
  if (tree.kind != Tree::Kind::map)
    return codec::detail::tree_error(tree, "", "a spec is a map of fields, from `name:` on");
  auto const* type = tree.find("type");
  if (type == nullptr || type->scalar != "service")
    return codec::detail::tree_error(
        type == nullptr ? tree : *type, "type",
        "must be service; a job is submitted with `lepton apply -f FILE`");
  for (auto const* name :
       {"nodes", "max_duration", "retry", "no_fit", "array", "array_parallel", "after"})
    if (auto const* found = tree.find(name))
      return codec::detail::tree_error(
          *found, name, "belongs to jobs; replicas run until they are replaced or removed");
  return ok();
}

class Converter {
 public:
  Converter(Tree const& tree, ServiceFile const& file) : tree_(tree), file_(file) {}

  Result<ServiceSpec> convert(JobSpec task) {
    ServiceSpec s;
    s.name = task.name;
    s.min = file_.replicas.min;
    s.max = file_.replicas.max;
    s.port = file_.port;
    s.drain_ms = duration("drain", file_.drain, 3'600'000);
    s.hold_ms = duration("hold", file_.hold, 600'000);
    s.max_surge = file_.update.max_surge;
    s.max_unavailable = file_.update.max_unavailable;
    s.progress_ms = duration("update.progress", file_.update.progress, 86'400'000);
    if (s.progress_ms < 1'000) refuse("update.progress", "must be at least 1s");
    if (tree_.find("ports") == nullptr) task.resources.ports = 1;
    task.retry = {0, false, false, {}, 1000};
    task.probes.startup = probe("probes.startup", file_.probes.startup);
    task.probes.readiness = probe("probes.readiness", file_.probes.readiness);
    task.probes.liveness = probe("probes.liveness", file_.probes.liveness);
    if (file_.scale) scale(s);
    if (s.min > s.max) refuse("replicas.min", "is above replicas.max");
    if (s.min == 0 && !s.scale)
      refuse("replicas.min", "is 0, and nobody would start the first replica; write scale, too");
    if (s.max_surge == 0 && s.max_unavailable == 0)
      refuse("update", "with max_surge and max_unavailable of 0 nothing could ever be replaced");
    s.task = std::move(task);
    if (!problem_.what.empty()) return problem_;
    return s;
  }

 private:
  void refuse(std::string const& path, std::string const& what) {
    if (problem_.what.empty()) problem_ = codec::detail::tree_error(at(tree_, path), path, what);
  }
  std::int64_t duration(std::string const& path, std::string const& text, std::int64_t most) {
    auto const value = parse_duration_ms(text);
    if (!value) return refuse(path, value.error().what), 0;
    if (*value > most) return refuse(path, "'" + text + "' is too much"), 0;
    return *value;
  }

  std::optional<Probe> probe(std::string const& path, std::optional<SpecProbe> const& f) {
    if (!f) return std::nullopt;
    auto const kinds = (f->http ? 1 : 0) + (f->tcp ? 1 : 0) + (f->command.empty() ? 0 : 1);
    if (kinds != 1) refuse(path, "needs one of http: /PATH, tcp: true and command: [PROGRAM, ...]");
    Probe p;
    p.kind = f->http ? ProbeKind::http : f->tcp ? ProbeKind::tcp : ProbeKind::command;
    p.path = f->http.value_or("");
    if (f->http && !p.path.starts_with('/'))
      refuse(path + ".http", "must begin with '/', for example /ready");
    p.command = f->command;
    p.period_ms = duration(path + ".period", f->period, 3'600'000);
    p.timeout_ms = duration(path + ".timeout", f->timeout, 60'000);
    if (p.period_ms < 100) refuse(path + ".period", "must be at least 100ms");
    if (p.timeout_ms < 50) refuse(path + ".timeout", "must be at least 50ms");
    p.successes = f->successes;
    p.failures = f->failures;
    return p;
  }

  void scale(ServiceSpec& s) {
    auto const& f = *file_.scale;
    auto const of_use = f.signal == ScaleSignal::cpu || f.signal == ScaleSignal::gpu;
    if (of_use && f.policy != "hpa" && f.policy != "threshold")
      refuse("scale.policy", "must be hpa or threshold to follow cpu or gpu");
    if (!(f.per_replica > 0)) refuse("scale.per_replica", "must be above 0");
    ScaleSettings settings{f.policy, f.signal, f.per_replica, {}, 0};
    settings.window_ms = duration("scale.window", f.window, 120'000);
    settings.limits.min = s.min;
    settings.limits.max = s.max;
    settings.limits.up_cooldown_ms = duration("scale.up_cooldown", f.up_cooldown, 3'600'000);
    settings.limits.down_cooldown_ms = duration("scale.down_cooldown", f.down_cooldown, 3'600'000);
    settings.limits.zero_after_ms = duration("scale.zero_after", f.zero_after, 86'400'000);
    settings.adjustment = {f.keep, f.share, duration("scale.period", f.period, 60'000), f.follows};
    if (f.policy != "adjustment" && settings.adjustment != ScaleAdjustment{})
      refuse("scale.policy", "must be adjustment for keep, share, period and follows");
    if (f.policy == "staffing" && f.signal != ScaleSignal::concurrency)
      refuse("scale.signal", "must be concurrency with staffing");
    if (!(f.keep >= 0 && f.keep <= 2)) refuse("scale.keep", "must be from 0 to 2");
    if (!(f.share >= 0 && f.share <= 1)) refuse("scale.share", "must be from 0 to 1");
    if (settings.adjustment.period_ms < 1'000) refuse("scale.period", "must be at least 1s");
    s.scale = settings;
  }

  Tree const& tree_;
  ServiceFile const& file_;
  Error problem_{Code::invalid, ""};
};

}  // namespace

Result<ServiceSpec> parse_service_spec(std::string_view yaml, std::string const& folder,
                                       SpecFileReader const& read) {
  auto tree = codec::parse_yaml(yaml);
  if (!tree) return tree.error();
  if (auto good = check_words(*tree); !good) return good.error();
  Tree service{Tree::Kind::map}, task{Tree::Kind::map};
  service.line = task.line = tree->line;
  for (auto& [name, value] : tree->entries) {
    if (name == "replicas") make_limits(value);
    (is_of_service(name) ? service : task).entries.emplace_back(name, value);
  }
  auto const file = codec::from_tree<ServiceFile>(service);
  if (!file) return file.error();
  auto spec = spec_of_tree(task, folder, read);
  if (!spec) return spec.error();
  return Converter(*tree, *file).convert(std::move(*spec));
}

Result<ServiceSpec> read_service_spec(std::string const& path) {
  auto const source = open_spec(path);
  if (!source) return source.error();
  auto spec = parse_service_spec(source->content, source->folder, source->read);
  if (!spec) return Error{spec.error().code, source->name + ", " + spec.error().what};
  return spec;
}

}  // namespace lepton::cli
