# shellcheck shell=bash
# What every script shares: strict mode, places, messages, options. Sourced, never run.

set -Eeuo pipefail
trap 'echo "error: ${0##*/} stopped at line ${LINENO}: ${BASH_COMMAND}" >&2' ERR

# shellcheck disable=SC2034  # for the scripts that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
started=$SECONDS
export LC_ALL=C.UTF-8
# The same source compiled in two build folders is one entry of the compiler cache.
export CCACHE_NOHASHDIR=1

say() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
  trap - ERR
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The comment block at the top of the calling script is its help.
usage() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
  exit 0
}
# need "$@": the first argument is an option whose value must follow.
need() { [ $# -ge 2 ] || die "$1 needs a value; try: scripts/${0##*/} --help"; }

minutes() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }
took() { note "$1 took $(minutes $((SECONDS - ${2:-started})))"; }

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    die "root is needed to install packages: run this as root, or install sudo first"
  fi
}

# One compiler needs up to 1.5 GiB: more jobs than memory allows only make the machine swap.
jobs() {
  local cores memory_mib
  cores=$(nproc)
  memory_mib=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
  local fit=$((memory_mib / 2048))
  [ "$fit" -ge 1 ] || fit=1
  echo $((cores < fit ? cores : fit))
}
