#include "cli/spec/spec.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "cli/context.hpp"
#include "cli/spec/amounts.hpp"
#include "cli/spec/fields.hpp"
#include "cli/spec/labels.hpp"
#include "cli/spec/shape.hpp"
#include "common/base/image_name.hpp"
#include "common/bus/access/path.hpp"
#include "common/codec/yaml.hpp"
#include "schemas/mig.hpp"

namespace lepton::cli {
namespace {

using codec::Tree;

constexpr std::uint32_t ports_max = 64;  // of a task

Error wrong(Tree const& at, std::string const& path, std::string const& what) {
  return codec::detail::tree_error(at, path, what);
}

Error wrong_at(Tree const& tree, std::string const& path, std::string const& what) {
  return wrong(node_at(tree, path), path, what);
}

// Puts folder and files in place of their variables; what was put in is not looked at again.
Status expand(std::string& text, std::string const& folder, SpecFileReader const& read) {
  constexpr std::string_view dir = "${SPEC_DIR}", file = "${SPEC_FILE:";
  for (std::size_t at = 0; (at = text.find("${SPEC_", at)) != text.npos;) {
    std::string_view const rest = std::string_view(text).substr(at);
    auto size = dir.size();
    auto put = folder;
    if (rest.starts_with(file) && rest.find('}') != rest.npos) {
      size = rest.find('}') + 1;
      auto content = read(std::string(rest.substr(file.size(), size - file.size() - 1)));
      if (!content) return content.error();
      put = std::move(*content);
    } else if (!rest.starts_with(dir)) {
      return Error{
          Code::invalid,
          "holds an unknown variable of the spec; there are ${SPEC_DIR} and ${SPEC_FILE:NAME}"};
    }
    text.replace(at, size, put);
    at += put.size();
  }
  return ok();
}

// Converts the texts of a SpecFile; keeps the first problem.
class Converter {
 public:
  Converter(Tree const& tree, SpecFile const& file) : tree_(tree), file_(file) {}

  Result<JobSpec> convert(std::string const& folder, SpecFileReader const& read) {
    JobSpec spec;
    spec.name = file_.name;
    spec.command = file_.command;
    spec.image = file_.image;
    spec.image_credentials = file_.image_credentials;
    spec.env = file_.env;
    for (auto& word : spec.command)
      if (auto done = expand(word, folder, read); !done) refuse("command", done.error().what);
    for (auto& [name, value] : spec.env)
      if (auto done = expand(value, folder, read); !done) refuse("env." + name, done.error().what);
    spec.secrets = file_.secrets;
    if (!file_.workdir.empty())
      spec.workdir = file_.workdir.front() == '/' ? file_.workdir : folder + "/" + file_.workdir;
    spec.nodes = file_.nodes;
    spec.nodes_max = file_.nodes_max;
    if (spec.nodes_max > 0 && spec.nodes_max < spec.nodes)
      refuse("nodes_max", "is less than nodes");
    if (spec.nodes_max > 0 && file_.array > 0)
      refuse("nodes_max", "an array is not elastic; leave one of them out");
    spec.gang_port = file_.nodes > 1 || file_.nodes_max > 0;
    spec.priority = file_.priority;
    spec.pool = PoolId{file_.pool};
    spec.autonomous = file_.autonomous;
    spec.user = file_.user;
    spec.no_fit = file_.no_fit;
    spec.max_duration_ms = amount("max_duration", file_.max_duration, parse_duration_ms, 1e12);
    spec.lease_ms = amount("lease", file_.lease, parse_duration_ms, 1e9);
    spec.stop_grace_ms = amount("stop_grace", file_.stop_grace, parse_duration_ms, 3'600'000);
    preemption(spec);
    constraints(spec.resources.where);
    on_demand_base(spec);
    relations(spec);
    if (spec.lease_ms < 2500) refuse("lease", "must be at least 2500ms");
    resources(spec.resources);
    if (file_.retry) retry(*file_.retry, spec.retry);
    for (auto const& [name, url] : spec.secrets) secret("secrets." + name, url);
    if (spec.command.empty() || spec.command.front().empty())
      refuse("command", "names no program; write for example [python3, train.py]");
    if (!spec.image.empty() && !is_image(spec.image))
      refuse("image", "'" + spec.image + "' is no image; write [registry/]name[:tag]");
    if (!spec.image_credentials.empty()) secret("image_credentials", spec.image_credentials);
    if (!spec.image_credentials.empty() && spec.image.empty())
      refuse("image_credentials", "means nothing without image");
    if (!spec.image.empty())
      spec.resources.where.requirements.push_back({std::string(containers_label), {}, false});
    if (!problem_.what.empty()) return problem_;
    return spec;
  }

 private:
  void refuse(std::string const& path, std::string const& what) {
    if (problem_.what.empty()) problem_ = wrong_at(tree_, path, what);
  }

  template <class Parse>
  std::int64_t amount(std::string const& path, std::string const& text, Parse parse, double most) {
    auto const value = parse(text);
    if (!value) return refuse(path, value.error().what), 0;
    if (static_cast<double>(*value) > most) return refuse(path, "'" + text + "' is too much"), 0;
    return *value;
  }

  void preemption(JobSpec& spec) {
    spec.preemptible = file_.preemptible;
    spec.checkpoint_interval_ms =
        amount("checkpoint_interval", file_.checkpoint_interval, parse_duration_ms, 1e12);
    spec.min_runtime_ms = amount("min_runtime", file_.min_runtime, parse_duration_ms, 1e12);
    if (!spec.preemptible && spec.min_runtime_ms > 0)
      refuse("min_runtime", "means nothing with preemptible: false; leave one of them out");
  }

  std::vector<LabelRule> rules(std::string const& path, std::vector<std::string> const& texts,
                               std::size_t most) {
    std::vector<LabelRule> all;
    for (auto const& text : texts) {
      auto const rule = parse_label_rule(text);
      if (!rule) return refuse(path, rule.error().what), all;
      all.push_back(*rule);
    }
    if (all.size() > most) refuse(path, "has more than " + std::to_string(most) + " entries");
    return all;
  }

  void constraints(Constraints& where) {
    where.requirements = rules("requires", file_.requirements, label_rules_max);
    where.preferences = rules("prefers", file_.preferences, preferences_max);
    where.tolerations = rules("tolerates", file_.tolerations, label_rules_max);
    for (auto const& rule : where.tolerations)
      if (rule.negated) refuse("tolerates", "names what is tolerated; '!' means nothing here");
    where.regions = file_.regions;
    for (auto const& region : where.regions)
      if (region.empty() || !is_label_value(region))
        refuse("regions", "'" + region + "' is no name of a region");
    where.one_island = file_.resources.gpu_island;
    where.one_numa = file_.resources.gpu_numa;
    where.spot = file_.spot;
    if (file_.price) price(*file_.price, where);
    if (file_.topology) topology(*file_.topology, where);
    reach(where);
  }

  void topology(SpecTopology const& t, Constraints& where) {
    if (t.pack.empty() == t.spread.empty())
      return refuse("topology", "is either {pack: LABEL} or {spread: LABEL}");
    where.topology = t.pack.empty() ? TopologyMode::spread : TopologyMode::pack;
    where.topology_label = t.pack.empty() ? t.spread : t.pack;
    if (!is_label_key(where.topology_label))
      refuse("topology", "'" + where.topology_label + "' is no key of a label");
    if (file_.nodes < 2)
      refuse("topology", "is of gangs; with nodes: 1 there is nothing to lay out");
  }

  std::int64_t milli(std::string const& path, std::string const& text) {
    auto const value = milli_of(text);
    if (!value) refuse(path, "'" + text + "' is no number from 0 up with at most three decimals");
    return value.value_or(0);
  }

  void reach(Constraints& where) {
    for (auto const& [key, most] : file_.limits)
      where.limits.push_back({key, milli("limits." + key, most)});
    if (file_.data) {
      where.data.name = file_.data->name;
      if (!file_.data->size.empty())
        where.data.size_mib = amount("data.size", file_.data->size, parse_memory_mib, 1e12);
      where.data.within_ms = amount("data.within", file_.data->within, parse_duration_ms, 3e10);
      if (where.data.name.empty()) refuse("data.name", "is empty");
      if (where.data.within_ms > 0 && where.data.size_mib == 0)
        refuse("data", "says within, but no size; write for example size: 150GiB");
    }
    if (file_.site) site(*file_.site, where.site);
    if (!file_.exposure) return;
    where.exposure.most_milli = milli("exposure.most", file_.exposure->most);
    for (auto const& [way, weight] : file_.exposure->weights)
      where.exposure.weights.push_back({way, milli("exposure.weights." + way, weight)});
    if (file_.exposure->weights.empty())
      refuse("exposure.weights", "is empty; write for example {internet: 0.6, tenants: 0.4}");
  }

  void site(SpecSite const& s, SiteWeights& weights) {
    weights.performance_milli = milli("site.performance", s.performance);
    weights.availability_milli = milli("site.availability", s.availability);
    weights.cost_milli = milli("site.cost", s.cost);
    if (!weights.any())
      refuse("site", "weighs nothing; write {performance: 0.5, availability: 0.3, cost: 0.2}");
    if (file_.price && file_.price->prefer)
      refuse("site", "weighs the cost itself; leave out price.prefer");
  }

  void price(SpecPrice const& p, Constraints& where) {
    if (!p.max_per_hour && !p.prefer)
      return refuse("price", "says nothing; write {max_per_hour: 3.00} or {prefer: cheapest}");
    if (p.prefer == PricePreference::unknown)
      return refuse("price.prefer", "is cheapest, or left out");
    where.cheapest = p.prefer.has_value();
    if (!p.max_per_hour) return;
    auto const micro = *p.max_per_hour * 1e6;
    if (!(micro >= 1 && micro <= static_cast<double>(price_micro_max)))
      return refuse("price.max_per_hour", "must be above 0 and at most a million");
    where.max_price_per_hour_micro = std::llround(micro);
  }

  void on_demand_base(JobSpec& spec) {
    spec.on_demand_base = file_.on_demand_base;
    if (spec.on_demand_base == 0) return;
    if (file_.spot == SpotUse::only)
      refuse("on_demand_base", "keeps some off spot nodes, and spot: only keeps all there");
    if (file_.spot == SpotUse::never)
      refuse("on_demand_base", "means nothing with spot: never; leave one of them out");
  }

  void relations(JobSpec& spec) {
    spec.array = file_.array;
    spec.array_parallel = file_.array_parallel;
    if (spec.array == 0 && spec.array_parallel > 0)
      refuse("array_parallel", "means nothing without array: N");
    for (auto const& text : file_.after) {
      auto const colon = text.find(':');
      auto const end = colon == text.npos ? "ok" : text.substr(colon + 1);
      auto const known = codec::enum_from_name<AfterEnd>(end);
      if (known == AfterEnd::unknown || colon == 0 || text.empty())
        return refuse("after", "'" + text + "' is not JOB, JOB:ok, JOB:any or JOB:failed");
      spec.after.push_back({text.substr(0, colon), known});
    }
  }

  void resources(ResourceRequest& r) {
    auto const& f = file_.resources;
    r.cpu_milli = amount("resources.cpus", f.cpus, parse_cpu_milli, 1e7);
    r.memory_mib = amount("resources.memory", f.memory, parse_memory_mib, 1e9);
    if (!f.disk.empty()) r.disk_mib = amount("resources.disk", f.disk, parse_memory_mib, 1e10);
    if (!f.bandwidth.empty())
      r.bandwidth_mbit = amount("resources.bandwidth", f.bandwidth, parse_open_bandwidth_mbit, 1e9);
    if (!f.gpu_memory.empty())
      r.gpu_memory_mib = amount("resources.gpu_memory", f.gpu_memory, parse_memory_mib, 1e7);
    // One more for the gang, so that its tasks find each other.
    r.ports = file_.ports + (file_.nodes > 1 || file_.nodes_max > 0 ? 1 : 0);
    if (r.ports > ports_max) refuse("ports", "a gang has at most 63: one more is its own");
    gpus(r);
    if (f.gpu_fraction) fraction(*f.gpu_fraction, r);
    if (!f.mig.empty()) mig(f.mig, r);
    if (r.where.one_island && r.gpus < 2)
      refuse("resources.gpu_island", "is for tasks of two GPUs and more");
    if (r.where.one_numa && r.gpus == 0)
      refuse("resources.gpu_numa", "is for tasks with GPUs, and gpu asks for none");
    if (r.gpus == 0 && r.gpu_memory_mib > 0)
      refuse("resources.gpu_memory", "asks for memory of a GPU, but gpu asks for none");
  }

  void gpus(ResourceRequest& r) {
    auto const& wishes = file_.resources.gpu;
    std::string const path = "resources.gpu";
    for (auto const& text : wishes) {
      auto const wish = parse_gpu(text);
      if (!wish) return refuse(path, wish.error().what);
      if (&text != &wishes.front() && wish->count != r.gpus)
        return refuse(path, "all choices must have the same count; '" + wishes.front() + "' and '" +
                                text + "' differ");
      if (wish->model.empty() && wishes.size() > 1)
        return refuse(path, "'" + text + "' names no model; in a list of choices each must");
      r.gpus = wish->count;
      if (!wish->model.empty()) r.gpu_models.push_back(wish->model);
    }
  }

  void fraction(double share, ResourceRequest& r) {
    std::string const path = "resources.gpu_fraction";
    auto const milli = std::llround(share * 1000);
    if (!(share > 0 && share <= 1) || milli < 1)
      return refuse(path, "must be above 0 and at most 1");
    if (file_.resources.gpu.empty()) r.gpus = 1;
    if (r.gpus != 1) return refuse(path, "is a share of one GPU; ask for gpu: 1");
    r.gpu_milli = static_cast<std::uint32_t>(milli);
  }

  void mig(std::string const& profile, ResourceRequest& r) {
    std::string const path = "resources.mig";
    r.mig_profile = profile;
    if (!is_mig_profile(profile))
      refuse(path, "'" + profile + "' is no profile of a MIG instance; write for example 1g.10gb");
    if (r.gpus == 0) refuse(path, "names a profile, but gpu asks for none; write gpu: 1");
    if (r.gpu_milli != 1000) refuse(path, "an instance is not shared; leave gpu_fraction out");
    if (r.where.one_island) refuse(path, "instances have no fast link; leave gpu_island out");
  }

  void retry(SpecRetry const& f, RetryRule& r) {
    r.max = f.max;
    r.exit_codes = f.exit_codes;
    r.backoff_ms = amount("retry.backoff", f.backoff, parse_duration_ms, 3'600'000);
    r.on_error = !f.on && f.exit_codes.empty() && f.max > 0;
    if (f.on) {
      auto const has = [&](RetryOn what) {
        return std::find(f.on->begin(), f.on->end(), what) != f.on->end();
      };
      r.on_error = has(RetryOn::error);
      r.on_interruption = has(RetryOn::interruption);
    }
    if (r.max == 0 && (r.on_error || !r.exit_codes.empty()))
      refuse("retry", "would never try again: say how often with max, for example max: 3");
  }

  void secret(std::string const& path, std::string const& url) {
    constexpr std::string_view scheme = "vault://";
    if (!url.starts_with(scheme))
      return refuse(
          path, "must be vault://PATH, for example vault://ml/hf; values never stand in a spec");
    auto const parsed = access::ResourcePath::parse("secret/" + url.substr(scheme.size()));
    if (!parsed) refuse(path, parsed.error().what);
  }

  Tree const& tree_;
  SpecFile const& file_;
  Error problem_{Code::invalid, ""};
};

}  // namespace

Result<JobSpec> parse_spec(std::string_view yaml, std::string const& folder,
                           SpecFileReader const& read) {
  auto tree = codec::parse_yaml(yaml);
  if (!tree) return tree.error();
  auto const* found = tree->kind == Tree::Kind::map ? tree->find("on_demand_base") : nullptr;
  auto const base = found == nullptr ? Tree{} : *found;
  auto spec = spec_of_tree(std::move(*tree), folder, read);
  if (spec && spec->on_demand_base > 0 && spec->array == 0)
    return wrong(base, "on_demand_base",
                 "is of arrays and services; for one job write spot: never");
  return spec;
}

Result<JobSpec> spec_of_tree(Tree tree, std::string const& folder, SpecFileReader const& read) {
  if (auto good = check_shapes(tree); !good) return good.error();
  make_lists(tree);
  auto const file = codec::from_tree<SpecFile>(tree);
  if (!file) return file.error();
  return Converter(tree, *file).convert(folder, read);
}

Result<SpecSource> open_spec(std::string const& path) {
  auto const is_input = path == "-";
  auto content =
      is_input ? Result<std::string>(std::string(std::istreambuf_iterator<char>(std::cin), {}))
               : read_private_file(path);
  if (!content && content.error().code == Code::not_found)
    return Error{Code::not_found, "there is no spec file " + path};
  if (!content) return content.error();
  std::error_code error;
  auto const whole = std::filesystem::canonical(is_input ? "." : folder_of(path), error);
  if (error)
    return Error{Code::unavailable, "cannot find the folder of " + path + ": " + error.message()};
  auto read = [whole = whole.string()](std::string const& name) {
    return name.find('/') == name.npos
               ? read_private_file(whole + "/" + name)
               : Result<std::string>(
                     Error{Code::invalid, "'" + name + "' must lie beside the spec file"});
  };
  return SpecSource{is_input ? "standard input" : path, std::move(*content), whole.string(), read};
}

Result<JobSpec> read_spec(std::string const& path) {
  auto const source = open_spec(path);
  if (!source) return source.error();
  auto spec = parse_spec(source->content, source->folder, source->read);
  if (!spec) return Error{spec.error().code, source->name + ", " + spec.error().what};
  return spec;
}

}  // namespace lepton::cli
