"""Strategies of the Axelrod library as players: with the library, and with a stand-in for it."""

import random
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from stratagem import axelrod as adapter
from stratagem.envs.games.conflict.chicken import Chicken
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.simulator import rollout
from stratagem.players import player

GAME = PrisonersDilemma(continuation=1.0)
needs_library = pytest.mark.skipif(
    find_spec("axelrod") is None, reason="the Axelrod library is not installed"
)


class _Player:
    """As much of a player of the library as the adapter asks for."""

    name, stochastic, cheats = "Player", False, False

    def __init__(self) -> None:
        self.history = _History()
        self.told: dict[str, Any] = {}

    def clone(self) -> "_Player":
        return type(self)()

    def set_match_attributes(self, **told: Any) -> None:
        self.told = told

    def set_seed(self, seed: int) -> None:
        self.random = random.Random(seed)

    def update_history(self, own: str, its: str) -> None:
        self.history.plays.append(own)
        self.history.coplays.append(its)

    def strategy(self, other: "_Player") -> str:
        raise NotImplementedError


class _History:
    def __init__(self) -> None:
        self.plays: list[str] = []
        self.coplays: list[str] = []

    def __len__(self) -> int:
        return len(self.plays)

    def __getitem__(self, at: int) -> str:
        return self.plays[at]


class TitForTat(_Player):
    name = "Tit For Tat"

    def strategy(self, other: _Player) -> str:
        return other.history[-1] if len(other.history) else "C"


class Moody(_Player):
    """Draws, and counts its own calls: a state that only replay brings back."""

    name, stochastic = "Moody", True

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def strategy(self, other: _Player) -> str:
        self.calls += 1
        assert self.calls == len(self.history) + 1 == len(other.history) + 1
        return "CD"[self.random.random() < 0.5]


class Spy(_Player):
    name, cheats = "Spy", True


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stand-in with three strategies."""
    fake: Any = ModuleType("axelrod")
    fake.Action, fake.Player, fake.Game = SimpleNamespace(C="C", D="D"), _Player, dict
    fake.all_strategies = [TitForTat, Moody, Spy]
    fake.Classifiers = {
        "stochastic": lambda each: each.stochastic,
        "inspects_source": lambda each: each.cheats,
        "manipulates_source": lambda each: False,
        "manipulates_state": lambda each: each.cheats,
    }
    monkeypatch.setitem(sys.modules, "axelrod", fake)
    adapter._library.cache_clear()
    yield fake
    adapter._library.cache_clear()


def test_a_strategy_of_the_library_plays_as_our_own(library: Any) -> None:
    rival = player("random", GAME, 1)
    paths = [
        rollout(GAME, [player(name, GAME, 0), rival], num_copies=5, num_steps=9, seed=3)[0]
        for name in ("axelrod:TitForTat", "tit_for_tat")
    ]
    assert (paths[0].actions == paths[1].actions).all()
    assert np.ptp(paths[0].actions)


def test_each_copy_draws_from_its_own_seed_whatever_the_batch(library: Any) -> None:
    seats = [player("axelrod:Moody", GAME, seat) for seat in range(2)]
    many, _ = rollout(GAME, seats, num_copies=6, num_steps=12, seed=40)
    alone, _ = rollout(GAME, seats, num_copies=1, num_steps=12, seed=43)
    assert (many.actions[:, :, 3] == alone.actions[:, :, 0]).all()
    again, _ = rollout(GAME, seats, num_copies=6, num_steps=12, seed=40)
    assert (many.actions == again.actions).all()
    columns = many.actions.transpose(1, 2, 0).reshape(12, 12)
    assert len({tuple(column) for column in columns.tolist()}) == 12


def test_old_memory_stays_as_it_was_and_can_be_used_again(library: Any) -> None:
    policy = player("axelrod:Moody", GAME, 0)
    rng = SimpleNamespace(integers=lambda n: np.arange(4, dtype=np.int64))
    memory: Any = policy.init(4, rng)  # type: ignore[arg-type]
    past, seen, draws = [], np.zeros((4, 2), np.int64), np.random.default_rng(1)
    for _ in range(6):
        actions, after = policy.act(seen, memory, rng)  # type: ignore[arg-type]
        past.append((seen, memory, actions))
        seen = np.stack([actions + 1, draws.integers(1, 3, 4)], axis=1)
        memory = after
    for seen, memory, actions in (*past, past[2], past[5], past[0]):
        assert (policy.act(seen, memory, rng)[0] == actions).all()  # type: ignore[arg-type]


def test_players_are_told_the_payoffs_and_a_length_that_is_known(library: Any) -> None:
    for game, length in ((GAME, np.inf), (PrisonersDilemma(horizon=7), 7)):
        _, memories = rollout(
            game, [player("axelrod:TitForTat", game, 0), player("fixed:1", game, 1)],
            num_copies=1, num_steps=3, seed=0,
        )  # fmt: skip
        told = memories[0].players[0].told
        assert told == {"length": length, "game": {"r": 3, "s": 0, "t": 5, "p": 1}, "noise": 0}
        assert memories[0].players[0].history.coplays == ["D", "D"]


def test_an_episode_begins_a_new_match_and_views_take_the_name(library: Any) -> None:
    env = gymnasium.make(
        "stratagem/PrisonersDilemma-v0",
        co_players={"player_1": "axelrod:TitForTat"},
        continuation=1.0,
    )
    env.reset(seed=0)
    paid = [env.step(action)[1] for action in (1, 1, 0, 0)]
    assert paid == [5, 1, 0, 3]
    env.reset()
    assert env.step(1)[1] == 5


def test_cheats_and_unknown_names_are_refused(library: Any) -> None:
    with pytest.raises(ValueError, match="Spy of the Axelrod library is refused, for it inspects "
                       "source and manipulates state"):  # fmt: skip
        player("axelrod:Spy", GAME, 0)
    with pytest.raises(ValueError, match="no strategy 'TitForTatt'; did you mean 'TitForTat'"):
        player("axelrod:TitForTatt", GAME, 0)
    with pytest.raises(ValueError, match="no strategy 'x'; it has 3, as TitForTat"):
        player("axelrod:x", GAME, 0)
    with pytest.raises(ValueError, match="must be written 'axelrod:NAME'"):
        player("axelrod", GAME, 0)
    assert adapter.policy(TitForTat(), GAME, 1).payoffs == (3, 0, 5, 1)


def test_games_that_the_library_does_not_play_are_refused(library: Any) -> None:
    with pytest.raises(ValueError, match="axelrod needs two players with two actions each"):
        player("axelrod:TitForTat", PrisonersDilemma(device=True), 0)
    with pytest.raises(ValueError, match="axelrod needs a cooperative and a punishing action"):
        player("axelrod:TitForTat", Chicken(memory=0), 0)
    lopsided = MatrixGame(payoffs=[[[3, 0], [5, 1]], [[3, 4], [0, 1]]], continuation=1.0, memory=1)
    with pytest.raises(ValueError, match="axelrod needs the same payoffs for both players"):
        player("axelrod:TitForTat", lopsided, 0)


def test_without_the_library_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "axelrod", None)
    adapter._library.cache_clear()
    with pytest.raises(ValueError, match="not installed here: pip install axelrod"):
        player("axelrod:TitForTat", GAME, 0)


@needs_library
def test_every_honest_strategy_plays_as_in_the_library_itself() -> None:
    """Against the same moves, with the same seed: 25 rounds, ours seat by seat."""
    library, rounds = adapter._library(), 25
    moves = np.random.default_rng(0).integers(0, 2, rounds)
    theirs = [(library.Action.C, library.Action.D)[move] for move in moves]
    rng = SimpleNamespace(integers=lambda n: np.array([12345]))
    refused = []
    for strategy in library.all_strategies:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                policy = player(f"axelrod:{strategy.__name__}", GAME, 0)
            except ValueError:
                refused.append(strategy)
                continue
            if library.Classifiers["long_run_time"](strategy()):
                continue
            own, other = strategy(), library.MockPlayer(theirs)
            own.set_match_attributes(length=float("inf"))
            if library.Classifiers["stochastic"](own):
                own.set_seed(12345)
            memory: Any = policy.init(1, rng)  # type: ignore[arg-type]
            seen = np.zeros((1, 2), np.int64)
            for move in moves:
                wanted = own.strategy(other)
                other.strategy(own)
                reply = (library.Action.C, library.Action.D)[move]
                own.update_history(wanted, reply)
                other.update_history(reply, wanted)
                actions, memory = policy.act(seen, memory, rng)  # type: ignore[arg-type]
                assert (actions[0] == 0) == (wanted == library.Action.C), strategy
                seen = np.array([[actions[0] + 1, move + 1]])
    assert set(refused) == set(library.cheating_strategies)
    assert len(library.all_strategies) - len(refused) > 200


@needs_library
def test_our_strategies_are_the_librarys_of_the_same_name() -> None:
    rival = player("memory_one:0.9/0.2/0.7/0.4/0.5", GAME, 1)
    for ours, theirs in (
        ("tit_for_tat", "TitForTat"), ("grim", "Grudger"), ("fixed:0", "Cooperator"),
        ("win_stay_lose_shift", "WinStayLoseShift"), ("fixed:1", "Defector"),
        ("memory_one:0/0/1/1/1", "Alternator"), ("memory_one:0/1/0/1/0", "Bully"),
    ):  # fmt: skip
        paths = [
            rollout(GAME, [player(name, GAME, 0), rival], num_copies=8, num_steps=30, seed=6)[0]
            for name in (ours, f"axelrod:{theirs}")
        ]
        assert (paths[0].actions == paths[1].actions).all()
