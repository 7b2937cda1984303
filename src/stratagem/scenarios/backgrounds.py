"""Backgrounds: frozen policies of the seats that are not evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Bools, Game, Memory, Policy
from stratagem.envs.streams import Stream, starting
from stratagem.envs.tabular import strategy_of

BACKGROUND = "background"
"""What a line-up says in the background seats."""


def check_backgrounds(
    game: Game[Any],
    seats: tuple[int, ...],
    backgrounds: Sequence[Sequence[str]],
    field: str,
    *,
    apart_from: Sequence[Sequence[str]] = (),
) -> None:
    """Check that backgrounds fit their seats and that no two of them play alike.

    Args:
        game: the game.
        seats: the background seats.
        backgrounds: per background one name for each of these seats.
        field: what the message calls them.
        apart_from: other backgrounds, checked already, that these must differ from too.

    Raises:
        ValueError: If they do not.
    """
    from stratagem.players import PLAYERS

    for names in backgrounds:
        if not seats or isinstance(names, str) or len(names) != len(seats):
            raise ValueError(
                f"{field} need one name for each of the background seats {seats}, got {names!r}"
            )
        for name in names:
            kind = name.partition(":")[0]
            if kind in PLAYERS and PLAYERS[kind].learns:
                raise ValueError(f"{field} must be frozen policies, got the learner {name!r}")
    own = [(names, seat_background(game, seats, names)) for names in backgrounds]
    others = [(names, seat_background(game, seats, names)) for names in apart_from]
    pairs = [*combinations(own, 2), *((a, b) for a in own for b in others)]
    for (a, first), (b, second) in pairs:
        same = (play_alike(game, *each) for each in zip(seats, first, second, strict=True))
        if tuple(a) == tuple(b) or all(same):
            raise ValueError(f"{field} must not play alike, in either split; {a} and {b} do")


def seat_background(
    game: Game[Any], seats: Sequence[int], names: Sequence[str]
) -> tuple[Policy, ...]:
    """Return a background's policies, one per background seat."""
    from stratagem.players import player

    return tuple(player(name, game, seat) for seat, name in zip(seats, names, strict=True))


def play_alike(game: Game[Any], seat: int, first: Policy, second: Policy) -> bool:
    """Return whether two frozen policies of a seat are known to play the same.

    Policies without memory over finite observations are compared by their action
    probabilities at every observation, all others by their fields.
    """
    try:
        one, other = (strategy_of(policy, game, seat) for policy in (first, second))
    except ValueError:
        return bool(first == second)
    return bool(np.allclose(one, other, rtol=0, atol=1e-12))


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """One of several frozen policies for every episode, each as likely.

    Mixtures of different seats with the same `lead` and the same number of policies draw the
    same one.

    Attributes:
        policies: at least one, for one seat.
        lead: seat whose starting numbers choose.
    """

    policies: tuple[Policy, ...]
    lead: int

    def __post_init__(self) -> None:
        """Check that there is a policy."""
        if not self.policies:
            raise ValueError("policies must be at least one, got none")

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Draw each copy's policy; every policy's memory is carried, one after the other."""
        leading = Stream(rng.keys, rng.steps, starting(self.lead))
        which = leading.integers(len(self.policies))
        if rng.purpose == leading.purpose:
            rng.draws = leading.draws
        memories = [policy.init(num_copies, rng) for policy in self.policies]
        return (which, *(field for memory in memories for field in memory))

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return what each copy's own policy plays; the others are asked and ignored."""
        which, rest = memory[0], memory[1:]
        answers, carried = [], [which]
        empty = Stream(rng.keys[:0], rng.steps[:0], rng.purpose)
        for policy in self.policies:
            like = policy.init(0, empty)
            own, rest = rest[: len(like)], rest[len(like) :]
            own = type(like)(*own) if hasattr(like, "_fields") else own
            answer, new = policy.act(observation, own, rng, mask)
            answers.append(answer)
            carried += new
        return np.stack(answers)[which, np.arange(len(which))], tuple(carried)
