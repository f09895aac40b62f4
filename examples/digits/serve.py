"""Answers which digit a picture shows, with the model that examples/digits/train.yaml made.

Run by examples/digits/serve.yaml. GET /ready says whether the model is loaded; GET /digit?index=N
classifies the N-th of scikit-learn's bundled digits and tells the true one beside it. SIGTERM lets
open requests end.
"""

import http.server
import json
import os
import pathlib
import pickle
import signal
import threading
import time
import urllib.parse

from sklearn.datasets import load_digits

WORK_S = float(os.environ.get("WORK_MS", "0")) / 1000  # as a larger model would take
STARTED = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model = digits = None
    slots = threading.Semaphore(1)  # one picture at a time, as one GPU would

    def do_GET(self):  # pylint: disable=invalid-name
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/ready":
            return self.answer(200, {"up_s": round(time.monotonic() - STARTED, 1)})
        if url.path != "/digit":
            return self.answer(404, {"error": "ask for /digit?index=N"})
        try:
            index = int(urllib.parse.parse_qs(url.query).get("index", ["0"])[0])
            picture = self.digits.data[index % len(self.digits.data)]
        except ValueError:
            return self.answer(400, {"error": "index must be a number"})
        with self.slots:
            time.sleep(WORK_S)
            found = int(self.model.predict([picture])[0])
        return self.answer(200, {"digit": found,
                                 "truth": int(self.digits.target[index % len(self.digits.data)]),
                                 "replica": os.environ.get("LEPTON_TASK_ID", "")})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Requests are counted at the entrance."""


def main():
    path = pathlib.Path(os.environ["MODEL"])
    Handler.model = pickle.loads(path.read_bytes())
    Handler.digits = load_digits()
    # Where the entrance and the probes reach it.
    address = (os.environ.get("LEPTON_LISTEN", "127.0.0.1"), int(os.environ["PORT"]))
    server = http.server.ThreadingHTTPServer(address, Handler)
    server.daemon_threads = False
    # shutdown() waits for the loop, which runs in the thread that gets the signal.
    signal.signal(signal.SIGTERM,
                  lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"serving {path.name} at port {os.environ['PORT']}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
