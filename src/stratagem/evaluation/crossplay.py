"""Cross-play: train independent runs, freeze them, and let every run meet every other.

Seat 0 of run i meets the other seats of run j, so the diagonal holds those who were trained
together, and where seats are alike both orders of a pair of runs are in the matrix. With more than
two seats this is one convention of several: seat 0 alone is a stranger, and the others of run j
stay together.

A value is a seat's reward per period: without a discount the long-run mean, which is the expected
sum of an episode over its expected length; with one, (1 - discount) times the discounted sum.

Sources:
- H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *"Other-play" for zero-shot
  coordination*, ICML. Self-play against cross-play of independent training runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Floats, Game, Policy, learns, never_ends
from stratagem.metrics import CrossPlay, Interval, cross_play

from .matches import Given, lineup_name
from .meeting_values import (
    MAX_WORK,
    Lineup,
    exact_values,
    risk_is_of_rewards,
    risk_of,
    risk_width,
    simulated_values,
)
from .roots import roots
from .trainers import Tick, fit, trains


class CrossPlayResult(NamedTuple):
    """What R training runs are worth to each other.

    Attributes:
        game: the game with its parameters, as text.
        agents: names by seat.
        lineup: names of the seats' policies.
        values: (N, R, R) reward per period of each seat where seat 0 of run i (row) meets the
            others of run j (column).
        risk: (R, R) the game's unclipped risk of the same meetings; NaN where the game defines
            none, or where it does not follow from values that were computed exactly.
        exact: whether values were computed, not simulated.
        method: how, in words.
        discount: weight of the next period, in [0, 1]; 1 for long-run means.
        width: distance between the safe and the worst reward per period, the mean over seats;
            NaN where the game's risk is not one of rewards.
    """

    game: str
    agents: tuple[str, ...]
    lineup: str
    values: Floats
    risk: Floats
    exact: bool
    method: str
    discount: float
    width: float

    @property
    def mean(self) -> Floats:
        """Mean over seats of the values, (R, R)."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def summary(self) -> CrossPlay:
        """Self-play, cross-play and gap of the mean over seats, in reward per period."""
        return cross_play(self.mean)

    @property
    def by_seat(self) -> tuple[CrossPlay, ...]:
        """The same for each seat alone."""
        return tuple(map(cross_play, self.values))

    @property
    def convention_gap(self) -> Interval:
        """Self-play minus cross-play in units of `width`; NaN where that is not defined."""
        gap = self.summary.gap
        value, low, high = np.array(gap[:3]) / self.width
        return Interval(float(value), float(low), float(high), gap.n)

    @property
    def risk_summary(self) -> CrossPlay | None:
        """Self-play, cross-play and gap of the risk; None where it is undefined."""
        return None if np.isnan(self.risk).any() else cross_play(self.risk)


def train_and_meet(
    players: Given,
    game: Game[Any],
    *,
    runs: int,
    periods: int,
    options: Mapping[str, Any] | None = None,
    max_episode_steps: int | None = None,
    discount: float | None = None,
    exact: bool | None = None,
    play_periods: int = 1000,
    sessions: int = 1,
    seed: int = 0,
    tick: Tick = lambda done: None,
) -> CrossPlayResult:
    """Train independent runs of a line-up, freeze them and let all of them meet.

    Args:
        players: a learner for every seat, or one policy or learner per seat; names or objects.
        game: the game.
        runs: R, at least 2. Run i is the same however many there are.
        periods: length of each training run, at least 1.
        options: hyper-parameters of the learners that are named.
        max_episode_steps: periods before an episode of training is truncated, None for never.
        discount: of the values; by default 1 where the game ends by itself, else the learners'
            own where they agree on one below 1, else .95.
        exact: see `meet`.
        play_periods: likewise, its `periods`.
        sessions: likewise.
        seed: of the whole; every run and meeting has a root of its own, a hash.
        tick: called with the share that is done.

    Raises:
        ValueError: If there are fewer than two runs, seat 0 or all other seats do not learn, no
            named learner takes the options, or a learner cannot play the game.
    """
    _check(runs, game)
    one = isinstance(players, str) or not isinstance(players, Sequence)
    each: list[Any] = [players] * len(game.agents) if one else list(players)  # type: ignore[arg-type]
    if len(each) != len(game.agents):
        raise ValueError(f"players must be one or {len(game.agents)}, got {len(each)}")
    lineup = _built(each, game, options or {})
    learning = [learns(one) or trains(one) for one in lineup]
    name = lineup_name(each)
    if not (learning[0] and any(learning[1:])):
        raise ValueError(
            f"cross-play needs a learner for {game.agents[0]} and for another seat, got {name}"
        )
    training = fit(
        game,
        lineup,
        seeds=roots(_label(game), f"train {name}", ((seed, run) for run in range(runs))),
        periods=periods,
        max_episode_steps=max_episode_steps,
        tick=lambda done: tick(0.9 * done),
    )
    if discount is None and never_ends(game):
        own = {getattr(p, "discount", 1.0) for p, it in zip(lineup, learning, strict=True) if it}
        discount = own.pop() if len(own) == 1 and max(own) < 1 else None
    return meet(
        list(zip(*training.policies, strict=True)),
        game,
        lineup=name,
        discount=discount,
        exact=exact,
        periods=play_periods,
        sessions=sessions,
        seed=seed,
        tick=lambda done: tick(0.9 + 0.1 * done),
    )


def meet(
    runs: Sequence[Lineup],
    game: Game[Any],
    *,
    lineup: str | None = None,
    discount: float | None = None,
    exact: bool | None = None,
    periods: int = 1000,
    sessions: int = 1,
    seed: int = 0,
    tick: Tick = lambda done: None,
) -> CrossPlayResult:
    """Let seat 0 of each of R frozen line-ups meet the other seats of each.

    Args:
        runs: one policy per seat for each of at least 2 runs.
        game: the game.
        lineup: what to call them; by default the names of the policies' classes.
        discount: of the values, in [0, 1]; by default 1 where the game ends by itself, else .95.
        exact: True for values by dynamic programming, which need a game that can be tabulated
            and policies without memory; False for simulated ones; None for the first where it
            is possible in reasonable time.
        periods: length of a simulated session, at least 1.
        sessions: simulated per meeting, at least 1.
        seed: of the simulated sessions.
        tick: called with the share that is done.

    Raises:
        ValueError: If there are fewer than two runs, a policy still learns, or exact values are
            asked for where there are none.
    """
    _check(len(runs), game)
    for name, number in (("periods", periods), ("sessions", sessions)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    for run, own in enumerate(runs):
        if len(own) != len(game.agents):
            raise ValueError(
                f"run {run} must have one policy per agent ({', '.join(game.agents)}), "
                f"got {len(own)}"
            )
        if learner := next((one for one in own if learns(one) or trains(one)), None):
            raise ValueError(
                f"run {run} has {type(learner).__name__}, which still learns; freeze it"
            )
    if discount is None:
        discount = 0.95 if never_ends(game) else 1.0
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount}")
    values, risk, method = None, None, "exact, by dynamic programming"
    if exact is not False:
        most = np.inf if exact else MAX_WORK
        try:
            values = exact_values(game, runs, discount=discount, max_work=most, tick=tick)
        except ValueError as error:
            if exact:
                raise ValueError(f"no exact values: {error}") from None
    by_programming = values is not None
    if values is None:
        method = f"simulated, {sessions} session(s) of {periods} periods per meeting"
        values, risk = simulated_values(
            game,
            runs,
            discount=discount,
            periods=periods,
            sessions=sessions,
            label=_label(game),
            seed=seed,
            tick=tick,
        )
    if risk_is_of_rewards(game):
        risk = risk_of(game, values)
    return CrossPlayResult(
        repr(game),
        game.agents,
        lineup or lineup_name(runs[0]),
        values,
        np.full(values.shape[1:], np.nan) if risk is None else risk,
        by_programming,
        method,
        discount,
        risk_width(game),
    )


def _check(runs: int, game: Game[Any]) -> None:
    if runs < 2:
        raise ValueError(f"runs must be at least 2, or there is no one to cross, got {runs}")
    if len(game.agents) < 2:
        raise ValueError(f"{type(game).__name__} has one seat, so nobody meets in it")


def _built(
    players: Sequence[str | Policy], game: Game[Any], options: Mapping[str, Any]
) -> list[Any]:
    """Return one policy per seat; learners by name get the options."""
    from stratagem.players import PLAYERS, player

    taking = {one for one in players if isinstance(one, str) and one in PLAYERS}
    taking = {one for one in taking if PLAYERS[one].learns}
    if options and not taking:
        raise ValueError(f"options {dict(options)} have no learner by name that takes them")
    return [
        player(one, game, seat, **(options if one in taking else {}))
        if isinstance(one, str)
        else one
        for seat, one in enumerate(players)
    ]


def _label(game: Game[Any]) -> str:
    return f"crossplay {type(game).__name__}"
