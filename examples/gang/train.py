"""Trains one model in several tasks that talk: softmax regression on scikit-learn's digits by
gradient descent, each task with its share of the data, the gradients added up over sockets after
each step (an all-reduce through the first task). Alone it gives the same result.

Run by examples/gang/train.yaml. What it needs of its surroundings is what any framework takes:
RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
"""

import os
import pathlib
import socket
import time

import numpy
from sklearn.datasets import load_digits

STEPS = 60
RATE = 0.5
CLASSES = 10
PATIENCE_S = 60.0  # for the others to come, and for each of their messages


def receive(link, size):
    parts = bytearray()
    while len(parts) < size:
        part = link.recv(min(size - len(parts), 1 << 16))
        if not part:
            raise ConnectionError("another task of the gang has gone")
        parts += part
    return bytes(parts)


def connect(address, port):
    """To the first task, which may start later than this one."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection((address, port), PATIENCE_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Gang:
    """The links between the first task and each other one; none for a task that is alone."""

    def __init__(self):
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.links = {}
        if self.size == 1:
            return
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        if self.rank > 0:
            self.links[0] = connect(address, port)
            self.links[0].sendall(self.rank.to_bytes(4, "big"))
            return
        with socket.create_server((address, port)) as door:
            door.settimeout(PATIENCE_S)
            while len(self.links) < self.size - 1:
                link, _ = door.accept()
                link.settimeout(PATIENCE_S)
                self.links[int.from_bytes(receive(link, 4), "big")] = link

    def add_up(self, values):
        """The sum over all tasks, the same to the last bit in each: always added in their order."""
        if self.rank > 0:
            self.links[0].sendall(values.tobytes())
            return numpy.frombuffer(receive(self.links[0], values.nbytes)).reshape(values.shape)
        total = values.copy()
        for rank in sorted(self.links):
            theirs = numpy.frombuffer(receive(self.links[rank], values.nbytes))
            total += theirs.reshape(values.shape)
        for link in self.links.values():
            link.sendall(total.tobytes())
        return total


def gradient(weights, x, y):
    """Of the share's cross entropy; the entropy itself stands in an added row."""
    scores = x @ weights
    scores -= scores.max(axis=1, keepdims=True)
    share = numpy.exp(scores)
    share /= share.sum(axis=1, keepdims=True)
    loss = -numpy.log(share[numpy.arange(len(y)), y]).sum()
    share[numpy.arange(len(y)), y] -= 1
    return numpy.vstack([x.T @ share, numpy.full((1, CLASSES), loss)])


def main():
    gang = Gang()
    digits = load_digits()
    x = numpy.hstack([digits.data / 16.0, numpy.ones((len(digits.data), 1))])
    y = digits.target
    mine = slice(gang.rank, None, gang.size)
    weights = numpy.zeros((x.shape[1], CLASSES))
    loss = 0.0
    for _ in range(STEPS):
        total = gang.add_up(gradient(weights, x[mine], y[mine]))
        weights -= RATE / len(y) * total[:-1]
        loss = total[-1, 0] / len(y)
    accuracy = ((x @ weights).argmax(axis=1) == y).mean()
    print(f"task {gang.rank} of {gang.size}: {len(y[mine])} of {len(y)} digits")
    print(f"loss {loss:.12f} weights {numpy.abs(weights).sum():.9f} accuracy {accuracy:.4f}")
    if gang.rank == 0:
        folder = pathlib.Path(os.environ.get("LEPTON_OUTPUT_DIR", "."))
        numpy.save(folder / "weights.npy", weights)


if __name__ == "__main__":
    main()
