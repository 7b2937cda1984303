"""The measures by name, and what they come to in one run."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Floats

from .cycles import KINDS
from .market import Market
from .shocks import Shock

MEASURES: Mapping[str, str] = {
    "profit_gain": "long-run profit: 0 at the competitive anchor, 1 at the collusive one",
    "surplus_loss": "customers' surplus lost: 0 at the competitive anchor, 1 at the collusive one",
    "price_level": "long-run level: 0 at the competitive action, 1 at the collusive one",
    **{f"cycle: {kind}": f"share of openings that settle in play that is {kind}" for kind in KINDS},
    "falling_share": "where play settles, of the changes of level the share that are falls",
    "swap_regret": "static swap regret per period, mean over seats",
    "one_shot_gain": "best single deviation from the openings on, largest of the seats",
    "best_response_gain": "best deviation from the openings on, largest of the seats",
    "settled_one_shot_gain": "best single deviation from where play has settled, likewise",
    "settled_best_response_gain": "best deviation from where play has settled, likewise",
    **{
        f"{what}_{name}": about.format(what)
        for what in ("cut", "rise")
        for name, about in {
            "reaction": "rivals' change of level as they next move after a forced {}",
            "reaction_later": "the same as they move once more",
            "gain": "what the forced {} gains, its consequences included, largest of the seats",
            "returns": "probability that play comes back to where it was after a forced {}",
            "time": "periods that it takes to come back after a forced {}, where it does",
            "settles": "change of the profit gain in the long run after a forced {}",
        }.items()
    },
    "wiped_gain": "profit gain while nobody ever sees what was played",
    "wiped_loss": "profit gain less that",
    "wiped_once_gain": "long-run profit gain after one period in which nobody sees it",
    "wiped_once_returns": "probability that play comes back to where it was afterwards",
    "strangers_gain": "profit gain with partners of other runs, either way round",
    "strangers_loss": "profit gain with the own partner, from the openings on, less that",
}
"""Name and meaning of every measure. Gains from deviating and regret are per period, in anchors'
widths (collusive less competitive profit); changes of level are in units of the collusive less the
competitive level. What is undefined is NaN."""


class Run(NamedTuple):
    """What one line-up does.

    Attributes:
        values: by name of `MEASURES`; besides, `profit_gain` on the game's further scales.
        cuts: (N, N, H + 1) change of each seat's level (second axis) after one's forced cut.
        rises: likewise, after a forced rise.
        path: (N, L) levels along the limit cycle that most openings lead to; where play draws,
            their mean, L = 1.
        label: see `labels.label`.
        exact: whether everything but what `method` names was computed.
        method: how, in words.
    """

    values: Mapping[str, float]
    cuts: Floats
    rises: Floats
    path: Floats
    label: str
    exact: bool
    method: str


class Found(NamedTuple):
    """What was computed or simulated of one line-up."""

    values: Mapping[str, float]
    cuts: tuple[Shock, ...]  # per forced seat
    rises: tuple[Shock, ...]
    path: Floats


def profit_gains(market: Market, rewards: Floats) -> dict[str, float]:
    """Return the profit gain of rewards per seat (N,) on each scale; the first needs no name."""
    found = {}
    for k, (name, scale) in enumerate(market.scales.items()):
        key = "profit_gain" if k == 0 else f"profit_gain, {name}"
        found[key] = float(scale(rewards.mean()))
    return found


def wiped_gains(gain: float, wiped: float, once: float, returns: float) -> dict[str, float]:
    """Return the measures of memory wipes."""
    return {
        "wiped_gain": wiped,
        "wiped_loss": gain - wiped,
        "wiped_once_gain": once,
        "wiped_once_returns": returns,
    }


def shock_values(what: str, shocks: Sequence[Shock], answers: tuple[int, int]) -> dict[str, float]:
    """Return the measures of one kind of shock, one per forced seat.

    Seats that could not be forced are left out; without any all are NaN.

    Args:
        what: "cut" or "rise".
        shocks: one per forced seat.
        answers: periods in which rivals' first and second reaction are seen, `Market.answers`.
    """
    seats = len(shocks)
    rivals = ~np.eye(seats, dtype=np.bool_)
    change = np.stack([one.change for one in shocks])
    defined = ~np.isnan(change[..., 0]) & rivals
    first, second = (
        float(change[..., t][defined].mean()) if defined.any() else np.nan for t in answers
    )
    gains = np.array([one.gain for one in shocks])
    return {
        f"{what}_reaction": first,
        f"{what}_reaction_later": second,
        f"{what}_gain": float(np.nanmax(gains)) if not np.isnan(gains).all() else np.nan,
        **{
            f"{what}_{name}": known_mean([getattr(one, name) for one in shocks])
            for name in ("returns", "time", "settles")
        },
    }


def known_mean(values: Sequence[float]) -> float:
    """Return the mean of the numbers that are defined, NaN if none is."""
    known = [one for one in values if not np.isnan(one)]
    return float(np.mean(known)) if known else np.nan
