"""Programs of others that a test needs beside its stack: a free port, a process that is ended."""

import socket
import subprocess


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


class Foreign:
    """Runs while the block does; a class that derives from it says what in `words`."""

    def __init__(self, log):
        self.log, self.process = log, None

    def words(self):
        raise NotImplementedError

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
