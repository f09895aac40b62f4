#include "cli/spec/spec.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "cli/spec/fields.hpp"
#include "tests/cli/capture.hpp"

namespace lepton::cli {
namespace {

Result<std::string> no_files(std::string const& name) {
  return Error{Code::not_found, "there is no file " + name};
}

Result<JobSpec> parse(std::string const& yaml) {
  return parse_spec(yaml, "/specs", no_files);
}

std::string refusal(std::string const& yaml) {
  auto const spec = parse(yaml);
  return spec ? "accepted" : spec.error().what;
}

// A spec that is good but for the lines that follow.
std::string with(std::string const& lines) {
  return "name: train\ncommand: [python3, t.py]\n" + lines;
}

JobSpec good(std::string const& lines) {
  auto const spec = parse(with(lines));
  EXPECT_TRUE(spec) << lines << ": " << (spec ? "" : spec.error().what);
  return spec ? *spec : JobSpec{};
}

TEST(Spec, TheSmallestOneHasDefaults) {
  auto const spec = good("");
  EXPECT_EQ(spec.name, "train");
  EXPECT_EQ(spec.command, (std::vector<std::string>{"python3", "t.py"}));
  EXPECT_EQ(spec.resources.cpu_milli, 1000);
  EXPECT_EQ(spec.resources.memory_mib, 512);
  EXPECT_EQ(spec.resources.gpus, 0u);
  EXPECT_EQ(spec.pool.value, "default");
  EXPECT_EQ(spec.nodes, 1u);
  EXPECT_EQ(spec.priority, 50);
  EXPECT_EQ(spec.lease_ms, 120'000);
  EXPECT_EQ(spec.no_fit, NoFit::wait);
  EXPECT_EQ(spec.retry, RetryRule{});
}

TEST(Spec, EveryFieldArrives) {
  auto const spec = good(R"(type: job
env: {A: "1", B: two}
secrets: {HF_TOKEN: vault://ml/hf}
resources: {gpu: [H100:2, A100:2], gpu_memory: 40GB.., cpus: 16+, memory: 64GiB, disk: 200GB,
            bandwidth: 2.5Gbit}
nodes: 4
priority: 70
pool: lab
max_duration: 4h
retry: {on: [error, interruption], exit_codes: [33, 75], max: 3, backoff: 5s}
lease: 2m
autonomous: true
stop_grace: 1m
user: ann
ports: 2
no_fit: refuse
checkpoint_interval: 15m
min_runtime: 10m
)");
  JobSpec want;
  want.name = "train";
  want.command = {"python3", "t.py"};
  want.env = {{"A", "1"}, {"B", "two"}};
  want.secrets = {{"HF_TOKEN", "vault://ml/hf"}};
  want.resources = {16'000, 65'536, 190'735, 2, 1000, 38'147, {"H100", "A100"}, 3};
  want.resources.bandwidth_mbit = 2'500;
  want.nodes = 4;
  want.gang_port = true;  // with a port of its own
  want.priority = 70;
  want.pool.value = "lab";
  want.max_duration_ms = 14'400'000;
  want.retry = {3, true, true, {33, 75}, 5000};
  want.lease_ms = 120'000;
  want.autonomous = true;
  want.stop_grace_ms = 60'000;
  want.user = "ann";
  want.no_fit = NoFit::refuse;
  want.checkpoint_interval_ms = 900'000;
  want.min_runtime_ms = 600'000;
  EXPECT_EQ(spec, want);
}

TEST(Spec, GpusInTheirForms) {
  EXPECT_EQ(good("resources: {gpu: 2}").resources.gpus, 2u);
  EXPECT_EQ(good("resources: {gpu: H100:8}").resources.gpu_models,
            std::vector<std::string>{"H100"});
  auto const half = good("resources: {gpu_fraction: 0.5}").resources;
  EXPECT_EQ(half.gpus, 1u);
  EXPECT_EQ(half.gpu_milli, 500u);
  EXPECT_EQ(good("resources: {gpu: T4, gpu_fraction: 0.25}").resources.gpu_milli, 250u);
}

TEST(Spec, RetryWithoutReasonsMeansOwnFailures) {
  EXPECT_TRUE(good("retry: {max: 2}").retry.on_error);
  EXPECT_TRUE(good("retry: {max: 2}").retry.on_interruption);
  EXPECT_FALSE(good("retry: {max: 2, exit_codes: [3]}").retry.on_error);
  EXPECT_FALSE(good("retry: {on: [error], max: 1}").retry.on_interruption);
}

TEST(Spec, VariablesOfTheSpec) {
  auto const read = [](std::string const& name) -> Result<std::string> {
    if (name == "t.py") return std::string("print('${SPEC_DIR}')");
    return no_files(name);
  };
  auto const spec = parse_spec(
      "name: a\ncommand: [p, '${SPEC_DIR}/t.py', '-c ${SPEC_FILE:t.py}', $HOME]\n"
      "env: {WHERE: 'x${SPEC_DIR}y', SHELL: '${OTHER}'}\n",
      "/specs", read);
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->command[1], "/specs/t.py");
  EXPECT_EQ(spec->command[2], "-c print('${SPEC_DIR}')");  // what was put in stays as it is
  EXPECT_EQ(spec->command[3], "$HOME");
  EXPECT_EQ(spec->env.at("WHERE"), "x/specsy");
  EXPECT_EQ(spec->env.at("SHELL"), "${OTHER}");
  EXPECT_EQ(refusal("name: a\ncommand: [p, '${SPEC_FILE:gone.py}']\n"),
            "line 2: command: there is no file gone.py");
  EXPECT_NE(refusal("name: a\ncommand: [p, '${SPEC_HOME}']\n").find("unknown variable"),
            std::string::npos);
}

struct Refusal {
  char const* lines;
  char const* what;
};

TEST(Spec, WhatIsWrongIsNamedWithLineFieldAndCure) {
  for (auto const& [lines, what] : {
           Refusal{"gpuz: 1", "line 3: gpuz: unknown field, did you mean 'resources.gpu'?"},
           {"prioritty: 1", "line 3: prioritty: unknown field, did you mean 'priority'?"},
           {"kind: job", "line 3: kind: unknown field, did you mean 'type'?"},
           {"zzzzzzzz: 1", "line 3: zzzzzzzz: unknown field"},
           {"resources: {gpus: 1}", "line 3: resources.gpus: unknown field, did you mean 'gpu'?"},
           {"resources:\n  cpus: 1\n  memory: 64",
            "line 5: resources.memory: '64' has no unit; write for example 64GB"},
           {"nodes: 0", "line 3: nodes: must be from 1 to 1024"},
           {"preemptible: false\nmin_runtime: 5m",
            "line 4: min_runtime: means nothing with preemptible: false; leave one of them out"},
           {"priority: 101", "line 3: priority: must be from 0 to 100"},
           {"priority: high",
            "line 3: priority: expected a whole number from -2147483648 to 2147483647, got 'high'"},
           {"autonomous: maybe", "line 3: autonomous: expected true or false, got 'maybe'"},
           {"no_fit: wat",
            "line 3: no_fit: 'wat' is not one of wait, refuse, did you mean 'wait'?"},
           {"type: service", "line 3: type: is a service; write `lepton service apply FILE`"},
           {"lease: 10",
            "line 3: lease: '10' is not a duration; write for example 30s, 10m, 4h or 1h30m"},
           {"lease: 2s", "line 3: lease: must be at least 2500ms"},
           {"stop_grace: 2h", "line 3: stop_grace: '2h' is too much"},
           {"resources: {gpu_fraction: 1.5}",
            "line 3: resources.gpu_fraction: must be above 0 and at most 1"},
           {"resources: {gpu: 2, gpu_fraction: 0.5}",
            "line 3: resources.gpu_fraction: is a share of one GPU; ask for gpu: 1"},
           {"resources: {gpu_memory: 40GB}",
            "line 3: resources.gpu_memory: asks for memory of a GPU, but gpu asks for none"},
           {"resources: {bandwidth: 10GB}",
            "line 3: resources.bandwidth: '10GB' is not a bandwidth; write bits per second, for "
            "example 10Gbit or 800Mbit"},
           {"resources: {bandwidth: 1Gbit..10Gbit}",
            "line 3: resources.bandwidth: '1Gbit..10Gbit' has an upper bound, which is not "
            "supported; write the least, as in '1Gbit+'"},
           {"resources: {gpu: {A100: 1}}",
            "line 3: resources.gpu: write H100:8, or a list in order of preference"},
           {"resources: {gpu: [A100:1, H100:2]}",
            "line 3: resources.gpu: all choices must have the same count; 'A100:1' and 'H100:2' "
            "differ"},
           {"resources: {gpu: [2, A100:2]}",
            "line 3: resources.gpu: '2' names no model; in a list of choices each must"},
           {"retry: {on: [error]}",
            "line 3: retry: would never try again: say how often with max, for example max: 3"},
           {"retry: {on: [no-capacity]}",
            "line 3: retry.on[0]: 'no-capacity' is not one of error, interruption"},
           {"secrets: {A: hunter2}",
            "line 3: secrets.A: must be vault://PATH, for example vault://ml/hf; values never "
            "stand in a spec"},
           {"ports: [8080]",
            "line 3: ports: is how many ports to reserve; which ones they are stands in $PORT of "
            "the task"},
           {"name: twice", "line 3: name: this field stands here twice"},
       })
    EXPECT_EQ(refusal(with(lines)), what) << lines;
}

TEST(Spec, SecretPathsFollowTheGrammarOfResources) {
  EXPECT_NE(refusal(with("secrets: {A: vault://ML/hf}")).find("line 3: secrets.A"),
            std::string::npos);
  EXPECT_NE(refusal(with("secrets: {A: vault://../x}")).find("line 3: secrets.A"),
            std::string::npos);
}

TEST(Spec, CommandsAreLists) {
  EXPECT_EQ(refusal("name: a\ncommand: python3 t.py\n"),
            "line 2: command: must be a list, because no shell reads it; write [python3, t.py], or "
            "[sh, -c, "
            "'python3 t.py'] for a shell");
  EXPECT_EQ(refusal("name: a\n"), "line 1: command: this field is required");
  EXPECT_EQ(refusal("name: a\ncommand: []\n"),
            "line 2: command: names no program; write for example [python3, train.py]");
  EXPECT_EQ(refusal("- a\n"), "line 1: a spec is a map of fields, from `name:` on");
}

TEST(Spec, AnImageIsNamedInFull) {
  EXPECT_EQ(good("image: pytorch/pytorch:2.1").image, "pytorch/pytorch:2.1");
  EXPECT_EQ(refusal(with("image: --privileged")).find("line 3: image: '--privileged' is no"), 0u);
}

TEST(Spec, CredentialsOfAnImageAreNamedNotWritten) {
  EXPECT_EQ(good("image: a/b\nimage_credentials: vault://ghcr").image_credentials, "vault://ghcr");
  EXPECT_NE(refusal(with("image: a/b\nimage_credentials: ann:password"))
                .find("image_credentials: must be vault://PATH"),
            std::string::npos);
  EXPECT_NE(refusal(with("image_credentials: vault://ghcr"))
                .find("image_credentials: means nothing without image"),
            std::string::npos);
}

TEST(Spec, AWorkingFolderIsFoundFromTheSpecOn) {
  EXPECT_EQ(good("workdir: code").workdir, "/specs/code");
  EXPECT_EQ(good("workdir: /data/code").workdir, "/data/code");
  EXPECT_EQ(good("").workdir, "");
}

TEST(Spec, FieldsOfLaterVersionsAreRefusedEach) {
  for (auto const* field :
       {"setup", "volumes", "placement", "deadline", "max_price", "budget", "spot_overprovision",
        "idle_stop", "schedule", "hooks", "probes", "replicas", "scale", "update", "balance"}) {
    auto const what = refusal(with(std::string(field) + ": x"));
    EXPECT_EQ(what.find("line 3: " + std::string(field) + ": not supported yet: "), 0u) << what;
  }
  EXPECT_NE(refusal(with("resources: {shm: 16GB}")).find("resources.shm: not supported yet"),
            std::string::npos);
  EXPECT_NE(refusal(with("retry: {duration: 4h}")).find("retry.duration: not supported yet"),
            std::string::npos);
}

// What is refused as a field of a later version must not be one of this version.
TEST(Spec, NoFieldIsBothKnownAndRefused) {
  schema::each<SpecFile>([](auto const& f) {
    auto const what = refusal(with(std::string(f.name) + ": x"));
    EXPECT_EQ(what.find("not supported yet"), std::string::npos) << f.name;
  });
}

TEST(Spec, FilesAreReadWithWhatLiesBesideThem) {
  Folder const folder;
  std::ofstream(folder.path + "/job.yaml")
      << "name: a\ncommand: [python3, -c, '${SPEC_FILE:t.py}', '${SPEC_DIR}']\n";
  std::ofstream(folder.path + "/t.py") << "print(1)";
  auto const spec = read_spec(folder.path + "/job.yaml");
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->command[2], "print(1)");
  EXPECT_EQ(spec->command[3], std::filesystem::canonical(folder.path).string());
  EXPECT_EQ(read_spec(folder.path + "/none.yaml").error().code, Code::not_found);
  std::ofstream(folder.path + "/bad.yaml") << "name: a\ncommand: [cat, '${SPEC_FILE:../x}']\n";
  EXPECT_NE(read_spec(folder.path + "/bad.yaml").error().what.find("must lie beside"),
            std::string::npos);
}

TEST(Spec, TheExamplesAreGood) {
  for (auto const* path : {"examples/digits/train.yaml", "examples/sleep.yaml"}) {
    auto const spec = read_spec(path);
    EXPECT_TRUE(spec) << spec.error().what;
  }
}

TEST(Spec, ConstraintsAreReadAsTheyAreWritten) {
  auto const s = good(
      "requires: [zone=eu-1|eu-2, nvme, '!spot', '!rack=r1']\n"
      "prefers: [disk=nvme]\ntolerates: [maintenance, class=batch]\nregions: [eu-west-1]\n"
      "nodes: 4\ntopology: {pack: rack}\nresources: {gpu: 2, gpu_island: true}\n");
  auto const& where = s.resources.where;
  EXPECT_EQ(where.requirements, (std::vector<LabelRule>{{"zone", {"eu-1", "eu-2"}, false},
                                                        {"nvme", {}, false},
                                                        {"spot", {}, true},
                                                        {"rack", {"r1"}, true}}));
  EXPECT_EQ(where.preferences, (std::vector<LabelRule>{{"disk", {"nvme"}, false}}));
  EXPECT_EQ(where.tolerations.size(), 2u);
  EXPECT_EQ(where.regions, std::vector<std::string>{"eu-west-1"});
  EXPECT_EQ(where.topology, TopologyMode::pack);
  EXPECT_EQ(where.topology_label, "rack");
  EXPECT_TRUE(where.one_island);
}

TEST(Spec, InstancesOfAGpuAreAskedForByTheirProfile) {
  auto const r = good("resources: {gpu: 'H100:2', mig: 1g.10gb}").resources;
  EXPECT_EQ(r.gpus, 2u);
  EXPECT_EQ(r.mig_profile, "1g.10gb");
  EXPECT_EQ(r.gpu_models, std::vector<std::string>{"H100"});
  for (auto const& [lines, what] :
       {Refusal{"resources: {gpu: 1, mig: 10gb}",
                "line 3: resources.mig: '10gb' is no profile of a MIG instance; write for example "
                "1g.10gb"},
        {"resources: {mig: 1g.10gb}",
         "line 3: resources.mig: names a profile, but gpu asks for none; write gpu: 1"},
        {"resources: {gpu_fraction: 0.5, mig: 1g.10gb}",
         "line 3: resources.mig: an instance is not shared; leave gpu_fraction out"},
        {"resources: {gpu: 2, gpu_island: true, mig: 1g.10gb}",
         "line 3: resources.mig: instances have no fast link; leave gpu_island out"}})
    EXPECT_EQ(refusal(with(lines)), what);
}

TEST(Spec, LimitsDataAndExposureAreReadAsTheyAreWritten) {
  auto const lines =
      "limits: {latency_ms: 20, pue: 1.25}\ndata: {name: imagenet, size: 150GiB, within: 1h}\n"
      "exposure: {most: 0.3, weights: {internet: 0.6}}\n";
  auto const where = good(lines).resources.where;
  EXPECT_EQ(where.limits, (std::vector<LabelLimit>{{"latency_ms", 20'000}, {"pue", 1'250}}));
  EXPECT_EQ(where.data, (DataNeed{"imagenet", 150 * 1'024, 3'600'000}));
  EXPECT_EQ(where.exposure, (ExposureLimit{{{"internet", 600}}, 300}));
  EXPECT_EQ(good("data: {name: web}").resources.where.data, (DataNeed{"web", 0, 0}));
  EXPECT_EQ(refusal(with("limits: {latency_ms: low}")).find("line 3: limits.latency_ms: 'low'"),
            0u);
}

TEST(Spec, PricesAndSpotNodesAreReadAsTheyAreWritten) {
  auto const s = good(
      "price: {max_per_hour: 3.05, prefer: cheapest}\nspot: preferred\narray: 4\n"
      "on_demand_base: 2\n");
  EXPECT_EQ(s.resources.where.max_price_per_hour_micro, 3'050'000);
  EXPECT_TRUE(s.resources.where.cheapest);
  EXPECT_EQ(s.resources.where.spot, SpotUse::preferred);
  EXPECT_EQ(s.on_demand_base, 2u);
  EXPECT_EQ(good("").resources.where.spot, SpotUse::allowed);
  EXPECT_FALSE(good("price: {max_per_hour: 3}").resources.where.cheapest);
  EXPECT_EQ(good("price: {prefer: cheapest}").resources.where.max_price_per_hour_micro, 0);
  for (auto const& [lines, what] :
       {Refusal{"price: {}",
                "line 3: price: says nothing; write {max_per_hour: 3.00} or {prefer: cheapest}"},
        {"price: {max_per_hour: 0}",
         "line 3: price.max_per_hour: must be above 0 and at most a million"},
        {"price: {max_per_hour: -1}",
         "line 3: price.max_per_hour: must be above 0 and at most a million"},
        {"price: {max_per_hour: 1000001}",
         "line 3: price.max_per_hour: must be above 0 and at most a million"},
        {"price: {prefer: fastest}", "line 3: price.prefer: 'fastest' is not one of cheapest"},
        {"spot: maybe", "line 3: spot: 'maybe' is not one of never, allowed, preferred, only"},
        {"on_demand_base: 1",
         "line 3: on_demand_base: is of arrays and services; for one job write spot: never"},
        {"array: 3\nspot: only\non_demand_base: 1",
         "line 5: on_demand_base: keeps some off spot nodes, and spot: only keeps all there"},
        {"array: 3\nspot: never\non_demand_base: 1",
         "line 5: on_demand_base: means nothing with spot: never; leave one of them out"}})
    EXPECT_EQ(refusal(with(lines)), what);
}

TEST(Spec, GpusOfOneNumaNodeAreAskedFor) {
  EXPECT_TRUE(good("resources: {gpu: 4, gpu_numa: true}").resources.where.one_numa);
  EXPECT_TRUE(good("resources: {gpu: 1, gpu_numa: true}").resources.where.one_numa);
  EXPECT_FALSE(good("resources: {gpu: 4}").resources.where.one_numa);
  EXPECT_EQ(refusal(with("resources: {gpu_numa: true}")),
            "line 3: resources.gpu_numa: is for tasks with GPUs, and gpu asks for none");
}

TEST(Spec, AGangHasOnePortMore) {
  EXPECT_EQ(good("nodes: 2\n").resources.ports, 1u);
  EXPECT_TRUE(good("nodes: 2\n").gang_port);
  EXPECT_EQ(good("ports: 63\nnodes: 2\n").resources.ports, 64u);
  EXPECT_EQ(good("ports: 64\n").resources.ports, 64u);
  EXPECT_FALSE(good("ports: 64\n").gang_port);
  EXPECT_NE(refusal(with("ports: 64\nnodes: 2\n")).find("at most 63"), std::string::npos);
}

TEST(Spec, ArraysAndDependenciesAreReadAsTheyAreWritten) {
  auto const s = good("array: 100\narray_parallel: 10\nafter: [prep, check:any, train:failed]\n");
  EXPECT_EQ(s.array, 100u);
  EXPECT_EQ(s.array_parallel, 10u);
  EXPECT_EQ(s.after,
            (std::vector<Dependency>{
                {"prep", AfterEnd::ok}, {"check", AfterEnd::any}, {"train", AfterEnd::failed}}));
}

TEST(Spec, AConstraintThatMeansNothingIsRefusedByItsField) {
  for (auto const* lines :
       {"requires: ['zone=']\n", "requires: ['a b']\n", "prefers: ['!']\n",
        "tolerates: ['!spot']\n", "regions: ['eu west']\n", "topology: {}\nnodes: 2\n",
        "topology: {pack: rack, spread: rack}\nnodes: 2\n", "topology: {pack: rack}\n",
        "array_parallel: 3\n", "after: ['x:never']\n", "after: [':ok']\n",
        "resources: {gpu: 1, gpu_island: true}\n", "array: 10001\n"}) {
    std::string const name = std::string(lines).starts_with("resources")
                                 ? "resources.gpu_island"
                                 : std::string(lines).substr(0, std::string(lines).find(':'));
    auto const why = refusal(with(lines));
    EXPECT_NE(why.find(name), std::string::npos) << lines << why;
    EXPECT_NE(why, "accepted") << lines;
  }
}

}  // namespace
}  // namespace lepton::cli
