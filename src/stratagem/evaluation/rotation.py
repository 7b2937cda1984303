"""Partner rotation: learners who meet new partners on a schedule, beside learners who keep theirs.

Rotation is no rule of a game, so it is no wrapper: it decides who sits in which session, and so
belongs to the loop in which sessions are learnt in. Sessions form *circles*. After every match, of
a fixed number of periods, the learner of seat j moves j sessions on in its circle, with all that
it has learnt and its rate of exploration; then all begin a new episode, as strangers share no
record. In the control the same learners, with the same first values and random numbers, begin a
new episode as often and stay. So the difference is that of the partners, and not that of the
restarts.

Learners of one circle depend on one another, so the circle is the unit of the statistics.

For frozen policies there is nothing to rotate in: they do not change by whom they meet, and the
mean over partners is cross-play, see `stratagem.evaluation.crossplay`. Both arms are therefore
measured twice when frozen: each session as it last was, and each seat 0 with those who would be its
next partners. In the control these never met: the gap says how private what they learnt is.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Game, Ints, Policy, learns
from stratagem.envs.streams import Words
from stratagem.metrics import interval, paired
from stratagem.players import player

from .learning import start_runs
from .meetings import play_each
from .roots import roots
from .treatments import Measure, Treated, risk


class Rotated(NamedTuple):
    """What rotation of partners does, with the control; `treated` is with rotation.

    Attributes:
        partners: each session as it was when learning ended.
        strangers: each seat 0 with those who would be its next partners.
    """

    partners: Treated
    strangers: Treated


def against_fixed_partners(
    game: Game[Any],
    players: Sequence[str | Policy],
    *,
    match: int,
    matches: int,
    periods: int,
    circle: int = 4,
    seeds: int = 20,
    measure: Measure = risk,
    name: str = "rotation",
) -> Rotated:
    """Train learners who change partners after every match and such who do not, and measure both.

    Args:
        game: what they play; its episodes must have ended when a match has, as they do by being
            cut off there where the game goes on for ever.
        players: one policy or learner per agent, by name or as objects; two learners at least.
        match: periods with the same partners, at least 1.
        matches: number of matches that are learnt in, at least 1.
        periods: that are measured once all are frozen, at least 1; with restarts as in learning.
        circle: sessions of a circle, at least the number of agents. In seats i and j the same
            two meet again after `circle` matches, or sooner where it has a factor in common
            with j - i.
        seeds: independent circles, at least 2.
        measure: what is measured of each session.
        name: what the seeds follow from.

    Raises:
        ValueError: If risk is measured and the game defines none, fewer than two players learn,
            their number is not that of the agents, a number is too small, or an episode goes on
            when a match is over.
    """
    if measure is risk and game.risk_scales() is None:
        raise ValueError(f"game must define risk, got {game!r}")
    if len(players) != len(game.agents):
        raise ValueError(
            f"players must be one per agent ({', '.join(game.agents)}), got {len(players)}"
        )
    policies = [player(one, game, seat) for seat, one in enumerate(players)]
    if sum(map(learns, policies)) < 2:
        raise ValueError(f"players must be two learners at least, got {list(players)}")
    for label, value, least in (
        ("match", match, 1),
        ("matches", matches, 1),
        ("periods", periods, 1),
        ("circle", circle, len(game.agents)),
        ("seeds", seeds, 2),
    ):
        if value < least:
            raise ValueError(f"{label} must be at least {least}, got {value}")
    sessions = [(seed, one) for seed in range(seeds) for one in range(circle)]
    same = np.tile(np.arange(len(sessions)), (len(policies), 1))
    following = _following(len(policies), seeds, circle)
    arms = [
        _taught(game, policies, roots(name, "train", sessions), match, matches, order)
        for order in (same, following)
    ]

    def treated(which: Ints) -> Treated:
        found = []
        for taught in arms:
            trajectory = play_each(
                game,
                taught,
                which,
                seeds=roots(name, "play", sessions),
                num_steps=periods,
                max_episode_steps=match,
            )
            found.append(measure(game, trajectory).reshape(seeds, circle).mean(axis=1))
        fixed, rotated = found
        return Treated(interval(fixed), interval(rotated), paired(rotated, fixed))

    return Rotated(treated(same), treated(following))


def _following(seats: int, seeds: int, circle: int) -> Ints:
    """Return the session whose learner each seat of each session gets next, (seats, B)."""
    first = np.arange(seeds)[:, None] * circle
    places = np.arange(circle)
    return np.stack([(first + (places - seat) % circle).ravel() for seat in range(seats)])


def _taught(
    game: Game[Any], policies: Sequence[Policy], seeds: Words, match: int, matches: int, order: Ints
) -> list[tuple[Policy, ...]]:
    """Return what was learnt, per seat and session, with learners exchanged between matches."""
    runs = start_runs(game, policies, seeds, match)
    for number in range(1, matches + 1):
        runs.advance(number * match)
        if not runs.fresh.all():
            raise ValueError(
                f"match must be a number of periods after which all episodes have ended, "
                f"got {match} for {game!r}"
            )
        if number < matches:
            for seat, learners in enumerate(order):
                runs.exchange(seat, learners)
    return [
        tuple(runs.freeze(seat, run) for run in range(len(seeds))) for seat in range(len(policies))
    ]
