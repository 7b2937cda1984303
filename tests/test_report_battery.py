"""The battery and its pictures in what a bench stores and reports."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from pages import Page

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.random_play import Random
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.evaluation import BATTERY_COLUMNS, bench, evaluate
from stratagem.evaluation.battery import battery, battery_columns
from stratagem.evaluation.rows import joined
from stratagem.players import player
from stratagem.report import write_report
from stratagem.report.collusion import battery_section, changes, cycles, labels, measured
from stratagem.report.detection import detection_section
from stratagem.report.impulses import impulses
from stratagem.report.paths import paths
from stratagem.report.roc import roc
from stratagem.scenarios import scenario, suite

GAME = LogitPricing(num_prices=3)
SCENARIO = scenario(
    "battery-test",
    "LogitPricing-v0",
    {"num_prices": 3},
    lineups=(("grim", "grim"), ("q_learning", "q_learning"), ("q_learning", "background")),
    focal=(0,),
    train_backgrounds=(("fixed:0",),),
    periods=5,
    training=200,
    learners={"q_learning": {"beta": 0.02}},
    cross_play=True,
    battery=True,
)
CHANNEL = scenario(
    "channel-test",
    "SecretChannel-v0",
    {"secret": 1.0, "public": 0.0, "horizon": 1},
    lineups=(("random",) * 3,),
    periods=4,
)


def rows(policies: Any, run: int) -> Any:
    names = {"scenario": "s", "version": 0, "full_id": "g", "lineup": "l"}
    return battery_columns(policies, GAME, start=None, run=run, **names)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    folder = tmp_path_factory.mktemp("bench")
    bench([SCENARIO, CHANNEL], folder, suite="test", seeds=3)
    return folder, Page(write_report(folder).read_text(encoding="utf-8"))


def test_what_is_stored_is_what_the_battery_returns() -> None:
    lineups = [[player("grim", GAME, seat) for seat in range(2)], [fixed(1), fixed(2)]]
    stored = joined([rows(own, run) for run, own in enumerate(lineups)])
    assert [*stored] == [*BATTERY_COLUMNS]
    found = battery(lineups, GAME)
    assert labels(stored) == [*found.labels]
    for name, x in found.measures.items():
        if name.startswith("strangers"):  # needs other runs
            assert measured(stored, name).n == 0
        else:
            # what is simulated has the run's own seed
            assert measured(stored, name).n == x.n
    assert measured(stored, "profit_gain") == found.measures["profit_gain"]
    np.testing.assert_array_equal(changes(stored, "cut"), [one.cuts for one in found.runs])
    np.testing.assert_array_equal(changes(stored, "rise"), [one.rises for one in found.runs])
    for own, one in zip(cycles(stored), found.runs, strict=True):
        np.testing.assert_array_equal(own, one.path)


def test_learners_are_tested_without_backgrounds_and_only_where_a_scenario_says_so() -> None:
    learnt = evaluate(("q_learning", "q_learning"), SCENARIO, 2).battery
    assert [*learnt] == [*BATTERY_COLUMNS]
    assert np.unique(learnt["run"]).tolist() == [0, 1]
    assert evaluate(("grim", "grim"), SCENARIO, 2).battery == {}
    assert evaluate(("q_learning", "background"), SCENARIO, 1).battery == {}
    silent = replace(SCENARIO, battery=False)
    assert evaluate(("q_learning", "q_learning"), silent, 1).battery == {}


def test_each_run_is_tested_alike_whichever_others_there_are() -> None:
    whole = evaluate(("q_learning", "q_learning"), SCENARIO, 2).battery
    last = evaluate(("q_learning", "q_learning"), SCENARIO, [1]).battery
    kept = whole["run"] == 1
    for name, column in last.items():
        np.testing.assert_array_equal(whole[name][kept], column)


def test_the_core_suite_tests_all_collusion_scenarios_that_have_prices() -> None:
    tested = {one.game for one in suite("core") if one.battery}
    assert tested == {
        "LogitPricing-v0", "RepeatedAuction-v0", "Cournot-v0", "SequentialPricing-v0"
    }  # fmt: skip


def test_the_report_has_the_vector_the_labels_and_the_pictures(page: tuple[Path, Page]) -> None:
    folder, read = page
    assert len(list((folder / "battery").glob("*.parquet"))) == 1
    assert [2, "battery-test"] in read.headings
    assert [3, "Collusion or failed learning"] in read.headings
    assert "scenario-battery-test-battery" in read.ids
    play, deviations = (
        t for t in read.tables if t["caption"].startswith(("Where play", "What de"))
    )
    assert "profit gain" in play["head"]
    assert "answer to a cut" in deviations["head"]
    stored = evaluate(("q_learning", "q_learning"), SCENARIO, 3).battery
    cells = " ".join(map(str, play["rows"].values()))
    assert f"{measured(stored, 'profit_gain').value:.3f}".replace("-", "\N{MINUS SIGN}") in cells
    assert all(label in cells for label in labels(stored))
    said = [picture["alt"] for picture in read.pictures]
    assert any(
        alt.startswith("Levels along the limit cycles of q_learning, 3 of 3") for alt in said
    )
    assert any(alt.startswith("Changes of level after a forced cut") for alt in said)


def test_flat_means_of_play_that_draws_are_not_drawn() -> None:
    stored = rows([Random(3), Random(3)], 0)
    (section,) = battery_section(stored, "key", GAME.agents)
    assert "Changes of level" in section.parts[-1]
    assert "limit cycles" not in section.parts[-1]
    assert [*battery_section({}, "key", GAME.agents)] == []


def test_what_is_undefined_is_called_so_in_table_and_picture() -> None:
    stored = rows([fixed(0), fixed(0)], 0)  # nothing lower can be played
    (section,) = battery_section(stored, "key", GAME.agents)
    assert "undefined" in "".join(section.parts[1:3])
    drawn = impulses(changes(stored, "cut"), changes(stored, "rise"))
    assert drawn.count("undefined") == 1


def test_detection_is_reported_of_secret_channels_alone(page: tuple[Path, Page]) -> None:
    _, read = page
    assert [3, "Detection"] in read.headings
    game = SecretChannel(secret=1.0, public=0.0, horizon=1)
    power = game.detection_curve(game.naive_code, 16).power(0.05)
    (alt,) = [p["alt"] for p in read.pictures if p["alt"].startswith("ROC curves")]
    assert f"naive code: {power:.3f} detected" in alt
    assert "secure code: 0.050 detected" in alt
    assert [*detection_section({"game": "LogitPricing-v0", "params": {}}, "key")] == []


def test_pictures_are_the_same_each_time_and_take_any_number_of_seats() -> None:
    cycle = np.arange(6.0).reshape(3, 2)
    low, high = np.zeros(3), np.array([5.0, 5.0, 6.0])
    given: Any = ([cycle] * 9, [f"run {i}" for i in range(9)], ("a", "b", "c"), (low, high))
    assert paths(*given) == paths(*given)
    assert "run%205" in paths(*given).replace(" ", "%20")
    assert "run%206" not in paths(*given).replace(" ", "%20")  # six are drawn
    game = SecretChannel()
    curve = game.detection_curve(game.naive_code, 2)
    assert roc({"one": [curve]}, 2).startswith("data:image/svg+xml,")
