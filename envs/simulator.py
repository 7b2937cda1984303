"""Sample a game: the only holder of mutable state."""

from collections.abc import Sequence
from typing import Any, Generic

import numpy as np
from gymnasium.spaces import Discrete

from . import streams
from .core import (
    Actions,
    Array,
    Bools,
    Floats,
    Game,
    Ints,
    Memory,
    Policy,
    StateT,
    Trajectory,
    Transition,
    learns,
    masks,
    put,
    take,
)
from .streams import Stream, Words

ONE = np.uint64(1)


class Clock:
    """Seeds, episodes and periods of B copies, and so all of their random numbers.

    Attributes:
        steps: periods played in the present episode, (B,). Step 0 draws the initial outcome.
        keys: key of the present episode, (B,).
    """

    def __init__(self, num_copies: int, max_episode_steps: int | None) -> None:
        if num_copies < 1:
            raise ValueError(f"num_copies must be at least 1, got {num_copies}")
        if max_episode_steps is not None and max_episode_steps < 1:
            raise ValueError(f"max_episode_steps must be at least 1, got {max_episode_steps}")
        self.num_copies, self.max_episode_steps = num_copies, max_episode_steps
        self.limit = np.uint64(2**63 if max_episode_steps is None else max_episode_steps)

    def restart(self, seed: int | Words | None, index: Ints | None) -> Words:
        """Begin the first episode of `seed`, or the next one of `index`; return the new keys.

        A seed is that of the first copy, the others' follow it; or an array of one per copy.
        """
        if isinstance(seed, np.ndarray) and seed.shape != (self.num_copies,):
            raise ValueError(f"seed must be one number or {self.num_copies}, got {seed.shape}")
        if seed is not None:
            seeds = (
                np.asarray(seed, np.uint64)
                if isinstance(seed, np.ndarray)
                else np.uint64(seed % 2**64) + np.arange(self.num_copies, dtype=np.uint64)
            )
            self.roots: Words = streams.make_roots(seeds)
            self.episodes: Words = np.zeros(self.num_copies, np.uint64)
            self.keys: Words = streams.make_keys(self.roots, self.episodes)
            self.steps: Words = np.zeros(self.num_copies, np.uint64)
            return self.keys
        at = slice(None) if index is None else index
        episodes = self.episodes[at] + ONE
        keys = streams.make_keys(self.roots[at], episodes)
        self.episodes[at], self.keys[at], self.steps[at] = episodes, keys, 0
        return keys

    def cut(self, terminated: Bools, index: Ints | None = None) -> Bools:
        """Return which copies have played their last period without terminating."""
        steps = self.steps if index is None else self.steps[index]
        return np.asarray((steps >= self.limit) > terminated)

    def stream(self, purpose: int, index: Ints | None = None) -> Stream:
        """Return the numbers for one purpose at this step, of the copies at `index` or of all."""
        if index is None:
            return Stream(self.keys, self.steps, purpose)
        return Stream(self.keys[index], self.steps[index], purpose)


class Simulator(Clock, Generic[StateT]):
    """`num_copies` copies of a game, stepped together by the game's own functions.

    Args:
        game: the game.
        num_copies: B, at least 1.
        max_episode_steps: periods before truncation, None for no limit.
    """

    state: StateT
    seen: tuple[Array, ...]

    def __init__(
        self, game: Game[StateT], num_copies: int, max_episode_steps: int | None = None
    ) -> None:
        super().__init__(num_copies, max_episode_steps)
        self.game = game
        self.discrete = all(isinstance(space, Discrete) for space in game.action_spaces)

    def reset(self, seed: int | Words | None = None, index: Ints | None = None) -> None:
        """Start an episode: the first one of `seed`, or the next one of the copies at `index`."""
        self.restart(seed, index)
        fresh = self.game.initial(self.game.draw_initial(self.stream(streams.CHANCE, index)))
        self.state = fresh if index is None else put(self.state, index, fresh)
        self.seen = self.game.observe(self.state)

    def step(self, actions: Actions, index: Ints | None = None) -> tuple[Floats, Bools, Bools]:
        """Advance all copies, or those at `index`, whose joint actions are given.

        Returns:
            rewards (N, b), terminated (b,) and truncated (b,) of the b copies advanced.
        """
        if index is None:
            self.steps += ONE
            before = self.state
        else:
            self.steps[index] += ONE
            before = take(self.state, index)
        rng = self.stream(streams.CHANCE, index)
        outcome = self.game.draw(before, actions, rng)
        after, rewards, terminated = self.game.step(before, actions, outcome)
        self.state = after if index is None else put(self.state, index, after)
        self.seen = self.game.observe(self.state)
        return rewards, terminated, self.cut(terminated, index)

    def observe(self, seat: int, index: Ints | None = None) -> Array:
        """Return one agent's observations, shape (B, ...), or those of the copies at `index`."""
        return self.seen[seat] if index is None else self.seen[seat][index]

    def masks(self) -> tuple[Bools, ...] | None:
        """Return each agent's legal actions, (B, n); None if all are legal."""
        return masks(self.game, self.state)

    def movers(self) -> Bools | None:
        """Return who moves, (N, B); None if everyone does."""
        return self.game.movers(self.state)

    def gather(self, actions: Sequence[Array]) -> Actions:
        """Return one array per agent as joint actions."""
        return np.stack(actions) if self.discrete else tuple(actions)

    def row(self, copy: int = 0) -> StateT:
        """Return the state of one copy, as a batch of one."""
        return take(self.state, np.array([copy]))


class Player:
    """A policy or learner in one seat of a simulator, with its memory."""

    def __init__(self, policy: Policy, seat: int) -> None:
        self.policy, self.seat, self.learns = policy, seat, learns(policy)
        self.memory: Memory = ()
        self._last: tuple[Array, Array] | None = None

    def start(self, sim: Any, index: Ints | None = None, *, seeded: bool = False) -> None:
        """Begin an episode of the copies at `index`, or of all.

        A learner goes on with its memory unless the start is `seeded`.
        """
        if self.learns and self.memory and not seeded:
            return
        rng = sim.stream(streams.starting(self.seat), index)
        fresh = self.policy.init(len(rng), rng)
        self.memory = fresh if index is None else put(self.memory, index, fresh)

    def act(self, sim: Any, index: Ints | None = None) -> Array:
        """Return this seat's actions, shape (b, ...); a seat that does not move plays 0."""
        rng = sim.stream(streams.acting(self.seat), index)
        seen, legal, movers = sim.observe(self.seat, index), sim.masks(), sim.movers()
        mask = None if legal is None else legal[self.seat]
        if index is None:
            actions, self.memory = self.policy.act(seen, self.memory, rng, mask)
        else:
            mask = None if mask is None else mask[index]
            own = take(self.memory, index)
            actions, new = self.policy.act(seen, own, rng, mask)
            self._store(index, new)
        space = sim.game.action_spaces[self.seat]
        if isinstance(space, Discrete):
            whole = actions.dtype.kind in "iu"
            if not whole or int(actions.astype(np.uint64).max()) >= space.n:
                name = sim.game.agents[self.seat]
                raise ValueError(f"policy of {name} must give actions in {space}, got {actions}")
        if movers is not None:
            moves = movers[self.seat] if index is None else movers[self.seat][index]
            actions = np.where(moves, actions, 0)
        self._last = (seen, actions)
        return actions

    def learn(
        self,
        sim: Any,
        rewards: Floats,
        terminated: Bools,
        truncated: Bools,
        index: Ints | None = None,
    ) -> None:
        """Let a learner see what followed its last action; before finished copies are reset."""
        if not self.learns or self._last is None:
            return
        seen, actions = self._last
        following = sim.observe(self.seat, index)
        lesson = Transition(seen, actions, rewards[self.seat], following, terminated, truncated)
        update = self.policy.update  # type: ignore[attr-defined]
        if index is None:
            self.memory = update(lesson, self.memory)
        else:
            self._store(index, update(lesson, take(self.memory, index)))

    def _store(self, index: Ints, new: Memory) -> None:
        if self.learns:
            for field, fresh in zip(self.memory, new, strict=True):
                field[index] = fresh
        else:
            self.memory = put(self.memory, index, new)


def play(sim: Any, players: Sequence[Player]) -> tuple[Actions, Floats, Bools, Bools]:
    """Play one period in all copies; learners learn, and finished copies start anew.

    Returns:
        joint actions, rewards (N, B), terminated (B,) and truncated (B,).
    """
    actions = sim.gather([player.act(sim) for player in players])
    rewards, terminated, truncated = sim.step(actions)
    for player in players:
        player.learn(sim, rewards, terminated, truncated)
    over = (terminated | truncated).nonzero()[0]
    if over.size:
        sim.reset(index=over)
        for player in players:
            player.start(sim, over)
    return actions, rewards, terminated, truncated


def rollout(
    game: Game[Any],
    policies: Sequence[Policy],
    *,
    num_copies: int,
    num_steps: int,
    seed: int | Words,
    max_episode_steps: int | None = None,
) -> tuple[Trajectory, list[Memory]]:
    """Play policies and learners against each other.

    A finished copy starts its next episode at once. A learner keeps its memory.

    Args:
        game: the game.
        policies: one policy or learner per agent.
        num_copies: B; copy i is a single game seeded `seed + i`.
        num_steps: T, at least 1.
        seed: of the first copy, or an array (B,) of one seed per copy.
        max_episode_steps: periods before an episode is truncated, None for no limit.

    Returns:
        the trajectory, and each seat's last memory.

    Raises:
        ValueError: If the number of policies is not that of the agents, or a number is below 1.
    """
    if len(policies) != len(game.agents):
        raise ValueError(
            f"policies must be one per agent ({', '.join(game.agents)}), got {len(policies)}"
        )
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    sim = Simulator(game, num_copies, max_episode_steps)
    sim.reset(seed)
    players = [Player(policy, seat) for seat, policy in enumerate(policies)]
    for player in players:
        player.start(sim, seeded=True)
    log = []
    for _ in range(num_steps):
        seen = sim.seen
        log.append((seen, *play(sim, players)))
    views, moves, *rest = zip(*log, strict=True)
    observations = tuple(np.stack(view) for view in zip(*views, strict=True))
    joint = (
        np.stack(moves)
        if sim.discrete
        else tuple(np.stack(own) for own in zip(*moves, strict=True))
    )
    trajectory = Trajectory(observations, joint, *map(np.stack, rest))
    return trajectory, [player.memory for player in players]
