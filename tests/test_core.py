"""Random numbers, tables, exact planning, and errors at the border."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from scipy import stats
from toys import Drift, Guess, Prisoners, Turns, Wander

import stratagem
from stratagem.envs import streams
from stratagem.envs.benchmarks import certified
from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.planning import best_response, evaluate, expected_periods, payoffs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.envs.spaces import is_blind, nothing_to_see
from stratagem.envs.streams import CHANCE, Stream, acting, make_keys, make_roots, starting
from stratagem.envs.tabular import ExplicitTable, RepeatedTable, tabulate

SEEDS = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)


def numbers(seed: int, purpose: int, n: int, episode: int = 0) -> Any:
    keys = make_keys(make_roots(np.array([seed], np.uint64)), np.array([episode], np.uint64))
    return Stream(keys.repeat(n), np.arange(n, dtype=np.uint64), purpose).uniform()


@pytest.mark.parametrize("episode", [0, 1, 2**40])
@pytest.mark.parametrize("purpose", [CHANCE, starting(0), acting(0), acting(30_000)])
def test_batched_and_integer_numbers_agree_to_the_bit(episode: int, purpose: int) -> None:
    keys = make_keys(make_roots(SEEDS), np.full(len(SEEDS), episode, np.uint64))
    for step in (0, 1, 2**32 - 1):
        rng = Stream(keys, np.full(len(SEEDS), step, np.uint64), purpose)
        for draw in range(3):
            batch = rng.uniform().tolist()
            ints = [streams.make_key_int(int(s), episode) for s in SEEDS]
            shift = streams.offset(purpose, draw)
            assert batch == [streams.uniform_int(key, step, shift) for key in ints]


def test_compiled_numbers_agree_to_the_bit() -> None:
    numba = pytest.importorskip("numba")
    mix = numba.njit(streams.mix)
    z = np.random.default_rng(0).integers(2**64, size=1000, dtype=np.uint64)
    assert [int(mix(x)) for x in z] == streams.mix(z).tolist()
    assert streams.mix(z).tolist() == [streams.mix_int(int(x)) for x in z]


def test_numbers_fill_the_interval_and_no_two_purposes_are_alike() -> None:
    n = 100_000
    rows = np.stack(
        [
            *(numbers(0, purpose, n) for purpose in (CHANCE, starting(0), acting(0), acting(1))),
            numbers(1, CHANCE, n),
            numbers(0, CHANCE, n, episode=1),
        ]
    )
    for row in rows:
        counts = np.histogram(row, bins=256, range=(0, 1))[0]
        assert stats.chisquare(counts).pvalue > 1e-5
    off_diagonal = np.corrcoef(rows)[~np.eye(len(rows), dtype=bool)]
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(n)


def test_a_repeated_game_is_not_tabulated_as_states_times_actions() -> None:
    table = tabulate(LogitPricing())
    assert isinstance(table, RepeatedTable)
    assert table.payoffs.shape == (2, 225)
    assert isinstance(tabulate(Guess()), ExplicitTable)


def test_a_table_beyond_its_limit_says_its_size_and_what_would_fit() -> None:
    game = LogitPricing(num_firms=3, memory=2)
    with pytest.raises(ValueError, match=r"MiB, above max_bytes=.*what would fit: memory 1"):
        tabulate(game)
    with pytest.raises(ValueError, match=r"states were found, and \d+ of them would fit"):
        tabulate(Wander(), max_bytes=500)
    stratagem.make_env(game, co_players={"firm_1": "fixed:0", "firm_2": "fixed:0"}).reset(seed=0)


def test_continuous_actions_and_drawn_chance_are_not_tabulated() -> None:
    with pytest.raises(ValueError, match="finite"):
        tabulate(Drift())


def test_always_defecting_is_worth_one_a_period() -> None:
    defect = (np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))
    assert payoffs(Prisoners(continuation=0.8), defect) == pytest.approx([5.0, 5.0])
    assert expected_periods(Prisoners(continuation=0.8), defect) == pytest.approx(5)
    endless = Prisoners(continuation=1.0)
    assert payoffs(endless, defect, discount=0.9) == pytest.approx([10.0, 10.0])


def test_an_unbounded_sum_is_refused() -> None:
    defect = (np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))
    for call in (payoffs, evaluate):
        with pytest.raises(ValueError, match="give discount="):
            call(Prisoners(continuation=1.0), defect)
    with pytest.raises(ValueError, match="give discount="):
        best_response(Prisoners(continuation=1.0), 0, defect)


def test_the_best_reply_to_tit_for_tat_turns_from_defection_to_cooperation() -> None:
    # Views are (own, other's) last actions: tit for tat plays the second digit of its index.
    mirror = np.eye(2)[[0, 1, 0, 1]]
    # Defect for ever: 5 + c + c^2 + ... ; cooperate: 3 / (1 - c); alternate: 5 / (1 - c^2).
    for c in (0.2, 0.6, 0.9):
        game = Prisoners(continuation=c)
        best = best_response(game, 0, [None, mirror])
        values = (5 + c / (1 - c), 3 / (1 - c), 5 / (1 - c**2))
        assert best.payoffs[0] == pytest.approx(max(values), abs=1e-9)
        assert best.strategy is not None
        assert payoffs(game, (best.strategy, mirror)) == pytest.approx(best.payoffs)


@pytest.mark.parametrize("seed", range(6))
def test_no_memoryless_strategy_beats_the_best_response(seed: int) -> None:
    game, rng = Wander(draw_from=seed), np.random.default_rng(seed)
    rival = rng.dirichlet(np.ones(2), size=3)
    best = best_response(game, 0, [None, rival])
    every = [payoffs(game, (np.eye(2)[list(own)], rival))[0] for own in product((0, 1), repeat=3)]
    assert best.payoffs[0] == pytest.approx(max(every), abs=1e-9)
    assert best.method == "observations"


@pytest.mark.parametrize("seed", range(3))
def test_values_agree_with_simulation(seed: int) -> None:
    game, copies = Wander(draw_from=seed), 4000
    uniform = [stratagem.player("random", game, i) for i in range(2)]
    played, _ = rollout(game, uniform, num_copies=copies, num_steps=300, seed=seed)
    first = played.terminated.cumsum(axis=0) - played.terminated == 0  # in the first episode
    returns = (played.rewards * first[:, None]).sum(axis=0)
    assert played.terminated.any(axis=0).all()
    error = returns.std(axis=1) / np.sqrt(copies)
    exact = payoffs(game, (np.full((1, 2), 0.5), np.full((1, 2), 0.5)))
    assert (np.abs(returns.mean(axis=1) - exact) < 5 * error).all()


def test_the_responder_infers_a_hidden_coin_from_its_history() -> None:
    # Wait once; guess if two hints agree (chance .68, right .64 / .68), else wait again:
    # -.1 + .68 (2 .64/.68 - 1) + .32 (-.1 + .6) = .66, and guessing at once is worth .6.
    best = best_response(Guess(horizon=3), 0, [None])
    assert best.method == "beliefs"
    assert best.payoffs[0] == pytest.approx(0.66)
    assert best_response(Guess(horizon=1), 0, [None]).payoffs[0] == pytest.approx(0.6)


def test_no_strategy_by_observation_beats_the_response_by_history() -> None:
    best = best_response(Guess(horizon=3), 0, [None]).payoffs[0]
    rng = np.random.default_rng(0)
    for _ in range(50):
        own = np.eye(3)[rng.integers(3, size=8)]
        assert payoffs(Guess(horizon=3), [own])[0] <= best + 1e-9


def test_a_responder_that_sees_gains_at_least_what_a_constant_action_does() -> None:
    rival = np.full((3, 2), 0.5)
    for seed in range(3):
        sees = best_response(Wander(draw_from=seed), 1, [rival, None]).payoffs[1]
        blind = Wander(draw_from=seed, blind=True)
        for action in (0, 1):
            assert payoffs(blind, (rival, np.eye(2)[[action]]))[1] <= sees + 1e-9


@dataclass(frozen=True)
class TooHigh:
    def __call__(self, observation: Any) -> Any:
        return np.full(len(observation), 2)


@dataclass(frozen=True)
class TooHighWithMemory:
    def init(self, num_copies: int, rng: Any) -> Any:
        return ()

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return np.full(len(observation), -1), memory


@pytest.mark.parametrize("policy", [Reactive(TooHigh()), TooHighWithMemory()])
def test_a_co_player_outside_its_action_space_is_refused(policy: Any) -> None:
    def play(make: Any) -> None:
        env = make()
        env.reset(seed=0)
        env.step(np.zeros(2, int) if hasattr(env, "num_envs") else 0)

    others = {"player_1": policy}
    with pytest.raises(ValueError, match=r"must give actions|action must be in"):
        play(lambda: stratagem.make_env(Prisoners(), co_players=others))
    with pytest.raises(ValueError, match="must give actions"):
        play(lambda: stratagem.vector_env(Prisoners(), 2, co_players=others))
    random = stratagem.player("random", Prisoners(), 0)
    with pytest.raises(ValueError, match="policy of player_1 must give actions"):
        rollout(Prisoners(), [random, policy], num_copies=2, num_steps=1, seed=0)


def test_too_many_beliefs_are_refused() -> None:
    rival = np.full((3, 2), 0.5)
    with pytest.raises(ValueError, match="more than max_beliefs=50 beliefs"):
        best_response(Wander(blind=True), 1, [rival, None], max_beliefs=50)


def test_malformed_strategies_are_refused_by_name() -> None:
    good = np.array([[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"strategy of player_1 must be \(1, 2\) or \(4, 2\)"):
        payoffs(Prisoners(), (good, np.eye(3)))
    with pytest.raises(ValueError, match="player_0 must have rows that are distributions"):
        payoffs(Prisoners(), (2 * good, good))
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\]"):
        payoffs(Prisoners(), (good, good), discount=1.5)


def test_illegal_actions_lead_nowhere_in_a_table_and_are_never_a_best_response() -> None:
    game = Turns(rounds=1)
    follow = np.zeros((8, 3))
    follow[np.arange(8), np.maximum(np.arange(8) // 2 - 1, 0)] = 1  # match what was led
    best = best_response(game, 0, [None, follow])
    assert best.payoffs == pytest.approx([2.25, 1.0])
    lead_two = np.zeros((8, 3))
    lead_two[:, 2], lead_two[4:, 2], lead_two[4:, 0] = 1, 0, 1
    assert best_response(game, 1, [lead_two, None]).payoffs[1] == pytest.approx(1.0)


def test_illegal_actions_take_no_part_in_a_mixed_strategy() -> None:
    uniform = np.full((1, 3), 1 / 3)
    assert expected_periods(Turns(), (uniform, uniform)) == pytest.approx(6)
    # The follower matches 0, 1, 2 with chance 1/3, 1/2 and 1, the leader earns .25 a round more.
    value = 3 * np.array([(0.5 + 2) / 3 + 0.25, (1 / 3 + 1 / 2 + 1) / 3])
    assert payoffs(Turns(), (uniform, uniform)) == pytest.approx(value)
    with pytest.raises(ValueError, match="follower_0 plays illegal actions alone"):
        payoffs(Turns(), (uniform, np.eye(3)[[0]]))


def test_certificates_need_deviators_and_a_regret_that_passes() -> None:
    made: dict[str, Any] = {"profile": (), "payoffs": [1.0], "method": "by hand"}
    with pytest.raises(ValueError, match="deviators is empty"):
        certified("nash", regret=0.0, deviators=(), **made)
    for regret in (1e-3, float("nan")):
        with pytest.raises(ValueError, match="above tolerance"):
            certified("nash", regret=regret, deviators=("a",), **made)


PRICING = "LogitPricing-v0"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stratagem.make_env("LogitPrices-v0"), "did you mean LogitPricing-v0"),
        (lambda: stratagem.make_env(PRICING, num_price=3), "unknown parameter 'num_price'.*mu"),
        (lambda: stratagem.make_env(PRICING, mu=-1.0), "mu .*-1"),
        (lambda: stratagem.make_env(PRICING, agent="firm_7"), "unknown agent 'firm_7'.*firm_0"),
        (lambda: stratagem.make_env(PRICING, co_players={"x": "grim"}), "unknown co-player 'x'"),
        (lambda: stratagem.make_env(PRICING, co_players={"firm_1": "grimm"}), "did you mean"),
        (lambda: stratagem.make_env(PRICING, co_players={"firm_0": "grim"}), "is the learner"),
        (lambda: stratagem.make_env(PRICING, co_players={"firm_1": 3}), "policy must have init"),
        (lambda: stratagem.make_env(PRICING, max_episode_steps=0), "max_episode_steps .*0"),
        (lambda: stratagem.make_env(PRICING, render_mode="tv"), "render_mode .*'tv'"),
        (lambda: stratagem.make_env(Prisoners(), mu=1), "takes no parameters"),
        (lambda: stratagem.vector_env(PRICING, 0), "num_envs must be at least 1, got 0"),
        (lambda: stratagem.vector_env(PRICING, 2, autoreset_mode="Disabled"), "autoreset_mode"),
        (lambda: stratagem.parallel_env(PRICING, max_cycles=0), "max_cycles .*0"),
        (lambda: stratagem.sb3_vec_env(PRICING, 2, agents="some"), "'one' or 'all', got 'some'"),
        (lambda: stratagem.sb3_vec_env(PRICING, 2, agents="all", agent="firm_0"), "every seat"),
        (lambda: rollout(Prisoners(), [], num_copies=1, num_steps=1, seed=0), "one per agent"),
        (lambda: Simulator(Prisoners(), 0), "num_copies must be at least 1, got 0"),
    ],
)
def test_bad_input_names_what_is_wrong_and_what_is_allowed(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_steps_before_a_reset_and_after_the_end_are_refused() -> None:
    env = stratagem.make_env("LeverCoordination-v0")
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    with pytest.raises(RuntimeError, match="episode is over"):
        env.step(0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        stratagem.vector_env("LeverCoordination-v0", 2).step(np.zeros(2, int))
    for parallel in (
        stratagem.parallel_env("LeverCoordination-v0"),
        stratagem.aec_env("LeverCoordination-v0"),
    ):
        with pytest.raises(RuntimeError, match="call reset"):
            parallel.step({} if hasattr(parallel, "copy") else 0)


def test_parallel_actions_must_be_of_known_agents_and_complete() -> None:
    env = stratagem.parallel_env(PRICING)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="unknown agent 'firm_9'"):
        env.step({"firm_0": 1, "firm_1": 1, "firm_9": 1})
    with pytest.raises(ValueError, match="must have one for 'firm_1'"):
        env.step({"firm_0": 1})


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stratagem.envs.adapters.sb3", None)
    with pytest.raises(ImportError, match=r"pip install \"stratagem\[sb3\]\""):
        stratagem.sb3_vec_env(PRICING, 2)


def test_without_numba_the_vector_view_plays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    played = []
    for installed in (True, False):
        if not installed:
            monkeypatch.setitem(__import__("sys").modules, "stratagem.envs.kernels.fused", None)
        envs = stratagem.vector_env(PRICING, 5)
        assert (envs.kernel is not None) == installed
        seen = envs.reset(seed=1)[0]
        steps = [envs.step(np.full(5, action)) for action in range(5)]
        played.append([seen.tolist(), *([x.tolist() for x in step[:4]] for step in steps)])
    assert played[0] == played[1]


def test_learning_co_players_learn_on_over_episodes_and_start_anew_when_seeded() -> None:
    env = stratagem.make_env(PRICING, co_players={"firm_1": "q_learning"}, max_episode_steps=5)
    env.reset(seed=0)
    learner = env.others[0]
    for _ in range(5):
        env.step(3)
    learnt = learner.memory[0].copy()  # type: ignore[union-attr]
    assert (learnt != 0).any()
    env.reset()
    assert np.array_equal(learner.memory[0], learnt)  # type: ignore[union-attr]
    env.reset(seed=0)
    assert not learner.memory[0].any()  # type: ignore[union-attr]


def test_ppo_trains_to_the_same_weights_twice_from_one_seed() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    for seats in ("one", "all"):
        runs = []
        for _ in range(2):
            env = stratagem.sb3_vec_env(PRICING, 4, agents=seats)
            model = sb3.PPO("MlpPolicy", env, seed=3, n_steps=16, batch_size=16, n_epochs=1)
            model.learn(200)
            runs.append([p.detach().numpy() for p in model.policy.parameters()])
        for a, b in zip(*runs, strict=True):
            assert np.array_equal(a, b)


def test_a_space_is_blind_if_it_equals_that_of_a_seat_that_sees_nothing() -> None:
    for space in (
        nothing_to_see(), Discrete(1), Discrete(2), MultiDiscrete([1, 1]),
        Box(0.0, 1.0, (3,), np.float32), Box(0.0, 1.0, (2,), np.float64),
        Box(0.0, 2.0, (2,), np.float32), Box(-1.0, 1.0, (2,), np.float32),
        Box(np.array([0, 1], np.float32), np.array([1, 1], np.float32)),
    ):  # fmt: skip
        assert is_blind(space) == (space == nothing_to_see())
