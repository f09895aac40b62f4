#!/usr/bin/env python3
"""Workers join a job that runs: they find its first task, take only what is free, give way to other
work, come back, and end with it."""

from stack import Stack, check, equal, run_test, wait_for

TELLS = ("echo rank $NODE_RANK of $LEPTON_NODES_MIN to $LEPTON_NODES_MAX at "
         "$MASTER_ADDR:$MASTER_PORT; sleep 600")


def workers(stack):
    """Those that run."""
    return [line["job"] for line in stack.ask("job", "list", "--state", "running")["jobs"]
            if line["name"] == "train-worker"]


def begin(stack, cpus):
    job = stack.apply({"name": "train", "command": ["sh", "-c", TELLS], "nodes": 1, "nodes_max": 3,
                       "stop_grace": "1s", "resources": {"cpus": cpus, "memory": "32MiB"}})
    stack.wait_job(job, {"running"})
    return job


def find_their_job(stack, job):
    joined = wait_for("two workers", lambda: len(workers(stack)) == 2 and workers(stack))
    equal(int(stack.job(job)["workers"]), 2, "workers that are counted")

    def told(one):
        return wait_for(f"the log of {one}", lambda: stack.run("job", "logs", one).strip())
    first = told(job)
    place = first.rpartition(" ")[2]
    check(place.rpartition(":")[2].isdigit(), f"an address with a port: {first}")
    equal(first, f"rank 0 of 1 to 3 at {place}", "what the job was told")
    equal(sorted(told(one) for one in joined),
          [f"rank {rank} of 1 to 3 at {place}" for rank in (1, 2)], "what its workers were told")


def give_way_and_come_back(stack, job, cpus):
    other = stack.apply({"name": "other", "command": ["sleep", "600"], "stop_grace": "1s",
                         "resources": {"cpus": cpus, "memory": "32MiB"}})
    stack.wait_job(other, {"running"})
    wait_for("a worker that gave way", lambda: len(workers(stack)) == 1)
    equal(stack.job(job)["round"], 1, "rounds of the job")
    stack.cancel(other)
    wait_for("the worker that came back", lambda: len(workers(stack)) == 2)


def end_with_it(stack, job):
    stack.kill("deployer")
    wait_for("the deployer", lambda: stack.command("job", "show", job).returncode == 0)
    equal(len(workers(stack)), 2, "workers after a kill of the deployer")
    stack.cancel(job)
    wait_for("the end of its workers", lambda: not workers(stack))
    wait_for("an empty machine",
             lambda: int(stack.ask("node", "list")["nodes"][0]["attempts"]) == 0)
    stack.run("audit", "verify")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        # A third of the machine each: three fit, and a fourth does not.
        free = int(stack.ask("node", "list")["nodes"][0]["cpu_milli_free"])
        cpus = f"{free * 3 // 10}m"
        job = begin(stack, cpus)
        find_their_job(stack, job)
        give_way_and_come_back(stack, job, cpus)
        end_with_it(stack, job)


if __name__ == "__main__":
    run_test(test)
