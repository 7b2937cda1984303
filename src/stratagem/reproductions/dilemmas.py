"""Strategies of the repeated prisoner's dilemma: extortion, and a tournament.

Sources:
- W. Press and F. Dyson (2012), *Iterated Prisoner's Dilemma contains strategies that dominate any
  evolutionary opponent*, PNAS 109(26). Its extortioner with a factor of 3, against a full
  cooperator and against opponents who evolve; the numbers are checked by hand in the tests.
- R. Axelrod (1984), *The evolution of cooperation*, the form of the tournament; V. Knight, O.
  Campbell, M. Harper and others, *Axelrod-Python*, version 4.14, whose own tournament of the same
  strategies is packaged with this package, as `benchmarks/axelrod_reference.py` measured it.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from stratagem.dilemmas import five_of, stances_paid
from stratagem.envs.core import Floats
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.envs.planning import payoffs
from stratagem.envs.solvers.memory_one import after, long_run
from stratagem.envs.tabular import strategy_of
from stratagem.players import player

from .play import played
from .registry import Note, at_least, at_most, near, reproduction

PAPER = "Press and Dyson (2012)"
CHAIN = "the stationary distribution, worked by hand"
LIBRARY = "the Axelrod library's own tournament"
ENDLESS = PrisonersDilemma(continuation=1.0)
DISCOUNT = 1 - 1e-6
ROUNDING = 1e-9
"""Deviations below this are rounding."""
HARSH = PrisonersDilemma(continuation=1.0, punishment=2.5)


def five(name: str, game: PrisonersDilemma = ENDLESS) -> Floats:
    """Return a strategy as its five numbers; those of grim where nobody errs."""
    if name == "grim":
        return np.array([1.0, 0.0, 0.0, 0.0, 1.0])
    return five_of(player(name, game, 0), game, 0)


def paid(own: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return what two strategies get per round in the long run, each of its own."""
    shares = long_run(own, other).shares
    mine, its = stances_paid(ENDLESS, 0, "here")
    return np.asarray(shares @ mine), np.asarray(shares @ its)


def evolved(opponent: Floats, *, many: int, steps: int) -> Floats:
    """Return strategies (many, 5) that kept each change by which they were paid more."""
    draws = np.random.default_rng(0)
    now = draws.random((many, 5))
    best = paid(opponent, now)[1]
    for step in range(steps):
        size = 0.3 * 0.02 ** (step / steps)
        tried = np.clip(now + size * draws.normal(size=now.shape), 0, 1)
        gets = paid(opponent, tried)[1]
        better = gets > best
        now[better], best[better] = tried[better], gets[better]
    return now


def pure_replies() -> Floats:
    """Return the sixteen strategies that never draw, (16, 5); one of them is a best reply."""
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    return np.concatenate([bits, np.ones((16, 1))], axis=1)


@reproduction(
    "extortion-ratio",
    near("payoff against one who always cooperates", 41 / 11, 1e-9, "derived", CHAIN),
    near("what one gets who always cooperates", 21 / 11, 1e-9, "derived", CHAIN),
    near("payoff against one who plays at random", 41 / 16, 1e-9, "derived", CHAIN),
    near("what one gets who plays at random", 73 / 48, 1e-9, "derived", CHAIN),
    near(
        "largest distance of the ratio of surpluses from 3, random opponents",
        0,
        1e-9,
        "published",
        f"equation 12 of {PAPER}",
    ),
    near(
        "largest s_X - 1 - 3 (s_Y - 1) by dynamic programming at a discount d of 1 - 1e-6",
        0,
        26 * (1 - DISCOUNT) / DISCOUNT,
        "derived",
        "(1 - d) / (d phi): all that the first move can do",
    ),
    near(
        "simulated payoff against one who always cooperates",
        41 / 11,
        0.02,
        "derived",
        "four standard errors, and the first rounds",
    ),
    near("the best of all replies gets", 21 / 11, 1e-9, "published", f"cooperation; {PAPER}"),
    at_least(
        "least that opponents get who evolved",
        21 / 11 - 0.01,
        "published",
        f"they come to full cooperation; {PAPER}",
    ),
    at_least(
        "least that the extortioner gets from them", 41 / 11 - 0.02, "derived", "3 times as much"
    ),
    near(
        "payoff of either of two extortioners", 1, 1e-9, "derived", "nobody forgives", control=True
    ),
    at_most(
        "largest lead of generous tit for tat over a random opponent",
        1e-9,
        "derived",
        "whoever answers in kind or better never has more",
        control=True,
    ),
    near(
        "mean payoff of those who evolved against generous tit for tat",
        3,
        0.01,
        "derived",
        "cooperation is its best reply too, and is not taxed",
        control=True,
    ),
)
def extortion_ratio(
    note: Note, *, opponents: int = 10_000, many: int = 100, steps: int = 3000
) -> Mapping[str, float]:
    """An extortioner gets three times what its opponent gains, whoever the opponent is."""
    extortioner, generous = five("extortion:3"), five("generous_tit_for_tat")
    whole, half = paid(extortioner, five("fixed:0")), paid(extortioner, five("random"))
    others = np.random.default_rng(0).random((opponents, 5))
    mine, its = paid(extortioner, others)
    note("dynamic programming")
    rows = strategy_of(player("extortion:3", ENDLESS, 0), ENDLESS, 0)
    off = []
    for numbers in others[:5]:
        name = "memory_one:" + "/".join(map(str, numbers))
        reply = strategy_of(player(name, ENDLESS, 1), ENDLESS, 1)
        x, y = payoffs(ENDLESS, [rows, reply], discount=DISCOUNT) * (1 - DISCOUNT)
        off.append(abs(x - 1 - 3 * (y - 1)))
    note("simulated play")
    seats = [player(name, ENDLESS, seat) for seat, name in enumerate(("extortion:3", "fixed:0"))]
    path = played(ENDLESS, seats, periods=2000, copies=64, name="extortion-ratio")
    note("opponents who evolve")
    tamed = evolved(extortioner, many=many, steps=steps)
    free = evolved(generous, many=many, steps=steps)
    lead = np.subtract(*paid(generous, others))
    return {
        "payoff against one who always cooperates": float(whole[0]),
        "what one gets who always cooperates": float(whole[1]),
        "payoff against one who plays at random": float(half[0]),
        "what one gets who plays at random": float(half[1]),
        "largest distance of the ratio of surpluses from 3, random opponents": float(
            np.abs((mine - 1) / (its - 1) - 3).max()
        ),
        "largest s_X - 1 - 3 (s_Y - 1) by dynamic programming at a discount d of 1 - 1e-6": max(
            off
        ),
        "simulated payoff against one who always cooperates": float(path.rewards[:, 0].mean()),
        "the best of all replies gets": float(paid(extortioner, pure_replies())[1].max()),
        "least that opponents get who evolved": float(paid(extortioner, tamed)[1].min()),
        "least that the extortioner gets from them": float(paid(extortioner, tamed)[0].min()),
        "payoff of either of two extortioners": float(paid(extortioner, extortioner)[0]),
        "largest lead of generous tit for tat over a random opponent": float(lead.max()),
        "mean payoff of those who evolved against generous tit for tat": float(
            paid(generous, free)[1].mean()
        ),
    }


@cache
def reference() -> dict[str, Any]:
    """Return the library's tournament, as `benchmarks/axelrod_reference.py` wrote it."""
    file = resources.files("stratagem.data") / "axelrod_tournament.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def round_robin(
    names: list[str], game: PrisonersDilemma, *, rounds: int, copies: int, note: Note
) -> Floats:
    """Return what everyone gets per round from everyone, (n, n, copies), itself included."""
    found = np.zeros((len(names), len(names), copies))
    for i, name in enumerate(names):
        note(f"{name} against everyone")
        for j in range(i, len(names)):
            seats = player(name, game, 0), player(names[j], game, 1)
            match = f"axelrod-tournament {name} {names[j]}"
            path = played(game, seats, periods=rounds, copies=copies, name=match)
            both = path.rewards.mean(axis=0)
            found[j, i], found[i, j] = both[1], both[0]
    return found


def scores(means: Floats) -> Floats:
    """Return everyone's mean over the others, (n,), from means (n, n)."""
    n = len(means)
    return np.asarray((means.sum(axis=1) - means.diagonal()) / (n - 1))


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's coefficient of two lists without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.asarray(np.corrcoef(np.stack(ranks)))[0, 1])


def errors(
    means: Floats, deviations: Floats, others: Floats, their_deviations: Floats, copies: int
) -> Floats:
    """Return the distances of means in standard errors, where there is any deviation."""
    spread = np.hypot(deviations, their_deviations) / np.sqrt(copies)
    drawn = spread > ROUNDING
    return np.asarray(np.abs(means - others)[drawn] / spread[drawn])


@reproduction(
    "axelrod-tournament",
    at_least("rank correlation of the scores", 0.98, "computed", LIBRARY),
    near("largest difference of scores", 0, 0.02, "computed", LIBRARY),
    near("largest difference where all matches of a pair are alike", 0, 1e-9, "computed", LIBRARY),
    at_most(
        "largest difference of a pair's payoff, in standard errors",
        4.92,
        "computed",
        f"Student's, one in a thousand over 289 payoffs of 50 matches; {LIBRARY}",
    ),
    at_most(
        "the same of the library's payoffs from the exact ones",
        5.23,
        "derived",
        "Student's, one in a thousand over 289, the library's deviations alone",
    ),
    near("winner's rank here", 1, 0, "computed", LIBRARY),
    at_most(
        "largest rank correlation with 1000 shuffled orders",
        0.9,
        "derived",
        "their standard deviation is 1/4, of which .9 is 3.6",
        control=True,
    ),
    at_most(
        "rank correlation where mutual defection pays 2.5",
        0.9,
        "derived",
        "then it pays to defect: no nearer than a shuffled order may be",
        control=True,
    ),
    near(
        "rank of always defecting where mutual defection pays 2.5",
        1,
        0,
        "derived",
        "cooperation is worth .5, and being exploited costs 2.5",
        control=True,
    ),
)
def axelrod_tournament(note: Note, *, copies: int = 50) -> Mapping[str, float]:
    """Seventeen strategies meet as in the Axelrod library, and come out in the same order."""
    theirs = reference()
    names, rounds = theirs["names"], theirs["rounds"]
    means, spread = np.array(theirs["means"]), np.array(theirs["deviations"])
    how: dict[str, Any] = {"rounds": rounds, "copies": copies, "note": note}
    found = round_robin(names, ENDLESS, **how)
    ours, deviations = found.mean(axis=2), found.std(axis=2, ddof=1)
    sure = (spread < ROUNDING) & (deviations < ROUNDING)
    numbers = np.stack([five(name) for name in names])
    shares = after(numbers[:, None], numbers[None], rounds)
    exact = shares @ stances_paid(ENDLESS, 0, "here")[0]
    other = scores(round_robin(names, HARSH, **how).mean(axis=2))
    mine, library = scores(ours), np.array(theirs["scores"])
    draws = np.random.default_rng(0)
    shuffled = [rank_correlation(draws.permutation(mine), library) for _ in range(1000)]
    winner, defector = int(library.argmax()), names.index("fixed:1")
    return {
        "rank correlation of the scores": rank_correlation(mine, library),
        "largest difference of scores": float(np.abs(mine - library).max()),
        "largest difference where all matches of a pair are alike": float(
            np.abs(ours - means)[sure].max()
        ),
        "largest difference of a pair's payoff, in standard errors": float(
            errors(ours, deviations, means, spread, copies).max()
        ),
        "the same of the library's payoffs from the exact ones": float(
            errors(means, spread, exact, np.zeros_like(spread), copies).max()
        ),
        "winner's rank here": float((mine >= mine[winner]).sum()),
        "largest rank correlation with 1000 shuffled orders": max(shuffled),
        "rank correlation where mutual defection pays 2.5": rank_correlation(other, library),
        "rank of always defecting where mutual defection pays 2.5": float(
            (other >= other[defector]).sum()
        ),
    }
