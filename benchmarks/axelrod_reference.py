"""What the Axelrod library measures of its own strategies: a tournament, and its speed.

Usage: python benchmarks/axelrod_reference.py tournament FILE [--repetitions N]
       python benchmarks/axelrod_reference.py speed [--seconds S]

Run it with an interpreter that has the library; nothing else is needed. `make axelrod` makes one.
The tournament writes means and deviations of every pair's payoffs per round as JSON, with the
versions; `src/stratagem/data/axelrod_tournament.json` is such a file. The speed is that of
`Match(...).play()` in CPU time, printed as JSON in matches of 200 rounds per second.
"""

import argparse
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import axelrod

ROUNDS, SEED = 200, 1
STRATEGIES: dict[str, Callable[[], Any]] = {
    "fixed:0": axelrod.Cooperator,
    "fixed:1": axelrod.Defector,
    "random": axelrod.Random,
    "tit_for_tat": axelrod.TitForTat,
    "memory_one:1/0/1/0/0": axelrod.SuspiciousTitForTat,
    "memory_one:0/1/0/1/0": axelrod.Bully,
    "grim": axelrod.Grudger,
    "win_stay_lose_shift": axelrod.WinStayLoseShift,
    "memory_one:0/1/1/0/0": axelrod.WinShiftLoseStay,
    "memory_one:0/0/1/1/1": axelrod.Alternator,
    "generous_tit_for_tat": axelrod.GTFT,
    "memory_one:0.9/0/0.9/0/1": axelrod.FirstByJoss,
    "memory_one:1/0/1/0.6666666666666666/1": axelrod.FirmButFair,
    "memory_one:0.935/0.229/0.266/0.42/1": axelrod.StochasticCooperator,
    "memory_one:1/0.125/1/0.25/1": axelrod.ZDGTFT2,
    "extortion:2": axelrod.ZDExtort2,
    "extortion:3": lambda: axelrod.ZDExtortion(phi=3 / 26, s=1 / 3, l=1),
}
"""The library's strategies by the names that the same ones have here."""


def tournament(repetitions: int) -> dict[str, Any]:
    """Return the library's round robin of the strategies, everyone against everyone and itself."""
    players = [build() for build in STRATEGIES.values()]
    found = axelrod.Tournament(players, turns=ROUNDS, repetitions=repetitions, seed=SEED).play(
        progress_bar=False
    )
    scores = [statistics.fmean(own) for own in found.normalised_scores]
    return {
        "versions": {"axelrod": axelrod.__version__, "python": platform.python_version()},
        "rounds": ROUNDS,
        "repetitions": repetitions,
        "seed": SEED,
        "names": list(STRATEGIES),
        "library_names": [str(player) for player in players],
        "scores": [round(score, 12) for score in scores],
        "means": [[round(statistics.fmean(each), 12) for each in own] for own in found.payoffs],
        "deviations": [
            [round(statistics.stdev(each), 12) for each in own] for own in found.payoffs
        ],
    }


def rate(players: Sequence[Any], seconds: float) -> float:
    """Return matches per CPU-second of two players."""
    begin, done = time.process_time(), 0
    while (spent := time.process_time() - begin) < seconds:
        axelrod.Match(players, turns=ROUNDS, seed=done).play()
        done += 1
    return done / spent


def speed(seconds: float) -> dict[str, Any]:
    """Return matches of 200 rounds per CPU-second, by pair."""
    pairs = {
        "two memory-one players": (
            axelrod.MemoryOnePlayer((0.9, 0.2, 0.7, 0.4)),
            axelrod.MemoryOnePlayer((0.3, 0.8, 0.5, 0.1)),
        ),
        "tit for tat and random": (axelrod.TitForTat(), axelrod.Random()),
        "tit for tat and alternator": (axelrod.TitForTat(), axelrod.Alternator()),
    }
    found: dict[str, Any] = {name: rate(pair, seconds) for name, pair in pairs.items()}
    return {"axelrod": axelrod.__version__, "python": platform.python_version()} | found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="what", required=True)
    one = kinds.add_parser("tournament")
    one.add_argument("file", metavar="FILE", type=Path)
    one.add_argument("--repetitions", type=int, default=50, help="of every match (default 50)")
    two = kinds.add_parser("speed")
    two.add_argument("--seconds", type=float, default=3.0, help="per pair (default 3)")
    args = parser.parse_args()
    if args.what == "speed":
        print(json.dumps(speed(args.seconds)))
        return
    if args.repetitions < 2:
        parser.error("repetitions must be at least 2, for there are deviations")
    found = json.dumps(tournament(args.repetitions))
    rows = found.replace("], [", "],\n  [").replace(', "', ',\n "')
    args.file.write_text(rows + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
