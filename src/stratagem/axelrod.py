"""Strategies of the Axelrod library as players of the repeated prisoner's dilemma.

By name, as `"axelrod:TitForTat"`, or with parameters: `policy(axelrod.Random(0.3), game, seat)`. A
strategy of the library plays one match at a time, so a batch is played copy by copy: this is for
co-players, not for speed. Random strategies draw from the copy's keyed stream, once an episode,
the seed of their own generator. What a strategy is told is its own history and the other's,
the payoffs, and the number of rounds if the game shows it; strategies that read or change another
player's source or state are refused.

The library is not needed to import this module, and not installed with this package, whose extras
do without it: it is `pip install axelrod`.

Source: V. Knight, O. Campbell, M. Harper and others, *Axelrod-Python*, version 4.14.
"""

import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from .dilemmas import conduct_of, stances_paid
from .envs.core import Array, Bools, Conduct, Game, Ints, Policy
from .envs.streams import Stream

CHEATS = ("inspects_source", "manipulates_source", "manipulates_state")
"""Classifiers of the library that refuse a strategy."""


class Matches(NamedTuple):
    """Batched memory: one match of the library per copy.

    A player goes on from act to act. If an older memory is used again its player has gone on
    already, and is played anew from its seed and its history up to there.
    """

    seeds: Ints  # (B,) of the players' own generators
    rounds: Ints  # (B,) that the player has chosen an action for
    players: Array  # (B,) objects, None before the first round
    others: Array  # (B,) objects that show the player the other's history


@dataclass(frozen=True, eq=False)
class AxelrodPolicy:
    """A strategy of the library in one seat; see the module.

    Attributes:
        prototype: a player of the library, which is cloned for every episode.
        conduct: what cooperating and defecting mean to the seat.
        payoffs: R, S, T, P.
        length: rounds of an episode if players know it, else infinite.
    """

    prototype: Any
    conduct: Conduct
    payoffs: tuple[float, float, float, float]
    length: float

    def init(self, num_copies: int, rng: Stream) -> Matches:
        """Draw a seed per copy."""
        nobody = np.full(num_copies, None, object)
        return Matches(rng.integers(2**31), np.zeros(num_copies, np.int64), nobody, nobody)

    def act(
        self, observation: Array, memory: Any, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Matches]:
        """Return actions (B,) and memory."""
        del rng, mask
        library = _library()
        cooperate, defect = library.Action.C, library.Action.D
        said = [[cooperate if one else defect for one in both] for both in self._seen(observation)]
        players, others = memory.players.copy(), memory.others.copy()
        actions = np.empty(len(observation), np.int64)
        for i, rounds in enumerate(memory.rounds.tolist()):
            if rounds == 0 or len(players[i].history) != rounds - 1:
                players[i], others[i] = self._begun(int(memory.seeds[i]), rounds, players[i])
            if rounds:
                _note(players[i], others[i], said[0][i], said[1][i])
            chosen = players[i].strategy(others[i])
            actions[i] = self.conduct.cooperate if chosen == cooperate else self.conduct.punish
        return actions, Matches(memory.seeds, memory.rounds + 1, players, others)

    def _seen(self, observation: Array) -> tuple[list[bool], list[bool]]:
        own, other = self.conduct.cooperated(observation)
        return own.tolist(), other.tolist()

    def _begun(self, seed: int, rounds: int, older: Any) -> tuple[Any, Any]:
        """Return a player that has chosen `rounds` actions, as `older` did, and its opponent."""
        library = _library()
        player, other = self.prototype.clone(), library.Player()
        reward, sucker, temptation, punishment = self.payoffs
        rules = library.Game(r=reward, s=sucker, t=temptation, p=punishment)
        player.set_match_attributes(length=self.length, game=rules, noise=0)
        if library.Classifiers["stochastic"](player):
            player.set_seed(seed)
        for i in range(rounds):
            if i:
                _note(player, other, older.history[i - 1], older.history.coplays[i - 1])
            player.strategy(other)
        return player, other


def _note(player: Any, other: Any, own: Any, its: Any) -> None:
    player.update_history(own, its)
    other.update_history(its, own)


def policy(strategy: Any, game: Game[Any], seat: int) -> AxelrodPolicy:
    """Return a strategy of the library as a policy.

    Args:
        strategy: the name of its class, as "TitForTat", or a player of the library.
        game: of two players with two actions each, the same to both, such as PrisonersDilemma-v0,
            which shows the last round.
        seat: index of the agent.

    Raises:
        ValueError: If the library is not installed, has no such strategy, the strategy reads or
            changes another's source or state, or the game is no such game.
    """
    own, other = stances_paid(game, seat, "axelrod")
    if not np.array_equal(own, other[[0, 2, 1, 3]]):
        raise ValueError(
            f"axelrod needs the same payoffs for both players, got {own.tolist()} and "
            f"{other.tolist()} after both cooperated, only oneself, only the other, nobody"
        )
    prototype = _named(strategy) if isinstance(strategy, str) else strategy
    classify = _library().Classifiers
    if cheats := [what for what in CHEATS if classify[what](prototype)]:
        raise ValueError(
            f"{prototype.name} of the Axelrod library is refused, for it {' and '.join(cheats)}"
            .replace("_", " ")
        )  # fmt: skip
    horizon = getattr(game, "horizon", None)
    return AxelrodPolicy(
        prototype,
        conduct_of(game, seat, "axelrod"),
        tuple(map(float, own)),  # type: ignore[arg-type]
        float("inf") if horizon is None else horizon,
    )


def build(game: Game[Any], seat: int, name: str) -> Policy:
    """Return `axelrod:NAME`."""
    return policy(name, game, seat)


@cache
def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("axelrod")
    except ImportError as error:
        raise ValueError(
            "players 'axelrod:NAME' need the Axelrod library, which is not installed here: "
            f"pip install axelrod ({error})"
        ) from None


def _named(name: str) -> Any:
    known = {each.__name__: each for each in _library().all_strategies}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {len(known)}, as TitForTat"
        raise ValueError(f"the Axelrod library has no strategy {name!r}; {hint}")
    return known[name]()
