import csv
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import toys
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from pettingzoo import ParallelEnv
from pettingzoo.test import api_test, parallel_api_test
from pettingzoo.utils.conversions import parallel_to_aec

import stratagem
from stratagem.envs.core import Reactive, RiskScale
from stratagem.envs.simulator import rollout
from stratagem.envs.wrappers import gymnasium as single
from stratagem.envs.wrappers import pettingzoo as multi
from stratagem.envs.wrappers import vector
from stratagem.envs.wrappers.measures import COLUMNS
from stratagem.evaluation.sessions import cut

IDS = list(stratagem.registry)
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
SCALE = RiskScale("reward per step", 2.0, 0.0)


def wrap(env: Any, module: Any, suffix: str = "") -> Any:
    """All three round one environment; the game's first benchmark."""
    name = next(iter(env.unwrapped.game.benchmarks()))
    risk = getattr(module, "RiskMetrics" + suffix)(env)
    gap = getattr(module, "BenchmarkGap" + suffix)(risk, name=name)
    return getattr(module, "RecordOutcomes" + suffix)(gap)


def within(info: dict[str, Any], wrapped: dict[str, Any]) -> bool:
    """Whether the wrapped info says all that the bare one says."""
    return all(
        within(v, wrapped[k]) if isinstance(v, dict) else data_equivalence(v, wrapped[k])
        for k, v in info.items()
    )


@pytest.mark.parametrize("env_id", IDS)
def test_one_copy_goes_as_it_would_without_wrappers(env_id: str) -> None:
    bare = gymnasium.make("stratagem/" + env_id, max_episode_steps=7)
    wrapped = wrap(gymnasium.make("stratagem/" + env_id, max_episode_steps=7), single)
    bare.action_space.seed(1)
    seed: int | None = 5
    for _ in range(3):
        assert data_equivalence(bare.reset(seed=seed), wrapped.reset(seed=seed))
        seed, over = None, False
        while not over:
            action = bare.action_space.sample()
            *a, info = bare.step(action)
            *b, more = wrapped.step(action)
            assert data_equivalence(a, b)
            assert within(info, more)
            assert "risk" in more
            over = a[2] or a[3]
    assert [row["episode"] for row in wrapped.rows] == [0, 1, 2]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_many_copies_go_as_they_would_without_wrappers(env_id: str, mode: AutoresetMode) -> None:
    def make() -> Any:
        return gymnasium.make_vec(
            "stratagem/" + env_id,
            num_envs=5,
            max_episode_steps=7,
            autoreset_mode=mode,
        )

    bare, wrapped = make(), wrap(make(), vector)
    bare.action_space.seed(1)
    assert data_equivalence(bare.reset(seed=5), wrapped.reset(seed=5))
    ended = np.zeros(5, np.int64)
    for _ in range(25):
        actions = bare.action_space.sample()
        *a, info = bare.step(actions)
        *b, more = wrapped.step(actions)
        assert data_equivalence(a, b)
        assert within(info, more)
        ended += a[2] | a[3]
    assert np.bincount([row["copy"] for row in wrapped.rows], minlength=5).tolist() == list(ended)
    assert all(row["periods"] <= 7 for row in wrapped.rows)


@pytest.mark.parametrize("env_id", IDS)
def test_all_agents_go_as_they_would_without_wrappers(env_id: str) -> None:
    bare = stratagem.parallel_env(env_id, max_cycles=7)
    wrapped = wrap(stratagem.parallel_env(env_id, max_cycles=7), multi)
    turns = wrap(stratagem.aec_env(env_id, max_cycles=7), multi, "AEC")
    first = bare.reset(seed=5)
    assert data_equivalence(first, wrapped.reset(seed=5))
    infos = first[1]
    turns.reset(seed=5)
    rng = np.random.default_rng(1)
    while bare.agents:
        actions = {a: int(rng.integers(bare.action_space(a).n)) for a in bare.agents}
        moving = [a for a in actions if infos[a].get("action_mask", np.ones(2)).sum() > 1]
        *a, infos = bare.step(actions)
        *b, _ = wrapped.step(actions)
        assert data_equivalence(a, b)
        for agent in moving:
            turns.step(actions[agent])
        assert turns.rewards == a[1]
        assert {k: turns.observe(k).tolist() for k in a[0]} == {
            k: v.tolist() for k, v in a[0].items()
        }
    assert wrapped.rows
    np.testing.assert_equal(turns.rows, wrapped.rows)
    while turns.agents:
        assert {"risk", "episode_risk"} <= set(turns.infos[turns.agent_selection])
        turns.step(None)


def test_three_periods_of_pricing_give_the_risk_computed_by_hand() -> None:
    env = gymnasium.make(
        "stratagem/LogitPricing-v0", max_episode_steps=3, co_players={"firm_1": "fixed:4"}
    )
    found = env.unwrapped.game.benchmarks()
    nash, monopoly = (found[k].solution.payoffs[0] for k in ("nash", "monopoly"))
    env = single.RecordOutcomes(single.BenchmarkGap(single.RiskMetrics(env), name="stackelberg"))
    env.reset(seed=0)
    profits: list[float] = []
    for action in (0, 7, 14):
        _, profit, _, _, info = env.step(action)
        profits.append(float(profit))
        mean = sum(profits) / len(profits)
        assert info["risk"] == pytest.approx((mean - nash) / (monopoly - nash), rel=1e-12)
        assert info["benchmark_gap"] == pytest.approx(0.23723642 - mean, abs=1e-8)
    (row,) = env.rows
    assert tuple(row) == COLUMNS
    assert row["reward"] == pytest.approx(sum(profits), rel=1e-12)
    assert row["risk"] == info["episode_risk"] == info["risk"]
    assert (row["terminated"], row["truncated"], row["periods"]) == (False, True, 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", ["LogitPricing-v0", "ContentDisengagement-v0"])
def test_first_episodes_have_the_risk_of_the_rollout(env_id: str, mode: AutoresetMode) -> None:
    game = stratagem.registry[env_id].build({})
    policy = Reactive(lambda o: np.ones(len(o), np.int64))
    play, _ = rollout(
        game, [policy] * len(game.agents), num_copies=4, num_steps=40, seed=3, max_episode_steps=20
    )
    others = dict.fromkeys(game.agents[1:], policy)
    envs = stratagem.vector_env(
        game, 4, co_players=others, max_episode_steps=20, autoreset_mode=mode
    )
    envs = vector.RecordOutcomes(vector.RiskMetrics(envs))
    envs.reset(seed=3)
    last = np.full(4, np.nan)
    for _ in range(20):
        *_, infos = envs.step(np.ones(4, np.int64))
        about = infos.get("final_info", {}) if mode is AutoresetMode.SAME_STEP else infos
        if "episode_risk" in about:
            first = np.isnan(last) & about["_episode_risk"]
            last[first] = about["episode_risk"][first]
    rows = {row["copy"]: row for row in envs.rows if row["episode"] == 0}
    for copy in range(4):
        ends = play.terminated[:, copy] | play.truncated[:, copy]
        stop = int(ends.argmax()) + 1
        own = game.seat_risk(cut(play, copy, 0, stop))[0, 0]
        assert rows[copy]["periods"] == stop
        assert rows[copy]["risk"] == last[copy] == pytest.approx(own, rel=1e-10)


def test_a_gap_per_episode_comes_at_the_end_only() -> None:
    env = stratagem.make_env("ContentDisengagement-v0", max_episode_steps=4)
    env = single.BenchmarkGap(env, name="optimum")
    env.reset(seed=2)
    total, over = 0.0, False
    while not over:
        _, reward, terminated, truncated, info = env.step(0)
        over, total = terminated or truncated, total + float(reward)
        assert ("benchmark_gap" in info) == over
    assert info["benchmark_gap"] == pytest.approx(17.86672214 - total, abs=1e-8)


def test_periods_in_which_the_learner_waits_are_counted() -> None:
    game = toys.Turns()
    policy = Reactive(lambda o: np.zeros(len(o), np.int64))
    env = single.RecordOutcomes(
        stratagem.make_env(game, agent=game.agents[1], co_players={game.agents[0]: policy})
    )
    _, info = env.reset(seed=0)
    periods, total, over = info["periods"], 0.0, False
    while not over:
        _, reward, terminated, truncated, info = env.step(int(info["action_mask"].argmax()))
        periods, total, over = periods + info["periods"], total + reward, terminated or truncated
    assert env.rows[0]["periods"] == periods
    assert env.rows[0]["reward"] == pytest.approx(total)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_environments_of_others_are_counted_alike_one_by_one_and_together(
    mode: AutoresetMode,
) -> None:
    def make() -> Any:
        return gymnasium.make("CartPole-v1", max_episode_steps=6)

    envs = SyncVectorEnv([make, make], autoreset_mode=mode)
    wrapped = vector.RecordOutcomes(vector.RiskMetrics(envs, scale=SCALE), scale=SCALE)
    wrapped.reset(seed=0)
    for _ in range(25):
        wrapped.step(np.array([0, 1]))
    assert {row["periods"] for row in wrapped.rows} == {6}
    assert {row["risk"] for row in wrapped.rows} == {0.5}  # a reward of 1 between 2 and 0
    count = 4 if mode is AutoresetMode.SAME_STEP else 3  # of 25 steps, by 6 or by 7
    assert [row["episode"] for row in wrapped.rows if row["copy"] == 0] == list(range(count))


def test_wrapped_views_pass_the_checks_of_gymnasium_and_pettingzoo() -> None:
    env = wrap(stratagem.make_env("LogitPricing-v0", max_episode_steps=20), single)
    with pytest.warns(UserWarning, match="wrapped"):
        check_env(env, skip_render_check=True)
    parallel_api_test(wrap(stratagem.parallel_env("LogitPricing-v0", max_cycles=9), multi), 30)
    api_test(wrap(stratagem.aec_env("LogitPricing-v0", max_cycles=9), multi, "AEC"), 30)


def test_rows_are_written_as_csv_and_parquet(tmp_path: Path) -> None:
    env = single.RecordOutcomes(gymnasium.make("CartPole-v1", max_episode_steps=2))
    env.reset(seed=0)
    env.step(0)
    env.step(0)
    env.write(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["game"], row["periods"], row["risk"]) == ("CartPole-v1", "2", "nan")
    parquet = pytest.importorskip("pyarrow.parquet")
    env.write(tmp_path / "rows.parquet")
    assert parquet.read_table(tmp_path / "rows.parquet").to_pylist()[0]["reward"] == 2.0
    with pytest.raises(ValueError, match=r"\.csv or \.parquet"):
        env.write(tmp_path / "rows.txt")


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = single.RecordOutcomes(gymnasium.make("CartPole-v1"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"stratagem\[bench\]"):
        env.write(tmp_path / "rows.parquet")


def test_bad_input_is_named() -> None:
    cart, ours = gymnasium.make("CartPole-v1"), stratagem.make_env("LogitPricing-v0")
    with pytest.raises(ValueError, match="scale must be"):
        single.RiskMetrics(cart)
    with pytest.raises(ValueError, match="give a value"):
        single.BenchmarkGap(cart, name="nash")
    with pytest.raises(ValueError, match="one of name and value"):
        single.BenchmarkGap(ours)
    with pytest.raises(ValueError, match="there are nash, monopoly"):
        single.BenchmarkGap(ours, name="best")
    with pytest.raises(ValueError, match="per_episode"):
        single.BenchmarkGap(cart, value=1.0, unit="daily")
    with pytest.raises(ValueError, match="firm_1"):
        multi.RiskMetrics(stratagem.parallel_env("LogitPricing-v0"), scale={"firm_0": SCALE})


class Leaving(ParallelEnv[str, int, int]):
    """Not ours: agent b leaves after two steps, a after three; each step pays 1."""

    metadata = {"name": "leaving", "is_parallelizable": True}  # noqa: RUF012
    possible_agents = ["a", "b"]  # noqa: RUF012
    render_mode = None

    def observation_space(self, agent: str) -> Any:
        return Discrete(1)

    action_space = observation_space

    def reset(self, seed: Any = None, options: Any = None) -> Any:
        self.agents, self.steps = ["a", "b"], 0
        return {"a": 0, "b": 0}, {"a": {}, "b": {}}

    def step(self, actions: dict[str, int]) -> Any:
        now, self.steps = self.agents, self.steps + 1
        ends = {a: self.steps >= (3 if a == "a" else 2) for a in now}
        self.agents = [a for a in now if not ends[a]]
        none = dict.fromkeys(now, False)
        return dict.fromkeys(now, 0), dict.fromkeys(now, 1.0), ends, none, {a: {} for a in now}


def test_agents_of_others_that_leave_at_different_times_have_their_own_rows() -> None:
    both = [
        multi.RecordOutcomes(multi.RiskMetrics(Leaving(), scale=SCALE), scale=SCALE),
        multi.RecordOutcomesAEC(parallel_to_aec(Leaving()), scale={"a": SCALE, "b": SCALE}),
    ]
    both[0].reset(seed=0)
    while both[0].agents:
        both[0].step(dict.fromkeys(both[0].agents, 0))
    both[1].reset(seed=0)
    for agent in both[1].agent_iter():
        *_, terminated, truncated, _ = both[1].last()
        both[1].step(None if terminated or truncated else 0)
        assert agent in ("a", "b")
    for env in both:
        found = [(row["agent"], row["periods"], row["reward"], row["risk"]) for row in env.rows]
        assert found == [("b", 2, 2.0, 0.5), ("a", 3, 3.0, 0.5)]
