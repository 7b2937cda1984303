import re

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from stratagem.evaluation import bench, evaluate
from stratagem.metrics import cross_play
from stratagem.report import lines, stored_lines, write_report
from stratagem.report.page import bounds, number
from stratagem.report.summary import matrix, select
from stratagem.scenarios import scenario

LEVER = scenario(
    "lever-test",
    "LeverCoordination-v0",
    lineups=(("random", "random"), ("fixed:1", "fixed:1"), ("q_learning", "q_learning")),
    periods=8,
    training=200,
    learners={"q_learning": {"beta": 0.02}},
    cross_play=True,
)
PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 4},
    lineups=(("benchmark:grid_stackelberg",) * 2,),
    periods=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    bench((LEVER, PRICING), path, suite="test", seeds=4)
    write_report(path)
    return path


def test_the_summary_has_a_line_per_lineup_and_one_for_the_rematched(folder):
    found = stored_lines(folder)
    assert [line.label for line in found] == [
        "random", "fixed:1", "q_learning", "q_learning, re-matched", "benchmark:grid_stackelberg",
    ]  # fmt: skip
    assert all(line.risk.n == 4 for line in found)
    assert found[1].risk.value == 0


def test_the_rematched_line_is_the_cross_play_of_the_matrix_over_runs(folder):
    rows = evaluate(("q_learning", "q_learning"), LEVER, 4).rows
    line = next(line for line in stored_lines(folder) if line.pairing == "cross")
    cells = select(rows, episode=0, seat=0)
    expected = cross_play(matrix(cells, "game_risk"))
    assert line.risk == expected.cross_play
    assert line.sessions == 12
    alone = next(line for line in lines(rows) if line.pairing == "self")
    assert alone.risk.value == pytest.approx(expected.self_play.value)


def test_the_page_needs_no_network_and_no_other_file(folder):
    page = (folder / "report.html").read_text()
    outside = [
        address
        for address in re.findall(r"""(?:src|href)=["']([^"']*)["']""", page)
        if not address.startswith(("data:", "#"))
    ]
    assert outside == []
    assert "@import" not in page
    assert "<script" not in page
    assert 'name="viewport"' in page


def test_the_page_shows_risk_with_interval_and_n_and_every_certificate(folder):
    page = (folder / "report.html").read_text()
    assert "Risk scorecard" in page
    for text in ("lever-test", "pricing-test", "grid_stackelberg", "other_play", "planner"):
        assert text in page
    assert page.count("<img ") == 2 + 1 + 1  # rewards of each scenario, learning, cross-play
    line = stored_lines(folder)[0]
    assert f'<td class="num risk">{number(line.risk.value)}</td>' in page
    assert '<td class="num" data-of="n">4</td>' in page


def test_every_anchor_of_the_page_exists(folder):
    page = (folder / "report.html").read_text()
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page


def test_an_undefined_risk_is_called_undefined():
    assert number(np.nan) == "undefined"
    assert number(-0.5) == "\N{MINUS SIGN}0.500"
    rows = evaluate("fixed:1", LEVER, 2).rows
    rows["game_risk"] = np.full_like(rows["game_risk"], np.nan)
    line = next(lines(rows))
    assert np.isnan(line.risk.value)
    assert bounds(line.risk) == "n = 2"


def test_a_report_of_some_finished_parts_says_that_it_is_unfinished(folder, tmp_path):
    def stop(unit, done, total):
        if done == 1 and unit.phase == "play":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench((LEVER, PRICING), tmp_path, suite="test", seeds=4, tick=stop)
    assert "unfinished" in write_report(tmp_path).read_text()
    assert "unfinished" not in (folder / "report.html").read_text()
