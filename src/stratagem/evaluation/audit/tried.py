"""Deviations that are tried where the best one is not computed, and what they are worth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from math import ceil, log
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete

from stratagem.envs.core import Array, Bools, Floats, Memory, Policy, learns
from stratagem.envs.simulator import Player, Simulator, play
from stratagem.envs.spaces import size
from stratagem.envs.streams import Stream, Words
from stratagem.envs.tabular import RepeatedTable
from stratagem.metrics import interval

from ..roots import roots
from ..trainers import fit, trains
from .case import Case, Tick

NEGLIGIBLE = 1e-9
"""Weight of a period from which a discounted sum is cut off; what is cut off widens intervals."""
FAINT = 0.01
"""Weight of a period from which an episode of training is cut off."""
MAX_PERIODS = 100_000
"""Most periods of a simulated episode."""
MAX_CONSTANTS = 64
"""Most constant actions that are tried; beyond them, equally spaced ones."""
MAX_CELLS = 10**6
"""Most observations times actions for which a Q-learner is tried unasked."""
TRAINING_RUNS = 4
"""Independent runs of each learner that is stepped by us; a trainer trains once."""

Worth = tuple[float, float, float]
"""A value and its 95% interval; all equal if computed."""


@dataclass(frozen=True)
class Constant:
    """Plays one action wherever it is legal, else the first that is.

    Attributes:
        action: an action of the seat's space.
    """

    action: Any

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return actions (B, ...); nothing is drawn."""
        del rng
        actions = np.broadcast_to(self.action, (len(observation), *np.shape(self.action))).copy()
        if mask is not None:
            actions = np.where(mask[:, self.action], actions, mask.argmax(axis=1))
        return actions, memory


class Sample(NamedTuple):
    """Returns of independent episodes."""

    returns: Floats  # (B,)
    rest: float  # at most so much, up or down, was cut off

    def worth(self) -> Worth:
        """Return mean and interval."""
        found = interval(self.returns)
        return found.value, found.low - self.rest, found.high + self.rest


def sample(case: Case, policy: Policy, seeds: Words) -> Sample:
    """Play an episode per seed with a policy in the seat, and return what the seat got.

    Raises:
        ValueError: If an undiscounted episode does not end.
    """
    discount, horizon = case.discount, MAX_PERIODS
    if discount < 1:
        horizon = min(ceil(log(NEGLIGIBLE) / log(max(discount, NEGLIGIBLE))), MAX_PERIODS)
    sim = Simulator(case.game, len(seeds))
    sim.reset(seeds)
    players = [Player(own, seat) for seat, own in enumerate(case.seated(policy)) if own is not None]
    for one in players:
        one.start(sim, seeded=True)
    returns, alive = np.zeros(len(seeds)), np.ones(len(seeds), np.bool_)
    weight, largest = 1.0, 0.0
    for _ in range(horizon):
        _, rewards, terminated, _ = play(sim, players)
        paid = np.where(alive, rewards[case.seat], 0.0)
        returns += weight * paid
        largest = max(largest, float(np.abs(paid).max()))
        alive &= ~terminated
        weight *= discount
        if not alive.any():
            return Sample(returns, 0.0)
    if discount == 1:
        raise ValueError(
            f"{type(case.game).__name__} did not end within {horizon} periods: give discount= "
            "below 1"
        )
    if case.table is not None:
        table = case.table
        paid = table.payoffs if isinstance(table, RepeatedTable) else table.rewards
        largest = float(np.abs(paid[case.seat]).max())
    return Sample(returns, weight / (1 - discount) * largest)


def own_roots(case: Case, phase: str, seed: int, count: int) -> Words:
    """Return one root per episode of a phase of an audit, (count,)."""
    label = f"audit {type(case.game).__name__} {case.game.agents[case.seat]}"
    return roots(label, phase, ((seed, i) for i in range(count)))


def simulated_value(case: Case, seeds: int, seed: int) -> Worth:
    """Return the value of the seat's policy over so many independent episodes."""
    return sample(case, case.policies[case.seat], own_roots(case, "fresh", seed, seeds)).worth()


def untaught(case: Case) -> Iterator[tuple[str, Policy]]:
    """Yield what can be tried without training, by name."""
    game, seat = case.game, case.seat
    space = game.action_spaces[seat]
    if isinstance(space, Discrete):
        picks = np.unique(np.linspace(0, space.n - 1, MAX_CONSTANTS).round().astype(int))
        for action in picks.tolist():
            yield f"always {action}", Constant(action)
    elif isinstance(space, Box) and space.is_bounded():
        for name, share in (("lowest", 0.0), ("middle", 0.5), ("highest", 1.0)):
            action = space.low + share * (space.high - space.low)
            yield f"always the {name}", Constant(action.astype(space.dtype))
    for other, name in enumerate(game.agents):
        fits = (
            game.action_spaces[other] == space
            and game.observation_spaces[other] == game.observation_spaces[seat]
        )
        if other != seat and fits and case.policies[other] is not case.policies[seat]:
            yield f"the policy of {name}", case.policies[other]


def trained(
    case: Case, responders: Sequence[str | Policy] | None, periods: int, seed: int, tick: Tick
) -> Iterator[tuple[str, Policy]]:
    """Yield learners, trained against the others and frozen, and what is frozen, by name."""
    from stratagem.players import player

    game, seat = case.game, case.seat
    if responders is None:
        responders = ("q_learning",) if _fits_a_table(case) else ()
    for k, given in enumerate(responders):
        learner: Any = player(given, game, seat) if isinstance(given, str) else given
        if is_dataclass(learner) and any(field.name == "discount" for field in fields(learner)):
            learner = replace(learner, discount=case.discount)  # type: ignore[type-var]
        name = given if isinstance(given, str) else type(given).__name__
        if not (learns(learner) or trains(learner)):
            yield name, learner
            continue
        limit = None
        if case.discount < 1:
            limit = ceil(log(FAINT) / log(max(case.discount, FAINT)))

        def progress(done: float, k: int = k) -> None:
            tick((k + done) / len(responders))

        runs = TRAINING_RUNS if learns(learner) else 1
        lineup = [learner if i == seat else own for i, own in enumerate(case.policies)]
        training = fit(
            game,
            lineup,
            seeds=own_roots(case, f"train {name}", seed, runs),
            periods=periods,
            max_episode_steps=limit,
            tick=progress,
        )
        for run, policy in enumerate(training.policies[seat]):
            yield f"{name} {run}", policy


def _fits_a_table(case: Case) -> bool:
    try:
        views = size(case.game.observation_spaces[case.seat])
    except ValueError:
        return False
    space = case.game.action_spaces[case.seat]
    return isinstance(space, Discrete) and views * int(space.n) <= MAX_CELLS
