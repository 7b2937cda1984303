"""A finite game's table once policies sit in it: what they remember becomes part of its states.

A policy is *induced* if its play is known in every state: it has a `rule`, as `Reactive` has,
or it draws no random numbers. The latter is established, not sampled: policies draw from the
stream they are given and from nothing else (`core.Policy`), so one that is asked in every
state that any play can lead to, with every memory it can have there, and never once draws, is
deterministic.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import tabular
from .core import Array, Bools, Floats, Game, Ints, Memory, Policy, take
from .spaces import size
from .streams import Stream
from .tabular import Outcomes, Table, lawful, num_states

_CHUNK = 2**21  # state-action pairs handled at once


class NotInducedError(ValueError):
    """The play of a policy is not known in every state.

    Attributes:
        seats: indices of the agents whose policies are the reason.
    """

    def __init__(self, message: str, seats: tuple[int, ...]) -> None:
        super().__init__(message)
        self.seats = seats


class Induced(NamedTuple):
    """A table of M nodes: a state of the game with what the policies remember there.

    The memory of a policy changes when it acts, whatever is played then, so a node settles the
    memory at its successors.
    """

    initial: Ints  # (K0,) node after each initial outcome
    initial_chance: Floats  # (K0,)
    actions: Ints  # (N, A)
    observations: tuple[Array, ...]  # (M, ...) per agent
    legal: tuple[Bools, ...] | None  # (M, n) per agent; None if all actions are legal
    table: Table  # of the game alone, S states
    states: Ints  # (M,) state of each node
    codes: Ints  # (M,) ascending: S times the number of the joint memory, plus the state
    offsets: Ints  # (M,) S times the number of the joint memory after acting
    plays: tuple[Floats | None, ...]  # (M, n) per agent; None for one whose play is open


class _DrawnError(Exception):
    """A policy asked for a random number."""


class _Silent(Stream):
    """A stream that has no numbers."""

    __slots__ = ("_length",)

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getattr__(self, name: str) -> Any:
        raise _DrawnError

    def uniform(self) -> Floats:
        """Refuse."""
        raise _DrawnError


def outcomes(table: Table | Induced, state: Ints, action: Ints) -> Outcomes:
    """Return what may follow from states (or nodes) and joint actions, as `tabular.outcomes`.

    The successor of what terminates, or cannot happen, is any number.
    """
    if not isinstance(table, Induced):
        return tabular.outcomes(table, state, action)
    found = tabular.outcomes(table.table, table.states[state], action)
    if len(table.codes) == num_states(table.table) and not table.offsets.any():
        return found  # nothing is remembered: nodes are states
    code = found.successors + table.offsets[state][..., None]
    number = np.minimum(table.codes.searchsorted(code), len(table.codes) - 1)
    return found._replace(successors=number)


def induce(
    game: Game[Any],
    table: Table,
    policies: Sequence[Policy | None],
    *,
    max_nodes: int = 200_000,
) -> Induced:
    """Return the table of a game with policies in it.

    Without memory its nodes are the table's states. With memory they are those that some play
    of all agents leads to, whatever the policies would do themselves.

    Args:
        game: the game.
        table: its table.
        policies: one per agent; None for one whose play is left open.
        max_nodes: most nodes to enumerate.

    Raises:
        NotInducedError: If a policy draws random numbers and has no rule, or what the policies
            remember leads to more than `max_nodes` nodes.
        ValueError: If a policy plays what is not allowed, or is no function of what it sees.
    """
    total = num_states(table)
    rules = {
        i: rows
        for i, policy in enumerate(policies)
        if hasattr(policy, "rule") and (rows := _by_rule(policy, game, table, i)) is not None
    }
    minds = {
        i: _Mind(policy, game, i)
        for i, policy in enumerate(policies)
        if policy is not None and i not in rules
    }
    if minds:
        codes, offsets, acted = _enumerate(table, minds, max_nodes)
    else:
        codes, offsets, acted = np.arange(total), np.zeros(total, np.int64), {}
    states = codes % total
    legal = None if table.legal is None else tuple(own[states] for own in table.legal)
    plays = [rules[i][states] if i in rules else acted.get(i) for i in range(len(policies))]
    if legal is not None:
        plays = [
            own if own is None else lawful(name, own, mask)
            for name, own, mask in zip(game.agents, plays, legal, strict=True)
        ]
    return Induced(
        codes.searchsorted(table.initial),
        table.initial_chance,
        table.actions,
        tuple(view[states] for view in table.observations),
        legal,
        table,
        states,
        codes,
        offsets,
        tuple(plays),
    )


def _by_rule(policy: Any, game: Game[Any], table: Table, seat: int) -> Floats | None:
    """Return what a policy without memory plays in every state, (S, n), lawful or not.

    None where a rule gives actions and some are illegal: which one is then played, the policy
    says when it is shown what is legal.

    Raises:
        ValueError: If its rule gives no actions or distributions, or not the same ones twice.
    """
    seen = table.observations[seat]
    response = np.asarray(policy.rule(seen))
    if table.legal is not None and response.ndim == 1:
        return None
    found = _played(response, game, seat)
    if not np.array_equal(found, _played(np.asarray(policy.rule(seen)), game, seat)):
        raise ValueError(f"the rule of {game.agents[seat]} is no function of the observation")
    return found


def _played(response: Array, game: Game[Any], seat: int) -> Floats:
    """Return actions (M,) or probabilities (M, n) as probabilities."""
    name, n = game.agents[seat], size(game.action_spaces[seat])
    if response.ndim == 1:
        if response.dtype.kind not in "iu" or (response < 0).any() or (response >= n).any():
            raise ValueError(f"policy of {name} must give actions from 0 to {n - 1}")
        return np.asarray(np.eye(n)[response])
    rows = np.asarray(response, np.float64)
    if rows.ndim != 2 or rows.shape[1] != n or (rows < 0).any():
        raise ValueError(f"policy of {name} must give probabilities (B, {n}), got {rows.shape}")
    sums = rows.sum(axis=1, keepdims=True)
    if not np.allclose(sums, 1, atol=1e-5):  # some libraries compute in single precision
        raise ValueError(f"policy of {name} must give rows that are distributions")
    return np.asarray(rows / sums)


class _Mind:
    """A deterministic policy's memories, numbered as they are met."""

    def __init__(self, policy: Policy, game: Game[Any], seat: int) -> None:
        self.policy, self.game, self.seat = policy, game, seat
        self.index: dict[tuple[bytes, ...], int] = {}
        self.rows: list[Memory] = []
        self.start = self._number(self._ask(policy.init, 1, _Silent(1)), 1)[0]

    def act(self, seen: Array, which: Ints, mask: Bools | None) -> tuple[Floats, Ints]:
        """Return what is played, (F, n), and the numbers of the memories that follow, (F,)."""
        length = len(which)
        if self.rows[0]:
            columns = zip(*(self.rows[m] for m in which.tolist()), strict=True)
            fields = [np.concatenate(column) for column in columns]
            like = type(self.rows[0])
            memory: Any = like(*fields) if hasattr(like, "_fields") else tuple(fields)
        else:
            memory = ()
        given = (seen, memory, _Silent(length), mask)
        actions, after = self._ask(self.policy.act, *given)
        again, _ = self._ask(self.policy.act, *given)
        if not np.array_equal(actions, again):
            raise ValueError(
                f"policy of {self.game.agents[self.seat]} acts differently on the same "
                "observation and memory without drawing from its stream"
            )
        played = _played(np.asarray(actions), self.game, self.seat)
        return played, np.array(self._number(after, length), np.int64)

    def _ask(self, what: Any, *given: Any) -> Any:
        try:
            return what(*given)
        except _DrawnError:
            raise NotInducedError(
                f"policy of {self.game.agents[self.seat]} draws random numbers and has no "
                "rule, so it is known by simulation alone",
                (self.seat,),
            ) from None

    def _number(self, memory: Any, length: int) -> list[int]:
        arrays = isinstance(memory, tuple) and all(
            isinstance(field, np.ndarray) and len(field) == length for field in memory
        )
        if not arrays:
            raise NotInducedError(
                f"the memory of {self.game.agents[self.seat]} is no tuple of arrays, so what "
                "it can remember is not enumerated",
                (self.seat,),
            )
        found = []
        for row in range(length):
            key = tuple(field[row].tobytes() for field in memory)
            if key not in self.index:
                self.index[key] = len(self.rows)
                self.rows.append(take(memory, np.array([row])))
            found.append(self.index[key])
        return found


def _enumerate(
    table: Table, minds: Mapping[int, _Mind], max_nodes: int
) -> tuple[Ints, Ints, dict[int, Floats]]:
    """Return codes (M,), offsets (M,) and what each mind plays, (M, n), by seat."""
    total, joint = num_states(table), np.arange(table.actions.shape[1])
    numbers: dict[tuple[int, ...], int] = {}  # joint memory -> its number
    memories: list[tuple[int, ...]] = []

    def number(found: tuple[int, ...]) -> int:
        if found not in numbers:
            numbers[found] = len(memories)
            memories.append(found)
        return numbers[found]

    number(tuple(mind.start for mind in minds.values()))
    frontier = np.unique(table.initial)
    known = frontier
    log: list[tuple[Array, ...]] = []
    while frontier.size:
        states = frontier % total
        which = np.array([memories[c] for c in (frontier // total).tolist()], np.int64)
        played, after = [], []
        for own, (seat, mind) in zip(which.T, minds.items(), strict=True):
            mask = None if table.legal is None else table.legal[seat][states]
            rows, following = mind.act(table.observations[seat][states], own, mask)
            played.append(rows)
            after.append(following.tolist())
        offsets = np.array([number(found) for found in zip(*after, strict=True)]) * total
        log.append((frontier, offsets, *played))
        reached = []
        chunk = max(_CHUNK // len(joint), 1)
        for begin in range(0, len(frontier), chunk):
            block = slice(begin, begin + chunk)
            found = tabular.outcomes(table, states[block, None], joint)
            code = found.successors + offsets[block, None, None]
            met = code[(found.probs > 0) & ~found.terminated]
            reached.append(_distinct(met, len(memories) * total))
        frontier = np.setdiff1d(np.concatenate(reached), known, assume_unique=False)
        known = np.union1d(known, frontier)
        if len(known) > max_nodes:
            raise NotInducedError(
                f"what the policies remember leads to more than {max_nodes} nodes", tuple(minds)
            )
    codes, offsets, *actions = (np.concatenate(column) for column in zip(*log, strict=True))
    order = codes.argsort()
    acted = {seat: own[order] for seat, own in zip(minds, actions, strict=True)}
    return codes[order], offsets[order], acted


def _distinct(codes: Ints, limit: int) -> Ints:
    """Return the distinct numbers below a limit among `codes`, rising."""
    if limit > _CHUNK * 32:
        return np.unique(codes)
    met = np.zeros(limit, np.bool_)
    met[codes] = True
    return met.nonzero()[0]
