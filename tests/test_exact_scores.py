import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stratagem.envs.core import Reactive
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.planning import best_response
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import every_observation, size
from stratagem.envs.tabular import strategy_of
from stratagem.reproductions.learned_share import (
    DISCOUNT,
    PROBLEMS,
    SETTINGS,
    Edgeworth,
    Row,
    Run,
    learn,
    learn_all,
    problem,
    reached,
    score,
    value,
)

ROOT = Path(__file__).parents[1]
every_problem = pytest.mark.parametrize("name", PROBLEMS)


def answer(task):
    """Return the best response of a problem's seat, (V, n)."""
    others = [
        None if seat == task.seat else strategy_of(task.co_players[seat], task.game, seat)
        for seat in range(len(task.game.agents))
    ]
    return best_response(task.game, task.seat, others, discount=DISCOUNT).strategy


def playing(task, actions):
    """Return a policy that plays actions (V,) by the index of what it sees."""
    space = task.game.observation_spaces[task.seat]
    return Reactive(lambda seen: actions[np.ravel_multi_index(tuple(seen.T), tuple(space.nvec))])


def test_the_undercutting_rival_by_hand() -> None:
    seen = np.array([[13, 14], [13, 5], [9, 8], [7, 2], [6, 14], [0, 0]])
    assert Edgeworth()(seen).tolist() == [10, 2, 5, 0, 13, 13]


@every_problem
def test_the_best_response_scores_one_and_nothing_more(name: str) -> None:
    task = problem(name)
    best = answer(task)
    assert score(task, Reactive(lambda seen: best)) == pytest.approx(1, abs=1e-9)
    rng = np.random.default_rng(0)
    n = int(task.game.action_spaces[task.seat].n)
    states = size(task.game.observation_spaces[task.seat])
    for _ in range(20):
        actions = rng.integers(n, size=states)
        assert score(task, playing(task, actions)) < 1


@every_problem
def test_one_wrong_action_costs_something_somewhere(name: str) -> None:
    task = problem(name)
    best = answer(task).argmax(axis=1)
    worse = [
        score(task, playing(task, np.where(np.arange(len(best)) == at, (best + 1) % 3, best)))
        for at in range(len(best))
    ]
    assert min(worse) < 1 - 1e-6


@pytest.mark.parametrize("name", ["pricing-undercut", "pricing-table"])
def test_no_constant_price_beats_the_reference_and_one_attains_it(name: str) -> None:
    task = problem(name)
    prices = range(task.game.num_prices)
    scores = [
        score(task, Reactive(lambda seen, price=price: np.full(len(seen), price)))
        for price in prices
    ]
    assert max(scores) == pytest.approx(0, abs=1e-12)
    assert len(np.unique(answer(task).argmax(axis=1))) > 1


@pytest.mark.parametrize("friction", [0.2, 0.9])
def test_the_platforms_values_are_the_benchmarks_of_the_default_game(friction: float) -> None:
    """To end with probability 1 - c is worth as much as to be discounted by c."""
    found = ContentDisengagement(friction=friction).benchmarks()
    task = problem(f"content-{friction}")
    assert found["myopic"].solution.payoffs[0] == pytest.approx(task.reference, rel=1e-9)
    assert found["optimum"].solution.payoffs[0] == pytest.approx(task.best, rel=1e-9)
    (myopic,) = found["myopic"].strategies or ()
    assert score(task, Reactive(lambda seen: myopic)) == pytest.approx(0, abs=1e-9)


@every_problem
def test_a_value_is_the_mean_of_simulated_sums(name: str) -> None:
    task = problem(name)
    rng = np.random.default_rng(1)
    n = int(task.game.action_spaces[task.seat].n)
    policy = playing(task, rng.integers(n, size=size(task.game.observation_spaces[task.seat])))
    line_up = [
        policy if seat == task.seat else task.co_players[seat]
        for seat in range(len(task.game.agents))
    ]
    copies, periods = 4000, 250  # what follows weighs .95^250, less than 3e-6
    trajectory, _ = rollout(task.game, line_up, num_copies=copies, num_steps=periods, seed=0)
    sums = DISCOUNT ** np.arange(periods) @ trajectory.rewards[:, task.seat]
    error = sums.std() / copies**0.5
    assert sums.mean() == pytest.approx(value(task, policy), abs=4 * error)


def test_policies_are_scored_over_every_observation_not_along_a_path() -> None:
    task = problem("content-0.9")
    seen = every_observation(task.game.observation_spaces[0])
    assert len(seen) == 33


def test_names_and_numbers_out_of_range_are_refused() -> None:
    for kwargs, message in (
        ({"problems": ["chess"]}, "problem must be one of pricing-undercut, .*got 'chess'"),
        ({"algorithms": ["SAC"]}, "algorithm must be one of PPO, DQN, got 'SAC'"),
        ({"share": 1.5}, r"share must be in \[0, 1\], got 1.5"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            learn_all(lambda row: None, **kwargs)


def test_seeds_that_reach_the_target_are_counted() -> None:
    rows = [Row("p", "PPO", seed, 1.0, 10, 0.0, found) for seed, found in enumerate((1, 0.9, 0.8))]
    assert reached([*rows, Row("p", "DQN", 0, 1.0, 10, 0.0, 0.0)]) == {
        ("p", "PPO"): 2,
        ("p", "DQN"): 0,
    }


def test_ppo_learns_what_an_untrained_network_does_not_know() -> None:
    """The short form: a tenth of the budget, at one seed."""
    pytest.importorskip("stable_baselines3")
    untrained, short = (learn(Run("pricing-undercut", "PPO", 0, share)) for share in (0.0, 0.1))
    assert untrained.periods == 0
    assert short.periods >= SETTINGS["PPO"].periods * 0.1
    assert short.score > untrained.score + 0.5


@pytest.mark.slow
def test_rows_do_not_depend_on_how_many_work_and_the_command_prints_them(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    found = []
    for workers in ("1", "2"):
        path = tmp_path / f"{workers}.json"
        done = subprocess.run(
            [
                sys.executable,
                str(ROOT / "benchmarks" / "sb3_scores.py"),
                *("--problems", "content-0.2", "--seeds", "0", "1", "--share", "0.01"),
                *("--workers", workers, "--json", str(path)),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "content-0.2       PPO seed 1" in done.stdout
        assert "of 2 seeds" in done.stdout
        found.append(json.loads(path.read_text()))
    assert found[0] == found[1]
    assert len(found[0]) == 4


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", SETTINGS)
def test_the_whole_budget_reaches_the_target_in_one_seed_and_a_hundredth_does_not(
    algorithm: str,
) -> None:
    pytest.importorskip("stable_baselines3")
    whole, hundredth, none = (
        learn(Run("pricing-undercut", algorithm, 0, share)).score for share in (1.0, 0.01, 0.0)
    )
    assert whole >= 0.9
    assert hundredth < 0.5
    assert none < 0.5
