# shellcheck shell=bash
# Images and compose files for what runs a control plane of containers (scripts/compose) and what
# proves it (scripts/compose-test). Sourced after lib.sh, never run.

# shellcheck disable=SC2154  # root is of lib.sh
release=$root/build/release/bin
# shellcheck disable=SC2034  # for the scripts that source this
version=$(sed -n 's/^project(lepton VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
stack_images=(services database node haproxy)

# docker compose 2 where it is there, else docker-compose 1.29, or what LEPTON_COMPOSE says.
choose_compose() {
  if [ -n "${LEPTON_COMPOSE:-}" ]; then
    read -ra compose_program <<< "$LEPTON_COMPOSE"
  elif docker compose version > /dev/null 2>&1; then
    compose_program=(docker compose)
  elif command -v docker-compose > /dev/null; then
    compose_program=(docker-compose)
  else
    die "there is neither 'docker compose' nor docker-compose; try: apt-get install docker-compose"
  fi
}

# compose WORDS...: on the stack in $stack, under the name $project.
compose() {
  "${compose_program[@]}" --env-file "$stack/compose.env" -p "$project" \
    -f "$root/compose/compose.yaml" "$@"
}

# What the Dockerfile copies: programs without the symbols of a debugger, and the migrations.
stage_context() {
  local context=$root/build/compose/context program
  local programs=(lepton lepton-{vault,auditor,deployer,scaler,monitor}
    lepton-{node,runner,container,init})
  [ -x "$release/lepton-node" ] || die "the programs are not built; run scripts/build first"
  mkdir -p "$context/bin"
  for program in "${programs[@]}"; do
    # An unchanged program keeps its time, so that the image keeps its layer.
    [ "$context/bin/$program" -nt "$release/$program" ] ||
      strip -o "$context/bin/$program" "$release/$program"
  done
  rm -rf "$context/sql"
  cp -r "$root/schemas/sql" "$context/sql"
  chmod -R u=rwX,go=rX "$context"
  cp "$root/compose/Dockerfile" "$context/Dockerfile"
}

base_label=org.lepton.base
# The mirror that this machine installs from.
# shellcheck disable=SC2016  # it is apt that fills it in
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' |
    grep -m 1 .
}

# Sets `base`: the public image where it is here or can be pulled, else one that is made here, once.
find_base() {
  local public=debian:bookworm-slim made=lepton/base:bookworm
  base=$public
  docker image inspect "$public" > /dev/null 2>&1 && return
  base=$made
  [ -z "$(docker images -q --filter "label=$base_label=bookworm" "$made")" ] || return 0
  base=$public
  timeout 30 docker pull -q "$public" > /dev/null 2>&1 && return
  base=$made
  make_base
}

make_base() {
  local from scratch folder begin=$SECONDS
  command -v mmdebstrap > /dev/null ||
    die "no image can be pulled, and there is no mmdebstrap to make one: apt-get install mmdebstrap"
  from=$(mirror) || die "apt's sources name no mirror of Debian 12 to make an image from"
  note "no image can be pulled: making a base image from this machine's own mirror"
  scratch=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/lepton-base.XXXXXX")
  # Neither documents nor translations, as in Debian's own slim image.
  local options=(--quiet --variant=minbase --dpkgopt=force-unsafe-io
    --aptopt='Acquire::Languages "none"')
  for folder in man doc locale; do options+=(--dpkgopt="path-exclude=/usr/share/$folder/*"); done
  TMPDIR=$scratch mmdebstrap "${options[@]}" bookworm "$scratch/base.tar" "$from" \
    > "$root/build/compose/base.log" 2>&1 &&
    docker import --change "LABEL $base_label=bookworm" "$scratch/base.tar" "$base" > /dev/null ||
    from=
  rm -rf "$scratch"
  [ -n "$from" ] || die "the base image could not be made; see build/compose/base.log"
  note "base image: $((SECONDS - begin)) s"
}

# build_images NAMES...: each is a target of compose/Dockerfile.
build_images() {
  local name log=$root/build/compose/images.log
  mkdir -p "$root/build/compose"
  stage_context
  find_base
  : > "$log"
  for name in "$@"; do
    # On the machine's network, for the packages; DOCKER_BUILDKIT=0: Debian's engine has no other.
    DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --network host --build-arg "BASE=$base" \
      --target "$name" -t "lepton/$name:$version" "$root/build/compose/context" >> "$log" 2>&1 || {
      tail -n 20 "$log" >&2
      die "the image of $name could not be built; all of its words are in ${log#"$root"/}"
    }
  done
}
