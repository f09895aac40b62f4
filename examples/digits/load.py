"""Puts load on the service of serve.yaml: asks for digits on several connections until there are as
many ready replicas as wanted, then rests until there is one again. Ends with 1 if a request failed.

usage: python3 examples/digits/load.py ADDRESS LEPTON [CLIENTS [REPLICAS]]
  REPLICAS  ends, without rest, when there are so many
"""

import http.client
import json
import subprocess
import sys
import threading
import time

WAIT_S = 180


class Client(threading.Thread):
    """Requests one after another."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.good, self.right, self.failures = address, 0, 0, []
        self.stopped = threading.Event()

    def run(self):
        index = 0
        while not self.stopped.is_set():
            index += 1
            try:
                connection = http.client.HTTPConnection(self.address, timeout=30)
                connection.request("GET", f"/digit?index={index}")
                answer = connection.getresponse()
                content = json.loads(answer.read())
                if answer.status != 200:
                    raise OSError(f"status {answer.status}")
                self.good += 1
                self.right += content["digit"] == content["truth"]
            except (OSError, ValueError, http.client.HTTPException) as failure:
                self.failures.append(repr(failure))
            finally:
                connection.close()


def ready(lepton):
    done = subprocess.run([lepton, "service", "show", "digits", "-o", "json"], text=True,
                          capture_output=True, check=True)
    line = json.loads(done.stdout)["line"]
    return int(line["ready"]), int(line["wanted"])


def wait_for(lepton, count):
    """Until so many replicas are ready and wanted; what is seen on the way is printed."""
    seen, begin = None, time.monotonic()
    while seen != (count, count):
        now = ready(lepton)
        if now != seen:
            seen = now
            print(f"{time.monotonic() - begin:5.1f} s: {seen[0]} ready of {seen[1]} wanted",
                  flush=True)
        if time.monotonic() - begin > WAIT_S:
            sys.exit(f"after {WAIT_S} s there are not {count} ready replicas")
        time.sleep(0.5)


def main():
    address, lepton = sys.argv[1:3]
    clients = [Client(address) for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 6)]
    for client in clients:
        client.start()
    print(f"{len(clients)} clients ask")
    enough = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    wait_for(lepton, enough or 3)
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join()
    print("nobody asks any more")
    if not enough:
        wait_for(lepton, 1)
    good, right = (sum(getattr(client, name) for client in clients) for name in ("good", "right"))
    failures = [failure for client in clients for failure in client.failures]
    print(f"{good} requests answered, {right} digits right, {len(failures)} failed")
    if failures or right < 0.95 * good:
        sys.exit(f"failed: {failures[:3]}")


if __name__ == "__main__":
    main()
