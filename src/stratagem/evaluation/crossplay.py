"""Cross-play: train independent runs, freeze them, and let every run meet every other.

Seat 0 of run i meets the other seats of run j, so the diagonal holds those who were trained
together. With more than two seats the others of run j stay together.

A value is a seat's reward per period: without a discount the long-run mean, which is the expected
sum of an episode over its expected length; with one, (1 - discount) times the discounted sum.

Sources:
- H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *"Other-play" for zero-shot
  coordination*, ICML. Self-play against cross-play of independent training runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Floats, Game, learns
from stratagem.metrics import CrossPlay, Interval, cross_play
from stratagem.players import PLAYERS, player

from .meetings import (
    MAX_WORK,
    Lineup,
    Tick,
    check,
    exact_values,
    risk_is_of_rewards,
    risk_of,
    simulated_values,
    strategies,
    width,
)
from .roots import roots
from .trainers import fit, trains


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


def cross_play_runs(
    players: Any,
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
        exact: see `rematch`.
        play_periods: likewise, its `periods`.
        sessions: likewise.
        seed: of the whole; every run and meeting has a root of its own, a hash.
        tick: called with the share that is done.

    Raises:
        ValueError: If there are fewer than two runs, seat 0 or all other seats do not learn, or
            a learner cannot play the game.
    """
    if runs < 2:
        raise ValueError(f"runs must be at least 2, or there is no one to cross, got {runs}")
    if len(game.agents) < 2:
        raise ValueError(f"{type(game).__name__} has one seat, so nobody meets in it")
    lineup = _seated(players, game, options or {})
    taught = [learns(one) or trains(one) for one in lineup]
    names = " + ".join(_name(one) for one in _each_seat(players, game))
    if not (taught[0] and any(taught[1:])):
        raise ValueError(
            f"cross-play needs a learner for {game.agents[0]} and for another seat, got {names}"
        )
    training = fit(
        game,
        lineup,
        seeds=roots(_label(game), f"train {names}", ((seed, run) for run in range(runs))),
        periods=periods,
        max_episode_steps=max_episode_steps,
        tick=lambda done: tick(0.9 * done),
    )
    own = {
        getattr(one, "discount", 1.0)
        for one, learner in zip(lineup, taught, strict=True)
        if learner
    }
    if discount is None and _endless(game) and len(own) == 1 and max(own) < 1:
        discount = own.pop()
    return rematch(
        list(zip(*training.policies, strict=True)),
        game,
        lineup=names,
        discount=discount,
        exact=exact,
        periods=play_periods,
        sessions=sessions,
        seed=seed,
        tick=lambda done: tick(0.9 + 0.1 * done),
    )


def rematch(
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
        periods: length of a simulated session. With a discount below 1 it holds one episode.
        sessions: simulated per meeting.
        seed: of the simulated sessions.
        tick: called with the share that is done.

    Raises:
        ValueError: If there are fewer than two runs, a policy still learns, or exact values are
            asked for where there are none.
    """
    check(runs, game, periods, sessions)
    if discount is None:
        discount = 0.95 if _endless(game) else 1.0
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount}")
    profiles: list[list[Floats]] = []
    if exact is not False:
        try:
            profiles = strategies(runs, game, MAX_WORK if exact is None else None)
        except ValueError as error:
            if exact:
                raise ValueError(f"no exact values: {error}") from None
    if profiles:
        values = exact_values(game, profiles, discount, tick)
        risks, method = None, "exact, by dynamic programming"
    else:
        values, risks = simulated_values(
            runs, game, discount, periods, sessions, _label(game), seed, tick
        )
        method = f"simulated, {sessions} session(s) of {periods} periods per meeting"
    by_reward = risk_is_of_rewards(game)
    if by_reward:
        risks = risk_of(game, values)
    return CrossPlayResult(
        repr(game),
        game.agents,
        lineup or " + ".join(map(_name, runs[0])),
        values,
        np.full(values.shape[1:], np.nan) if risks is None else risks,
        bool(profiles),
        method,
        discount,
        width(game) if by_reward else np.nan,
    )


def _each_seat(players: Any, game: Game[Any]) -> list[Any]:
    one = isinstance(players, str) or not isinstance(players, Sequence)
    found = [players] * len(game.agents) if one else list(players)
    if len(found) != len(game.agents):
        raise ValueError(f"players must be one or {len(game.agents)}, got {len(found)}")
    return found


def _seated(players: Any, game: Game[Any], options: Mapping[str, Any]) -> list[Any]:
    def seat_one(one: Any, seat: int) -> Any:
        if not isinstance(one, str):
            return one
        entry = PLAYERS.get(one.partition(":")[0])
        return player(one, game, seat, **(options if entry and entry.learns else {}))

    return [seat_one(one, seat) for seat, one in enumerate(_each_seat(players, game))]


def _name(policy: Any) -> str:
    return policy if isinstance(policy, str) else type(policy).__name__


def _label(game: Game[Any]) -> str:
    return f"crossplay {type(game).__name__}"


def _endless(game: Game[Any]) -> bool:
    return getattr(game, "continuation", None) == 1
