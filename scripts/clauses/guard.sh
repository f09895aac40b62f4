# shellcheck shell=bash
# Clauses of scripts/acceptance: secrets, the audit log, and what is refused. Sourced by it, never
# run. Each is a program for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause vault.status "The vault says whether it is sealed" 'says "unsealed" lepton vault status'
clause vault.sealed "A sealed vault refuses to give secrets, with the cure" \
  'lepton vault seal && refused 6 "lepton vault unseal" lepton secret get ml/hf; s=$?
   lepton vault unseal && [ $s -eq 0 ]'
clause vault.token "A revoked token is refused within seconds" \
  't=$(lepton token create --subject ann --policy user --ttl 1h --save ann.token -o name) &&
   export LEPTON_TOKEN=$(cat ann.token) && lepton job list &&
   LEPTON_TOKEN= lepton token revoke "$t" &&
   until refused 4 "revoked" lepton job list; do [ $((++tries)) -lt 300 ] || exit 1; done'
clause vault.policy "Policies deny by default" \
  'lepton token create --subject bob --policy node --ttl 1h --save bob.token &&
   LEPTON_TOKEN=$(cat bob.token) refused 4 "denied" lepton secret list'
clause audit.verify "The audit log proves itself" 'says "verified|consistent" lepton audit verify'
clause audit.checkpoint "A signed checkpoint can be kept and checked later" \
  'lepton audit checkpoint > one.checkpoint && lepton audit verify --checkpoint one.checkpoint'
clause audit.prove "An entry is proved to be in the log" 'lepton audit prove 1'
clause audit.tail "The last entries can be followed" 'says "." lepton audit tail --lines 5'
clause audit.sql "People can ask the audit views in SQL, read only" \
  'says "." lepton audit sql "SELECT count(*) FROM auditor.audit_log" &&
   refused 4 "denied|read.only" lepton audit sql "DELETE FROM auditor.entry"'
clause bad.spec "A wrong field is refused with line, field and the nearest valid name" \
  'printf "name: x\ncommand: [/bin/true]\nresources: {gpuz: 1}\n" > bad.yaml &&
   refused 2 "line 3.*gpuz.*did you mean .gpu" lepton apply -f bad.yaml'
clause bad.node "An unknown node is named" 'refused 3 "no-such-node" lepton node drain no-such-node'
clause bad.size "A job larger than any node is refused with the largest node's size" \
  'printf "name: huge\ncommand: [/bin/true]\nresources: {cpus: 9000}\n" > huge.yaml &&
   refused 2 "largest" lepton apply -f huge.yaml'
clause bad.token "A wrong token is refused" \
  'LEPTON_TOKEN=wrong refused 4 "token" lepton job list'
clause bad.database "PostgreSQL killed: it comes back, and changes are taken again" \
  'tested cli_up'
clause bad.disk "A full disk and an occupied folder are named" 'tested postgres'
