# shellcheck shell=bash
# The main job, step by step: a classifier is trained, a trace is replayed, the model is served and
# scaled, the audit log is verified and asked. Sourced after lib.sh by what shows it
# (scripts/quickstart) and what proves it (tests/process/compose.sh), never run. `lepton` is the
# program; which control plane it speaks to is for LEPTON_CONTEXT to say.

# shellcheck disable=SC2154  # root is of lib.sh
lepton=$root/build/release/bin/lepton

# show COMMAND...: prints what a person would type, then runs it.
show() {
  local word line=''
  for word in "${@/#$lepton/lepton}"; do
    [[ $word != *' '* ]] || word="\"$word\""
    line+=" $word"
  done
  printf '\n   $%s\n' "$line"
  "$@" < /dev/null
}

train() {
  if ! "$lepton" secret list ml -o name 2> /dev/null < /dev/null | grep -q 'ml/hf$'; then
    printf '\n   $ echo demo-token | lepton secret put ml/hf --stdin\n'
    echo demo-token | "$lepton" secret put ml/hf --stdin
  fi
  show "$lepton" apply -f "$root/examples/digits/train.yaml" --wait
  show "$lepton" job logs digits
  show "$lepton" job show digits
}

replay() {
  local nodes=$root/examples/trace/nodes.csv pods=$root/examples/trace/pods.csv
  local real=${LEPTON_DATA:-$root/data}/gpu-trace-v2023
  if [ -f "$real/openb_pod_list_default.csv" ]; then
    nodes=$real/openb_node_list_gpu_node.csv
    pods=$real/openb_pod_list_default.csv
  else
    note "no real trace (LEPTON_DATA is not set): replaying the small one of examples/trace"
  fi
  show "$lepton" replay --nodes "$nodes" --pods "$pods"
}

# The model is in the output folder of the job, which its log names last. Sets `address`, the
# entrance.
serve_model() {
  local model tries=0
  model=$("$lepton" job logs digits < /dev/null | sed -n 's/^model: \(.*\) (.*/\1/p' | tail -n 1)
  # The folder of a task may be closed to who runs this.
  [ -f "$model" ] || [ ! -x "$(dirname "$model")" ] ||
    die "the trained model is not at '$model'"
  printf '\n   $ lepton service apply examples/digits/serve.yaml   # with MODEL: %s\n' "$model"
  (cd "$root/examples/digits" && sed "s|^  MODEL: .*|  MODEL: $model|" serve.yaml |
    "$lepton" service apply -)
  address=$("$lepton" service show digits -o json < /dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["line"]["address"])')
  until curl -sf "http://$address/ready" > /dev/null; do
    [ $((tries++)) -lt 120 ] || die "the service is not ready; see: lepton service show digits"
    sleep 0.5
  done
  show curl -s "http://$address/digit?index=7"
  printf '\n'
}

serve() {
  serve_model
  show python3 "$root/examples/digits/load.py" "$address" "$lepton"
  show "$lepton" service explain digits
}

verify() { show "$lepton" audit verify; }

ask() {
  show "$lepton" audit sql "SELECT action, outcome, count(*) FROM auditor.audit_log
      GROUP BY action, outcome ORDER BY count(*) DESC LIMIT 8"
  show "$lepton" audit sql "SELECT submitted_by, ending, node, ended_at - submitted_at AS took
      FROM auditor.job_history WHERE ending = 'succeeded' ORDER BY submitted_at DESC LIMIT 3"
  show "$lepton" audit sql "SELECT at, actor, action, resource, outcome
      FROM auditor.secret_reads ORDER BY sequence DESC LIMIT 3"
}
