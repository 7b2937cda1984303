"""Time of the mixed Stackelberg solver, beside one bare linear program per answer.

Usage: python benchmarks/stackelberg_solvers.py [--games N]

Both take the same random games in turns; a figure is the median over games, in seconds of wall
time on one thread. The solver's certificate, which takes a program per answer of its own, is
included; the bare programs prove nothing.
"""

import argparse
import statistics
import time

import numpy as np
from scipy.optimize import linprog

from stratagem.envs.core import Floats
from stratagem.envs.solvers.stackelberg import strong_stackelberg


def bare(leader: Floats, follower: Floats) -> float:
    """Return the leader's value by one linear program per answer."""
    best = -np.inf
    for answer in range(leader.shape[1]):
        found = linprog(
            -leader[:, answer],
            A_ub=(follower - follower[:, [answer]]).T,
            b_ub=np.zeros(leader.shape[1]),
            A_eq=np.ones((1, len(leader))),
            b_eq=[1.0],
        )
        if found.status == 0:
            best = max(best, -float(found.fun))
    return best


def main() -> None:
    """Time both and print seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--games", type=int, default=7, help="games of each size (default 7)")
    count = parser.parse_args().games
    strong_stackelberg(np.eye(2), np.eye(2))  # imports SciPy
    print("   size   solver s     bare s   ratio")
    for size in (10, 50):
        taken: tuple[list[float], list[float]] = ([], [])
        for seed in range(count):
            leader, follower = np.random.default_rng(seed).normal(size=(2, size, size))
            begin = time.perf_counter()
            value = float(strong_stackelberg(leader, follower).payoffs[0])
            middle = time.perf_counter()
            other = bare(leader, follower)
            taken[0].append(middle - begin)
            taken[1].append(time.perf_counter() - middle)
            if abs(value - other) > 1e-7:
                raise SystemExit(f"values differ: {value} and {other}, size {size}, seed {seed}")
        ours, theirs = map(statistics.median, taken)
        print(f"{size:3d}x{size:<3d} {ours:10.4f} {theirs:10.4f} {ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
