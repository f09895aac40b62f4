# shellcheck shell=bash
# Clauses of scripts/acceptance: that it is built, tested and started. Sourced by it, never run.
# Each is a program for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause run.packages "Installing packages again is quick and changes nothing" \
  'within 5 "$root/scripts/install-packages"'
clause run.incremental "A build after touching one core file takes less than 20 s" incremental
clause run.help "Every script explains itself with an example" \
  'for s in install-packages build test quickstart bench sim fuzz planted chaos soak \
       acceptance compose compose-test; do
     says "example:" "$root/scripts/$s" --help || exit 1; done'
clause run.tests "The second command passes every test" '"$root/scripts/test" --quick'
for library in base schema codec actor bus store crypto metrics service sim postgres; do
  clause "common.$library" "common/$library has tests and they pass" "tested '$library'"
done
clause common.example "An actor with a message, a timer and a row takes under 80 lines" \
  'f=$(ls "$root"/examples/*actor*/*.cpp "$root"/examples/*actor*.cpp 2> /dev/null | head -n 1)
   [ -n "$f" ] && [ "$(wc -l < "$f")" -lt 80 ] && "$release/bin/hello_actor"'
clause common.traps "Each trap of the message library that the bus rules out has its test" \
  'tested bus'
clause up.start "lepton up starts all services with a private PostgreSQL" \
  'lepton up --detach --port-base "$port_base" && says "deployer +up" lepton status'
clause up.twice "A second lepton up is refused with the cure" \
  'refused 5 "already.*lepton down" lepton up'
clause up.port "A port in use is named before anything starts" \
  'refused 5 "port $port_base .*in use.*--port-base" \
     lepton up --state "$PWD/other" --port-base "$port_base" && [ ! -e other/postgres ]'
clause up.kill "Each service, PostgreSQL and the supervisor come back after kill -9" 'tested cli_up'
clause up.version "lepton version names the version" 'says "[0-9]+\.[0-9]+\.[0-9]+" lepton version'
for core in deployer node vault auditor scaler monitor; do
  clause "$core.core" "The decisions of $core are pure and tested" "tested '${core}'"
done
