"""What follows when one of two Q-learners that set prices is forced off its price for a period.

Sources:
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10), section IV, and its authors' output tables. The
  forced cut.
- N. Epivent and X. Lambin (2024), *On algorithmic collusion and reward-punishment schemes*,
  Economics Letters 237. The forced rise, which they find answered as a cut is.

A cut and a rise are those of `stratagem.evaluation.battery.shocks`: to the best price of one period
against the others', and as far up. Changes are to what would have been charged in the same period
without the shock, as a part of the firm's mean price, means over the cycle, firms and sessions.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.tabular.joint_learning import compiled
from stratagem.envs.core import Floats
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.evaluation.battery.shocks import forced

from .pricing_sessions import BASELINE, Play, responses, sessions
from .registry import Note, Target, at_least, at_most, near, reproduction

TABLES = "the authors' output tables"
OURS = "an earlier program of ours, written apart from this package"
WITHIN = 7
"""Periods by which prices are back, as the source's text has it."""


class Impulse(NamedTuple):
    """Mean changes of prices after a forced one, from its period on; NaN where none was possible.

    Attributes:
        own: (B, H + 1) of the forced firm's price.
        rivals: (B, H + 1) of the others' prices.
    """

    own: Floats
    rivals: Floats


def impulse(play: Play, *, rise: bool, horizon: int) -> Impulse:
    """Return how prices change after each firm is forced at each history of the cycle.

    Args:
        play: greedy play of B sessions.
        rise: or else a cut.
        horizon: H, periods after the forced one.
    """
    game, every = play.game, play.every
    firms = range(len(play.actions))
    prices = np.stack([game.prices[firm][play.actions[firm]] for firm in firms])  # (N, B, S)
    usual = np.stack([play.over_cycle(price) for price in prices])[:, :, None]
    sums, count = np.zeros((2, len(play.states), horizon + 1)), np.zeros(len(play.states))
    for firm in firms:
        rivals = [other for other in firms if other != firm]
        levels, reply = game.prices[firm], play.best_reply(firm)
        price = forced(levels, prices[firm].ravel(), reply.ravel(), rise).reshape(reply.shape)
        real = play.on_cycle & (price >= 0)
        history, twin = play.after(play.swapped(firm, np.maximum(price, 0))), play.following
        count += real.sum(axis=1)
        sums[0, :, 0] += np.where(real, (levels[price] - prices[firm]) / usual[firm], 0.0).sum(
            axis=1
        )
        for t in range(1, horizon + 1):
            change = (prices[:, every, history] - prices[:, every, twin]) / usual
            each = np.stack([change[firm], change[rivals].mean(axis=0)])
            sums[:, :, t] += np.where(real, each, 0.0).sum(axis=2)
            history, twin = play.following[every, history], play.following[every, twin]
    return Impulse(*np.divide(sums, count[:, None], out=np.full_like(sums, np.nan),
                              where=count[:, None] > 0))  # fmt: skip


@reproduction(
    "calvano-impulse-response",
    Target("others' next price after a cut", -0.127, -0.17, -0.08, "published",
           f"{TABLES}; window for 20 sessions, from {OURS}"),
    Target("share of unprofitable cuts", 0.936, 0.80, 1.0, "published",
           f"{TABLES}; window for 20 sessions, from {OURS}"),
    near("periods until play is on a cycle again", 5.705, 1.0, "published",
         f"{TABLES}; within one, as the period of the cut may count there"),
    at_least("least recovery per period, up to the seventh", 0, "published",
             "a gradual return; notes about the text"),
    at_most("part of the answer that is left after seven periods", 0.1, "published",
            "prices are back after five to seven periods; notes about the text"),
    at_most("others' next price after a rise", -0.05 / 1.8, "computed",
            f"lower by at least .05 at a price of 1.8; {OURS}"),
    at_least("answer to a rise, as a part of that to a cut", 0.5, "published",
             "rises are answered as cuts are: Epivent and Lambin (2024), as notes have it; half"),
    Target("others' next price after a cut, first values of Nash", -0.127, -0.17, -0.08,
           "published", "as with the source's own first values: it does not hang on high ones"),
    near("others' next price after a cut, without foresight", 0, 0.0635, "derived",
         "who does not care for tomorrow fears no punishment; half of the published answer",
         control=True),
    near("others' next price after a rise, without foresight", 0, 0.0635, "derived",
         "the same", control=True),
    near("largest change of others' prices, without memory", 0, 1e-12, "derived",
         "who sees nothing answers nothing", control=True),
    near("share of unprofitable cuts, without memory", 0, 1e-12, "derived",
         "what gains at once and is not answered gains", control=True),
)  # fmt: skip
def impulse_response(
    note: Note, *, count: int = 200, few: int = 100, **options: Any
) -> Mapping[str, float]:
    """One firm is made to cut its price once: the other answers, and both return by and by.

    That rises are answered as cuts are, and that patient learners without memory have a profit
    gain of about .96 though nobody answers anything, says that neither an answer nor a high price
    alone is a punishment.
    """
    name, game = "calvano-impulse-response", LogitPricing()

    def settled(label: str, number: int, market: LogitPricing = game, **own: Any) -> Play:
        slow = (
            "" if compiled() else "; numba is not installed, so this takes about 13 times as long"
        )
        note(f"{label}, {number} sessions{slow}")
        return sessions(market, f"{name} {label}", number, **{**options, **own}).play

    usual = settled("baseline", count)
    after = responses(usual, BASELINE["discount"])
    cut, rise = (_mean_answer(usual, rise=rise) for rise in (False, True))
    nash = settled("first values of Nash", few, start="benchmark:grid_nash_low")
    myopic = settled("without foresight", few, discount=0.0)
    blind = settled("without memory", few, LogitPricing(memory=0))
    unseen = [_mean_answer(blind, rise=rise) for rise in (False, True)]
    return {
        "others' next price after a cut": cut[1],
        "share of unprofitable cuts": np.nanmean(after.unprofitable),
        "periods until play is on a cycle again": np.nanmean(after.length),
        "least recovery per period, up to the seventh": np.diff(cut[1 : WITHIN + 1]).min(),
        "part of the answer that is left after seven periods": cut[WITHIN] / cut[1],
        "others' next price after a rise": rise[1],
        "answer to a rise, as a part of that to a cut": rise[1] / cut[1],
        "others' next price after a cut, first values of Nash": _mean_answer(nash, rise=False)[1],
        "others' next price after a cut, without foresight": _mean_answer(myopic, rise=False)[1],
        "others' next price after a rise, without foresight": _mean_answer(myopic, rise=True)[1],
        "largest change of others' prices, without memory": np.abs(unseen).max(),
        "share of unprofitable cuts, without memory": np.nanmean(
            responses(blind, BASELINE["discount"]).unprofitable
        ),
    }


def _mean_answer(play: Play, *, rise: bool) -> Floats:
    """Return the mean change of the others' prices over sessions, (WITHIN + 1,)."""
    return np.asarray(np.nanmean(impulse(play, rise=rise, horizon=WITHIN).rivals, axis=0))
