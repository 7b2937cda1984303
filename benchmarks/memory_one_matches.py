"""How many matches of memory-one strategies are played per second, beside the Axelrod library.

Usage: python benchmarks/memory_one_matches.py [--axelrod PYTHON] [--seconds S] [--json FILE]

A match has 200 rounds of the prisoner's dilemma. Ours are played in batches: by `play_matches`,
which draws the numbers of `rollout` and leaves out the rest, and by `rollout` itself with two
policies by name. With an interpreter that has the library, `Match(...).play()` is measured there,
before and after ours, on the same machine. All in CPU time of one thread.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import stratagem
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.evaluation.memory_one_matches import play_matches
from stratagem.evaluation.roots import roots
from stratagem.players import player

ROUNDS = 200
BATCHES = (1, 64, 1024, 4096, 16384)
PAIR = ("memory_one:0.9/0.2/0.7/0.4/1", "memory_one:0.3/0.8/0.5/0.1/1")
"""As in `axelrod_reference.py`."""


def rate(play: Callable[[], object], matches: int, seconds: float) -> float:
    """Return matches per CPU-second of calls that play so many each; the first is not counted."""
    play()
    begin, done = time.process_time(), 0
    while (spent := time.process_time() - begin) < seconds:
        play()
        done += matches
    return done / spent


def ours(batch: int, seconds: float) -> dict[str, float]:
    """Return matches per CPU-second of a batch, by way."""
    seeds = roots("memory-one-matches", "benchmark", range(batch))
    first, second = (np.array([*map(float, name[11:].split("/"))]) for name in PAIR)
    game = PrisonersDilemma(continuation=1.0)
    seats = [player(name, game, seat) for seat, name in enumerate(PAIR)]
    return {
        "play_matches": rate(
            lambda: play_matches(first, second, rounds=ROUNDS, seeds=seeds), batch, seconds
        ),
        "rollout": rate(
            lambda: stratagem.rollout(
                game, seats, num_copies=batch, num_steps=ROUNDS, seed=seeds
            ),
            batch,
            seconds,
        ),
    }  # fmt: skip


def library(python: str, seconds: float) -> dict[str, float | str]:
    """Return what `axelrod_reference.py speed` measures with an interpreter."""
    script = Path(__file__).with_name("axelrod_reference.py")
    command = [python, str(script), "speed", "--seconds", str(seconds)]
    found: dict[str, float | str] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--axelrod", metavar="PYTHON", help="an interpreter that has the library")
    parser.add_argument("--seconds", type=float, default=2.0, help="per figure (default 2)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    if not args.seconds > 0:
        parser.error(f"seconds must be above 0, got {args.seconds}")
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"matches of {ROUNDS} rounds per CPU-second; {versions}", file=sys.stderr)
    before = library(args.axelrod, args.seconds) if args.axelrod else {}
    found: dict[str, object] = {
        str(batch): ours(batch, args.seconds) for batch in BATCHES
    }  # fmt: skip
    for batch, each in found.items():
        print(f"{batch:>6} at once", *(f"{k} {v:,.0f}" for k, v in each.items()))  # type: ignore[attr-defined]
    if before:
        after = library(args.axelrod, args.seconds)
        both = {k: (v, after[k]) for k, v in before.items() if isinstance(v, float)}
        best = max(each["play_matches"] for each in found.values())  # type: ignore[index]
        for name, pair in both.items():
            print(
                f"Axelrod {before['axelrod']}, {name}: {pair[0]:,.0f} and {pair[1]:,.0f}; "
                f"ours at best {best / max(pair):,.0f} times as many"
            )
        found["axelrod"] = both
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
