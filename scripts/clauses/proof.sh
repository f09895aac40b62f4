# shellcheck shell=bash
# Clauses of scripts/acceptance: the promises under faults. Sourced by it, never run. Each is a
# program for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause proof.sim "Fifty seeds of the simulation keep every promise" '"$root/scripts/sim" --seeds 50'
clause proof.repeat "The same seed gives the same run" \
  'run() { "$root/scripts/sim" --seed 7 | tail -n 1; }; a=$(run) && b=$(run) &&
     [ -n "$a" ] && [ "$a" = "$b" ]'
clause proof.fuzz "Hostile input is refused by every decoder" \
  'ctest --test-dir "$release" -L fuzz --output-on-failure --no-tests=error'
clause proof.kill "Killing each process during a replay loses, doubles and hides nothing" \
  'tested "process_(kill_during_replay|history)"'
clause proof.chaos "Random kills and stops: nothing acknowledged is lost, nothing happens twice" \
  'tested process_chaos'
clause proof.takeover "A standby takes over, and who was replaced writes nothing" \
  'tested process_takeover'
clause proof.versions "What old versions wrote is read, and a newer schema stops nobody" \
  'tested "schemas|process_upgrade"'
clause proof.next "Two versions of a service beside each other: jobs, secrets and log are whole" \
  'tested process_next_version'
clause proof.keys "Service keys are rotated under load; the old key opens nothing" \
  'tested "bus|process_rotate_keys"'
clause proof.keyring "The keyring is rotated under load, and each value is read back" \
  'tested process_rotate_keyring'
clause proof.silence "Whose packets vanish is given up within 4 s by who asks or subscribes" \
  'tested process_silence'
clause proof.restore "A backup of a busy machine is restored into an empty one, and proves itself" \
  'tested process_restore'
clause proof.injected "Failing system calls, cut links, a full disk, a clock that jumps" \
  'tested process_injected'
clause proof.database "A minute without PostgreSQL: tasks go on, and it recovers alone" \
  'tested process_database_away'
clause proof.standbys "A standby is counted in the status while it waits" 'counts_standby scaler'
clause proof.lease "The keeper of the lease and the loop that obeys it" 'tested common_service'
clause proof.traps "Each trap of the library is shown, and its rule holds" \
  'suite test_bus "StockTrap.*:Trap.*:Door.*:Hostile*:Silence.*:Abort.*:Hints.*"'
clause proof.thousand "A thousand seeds and every crash point of a small run" 'tested simulation'
clause proof.checker "The checker sees each kind of loss and double" 'tested process_history'
clause proof.time "All proofs take less than ten minutes, where run.tests measured them" \
  '[ -s logs/run.tests.log ] || exit 77
   echo "on $(nproc) cores" && grep -E "^[0-9]+ passed, 0 failed\$" logs/run.tests.log &&
   grep -E "the proof part took [0-9] min" logs/run.tests.log'
clause proof.hours "Simulated hours for each second of CPU are told" \
  '"$root/scripts/sim" --seeds 10 | tee -a /dev/stderr | grep -E "simulated hours"'
clause deep.sim "A hundred thousand seeds" '"$root/scripts/sim" --seeds 100000'
clause deep.planted "Every planted bug is caught" \
  '"$root/scripts/planted" | tail -n 1 | grep -E "^([0-9]+)/\1 caught$"'
clause deep.chaos "Three thousand kills, and faults below the programs after each hundred" \
  '"$root/scripts/chaos" --kills 3000 --seed 1'
clause deep.recovery "Each service serves again within 2 s of its kill, with 10,000 jobs stored" \
  'LEPTON_BIN="$release/bin" python3 -B "$root/tests/process/kill_during_replay.py" --apart |
     tee /dev/stderr | awk -F "serves after " "/serves after/ && !/postgres/ {
       if (\$2 + 0 >= 2) slow = 1; seen++ } END { exit slow || seen != 6 }"'
clause deep.soak "Twenty minutes of load and faults leave nothing behind" \
  '"$root/scripts/soak" --minutes 20'
clause deep.sanitizers "Clean under the address, undefined and thread sanitizers" \
  '"$root/scripts/test" --deep'
clause deep.fuzz "Fuzzing by coverage finds nothing" '"$root/scripts/fuzz"'
clause deep.rivals "What others lose under the same kills is counted" \
  '[ -n "$(command -v nats-server)" ] || exit 77; "$root/scripts/chaos" --compare --seed 1'
clause compose.kill "The control plane of containers does the main job and survives each kill" \
  'tested process_compose'
clause proof.partition "A partitioned node ends its task before another starts it" \
  'tested partition'
clause proof.backup "A backup comes back, its root key from its own copy" \
  'lepton backup one.backup && lepton down && mv "$LEPTON_STATE" "$LEPTON_STATE.old" &&
   lepton restore one.backup && cp "$LEPTON_STATE.old/vault.key" "$LEPTON_STATE/" &&
   lepton up --detach && says "succeeded" lepton job show digits &&
   says "acceptance" lepton secret get ml/hf && lepton audit verify'
