import re
from urllib.parse import unquote

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from pages import LEVER, audits

from stratagem.evaluation import evaluate
from stratagem.metrics import interval
from stratagem.report import lines
from stratagem.report.audits import audited, merged
from stratagem.report.canvas import compact
from stratagem.report.forest import TALLEST, Row, forest
from stratagem.report.markup import Column, Group, Html, averaged, bounds, number, slug, table
from stratagem.report.plots import band
from stratagem.report.summary import matrix, overall


def test_a_matrix_of_runs_some_of_which_have_not_met_the_others_holds_those_that_have():
    cells = {
        "run": np.array([0, 0, 0, 2, 2, 2]),
        "partner_run": np.array([0, 1, 2, 0, 1, 2]),
        "value": np.array([1.0, 9.0, 2.0, 3.0, 9.0, 4.0]),
    }
    np.testing.assert_array_equal(matrix(cells, "value"), [[1, 2], [3, 4]])


def test_the_mean_over_scenarios_weighs_each_alike_and_needs_more_than_one():
    def rows(scenario, risks, lineup="random + random"):
        n = len(risks)
        same = {
            "scenario": scenario, "failure_mode": "conflict", "episode": 0, "seat": 0,
            "pairing": "self", "split": "", "lineup": lineup,
        }  # fmt: skip
        return {**{k: np.full(n, v) for k, v in same.items()}, "game_risk": np.array(risks)}

    def both(*parts):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    one, two = rows("one", [0.0, 1.0]), rows("two-long", [2.0, 3.0])
    (found,) = overall(both(one, two), "conflict")
    assert (found.lineup, found.scenarios, found.risk.value, found.risk.n) == ("random", 2, 1.5, 4)
    # Resampled within scenarios, the mean stays between those of the lowest and highest seeds.
    assert 1.0 <= found.risk.low < 1.5 < found.risk.high <= 2.0
    assert overall(one, "conflict") == []
    assert overall(both(one, rows("two-long", [2.0])), "conflict") == []
    assert overall(both(one, rows("two-long", [2.0, np.nan])), "conflict") == []
    assert overall(both(one, rows("two-long", [2.0, 3.0], "grim + random")), "conflict") == []


def test_the_band_of_a_learning_curve_is_the_interval_at_every_point():
    values = np.random.default_rng(3).normal(size=(5, 6))
    low, high = band(values)
    for point, row in enumerate(values):
        expected = interval(row)
        assert (low[point], high[point]) == pytest.approx((expected.low, expected.high))
    assert np.isnan(band(values[:, :1])).all()


def test_the_value_of_one_simulated_run_has_the_interval_of_the_simulation():
    own = audits(1)
    own["value_low"], own["value_high"] = own["value"] - [0.0, 0.5], own["value"] + [0.0, 0.25]
    first, second = audited(own)
    assert np.isnan(first.value.low)
    assert second.value == (0.25, -0.25, 0.5, 1)


def test_an_audit_of_one_run_has_no_interval():
    one = audited(audits(1))
    assert [x.value.n for x in one] == [1, 1]
    assert one[0].gain[0].value == pytest.approx(0.2)
    assert np.isnan(one[0].gain[0].low)
    assert not one[0].bracketed


def test_methods_that_differ_in_numbers_only_are_one_with_ranges():
    several = ["exact: 3 states, 1 time", "bracket", "exact: 5 states, 1 time", "exact: 4 states"]
    assert merged(several) == ("exact: 3 to 5 states, 1 time", "bracket", "exact: 4 states")
    assert merged(["at 0.5", "at 0.9"]) == ("at 0.5", "at 0.9")


def test_captions_state_n_and_whether_there_are_intervals():
    assert averaged([4, 4], "seed") == "mean over seeds with 95% interval, n = 4 seeds"
    assert averaged([1, 4], "run") == (
        "mean over runs with 95% interval, none where n = 1, n = 1 to 4 runs"
    )
    assert averaged([1], "seed") == "n = 1 seed, no interval"


def test_an_undefined_risk_is_called_undefined():
    assert number(np.nan) == "undefined"
    assert number(-0.5) == "\N{MINUS SIGN}0.500"
    assert number(-1e-9) == "0.000"
    rows = evaluate("fixed:1", LEVER, 2).rows
    rows["game_risk"] = np.full_like(rows["game_risk"], np.nan)
    line = next(lines(rows))
    assert np.isnan(line.risk.value)
    assert bounds(line.risk) == "n = 2"


def test_a_forest_of_many_rows_is_split_so_that_each_picture_fits_a_page():
    found = interval(np.array([0.0, 1.0]))
    rows = [Row(f"{i} " + "long_name_" * 12, {0: found, 1: found}) for i in range(15)]
    anchors = {"nash": {"a": 0.5, "b": 0.5}}
    pictures = [*forest(rows, anchors, "reward", ("a", "b"))]
    # Three lines of a name, two seats and a margin: 0.74 inches a row.
    assert [some for _, some in pictures] == ["1 to 7 of 15", "8 to 14 of 15", "15 to 15 of 15"]
    svgs = [unquote(a.partition(",")[2]) for a, _ in pictures]
    heights = [float(re.search(r'height="([\d.]+)pt"', svg)[1]) / 72 for svg in svgs]
    assert max(heights) < TALLEST + 1.2
    assert [svg.count("nash") for svg in svgs] == [1, 1, 1]
    lone = Row("tall", dict.fromkeys(range(80), found))
    assert [some for _, some in forest([lone], {}, "reward")] == ["1"]


def test_a_picture_in_fewer_letters_has_the_same_shapes_to_a_hundredth_of_a_point():
    svg = (
        '<?xml version="1.0"?>\n<svg width="9.123456pt">\n'
        ' <path d="M 1.23456 -2 \nL 0.001 30 \nz\n"'
        ' style="fill: none; stroke: #0072b2"/>\n <g transform="scale(0.015625)">'
        '<text x="1.999">a  b</text></g>\n</svg>'
    )
    assert compact(svg) == (
        '<svg width="9.12pt"><path d="M1.23,-2L0,30z" style="fill:none;stroke:#0072b2"/>'
        '<g transform="scale(0.015625)"><text x="2">a  b</text></g></svg>'
    )


def test_a_table_escapes_what_is_not_markup_and_breaks_long_names():
    columns = (Column("a < b", "name"), Column("n"))
    text = table("x & y", columns, [Group("g<h", [("module:Agent", Html("<b>1</b>"))])])
    assert "x &amp; y" in text
    assert "g&lt;h" in text
    assert "module:<wbr>Agent" in text
    assert '<td class="number" data-of="n"><b>1</b></td>' in text
    assert "1.0e+00" in table("x", columns, [Group("", [("a", "1.0e+00")])])
    assert slug("My Game: v0/x") == "my-game-v0-x"
