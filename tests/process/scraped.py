#!/usr/bin/env python3
"""promtool finds nothing to say about the metrics of any service or the node, and a real Prometheus
scrapes them: each target is up, and what they count can be asked for. A real Alertmanager hears
what fires, and that it is over. The monitor reads a real node exporter: its samples are kept, a
threshold on one fires, and so does one on an exporter that is down."""

import json
import os
import pty
import select
import shutil
import subprocess
import urllib.parse
import urllib.request

from alertmanager import Alertmanager
from foreign import Foreign, free_port
from stack import Stack, check, equal, run_test, skip, wait_for


class Prometheus(Foreign):
    def __init__(self, folder, targets):
        self.folder, self.port = folder / "prometheus", free_port()
        super().__init__(self.folder / "log")
        self.folder.mkdir()
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "lepton", "static_configs": [{"targets": targets}]}]}
        (self.folder / "prometheus.yml").write_text(json.dumps(config))

    def words(self):
        return ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}"]

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}",
                                        timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def query(self, expression):
        data = self.ask("query?query=" + urllib.parse.quote(expression))
        return data["result"] if data else []


def endpoints(stack):
    """Name of a program to where its settings file says that its metrics are."""
    found = {}
    for file in sorted((stack.state / "config").glob("*.yaml")):
        for line in file.read_text().splitlines():
            if line.startswith("metrics_endpoint:"):
                found[file.stem] = line.split(":", 1)[1].strip().strip('"')
    return found


def is_well_formed(name, address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
        said = subprocess.run(["promtool", "check", "metrics"], input=page.read(),
                              capture_output=True, check=False, timeout=30)
    equal((said.returncode, said.stdout + said.stderr), (0, b""), f"what promtool says of {name}")


def scraped(stack):
    targets = endpoints(stack)
    equal(sorted(targets), ["auditor", "deployer", "monitor", "node", "scaler", "vault"],
          "programs with metrics")
    for name, address in targets.items():
        is_well_formed(name, address)
    with Prometheus(stack.folder, sorted(targets.values())) as prometheus:
        wait_for("targets that are up",
                 lambda: len(prometheus.query("up == 1")) == len(targets), 60)
        data = prometheus.ask("targets")["activeTargets"]
        equal([t["lastError"] for t in data if t["lastError"]], [], "errors of scrapes")
        job = stack.apply({"name": "one", "command": ["/bin/true"]})
        stack.wait_job(job, {"succeeded"})
        counted = 'sum(lepton_actor_requests_total{instance="%s"}) > 0' % targets["deployer"]
        wait_for("requests of the deployer that were counted",
                 lambda: prometheus.query(counted), 30)


def alerted(stack, alertmanager):
    """Every machine breaks the rule, until the rule is gone."""
    fires = {"alertname": "crowded", "node": "here", "severity": "warning"}
    stack.run("alert", "put", "crowded", "--series", "memory_use", "--above", "0", "--window",
              "1s", "--for", "1s", "--severity", "warning", "--summary", "memory is in use")
    (alert,) = wait_for("alert at the Alertmanager", lambda: alertmanager.alerts(**fires), 60, 0.2)
    equal(alert["annotations"]["summary"], "memory is in use", "what it says")
    stack.run("alert", "remove", "crowded")
    wait_for("end of the alert", lambda: not alertmanager.alerts(**fires), 60, 0.2)


class Terminal:
    """A program on a terminal of its own; what it has drawn so far."""

    def __init__(self, stack, *words):
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, stack.environment)
        self.drawn = ""

    def sees(self, *wanted):
        """All of them on the newest screen."""
        if select.select([self.screen], [], [], 0.1)[0]:
            self.drawn += os.read(self.screen, 65_536).decode(errors="replace")
        return all(word in self.drawn.rpartition("\x1b[H")[2] for word in wanted)

    def interrupt(self):
        os.write(self.screen, b"\x03")
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.screen)
        return os.waitstatus_to_exitcode(status)


def is_watched(stack):
    """`lepton top` draws over itself, and goes on when the monitor has died and is back."""
    terminal = Terminal(stack, str(stack.bin / "lepton"), "top")
    wait_for("first screen", lambda: terminal.sees("here", "Ctrl-C ends"))
    first = terminal.drawn.count("\x1b[H")
    wait_for("next screens", lambda: terminal.sees("here") and
             terminal.drawn.count("\x1b[H") >= first + 2)
    stack.kill("monitor")
    screens = terminal.drawn.count("\x1b[H")
    wait_for("screens after the monitor's death", lambda: terminal.sees("here") and
             terminal.drawn.count("\x1b[H") >= screens + 3)
    check(terminal.interrupt() in (-2, 130), "Ctrl-C ends it")


class Exporter(Foreign):
    """Debian's node exporter on a free port."""

    def __init__(self, folder):
        super().__init__(folder / "exporter.log")
        self.port = free_port()

    def words(self):
        return ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{self.port}"]


def target(stack):
    return stack.ask("scrape", "show", "real")["targets"][0]


def fires(stack, rule):
    return any(alert["rule"] == rule for alert in stack.ask("alert", "list")["alerts"])


def exporter_is_read(stack):
    if not shutil.which("prometheus-node-exporter"):
        print("Debian's prometheus-node-exporter is missing: that part is left out")
        return
    with Exporter(stack.folder) as exporter:
        stack.ask("scrape", "put", "real", "--url", f"http://127.0.0.1:{exporter.port}/metrics",
                  "--keep", "node_load1,node_memory_MemTotal_bytes,node_cpu_seconds_total",
                  "--every", "1s", "--timeout", "1s")
        wait_for("exporter that is read", lambda: target(stack)["up"])
        for words in (("--sample", "node_memory_MemTotal_bytes", "--above", "1"),
                      ("--sample", "up", "--below", "0.5")):
            stack.ask("alert", "put", f"real-{words[2].strip('-')}", "--series", "scraped", *words,
                      "--window", "1s", "--for", "0s", "--resolve", "0s")
        # A counter is known by its rise, from the second reading on.
        wait_for("rate of the CPU", lambda: any(
            value["part"].startswith("node_cpu_seconds_total{") and 0 <= value["value"] <= 2
            for value in target(stack)["values"]))
        memory = next(value["value"] for value in target(stack)["values"]
                      if value["part"] == "node_memory_MemTotal_bytes")
        check(memory > 1e8, f"memory of this machine: {memory}")
        wait_for("alert of a sample", lambda: fires(stack, "real-above"))
        check(not fires(stack, "real-below"), "an exporter that answers is called down")
    wait_for("alert of an exporter that is down", lambda: fires(stack, "real-below"))
    check("not reached" in target(stack)["trouble"], f"its trouble: {target(stack)['trouble']}")
    stack.ask("scrape", "remove", "real")
    equal(stack.ask("alert", "list")["alerts"], [], "alerts of a target that is gone")


def test():
    if not shutil.which("prometheus") or not Alertmanager.is_there():
        skip("Debian's prometheus or prometheus-alertmanager is missing")
    with Alertmanager() as alertmanager, Stack(
            up=["--node-name", "here", "--alert-url-file", str(alertmanager.url_file)]) as stack:
        scraped(stack)
        is_watched(stack)
        alerted(stack, alertmanager)
        exporter_is_read(stack)


if __name__ == "__main__":
    run_test(test)
