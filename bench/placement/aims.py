#!/usr/bin/env python3
"""Compares the figures of `scripts/bench placement` with what is aimed at, and says which of the
published traces were not at hand. Ends with 1 where an aim is missed or a figure is absent,
with 77 where only missing traces kept it from telling anything.

usage: bench/placement/aims.py FILE [quality | power | speed]...
  FILE  its last line is the benchmark's JSON
example: scripts/bench placement > placement.txt; bench/placement/aims.py placement.txt quality
"""

import json
import pathlib
import sys


def growth(figures):
    """How the cost of a decision grows for each tenfold of nodes, the worst."""
    cost = [figures["scaling"][nodes] for nodes in ("1000", "10000", "100000")
            if nodes in figures["scaling"]]
    return max(after / before for before, after in zip(cost, cost[1:]))


def saved(load):
    return lambda figures: figures["power_saved_pct"][load]


# What, how it is found, and what it should be. FGD: Weng et al., USENIX ATC 2023; power: Lettich et
# al., CCGrid 2025.
AIMS = {
    "quality": [
        ("our FGD lies from the published one, points, at most",
         lambda figures: figures["worst_difference_to_published"], "<=", 0.3),
        ("ours over FGD on the worst trace, points",
         lambda figures: figures["worst_gap_to_fgd"], "<=", 0),
        ("(ours - floor) / (FGD - floor), mean of the traces",
         lambda figures: figures["mean_gap_ratio"], "<=", 0.5),
        ("ours on default, % unallocated",
         lambda figures: figures["traces"]["default"]["ours"], "<=", 4.2),
        ("ours on gpuspec33, % unallocated",
         lambda figures: figures["traces"]["gpuspec33"]["ours"], "<=", 8),
        ("ours with nodes in another order and by other names, points",
         lambda figures: figures["shuffle_delta"], "<=", 0.2)],
    "power": [
        ("power saved against FGD at 20 % load, %", saved("20"), ">", 15.2),
        ("the same at 50 %", saved("50"), ">", 13.3),
        ("the same at 80 %", saved("80"), ">", 12.7),
        ("GPU allocated at 100 % while power is spared, %",
         lambda figures: figures["power_alloc_pct_100"], ">=", 93.5)],
    "speed": [
        ("decisions a second on one core",
         lambda figures: figures["decisions_per_s"], ">=", 100_000),
        ("p99 of a decision, us", lambda figures: figures["p99_us"], "<", 300),
        ("cost of a decision for ten times the nodes, times", growth, "<", 10)],
}
HOLDS = {"<=": lambda figure, aim: figure <= aim, "<": lambda figure, aim: figure < aim,
         ">=": lambda figure, aim: figure >= aim, ">": lambda figure, aim: figure > aim}


def compare(figures, kinds):
    """How many aims are met, and how many missed."""
    met, missed = 0, 0
    for what, figure_of, relation, aim in [line for kind in kinds for line in AIMS[kind]]:
        try:
            figure = figure_of(figures)
        except KeyError as absent:
            if absent.args[0] not in figures.get("unmeasured", []):
                raise
            print(f"unmeasured  {what}")
            continue
        good = HOLDS[relation](figure, aim)
        met, missed = met + good, missed + (not good)
        print(f"{'met' if good else 'MISSED':<10}  {what}: {figure:g} (aim: {relation} {aim:g})")
    return met, missed


def main():
    if len(sys.argv) < 2 or "--help" in sys.argv or set(sys.argv[2:]) - set(AIMS):
        sys.exit(__doc__)
    figures = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()[-1])
    met, missed = compare(figures, sys.argv[2:] or list(AIMS))
    if figures.get("unmeasured"):
        print(f"traces unmeasured: {', '.join(figures['unmeasured'])}")
    sys.exit(1 if missed else 0 if met else 77)


if __name__ == "__main__":
    main()
