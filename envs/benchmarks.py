"""Reference values of a game, each with a certificate that does not trust its solver."""

from typing import Any, Literal, NamedTuple

import numpy as np

from .core import Array, Floats, Game

Unit = Literal["per_period", "per_episode", "discounted"]
Bound = Literal["exact", "lower", "upper"]


class Certificate(NamedTuple):
    """How far a profile is from what it claims to be, recomputed apart from the solver.

    Attributes:
        max_regret: most that any deviator's best alternative gains, in the value's unit.
        tolerance: largest regret that passes.
        method: how the profile was found, and how the regret was recomputed.
        deviators: whose alternatives were tried: agents, or "planner" for a value that is
            no equilibrium (a planner could choose every seat's action); never empty.
        exact: whether the concept is solved exactly in its class.
        bound: what the payoffs are to the concept without that class.
    """

    max_regret: float
    tolerance: float
    method: str
    deviators: tuple[str, ...]
    exact: bool = True
    bound: Bound = "exact"


class Solution(NamedTuple):
    """A profile with its payoffs.

    Attributes:
        concept: such as "nash" or "stackelberg".
        profile: one array per agent, in the solver's own terms (prices, mixed actions, ...).
        payoffs: of each agent, (N,).
        certificate: what was checked.
    """

    concept: str
    profile: tuple[Array, ...]
    payoffs: Floats
    certificate: Certificate


class Benchmark(NamedTuple):
    """A named reference value of a game.

    Attributes:
        name: its key in `Game.benchmarks()`.
        solution: profile, payoffs and certificate.
        scope: the class in which the value is exact, in words.
        unit: "per_period", "per_episode" (undiscounted expected sum) or "discounted".
        discount: of the value; 1 unless the unit is "discounted".
        strategies: per agent (rows, n) action probabilities in the game itself, by its own
            observation's index (one row: whatever it sees); None if the value is not that of
            a profile of this game's actions.
    """

    name: str
    solution: Solution
    scope: str
    unit: Unit
    discount: float = 1.0
    strategies: tuple[Floats, ...] | None = None


def certified(
    concept: str,
    profile: tuple[Array, ...],
    payoffs: Any,
    *,
    regret: float,
    method: str,
    deviators: tuple[str, ...],
    tolerance: float = 1e-9,
    exact: bool = True,
    bound: Bound = "exact",
) -> Solution:
    """Return a solution whose regret, recomputed by the caller, passes.

    Raises:
        ValueError: If `regret` is above `tolerance` or not a number, or `deviators` is empty.
    """
    if not deviators:
        raise ValueError(f"{concept}: deviators is empty, so the certificate would show nothing")
    if not regret <= tolerance:
        raise ValueError(f"{concept} profile by {method} has {regret=} above {tolerance=}")
    certificate = Certificate(max(float(regret), 0.0), tolerance, method, deviators, exact, bound)
    return Solution(concept, profile, np.asarray(payoffs, np.float64), certificate)


def period_factor(unit: Unit, discount: float, periods: float | None) -> float | None:
    """Return what turns a benchmark's value into one per period, beside rewards.

    A discounted value becomes its weighted mean, (1 - discount) times itself. A value per
    episode is divided by the expected length of an episode.

    Args:
        unit: of the benchmark.
        discount: of the benchmark.
        periods: expected length of an episode; None if it has none.

    Returns:
        the factor; None if there is no such number.
    """
    if unit == "per_period":
        return 1.0
    if unit == "discounted":
        return 1.0 - discount if discount < 1 else None
    return 1.0 / periods if periods else None


def episode_length(game: Game[Any]) -> float | None:
    """Return the expected length of an episode where the game's parameters say it.

    A horizon and a continuation count rounds, which may be several periods.
    """
    periods = getattr(game, "periods_per_round", 1)
    horizon = getattr(game, "horizon", None)
    if isinstance(horizon, int):
        return float(horizon) * periods
    continuation = getattr(game, "continuation", None)
    if isinstance(continuation, float) and continuation < 1:
        return periods / (1.0 - continuation)
    return None
