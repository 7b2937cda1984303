"""Random numbers, simulator and planning once more, each by a second way of its own."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from scipy import stats
from toys import Drift, Guess, Prisoners, Turns

from stratagem.envs import streams
from stratagem.envs.core import Game, Reactive, Step, choose
from stratagem.envs.planning import best_response, evaluate, expected_periods, payoffs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.envs.streams import Stream
from stratagem.envs.tabular import ExplicitTable, RepeatedTable, tabulate
from stratagem.testing.play import Counting

TIT_FOR_TAT = np.eye(2)[[0, 1, 0, 1]]  # by (own last, other's last)
DEFECT = np.array([[0.0, 1.0]])


def keys_of(seeds: Any, episode: int = 0) -> Any:
    roots = streams.make_roots(np.asarray(seeds, np.uint64))
    return streams.make_keys(roots, np.full(len(roots), episode, np.uint64))


def test_numbers_are_the_splitmix64_sequence() -> None:
    """The first outputs for the seed 1234567, as published with the generator's tests."""
    golden = 0x9E3779B97F4A7C15
    want = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [streams.mix_int(1234567 + k * golden) for k in (1, 2, 3)] == want
    words = np.array([(1234567 + k * golden) % 2**64 for k in (1, 2, 3)], np.uint64)
    assert streams.mix(words).tolist() == want


def test_batched_single_and_compiled_numbers_agree() -> None:
    seeds = [0, 1, 2**40 + 3, 2**64 - 1]
    keys, steps = keys_of(seeds, 5), np.array([0, 1, 77, 2**32 - 1], np.uint64)
    assert keys.tolist() == [streams.make_key_int(s, 5) for s in seeds]
    for purpose in (streams.CHANCE, streams.starting(1), streams.acting(3)):
        stream = Stream(keys, steps, purpose)
        for draw in range(3):
            shift = streams.offset(purpose, draw)
            pairs = zip(keys.tolist(), steps.tolist(), strict=True)
            assert stream.uniform().tolist() == [
                streams.uniform_int(key, step, shift) for key, step in pairs
            ]
    numba = pytest.importorskip("numba")
    assert np.array_equal(numba.njit(streams.mix)(keys), streams.mix(keys))


def test_numbers_are_uniform_along_every_axis() -> None:
    n, zero = 20_000, np.zeros(20_000, np.uint64)
    count = np.arange(n, dtype=np.uint64)
    one_key = np.broadcast_to(keys_of([3]), (n,))
    roots = np.broadcast_to(streams.make_roots(np.array([3], np.uint64)), (n,))
    along = {
        "copies": Stream(keys_of(count), zero, 0).uniform(),
        "steps": Stream(one_key, count, 0).uniform(),
        "episodes": Stream(streams.make_keys(roots, count), zero, 0).uniform(),
    }
    for name, numbers in along.items():
        assert numbers.min() >= 0, name
        assert numbers.max() < 1, name
        found = np.histogram(numbers, bins=100, range=(0, 1))[0]
        assert stats.chisquare(found).pvalue > 1e-4, name
        pairs = np.histogram2d(numbers[:-1:2], numbers[1::2], bins=10, range=((0, 1),) * 2)[0]
        assert stats.chisquare(pairs.ravel()).pvalue > 1e-4, name


def test_purposes_draws_and_neighbouring_copies_are_uncorrelated() -> None:
    n = 20_000
    keys, steps = keys_of(np.arange(n)), np.zeros(n, np.uint64)
    rows = []
    for purpose in range(5):
        stream = Stream(keys, steps, purpose)
        rows += [stream.uniform(), stream.uniform()]
    rows += [np.roll(rows[0], 1), Stream(keys, steps + np.uint64(1), 0).uniform()]
    off = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(off).max() < 5 / np.sqrt(n)


def test_no_two_copies_episodes_or_counters_share_a_number() -> None:
    keys = np.concatenate([keys_of(np.arange(500), episode) for episode in range(20)])
    assert len(np.unique(keys)) == keys.size
    steps = np.arange(20, dtype=np.uint64)
    seen = [
        keys[:50, None] + np.uint64(streams.offset(purpose, draw)) + steps * streams.STEP
        for purpose, draw in product(range(4), range(2))
    ]
    assert len(np.unique(seen)) == 50 * 8 * 20


def test_choice_follows_its_probabilities_and_never_leaves_the_range() -> None:
    n = 20_000
    probs = np.array([0.5, 0.0, 0.2, 0.3])
    for given in (probs, np.tile(probs, (n, 1))):
        drawn = choose(given, Stream(keys_of(np.arange(n)), np.zeros(n, np.uint64), 0))
        found = np.bincount(drawn, minlength=4)
        assert found[1] == 0
        assert stats.chisquare(found[probs > 0], n * probs[probs > 0]).pvalue > 1e-4
    short = np.array([0.25, 0.25])  # rounding in a sum, exaggerated
    drawn = choose(short, Stream(keys_of(np.arange(n)), np.zeros(n, np.uint64), 0))
    assert set(drawn.tolist()) == {0, 1}


def test_rolled_out_copies_are_single_games() -> None:
    game, players = Prisoners(), [Counting(2), Counting(2)]
    many, _ = rollout(game, players, num_copies=5, num_steps=40, seed=10, max_episode_steps=7)
    for i in range(5):
        one, _ = rollout(
            game, players, num_copies=1, num_steps=40, seed=10 + i, max_episode_steps=7
        )
        assert np.array_equal(many.actions[..., i], one.actions[..., 0])
        assert np.array_equal(many.rewards[..., i], one.rewards[..., 0])
        assert np.array_equal(many.terminated[:, i], one.terminated[:, 0])
        assert np.array_equal(many.truncated[:, i], one.truncated[:, 0])
    assert not (many.terminated & many.truncated).any()


def test_episodes_end_as_often_as_the_game_says() -> None:
    n = 20_000
    sim = Simulator(Prisoners(continuation=0.8), n)
    sim.reset(1)
    ended = sim.step(np.zeros((2, n), np.int64))[1].sum()
    assert stats.binomtest(int(ended), n, 0.2).pvalue > 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_copies": 0}, "num_copies must be at least 1, got 0"),
        ({"num_steps": 0}, "num_steps must be at least 1, got 0"),
        ({"max_episode_steps": 0}, "max_episode_steps must be at least 1, got 0"),
        ({"seed": np.arange(3)}, "seed must be one number or 2"),
        ({"policies": [Counting(2)]}, "policies must be one per agent"),
    ],
)
def test_rollout_refuses_what_makes_no_sense(change: dict[str, Any], message: str) -> None:
    kwargs: dict[str, Any] = {"policies": [Counting(2)] * 2, "num_copies": 2}
    kwargs |= {"num_steps": 2, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        rollout(Prisoners(), kwargs.pop("policies"), **kwargs)


def test_tables_have_the_form_that_the_game_allows() -> None:
    assert isinstance(tabulate(Prisoners()), RepeatedTable)
    turns = tabulate(Turns())
    assert isinstance(turns, ExplicitTable)
    assert np.allclose(turns.probs.sum(axis=-1), 1)
    with pytest.raises(ValueError, match="space must be finite"):
        tabulate(Drift())


def test_a_table_beyond_its_limit_names_its_size_and_what_would_fit() -> None:
    with pytest.raises(ValueError, match=r"MiB, above max_bytes=200 .*what would fit: memory 0"):
        tabulate(Prisoners(), max_bytes=200)
    with pytest.raises(ValueError, match=r"MiB, above max_bytes=700 .*states were found, and \d+"):
        tabulate(Turns(), max_bytes=700)


def test_a_repeated_game_is_worth_what_is_worked_out_by_hand() -> None:
    game = Prisoners(continuation=0.8)
    assert payoffs(game, [DEFECT, DEFECT]) == pytest.approx([5, 5])
    assert payoffs(game, [TIT_FOR_TAT, TIT_FOR_TAT]) == pytest.approx([15, 15])
    assert payoffs(game, [DEFECT, TIT_FOR_TAT]) == pytest.approx([5 + 4, 0 + 4])
    assert expected_periods(game, [DEFECT, TIT_FOR_TAT]) == pytest.approx(5)
    endless = Prisoners(continuation=1.0)
    assert payoffs(endless, [DEFECT, DEFECT], discount=0.9) == pytest.approx([10, 10])


@pytest.mark.parametrize(("c", "value"), [(0.8, 3 / 0.2), (0.5, 5 / 0.75), (0.2, 5 + 0.25)])
def test_the_best_reply_to_tit_for_tat_changes_with_patience(c: float, value: float) -> None:
    """Cooperate always, 3 / (1 - c); take turns, 5 / (1 - c^2); defect always, 5 + c / (1 - c)."""
    hand = max(3 / (1 - c), 5 / (1 - c * c), 5 + c / (1 - c))
    assert hand == pytest.approx(value)
    ending, endless = Prisoners(continuation=c), Prisoners(continuation=1.0)
    assert best_response(ending, 0, [None, TIT_FOR_TAT]).payoffs[0] == pytest.approx(value)
    same = best_response(endless, 0, [None, TIT_FOR_TAT], discount=c)
    assert same.payoffs[0] == pytest.approx(value)
    assert same.method == "observations"


def test_unbounded_sums_and_bad_strategies_are_refused() -> None:
    endless = Prisoners(continuation=1.0)
    for call in (payoffs, evaluate, expected_periods):
        with pytest.raises(ValueError, match=r"for ever.*discount="):
            call(endless, [DEFECT, DEFECT])  # type: ignore[operator]
    with pytest.raises(ValueError, match="unbounded"):
        best_response(endless, 0, [None, DEFECT])
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], got 1.5"):
        payoffs(endless, [DEFECT, DEFECT], discount=1.5)
    with pytest.raises(ValueError, match="strategy of player_1 must be"):
        payoffs(endless, [DEFECT, np.ones((3, 2))], discount=0.9)
    with pytest.raises(ValueError, match="rows that are distributions"):
        payoffs(endless, [DEFECT, np.ones((1, 2))], discount=0.9)


def test_a_hidden_coin_is_guessed_from_the_whole_history() -> None:
    """Waiting once is best: two equal hints settle the guess, two unequal ones cancel.

    After two hints, equal with chance .68, a guess is worth 2 * .64 / .68 - 1; unequal ones
    make a third hint worth waiting for, -.1 + .6. So .68 * .88235 + .32 * .5 = .76, less .1.
    """
    found = best_response(Guess(), 0, [None])
    assert found.method == "beliefs"
    assert found.strategy is None
    assert found.payoffs[0] == pytest.approx(0.66, abs=1e-12)
    assert best_response(Guess(horizon=1), 0, [None]).payoffs[0] == pytest.approx(0.6)
    with pytest.raises(ValueError, match="max_beliefs=3"):
        best_response(Guess(), 0, [None], max_beliefs=3)

    def memoryless(rule: tuple[int, ...]) -> Any:
        rows = np.zeros((8, 3))
        for hint, step in product(range(2), range(4)):
            rows[hint * 4 + step, (hint, 1 - hint, 2)[(*rule, 0)[step]]] = 1
        return rows

    reactive = max(
        payoffs(Guess(horizon=3), [memoryless(rule)])[0] for rule in product(range(3), repeat=3)
    )
    assert reactive == pytest.approx(0.6)  # it has the latest hint alone, so why wait


def test_the_follower_who_sees_the_leader_answers_it() -> None:
    """The follower matches for 1 a round; against it the leader picks 2: 2 + .25 a round."""
    game = Turns()
    match = np.eye(3)[[max(led - 1, 0) for led in range(4) for _ in range(4)]]
    follower = best_response(game, 1, [np.full((1, 3), 1 / 3), None])
    assert follower.payoffs[1] == pytest.approx(3)
    assert best_response(game, 0, [None, match]).payoffs[0] == pytest.approx(3 * 2.25)


class Place(NamedTuple):
    at: Any


@dataclass(frozen=True, kw_only=True)
class RandomGame(Game[Place]):
    """Three places, two agents with two actions, two outcomes; all drawn from `seed`."""

    seed: int

    @property
    def agents(self) -> tuple[str, ...]:
        return ("player_0", "player_1")

    @cached_property
    def action_spaces(self) -> Any:
        return (Discrete(2), Discrete(2))

    @cached_property
    def observation_spaces(self) -> Any:
        return (Discrete(3), Discrete(3))

    @cached_property
    def numbers(self) -> Any:
        rng = np.random.default_rng(self.seed)
        shape = (3, 2, 2)
        first = rng.uniform(0.2, 0.8, shape)
        return first, rng.integers(3, size=(*shape, 2)), rng.normal(size=(2, *shape, 2))

    def initial(self, outcome: Any) -> Place:
        return Place(np.zeros_like(outcome))

    def chance(self, state: Place, actions: Any) -> Any:
        first = self.numbers[0][state.at, actions[0], actions[1]]
        return np.stack([0.9 * first, 0.9 * (1 - first), np.full_like(first, 0.1)], axis=1)

    def step(self, state: Place, actions: Any, outcome: Any) -> Step[Place]:
        where = (state.at, actions[0], actions[1], np.minimum(outcome, 1))
        return Step(Place(self.numbers[1][where]), self.numbers[2][:, *where], outcome == 2)

    def observe(self, state: Place) -> Any:
        return state.at, state.at


def value_by_hand(game: RandomGame, own: Any, other: Any, discount: float) -> Any:
    """Return both agents' values from place 0, by one linear system written from the numbers."""
    first, successors, rewards = game.numbers
    chain, paid = np.zeros((3, 3)), np.zeros((3, 2))
    for s, a, b in product(range(3), range(2), range(2)):
        weight = own[s, a] * other[s, b]
        probs = [0.9 * first[s, a, b], 0.9 * (1 - first[s, a, b])]
        for k in range(2):
            chain[s, successors[s, a, b, k]] += weight * probs[k]
            paid[s] += weight * probs[k] * rewards[:, s, a, b, k]
        paid[s] += weight * 0.1 * rewards[:, s, a, b, 1]
    return np.linalg.solve(np.eye(3) - discount * chain, paid)[0]


@pytest.mark.parametrize("discount", [1.0, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_planning_equals_brute_force_on_random_games(seed: int, discount: float) -> None:
    game, rng = RandomGame(seed=seed), np.random.default_rng(100 + seed)
    fixed = rng.dirichlet(np.ones(2), size=3)
    best = [-np.inf, -np.inf]
    for rule in product(range(2), repeat=3):
        own = np.eye(2)[list(rule)]
        for seat in range(2):
            pair = (own, fixed) if seat == 0 else (fixed, own)
            want = value_by_hand(game, *pair, discount)
            assert payoffs(game, pair, discount=discount) == pytest.approx(want, abs=1e-12)
            best[seat] = max(best[seat], want[seat])
    for seat in range(2):
        found = best_response(game, seat, [fixed, fixed], discount=discount)
        assert found.payoffs[seat] == pytest.approx(best[seat], abs=1e-12)


def test_the_mean_of_many_games_is_the_value() -> None:
    game, n = RandomGame(seed=9), 20_000
    rows = np.array([[0.3, 0.7], [0.5, 0.5], [0.9, 0.1]])
    policy = Reactive(lambda seen: rows[seen])
    played, _ = rollout(game, [policy, policy], num_copies=n, num_steps=200, seed=2)
    live = np.cumsum(played.terminated, axis=0) - played.terminated == 0
    sums = (played.rewards * live[:, None]).sum(axis=0)
    error = sums.std(axis=1) / np.sqrt(n)
    assert (np.abs(sums.mean(axis=1) - payoffs(game, [rows, rows])) < 5 * error).all()
