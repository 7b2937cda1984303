"""Rounds of a meta-game: who chooses when, what is seen of it, what switching costs.

What a profile of algorithms pays is not settled here, so that runs that are stored and runs that
are played as they are needed share these rules.
"""

from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space

from ...core import Actions, Array, Bools, Floats, Ints, Step

AT_ONCE = "simultaneous"
Order = str | tuple[int, ...]


class State(NamedTuple):
    """Batched state."""

    round: Ints  # (B,) rounds played; stays 0 where there is no horizon
    last: Ints  # (B, N) algorithm of the last round + 1, 0 before the first
    chosen: Ints  # (B, N) algorithm chosen in this round + 1, 0 if not yet


class Rules(NamedTuple):
    """What rounds need to know."""

    counts: tuple[int, ...]  # algorithms of each agent
    order: Order
    switching_cost: float
    horizon: int | None
    continuation: float

    @property
    def in_turn(self) -> bool:
        """Whether agents choose one after another."""
        return self.order != AT_ONCE

    @property
    def moves(self) -> int:
        """Periods of a round."""
        return len(self.counts) if self.in_turn else 1

    @property
    def rounds(self) -> float | None:
        """Expected number in an episode, None without end."""
        if self.horizon is not None:
            return float(self.horizon)
        return None if self.continuation == 1 else 1 / (1 - self.continuation)

    @property
    def ending(self) -> Floats:
        """Probabilities of going on and, if chance may end the game, of ending."""
        if self.horizon is not None or self.continuation == 1:
            return np.ones(1)
        return np.array([self.continuation, 1 - self.continuation])


def checked(
    counts: tuple[int, ...],
    order: Any,
    switching_cost: Any,
    horizon: Any,
    continuation: Any,
) -> Rules:
    """Return rules from parameters as a user gives them.

    Raises:
        ValueError: If one is not allowed.
    """
    n = len(counts)
    if not isinstance(order, str):
        try:
            order = tuple(int(agent) for agent in order)
        except (TypeError, ValueError):
            order = (-1,)
    if order != AT_ONCE and (isinstance(order, str) or sorted(order) != list(range(n))):
        raise ValueError(
            f"order must be {AT_ONCE!r} or name each of the agents 0..{n - 1} once, got {order!r}"
        )
    for name, value, high in (
        ("switching_cost", switching_cost, np.inf),
        ("continuation", continuation, 1.0),
    ):
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0 <= value <= high or not np.isfinite(value):
            raise ValueError(f"{name} must be a finite number from 0 to {high}, got {value!r}")
    if continuation == 0:
        raise ValueError("continuation must be above 0, got 0; horizon=1 plays one round")
    if horizon is not None:
        whole = isinstance(horizon, (int, np.integer)) and not isinstance(horizon, bool)
        if not whole or horizon < 1:
            raise ValueError(f"horizon must be None or an integer of at least 1, got {horizon!r}")
    return Rules(counts, order, float(switching_cost), horizon, float(continuation))


def spaces(rules: Rules) -> tuple[tuple[Space[Any], ...], tuple[Space[Any], ...]]:
    """Return action spaces and observation spaces."""
    seen: list[Space[Any]] = []
    for seat in range(len(rules.counts)):
        own_first = [rules.counts[i] + 1 for i in _own_first(seat, len(rules.counts))]
        head = [] if rules.horizon is None else [rules.horizon + 1]
        seen.append(MultiDiscrete([*head, *own_first * (2 if rules.in_turn else 1)]))
    return tuple(Discrete(n) for n in rules.counts), tuple(seen)


def _own_first(seat: int, n: int) -> list[int]:
    return [seat, *(i for i in range(n) if i != seat)]


def opening(rules: Rules, copies: int) -> State:
    """Return the states in which `copies` copies start."""
    last, chosen = np.zeros((2, copies, len(rules.counts)), np.int64)
    return State(np.zeros(copies, np.int64), last, chosen)


def movers(rules: Rules, state: State) -> Bools | None:
    """Return who chooses, (N, B); None if all do."""
    if not rules.in_turn:
        return None
    turn = np.array(rules.order)[(state.chosen > 0).sum(axis=1)]
    return np.asarray(np.arange(len(rules.counts))[:, None] == turn)


def choices(rules: Rules, state: State, actions: Actions) -> tuple[Ints, Bools]:
    """Return what is chosen after a move, (N, B), -1 where not yet, and which are complete, (B,)."""
    moving = movers(rules, state)
    if moving is None:
        joint = np.asarray(actions, np.int64)
        return joint, np.ones(joint.shape[1], np.bool_)
    joint = np.where(moving, actions, state.chosen.T - 1)
    return joint, np.asarray((joint >= 0).all(axis=0))


def advance(
    rules: Rules, state: State, joint: Ints, complete: Bools, payoffs: Floats, over: Bools
) -> Step[State]:
    """Return what follows from choices.

    Args:
        rules: the rules.
        state: before the move.
        joint: see `choices`.
        complete: which copies have a whole round, (B,).
        payoffs: of that round, (N, B); those of other copies are ignored.
        over: whether chance ends the game after the round, (B,).
    """
    switched = (state.last.T > 0) & (joint + 1 != state.last.T)
    rewards = np.where(complete, payoffs - rules.switching_cost * switched, 0.0)
    played = state.round
    if rules.horizon is not None:
        played = np.minimum(played + complete, rules.horizon)
        over = over | (played == rules.horizon)
    whole, now = complete[:, None], (joint + 1).T
    after = State(played, np.where(whole, now, state.last), np.where(whole, 0, now))
    return Step(after, rewards, complete & over)


def observe(rules: Rules, state: State) -> tuple[Array, ...]:
    """Return one observation per agent."""
    found = []
    for seat in range(len(rules.counts)):
        own_first = _own_first(seat, len(rules.counts))
        head = [] if rules.horizon is None else [state.round[:, None]]
        parts = [*head, state.last[:, own_first]]
        if rules.in_turn:
            parts.append(state.chosen[:, own_first])
        found.append(np.concatenate(parts, axis=1))
    return tuple(found)


def render(rules: Rules, menus: tuple[tuple[str, ...], ...], state: State) -> str:
    """Return one line about the first copy."""
    text = [] if rules.horizon is None else [f"round {state.round[0]}/{rules.horizon}"]
    for name, field in (("last", state.last), ("chosen", state.chosen)):
        if field[0].any():
            shown = [
                menu[a - 1] if a else "-" for menu, a in zip(menus, field[0].tolist(), strict=True)
            ]
            text.append(f"{name} ({', '.join(shown)})")
    return ", ".join(text) or "nothing chosen yet"
