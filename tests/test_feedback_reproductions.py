"""Experiments about feedback that is not always given: in short, and whole."""

import csv
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.evaluation.engaging import engagement
from stratagem.evaluation.roots import roots
from stratagem.reproductions import REPRODUCTIONS, feedback, reproduce

NAMES = (
    "feedback-rates-table",
    "same-regret-opposite-engagement",
    "missing-as-zero-is-linear",
    "creators-best-respond",
)
MEASURES: dict[str, Any] = {
    "feedback-rates-table": feedback.rates_table,
    "same-regret-opposite-engagement": feedback.opposite,
    "missing-as-zero-is-linear": feedback.silence,
    "creators-best-respond": feedback.creators,
}


def quiet(message: str) -> None:
    del message


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_measures_what_its_targets_are_about(name) -> None:
    found = MEASURES[name](quiet, runs=5, shorter=100)
    assert set(found) == {target.name for target in REPRODUCTIONS[name].targets}


def slopes(*rows: Any) -> list[float]:
    each = [feedback.measured(row, "short", quiet, runs=10, shorter=10) for row in rows]
    return [feedback.log_slope(feedback.RATES, one.pulls[:, 1]).value for one in each]


def test_engagement_moves_as_each_rule_says_in_a_tenth_of_the_periods() -> None:
    """Blocks are 20 of 2000 pulls, so bandits that have them make a hundred steps at most."""
    pull, divide, bonus, zero = slopes(
        feedback.PULL_UCB, feedback.DIVIDE_UCB, feedback.BONUS_UCB, feedback.ZERO_WORSE
    )
    assert -1.1 < pull < -0.7
    assert abs(divide) < 0.1
    assert bonus > 0.1
    assert zero < -1


def test_silence_misleads_only_where_the_better_arm_is_heard_of_more() -> None:
    game, seeds = ProbabilisticFeedback(losses=feedback.BASE), roots("silence", "test", range(8))
    few, many = (
        engagement(game, [(1.0, 0.3), (0.5, 0.5)], "missing_as_zero:ucb1",
                   periods=periods, seeds=seeds, horizon=periods).regret(game.means).mean(axis=1)
        for periods in (1500, 6000)
    )  # fmt: skip
    fooled, told = many / few
    assert fooled > 3.5
    assert told < 3.3


def test_the_picture_is_drawn_from_means_of_runs(tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("matplotlib")
    path = Path(__file__).parents[1] / "benchmarks" / "feedback_rates.py"
    spec = spec_from_file_location("feedback_rates", path)
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path), "--runs", "3", "--periods", "50"])
    script.main()
    assert (tmp_path / "feedback_rates.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with (tmp_path / "feedback_rates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(script.LEARNERS) * len(script.RATES)
    assert {row["n"] for row in rows} == {"3"}
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        script.main()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_experiment_is_in_its_bands(name) -> None:
    outcome = reproduce(name)
    missed = [check for check in outcome.checks if not check.passed]
    assert not missed
