"""Pricing by Q-learning: a session by hand and by play, and experiments in short."""

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stratagem.agents.regret import swap_regret
from stratagem.agents.tabular.joint_learning import JointLearning
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.tabular import num_states, tabulate
from stratagem.evaluation.crossplay import meet
from stratagem.evaluation.roots import roots
from stratagem.players import player
from stratagem.reproductions import REPRODUCTIONS, pricing, reproduce
from stratagem.reproductions.pricing_sessions import Play, Responses, play_of, responses, sessions

NEEDS_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
ROOT = Path(__file__).parents[1]
NAMES = (
    "calvano-baseline",
    "calvano-alpha-beta-map",
    "calvano-n3",
    "calvano-asymmetric-cost",
    "discount-ladder",
    "synchronous-control",
    "cross-play-collapse",
)
FAST: dict[str, Any] = {"beta": 1e-3, "stable": 300}


def quiet(message: str) -> None:
    del message


def script_of(name: str) -> Any:
    spec = spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_play(game: LogitPricing, copies: int = 6, seed: int = 0) -> Play:
    rng = np.random.default_rng(seed)
    states = num_states(tabulate(game))
    actions = rng.integers(game.num_prices, size=(game.num_firms, copies, states))
    return Play(game, actions, rng.integers(states, size=copies))


# ---------------------------------------------------------------------------- by hand


def grim(game: LogitPricing, calm: int, angry: int) -> Play:
    """Return two firms that set one price as long as both did, and else another."""
    n = game.num_prices
    rule = np.full(n * n, angry)
    rule[calm * n + calm] = calm
    return Play(game, np.stack([rule, rule])[:, None], np.array([calm * n + calm]))


def test_grim_trigger_is_kept_by_patience_alone() -> None:
    game = LogitPricing()
    play = grim(game, 13, 1)
    assert play.gains == pytest.approx(0.99973, abs=1e-5)
    assert play.on_cycle[0].nonzero()[0].tolist() == [13 * 15 + 13]
    # Friedman: (best deviation - collusion) / (best deviation - punishment), on the grid.
    own = game.stage_profits[0].reshape(15, 15)
    best, stay, fall = own[:, 13].max(), own[13, 13], own[1, 1]
    critical = (best - stay) / (best - fall)
    assert 0 < critical < 1
    assert play.is_equilibrium(critical + 1e-6).tolist() == [True]
    assert play.is_equilibrium(critical - 1e-6).tolist() == [False]
    found = responses(play, critical + 1e-6)
    assert found.unprofitable == 1
    assert found.answer == pytest.approx(game.prices[0][1] / game.prices[0][13] - 1)
    assert found.length == 1  # the deviation's history leads to the cycle of punishment
    assert responses(play, critical - 1e-6).unprofitable == 0


def test_where_prices_are_best_replies_there_is_no_deviation_to_answer() -> None:
    play = grim(LogitPricing(), 1, 1)
    assert play.gains == pytest.approx(-0.0238, abs=1e-4)
    assert play.is_equilibrium(0.95).all()
    assert np.isnan(responses(play, 0.95)).all()


def test_a_cycle_of_two_histories_counts_each_half() -> None:
    game = LogitPricing(num_prices=3)
    low, high = 0, 8  # histories of both firms' lowest and highest price
    rule = np.full(9, 2)
    rule[high] = 0
    play = Play(game, np.stack([rule, rule])[:, None], np.array([4]))
    assert play.on_cycle[0].nonzero()[0].tolist() == [low, high]
    both = game.stage_profits.mean(axis=0)[[low, high]].mean()
    assert play.gains[0] == pytest.approx(float(game.risk_anchors(both)))


# ---------------------------------------------------------------------------- other ways


@pytest.mark.parametrize(
    "parameters",
    [{"num_prices": 4}, {"num_prices": 3, "num_firms": 3}, {"num_prices": 3, "memory": 2},
     {"num_prices": 5, "memory": 0}, {"num_prices": 4, "cost": (1.0, 0.5)}],
)  # fmt: skip
def test_cycles_and_values_are_those_of_play_step_by_step(parameters: dict[str, Any]) -> None:
    game = LogitPricing(**parameters)
    play, discount = random_play(game), 0.8
    values = play.values(discount)
    for run, start in enumerate(play.states.tolist()):
        state, index = game.initial(np.array([start])), start
        visited, paid = [], []
        for _ in range(150):
            visited.append(index)
            prices = play.actions[:, run, index][:, None]
            state, rewards, _ = game.step(state, prices, np.zeros(1, np.int64))
            paid.append(rewards[:, 0])
            digits = state.history[0] if game.memory else np.zeros(0, np.int64)
            index = 0
            for digit in digits.tolist():
                index = index * game.num_prices + digit
        weights = discount ** np.arange(150)
        np.testing.assert_allclose(values[:, run, start], weights @ np.array(paid), atol=1e-9)
        last = 149 - visited[:149][::-1].index(visited[149]) - 1
        cycle = slice(last, 149)
        assert set(visited[cycle]) == set(play.on_cycle[run].nonzero()[0].tolist())
        assert play.gains[run] == pytest.approx(float(game.risk_anchors(np.mean(paid[cycle]))))


def test_responses_are_those_of_play_step_by_step() -> None:
    game, discount = LogitPricing(num_prices=4, cost=(1.0, 0.7)), 0.9
    play = random_play(game, copies=8, seed=3)
    found = responses(play, discount)
    values = play.values(discount)
    for run in range(8):
        rows = []
        on_cycle = play.on_cycle[run].nonzero()[0]
        usual = [game.prices[i][play.actions[i, run, on_cycle]].mean() for i in range(2)]
        for state in on_cycle.tolist():
            for firm, rival in ((0, 1), (1, 0)):
                prices = play.actions[:, run, state].copy()
                tried = [prices.copy() for _ in range(4)]
                for price, one in enumerate(tried):
                    one[firm] = price
                profits = game.grid_profits(np.array(tried).T)[firm]
                if profits.argmax() == prices[firm]:
                    continue
                prices = tried[int(profits.argmax())]
                after = int(prices[0] * 4 + prices[1])
                path = [after]
                while path.count(path[-1]) < 2:
                    both = play.actions[:, run, path[-1]]
                    path.append(int(both[0] * 4 + both[1]))
                answer = game.prices[rival][play.actions[rival, run, after]] / usual[rival] - 1
                once = profits.max() + discount * values[firm, run, after]
                rows.append((once <= values[firm, run, state] + 1e-9, answer, path.index(path[-1])))
        if rows:
            expected = Responses(*np.array(rows, float).mean(axis=0))
            np.testing.assert_allclose([one[run] for one in found], expected, atol=1e-9)
    assert np.isfinite(found.answer).any()


def test_swap_regret_on_the_cycle_is_that_of_the_played_prices() -> None:
    game = LogitPricing(num_prices=4, cost=(1.0, 0.7))
    play = random_play(game, copies=8, seed=5)
    scale = game.risk_anchors
    for run in range(8):
        prices = play.actions[:, run, play.on_cycle[run].nonzero()[0]]  # (N, periods)
        expected = 0.0
        for firm in range(2):
            tables = [np.array(prices) for _ in range(4)]
            for price, one in enumerate(tables):
                one[firm] = price
            payoffs = np.stack([game.grid_profits(one)[firm] for one in tables], axis=-1)
            regret = swap_regret(payoffs[:, None], prices[firm][:, None])
            expected += float(regret[0]) / prices.shape[1] / 2
        expected /= scale.worst - scale.safe
        assert play.swap_regret()[run] == pytest.approx(expected, abs=1e-12)
    assert play.swap_regret().max() > 0.1


def test_meetings_of_strangers_are_the_same_by_simulation_and_by_cycles() -> None:
    game = LogitPricing(num_prices=4)
    found = sessions(game, "here", 3, **FAST)
    lineups = found.lineups
    np.testing.assert_array_equal(
        play_of(game, lineups, found.play.states).actions, found.play.actions
    )
    met = meet(lineups, game, exact=False, discount=1.0, periods=4000)
    for i, j in np.ndindex(3, 3):
        pair = [(lineups[i][0], lineups[j][1])] * 16
        cycles = play_of(game, pair, np.arange(16)).gains  # from every history
        assert cycles.min() - 0.02 <= met.risk[i, j] <= cycles.max() + 0.02


def test_strangers_start_with_their_own_values_and_the_others_are_anew() -> None:
    game = LogitPricing(num_prices=4)
    first = sessions(game, "here", 3, **FAST)
    values = np.roll(first.runs.now.q, 1, axis=0)
    again = sessions(game, "there", 3, values=values, alpha=1e-12, **FAST)
    np.testing.assert_allclose(again.runs.now.q, values, atol=1e-6)
    np.testing.assert_array_equal(again.play.actions, np.roll(first.play.actions, 1, axis=1))


# ---------------------------------------------------------------------------- experiments


def test_every_experiment_of_pricing_is_there() -> None:
    assert set(NAMES) <= set(REPRODUCTIONS)


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        (pricing.baseline, "calvano-baseline"),
        (pricing.asymmetric_cost, "calvano-asymmetric-cost"),
        (pricing.discount_ladder, "discount-ladder"),
    ],
)
def test_an_experiment_in_short_measures_its_targets(measure: Any, name: str) -> None:
    found = measure(quiet, count=4, **{**FAST, "beta": 0.02})
    assert set(found) == {target.name for target in REPRODUCTIONS[name].targets}
    assert all(np.isfinite(list(found.values())))


@NEEDS_NUMBA
def test_patience_makes_collusion_in_short() -> None:
    game, short = LogitPricing(), {"beta": 2e-5, "stable": 20_000}
    gains = [
        sessions(game, "in short", 10, discount=discount, **short).play.gains.mean()
        for discount in (0.0, 0.95)
    ]
    assert 0.12 < gains[0] < 0.33
    assert 0.77 < gains[1] < 0.92


def test_who_updates_all_prices_competes_in_short() -> None:
    found = pricing.synchronous_control(quiet, count=6, few=3, quiet=150, beta=5e-3, stable=3000)
    away = "largest distance from the nearer equilibrium of the grid, all prices updated"
    assert found[away] == pytest.approx(0, abs=1e-9)


def test_a_session_that_does_not_settle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stratagem.reproductions.pricing_sessions.LIMIT", 50_000)
    with pytest.raises(RuntimeError, match="2 of 2 did not converge"):
        pricing.baseline(quiet, count=2, stable=10**6)


def test_who_has_no_numba_is_told_that_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing, "compiled", lambda: False)
    told: list[str] = []
    pricing.gains_by_rates(
        told.append, alphas=np.array([0.2]), betas=np.array([0.02]), count=2, stable=100
    )
    assert "numba is not installed" in told[0]
    assert "cells: 1, in" in told[-1]


def test_the_map_is_drawn_into_the_folder_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip("matplotlib")
    script = script_of("alpha_beta_map")
    gains = np.array([[0.7, 0.8], [0.9, 0.6]])
    monkeypatch.setattr(script, "gains_by_rates", lambda note, **given: gains)
    monkeypatch.setattr("sys.argv", ["map", str(tmp_path), "--cells=2"])
    script.main()
    assert "gains 0.600 to 0.900, mean 0.750" in capsys.readouterr().out
    assert (tmp_path / "alpha_beta_map.png").read_bytes()[1:4] == b"PNG"
    lines = (tmp_path / "alpha_beta_map.csv").read_text().splitlines()
    assert lines[1:] == ["0.0250,0.7000,0.8000", "0.2500,0.9000,0.6000"]
    monkeypatch.setattr("sys.argv", ["map", str(tmp_path / "none")])
    with pytest.raises(SystemExit):
        script.main()


@NEEDS_NUMBA
def test_published_rows_are_written_beside_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    script, page = script_of("published_pricing"), tmp_path / "page.md"
    options = ["--only=no exploration", "--sessions=10", f"--page={page}"]
    monkeypatch.setattr("sys.argv", ["published_pricing", *options])
    script.main()
    row = "| first values 10, no exploration | 10 | 1.000 (1.000 to 1.000) | 0.978 | 1.000, 0.525 |"
    assert row in capsys.readouterr().out
    assert row in page.read_text(encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["published_pricing", "--sessions=9"])
    with pytest.raises(SystemExit):
        script.main()


@NEEDS_NUMBA
def test_firms_that_one_enters_and_leaves_learn_what_the_librarys_learners_do() -> None:
    loop, rows = script_of("entering_firm"), script_of("published_pricing")
    game = LogitPricing(num_firms=3, num_prices=3, turnover=0.2)
    first, seeds = rows.against_random_rivals(game, 0.9), roots("entering", "test", range(200))
    options, periods = (0.15, 2e-3, 0.9), 6000
    found = loop.sessions(game, first, seeds, options=options, stable=periods, limit=periods)
    assert not found.settled.any()
    given = dict(zip(("alpha", "beta", "discount"), options, strict=True))
    learners = [player("q_learning", game, i, start=first[i], **given) for i in range(3)]
    runs = JointLearning(
        game, learners, seeds=seeds, max_episode_steps=None, stable=None, kernel=True
    )
    runs.advance(periods)
    history = tabulate(game).states.history
    inside = (history[:, -1] == 1) & (history[:, -2] < 3)
    # mean best price of a firm over all histories in which all are in, per run
    theirs = runs.now.best[:, runs.rules.views][..., inside].mean(axis=-1)
    ours = found.inside.actions.mean(axis=-1).T
    spread = np.sqrt((theirs.var(axis=0) + ours.var(axis=0)) / len(seeds))
    assert (spread > 0).all()
    assert (np.abs(theirs.mean(axis=0) - ours.mean(axis=0)) < 4 * spread).all()


def test_the_page_of_published_rows_has_each_row() -> None:
    script = script_of("published_pricing")
    page = (ROOT / "docs" / "published_pricing.md").read_text(encoding="utf-8")
    assert page.startswith(script.INTRO)
    assert page.endswith(script.OUTRO)
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(script.ROWS)
    for cells, row in zip(rows, script.ROWS, strict=True):
        assert cells[0] == f"| {row.label}"
        assert cells[1] == str(round(100 * row.share))
        assert float(cells[3]) == row.gain


@pytest.mark.slow
@NEEDS_NUMBA
@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_of_pricing_finds_what_it_should(name: str) -> None:
    outcome = reproduce(name)
    missed = [(c.target.name, c.measured, c.target.value) for c in outcome.checks if not c.passed]
    assert not missed
