"""The fastest engine for one copy or for many: look-up where the game is finite."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, Space

from .. import streams
from ..core import Array, Bools, Floats, Game, Ints, Policy, Reactive, take
from ..lookup import Lookup, Scalar, TableSimulator, step_table
from ..simulator import Player, Simulator
from ..streams import Stream
from ..tabular import Table

Encoder = Callable[[Array], Array]
"""From observations (B, ...) of the game to observations (B, ...) that a view declares."""


class Native:
    """An encoder that only casts to what the space declares; always returns a new array."""

    def __init__(self, space: Space[Any]) -> None:
        self.dtype = space.dtype

    def __call__(self, values: Array) -> Array:
        """Return the values as the space's own type."""
        return values.astype(self.dtype)


def seats(
    game: Game[Any], agent: str | None, co_players: Mapping[str, Policy]
) -> tuple[int, dict[int, Policy]]:
    """Return the learner's seat, by default the first, and the policies of the others.

    Raises:
        ValueError: If `agent` or a co-player's name is unknown, or a seat has no policy.
    """
    agent = game.agents[0] if agent is None else agent
    for what, name in [("agent", agent), *(("co-player", name) for name in co_players)]:
        if name not in game.agents:
            raise ValueError(f"unknown {what} {name!r}; agents are {', '.join(game.agents)}")
    others = [name for name in game.agents if name != agent]
    missing = [name for name in others if name not in co_players]
    if missing:
        raise ValueError(f"co_players has no policy for {', '.join(missing)}")
    return game.agents.index(agent), {game.agents.index(n): co_players[n] for n in others}


class FiniteCopy(Scalar):
    """A copy by look-up, with every observation encoded in advance."""

    waits = False

    def __init__(self, game: Game[Any], table: Table, encoders: Sequence[Encoder]) -> None:
        super().__init__(game)
        self.game, self.table = game, table
        encoded = [e(o) for e, o in zip(encoders, table.observations, strict=True)]
        self._views = [o.tolist() if o.ndim == 1 else list(o) for o in encoded]
        self._plain = [o.ndim == 1 for o in encoded]

    def observation(self, seat: int) -> Any:
        """Return one agent's encoded observation; no two calls return the same array."""
        view = self._views[seat][self.state]
        return view if self._plain[seat] else view.copy()

    def observe(self, seat: int, index: None = None) -> Array:
        """Return one agent's observation as the game has it, shape (1, ...)."""
        return self.table.observations[seat][self.state : self.state + 1]

    def stream(self, purpose: int, index: None = None) -> Stream:
        """Return the numbers for one purpose at this step."""
        return Stream(np.array([self.key], np.uint64), np.array([self.steps], np.uint64), purpose)

    def masks(self) -> None:
        """Return that all actions are legal."""

    def movers(self) -> None:
        """Return that everyone moves."""

    def row(self) -> Any:
        """Return the game's state, as a batch of one."""
        return take(self.table.states, np.array([self.state]))


class BatchCopy:
    """A `Simulator` of one copy."""

    def __init__(self, game: Game[Any], encoders: Sequence[Encoder]) -> None:
        self.game, self.encoders, self.sim = game, encoders, Simulator(game, 1)
        self.waits = game.takes_turns
        self._discrete = [isinstance(space, Discrete) for space in game.action_spaces]

    def reset(self, seed: int | None = None) -> None:
        """Start the first episode of `seed`, or the next one."""
        self.sim.reset(seed)

    def step(self, actions: Any) -> tuple[tuple[float, ...], bool]:
        """Advance; return rewards (N,) and whether the episode has terminated.

        Raises:
            KeyError: If an action is outside its space.
        """
        for space, action in zip(self.game.action_spaces, actions, strict=True):
            if not space.contains(action):
                raise KeyError(action)
        rewards, terminated, _ = self.sim.step(
            self.sim.gather([np.asarray(a)[None] for a in actions])
        )
        return tuple(rewards[:, 0].tolist()), bool(terminated[0])

    @property
    def steps(self) -> int:
        """Periods played in this episode."""
        return int(self.sim.steps[0])

    def observation(self, seat: int) -> Any:
        """Return one agent's encoded observation; no two calls return the same array."""
        first = self.encoders[seat](self.sim.observe(seat))[0]
        return first.item() if first.ndim == 0 else first.copy()

    def observe(self, seat: int, index: None = None) -> Array:
        """Return one agent's observation as the game has it, shape (1, ...)."""
        return self.sim.observe(seat)

    def stream(self, purpose: int, index: None = None) -> Stream:
        """Return the numbers for one purpose at this step."""
        return self.sim.stream(purpose)

    def masks(self) -> tuple[Bools, ...] | None:
        """Return each agent's legal actions, (1, n); None if all are legal."""
        return self.sim.masks()

    def movers(self) -> Bools | None:
        """Return who moves, (N, 1); None if everyone does."""
        return self.sim.movers()

    def row(self) -> Any:
        """Return the game's state, as a batch of one."""
        return self.sim.row()


def one_copy(game: Game[Any], encoders: Sequence[Encoder]) -> FiniteCopy | BatchCopy:
    """Return the fastest way to play one copy."""
    table = step_table(game)
    return BatchCopy(game, encoders) if table is None else FiniteCopy(game, table, encoders)


def many_copies(
    game: Game[Any], num_copies: int, max_episode_steps: int | None
) -> TableSimulator | Simulator[Any]:
    """Return the fastest way to play many copies."""
    table = step_table(game)
    if table is None:
        return Simulator(game, num_copies, max_episode_steps)
    return TableSimulator(game, table, num_copies, max_episode_steps)


class TablePlayer:
    """A policy without memory in a finite game: an action, or bounds to draw one, per state."""

    learns = False

    def __init__(self, policy: Reactive, seat: int, table: Table) -> None:
        response = policy.rule(table.observations[seat])
        self.seat, self.mixed = seat, response.ndim == 2
        n = int(table.actions[seat].max()) + 1
        if not self.mixed and not ((response >= 0) & (response < n)).all():
            raise ValueError(
                f"policy of seat {seat} must give actions from 0 to {n - 1}, got {response}"
            )
        self.rows: Array = response.cumsum(axis=-1)[:, :-1] if self.mixed else response
        self.plain = self.rows.tolist()
        self.shift = streams.offset(streams.acting(seat))

    def start(self, sim: Any, index: Ints | None = None, *, seeded: bool = False) -> None:
        """Begin an episode."""

    def act(self, sim: Any, index: Ints | None = None) -> Array:
        """Return actions, shape (b,)."""
        state = sim.state if index is None else sim.state[index]
        rows = self.rows.take(state, axis=0)
        if self.mixed:
            u = sim.stream(streams.acting(self.seat), index).uniform()
            return np.asarray((u[:, None] >= rows).sum(axis=1))
        return np.asarray(rows)

    def act_once(self, copy: Any) -> int:
        """Return one action."""
        answer = self.plain[copy.state]
        if self.mixed:
            return bisect_right(answer, streams.uniform_int(copy.key, copy.steps, self.shift))
        return answer  # type: ignore[no-any-return]

    def learn(
        self,
        sim: Any,
        rewards: Floats,
        terminated: Bools,
        truncated: Bools,
        index: Ints | None = None,
    ) -> None:
        """Learn nothing."""


class BatchPlayer(Player):
    """Any policy; one copy is a batch of one."""

    def act_once(self, copy: Any) -> Any:
        """Return one action."""
        action = self.act(copy)[0]
        return action.item() if action.ndim == 0 else action


def seat_player(policy: Policy, seat: int, sim: Any) -> TablePlayer | BatchPlayer:
    """Return a `TablePlayer` if policy and game allow it, else a `BatchPlayer`."""
    if isinstance(policy, Reactive) and hasattr(sim, "table"):
        return TablePlayer(policy, seat, sim.table)
    return BatchPlayer(policy, seat)


def folds(players: Sequence[TablePlayer | BatchPlayer], engine: Any) -> bool:
    """Return whether the other seats can be folded into the learner's look-up."""
    return hasattr(engine, "table") and all(
        isinstance(player, TablePlayer) and not player.mixed for player in players
    )


def own_lookup(table: Table, seat: int, others: Sequence[TablePlayer]) -> Lookup:
    """Return a look-up by one agent's action, where deterministic players sit in the others."""
    return Lookup(table, seat, {player.seat: player.rows for player in others})


def action_error(what: str, action: Any, space: Space[Any]) -> ValueError:
    """Return the error about an action that is not in its space."""
    return ValueError(f"{what} must be in {space}, got {action!r}")


def whole(action: Any, space: Discrete, what: str = "action") -> int:
    """Return a discrete action as an integer.

    Raises:
        ValueError: If it is not one whole number of the space.
    """
    if type(action) is int:
        own = action
    else:
        found = np.asarray(action)
        if found.size != 1 or found.dtype.kind not in "iu":
            raise action_error(what, action, space)
        own = int(found.item())
    if not 0 <= own < space.n:
        raise action_error(what, action, space)
    return own
