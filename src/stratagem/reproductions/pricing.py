"""Pricing by Q-learning: how collusive, when it is, and when it is not.

Sources:
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10), and its authors' output tables.
- J. Asker, C. Fershtman and A. Pakes (2024), *The impact of artificial intelligence design on
  pricing*, Journal of Economics and Management Strategy 33(2). That learners who update all
  prices at once compete; recalled, not re-read, and no target is its number.

Gains are profit gains of greedy play over the cycle that it ends in, means over sessions. Without
numba everything here takes about 13 times as long.
"""

import time
from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from stratagem.agents.tabular.joint_learning import compiled
from stratagem.envs.core import Floats
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.evaluation.crossplay import meet
from stratagem.evaluation.learning import train
from stratagem.evaluation.roots import roots
from stratagem.players import player

from .pricing_sessions import BASELINE, Sessions, play_of, responses, sessions
from .registry import Note, Target, at_least, at_most, near, reproduction

TABLES = "the authors' output tables"
FIGURE = "their figure, as others read it off"
OURS = "an earlier program of ours, written apart from this package"
WINDOW = f"window for 20 sessions, from {OURS}"
COSTS = {1.0: 0.849, 0.875: 0.841, 0.75: 0.812, 0.625: 0.781, 0.5: 0.759, 0.25: 0.713}
ASYMMETRIC = {
    0.875: (1.44135, 1.39588, 1.97674, 1.85174),
    0.75: (1.41420, 1.32539, 2.04051, 1.79051),
    0.625: (1.39133, 1.26145, 2.11503, 1.74003),
    0.5: (1.37233, 1.20377, 2.19840, 1.69840),
    0.25: (1.34369, 1.10519, 2.38411, 1.63411),
}
"""Nash prices of both firms and joint-maximum prices of both, by the second firm's cost."""
DISCOUNTS = {
    0.0: 0.212, 0.1: 0.207, 0.2: 0.178, 0.34: 0.156, 0.5: 0.215, 0.7: 0.372, 0.8: 0.500, 0.9: 0.710,
    0.95: 0.849, 0.99: 0.934,
}  # fmt: skip
ALPHAS = np.linspace(0.025, 0.25, 10)
BETAS = np.linspace(2e-6, 2e-5, 10)


def between(
    name: str, value: float, low: float, high: float, source: str, *, control: bool = False
) -> Target:
    """Return the target to be near a published value, in a band that is not centred on it."""
    return Target(name, value, low, high, "published", source, control)


def _settled(game: LogitPricing, name: str, count: int, note: Note, **options: Any) -> Sessions:
    """Return sessions that all converged.

    Raises:
        RuntimeError: If one did not.
    """
    slow = "" if compiled() else "; numba is not installed, so this takes about 13 times as long"
    note(f"{name}, {count} sessions{slow}")
    found = sessions(game, name, count, **options)
    if not found.converged.all():
        raise RuntimeError(f"{name}: {(~found.converged).sum()} of {count} did not converge")
    return found


@reproduction(
    "calvano-baseline",
    near("profit gain", 0.849, 0.03, "published", f"{TABLES}; 3.5 standard errors at n = 200"),
    between("its standard deviation", 0.112, 0.05, 0.20, f"{TABLES}; {WINDOW}"),
    between("share on an equilibrium", 0.505, 0.25, 0.80, f"{TABLES}; {WINDOW}"),
    between("share of unprofitable deviations", 0.936, 0.80, 1.0, f"{TABLES}; {WINDOW}"),
    between("answer to a deviation", -0.127, -0.17, -0.08, f"{TABLES}; {WINDOW}"),
    at_least("swap regret on the cycle", 0.2, "computed", f".361; {OURS}"),
    at_most("swap regret on the cycle, without foresight", 0.1, "computed", f".027; {OURS}",
            control=True),
    Target("profit gain, beta = 2e-5", 0.843, 0.77, 0.92, "computed", f"{OURS}, and its window"),
    between(
        "profit gain without memory and foresight, alpha .25, beta 1e-3",
        0.185, 0.185 - 0.05, 0.185 + 0.05, f"{TABLES}; 3 standard errors at n = 200, and .005",
        control=True,
    ),
    Target("profit gain without foresight", 0.225, 0.12, 0.33, "computed", WINDOW, control=True),
)  # fmt: skip
def baseline(note: Note, *, count: int = 200, **options: Any) -> Mapping[str, float]:
    """Two Q-learners that see each other's last price collude, and punish who undercuts."""
    name, game = "calvano-baseline", LogitPricing()
    found = _settled(game, name, count, note, **options).play
    after = responses(found, BASELINE["discount"])
    fast = _settled(game, f"{name} fast", count, note, **{"beta": 2e-5, **options})
    alone = LogitPricing(memory=0)
    short = {"discount": 0.0, "alpha": 0.25, "beta": 1e-3}
    blind = _settled(alone, f"{name} blind", count, note, **{**options, **short})
    myopic = _settled(game, f"{name} myopic", count, note, **{**options, "discount": 0.0})
    return {
        "profit gain": found.gains.mean(),
        "its standard deviation": found.gains.std(ddof=1),
        "share on an equilibrium": found.is_equilibrium(BASELINE["discount"]).mean(),
        "share of unprofitable deviations": np.nanmean(after.unprofitable),
        "answer to a deviation": np.nanmean(after.answer),
        "swap regret on the cycle": found.swap_regret().mean(),
        "swap regret on the cycle, without foresight": myopic.play.swap_regret().mean(),
        "profit gain, beta = 2e-5": fast.play.gains.mean(),
        "profit gain without memory and foresight, alpha .25, beta 1e-3": blind.play.gains.mean(),
        "profit gain without foresight": myopic.play.gains.mean(),
    }


def gains_by_rates(
    note: Note, *, alphas: Floats = ALPHAS, betas: Floats = BETAS, count: int = 20, **options: Any
) -> Floats:
    """Return the mean profit gain at each learning rate and decay of exploration, (A, B)."""
    game, found, begin = LogitPricing(), np.empty((len(alphas), len(betas))), time.process_time()
    for i, alpha in enumerate(alphas):
        for j, beta in enumerate(betas):
            name = f"calvano-alpha-beta-map {alpha:.4g} {beta:.4g} {options or ''}"
            each = _settled(game, name, count, note, alpha=alpha, beta=beta, **options)
            found[i, j] = each.play.gains.mean()
    note(f"cells: {found.size}, in {time.process_time() - begin:.0f} CPU-seconds")
    return found


NOISE = 3 * 0.112 / sqrt(20)
"""Three standard errors of a cell of 20 sessions, at the baseline's standard deviation."""


@reproduction(
    "calvano-alpha-beta-map",
    between("mean gain over the map", 0.8, 0.7, 0.9, "statement: between .70 and .90"),
    at_least("lowest cell", 0.7 - NOISE, "published", "at least .70; 3 standard errors off"),
    at_most("highest cell", 0.9 + NOISE, "published", "at most .90; 3 standard errors off"),
    at_least("least that foresight adds at a corner", 0, "derived",
             "who does not care for tomorrow fears no punishment"),
    at_most("higher gain of the corners at alpha = .25 without foresight", 0.33, "computed",
            f"{WINDOW}, at the baseline's alpha", control=True),
)  # fmt: skip
def rates(note: Note, *, alphas: Floats = ALPHAS, betas: Floats = BETAS, count: int = 20,
          **options: Any) -> Mapping[str, float]:  # fmt: skip
    """They collude at all learning rates and lengths of exploration that the source tries.

    Who learns slowly has high prices without foresight too: at alpha = .025 the corners have
    .52 and .58 then (20 sessions each), so that not all of the map's gain there is a convention
    of reward and punishment.
    """
    found = gains_by_rates(note, alphas=alphas, betas=betas, count=count, **options)
    corners = [0, -1]
    blind = gains_by_rates(
        note, alphas=alphas[corners], betas=betas[corners], count=count, discount=0.0, **options
    )
    return {
        "mean gain over the map": found.mean(),
        "lowest cell": found.min(),
        "highest cell": found.max(),
        "least that foresight adds at a corner": (found[np.ix_(corners, corners)] - blind).min(),
        "higher gain of the corners at alpha = .25 without foresight": blind[-1].max(),
    }


@reproduction(
    "calvano-n3",
    between("profit gain", 0.643, 0.56, 0.72, f"{TABLES}; window for 4 sessions, from {OURS}"),
    near(
        "answer to a deviation", -0.078, 0.03, "published", f"{TABLES}; half of the baseline's .06"
    ),
    near("share of unprofitable deviations", 0.882, 0.1, "published", TABLES),
    at_least("less than two firms by", 0.1, "published", f".206 less; {TABLES}"),
    at_most(
        "profit gain without foresight",
        0.33,
        "computed",
        f"upper end of the two firms' {WINDOW}",
        control=True,
    ),
)
def three_firms(note: Note, *, count: int = 40, **options: Any) -> Mapping[str, float]:
    """Three firms collude too, though less than two."""
    game = LogitPricing(num_firms=3)
    found = _settled(game, "calvano-n3", count, note, **options).play
    after = responses(found, BASELINE["discount"])
    two = _settled(LogitPricing(), "calvano-n3 two", count, note, **options)
    myopic = _settled(game, "calvano-n3 myopic", count, note, **{**options, "discount": 0.0})
    return {
        "profit gain": found.gains.mean(),
        "answer to a deviation": np.nanmean(after.answer),
        "share of unprofitable deviations": np.nanmean(after.unprofitable),
        "less than two firms by": two.play.gains.mean() - found.gains.mean(),
        "profit gain without foresight": myopic.play.gains.mean(),
    }


def _cost(cost: float) -> str:
    return f"profit gain, costs 1 and {cost}"


@reproduction(
    "calvano-asymmetric-cost",
    *(
        near(_cost(cost), gain, 0.06, "published", f"{TABLES}; 3.5 standard errors at n = 50")
        for cost, gain in COSTS.items()
    ),
    at_most("largest distance from the source's Nash and joint-maximum prices", 1e-5, "published",
            "the authors' input files"),
    at_most("profit gain without foresight, costs 1 and 0.5", 0.33, "computed",
            f"upper end of the equal firms' {WINDOW}", control=True),
)  # fmt: skip
def asymmetric_cost(note: Note, *, count: int = 50, **options: Any) -> Mapping[str, float]:
    """Firms of unlike costs collude too, and less the less alike they are."""
    name, found, apart = "calvano-asymmetric-cost", {}, 0.0
    for cost in COSTS:
        game = LogitPricing(cost=(1.0, cost))
        each = _settled(game, f"{name} {cost}", count, note, **options)
        found[_cost(cost)] = each.play.gains.mean()
        if cost in ASYMMETRIC:
            prices = np.append(game.nash_prices, game.monopoly_prices)
            apart = max(apart, float(np.abs(prices - ASYMMETRIC[cost]).max()))
    found["largest distance from the source's Nash and joint-maximum prices"] = apart
    myopic = {**options, "discount": 0.0}
    each = _settled(LogitPricing(cost=(1.0, 0.5)), f"{name} myopic", count, note, **myopic)
    found["profit gain without foresight, costs 1 and 0.5"] = each.play.gains.mean()
    return found


@reproduction(
    "discount-ladder",
    *(
        near(f"profit gain, discount {discount}", gain, 0.08, "published",
             f"{TABLES if discount == 0.95 else FIGURE}; 3 standard errors of .165 at n = 40",
             control=discount < 0.5)
        for discount, gain in DISCOUNTS.items()
    ),
    Target("the same without foresight", 0.225, 0.12, 0.33, "computed", WINDOW, control=True),
    at_most("profit gain, discount 0.35", 0.32, "computed", WINDOW, control=True),
    at_least("gain at .95 above that at .8", 0, "computed", f"order of three discounts; {OURS}"),
    at_least("gain at .8 above that at .35", 0, "computed", f"order of three discounts; {OURS}"),
)  # fmt: skip
def discount_ladder(note: Note, *, count: int = 40, **options: Any) -> Mapping[str, float]:
    """Who does not care for tomorrow hardly colludes; patience makes collusion."""
    gains = {}
    for discount in (*DISCOUNTS, 0.35):
        name, own = f"discount-ladder {discount}", {**options, "discount": discount}
        gains[discount] = _settled(LogitPricing(), name, count, note, **own).play.gains.mean()
    found = {f"profit gain, discount {discount}": gain for discount, gain in gains.items()}
    found["the same without foresight"] = gains[0.0]
    found["gain at .95 above that at .8"] = gains[0.95] - gains[0.8]
    found["gain at .8 above that at .35"] = gains[0.8] - gains[0.35]
    return found


@reproduction(
    "synchronous-control",
    between("profit gain, one price updated", 0.185, 0.135, 0.235,
            f"{TABLES}; 3 standard errors at n = 200, and .005"),
    at_least("above all prices updated by", 0.05, "computed", f"-.0238 to .1166 there; {OURS}"),
    at_most("largest distance from the nearer equilibrium of the grid, all prices updated", 1e-9,
            "computed", f"all sessions end on one; {OURS}", control=True),
)  # fmt: skip
def synchronous_control(
    note: Note,
    *,
    count: int = 200,
    few: int = 20,
    quiet: int = 1000,
    beta: float = 1e-3,
    **options: Any,
) -> Mapping[str, float]:
    """Without memory and foresight, only who updates one price at a time keeps prices up.

    Who updates all prices settles soon, so that fewer periods without a change show it.
    """
    name, game = "synchronous-control", LogitPricing()
    blind = {"alpha": 0.25, "discount": 0.0, "beta": beta, "start": "random_rivals"}
    one = _settled(LogitPricing(memory=0), name, count, note, **{**options, **blind})
    note(f"{few} sessions with updates of all prices, not compiled")
    # A firm must be shown the last prices to know what its others would have paid; these
    # learners' values do not depend on them.
    learners = [
        player("q_learning", game, seat, contexts=False, synchronous=True, **blind)
        for seat in range(2)
    ]
    seeds = roots(name, "reproduce", range(few))
    trained = train(
        game, learners, seeds=seeds, periods=10**6, max_episode_steps=None, stable=quiet
    )
    assert trained.converged is not None
    assert trained.converged.all()
    assert trained.states is not None
    every = play_of(game, list(zip(*trained.policies, strict=True)), trained.states)
    marks = game.benchmarks()
    ends = [
        game.risk_anchors(marks[end].solution.payoffs.mean(keepdims=True))
        for end in ("grid_nash_low", "grid_nash_high")
    ]
    away = np.abs(every.gains - np.array(ends)).min(axis=0)
    return {
        "profit gain, one price updated": one.play.gains.mean(),
        "above all prices updated by": one.play.gains.mean() - every.gains.mean(),
        "largest distance from the nearer equilibrium of the grid, all prices updated": away.max(),
    }


@reproduction(
    "cross-play-collapse",
    at_least("gain of pairs trained together", 0.76, "computed", f"lower end of the {WINDOW}"),
    at_most("gain of strangers", 0.35, "computed", WINDOW),
    at_least("lost to strangers", 0.4, "computed", WINDOW),
    between("gain of strangers who go on learning", 0.837, 0.75, 0.93,
            f"{TABLES}; 3 standard errors at n = 20, and .01", control=True),
    at_most("lost to strangers without foresight", 0.2, "derived",
            "there is little to lose; half of what is lost with it", control=True),
)  # fmt: skip
def cross_play_collapse(note: Note, *, count: int = 20, **options: Any) -> Mapping[str, float]:
    """What they have learnt is a convention of each pair: strangers do not collude."""
    name, game = "cross-play-collapse", LogitPricing()
    found = _settled(game, name, count, note, **options)
    apart = meet(found.lineups, game, exact=False, discount=1.0).risk_summary
    values, first = found.runs.now.q.copy(), game.num_prices**2
    values[:, first:] = np.roll(values[:, first:], 1, axis=0)  # firm_1 of the session before
    again = _settled(game, f"{name} again", count, note, values=values, **options)
    myopic = _settled(game, f"{name} myopic", count, note, **{**options, "discount": 0.0})
    little = meet(myopic.lineups, game, exact=False, discount=1.0).risk_summary
    assert apart is not None
    assert little is not None
    return {
        "gain of pairs trained together": apart.self_play.value,
        "gain of strangers": apart.cross_play.value,
        "lost to strangers": apart.gap.value,
        "gain of strangers who go on learning": again.play.gains.mean(),
        "lost to strangers without foresight": little.gap.value,
    }
