# shellcheck shell=bash
# Words that the clauses of scripts/acceptance are made of: each is one check. Sourced by it, never
# run. Status 77 says that something cannot be measured here.

# tested REGEX: test programs that fit exist and pass; where one, or a part of one, was skipped,
# nothing is shown.
tested() {
  local output status=0
  output=$(ctest --test-dir "$release" -R "$1" --verbose --no-tests=error 2>&1) ||
    status=$?
  printf '%s\n' "$output"
  [ "$status" -eq 0 ] || return 1
  ! grep -Eq '\*\*\*Skipped|The following tests did not run|\[  SKIPPED \]' <<< "$output" ||
    return 77
}
# suite PROGRAM FILTER: tests of that program by these names are there, and pass; none is skipped.
suite() {
  local output
  output=$("$release/bin/$1" --gtest_filter="$2" | tee -a /dev/stderr) || return 1
  grep -E "^\[  PASSED  \] [1-9]" <<< "$output" || return 1
  ! grep -q "^\[  SKIPPED \]" <<< "$output" || return 77
}
# standbys SERVICE: how many wait for it, as the status says.
standbys() {
  lepton status -o json | python3 -c 'import json, sys
print(*(s["standbys"] for s in json.load(sys.stdin)["services"] if s["service"] == sys.argv[1]))
' "$1"
}
# counts_standby SERVICE: a second instance is counted while it waits, and not any more afterwards.
counts_standby() {
  [ "$(standbys "$1")" = 0 ] || return 1
  "$release/bin/lepton-$1" --config "$LEPTON_STATE/config/$1.yaml" > standby.log 2>&1 &
  local pid=$! tries=0 seen=0
  until [ "$(standbys "$1")" = 1 ] && seen=1 || [ $((++tries)) -gt 100 ]; do sleep 0.1; done
  kill "$pid" && wait "$pid"
  tries=0
  until [ "$(standbys "$1")" = 0 ] || [ $((++tries)) -gt 100 ]; do sleep 0.1; done
  [ "$seen" = 1 ] && [ "$tries" -le 100 ]
}
# refused CODE PATTERN COMMAND...: ends with that status and says something that fits.
refused() {
  local code=$1 pattern=$2 output status=0
  shift 2
  output=$("$@" 2>&1) || status=$?
  printf '%s\n(status %s, wanted %s and /%s/)\n' "$output" "$status" "$code" "$pattern"
  [ "$status" -eq "$code" ] && grep -Eqi "$pattern" <<< "$output"
}
# says PATTERN COMMAND...: succeeds and prints something that fits.
says() { refused 0 "$@"; }
# json FIELD...: the benchmark's last line, on standard input, has these fields.
json() {
  tail -n 1 | tee -a /dev/stderr | python3 -c 'import json, sys
fields = json.loads(sys.stdin.read())
missing = [name for name in sys.argv[1:] if name not in fields]
sys.exit("missing: " + ", ".join(missing) if missing else 0)' "$@"
}
# within SECONDS COMMAND...: succeeds and takes no longer.
within() {
  local limit=$1 begin=$SECONDS
  shift
  "$@" || return
  echo "took $((SECONDS - begin)) s, at most $limit"
  [ $((SECONDS - begin)) -le "$limit" ]
}
incremental() {
  "$root/scripts/build" --tests > /dev/null &&
    touch "$root/services/deployer/core/score.cpp" &&
    CCACHE_RECACHE=1 within 20 "$root/scripts/build" --tests
}
# The benchmark of placement, once for all clauses about it.
placement_figures() {
  [ "$trace_pods" -eq 8152 ] || exit 77
  [ -s placement.txt ] ||
    { "$root/scripts/bench" placement --policies fgd,ours > placement.part &&
      mv placement.part placement.txt; }
}
aims() { placement_figures && "$root/bench/placement/aims.py" placement.txt "$@"; }
export -f tested suite standbys counts_standby refused says json within incremental
export -f placement_figures aims say note die minutes took jobs

