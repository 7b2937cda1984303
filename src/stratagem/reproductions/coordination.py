"""Who meets whom, and what they end in: conventions, languages, stags and weakest links."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Game, Ints, Policy
from stratagem.envs.games.miscoordination.lewis_signal import LewisSignal
from stratagem.envs.games.miscoordination.minimum_effort import MinimumEffort
from stratagem.envs.games.miscoordination.stag_hunt import HARE, STAG, StagHunt
from stratagem.envs.games.normal_form import NormalForm
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.crossplay import meet
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

from .registry import Note, at_least, at_most, near, reproduction

OTHER_PROGRAM = "an earlier program of ours, written apart from this package"


def learnt_together(
    game: Game[Any], name: str, *, runs: int, periods: int, **options: float
) -> list[tuple[Policy, ...]]:
    """Return what independent Q-learners in all seats have learnt, one tuple per run.

    Args:
        game: the game.
        name: what the seeds follow from.
        runs: number of independent runs.
        periods: of learning.
        **options: of the learners.
    """
    seats = [player("q_learning", game, seat, **options) for seat in range(len(game.agents))]
    seeds = roots(name, "train", range(runs))
    training = fit(game, seats, seeds=seeds, periods=periods, max_episode_steps=None)
    return list(zip(*training.policies, strict=True))


def preferred(game: Game[Any], lineups: list[tuple[Policy, ...]]) -> Ints:
    """Return the action that each frozen policy prefers where nothing is seen, (N, runs)."""
    seats = range(len(game.agents))
    return np.array(
        [[strategy_of(one[seat], game, seat)[0].argmax() for one in lineups] for seat in seats]
    )


@reproduction(
    "lewis-private-languages",
    at_least("understood within a pair", 0.95, "computed", OTHER_PROGRAM),
    near(
        "understood between strangers",
        1 / 3,
        0.13,
        "derived",
        "the mean number of fixed points of a permutation is 1; a band for 30 runs",
    ),
    near("best for strangers, states and costs that differ", 0.785, 1e-9, "derived", "by hand"),
    near(
        "other-play between strangers", 0.785, 1e-9, "derived", "the optimum, played", control=True
    ),
    near(
        "understood between strangers with one language",
        1,
        1e-9,
        "derived",
        "agreed beforehand",
        control=True,
    ),
)
def lewis_private_languages(
    note: Note, *, runs: int = 30, episodes: int = 20_000
) -> Mapping[str, float]:
    """Pairs who learn to signal apart from each other speak languages of their own."""
    game = LewisSignal()
    note(f"{runs} pairs learn to signal")
    pairs = learnt_together(
        game, "lewis-private-languages", runs=runs, periods=2 * episodes,
        alpha=0.1, beta=5 / episodes, discount=1.0,
    )  # fmt: skip
    note("everybody meets everybody")
    met = meet(pairs, game, exact=True).by_seat[0]
    broken = LewisSignal(prior=(0.5, 0.3, 0.2), costs=(0.0, 0.0, 0.05))
    return {
        "understood within a pair": 2 * met.self_play.value,
        "understood between strangers": 2 * met.cross_play.value,
        "best for strangers, states and costs that differ": float(
            broken.benchmarks()["other_play"].solution.payoffs[0]
        ),
        "other-play between strangers": _strangers(broken, "other_play"),
        "understood between strangers with one language": _strangers(game, "self_play_optimum"),
    }


def _strangers(game: LewisSignal, name: str) -> float:
    """Return what two who each follow a benchmark by themselves earn per episode."""
    rows = game.benchmarks()[name].strategies
    assert rows is not None
    pair = tuple(
        follow(own, space) for own, space in zip(rows, game.observation_spaces, strict=True)
    )
    return 2 * float(meet([pair, pair], game, exact=True).by_seat[0].cross_play.value)


HUNTS: Mapping[str, tuple[float, float, float, float]] = {
    "threshold .75": (4.0, 0.0, 3.0, 3.0),
    "threshold .88": (10.0, -10.0, 8.0, 5.0),
    "threshold .50": (4.0, 1.0, 3.0, 2.0),
}
"""Payoffs of `stag`, `alone`, `beside` and `hare`."""


@reproduction(
    "risk-dominance-selects-hare",
    near("share of pairs that hunt hares, threshold .75", 1.0, 0.05, "computed", OTHER_PROGRAM),
    near("share of pairs that hunt hares, threshold .88", 1.0, 0.05, "computed", OTHER_PROGRAM),
    at_least("share of groups of five that hunt hares", 0.95, "derived", "a threshold of .93"),
    at_least(
        "share of pairs that hunt stags, threshold .50",
        0.5,
        "derived",
        "neither is risk-dominant, and stags pay more; .88 by an earlier program of ours",
        control=True,
    ),
    at_least(
        "share of pairs that hunt stags, threshold .20",
        0.95,
        "derived",
        "the stag is risk-dominant",
        control=True,
    ),
)
def risk_dominance_selects_hare(
    note: Note, *, runs: int = 40, periods: int = 3000
) -> Mapping[str, float]:
    """Q-learners who see only what they earn end in what is less risky, not in what pays more."""
    hunts = {
        **{
            name: StagHunt(stag=a, alone=b, beside=c, hare=d, continuation=1.0)
            for name, (a, b, c, d) in HUNTS.items()
        },
        "threshold .20": StagHunt(stag=4, alone=2, beside=0, hare=3, continuation=1.0),
    }
    found = {}
    for name, game in hunts.items():
        note(f"{runs} pairs learn to hunt, {name}")
        found[name] = _hunted(game, f"risk-dominance-selects-hare {name}", runs, periods)
    note(f"{runs} groups of five learn to hunt")
    five = StagHunt(num_hunters=5, continuation=1.0)
    crowd = _hunted(five, "risk-dominance-selects-hare five", runs, periods)
    return {
        **{
            f"share of pairs that hunt hares, {name}": found[name][HARE]
            for name in ("threshold .75", "threshold .88")
        },
        "share of groups of five that hunt hares": crowd[HARE],
        **{
            f"share of pairs that hunt stags, {name}": found[name][STAG]
            for name in ("threshold .50", "threshold .20")
        },
    }


def _hunted(game: StagHunt, name: str, runs: int, periods: int) -> tuple[float, float]:
    """Return the shares of runs in which all have come to hunt the stag, and to hunt hares."""
    groups = learnt_together(
        game, name, runs=runs, periods=periods, alpha=0.1, beta=0.0, epsilon=0.1, discount=0.0
    )
    chosen = preferred(game, groups)
    return float((chosen == STAG).all(axis=0).mean()), float((chosen == HARE).all(axis=0).mean())


@reproduction(
    "minimum-effort-collapse",
    at_least("risk of groups of four", 0.95, "computed", OTHER_PROGRAM),
    near("risk of pairs", 0.775, 0.175, "computed", OTHER_PROGRAM),
    at_least("risk of groups of eight", 0.95, "derived", "one more slacker is likelier still"),
    at_most(
        "risk of groups of four whose effort costs a fifth",
        0.5,
        "derived",
        "little is lost with partners who slack",
        control=True,
    ),
    at_most(
        "risk of a group whose member answers three at their best",
        1e-9,
        "derived",
        "the best reply to the most effort is the most",
        control=True,
    ),
)
def minimum_effort_collapse(
    note: Note, *, runs: int = 40, periods: int = 20_000
) -> Mapping[str, float]:
    """Groups of Q-learners end at the least effort, pairs above it.

    Exploration fades from 1. Where it starts low all begin with the first action, which is the
    least effort, and stay there for that reason alone.
    """

    def risk(name: str, **params: Any) -> float:
        game = MinimumEffort(continuation=1.0, **params)
        note(f"{runs} groups learn how much effort to make, {name}")
        groups = learnt_together(
            game, f"minimum-effort-collapse {name}", runs=runs, periods=periods,
            alpha=0.1, beta=10 / periods, discount=0.0,
        )  # fmt: skip
        return float(_risk(game, preferred(game, groups)).mean())

    alone = MinimumEffort(continuation=1.0)
    tried = np.full((4, 7), 6)
    tried[0] = np.arange(7)
    best = tried[:, [alone.pay(tried)[0].argmax()]]
    return {
        "risk of groups of four": risk("four"),
        "risk of pairs": risk("pairs", num_players=2),
        "risk of groups of eight": risk("eight", num_players=8),
        "risk of groups of four whose effort costs a fifth": risk("cheap", cost=0.02),
        "risk of a group whose member answers three at their best": float(_risk(alone, best)[0]),
    }


def _risk(game: NormalForm, actions: Ints) -> Floats:
    """Return the unclipped risk of joint actions (N, B) that are played for ever, (B,)."""
    return np.asarray(game.risk_scales()[0](game.pay(actions).mean(axis=0)))
