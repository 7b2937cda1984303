"""Small games that show what the four registered ones do not: turns, masks, hidden state, Boxes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space
from typing_extensions import override

from stratagem.envs.core import Array, Bools, Floats, Game, Ints, RiskScale, Stage, Step
from stratagem.envs.spaces import nothing_to_see, see_nothing

PRISONERS = np.array([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]])
"""Payoffs (agent, own first agent's action, second's): 0 cooperates, 1 defects."""


class Last(NamedTuple):
    first: Ints  # last actions, (B,)
    second: Ints


@dataclass(frozen=True, kw_only=True)
class Prisoners(Game[Last]):
    """A repeated prisoner's dilemma with memory one.

    Attributes:
        continuation: probability of another period, in (0, 1].
    """

    continuation: float = 0.8

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("player_0", "player_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(2), Discrete(2))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (MultiDiscrete([2, 2]), MultiDiscrete([2, 2]))

    @override
    def initial(self, outcome: Ints) -> Last:
        return Last(np.zeros_like(outcome), np.zeros_like(outcome))

    @override
    def chance(self, state: Last, actions: Ints) -> Floats:
        c = self.continuation
        return np.ones(1) if c == 1 else np.array([c, 1 - c])

    @override
    def step(self, state: Last, actions: Ints, outcome: Ints) -> Step[Last]:
        rewards = PRISONERS[:, actions[0], actions[1]]
        return Step(Last(actions[0], actions[1]), rewards, outcome == 1)

    @override
    def observe(self, state: Last) -> tuple[Array, ...]:
        both = np.stack(state, axis=1)
        return both, both[:, ::-1]

    @override
    def stage(self) -> Stage | None:
        def states(index: Ints) -> Last:
            return Last(*np.divmod(index, 2))

        return Stage(PRISONERS.reshape(2, 4), 1, self.continuation, states)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        return (RiskScale("mean reward per period", 3.0, 1.0),) * 2


class Turn(NamedTuple):
    led: Ints  # the leader's standing choice, -1 before one
    round: Ints


@dataclass(frozen=True, kw_only=True)
class Turns(Game[Turn]):
    """A leader chooses one of three; the follower sees it and may not choose a smaller one.

    The follower matches for 1 and pays the leader its choice; else the leader gets 0. Three
    rounds of two periods each.
    """

    rounds: int = 3

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("leader_0", "follower_0")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(3), Discrete(3))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        shown = MultiDiscrete([4, self.rounds + 1])
        return (shown, MultiDiscrete([4, self.rounds + 1]))

    @override
    def initial(self, outcome: Ints) -> Turn:
        return Turn(np.full_like(outcome, -1), np.zeros_like(outcome))

    @override
    def step(self, state: Turn, actions: Ints, outcome: Ints) -> Step[Turn]:
        leads = state.led < 0
        match = ~leads & (actions[1] == state.led)
        rewards = np.stack([np.where(match, state.led, 0) + 0.25 * leads, match * 1.0])
        led = np.where(leads, actions[0], -1)
        done = np.minimum(state.round + ~leads, self.rounds)
        return Step(Turn(led, done), rewards, done == self.rounds)

    @override
    def observe(self, state: Turn) -> tuple[Array, ...]:
        shown = np.stack([state.led + 1, state.round], axis=1)
        return shown, shown.copy()

    @override
    def movers(self, state: Turn) -> Bools:
        leads = state.led < 0
        return np.stack([leads, ~leads])

    @override
    def legal(self, state: Turn) -> tuple[Bools, ...]:
        floor = np.maximum(state.led, 0)[:, None]
        return np.ones((len(floor), 3), np.bool_), np.arange(3) >= floor


class PaidTurns(Turns):
    """Turns in which the follower is paid while it waits, before its first move too."""

    @override
    def step(self, state: Turn, actions: Ints, outcome: Ints) -> Step[Turn]:
        step = super().step(state, actions, outcome)
        waits = np.stack([np.zeros_like(state.led), 0.125 * (state.led < 0)])
        return step._replace(rewards=step.rewards + waits)


class Hinted(NamedTuple):
    side: Ints
    hint: Ints
    step: Ints


@dataclass(frozen=True, kw_only=True)
class Guess(Game[Hinted]):
    """A biased coin lies hidden; a hint that is right with probability .8 comes every period.

    Waiting (action 2) costs .1, a right guess pays 1, a wrong one -1; a guess ends the game,
    and so do `horizon` periods. The hint is shown with the number of periods.
    """

    horizon: int = 3

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("guesser_0",)

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(3),)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (MultiDiscrete([2, self.horizon + 1]),)

    @property
    @override
    def initial_chance(self) -> Floats:
        return np.array([0.4, 0.1, 0.1, 0.4])  # (side, hint)

    @override
    def initial(self, outcome: Ints) -> Hinted:
        side, hint = np.divmod(outcome, 2)
        return Hinted(side, hint, np.zeros_like(side))

    @override
    def chance(self, state: Hinted, actions: Ints) -> Floats:
        return np.array([0.8, 0.2])

    @override
    def step(self, state: Hinted, actions: Ints, outcome: Ints) -> Step[Hinted]:
        guess = actions[0]
        right = np.where(guess == state.side, 1.0, -1.0)
        reward = np.where(guess == 2, -0.1, right)
        done = np.minimum(state.step + 1, self.horizon)
        hint = np.where(outcome == 0, state.side, 1 - state.side)
        over = (guess != 2) | (done == self.horizon)
        return Step(Hinted(state.side, hint, done), reward[None], over)

    @override
    def observe(self, state: Hinted) -> tuple[Array, ...]:
        return (np.stack([state.hint, state.step], axis=1),)


class Point(NamedTuple):
    at: Floats  # (B, 2)
    step: Ints


@dataclass(frozen=True, kw_only=True)
class Drift(Game[Point]):
    """Two agents push a point; actions are continuous, and chance cannot be enumerated."""

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("mover_0", "mover_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Box(-1, 1, (2,), np.float32), Box(-1, 1, (2,), np.float32))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (Box(-50, 50, (2,), np.float32), Box(-50, 50, (2,), np.float32))

    @override
    def initial(self, outcome: Ints) -> Point:
        return Point(np.zeros((len(outcome), 2)), np.zeros_like(outcome))

    @override
    def draw(self, state: Point, actions: Any, rng: Any) -> Any:
        return rng.uniform() - 0.5

    @override
    def step(self, state: Point, actions: Any, outcome: Any) -> Step[Point]:
        push = np.asarray(actions[0], np.float64) + np.asarray(actions[1], np.float64)
        at = np.clip(state.at + push + outcome[:, None], -50, 50)
        rewards = np.stack([at[:, 0], -at[:, 0]])
        return Step(Point(at, state.step + 1), rewards, state.step >= 19)

    @override
    def observe(self, state: Point) -> tuple[Array, ...]:
        return state.at, state.at[:, ::-1]


class Place(NamedTuple):
    at: Ints


@dataclass(frozen=True, kw_only=True)
class Wander(Game[Place]):
    """A random game of two agents over three places: both see the place, or the second does not.

    Attributes:
        draw_from: seed of its tables.
        blind: whether the second agent sees nothing.
    """

    draw_from: int = 0
    blind: bool = False

    @cached_property
    def tables(self) -> tuple[Floats, Ints, Floats]:
        """Chance (3, 2, 2, 3), successors of outcomes 0 and 1, and rewards (2, 3, 2, 2)."""
        rng = np.random.default_rng(self.draw_from)
        probs = rng.dirichlet(np.ones(3), size=(3, 2, 2)) * 0.9
        probs[..., 2] += 0.1
        return probs, rng.integers(3, size=(3, 2, 2, 2)), rng.normal(size=(2, 3, 2, 2))

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("walker_0", "walker_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(2), Discrete(2))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(3), nothing_to_see() if self.blind else Discrete(3))

    @property
    @override
    def initial_chance(self) -> Floats:
        return np.array([0.5, 0.3, 0.2])

    @override
    def initial(self, outcome: Ints) -> Place:
        return Place(outcome)

    @override
    def chance(self, state: Place, actions: Ints) -> Floats:
        return np.asarray(self.tables[0][state.at, actions[0], actions[1]])

    @override
    def step(self, state: Place, actions: Ints, outcome: Ints) -> Step[Place]:
        cell = (state.at, actions[0], actions[1])
        following = self.tables[1][(*cell, np.minimum(outcome, 1))]
        return Step(Place(following), self.tables[2][(slice(None), *cell)], outcome == 2)

    @override
    def observe(self, state: Place) -> tuple[Array, ...]:
        return state.at, see_nothing(len(state.at)) if self.blind else state.at.copy()
