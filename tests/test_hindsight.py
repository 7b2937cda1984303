"""What other actions would have paid: by hand, against the game's own steps, and refusals."""

import pickle
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from toys import PRISONERS, Drift, Guess, Prisoners, Turns, Wander
from typing_extensions import override

from stratagem.agents.scripted.random_play import Random
from stratagem.envs.core import Array, Floats, Game, Ints, Stage, Step, Transition
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.hindsight import counterfactuals, hindsight
from stratagem.envs.simulator import Player, Simulator, rollout
from stratagem.envs.spaces import nothing_to_see, see_nothing, size


class Shown(NamedTuple):
    last: Ints  # (B,) joint action last played


@dataclass(frozen=True, kw_only=True)
class Normal(Game[Shown]):
    """A repeated game in normal form that shows what is asked for after each period.

    Attributes:
        payoffs: (N, n_0, n_1, ...) nested.
        shows: "all" last actions, only one's "own", one's own with its "payoff", or "nothing".
    """

    payoffs: Any
    shows: str = "all"

    def __post_init__(self) -> None:
        object.__setattr__(self, "payoffs", nested(self.payoffs))

    @cached_property
    def tensor(self) -> Floats:
        return np.array(self.payoffs, np.float64)

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return tuple(f"player_{i}" for i in range(len(self.tensor)))

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return tuple(Discrete(n) for n in self.tensor.shape[1:])

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        counts = self.tensor.shape[1:]
        if self.shows == "nothing":
            return (nothing_to_see(),) * len(counts)
        if self.shows == "all":
            return (MultiDiscrete(counts),) * len(counts)
        levels = [len(np.unique(own)) for own in self.tensor]
        return tuple(
            MultiDiscrete([n, k] if self.shows == "payoff" else [n])
            for n, k in zip(counts, levels, strict=True)
        )

    @override
    def initial(self, outcome: Ints) -> Shown:
        return Shown(np.zeros_like(outcome))

    @override
    def step(self, state: Shown, actions: Ints, outcome: Ints) -> Step[Shown]:
        joint = np.ravel_multi_index(tuple(actions), self.tensor.shape[1:])
        rewards = self.tensor[(slice(None), *actions)]
        after = joint if self.shows != "nothing" else np.zeros_like(joint)
        return Step(Shown(after), rewards, np.zeros(len(joint), np.bool_))

    @override
    def observe(self, state: Shown) -> tuple[Array, ...]:
        actions = np.unravel_index(state.last, self.tensor.shape[1:])
        if self.shows == "nothing":
            return tuple(see_nothing(len(state.last)) for _ in actions)
        if self.shows == "all":
            return tuple(np.stack(actions, axis=1) for _ in actions)
        seen = []
        for own, table in zip(actions, self.tensor, strict=True):
            level = np.searchsorted(np.unique(table), table[actions])
            seen.append(np.stack([own, level][: 1 + (self.shows == "payoff")], axis=1))
        return tuple(seen)

    @override
    def stage(self) -> Stage:
        table = self.tensor.reshape(len(self.tensor), -1)
        return Stage(table, int(self.shows != "nothing"), 1.0, Shown)


def nested(values: Any) -> Any:
    return values if isinstance(values, float) else tuple(map(nested, values))


class Round(NamedTuple):
    number: Ints


@dataclass(frozen=True, kw_only=True)
class Bet(Game[Round]):
    """Three rounds: staying out pays 0; betting pays 1 with probability .7, else -1."""

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("better_0",)

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(2),)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(4),)

    @override
    def initial(self, outcome: Ints) -> Round:
        return Round(np.zeros_like(outcome))

    @override
    def chance(self, state: Round, actions: Ints) -> Floats:
        return np.array([0.7, 0.3])

    @override
    def step(self, state: Round, actions: Ints, outcome: Ints) -> Step[Round]:
        number = np.minimum(state.number + 1, 3)
        return Step(Round(number), (actions * (1 - 2 * outcome)).astype(float), number == 3)

    @override
    def observe(self, state: Round) -> tuple[Array, ...]:
        return (state.number,)


def lesson(before, action, after):
    nothing = np.zeros(len(action))
    return Transition(
        np.array(before), np.array(action), nothing, np.array(after), nothing > 0, nothing > 0
    )


def periods(game, num_copies, num_steps, seed):
    """Yield state, joint actions, rewards and what follows, of random play."""
    sim = Simulator(game, num_copies)
    sim.reset(seed)
    players = [Player(Random(size(s)), i) for i, s in enumerate(game.action_spaces)]
    for _ in range(num_steps):
        state, seen = sim.state, sim.seen
        actions = sim.gather([player.act(sim) for player in players])
        rewards, terminated, _ = sim.step(actions)
        yield state, seen, actions, rewards, sim.seen
        if terminated.any():
            sim.reset(index=terminated.nonzero()[0])


def test_a_prisoner_knows_what_the_other_action_would_have_paid() -> None:
    first, second = (hindsight(Prisoners(), seat) for seat in range(2))
    # an observation is (own last action, the other's); 0 cooperates: 3 or 0, 1 defects: 5 or 1
    found = first(lesson([[0, 0]] * 3, [0, 0, 1], [[0, 0], [0, 1], [1, 1]]))
    assert found.tolist() == [[3, 5], [0, 1], [0, 1]]
    assert second(lesson([[0, 0]], [1], [[1, 0]])).tolist() == [[3, 5]]
    assert (first.low, first.high) == (0, 5)
    assert np.array_equal(PRISONERS[1, 0], [3, 5])


def test_a_follower_knows_the_payoffs_where_it_moves_and_illegal_ones_pay_the_least() -> None:
    found = hindsight(Turns(), 1)
    # the leader chose 1 in round 0: matching pays 1, action 0 is illegal
    assert found(lesson([[2, 0]], [2], [[0, 1]])).tolist() == [[0, 1, 0]]
    assert (found.low, found.high) == (0, 1)


def test_payoffs_are_expected_over_chance() -> None:
    found = hindsight(Bet(), 0)
    assert found(lesson([0, 1], [0, 1], [1, 2])) == pytest.approx(np.array([[0, 0.4]] * 2))
    assert (found.low, found.high) == (0, pytest.approx(0.4))


@pytest.mark.parametrize(
    "game",
    [
        Prisoners(),
        LogitPricing(num_prices=4, memory=2),
        LogitPricing(num_prices=3, num_firms=3, continuation=0.7),
        InformationGame(horizon=4),
        InformationGame(horizon=3, feedback="payoff"),
    ],
)
def test_what_is_found_is_what_the_game_itself_pays(game) -> None:
    for state, seen, actions, rewards, after in periods(game, 30, 8, seed=3):
        for seat, space in enumerate(game.action_spaces):
            over = np.zeros(30, np.bool_)
            shown = Transition(seen[seat], actions[seat], rewards[seat], after[seat], over, over)
            found = hindsight(game, seat)(shown)
            assert np.array_equal(found[np.arange(30), actions[seat]], rewards[seat])
            for other in range(size(space)):
                instead = actions.copy()
                instead[seat] = other
                paid = game.step(state, instead, np.zeros(30, np.int64)).rewards[seat]
                assert np.array_equal(found[:, other], paid)
            assert hindsight(game, seat).low <= found.min()
            assert found.max() <= hindsight(game, seat).high


@pytest.mark.parametrize("counts", [(3,), (2, 4), (2, 3, 2)])
def test_in_random_games_that_show_all_actions_every_period_is_settled(counts) -> None:
    payoffs = np.random.default_rng(sum(counts)).normal(size=(len(counts), *counts)).tolist()
    game = Normal(payoffs=payoffs)
    for seat, own in enumerate(game.tensor):
        found = hindsight(game, seat)
        for joint in product(*map(range, counts)):
            others = tuple(slice(None) if i == seat else a for i, a in enumerate(joint))
            shown = found(lesson([[0] * len(counts)], [joint[seat]], [list(joint)]))
            assert shown.tolist() == [own[others].tolist()]
        assert (found.low, found.high) == (own.min(), own.max())


MATCH = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
ALONE = [[[1.0, 1.0], [2.0, 2.0]], [[0.0, 1.0], [1.0, 0.0]]]


def test_a_payoff_that_tells_what_the_others_did_is_enough() -> None:
    found = hindsight(Normal(payoffs=MATCH, shows="payoff"), 0)
    assert found(lesson([[0, 0]] * 2, [0, 1], [[0, 0], [1, 0]])).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shows", ["own", "nothing"])
def test_hidden_actions_are_refused_unless_they_do_not_matter(shows) -> None:
    with pytest.raises(ValueError, match="Normal does not show player_0 what its other actions"):
        hindsight(Normal(payoffs=MATCH, shows=shows), 0)
    game = Normal(payoffs=ALONE, shows=shows)
    after = see_nothing(1) if shows == "nothing" else np.array([[1]])
    assert hindsight(game, 0)(lesson(after, [1], after)).tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="player_1"):
        hindsight(game, 1)


@pytest.mark.parametrize(
    ("game", "seat"),
    [
        (LogitPricing(num_prices=3, memory=0), 0),  # nothing is shown
        (InformationGame(precision=(0.5, 0.5), horizon=3), 0),  # which game it was
        (Turns(), 0),  # what the follower does comes later
        (Guess(), 0),  # on which side the coin lies
        (Wander(), 0),  # what the other did
    ],
)
def test_what_is_hidden_is_refused(game, seat) -> None:
    with pytest.raises(ValueError, match=f"does not show {game.agents[seat]} what its other"):
        hindsight(game, seat)


def test_a_game_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="space must be finite"):
        hindsight(Drift(), 0)


def test_a_period_that_the_game_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no period with these observations"):
        hindsight(Prisoners(), 0)(lesson([[0, 0]], [1], [[0, 0]]))


def test_hindsight_can_be_pickled() -> None:
    found = hindsight(Prisoners(), 0)
    shown = lesson([[0, 0]], [1], [[1, 0]])
    assert pickle.loads(pickle.dumps(found))(shown).tolist() == found(shown).tolist() == [[3, 5]]


@pytest.mark.parametrize(
    "game",
    [
        Prisoners(),
        LogitPricing(num_prices=4, memory=0),
        Normal(payoffs=MATCH, shows="nothing"),
        InformationGame(horizon=4),
        Turns(),
    ],
)
def test_counterfactuals_of_a_trajectory_are_what_the_game_itself_pays(game) -> None:
    """The states are replayed by a simulator of the same seed."""
    seats = [Random(size(space)) for space in game.action_spaces]
    trajectory, _ = rollout(game, seats, num_copies=20, num_steps=9, seed=5)
    found = [counterfactuals(game, seat, trajectory) for seat in range(len(seats))]
    for t, (state, _, actions, rewards, _) in enumerate(periods(game, 20, 9, seed=5)):
        assert np.array_equal(actions, trajectory.actions[t])
        legal = game.legal(state)
        for seat, own in enumerate(found):
            assert np.array_equal(own[t, np.arange(20), actions[seat]], rewards[seat])
            for other in range(own.shape[2]):
                instead = actions.copy()
                instead[seat] = other
                paid = game.step(state, instead, np.zeros(20, np.int64)).rewards[seat]
                moves = game.movers(state)
                free = np.ones(20, bool) if legal is None else legal[seat][:, other]
                free = free if moves is None else free & (moves[seat] | (other == 0))
                assert np.array_equal(own[t, free, other], paid[free])


def test_counterfactuals_that_nobody_can_see_are_refused() -> None:
    game = InformationGame(precision=(0.0, 0.5), horizon=3)
    seats = [Random(2), Random(2)]
    trajectory, _ = rollout(game, seats, num_copies=2, num_steps=3, seed=1)
    with pytest.raises(ValueError, match="what all agents of InformationGame see does not settle"):
        counterfactuals(game, 0, trajectory)
    assert counterfactuals(game, 1, trajectory).shape == (3, 2, 2)
