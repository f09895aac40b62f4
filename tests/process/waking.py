"""Scale to zero and back, a part of serving.py: a request that finds no replica waits at the
entrance, brings the first one, and is answered by it. Waits for states; no request may be lost."""

import http.client
import threading

from stack import check, equal, wait_for

SCALE = """replicas: {min: 0, max: 2}
scale: {policy: kpa, per_replica: 4, window: 6s, zero_after: 2s}
hold: 40s
"""


def spec_of(spec):
    """That of serving.py, as a service of another name that may go to zero."""
    text = spec.replace("name: web", "name: lazy")
    return text.replace("replicas: 1\n", SCALE)


class Requests:
    """Some at one time; each must be answered."""

    def __init__(self, port, count=4):
        self.answers = [None] * count
        self.threads = [threading.Thread(target=self.ask, args=(port, i), daemon=True)
                        for i in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self, port, i):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            self.answers[i] = (answer.status, answer.read().decode())
        except (OSError, http.client.HTTPException) as failure:
            self.answers[i] = repr(failure)
        finally:
            connection.close()

    def must_say(self, version, when):
        for thread in self.threads:
            thread.join(90)
        equal(self.answers, [(200, version)] * len(self.answers), f"answers to requests {when}")


def view_when(stack, what, condition):
    def reached():
        view = stack.ask("service", "show", "lazy")
        return view if condition(view) else None
    return wait_for(what, reached, 60, 0.1)


def is_idle(view):
    return view["line"]["state"] == "idle" and not view["replicas"]


def waking(stack, spec):
    first = stack.ask("service", "apply", "-", text=spec_of(spec("one", stack.folder, 1)))
    port = first["port"]
    view_when(stack, "proven template", lambda view: view["line"]["state"] == "steady")
    Requests(port).must_say("one", "while a replica ran")
    # While the last one drains a request may come, too.
    view_when(stack, "end of the demand", lambda view: view["line"]["wanted"] == 0)
    Requests(port).must_say("one", "while the last replica went")
    idle = view_when(stack, "idle service", is_idle)
    check("the first request starts one" in idle["why"], f"why nothing runs: {idle['why']}")
    check("idle" in stack.run("service", "show", "lazy"), "it does not say that it is idle")
    Requests(port).must_say("one", "of an idle service")
    equal(len(stack.ask("service", "show", "lazy")["replicas"]), 1, "replicas after the wake")

    view_when(stack, "idle service again", is_idle)
    stack.ask("service", "apply", "-", text=spec_of(spec("two", stack.folder, 1)))
    check(is_idle(stack.ask("service", "show", "lazy")), "a rollout woke an idle service")
    Requests(port).must_say("two", "after a rollout at zero")
    stack.run("service", "remove", "lazy", "-y")
    wait_for("end of the service", lambda: "lazy" not in
             {line["service"] for line in stack.ask("service", "list")["services"]}, 30, 0.2)
