"""The empirical game over learning algorithms: by hand, by other means, kept files, refusals."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stratagem import metagame
from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Array, Floats, Reactive
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.games.stackelberg.meta_game import MetaGame
from stratagem.envs.games.stackelberg.meta_runs import StoredRuns, preset, read_runs, write_runs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.evaluation.roots import roots
from stratagem.evaluation.workers import JobError
from stratagem.metagame import (
    EmpiricalGame,
    analyse,
    empirical_game,
    is_equilibrium,
    read_algorithm,
    read_menus,
    regrets,
    stability,
)
from stratagem.metagame import playing as playing_module
from stratagem.metagame.cache import fingerprint
from stratagem.metagame.menus import split
from stratagem.players import player
from stratagem.testing import OWN_CHECKS

ACTIONS = ["fixed:0", "fixed:1"]
LEARNERS = {"player_0": ["fixed:1", "hedge", "exp3"], "player_1": ["regret_matching", "fixed:0"]}


def played(menus: Any = ACTIONS, **changes: Any) -> EmpiricalGame:
    given: dict[str, Any] = {"periods": 30, "runs": 3, "continuation": 1.0, **changes}
    return empirical_game("MatrixGame-v0", menus, **given)


# --- what is played ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prisoners_dilemma", "chicken", "volunteers_dilemma"])
@pytest.mark.parametrize("continuation", [1.0, 0.8])
def test_with_fixed_actions_the_table_is_the_matrix_game_itself(
    name: str, continuation: float
) -> None:
    found = played(payoffs=name, continuation=continuation)
    np.testing.assert_allclose(found.payoffs, MatrixGame(payoffs=name).tensor, atol=1e-12)
    np.testing.assert_allclose(found.errors, 0, atol=1e-12)


def test_a_run_is_a_rollout_from_the_same_root() -> None:
    found = played(LEARNERS, runs=4, periods=73)
    game = MatrixGame(continuation=1.0)
    for a, first in enumerate(LEARNERS["player_0"]):
        for b, second in enumerate(LEARNERS["player_1"]):
            policies = [player(first, game, 0), player(second, game, 1)]
            seeds = roots("MatrixGame", "metagame", range(4))
            whole, _ = rollout(game, policies, num_copies=4, num_steps=73, seed=seeds)
            np.testing.assert_allclose(
                found.runs[:, a, b], whole.rewards.mean(axis=0), rtol=0, atol=1e-12
            )


def test_a_run_is_the_same_whatever_else_is_in_the_menu_and_however_many_there_are() -> None:
    large = played(LEARNERS, runs=5)
    small = played({"player_0": ["exp3"], "player_1": ["fixed:0", "regret_matching"]}, runs=2)
    np.testing.assert_array_equal(small.runs[:, 0, ::-1], large.runs[:, 2, :, :2])


def test_all_profiles_share_the_chance_of_the_base_game() -> None:
    """Of (T, L) the first player has a in game 0, of (B, L) 1 in game 1: never both or none."""
    found = empirical_game("InformationGame-v0", ACTIONS, periods=5, runs=30, horizon=5)
    in_game_0 = found.runs[0, 0, 0] == 0.5
    np.testing.assert_array_equal(found.runs[0, 1, 0] == 1.0, ~in_game_0)
    assert 0 < in_game_0.sum() < 30


def test_standard_errors_are_those_of_the_runs() -> None:
    found = played(LEARNERS, runs=6)
    own = found.runs[0, 1, 0]
    assert found.errors[0, 1, 0] == pytest.approx(np.sqrt(own.var(ddof=1) / 6))
    assert found.payoffs[0, 1, 0] == pytest.approx(own.mean())


def test_two_workers_find_what_one_finds(tmp_path: Path) -> None:
    menus = {"player_0": ["hedge", fixed(0)], "player_1": ["exp3", "fixed:1"]}
    one = played(menus)
    two = played(menus, workers=2, folder=tmp_path)
    np.testing.assert_array_equal(one.runs, two.runs)


def test_progress_goes_up_to_one() -> None:
    shares: list[float] = []
    played(LEARNERS, tick=lambda name, done: shares.append(done))
    assert shares == sorted(shares)
    assert shares[-1] == 1


# --- what is kept --------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that the names of profiles are added to when they are played."""
    names: list[str] = []
    play = playing_module.play_profile

    def noted(profile: Any, tick: Any) -> Floats:
        names.append(profile.name)
        return play(profile, tick)

    monkeypatch.setattr(playing_module, "play_profile", noted)
    return names


def test_finished_profiles_are_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = counted(monkeypatch)
    first = played(LEARNERS, folder=tmp_path)
    assert len(names) == 6
    assert len(list((tmp_path / "profiles").iterdir())) == 6
    again = played(LEARNERS, folder=tmp_path)
    assert len(names) == 6
    np.testing.assert_array_equal(first.runs, again.runs)
    more = {"player_0": [*LEARNERS["player_0"], "fixed:0"], "player_1": LEARNERS["player_1"]}
    played(more, folder=tmp_path)
    assert names[6:] == ["fixed:0 + regret_matching", "fixed:0 + fixed:0"]


@pytest.mark.parametrize("change", [{"periods": 31}, {"runs": 4}, {"payoffs": "chicken"}])
def test_another_configuration_is_played_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    played(folder=tmp_path)
    names = counted(monkeypatch)
    other = played(folder=tmp_path, **change)
    assert len(names) == 4
    np.testing.assert_array_equal(other.runs, played(**change).runs)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    first = played(LEARNERS, folder=tmp_path)
    path = sorted((tmp_path / "profiles").iterdir())[2]
    whole = path.read_bytes()
    torn = {
        "cut": whole[:-9],
        "flipped": whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:],
        "empty": b"",
    }
    path.write_bytes(torn[damage])
    names, told = counted(monkeypatch), list[str]()
    again = played(LEARNERS, folder=tmp_path, say=told.append)
    assert len(names) == 1
    assert "is damaged" in told[0]
    assert told[0].endswith(f"{names[0]} is played again")
    np.testing.assert_array_equal(first.runs, again.runs)
    assert path.read_bytes() == whole


def _fails_later(observation: Array) -> Array:
    raise RuntimeError("no answer")


def test_what_was_finished_before_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    menus = {"player_0": ACTIONS, "player_1": {"good": "fixed:1", "bad": Reactive(_fails_later)}}
    with pytest.raises(JobError, match=r"fixed:0 \+ bad: RuntimeError: no answer"):
        played(menus, folder=tmp_path)
    names = counted(monkeypatch)
    played({"player_0": ACTIONS, "player_1": ["fixed:1"]}, folder=tmp_path)
    assert names == ["fixed:1 + fixed:1"]


@pytest.mark.slow
def test_a_process_that_is_killed_is_gone_on_from_to_the_same_runs(tmp_path: Path) -> None:
    menus, periods = ["exp3", "hedge", "ucb1", "blum_mansour"], 2000
    code = (
        "from stratagem.metagame import empirical_game\n"
        f"empirical_game('MatrixGame-v0', {menus}, periods={periods}, runs=5, "
        f"folder={str(tmp_path)!r}, continuation=1.0)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    while len(list(tmp_path.glob("profiles/*.run"))) < 3 and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    kept = len(list(tmp_path.glob("profiles/*.run")))
    assert 3 <= kept < 16
    told: list[str] = []
    again = played(menus, periods=periods, runs=5, folder=tmp_path, say=told.append)
    assert "did not end in order" in told[0]
    np.testing.assert_array_equal(again.runs, played(menus, periods=periods, runs=5).runs)


@dataclass(frozen=True, eq=False)
class Table:
    """A rule with an array in it."""

    answers: Array

    def __call__(self, observation: Array) -> Array:
        return self.answers[np.zeros(len(observation), np.int64)]


def test_policies_are_told_apart_by_their_contents() -> None:
    one, same, other = (Reactive(Table(np.array([a]))) for a in (0, 0, 1))
    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(1) != fingerprint("1")
    assert fingerprint((1, 2)) != fingerprint((12,))
    game = MatrixGame()
    before = fingerprint(game)
    game.benchmarks()  # which the object remembers
    assert fingerprint(game) == before != fingerprint(MatrixGame(memory=2))
    with pytest.raises(ValueError, match="cannot be told"):
        fingerprint(Reactive(lambda observation: observation))


# --- menus ---------------------------------------------------------------------------------------


def test_names_with_options_are_read() -> None:
    found = read_algorithm("q_learning(alpha=0.1|0.2, tie_break = random|first)")
    assert [one.label for one in found] == [
        f"q_learning(alpha={a}, tie_break={t})" for a in ("0.1", "0.2") for t in ("random", "first")
    ]
    assert found[1].options == {"alpha": 0.1, "tie_break": "first"}
    assert read_algorithm("benchmark:nash_best")[0].policy == "benchmark:nash_best"
    assert split("a, b(c=1, d=[1,2]),e") == ["a", "b(c=1, d=[1,2])", "e"]


def test_several_rates_are_several_actions_that_play_at_those_rates() -> None:
    found = played({"player_0": ["hedge(rate=0.01|5.0)"], "player_1": ["fixed:0"]}, periods=40)
    assert found.menus[0] == ("hedge(rate=0.01)", "hedge(rate=5.0)")
    assert found.payoffs[0, 1, 0] > found.payoffs[0, 0, 0] + 0.2  # it defects at once


def test_one_menu_serves_all_seats_and_a_mapping_gives_labels() -> None:
    both = read_menus(["fixed:0", "hedge"], ("a", "b"))
    assert both[0] == both[1]
    named = read_menus({"kind": "fixed:0", "mine": fixed(1)}, ("a", "b"))
    assert [one.label for one in named[1]] == ["kind", "mine"]


@pytest.mark.parametrize(
    ("menus", "match"),
    [
        ({"player_0": ACTIONS, "player_7": ACTIONS}, "unknown seat 'player_7'"),
        ({"player_0": ACTIONS}, "'player_1' has none"),
        ({"player_0": ACTIONS, "player_1": []}, "menu of player_1 is empty"),
        ([], "menu of player_0 is empty"),
        (["hedge", "hedge"], "'hedge' twice"),
        ("hedge", "must be a sequence or a mapping"),
        (["hedge(rate)"], "is written NAME"),
        (["hedge(rate=1, rate=2)"], "given twice"),
        (["hedge(rate=0.1"], "is written NAME"),
        ({"many": "hedge(rate=0.1|0.2)"}, "names several algorithms"),
        (["hegde"], r"'hegde' cannot play player_0 of MatrixGame.*did you mean 'hedge'"),
        (["fixed:9"], "cannot play player_0"),
        (["hedge(speed=1)"], "cannot play player_0.*speed"),
        (["ppo"], "training loop of its own"),
        ([3], "must have init and act"),
    ],
)
def test_menus_that_cannot_be_played_are_refused(menus: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        played(menus)


def test_an_algorithm_that_is_not_told_what_it_needs_is_refused() -> None:
    with pytest.raises(ValueError, match="'hedge' cannot play player_1 of InformationGame"):
        empirical_game(
            InformationGame(precision=(1.0, 0.0), feedback="actions", horizon=5, family=VARIES),
            {"player_0": ["fixed:0"], "player_1": ["hedge"]},
            periods=5,
        )


VARIES = (
    (((1.0, 0.0), (0.0, 0.8)), ((0.5, 0.0), (0.0, 1.0))),
    (((1.0, 0.0), (0.0, 0.8)), ((0.0, 1.0), (0.0, 1.0))),
)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"periods": 0}, "periods must be at least 1"),
        ({"runs": 1}, "runs must be at least 2"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"payoffs": "none"}, "payoffs"),
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        played(**change)


def test_too_many_profiles_are_refused_before_any_is_played() -> None:
    menu = {str(i): f"fixed:{i % 2}" for i in range(32)}
    with pytest.raises(ValueError, match="more than 1,000 profiles"):
        played(menu)


# --- equilibria and their stability --------------------------------------------------------------


def test_regrets_and_equilibria_by_hand() -> None:
    dilemma = MatrixGame(payoffs="prisoners_dilemma").tensor
    assert regrets(dilemma).tolist() == [[[1, 1], [0, 0]], [[1, 0], [1, 0]]]
    assert is_equilibrium(dilemma).tolist() == [[False, False], [False, True]]
    assert is_equilibrium(dilemma, 1.0).all()
    assert is_equilibrium(np.full((2, 2, 2), 0.3)).all()
    with pytest.raises(ValueError, match="eps must be at least 0"):
        is_equilibrium(dilemma, -0.1)


def noisy(payoffs: Floats, size: float, runs: int = 40, seed: int = 0) -> Floats:
    noise = np.random.default_rng(seed).normal(size=(*payoffs.shape, runs))
    return np.asarray(payoffs[..., None] + size * noise)


def test_stability_is_near_one_or_zero_where_the_runs_settle_it() -> None:
    dilemma = MatrixGame(payoffs="prisoners_dilemma").tensor
    for paired in (True, False):
        shares = stability(noisy(dilemma, 0.5), paired=paired)
        assert shares[1, 1] > 0.999
        assert max(shares[0, 0], shares[0, 1], shares[1, 0]) < 0.001


def test_stability_is_a_half_where_an_agent_is_indifferent_and_runs_balance() -> None:
    runs = np.zeros((2, 2, 1, 40))
    runs[0, 0, 0] = np.tile([1.0, -1.0], 20)  # against 0 from the other action: mean exactly 0
    first, second = stability(runs, resamples=4000)[:, 0]
    assert first + second == pytest.approx(1 + 0.125, abs=0.03)  # both where the mean is 0: 12.5%
    assert abs(first - second) < 0.05


def test_over_many_ties_the_stability_is_spread_out_around_a_half() -> None:
    shares = [
        stability(noisy(np.zeros((2, 2, 1)), 1.0, seed=seed), resamples=300)[0, 0]
        for seed in range(150)
    ]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)  # 4 standard errors of a uniform number
    assert np.std(shares) > 0.2


def test_noise_that_all_profiles_share_does_not_shake_a_paired_resample() -> None:
    dilemma = MatrixGame(payoffs="prisoners_dilemma").tensor
    common = np.random.default_rng(1).normal(size=40) * 20
    runs = dilemma[..., None] + common
    assert stability(runs)[1, 1] == 1
    assert stability(runs, paired=False)[1, 1] < 0.8


@pytest.mark.parametrize(
    ("runs", "match"),
    [
        (np.zeros((2, 2, 2, 1)), "at least 2 runs"),
        (np.zeros((2, 2, 2)), "at least 2 runs"),
        (np.full((2, 2, 2, 3), np.inf), "finite"),
    ],
)
def test_runs_that_cannot_be_resampled_are_refused(runs: Floats, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        stability(runs)
    with pytest.raises(ValueError, match="resamples must be at least 1"):
        stability(np.zeros((2, 2, 2, 3)), resamples=0)


def test_the_analysis_of_a_known_game() -> None:
    found = analyse(played(payoffs="chicken"), starts=40)
    assert [one.labels for one in found.equilibria] == [
        ("fixed:0", "fixed:1"),
        ("fixed:1", "fixed:0"),
    ]
    assert [one.stability for one in found.equilibria] == [1, 1]
    assert found.mixed is not None
    values = [one.solution.payoffs.round(9).tolist() for one in found.mixed]
    assert sorted(values) == [[2, 4], [2.5, 2.5], [4, 2]]
    assert [one.pure.payoffs.tolist() for one in found.commitments] == [[4, 2], [2, 4]]
    assert [one.stability for one in found.commitments] == [1, 1]
    assert sum(point.starts for point in found.basins.points) == 40
    assert found.alpha_rank is not None
    assert found.alpha_rank.masses.tolist() == [[0, 0.5], [0.5, 0]]
    np.testing.assert_allclose(found.mean_ranking, found.alpha_rank.masses)


def test_a_mixed_commitment_is_worth_more_than_a_pure_one() -> None:
    first = analyse(played(payoffs="commitment"), starts=5).commitments[0]
    assert first.pure.payoffs[0] == 3
    assert first.mixed is not None
    assert first.mixed.payoffs[0] == pytest.approx(3.5)


def test_a_mix_is_as_stable_as_its_slack_allows() -> None:
    base = played(payoffs="matching_pennies")
    runs = noisy(base.payoffs, 0.3, seed=5)
    empirical = EmpiricalGame(base.game, base.menus, base.periods, runs)
    loose, strict = (analyse(empirical, eps=eps, starts=2).mixed for eps in (0.5, 0.0))
    assert loose is not None
    assert strict is not None
    assert len(loose) == len(strict) == 1
    assert loose[0].stability == 1
    assert strict[0].stability < 0.01


def test_of_three_agents_pure_equilibria_alone_are_sought_and_this_is_said() -> None:
    found = analyse(played(payoffs="volunteers_dilemma"), starts=10)
    assert found.mixed is None
    assert "more than two agents" in found.mixed_note
    assert len(found.equilibria) == 3  # one volunteers, whoever
    assert [one.order for one in found.commitments] == [(0, 1, 2), (1, 0, 2), (2, 0, 1)]
    assert all(one.mixed is None for one in found.commitments)


# --- choosing algorithms under asymmetric information --------------------------------------------

TARGET = np.array(  # an independent simulation of 4000 periods: (player_0, player_1) by profile
    [
        [(0.997, 0.795), (0.995, 0.793), (0.500, 0.000), (0.625, 0.400), (0.969, 0.750)],
        [(0.749, 0.895), (0.748, 0.893), (0.750, 0.500), (0.688, 0.675), (0.750, 0.875)],
        [(0.986, 0.788), (0.983, 0.785), (0.745, 0.498), (0.808, 0.770), (0.745, 0.873)],
    ]
)


def test_the_stored_table_agrees_with_an_independent_simulation() -> None:
    """Both games count alike, whichever was drawn more often; signals are left to chance."""
    runs = preset("information").runs
    second = runs[0, 0, 2] > 0.5  # against a stubborn L the commitment to B pays in game 1 alone
    by_game = np.stack([runs[..., second == game].mean(axis=-1) for game in (False, True)])
    means = np.moveaxis(by_game.mean(axis=0), 0, -1)
    signals = [3]
    others = [0, 1, 2, 4]
    np.testing.assert_allclose(means[:, others], TARGET[:, others], atol=0.02)
    errors = [runs[..., second == g].std(axis=-1) / np.sqrt((second == g).sum()) for g in (0, 1)]
    slack = 3 * np.moveaxis(np.sqrt(errors[0] ** 2 + errors[1] ** 2) / 2, 0, -1)
    assert (np.abs(means - TARGET)[:, signals] <= slack[:, signals] + 5e-4).all()


def test_the_one_who_knows_commits_and_the_other_learns_in_every_equilibrium() -> None:
    stored = preset("information")
    means = stored.runs.mean(axis=-1)
    cells = np.argwhere(is_equilibrium(means, 0.02)).tolist()
    assert cells == [[0, 0], [0, 1]]
    shares = stability(stored.runs, 0.02)
    assert shares[0, :2].tolist() == [1, 1]
    assert np.delete(shares.ravel(), [0, 1]).max() == 0
    assert (means[1][is_equilibrium(means, 0.02)] < 0.9 - 0.02).all()


def test_a_shorter_table_has_the_same_equilibria() -> None:
    horizon = 400
    menus = {
        "player_0": ["fixed:1", "concede", f"hedge(horizon={horizon})"],
        "player_1": [f"hedge(horizon={horizon})", "fixed:0", "explore_then_commit"],
    }
    found = empirical_game(
        "InformationGame-v0", menus, periods=horizon, runs=40, horizon=horizon, gamma=0.8
    )
    assert np.argwhere(is_equilibrium(found.payoffs, 0.05)).tolist() == [[0, 0]]
    assert stability(found.runs, 0.05)[0, 0] > 0.99
    gain = found.payoffs[0, 0, 0] - found.payoffs[0, 1, 0]
    assert gain > 0.15  # from conceding to committing, against one who learns


@pytest.mark.slow
def test_the_packaged_runs_are_what_this_version_plays() -> None:
    stored = preset("information")
    menus = dict(zip(stored.agents, map(list, stored.menus), strict=True))
    found = empirical_game("InformationGame-v0", menus, periods=4000, runs=2, horizon=4000)
    np.testing.assert_allclose(found.runs, stored.runs[..., :2], rtol=0, atol=1e-9)


# --- environments --------------------------------------------------------------------------------


def test_an_environment_of_stored_runs_has_the_tables_means() -> None:
    game = metagame.environment(
        "MatrixGame-v0", LEARNERS, periods=30, runs=3, continuation=0.5, switching_cost=0.1
    )
    base = played(LEARNERS, continuation=0.95)  # the default of the base game
    assert isinstance(game, MetaGame)
    np.testing.assert_allclose(game.means, base.payoffs)
    assert game.labels == base.menus
    assert game.switching_cost == 0.1
    assert game.continuation == 0.5


def test_parameters_of_the_base_game_and_of_the_meta_game_are_told_apart() -> None:
    params = {"payoffs": "chicken", "horizon": 7}
    game = metagame.environment(
        "MatrixGame-v0", ACTIONS, periods=7, runs=2, horizon=3, base_params=params
    )
    assert game.horizon == 3
    np.testing.assert_allclose(game.means, MatrixGame(payoffs="chicken").tensor)
    live = metagame.live_environment("MatrixGame-v0", ACTIONS, periods=7, base_params=params)
    assert live.base == MatrixGame(payoffs="chicken", horizon=7)
    assert live.horizon is None


def test_runs_are_written_and_read_back_to_the_bit() -> None:
    found = played(LEARNERS)
    stored = StoredRuns(found.agents, found.menus, found.runs)
    again = read_runs(write_runs(stored))
    assert again[:2] == stored[:2]
    np.testing.assert_array_equal(again.runs, stored.runs)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda lines: [], "columns"),
        (lambda lines: lines[:1], "as many for each"),
        (lambda lines: lines[:-1], "as many for each"),
        (lambda lines: [lines[0], lines[1], *lines[1:-1]], "one finite payoff"),
        (lambda lines: [lines[0].replace("run", "walk"), *lines[1:]], "columns"),
        (lambda lines: [*lines[:-1], lines[-1] + ",1"], "columns in every line"),
        (lambda lines: [*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",x"], "numbers"),
        (lambda lines: [*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",nan"], "finite"),
        (lambda lines: [*lines[:-1], lines[-1].replace(",1,", ",9,", 1)], "run must be from 0"),
    ],
)
def test_files_of_runs_that_are_not_whole_are_refused(change: Any, match: str) -> None:
    found = played(runs=2)
    lines = write_runs(StoredRuns(found.agents, found.menus, found.runs)).splitlines()
    with pytest.raises(ValueError, match=match):
        read_runs("\n".join(change(lines)))


LIVE = {"player_0": ["fixed:0", "hedge"], "player_1": ["exp3", "fixed:1", "regret_matching"]}


def test_a_live_meta_game_pays_on_average_what_the_table_says() -> None:
    chicken = {"payoffs": "chicken"}
    live = metagame.live_environment("MatrixGame-v0", LIVE, periods=25, base_params=chicken)
    table = empirical_game("MatrixGame-v0", LIVE, periods=25, runs=400, payoffs="chicken")
    sim = Simulator(live, 400)
    for cell in np.ndindex(2, 3):
        sim.reset(7)
        rewards, _, _ = sim.step(np.repeat(np.array(cell)[:, None], 400, axis=1))
        error = rewards.std(axis=1) / np.sqrt(400) + table.errors[(slice(None), *cell)]
        gap = np.abs(rewards.mean(axis=1) - table.payoffs[(slice(None), *cell)])
        assert (gap <= 4 * error + 1e-12).all()


def test_a_live_meta_game_is_repeated_exactly_and_copies_do_not_depend_on_their_batch() -> None:
    live = metagame.live_environment("MatrixGame-v0", LIVE, periods=10, order=(1, 0))

    def rewards(copies: int, seed: int) -> Floats:
        sim = Simulator(live, copies)
        sim.reset(seed)
        sim.step(np.zeros((2, copies), np.int64))
        return sim.step(np.ones((2, copies), np.int64))[0]

    np.testing.assert_array_equal(rewards(6, 3), rewards(6, 3))
    np.testing.assert_array_equal(rewards(6, 3)[:, 4:5], rewards(1, 7))
    assert np.unique(rewards(6, 3)[0]).size > 1


@pytest.mark.parametrize(
    "check", ["spaces", "chance", "copies_apart", "arguments_kept", "certificates", "ends"]
)
def test_a_live_meta_game_conforms(check: str) -> None:
    OWN_CHECKS[check](metagame.live_environment("MatrixGame-v0", LIVE, periods=2))


def test_a_live_meta_game_has_no_benchmarks_and_no_table() -> None:
    from stratagem.envs.tabular import tabulate

    live = metagame.live_environment("MatrixGame-v0", LIVE, periods=3)
    assert live.benchmarks() == {}
    with pytest.raises(ValueError, match="cannot be enumerated"):
        tabulate(live)
    with pytest.raises(ValueError, match="periods must be at least 1"):
        metagame.live_environment("MatrixGame-v0", LIVE, periods=0)
