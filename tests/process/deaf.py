"""An HAProxy that serves on and cannot be told, a part of serving.py: the port of a replica that
has ended is given to nobody, so that no request reaches the work of somebody else."""

from stack import check, equal, wait_for


def stranger(program):
    """It would answer at its port."""
    return {"name": "stranger", "command": ["/usr/bin/python3", "-c", program],
            "env": {"VERSION": "stranger"},
            "resources": {"cpus": "100m", "memory": "64MiB"}, "ports": 1}


def ports_of(view):
    return {replica["port"] for replica in view["replicas"]}


def vacated(stack):
    rows = stack.sql("SELECT port FROM deployer.vacated_port")
    return None if rows is None else {int(port) for port, in rows}


def deaf(stack, load, show, kill_replica, program):
    load.start()
    load.goes_on()
    socket = stack.folder / "run/haproxy.sock"
    away = socket.with_suffix(".away")
    before = ports_of(show(stack))
    socket.rename(away)
    kill_replica(stack)
    left = before - ports_of(show(stack))
    equal(vacated(stack), left, "ports that are given to nobody")
    equal(len(left), 1, "ports that were left")
    job = stack.apply(stranger(program))
    task, = stack.wait_job(job, {"running"})["tasks"]
    check(set(task["allocation"]["ports"]).isdisjoint(left), "the port was given away")
    load.goes_on()
    away.rename(socket)
    wait_for("free ports", lambda: vacated(stack) == set(), 30, 0.2)
    load.goes_on()
    load.end()
    check("stranger" not in load.seen, "a request reached the work of somebody else")
    stack.cancel(job)
