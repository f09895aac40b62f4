"""Fleet: what stands beside a stack and is started again whenever it ends: a second instance of
each service, and the node of a second machine."""

import itertools
import random
import signal
import subprocess
import threading
import time

from stack import SERVICES, check, processes, send_signal, wait_for, words_of
from standby import Standby

NODES = ("here", "there")  # supervised, and started by us a while after its end, as machines are
NODE_AWAY_S = 8.0


class SecondNode(Standby):
    """The daemon of another machine, which has the same disk and another folder."""

    def __init__(self, stack, number):
        self.stack, self.service = stack, "node"
        self.log_file = stack.folder / f"{NODES[1]}-{number}.log"
        self.environment = stack.environment | {"LEPTON_STATE": str(stack.folder / NODES[1]),
                                                "LEPTON_RUN": str(stack.folder / NODES[1] / "run")}
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([stack.bin / "lepton-node", "--config",
                                             stack.folder / NODES[1] / "config/node.yaml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=stack.folder, env=self.environment)


class Fleet(threading.Thread):
    """What is started again whenever it ends: by us, without limit."""

    def __init__(self, names, fresh):
        super().__init__()
        self.is_over, self.error, self.numbers = False, None, itertools.count()
        self.fresh = lambda name: fresh(name, next(self.numbers))
        self.members = {name: self.fresh(name) for name in names}

    def run(self):
        try:
            while not self.is_over:
                for name, member in self.members.items():
                    if member.process.poll() is not None:
                        check(member.process.returncode in (-9, 3), f"{name} ended with "
                              f"{member.process.returncode}: {member.log()[-500:]}")
                        self.members[name] = self.fresh(name)
                time.sleep(0.1)
        except Exception as error:  # reported by the main thread
            self.error = error

    def stop(self):
        self.is_over = True
        self.join()
        for member in self.members.values():
            member.stop()


def second_instances(stack):
    return Fleet(SERVICES, lambda service, number: Standby(stack, service, f"fleet-{number}"))


def second_node(stack, seed):
    """Joined as a person does it; what that has started is replaced by one that we wait for."""
    chance = random.Random(f"{seed} second node")
    stack.join(NODES[1])
    config = str(stack.folder / NODES[1] / "config/node.yaml")
    for pid in [pid for pid in processes() if words_of(pid)[1:3] == ["--config", config]]:
        send_signal(pid, signal.SIGKILL, stack.is_ours)
        wait_for("end of the first daemon", lambda pid=pid: not words_of(pid))

    def fresh(_, number):
        time.sleep(chance.uniform(0.0, NODE_AWAY_S) if number else 0.0)
        return SecondNode(stack, number)
    nodes = Fleet(NODES[1:], fresh)
    wait_for("two ready nodes", lambda: [n["state"] for n in stack.ask("node", "list")["nodes"]]
             == ["ready"] * len(NODES))
    return nodes
