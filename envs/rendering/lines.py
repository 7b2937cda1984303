"""The benchmarks of a game as lines beside the rewards of a period."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from ..benchmarks import Benchmark, episode_length, period_factor
from ..core import Floats, Game
from ..planning import expected_periods

MOST = 5
"""Most different benchmarks that are drawn."""


class Line(NamedTuple):
    """One reference value per period.

    Attributes:
        names: of the benchmarks that share it.
        value: reward per period.
        seat: whose it is; None if it is the same for all of several seats.
    """

    names: tuple[str, ...]
    value: float
    seat: int | None


def benchmark_lines(game: Game[Any]) -> tuple[Line, ...]:
    """Return the first `MOST` different benchmarks that are comparable with a period's reward.

    Benchmarks with the same values share a line. A game whose benchmarks cannot be computed at
    its parameters, or whose episodes are of no known length, has fewer or none.
    """
    try:
        found = game.benchmarks()
    except ValueError:
        return ()
    groups: list[tuple[list[str], Floats]] = []
    periods = _periods(game, found)
    for name, benchmark in found.items():
        factor = period_factor(benchmark.unit, benchmark.discount, periods)
        if factor is None or not np.isfinite(benchmark.solution.payoffs).all():
            continue
        values = benchmark.solution.payoffs * factor
        same = [names for names, others in groups if np.allclose(values, others, atol=1e-9)]
        if same:
            same[0].append(name)
        else:
            groups.append(([name], values))
    lines = []
    for names, values in groups[:MOST]:
        common = len(values) > 1 and np.allclose(values, values[0], atol=1e-9)
        seats = [None] if common else [*range(len(values))]
        lines += [Line(tuple(names), float(values[seat or 0]), seat) for seat in seats]
    return tuple(lines)


def _periods(game: Game[Any], found: Mapping[str, Benchmark]) -> float | None:
    """Return the length of an episode if a benchmark needs it and it does not depend on play."""
    if all(b.unit != "per_episode" for b in found.values()):
        return None
    known, spaces = episode_length(game), game.action_spaces
    if known is not None or not all(isinstance(space, Discrete) for space in spaces):
        return known
    counts = [int(space.n) for space in spaces]  # type: ignore[attr-defined]
    try:
        first = expected_periods(game, [np.eye(n)[:1] for n in counts])
        mixed = expected_periods(game, [np.full((1, n), 1 / n) for n in counts])
    except ValueError:
        return None
    return first if abs(first - mixed) <= 1e-9 * first else None
