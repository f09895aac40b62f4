# shellcheck shell=bash
# Clauses of scripts/acceptance: services and what is measured. Sourced by it, never run. Each is
# a program for another shell: that one expands it, not this one.
# shellcheck disable=SC2016

clause service.scale "A service is scaled by a policy and by hand, and says why" \
  'lepton service autoscale web --max 3 && lepton service scale web 2 &&
   says "asked for 2" lepton service explain web && refused 2 "limits" lepton service scale web 9'
clause service.shares "Services share the changes of one load, together never more than all of it" \
  'by="--policy adjustment --signal concurrency --per-replica 1 --max 9 --period 10s" &&
   lepton service autoscale one $by --share 0.6 && lepton service autoscale two $by --share 0.4 \
     --follows one && refused 5 "sum to 1.1" lepton service autoscale three $by --share 0.1 \
     --follows one && says "put its scaling" lepton service explain two'
clause service.core "Rollouts keep their rules, whatever happens" 'tested "deployer_core|node_core"'
clause service.entrance "The fake balancer and a real HAProxy keep one contract" \
  'tested deployer_balancer'
clause service.probes "Replicas are asked by http, tcp and command" 'tested node_probe'
clause service.rollout "A rollout under load loses no request; what is killed is replaced" \
  'tested process_serving'
clause service.ports "A port is given to nobody while an entrance may lead there" \
  'suite test_deployer "ServicesTest.APort*" && tested process_serving'
clause service.refused "A wrong field of a service is refused with its line and name" \
  'printf "type: service\nname: x\ncommand: [/bin/true]\nprobes: {readiness: {http: ready}}\n" \
     > bad.yaml && refused 2 "line 4: probes.readiness.http" lepton service apply bad.yaml'
clause service.zero "An idle service goes to zero, and its first request brings it back" \
  'suite test_deployer "Idle*"'
clause service.policies "Each scaling policy gives the reference's figures" \
  'tested scaler_core'
clause monitor.scraped "Prometheus reads each page, Alertmanager hears of each alert" \
  'tested process_scraped'
clause monitor.liveness "Silence is suspected before it is death, and alerts are told once" \
  'tested "monitor_core|monitor_webhook|test_monitor$"'
clause monitor.top "Every machine says what it measures" \
  'until says "ready" lepton top; do [ $((++tries)) -lt 100 ] || exit 1; done'
