#!/usr/bin/env python3
"""A person's own code through one stack of real processes: a working folder is sent, kept, fetched
and verified, whatever breaks off or is tampered with; outputs come back; two tasks of a gang that
train together get the result of one alone."""

import hashlib
import json
import os
import re
import subprocess

from stack import ROOT, Stack, check, equal, run_test, wait_for

PYTHON = "/usr/bin/python3"


def result_of(log):
    found = re.search(r"loss (\S+) weights (\S+) accuracy (\S+)", log)
    check(found, f"no result in the log: {log}")
    return [float(number) for number in found.groups()]


def trains_together(stack):
    job = stack.ask("apply", "-f", "examples/gang/train.yaml", "-y")["job"]
    stack.wait_job(job, {"succeeded"}, 120)
    logs = [stack.run("job", "logs", job, "--task", str(rank)) for rank in range(2)]
    equal([re.findall(r"task (\d) of 2", log) for log in logs], [["0"], ["1"]], "ranks")
    equal(result_of(logs[0]), result_of(logs[1]), "both tasks' results")
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                   "LEPTON_OUTPUT_DIR": str(stack.folder)}
    alone = subprocess.run([PYTHON, ROOT / "examples/gang/train.py"], env=os.environ | environment,
                           capture_output=True, text=True, check=True).stdout
    for together, single in zip(result_of(logs[0]), result_of(alone)):
        check(abs(together - single) <= 1e-8 * abs(single),
              f"the gang's {together} is not the single process's {single}")


GANG = """
test "$RANK" -lt "$WORLD_SIZE" -a -n "$MASTER_ADDR" -a -z "$PORT" || exit 9
echo "$LEPTON_ATTEMPT_ID $MASTER_ADDR $MASTER_PORT $TF_CONFIG"
test -e "$MARK" || { test "$RANK" = 1 || exec sleep 60; : > "$MARK"; exit 1; }
"""


def is_an_array(stack):
    """Each job of it knows which one it is."""
    script = "echo $LEPTON_ARRAY_INDEX of $LEPTON_ARRAY_SIZE"
    array = stack.apply({"name": "many", "array": 3, "command": ["sh", "-c", script],
                         "resources": {"cpus": "0.1", "memory": "32MiB"}})
    stack.wait_job(array, {"succeeded"}, 60)
    equal([stack.run("job", "logs", f"{array}-{index}") for index in range(3)],
          [f"{index} of 3\n" for index in range(3)], "what they say")


def meets_again(stack):
    """One fails, both begin anew, and know each other by the same values."""
    place = stack.folder / "marks"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    job = stack.apply({"name": "again", "command": ["sh", "-c", GANG], "nodes": 2,
                       "env": {"MARK": str(place / "mark")}, "stop_grace": "1s",
                       "resources": {"cpus": "0.2", "memory": "32MiB"},
                       "retry": {"on": ["error"], "max": 1, "backoff": "0s"}})
    view = stack.wait_job(job, {"succeeded"}, 60)
    equal(view["round"], 2, "rounds")
    lines = [stack.run("job", "logs", job, "--task", str(rank)).split(" ", 3) for rank in range(2)]
    equal([line[0] for line in lines], [f"{job}-0-2", f"{job}-1-2"], "attempts")
    equal(lines[0][1:3], lines[1][1:3], "where they meet")
    places = [line[3].partition(", \"task\"")[0] for line in lines]
    equal(places[0], places[1], "cluster in TF_CONFIG")
    check(f":{lines[0][2]}" in places[0], f"the meeting port in {places[0]}")


def small(name, folder, script, **more):
    return {"name": name, "workdir": str(folder), "command": ["sh", "-c", script],
            "resources": {"cpus": "0.2", "memory": "64MiB"}, **more}


def send(stack, spec):
    """The job, and how many chunks of how many were sent for it."""
    done = stack.command("apply", "-f", "-", "-y", "-o", "json", text=json.dumps(spec))
    equal(done.returncode, 0, f"exit status of apply ({done.stderr})")
    sent = re.search(r"sent (\d+) of (\d+) chunks", done.stderr)
    check(sent, f"what was sent in {done.stderr}")
    return json.loads(done.stdout)["job"], int(sent[1]), int(sent[2])


def make_folder(stack):
    code = stack.folder / "code"
    (code / "lib").mkdir(parents=True)
    (code / "lib/words.txt").write_text("from the folder\n")
    (code / "run.sh").write_text("#!/bin/sh\ncat lib/words.txt again\n")
    (code / "run.sh").chmod(0o755)
    (code / "again").symlink_to("lib/words.txt")
    (code / "noise").write_bytes(os.urandom(3 << 20))
    (code / ".gitignore").write_text("*.secret\n/cache/\n")
    (code / "a.secret").write_text("stays at home")
    (code / "cache").mkdir()
    (code / "cache/x").write_text("stays too")
    return code


def folder_is_sent(stack, code):
    script = "./run.sh; id -un; find . | sort; echo mine > own; stat -c %a:%U run.sh lib"
    job, sent, chunks = send(stack, small("sent", code, script))
    equal(sent, chunks, "chunks sent at first")
    stack.wait_job(job, {"succeeded"})
    lines = stack.run("job", "logs", job).splitlines()
    user = lines[2]
    check(user != "root", "the task is no root")
    equal(lines, ["from the folder"] * 2 + [user] + [".", "./.gitignore", "./again", "./lib",
          "./lib/words.txt", "./noise", "./run.sh", f"700:{user}", f"700:{user}"], "what it finds")
    attempt = stack.state / f"node/attempts/{job}-0-1"
    check((attempt / "out").is_dir() and not (attempt / "work").exists(), "its copy has gone")
    job, sent, _ = send(stack, small("sent", code, "test ! -e own"))
    equal(sent, 0, "chunks sent again")
    stack.wait_job(job, {"succeeded"})
    with open(code / "noise", "r+b") as noise:
        noise.write(b"another beginning")
    job, sent, chunks = send(stack, small("sent", code, "head -c 17 noise"))
    check(0 < sent < chunks, f"a change sends some of {chunks} chunks, not {sent}")
    stack.wait_job(job, {"succeeded"})
    equal(stack.run("job", "logs", job), "another beginning", "the change")


def each_task_has_its_own(stack, code):
    script = "echo $RANK > lib/words.txt; sleep 0.3; cat lib/words.txt"
    job, _, _ = send(stack, small("own", code, script, nodes=2))
    stack.wait_job(job, {"succeeded"})
    for rank in range(2):
        equal(stack.run("job", "logs", job, "--task", str(rank)), f"{rank}\n", "its own copy")


def upload_goes_on(stack):
    big = stack.folder / "big"
    big.mkdir()
    (big / "data").write_bytes(os.urandom(48 << 20))
    before = stack.number("SELECT count(*) FROM deployer.folder_data")
    words = [stack.bin / "lepton", "apply", "-f", "-", "-y"]
    upload = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=stack.environment, stdout=subprocess.DEVNULL)
    upload.stdin.write(json.dumps(small("big", big, "wc -c < data")))
    upload.stdin.close()
    wait_for("first chunks", lambda: upload.poll() is not None or stack.number(
        "SELECT count(*) FROM deployer.folder_data") > before)
    upload.kill()
    upload.wait()
    upload.stderr.close()
    stack.kill("deployer")
    job, sent, chunks = send(stack, small("big", big, "wc -c < data"))
    check(sent < chunks, f"the second upload sent {sent} of {chunks} chunks")
    stack.wait_job(job, {"succeeded"})
    equal(stack.run("job", "logs", job).strip(), str(48 << 20), "what arrived")


LEAVES = """
cd $LEPTON_OUTPUT_DIR; mkdir -p model/empty; printf weights > model/weights; chmod 700 model/weights
head -c 5000000 /dev/urandom > noise; sha256sum < noise; : > nothing
ln -s /etc/passwd passwd; ln -s /etc etc; mkfifo pipe; printf x > "$(printf 'a\\nb')"
"""


def outputs_come_back(stack):
    spec = {"name": "leaves", "command": ["bash", "-c", LEAVES],
            "resources": {"cpus": "0.2", "memory": "64MiB"}}
    job = stack.apply(spec)
    stack.wait_job(job, {"succeeded"})
    into = stack.folder / "into"
    done = stack.command("job", "fetch", job, str(into))
    equal(done.returncode, 0, f"exit status of fetch ({done.stderr})")
    check("fetched 3 files" in done.stderr and "4 links, devices" in done.stderr, done.stderr)
    equal(sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()),
          ["model/weights", "noise", "nothing"], "what came")
    equal((into / "model/weights").read_text(), "weights", "its content")
    check(os.access(into / "model/weights", os.X_OK), "its rights")
    equal(hashlib.sha256((into / "noise").read_bytes()).hexdigest(),
          stack.run("job", "logs", job).split()[0], "what the task has hashed")
    again = stack.command("job", "fetch", job, str(into))
    check("3 were here already" in again.stderr, f"a second fetch: {again.stderr}")
    (into / "noise").write_text("mine")
    refused = stack.command("job", "fetch", job, str(into))
    equal(refused.returncode, 5, "a file that differs is a conflict")
    equal((into / "noise").read_text(), "mine", "and stays")
    stack.run("job", "fetch", job, str(into), "--overwrite")
    equal((into / "noise").stat().st_size, 5_000_000, "until it may be replaced")
    running = stack.apply(spec | {"name": "runs", "command": ["sleep", "60"]})
    stack.wait_job(running, {"running"})
    early = stack.command("job", "fetch", running, str(stack.folder / "early"))
    check(early.returncode == 5 and "has not ended" in early.stderr, f"of one that runs: {early}")
    stack.cancel(running)


def tampering_refuses_the_start(stack):
    for what, change, reason in (
            ("changed", "UPDATE deployer.folder_data SET data = 'something else'",
             "not what its name says"),
            ("lost", "DELETE FROM deployer.folder_data", "is missing here")):
        folder = stack.folder / what
        folder.mkdir()
        (folder / "file").write_text(f"{what} {os.urandom(8).hex()}")
        stack.run("node", "drain", "here", "-y")
        job, sent, _ = send(stack, small(what, folder, "cat file"))
        equal(sent, 1, "chunks")
        rows = stack.sql(f"{change} WHERE hash IN (SELECT encode(chunks, 'hex') FROM "
                         "deployer.folder ORDER BY used_at_ms DESC LIMIT 1) RETURNING hash")
        equal(len(rows), 1, "rows that were tampered with")
        stack.run("node", "undrain", "here", "-y")
        view = stack.wait_job(job, {"failed"})
        check(reason in json.dumps(view), f"'{reason}' in {view['tasks']}")


def bad_folders_are_refused(stack):
    bad = stack.folder / "bad"
    bad.mkdir()
    before = stack.number("SELECT count(*) FROM deployer.job")
    (bad / "link").symlink_to("/etc/passwd")
    for reason in ("may lead out of the folder", "neither file, folder nor link", "512 MiB"):
        done = stack.command("apply", "-f", "-", "-y", text=json.dumps(small("bad", bad, "true")))
        check(done.returncode in (1, 2) and reason in done.stderr, f"'{reason}' in {done.stderr}")
        (bad / "link").unlink()
        if reason.startswith("may"):
            os.mkfifo(bad / "link")
        else:
            with open(bad / "link", "wb") as hole:
                hole.truncate(600 << 20)
    done = stack.command("apply", "-f", "-", "-y",
                         text=json.dumps(small("bad", stack.folder / "none", "true")))
    check("cannot open the folder" in done.stderr, f"a folder that is not there: {done.stderr}")
    equal(stack.number("SELECT count(*) FROM deployer.job"), before, "jobs")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        code = make_folder(stack)
        folder_is_sent(stack, code)
        each_task_has_its_own(stack, code)
        upload_goes_on(stack)
        outputs_come_back(stack)
        tampering_refuses_the_start(stack)
        bad_folders_are_refused(stack)
        trains_together(stack)
        is_an_array(stack)
        meets_again(stack)


if __name__ == "__main__":
    run_test(test)
