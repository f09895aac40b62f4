# shellcheck shell=bash
# Clauses of scripts/acceptance: figures, and habits of the project. Sourced by it, never run.
# Each is a program for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause bench.messaging "The messaging benchmark gives its figures" \
  '"$root/scripts/bench" messaging --quick | json rtt_p50_us bare_curve_rtt_p50_us rtt_ratio \
     pipelined_rps bare_curve_pipelined_rps durable_rtt_p50_us durable_rps encode_ns decode_ns'
clause bench.store "The store benchmark gives its figures" \
  '"$root/scripts/bench" store --quick | json rows_per_s copy_rows_per_s ratio_100 \
     upsert_rows_per_s upsert_ratio_100'
clause bench.placement "Our FGD is the published one, and the default policy strands less" \
  'aims quality'
clause bench.power "The policy that spares power spares more than the published one" 'aims power'
clause bench.speed "A decision is quick, and grows slower than the number of nodes" 'aims speed'
clause bench.scaling "The benchmark of scaling gives its figures, and loses no request" \
  '"$root/scripts/bench" scaling --quick | tail -n 1 | tee last | json decide_10000_services_ms \
     loss_known_p99_s replaced_p99_s haproxy_200_ms rollouts lost_requests &&
   grep -q "\"lost_requests\": *0[,}]" last'
clause bench.e2e "3,000 durable, audited placements a second; why work waits within a second" \
  '"$root/scripts/bench" e2e --quick | tail -n 1 | tee e2e.json | json placements_per_s \
     submit_to_placed_p50_ms submit_to_placed_p99_ms submit_to_running_p50_ms audit_entries \
     acknowledged explain_p99_ms || exit 1
   [ "$trace_pods" -eq 8152 ] || exit 77
   python3 -c "import json, sys
f = json.load(open(\"e2e.json\"))
sys.exit(f[\"placements_per_s\"] < 3000 or f[\"explain_p99_ms\"] > 1000 or
         f[\"audit_entries\"] != f[\"acknowledged\"])"'
clause habits.files "The files that a newcomer looks for are there" \
  'cd "$root" && ls README.md CONTRIBUTING.md CHANGELOG.md LICENSE .clang-format .clang-tidy \
     docs/architecture.md docs/performance.md'
clause habits.tidy "Layers, lengths, tests per core file and words are as agreed" \
  '"$root/scripts/tidy.py" && "$root/scripts/tidy.py" --self-test'
