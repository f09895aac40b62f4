#!/usr/bin/env bash
# The control plane of containers on the engine that answers at DOCKER_HOST; its images are built.
# Run by scripts/compose-test, which names the folder ($stack) and the project ($project) to make
# and to remove.
#
# usage: tests/process/compose.sh [OPTIONS of lepton stack prepare]
# example: scripts/compose-test

source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
source "$root/scripts/containers.sh"
source "$root/scripts/main_job.sh"

: "${stack:?run scripts/compose-test}" "${project:?run scripts/compose-test}" "${full:=no}"
parts=(database vault auditor deployer scaler monitor steward haproxy node)
said=$stack.said # the last words of what was waited for
address=
export LEPTON_CONTEXT=$stack/client.yaml

finish() {
  local status=$?
  trap - EXIT ERR
  if [ "$status" -ne 0 ]; then
    for part in "${parts[@]}"; do
      echo "--- $part" >&2
      docker logs --tail 12 "$(container "$part")" >&2 2>&1 || true
    done
  fi
  compose --profile metrics down --volumes --remove-orphans > "$said" 2>&1 || cat "$said" >&2
  exit "$status"
}

# until_true SECONDS WHAT COMMAND...
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > "$said" 2>&1 < /dev/null; do
    if [ $SECONDS -ge $end ]; then
      cat "$said" >&2
      die "waited in vain for $what"
    fi
    sleep 0.2
  done
}

container() {
  docker ps -aq --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1"
}
# inspect PART FORMAT
inspect() { docker inspect -f "$2" "$(container "$1")"; }
is_healthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = healthy ]; }

bring_up() {
  compose up -d > "$said" 2>&1 || {
    cat "$said" >&2
    die "compose did not bring the stack up"
  }
  for part in steward haproxy node; do until_true 120 "a healthy $part" is_healthy "$part"; done
  show "$lepton" status
}

# No root but where it must be, no capability but the named ones, nothing to be written.
has_few_rights() {
  local part rights wanted
  local few='true [ALL] [no-new-privileges:true]'
  local questions='{{.Config.User}} {{.HostConfig.CapAdd}} {{.HostConfig.ReadonlyRootfs}}'
  questions+=' {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}'
  for part in "${parts[@]}"; do
    rights=$(inspect "$part" "$questions")
    wanted="71000:71000 [] $few"
    [ "$part" != node ] || wanted="0:0 [CHOWN DAC_OVERRIDE FOWNER KILL SETGID SETUID] $few"
    [ "$rights" = "$wanted" ] || die "$part has other rights than it should: $rights"
    [ "$(inspect "$part" '{{.HostConfig.PidsLimit}}')" -gt 0 ] || die "$part has no limit of pids"
    [ "$part" = node ] || [ "$(inspect "$part" '{{.HostConfig.Memory}}')" -gt 0 ] ||
      die "$part has no limit of memory"
  done
}

# A container sees no secret of another; who runs tasks may not read those of the node.
keeps_apart() {
  local seen
  seen=$(docker exec "$(container scaler)" find "$stack" -name '*.key*' -o -name '*.url' \
    -o -name '*.token' | sed "s|^$stack/||" | sort | xargs)
  [ "$seen" = "database/scaler/scaler.url parts/scaler/scaler.keys" ] ||
    die "the container of the scaler shows: $seen"
  for file in parts/node/node.keys token/node.token; do
    ! docker exec --user lepton-task "$(container node)" cat "$stack/$file" > /dev/null 2>&1 ||
      die "the user of tasks can read $file"
  done
}

# What quickstart shows with three replicas is seen with two here; --full shows all of it.
serve_and_scale() {
  if [ "$full" = yes ]; then
    serve
  else
    serve_model
    show python3 "$root/examples/digits/load.py" "$address" "$lepton" 6 2
  fi
}

# Every part that has figures is asked for them, and answers.
all_are_scraped() {
  curl -sf "http://127.0.0.1:${LEPTON_PORT_PROMETHEUS:-9090}/api/v1/targets" |
    python3 -c 'import json, sys
targets = json.load(sys.stdin)["data"]["activeTargets"]
print(", ".join(target["labels"]["instance"] + " " + target["health"] for target in targets))
sys.exit(len(targets) < 6 or any(target["health"] != "up" for target in targets))'
}
watch() {
  [ "$full" = yes ] || return 0
  compose --profile metrics up -d prometheus > "$said" 2>&1
  until_true 120 "Prometheus at every part" all_are_scraped
  note "Prometheus reaches: $(cat "$said")"
  parts+=(prometheus)
}

# A job runs to its end, the vault opens a secret, a request reaches the model: every part works.
works() {
  printf 'name: proof\ncommand: [/bin/true]\nmax_duration: 1m\n' |
    "$lepton" apply -f - -y --wait --timeout 30 &&
    [ "$("$lepton" secret get ml/hf -y)" = demo-token ] &&
    curl -sf --max-time 10 "http://$address/digit?index=7" | grep -q '"digit": 7'
}
is_started_again() {
  [ "$(inspect "$1" '{{.RestartCount}} {{.State.Running}}')" = "$2 true" ]
}

# As a crash, from outside: what `docker kill` ends counts as stopped by a person and stays so.
kill_once() {
  local part=$1 pid begin=${EPOCHREALTIME/./} starts
  pid=$(inspect "$part" '{{.State.Pid}}')
  starts=$(inspect "$part" '{{.RestartCount}}')
  [ "$pid" -gt 1 ] || die "$part does not run"
  kill -9 "$pid"
  until_true 30 "a new start of $part" is_started_again "$part" $((starts + 1))
  until_true 120 "work after the end of $part" works
  note "$part was killed; everything works again after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
}

ends_well() {
  local part code
  compose --profile metrics stop > "$said" 2>&1
  for part in "${parts[@]}"; do
    code=$(inspect "$part" '{{.State.ExitCode}}')
    [ "$code" = 0 ] || die "$part ended with $code when it was asked to stop"
  done
}

nothing_is_left() {
  [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$project")" ] &&
    [ -z "$(docker network ls -q --filter "label=com.docker.compose.project=$project")" ]
}

choose_compose
"$lepton" stack prepare "$stack" --node-name box "$@"
trap finish EXIT
compose --profile metrics config -q
say "up"
bring_up
has_few_rights
keeps_apart
say "the main job"
train
replay
serve_and_scale
watch
say "each container is killed once"
for part in "${parts[@]}"; do kill_once "$part"; done
verify
say "stopped, and started again with another key of one service"
ends_well
# One service gets another key, which all others learn.
rm "$stack/parts/scaler/scaler.keys"
"$lepton" stack prepare "$stack"
bring_up
until_true 60 "work after a new start" works
show "$lepton" job show digits -o name
verify
ask
compose --profile metrics down --volumes --remove-orphans > "$said" 2>&1
nothing_is_left || die "containers or networks are left"
trap - EXIT
