"""Reference values of investing where another divides what comes of it, one round at a time.

Arrays over investments have an axis of L levels, those over shares one of n. Ties within `TIE`
fall to the larger investment, then to what the investor likes best, then to the lower share.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints
from ..matrix_benchmarks import over_rounds

TIE = 1e-9


class Terms(NamedTuple):
    """What the benchmarks need of a game."""

    endowment: float
    costs: Floats  # (L,) of each investment
    outputs: Floats  # (L,) what comes of it
    shares: Floats  # (n,) that may be left to the investor, rising
    secured: float  # share that the investor has in any case
    efficient: int  # investment of the largest surplus
    agreed: int  # lowest share with which the investor has at least as much as its partner
    continuation: float
    agents: tuple[str, ...]


class Round(NamedTuple):
    """The subgame-perfect equilibrium of one round."""

    promise: int  # share that is promised; 0 without a device
    levels: Ints  # (n,) investment after each promise; (1,) without a device
    payoffs: Floats  # (2,)
    gain: float  # the most that one other action gains at any point


def divided(terms: Terms, level: int, share: float) -> Floats:
    """Return what a round pays both, (2,), if a share of the output is left to the investor."""
    output = float(terms.outputs[level])
    return np.array(
        [terms.endowment - float(terms.costs[level]) + share * output, (1 - share) * output]
    )


def solve(terms: Terms, device: bool) -> Round:
    """Return the equilibrium of one round by backward induction.

    At the end the partner leaves the least that it may. With a device it first promises a share,
    which binds it if the investment is the efficient one.
    """
    promises = np.maximum(terms.shares, terms.secured) if device else np.array([terms.secured])
    held = np.full((len(promises), len(terms.costs)), terms.secured)
    held[:, terms.efficient] = promises
    own = terms.endowment - terms.costs + held * terms.outputs
    levels = _last_best(own)
    rows = np.arange(len(promises))
    partner = ((1 - held) * terms.outputs)[rows, levels]
    invests = own[rows, levels]
    best = np.where(partner >= partner.max() - TIE, invests, -np.inf)
    promise = int((best >= best.max() - TIE).argmax())
    gain = max(float((own.max(1) - invests).max()), float(partner.max()) - partner[promise])
    paid = np.array([invests[promise], partner[promise]])
    return Round(promise, levels, paid, gain)


def _last_best(values: Floats) -> Ints:
    best = values >= values.max(axis=1, keepdims=True) - TIE
    return np.asarray(values.shape[1] - 1 - best[:, ::-1].argmax(axis=1))


def critical_continuation(terms: Terms) -> float:
    """Return the least continuation at which a grim investor keeps its partner to the agreed share.

    With output Y, agreed share r and secured share s, keeping it pays (1 - r) Y a round, breaking
    it (1 - s) Y once and then the partner's payoff P of the one-round equilibrium: the two are
    equal at (r - s) Y / ((1 - s) Y - P) (J. Friedman, 1971). NaN if no continuation below one
    suffices, or the investor has less from it than without.
    """
    alone = solve(terms, device=False).payoffs
    kept = divided(terms, terms.efficient, float(terms.shares[terms.agreed]))
    once = divided(terms, terms.efficient, terms.secured)[1]
    if (kept < alone - TIE).any() or once - alone[1] <= TIE:
        return float("nan")
    critical = float((once - kept[1]) / (once - alone[1]))
    return max(critical, 0.0) if critical < 1 else float("nan")


def benchmarks(
    terms: Terms, seen: Ints, *, device: bool, remembers: bool
) -> Mapping[str, Benchmark]:
    """Return every benchmark by name.

    Args:
        terms: of the game.
        seen: all that either sees, (V, 4): promised, invested and both of the last round.
        device: whether the game has it.
        remembers: whether the last round is seen.
    """
    rounds = 1 / (1 - terms.continuation)
    found = [
        _equilibrium("subgame_perfect", terms, device, seen),
        _equilibrium("without_device", terms, False, None),
        _equilibrium("with_device", terms, True, None),
        _optimum(terms, device, seen),
        _minimax(terms, device),
    ]
    critical = critical_continuation(terms)
    if remembers and not device and terms.continuation >= critical - TIE:
        found.append(_grim(terms, seen))
    return {one.name: over_rounds(one, rounds) for one in found}


def _equilibrium(name: str, terms: Terms, device: bool, seen: Ints | None) -> Benchmark:
    found = solve(terms, device)
    level = int(found.levels[found.promise])
    share = max(terms.secured, float(terms.shares[found.promise])) if device else terms.secured
    if level != terms.efficient:
        share = terms.secured
    again = divided(terms, level, share)
    solution = certified(
        "subgame perfect nash",
        (np.array([terms.costs[level]]), np.array([share])),
        found.payoffs,
        regret=max(found.gain, float(np.abs(again - found.payoffs).max())),
        method="backward induction over a round; every other single action, and the round's books",
        deviators=terms.agents,
        tolerance=1e-8,
    )
    strategies = None
    if seen is not None:
        strategies = _played(terms, seen, device, found)
    scope = f"one round {'with' if device else 'without'} the device, repeated whatever happened"
    ties = "ties fall to the larger investment, and as the investor likes best"
    return Benchmark(name, solution, f"{scope}; {ties}", "per_period", strategies=strategies)


def _played(terms: Terms, seen: Ints, device: bool, found: Round) -> tuple[Floats, ...]:
    """Return the strategies of a round's equilibrium; in the end nothing is left by choice."""
    invests = np.broadcast_to(found.levels, len(terms.shares))[np.maximum(seen[:, 0] - 1, 0)]
    return _rows(terms, seen, device, invests, np.where(seen[:, 1] > 0, 0, found.promise))


def _rows(
    terms: Terms, seen: Ints, device: bool, invests: Ints, leaves: Ints
) -> tuple[Floats, ...]:
    """Return strategies by what is seen; who waits has action 0 alone."""
    divides = seen[:, 1] > 0
    partner = divides | ((seen[:, 0] == 0) & device)
    invests, leaves = np.where(partner, 0, invests), np.where(partner, leaves, 0)
    return np.eye(len(terms.costs))[invests], np.eye(len(terms.shares))[leaves]


def _optimum(terms: Terms, device: bool, seen: Ints) -> Benchmark:
    agreed = float(terms.shares[terms.agreed])
    paid = divided(terms, terms.efficient, max(agreed, terms.secured))
    most = max(terms.endowment - c + y for c, y in zip(terms.costs, terms.outputs, strict=True))
    solution = certified(
        "social optimum",
        (terms.costs[[terms.efficient]], np.array([agreed])),
        paid,
        regret=abs(float(most) - float(paid.sum())),
        method="enumeration of investments",
        deviators=("planner",),
    )
    strategies = _rows(
        terms, seen, device,
        np.full(len(seen), terms.efficient), np.full(len(seen), terms.agreed),
    )  # fmt: skip
    scope = "the investment of the largest surplus; of all divisions the agreed one"
    return Benchmark("social_optimum", solution, scope, "per_period", strategies=strategies)


def _minimax(terms: Terms, device: bool) -> Benchmark:
    least = [divided(terms, level, terms.secured)[0] for level in range(len(terms.costs))]
    paid = np.array([max(least), 0.0])
    solution = certified(
        "minimax",
        (paid,),
        paid,
        regret=abs(float(solve(terms, device=False).payoffs[0]) - float(paid[0])),
        method="nothing but the secured share is left, or nothing is invested; the investor's "
        "equilibrium is as bad for it",
        deviators=terms.agents,
    )
    return Benchmark("minimax", solution, "what either can be held down to", "per_period")


def _grim(terms: Terms, seen: Ints) -> Benchmark:
    """Return the agreed division for as long as the last round kept to it."""
    alone = solve(terms, device=False)
    kept = (seen[:, 2] == 0) | (
        (seen[:, 2] - 1 == terms.efficient) & (seen[:, 3] - 1 >= terms.agreed)
    )
    given = kept & (seen[:, 1] - 1 == terms.efficient)
    invests = np.where(kept, terms.efficient, alone.levels[0])
    strategies = _rows(terms, seen, False, invests, np.where(given, terms.agreed, 0))
    agreed = divided(terms, terms.efficient, float(terms.shares[terms.agreed]))
    c = terms.continuation
    once = divided(terms, terms.efficient, terms.secured)[1]
    broken = (1 - c) * once + c * alone.payoffs[1]
    solution = certified(
        "grim nash",
        (terms.costs[[terms.efficient]], terms.shares[[terms.agreed]]),
        agreed,
        regret=max(float(broken - agreed[1]), float(alone.payoffs[0] - agreed[0])),
        method="closed form: the best that each has by breaking the agreement once and for all",
        deviators=terms.agents,
        tolerance=1e-8,
    )
    scope = "the agreed division until the last round was another, then the one-round equilibrium"
    return Benchmark("grim", solution, scope, "per_period", strategies=strategies)
