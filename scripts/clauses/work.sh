# shellcheck shell=bash
# Clauses of scripts/acceptance: jobs and machines. Sourced by it, never run. Each is a program
# for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause job.plan "A plan says where a job would go, and changes nothing" \
  'refused 1 "start 1 task" lepton plan -f "$root/examples/digits/train.yaml" &&
   refused 3 "digits" lepton job show digits'
clause job.real "A real job trains a classifier as its own user with a secret from the vault" \
  'echo acceptance-secret | lepton secret put ml/hf --stdin &&
   lepton apply -f "$root/examples/digits/train.yaml" --wait &&
   says "accuracy: 0.9" lepton job logs digits && says "HF_TOKEN is set" lepton job logs digits &&
   ! says "user id 0" lepton job logs digits && says "succeeded" lepton job show digits'
clause job.secret "The secret is nowhere in the state folder in clear" \
  'says "acceptance-secret" lepton secret get ml/hf && grep -rqsa lepton "$LEPTON_STATE" &&
   { grep -rlsa acceptance-secret "$LEPTON_STATE"; [ "$?" -ne 0 ]; }'
clause job.list "Jobs are listed with their owner" \
  'lepton job list -o json | tee -a /dev/stderr | python3 -c "import json, sys
jobs = json.load(sys.stdin)[\"jobs\"]
sys.exit(not jobs or not all(job[\"owner\"] for job in jobs))"'
clause job.cancel "A job can be cancelled" \
  'lepton apply -f "$root/examples/sleep.yaml" && lepton job cancel sleep &&
   says "cancelled" lepton job show sleep'
clause job.replay "Every pod of the trace is placed or refused, and audited, exactly once" \
  'lepton replay $trace -o json | tee replay.json | python3 -c "import json, os, sys
r = json.load(sys.stdin)
wrong = r[\"placed\"] + r[\"refused\"] != int(os.environ[\"trace_pods\"])
sys.exit(wrong or r[\"failed\"] + r[\"audit_missing\"] + r[\"audit_doubled\"] != 0)"'
clause node.list "The machine's node is listed" 'says "ready" lepton node list --pool default'
clause node.drain "A drained node gets no new work, until it is taken back" \
  'n=$(lepton node list --pool default -o name | tail -n 1) && lepton node drain "$n" &&
   refused 1 "draining" lepton plan -f "$root/examples/sleep.yaml"; s=$?
   lepton node undrain "$n" && [ $s -eq 0 ]'
clause node.join "A machine joins with a token and a key, and a wrong token is refused" \
  'tested cli_up && refused 2 "token create" lepton node join wrong --state "$PWD/far" \
     --deployer tcp://127.0.0.1:9 --server-key aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
clause job.preempt "Work of lower priority gives way, and goes on afterwards; owners have quotas" \
  'tested process_giving_way'
clause node.mark "Labels and taints decide where new work goes, until they are taken away" \
  'n=$(lepton node list --pool default -o name | tail -n 1) &&
   { cat "$root/examples/sleep.yaml"; echo "requires: [rack=r1]"; } > racked.yaml &&
   refused 1 "passes rack=r1" lepton plan -f racked.yaml && lepton node label "$n" rack=r1 &&
   refused 1 "start 1 task" lepton plan -f racked.yaml && lepton node taint "$n" maintenance &&
   refused 1 "taint" lepton plan -f racked.yaml; s=$?
   lepton node taint "$n" maintenance- && lepton node label "$n" rack- && [ $s -eq 0 ]'
clause node.reach "Latency, exposure and the way to its data keep work away, with the figures" \
  'n=$(lepton node list --pool default -o name | tail -n 1) && e=exposure/internet &&
   { cat "$root/examples/sleep.yaml"; echo "limits: {latency_ms: 20}"
     echo "exposure: {most: 0.3, weights: {internet: 0.5}}"; } > near.yaml &&
   { cat "$root/examples/sleep.yaml"; echo "data: {name: web, size: 900000GiB, within: 1h}"; } \
     > there.yaml &&
   lepton node label "$n" latency_ms=35 "$e=0.4" &&
   refused 1 "within latency_ms 20" lepton plan -f near.yaml &&
   lepton node label "$n" latency_ms=12 && refused 1 "start 1 task" lepton plan -f near.yaml &&
   lepton node label "$n" "$e=0.9" && refused 1 "exposed so little" lepton plan -f near.yaml &&
   refused 1 "has web, or can fetch it" lepton plan -f there.yaml &&
   lepton node label "$n" data/web= && refused 1 "start 1 task" lepton plan -f there.yaml; s=$?
   lepton node label "$n" latency_ms- "$e-" data/web- && [ $s -eq 0 ]'
clause job.array "An array is one line, and a job after it starts when all of it has ended" \
  'printf "name: many\ncommand: [/bin/true]\narray: 3\n" > many.yaml &&
   printf "name: sum\ncommand: [/bin/true]\nafter: [many]\n" > sum.yaml &&
   lepton apply -f many.yaml && lepton apply -f sum.yaml --wait &&
   says "3 succeeded" lepton job show many && says "many.3." lepton job list'
clause job.explain "A job says what rejects the machines, or why it is where it is" \
  'n=$(lepton node list --pool default -o name | tail -n 1) && lepton node drain "$n" &&
   lepton apply -f "$root/examples/sleep.yaml" && says "not ready" lepton job explain sleep; s=$?
   lepton node undrain "$n" && says "foresight" lepton job explain sleep &&
   lepton job cancel sleep && [ $s -eq 0 ]'
clause job.decisions "What was decided is kept, and comes out the same when it is decided again" \
  'lepton apply -f "$root/examples/sleep.yaml" &&
   says "the same again" lepton job explain sleep --replay && says "place" lepton decision list \
     --job sleep && says "the same again" lepton decision replay; s=$?
   lepton job cancel sleep && [ $s -eq 0 ]'
clause job.resize "Running work gets another size without a stop, and keeps what it uses" \
  'tested "^process_(resize|containers)$" &&
   suite test_deployer "ResizeTest.*" &&
   suite test_node "ResizeTest.*"'
clause job.elastic "Workers join a running job where there is room, and give way first" \
  'tested "^process_elastic$" && suite test_deployer "ElasticTest.*" &&
   suite test_deployer_core "Elastic.*"'
clause node.power "What GPUs of a rack may draw together is never exceeded by a start" \
  'lepton power cap rack=none 1kW && says "rack=none" lepton power list && lepton power uncap \
     rack=none && suite test_deployer "PowerTest.*" &&
   suite test_deployer_core "PowerBook.*"'
clause job.sites "The sum over sites of performance, availability and cost by weights is least" \
  'suite test_deployer_core "Site.*"'
clause node.reservations "Room is kept for later, lent until then, and refused where it cannot be" \
  'suite test_deployer "ReservationsTest.*"'
clause node.slices "A part of a machine is a node of its own, changed in use, released empty" \
  'lepton slice create part --cpus 0.5 --memory 128MiB && says "part" lepton node list &&
   refused 5 "that size already" lepton slice resize part --cpus 0.5 &&
   lepton slice resize part --cpus 0.4; s=$?
   lepton slice release part && [ $s -eq 0 ] && tested "^process_slices$" &&
   suite test_deployer "SlicesTest.*" &&
   suite test_deployer_core "Slice.*"'
clause job.patience "Who has waited for a day is first in line; thirty days of churn prove it" \
  'suite test_deployer "Patience*:Fairness*"'
clause job.exec "A command runs beside a task, with its exit status and a right of its own" \
  'lepton apply -f "$root/examples/sleep.yaml" &&
   until lepton exec sleep -- true; do [ $((++tries)) -lt 100 ] || exit 1; done
   says "^sleep .*3600|/bin/sleep" lepton exec sleep -- ps -ef && refused 7 "^$" lepton exec sleep \
     -- sh -c "exit 7"; s=$?
   lepton job cancel sleep && says "exec_ended" lepton audit tail --lines 20 && [ $s -eq 0 ]'
clause job.exec.ends "Whatever breaks, such a command ends, in a container too" \
  'tested "process_exec"'
clause job.code "Folders are sent, outputs fetched, and a gang trains one model in two tasks" \
  'tested process_user_code'
clause job.gang "The example of a gang runs" \
  'lepton apply -f "$root/examples/gang/train.yaml" --wait &&
   says "succeeded" lepton job show gang'
clause job.containers "Processes, containers and the fake keep one contract" \
  'tested "node_(runner|docker)|process_containers"'
clause job.registry "Private registries are opened by the vault, and only for who may" \
  'tested process_registry'
clause job.backfill "Short work fills the time until the first in line starts, delaying nothing" \
  'suite test_deployer "BackfillTest.*" && suite test_deployer_core "Backfill*"'
clause job.gangs "Gangs start whole or not at all, and no two wait for each other for ever" \
  'suite test_deployer "GangTest.*:TranscriptTest.TwoGangs*" &&
   suite test_deployer_core "Place*:Gang*:Hold*"'
clause job.victims "The least work is lost, none in vain, and what is owed is safe" \
  'suite test_deployer "PreemptionTest.*" && suite test_deployer_core "Preempt*"'
clause job.shares "Owners get what they are owed, lend what they do not use, and take it back" \
  'suite test_deployer "QuotasTest.*" &&
   suite test_deployer_core "Ledger*:Borrowed*:Cases/WithinTest.*"'
clause job.relations "Arrays run so many at a time, and jobs wait for the ends that they name" \
  'suite test_deployer "RelationsTest.*" && suite test_deployer_core "Relations*"'
clause job.where "Models, labels, regions, topology, MIG, disk, network, price and spot are kept" \
  'suite test_deployer "ConstraintsTest.*:MigTest.*:BandwidthTest.*:Spot*" &&
   suite test_deployer_core \
     "Affinity*:Islands*:Numa*:Topology*:Mig*:Bandwidth*:Prices*:Reach*:Feasible*"'
clause job.policies "Each named policy is itself; the one that learns finds the best" \
  'suite test_deployer "PolicyTest.*" && suite test_deployer_core "Bandit*:Arms*:PlacerBandit*"'
clause job.pure "Plans are the same for the same cluster, whatever nodes are called" \
  'suite test_deployer_core "PlacerProperty.*:ClusterProperty.*:DecisionReplay.*"'
clause job.quality "On a mix of its own, the default strands less than FGD, FGD less than chance" \
  'suite test_deployer_core "Quality.*"'
clause job.migration "Moves keep every job whole and every budget" \
  'suite test_deployer_core "Migration*"'
clause job.transcripts "What becomes of jobs that want the same GPUs can be read as a story" \
  'suite test_deployer "TranscriptTest.*:PatienceTest.TheTranscript*"'
