#!/usr/bin/env python3
"""Wrong input and missing parts, as people meet them: each ends with its documented exit status and
a sentence that names the cure, and leaves nothing half done: no job, no process, no database of a
start that did not happen."""

import os
import signal

from stack import PORTS, Stack, check, equal, run_test, send_signal, skip, wait_for

GOOD = "name: good\ncommand: [/bin/true]\n"
# What is wrong, the spec, exit status, parts of the sentence.
SPECS = (
    ("unknown field", "name: a\ncomand: [/bin/true]\n", 2, ["line 2", "comand", "'command'"]),
    ("text for a list", "name: a\ncommand: /bin/true\n", 2, ["line 2", "[/bin/true]"]),
    ("no YAML", "name: a\ncommand: [a\n", 2, ["line 3", "YAML"]),
    ("empty file", "", 2, ["empty"]),
    ("no command", "name: a\n", 2, ["command"]),
    ("number in words", GOOD + "nodes: many\n", 2, ["line 3", "nodes", "'many'"]),
    ("no duration", GOOD + "lease: soon\n", 2, ["line 3", "lease", "30s"]),
    ("no amount", GOOD + "resources: {cpus: 5 apples}\n", 2, ["line 3", "resources.cpus", "500m"]),
    ("no DNS label", "name: A B\ncommand: [a]\n", 2, ["name", "a-z"]),
    ("secret in the spec", GOOD + "secrets: {A: hello}\n", 2, ["secrets.A", "vault://"]),
    ("root", GOOD + "user: root\n", 2, ["user", "another user"]),
    ("unknown secret", GOOD + "secrets: {A: 'vault://no/such'}\n", 3, ["lepton secret put"]),
    ("larger than any node", GOOD + "resources: {cpus: 4000}\n", 2, ["never", "(here)"]),
)
# What is wrong, the command, exit status, parts of the sentence.
COMMANDS = (
    ("unknown node", ["node", "drain", "nowhere"], 3, ["'nowhere'", "lepton node list"]),
    ("unknown job", ["job", "show", "nowhere"], 3, ["'nowhere'", "lepton job list"]),
    ("cancel of an unknown job", ["job", "cancel", "nowhere", "-y"], 3, ["lepton job list"]),
    ("unknown state", ["job", "list", "--state", "runing"], 2, ["'running'"]),
    ("unknown policy", ["token", "create", "--policy", "nobody"], 3, ["'nobody'"]),
    ("no key", ["token", "create", "--policy", "admin", "--key", "x"], 2, ["40"]),
    ("no spec file", ["apply", "-f", "/nonexistent.yaml"], 3, ["/nonexistent.yaml"]),
    ("unknown machine", ["node", "show", "nowhere"], 3, ["'nowhere'", "lepton top"]),
    ("unknown series", ["alert", "put", "hot", "--series", "gpu_powr_watts", "--above", "1"], 2,
     ["--series", "did you mean 'gpu_power_watts'"]),
    ("a threshold on no side", ["alert", "put", "hot", "--series", "gpu_use"], 2, ["--above"]),
    ("unknown rule", ["alert", "remove", "nothing"], 3, ["'nothing'", "lepton alert rules"]),
    ("unknown service", ["service", "scale", "nowhere", "3"], 3, ["'nowhere'"]),
    ("no replicas", ["service", "scale", "web", "many"], 2, ["REPLICAS", "'many'"]),
    ("unknown policy of scaling", ["service", "autoscale", "web", "--policy", "hpb"], 3,
     ["'hpb'", "threshold"]),
    ("limits upside down", ["service", "autoscale", "web", "--min", "3", "--max", "1"], 2,
     ["min"]),
    ("second up", ["up", "--detach"], 5, ["is running already", "lepton down"]),
)


def expect(stack, what, status, parts, *words, text=None, environment=None):
    done = stack.command(*words, text=text, environment=environment)
    told = done.stderr
    equal(done.returncode, status, f"{what}: exit status ({told.strip() or done.stdout.strip()})")
    for part in parts:
        check(part in told, f"{what}: the sentence does not say {part!r}: {told.strip()}")
    check("error: " in told and not done.stdout, f"{what}: standard output is not empty")
    print(f"{what}: {status}, {told.strip().splitlines()[0][:150]}")


def jobs(stack):
    return stack.number("SELECT count(*) FROM deployer.job")


def wrong_words(stack):
    for what, spec, status, parts in SPECS:
        expect(stack, what, status, parts, "apply", "-f", "-", "-y", text=spec)
    for what, words, status, parts in COMMANDS:
        expect(stack, what, status, parts, *words)
    equal(jobs(stack), 0, "jobs after refused specs")
    refused = stack.command("apply", "-f", "-", "-o", "json",
                            text=GOOD + "resources: {cpus: 4000}\nno_fit: refuse\n")
    equal(refused.returncode, 1, "exit status of a job that is refused on record")
    equal(jobs(stack), 1, "jobs on record")


def wrong_tokens(stack):
    bound = stack.ask("token", "create", "--policy", "admin", "--key", "a" * 40)["text"]
    gone = stack.ask("token", "create", "--policy", "admin", "--ttl", "1m")
    stack.run("token", "revoke", gone["token"], "-y")
    short = stack.ask("token", "create", "--policy", "admin", "--ttl", "1s")["text"]
    none = stack.ask("token", "create", "--subject", "ann")["text"]
    forged = short[:-4] + ("AAAA" if short[-4:] != "AAAA" else "BBBB")

    def listed(token):
        return stack.command("job", "list", environment={"LEPTON_TOKEN": token})
    wait_for("end of the short token", lambda: "expired" in listed(short).stderr, 10)
    # Every service follows the vault's rules at most 5 s behind.
    wait_for("end of the revoked token", lambda: listed(gone["text"]).returncode == 4, 10)
    for what, token, parts in (
            ("malformed token", "lep1.nonsense.x", ["lepton token create"]),
            ("forged token", forged, ["lepton token create"]),
            ("expired token", short, ["expired at", "lepton token create"]),
            ("revoked token", gone["text"], ["revoked"]),
            ("token of another key", bound, ["key"])):
        expect(stack, what, 4, parts, "apply", "-f", "-", "-y", text=GOOD,
               environment={"LEPTON_TOKEN": token})
    expect(stack, "token without a policy", 4, ["polic"], "apply", "-f", "-", "-y", text=GOOD,
           environment={"LEPTON_TOKEN": none})
    equal(jobs(stack), 1, "jobs after wrong tokens")


def sealed_vault(stack):
    stack.run("secret", "put", "ml/key", text="value")
    stack.run("vault", "seal", "-y")
    cure = ["sealed", "lepton vault unseal"]
    expect(stack, "put while sealed", 6, cure, "secret", "put", "ml/key", text="other")
    expect(stack, "get while sealed", 6, cure, "secret", "get", "ml/key")
    expect(stack, "job with a secret while sealed", 6, cure, "apply", "-f", "-", "-y",
           text=GOOD + "secrets: {A: 'vault://ml/key'}\n")
    equal(jobs(stack), 1, "jobs after a sealed vault")
    stack.wait_job(stack.apply({"name": "plain", "command": ["/bin/true"]}), {"succeeded"})
    stack.run("vault", "unseal")
    equal(stack.run("secret", "get", "ml/key"), "value", "the secret afterwards")


def database_away(stack):
    """Nobody starts PostgreSQL again while the supervisor is held."""
    before, secrets = jobs(stack), stack.run("secret", "list")
    supervisor = stack.supervisor()
    old = stack.pid("postgres")
    check(send_signal(supervisor, signal.SIGSTOP, lambda pid: pid == supervisor),
          "the supervisor cannot be held")
    try:
        stack.kill("postgres")
        away = ["database is away", "again"]
        expect(stack, "apply without database", 6, away, "apply", "-f", "-", "-y", text=GOOD)
        expect(stack, "put without database", 6, ["away", "again"], "secret", "put", "ml/other",
               text="x")
        expect(stack, "SQL without database", 6, ["lepton status"], "audit", "sql", "SELECT 1")
        equal(stack.command("status").returncode, 8, "status while a part is missing")
    finally:
        send_signal(supervisor, signal.SIGCONT, lambda pid: pid == supervisor)
    wait_for("PostgreSQL", lambda: stack.pid("postgres") not in (None, old) and jobs(stack) >= 0)
    equal(jobs(stack), before, "jobs after the refused submit")
    wait_for("open vault", lambda: stack.command("secret", "list").stdout == secrets)
    wait_for("the deployer", lambda: stack.command("apply", "-f", "-", "-y", text=GOOD)
             .returncode == 0)
    equal(jobs(stack), before + 1, "jobs after the accepted submit")


def other_starts(stack):
    """A start that cannot succeed leaves no process and no data behind."""
    other = stack.folder / "other"
    named = {"LEPTON_STATE": "", "LEPTON_RUN": ""}
    expect(stack, "port in use", 5, [str(stack.base), "--port-base", "ss -ltnp"], "up", "--detach",
           "--state", other, "--port-base", stack.base, environment=named)
    expect(stack, "port of root", 2, ["1024"], "up", "--detach", "--state", other,
           "--port-base", 80, environment=named)
    expect(stack, "foreign address", 2, ["192.0.2.1", "--listen"], "up", "--detach", "--state",
           other, "--port-base", stack.base + PORTS, "--listen", "192.0.2.1", environment=named)
    expect(stack, "nothing set up", 6, ["lepton up"], "job", "list",
           environment={"LEPTON_CONTEXT": str(other / "client.yaml")})
    check(not (other / "postgres").exists(), "a refused start has made a database")
    left = [pid for pid in stack.leftovers() if stack.is_ours(pid) and str(other) in
            open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace").read()]
    equal(left, [], "processes of refused starts")
    full_disk(stack)


def full_disk(stack):
    """A file system of its own, too small for a database."""
    small = stack.folder / "small"
    small.mkdir()
    other = Stack(prefix=["unshare", "--mount", "sh", "-c",
                          f"mount -t tmpfs -o size=32m,mode=0711 small {small} && exec \"$@\"",
                          "sh"])
    other.folder.rmdir()
    expect(other, "full disk", 1, ["space"], "up", "--detach", "--state", small / "state",
           "--port-base", other.base)


def test():
    if os.geteuid() != 0:
        skip("a full disk needs a file system of its own, which needs root")
    with Stack(up=["--node-name", "here"]) as stack:
        wrong_words(stack)
        wrong_tokens(stack)
        sealed_vault(stack)
        other_starts(stack)
        database_away(stack)
        equal(stack.command("status").returncode, 0, "status at the end")
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)
