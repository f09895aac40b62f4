#!/usr/bin/env python3
"""Writes the small trace of this folder: nodes.csv and pods.csv, in the columns of the public
"openb" trace. The numbers are drawn from a fixed seed, with the habits of a shared GPU cluster:
most pods want a share of one GPU or one whole GPU, few want eight, some want none; a tenth accepts
certain models only; more is asked for than there is, so that some pods are refused.

usage: make_trace.py [--seed N] [--nodes N] [--pods N] [--out DIR]
example: examples/trace/make_trace.py --seed 7
"""

import argparse
import csv
import pathlib
import random

# model, GPUs of a node, CPU (thousandths), memory (MiB), how common
MACHINES = [
    ("T4", 2, 64_000, 262_144, 6),
    ("V100", 4, 96_000, 393_216, 4),
    ("A10", 4, 128_000, 524_288, 5),
    ("H100", 8, 192_000, 1_048_576, 4),
    ("", 0, 96_000, 393_216, 1),
]
# GPUs, share of the one GPU (thousandths), how common
WISHES = [(0, 0, 12), (1, 200, 18), (1, 350, 12), (1, 500, 16), (1, 1000, 28), (2, 1000, 8),
          (4, 1000, 4), (8, 1000, 2)]


def make_nodes(rng, count):
    for number in range(count):
        model, gpus, cpu, memory, _ = rng.choices(MACHINES, [m[4] for m in MACHINES])[0]
        yield f"node-{number:03}", cpu, memory, gpus, model


def make_pods(rng, count):
    arrival = 0
    for number in range(count):
        gpus, share, _ = rng.choices(WISHES, [w[2] for w in WISHES])[0]
        cpu = max(1, gpus) * rng.choice([2_000, 4_000, 6_000, 8_000, 12_000])
        spec = "|".join(rng.sample(["T4", "V100", "A10", "H100"], 2)) if rng.random() < 0.1 else ""
        arrival += rng.randrange(1, 90)
        yield (f"pod-{number:04}", cpu, cpu * rng.choice([2, 4, 8]), gpus, share,
               spec if 0 < gpus <= 2 else "", arrival)


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--nodes", type=int, default=40)
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    write(arguments.out / "nodes.csv", ["sn", "cpu_milli", "memory_mib", "gpu", "model"],
          make_nodes(rng, arguments.nodes))
    write(arguments.out / "pods.csv",
          ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "creation_time"],
          make_pods(rng, arguments.pods))


if __name__ == "__main__":
    main()
