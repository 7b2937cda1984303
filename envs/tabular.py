"""A finite game as arrays, in two forms.

`ExplicitTable` lists every state's joint actions and chance outcomes, those of finished games
too. `RepeatedTable`
holds one stage's payoffs and finds successors by index arithmetic, so that it never grows
as states times actions. `outcomes` reads both alike.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from .core import Array, Bools, Floats, Game, Ints, Policy, Stage, masks
from .spaces import every_observation, size, sizes, to_index

MAX_BYTES = 256 * 2**20


class ExplicitTable(NamedTuple):
    """A game over S states, A joint actions and K chance outcomes, for N agents."""

    initial: Ints  # (K0,) state after each initial outcome
    initial_chance: Floats  # (K0,)
    actions: Ints  # (N, A) joint action of each index; agent 0 varies slowest
    observations: tuple[Array, ...]  # (S, ...) per agent
    states: Any  # the game's own state, with S in place of B
    legal: tuple[Bools, ...] | None  # (S, n) per agent; None if all actions are legal
    probs: Floats  # (S, A, K)
    successors: Ints  # (S, A, K)
    rewards: Floats  # (N, S, A, K)
    terminated: Bools  # (S, A, K)


class RepeatedTable(NamedTuple):
    """A repeated game: state s after joint action a is (s A + a) mod A^memory."""

    initial: Ints
    initial_chance: Floats
    actions: Ints
    observations: tuple[Array, ...]
    states: Any
    legal: None
    payoffs: Floats  # (N, A) of one stage
    probs: Floats  # (K,): another round follows, or, if K = 2, the game ends
    terminated: Bools  # (K,)


Table = ExplicitTable | RepeatedTable


class Outcomes(NamedTuple):
    """What may follow from states and joint actions; K is the last axis."""

    probs: Floats  # (..., K)
    successors: Ints  # (..., K)
    rewards: Floats  # (N, ..., K)
    terminated: Bools  # (..., K)


def num_states(table: Table) -> int:
    """Return S."""
    return len(table.observations[0])


def outcomes(table: Table, state: Ints, action: Ints) -> Outcomes:
    """Return what may follow from states and joint actions, whose shapes broadcast."""
    if isinstance(table, ExplicitTable):
        return Outcomes(
            table.probs[state, action],
            table.successors[state, action],
            table.rewards[:, state, action],
            table.terminated[state, action],
        )
    state, action = np.broadcast_arrays(state, action)
    shape = (*state.shape, len(table.probs))
    following = (state * table.actions.shape[1] + action) % num_states(table)
    return Outcomes(
        np.broadcast_to(table.probs, shape),
        np.broadcast_to(following[..., None], shape),
        np.broadcast_to(table.payoffs[:, action, None], (len(table.payoffs), *shape)),
        np.broadcast_to(table.terminated, shape),
    )


def own_index(game: Game[Any], table: Table, seat: int) -> Ints:
    """Return the index of one agent's observation in every state, (S,)."""
    return to_index(game.observation_spaces[seat], table.observations[seat])


@lru_cache(maxsize=32)
def tabulate(game: Game[Any], max_bytes: int = MAX_BYTES, max_periods: int | None = None) -> Table:
    """Enumerate the states of `game`; in the explicit form those that steps lead to.

    The state's fields must be (B,) or (B, k).

    Args:
        game: the game.
        max_bytes: size that the table may have.
        max_periods: most periods after the start in which new states may be found, each of
            which takes a search of its own; None for any number.

    Raises:
        ValueError: If an action space is not finite, if the game draws chance by itself, if
            the table would take more than `max_bytes`; the message says what would fit; or if
            states go on after `max_periods`.
    """
    counts = [size(space) for space in game.action_spaces]
    num_joint = int(np.prod(counts, dtype=object))
    if (stage := game.stage()) is not None:
        _check_repeated(game, stage, num_joint, max_bytes)
    if stage is None and _draws(type(game)):  # a repeated game draws as its stage says
        raise ValueError(f"{type(game).__name__} draws chance that cannot be enumerated")
    if num_joint * 8 * len(counts) > max_bytes:
        raise _too_large(game, num_joint * 8 * len(counts), max_bytes, "fewer joint actions")
    actions = np.stack(np.unravel_index(np.arange(num_joint), counts)).astype(np.int64)
    if stage is not None:
        return _repeated(game, actions, stage)
    return _explicit(game, actions, max_bytes, max_periods)


def _draws(kind: type[Game[Any]]) -> bool:
    """Return whether a game draws chance that it does not say the likelihood of."""
    draws_start = kind.draw_initial is not Game.draw_initial
    return kind.draw is not Game.draw or (
        draws_start and kind.initial_chance is Game.initial_chance
    )


def _too_large(game: Game[Any], needed: int, max_bytes: int, hint: str) -> ValueError:
    return ValueError(
        f"a table of {game!r} would take {needed / 2**20:,.0f} MiB, above "
        f"max_bytes={max_bytes} ({max_bytes / 2**20:,.0f} MiB); {hint}"
    )


def _repeated_bytes(game: Game[Any], num_joint: int, memory: int) -> int:
    """Return the bytes of the repeated form: payoffs, observations and states."""
    n = len(game.agents)
    return 8 * (n * num_joint + int(num_joint**memory) * (n + 1) * max(n * memory, 1))


def _check_repeated(game: Game[Any], stage: Stage, num_joint: int, max_bytes: int) -> None:
    needed = _repeated_bytes(game, num_joint, stage.memory)
    if needed <= max_bytes:
        return
    memory = max(
        (k for k in range(stage.memory) if _repeated_bytes(game, num_joint, k) <= max_bytes),
        default=None,
    )
    joint = num_joint
    while joint > 1 and _repeated_bytes(game, joint, stage.memory) > max_bytes:
        joint -= max(joint // 100, 1)
    fits = [f"with memory {stage.memory}, up to about {joint} joint actions (this has {num_joint})"]
    if memory is not None:
        fits.insert(0, f"memory {memory}")
    raise _too_large(game, needed, max_bytes, "what would fit: " + ", or ".join(fits))


def _rows(state: Any) -> list[tuple[Any, ...]]:
    columns = [f.tolist() if f.ndim == 1 else list(map(tuple, f.tolist())) for f in state]
    return list(zip(*columns, strict=True))


def _repeated(game: Game[Any], actions: Ints, stage: Stage) -> RepeatedTable:
    states = stage.states(np.arange(actions.shape[1] ** stage.memory))
    chance = game.initial_chance
    opening = game.initial(np.arange(len(chance)))
    if all(np.array_equal(a, b) for a, b in zip(opening, states, strict=True)):
        first = list(range(len(chance)))
    else:
        number = {row: s for s, row in enumerate(_rows(states))}
        first = [number[row] for row in _rows(opening)]
    ends = stage.continuation < 1
    probs = np.array([stage.continuation, 1 - stage.continuation]) if ends else np.ones(1)
    return RepeatedTable(
        np.array(first, np.int64),
        chance,
        actions,
        game.observe(states),
        states,
        None,
        stage.payoffs,
        probs,
        np.array([False, True][: len(probs)]),
    )


def _explicit(
    game: Game[Any], actions: Ints, max_bytes: int, max_periods: int | None
) -> ExplicitTable:
    num_joint = actions.shape[1]
    index: dict[tuple[Any, ...], int] = {}  # state -> its number, in order of discovery

    def number(state: Any) -> Ints:
        return np.array([index.setdefault(row, len(index)) for row in _rows(state)], np.int64)

    first = game.initial(np.arange(len(game.initial_chance)))

    def states(rows: Sequence[tuple[Any, ...]], repeats: int) -> Any:
        fields = zip(*rows, strict=True)
        arrays = (np.array(f, like.dtype) for f, like in zip(fields, first, strict=True))
        return type(first)(*(a.repeat(repeats, axis=0) for a in arrays))

    initial = number(first)
    blocks: list[tuple[Array, ...]] = []
    done = 0
    while done < len(index):
        if len(blocks) == max_periods:
            raise ValueError(f"{game!r} has new states after {max_periods} periods")
        frontier = list(islice(reversed(index), len(index) - done))[::-1]  # found last period
        done = len(index)
        _check_explicit(game, index, num_joint, 1, max_bytes)  # as little as there can be
        state, joint = states(frontier, num_joint), np.tile(actions, len(frontier))
        allowed = _allowed(game, state, joint)
        chance = np.atleast_2d(game.chance(state, joint))
        _check_explicit(game, index, num_joint, chance.shape[1], max_bytes)
        probs = np.broadcast_to(chance, (joint.shape[1], chance.shape[1]))
        steps = [game.step(state, joint, np.full(len(probs), k)) for k in range(probs.shape[1])]
        own = np.arange(done - len(frontier), done).repeat(num_joint)
        successors = np.stack([_numbered(number, step, own, allowed) for step in steps], axis=-1)
        blocks.append(
            (
                probs,
                successors,
                np.stack([step.terminated | ~allowed for step in steps], axis=-1),
                np.stack([step.rewards * allowed for step in steps], axis=-1).swapaxes(0, 1),
            )
        )
    if len({block[0].shape[-1] for block in blocks}) > 1:
        raise ValueError(f"{type(game).__name__}.chance has a number of outcomes that varies")
    columns = (np.concatenate(column) for column in zip(*blocks, strict=True))
    probs, successors, terminated, rewards = (
        c.reshape(len(index), num_joint, *c.shape[1:]) for c in columns
    )
    everything = states(list(index), 1)
    return ExplicitTable(
        initial,
        game.initial_chance,
        actions,
        game.observe(everything),
        everything,
        masks(game, everything),
        probs,
        successors,
        np.ascontiguousarray(np.moveaxis(rewards, 2, 0)),
        terminated,
    )


def _check_explicit(
    game: Game[Any],
    index: Mapping[tuple[Any, ...], int],
    num_joint: int,
    num_outcomes: int,
    max_bytes: int,
) -> None:
    """Raise if the states found so far take too much, seen by each agent as long as they are."""
    found, n = len(index), len(game.agents)
    length = sum(len(part) if isinstance(part, tuple) else 1 for part in next(iter(index)))
    each = num_joint * num_outcomes * (8 * n + 17) + 8 * length * (n + 1)
    if found * each > max_bytes:
        hint = f"at least {found} states were found, and {max_bytes // each} of them would fit"
        raise _too_large(game, found * each, max_bytes, hint)


def _allowed(game: Game[Any], state: Any, joint: Ints) -> Bools:
    """Return which rows of states and joint actions are legal, (b,)."""
    legal = masks(game, state)
    rows = np.arange(joint.shape[1])
    if legal is None:
        return np.ones(len(rows), np.bool_)
    return np.asarray(
        np.logical_and.reduce([own[rows, a] for own, a in zip(legal, joint, strict=True)])
    )


def _numbered(number: Any, step: Any, own: Ints, allowed: Bools) -> Ints:
    """Number the successors of legal rows; an illegal row leads nowhere new."""
    successors = own.copy()
    if allowed.any():
        successors[allowed] = number(type(step.state)(*(f[allowed] for f in step.state)))
    return successors


def strategy_of(policy: Policy, game: Game[Any], seat: int) -> Floats:
    """Return what a policy without memory plays, (V, n) probabilities by own observation.

    Args:
        policy: frozen, with a `rule` as `Reactive` has.
        game: a game whose seat has finite observations and actions.
        seat: index of the agent.

    Raises:
        ValueError: If the policy has memory or still learns, or a space is not finite.
    """
    if not hasattr(policy, "rule"):
        raise ValueError(f"{policy!r} is not a policy without memory, so it has no strategy")
    response = np.asarray(policy.rule(every_observation(game.observation_spaces[seat])))
    n = size(game.action_spaces[seat])
    return np.eye(n)[response] if response.ndim == 1 else np.asarray(response, np.float64)


def lawful(name: str, played: Floats, legal: Bools) -> Floats:
    """Return the probabilities (S, n) with illegal actions left out."""
    forced = legal.sum(axis=1) == 1
    weight = np.where(forced[:, None], legal, played * legal)
    total = weight.sum(axis=1, keepdims=True)
    if (total <= 0).any():
        raise ValueError(f"strategy of {name} plays illegal actions alone in some state")
    return np.asarray(weight / total)


def spread(game: Game[Any], table: Table, strategies: Sequence[Floats]) -> list[Floats]:
    """Return each agent's action probabilities in every state, (S, n).

    Args:
        game: the game of the table.
        table: its states.
        strategies: per agent (rows, n) by the index of its own observation, or one row
            that is played whatever it sees.

    An illegal action takes no part: the legal ones keep their proportions, and a seat with one
    legal action, as one that waits has, plays it.

    Raises:
        ValueError: If a strategy has the wrong shape, is no distribution, or plays illegal
            actions alone where there is a choice.
    """
    found = []
    for seat, (name, rows) in enumerate(zip(game.agents, strategies, strict=True)):
        rows = np.asarray(rows, np.float64)
        n = int(sizes(game.action_spaces[seat]).prod())
        views = size(game.observation_spaces[seat])
        if rows.ndim != 2 or rows.shape[1] != n or len(rows) not in (1, views):
            raise ValueError(
                f"strategy of {name} must be (1, {n}) or ({views}, {n}), got {rows.shape}"
            )
        if (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1):
            raise ValueError(f"strategy of {name} must have rows that are distributions")
        at = own_index(game, table, seat) if len(rows) > 1 else np.zeros(num_states(table), int)
        played = rows[at]
        if table.legal is not None:
            played = lawful(name, played, table.legal[seat])
        found.append(played)
    return found
