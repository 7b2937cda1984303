"""Random legal play, and co-players that make views comparable."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from stratagem.envs.core import (
    Actions,
    Array,
    Bools,
    Floats,
    Game,
    Memory,
    Policy,
    Reactive,
    Transition,
    masks,
)
from stratagem.envs.simulator import Simulator
from stratagem.envs.spaces import size
from stratagem.envs.streams import Stream


class NotApplicable(Exception):  # noqa: N818  (it is no error)
    """Says why a check does not apply to a game."""


def random_actions(game: Game[Any], state: Any, generator: np.random.Generator) -> Actions:
    """Return legal joint actions, one per copy: (N, B), or one array per agent."""
    copies, legal = len(state[0]), masks(game, state)
    found = []
    for seat, space in enumerate(game.action_spaces):
        if not isinstance(space, Discrete):
            space.seed(int(generator.integers(2**31)))
            found.append(np.stack([space.sample() for _ in range(copies)]))
            continue
        allowed = np.ones((copies, int(space.n)), np.bool_) if legal is None else legal[seat]
        rank = generator.integers(allowed.sum(axis=1))
        found.append((allowed.cumsum(axis=1) <= rank[:, None]).sum(axis=1))
    return np.stack(found) if all_discrete(game) else tuple(found)


def all_discrete(game: Game[Any]) -> bool:
    """Return whether every agent's actions are discrete."""
    return all(isinstance(space, Discrete) for space in game.action_spaces)


class Episode(NamedTuple):
    """One episode of one copy, as the game's own functions play it."""

    seen: list[list[Array]]  # per time, per seat: the first before, the last after
    legal: list[Any]
    movers: list[Any]
    actions: list[list[Any]]  # per period, per seat
    rewards: list[Floats]  # per period, (N,)
    terminated: bool
    truncated: bool


def reference(game: Game[Any], seed: int, limit: int) -> Episode:
    """Return an episode of random legal play."""
    sim = Simulator(game, 1, limit)
    sim.reset(seed)
    generator = np.random.default_rng(seed)
    seats = range(len(game.agents))
    log: Any = [[], [], [], [], []]
    while True:
        log[0].append([sim.observe(i)[0] for i in seats])
        log[1].append(sim.masks())
        log[2].append(sim.movers())
        actions = random_actions(game, sim.state, generator)
        log[3].append([own[0] for own in actions])
        rewards, terminated, truncated = sim.step(actions)
        log[4].append(rewards[:, 0])
        if terminated[0] or truncated[0]:
            log[0].append([sim.observe(i)[0] for i in seats])
            ends = bool(terminated[0]), bool(truncated[0])
            return Episode(log[0], log[1], log[2], log[3], log[4], *ends)


@dataclass(frozen=True, eq=False)
class Replay:
    """Plays a list of actions, period after period, in every copy."""

    actions: Array  # (T, ...)

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Begin the list."""
        del rng
        return (np.zeros(num_copies, np.int64),)

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return the next actions."""
        del observation, rng, mask
        return self.actions[memory[0] % len(self.actions)], (memory[0] + 1,)


def _scores(observation: Array) -> Array:
    rows = observation.reshape(len(observation), -1)
    weights = np.arange(3, 3 + rows.shape[1])
    return np.asarray((rows * weights).sum(axis=1).astype(np.int64))


@dataclass(frozen=True)
class _Hashed:
    n: int
    mixed: bool = False

    def __call__(self, observation: Array) -> Array:
        choice = _scores(observation) % self.n
        if not self.mixed:
            return choice
        probs = np.full((len(choice), self.n), 0.5 / self.n)
        probs[np.arange(len(choice)), choice] += 0.5
        return probs


@dataclass(frozen=True)
class Counting:
    """Remembers, draws, and depends on all that it saw."""

    n: int

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Draw an offset."""
        return (rng.integers(self.n), np.zeros(num_copies, np.int64))

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return actions and the new sum of what was seen."""
        offset, seen = memory
        seen = seen + _scores(observation)
        return _legal((offset + seen + rng.integers(self.n)) % self.n, mask), (offset, seen)


@dataclass(frozen=True)
class _Learning:
    """Learns a running sum of its rewards, and acts on it; it changes memory in place."""

    n: int

    def init(self, num_copies: int, rng: Stream) -> Memory:
        return (np.zeros(num_copies), rng.integers(self.n))

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        total, count = memory
        count += 1
        choice = (np.floor(total * 997).astype(np.int64) + count + _scores(observation)) % self.n
        return _legal(choice, mask), memory

    def update(self, transition: Transition, memory: Memory) -> Memory:
        memory[0][:] = 0.5 * memory[0] + transition.reward + 0.1 * transition.terminated
        memory[0][:] += 0.01 * _scores(transition.next_observation) + 0.2 * transition.truncated
        return memory

    def freeze(self, memory: Memory, copy: int) -> Policy:
        return Reactive(_Hashed(self.n))


def _legal(choice: Array, mask: Bools | None) -> Array:
    """Return the choices, or the first legal action where a choice is not."""
    if mask is None:
        return choice
    return np.where(mask[np.arange(len(choice)), choice], choice, mask.argmax(axis=1))


def co_players(game: Game[Any], seat: int) -> list[dict[str, Policy]]:
    """Return sets of co-players: reactive, mixed, remembering and learning ones."""
    others = [(i, name) for i, name in enumerate(game.agents) if i != seat]
    if not others:
        return [{}]
    if not all_discrete(game):
        still = {i: np.zeros((1, *(game.action_spaces[i].shape or ()))) for i, _ in others}
        return [{name: Replay(still[i].astype(np.float32)) for i, name in others}]
    kinds: tuple[Callable[[int], Any], ...] = (
        lambda n: Reactive(_Hashed(n)),
        lambda n: Reactive(_Hashed(n, mixed=True)),
        Counting,
        _Learning,
    )
    if game.forbids_actions:
        kinds = kinds[2:]  # reactive rules do not consult the mask
    return [{name: kind(size(game.action_spaces[i])) for i, name in others} for kind in kinds]
