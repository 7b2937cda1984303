"""How often 95% intervals cover what they estimate, by simulation.

Usage: python benchmarks/interval_coverage.py [--repeats N] [--write FILE]

Prints a table in Markdown; `--write` puts it between the two marks of a page, such as
docs/statistics.md. The share's coverage is summed over the binomial distribution, the others are
simulated, with a standard error of at most sqrt(0.25 / repeats).
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from math import comb
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.special import ndtri

from stratagem.metrics import (
    Interval,
    cross_play,
    interval,
    iqm,
    mean,
    paired,
    probability_of_improvement,
    share,
)
from stratagem.metrics.bootstrap import ends, resample

SIZES = (5, 10, 20, 50)
MARKS = ("<!-- coverage: begin -->", "<!-- coverage: end -->")
HUMP, LOW_SHARE = 0.1, 0.7

Draw = Callable[[np.random.Generator, Any], Any]


def two_humps(rng: np.random.Generator, size: Any) -> Any:
    """Draw from N(0, .1) with probability .7, else from N(1, .1)."""
    return (rng.random(size) >= LOW_SHARE) + HUMP * rng.standard_normal(size)


SAMPLES: dict[str, Draw] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "exponential": lambda rng, size: rng.exponential(size=size),
    "lognormal": lambda rng, size: rng.lognormal(size=size),
    "two humps": two_humps,
}


def quantiles(name: str) -> Any:
    """Return the quantiles at 2^20 midpoints of (0, 1)."""
    u = (np.arange(2**20) + 0.5) / 2**20
    if name == "normal":
        return ndtri(u)
    if name == "exponential":
        return -np.log1p(-u)
    if name == "lognormal":
        return np.exp(ndtri(u))
    grid = np.linspace(-1, 2, 2**18)
    hump = NormalDist(0, HUMP)
    below = np.array([LOW_SHARE * hump.cdf(x) + (1 - LOW_SHARE) * hump.cdf(x - 1) for x in grid])
    return np.interp(u, below, grid)


def covered(found: Interval, truth: float) -> bool:
    """Return whether an interval holds the truth."""
    return found.low <= truth <= found.high


def one_sample(repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield rows for the mean and the interquartile mean, with the plain percentile beside."""
    for statistic, label in ((mean, "mean"), (iqm, "interquartile mean")):
        for name, draw in SAMPLES.items():
            values = quantiles(name)
            middle = values[len(values) // 4 : -len(values) // 4]
            truth = float((values if statistic is mean else middle).mean())
            rng = np.random.default_rng(0)
            cells = []
            for n in SIZES:
                picks = resample(np.zeros(n))
                hits = np.zeros(2)
                for _ in range(repeats):
                    data = draw(rng, n)
                    low, high = ends(statistic(data[picks]), 0.025)
                    hits += covered(interval(data, statistic), truth), low <= truth <= high
                ours, plain = hits / repeats
                cells.append(f"{ours:.3f} ({plain:.3f})")
            yield label, name, *cells


def two_samples(repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield rows for paired differences and the probability of improvement."""
    rng = np.random.default_rng(1)

    def difference(n: int) -> bool:
        seed = 3 * rng.standard_normal(n)
        first, second = (seed + rng.exponential(size=n) for _ in range(2))
        return covered(paired(first + 0.5, second), 0.5)

    def normal(n: int) -> bool:
        first, second = rng.standard_normal(n) + 0.5, rng.standard_normal(n)
        found = probability_of_improvement(first, second)
        return covered(found, NormalDist().cdf(0.5 / 2**0.5))

    def exponential(n: int) -> bool:
        first, second = 2 * rng.exponential(size=n), rng.exponential(size=n)
        return covered(probability_of_improvement(first, second), 2 / 3)

    def unequal(n: int) -> bool:
        first, second = 5 * rng.standard_normal(n), rng.standard_normal(n)
        return covered(probability_of_improvement(first, second), 0.5)

    def several_tasks(n: int) -> bool:
        shift, tasks = np.repeat([0.0, 0.5, 1.0], n), np.repeat([0, 1, 2], n)
        first, second = rng.standard_normal(3 * n) + shift, rng.standard_normal(3 * n)
        found = probability_of_improvement(first, second, first_tasks=tasks, second_tasks=tasks)
        truth = sum(NormalDist().cdf(d / 2**0.5) for d in (0.0, 0.5, 1.0)) / 3
        return covered(found, truth)

    def near_certain(n: int) -> bool:
        first, second = rng.standard_normal(n) + 3, rng.standard_normal(n)
        found = probability_of_improvement(first, second)
        return covered(found, NormalDist().cdf(3 / 2**0.5))

    for label, name, one in (
        ("paired difference", "exponential, common seeds", difference),
        ("probability of improvement", "normal, truth .638", normal),
        ("probability of improvement", "exponential, truth .667", exponential),
        ("probability of improvement", "normal, truth .983", near_certain),
        ("probability of improvement", "normal, spreads 5 to 1, truth .5", unequal),
        ("probability of improvement", "normal, three tasks, truth .632", several_tasks),
    ):
        rates = [sum(one(n) for _ in range(repeats)) / repeats for n in SIZES]
        yield label, name, *(f"{rate:.3f}" for rate in rates)


def shares() -> Iterator[tuple[str, ...]]:
    """Yield rows for the share of seeds, exactly."""
    for p in (0.1, 0.3, 0.5):
        cells = []
        for n in SIZES:
            each = [share(np.arange(n) < count) for count in range(n + 1)]
            odds = [comb(n, count) * p**count * (1 - p) ** (n - count) for count in range(n + 1)]
            rate = sum(q for q, found in zip(odds, each, strict=True) if covered(found, p))
            cells.append(f"{rate:.3f}")
        yield "share of seeds", f"truth {p}", *cells


def matrices(repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield rows for cross-play: runs and cells that vary alike, and conventions, one of k each."""
    rng = np.random.default_rng(2)

    def normal(n: int) -> bool:
        first, second = rng.standard_normal((2, n))
        matrix = first[:, None] + second + rng.standard_normal((n, n))
        return covered(cross_play(matrix).cross_play, 0)

    def conventions(k: int) -> Callable[[int], bool]:
        def one(n: int) -> bool:
            own = rng.integers(k, size=n)
            return covered(cross_play(own[:, None] == own).cross_play, 1 / k)

        return one

    for name, one in (
        ("normal runs and cells", normal),
        ("2 conventions, truth 1/2", conventions(2)),
        ("9 conventions, truth 1/9", conventions(9)),
    ):
        rates = [sum(one(n) for _ in range(repeats)) / repeats for n in SIZES]
        yield "cross-play", name, *(f"{rate:.3f}" for rate in rates)


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeats", type=int, default=1000, help="simulated data sets per cell")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this page")
    options = parser.parse_args()
    lines = [
        f"| figure | data | {' | '.join(f'n = {n}' for n in SIZES)} |",
        f"|---|---|{'---|' * len(SIZES)}",
    ]
    for part in (
        one_sample(options.repeats),
        two_samples(options.repeats),
        shares(),
        matrices(options.repeats),
    ):
        for row in part:
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    table = "\n".join([*lines, "", f"{options.repeats} data sets per cell."])
    if options.write is None:
        print(table)
        return
    text = options.write.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    options.write.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
