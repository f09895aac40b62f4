#!/usr/bin/env python3
"""A service on real processes behind a real HAProxy: a rollout under load loses no request, a
replica that is killed is replaced, a revision that fails leaves the old one alone, the load goes on
while the deployer and HAProxy are killed, no request reaches other work while HAProxy cannot be
told of an end, and an idle service is woken by its first request."""

import http.client
import json
import pathlib
import signal
import threading
import time

from deaf import deaf
from stack import Stack, check, equal, run_test, send_signal, skip, wait_for, words_of
from stack import processes
from waking import waking

SERVER = """
import http.server, os, signal, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
if os.environ["VERSION"] == "broken":
    sys.exit(3)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
server.server_close()
"""


def spec(version, marker, replicas=2):
    program = SERVER.replace("\n", "\n  ")
    return f"""type: service
name: web
command:
- /usr/bin/python3
- -c
- |
  {program}
- {marker}
env: {{VERSION: "{version}"}}
resources: {{cpus: 100m, memory: 64MiB}}
replicas: {replicas}
probes:
  readiness: {{http: /, period: 200ms}}
  liveness: {{tcp: true, period: 1s}}
drain: 3s
stop_grace: 3s
lease: 10s
update: {{progress: 30s}}
"""


class Load(threading.Thread):
    """Requests one after another, each on a new connection."""

    def __init__(self, port, forgiving=False):
        super().__init__(daemon=True)
        self.port, self.forgiving = port, forgiving
        self.good, self.lost, self.seen = 0, [], set()
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = answer.read().decode()
                if answer.status != 200:
                    raise OSError(f"status {answer.status}")
                self.good += 1
                self.seen.add(body)
            except (OSError, http.client.HTTPException) as failure:
                self.lost.append(repr(failure))
                time.sleep(0.05)
            finally:
                connection.close()

    def end(self):
        self.stopped.set()
        self.join()

    def goes_on(self, more=20, limit_s=30):
        """So many further requests are answered."""
        until = self.good + more
        wait_for(f"{more} answers at the entrance", lambda: self.good >= until, limit_s)


def show(stack):
    return stack.ask("service", "show", "web")


def steady(stack):
    """A deployer that has just been started again may refuse for a moment."""
    def reached():
        done = stack.command("service", "show", "web", "-o", "json")
        view = json.loads(done.stdout) if done.returncode == 0 else None
        return view if view and view["line"]["state"] == "steady" else None
    return wait_for("steady service", reached, 60, 0.2)


def apply(stack, version):
    return stack.ask("service", "apply", "-", text=spec(version, stack.folder))


def rollout(stack, port):
    load = [Load(port) for _ in range(3)]
    for one in load:
        one.start()
    load[0].goes_on()
    equal(apply(stack, "two")["revision"], 2, "the second revision")
    steady(stack)
    load[0].goes_on()
    for one in load:
        one.end()
    lost = [failure for one in load for failure in one.lost]
    equal(lost[:3], [], f"requests lost of {sum(one.good for one in load)} in the rollout")
    equal(set().union(*(one.seen for one in load)), {"one", "two"}, "versions that answered")


def failing(stack, port):
    load = Load(port)
    load.start()
    apply(stack, "broken")
    view = wait_for("stalled rollout", lambda: next(
        (view for view in [show(stack)] if view["line"]["state"] == "stalled"), None), 60, 0.2)
    check("exit code 3" in view["why"], f"why it stalled: {view['why']}")
    stack.run("service", "revert", "web")
    steady(stack)
    load.end()
    equal((load.lost[:3], load.seen), ([], {"two"}), "what the old replicas answered")


def kill_replica(stack):
    before = {replica["job"] for replica in show(stack)["replicas"]}
    found = [pid for pid in processes() if pid_is_replica(pid, stack)]
    check(found, "there is no process of a replica")
    check(send_signal(found[0], signal.SIGKILL, lambda pid: pid_is_replica(pid, stack)),
          "it was gone before the kill")
    wait_for("another replica", lambda: {replica["job"] for replica in show(stack)["replicas"]}
             != before, 30, 0.2)
    steady(stack)


def pid_is_replica(pid, stack):
    words = words_of(pid)
    return words[:2] == ["/usr/bin/python3", "-c"] and words[-2:-1] == [str(stack.folder)]


def haproxy_pid(stack):
    wanted = ["-f", str(stack.state / "config/haproxy.cfg")]
    return next((pid for pid in processes() if words_of(pid)[1:3] == wanted), None)


def kill_services(stack, port):
    load = Load(port)
    load.start()
    load.goes_on()
    stack.kill("deployer")
    load.goes_on(50)
    steady(stack)
    equal(load.lost[:3], [], "requests lost while the deployer was gone")
    old = haproxy_pid(stack)
    check(send_signal(old, signal.SIGKILL, stack.is_ours), "HAProxy was gone before the kill")
    wait_for("new HAProxy", lambda: haproxy_pid(stack) not in (None, old))
    load.goes_on(50)
    load.end()


def test():
    if not pathlib.Path("/usr/sbin/haproxy").exists():
        skip("HAProxy is not installed; scripts/install-packages does it")
    with Stack(up=["--node-name", "here"]) as stack:
        port = apply(stack, "one")["port"]
        equal(port, stack.base + 21, "the first entrance")
        steady(stack)
        rollout(stack, port)
        failing(stack, port)
        kill_replica(stack)
        kill_services(stack, port)
        deaf(stack, Load(port), show, kill_replica, SERVER)
        waking(stack, spec)
        stack.run("service", "remove", "web", "-y")
        wait_for("end of the service",
                 lambda: not stack.ask("service", "list")["services"], 30, 0.2)
        actions = [row["action"] for row in stack.ask("audit", "tail", "--lines", "500")["entries"]]
        for action, times in (("deployer.service.apply", 5), ("deployer.service.revert", 1),
                              ("deployer.service.remove", 2), ("deployer.service.stalled", 1)):
            equal(actions.count(action), times, f"entries {action}")


if __name__ == "__main__":
    run_test(test)
