import base64
import re
from html.parser import HTMLParser
from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from stratagem.evaluation import bench, evaluate, read_manifest
from stratagem.evaluation.audit import AUDIT_COLUMNS
from stratagem.evaluation.storage import write_manifest, write_table
from stratagem.metrics import cross_play, interval, named, paired, share
from stratagem.report import lines, stored_lines, write_report
from stratagem.report.audits import audited
from stratagem.report.forest import TALLEST, Row, forest
from stratagem.report.heldout import held_out
from stratagem.report.markup import Column, Group, Html, averaged, bounds, number, slug, table
from stratagem.report.page import stored
from stratagem.report.plots import band
from stratagem.report.summary import matrix, opened, overall, select
from stratagem.scenarios import scenario

LEVER = scenario(
    "lever-test",
    "LeverCoordination-v0",
    lineups=(
        ("random", "random"),
        ("fixed:1", "fixed:1"),
        ("q_learning", "q_learning"),
        ("q_learning", "background"),
    ),
    focal=(0,),
    train_backgrounds=(("fixed:0",), ("fixed:1",)),
    test_backgrounds=(("fixed:8",),),
    periods=8,
    training=200,
    learners={"q_learning": {"beta": 0.02}},
    cross_play=True,
    metrics=("reward", "reward_iqm", "risk", "high_risk"),
)
PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 4},
    lineups=(("benchmark:grid_stackelberg",) * 2,),
    periods=20,
)
VOID = {"meta", "img", "br", "wbr", "link", "hr"}
NASTY = '<script>alert("x")</script> & $a_b$.zip'


class Page(HTMLParser):
    """A reader that insists on closed tags, and keeps headings, ids, pictures and tables."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.headings, self.pictures, self.tables = [], [], [], [], []
        self.words = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "img":
            self.pictures.append(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])
        if tag == "table":
            self.tables.append({"caption": "", "head": [], "rows": {}})
            self.group = ""
        if tag == "tr":
            self.row = []
        if tag in ("th", "td"):
            assert tag == "td" or attrs["scope"] in ("col", "row", "rowgroup")
            self.row.append("")
        if tag not in VOID:
            self.open.append((tag, attrs))

    def handle_startendtag(self, tag, attrs):
        assert "svg" in [name for name, _ in self.open], f"{tag} closes itself, as HTML does not"

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        last, attrs = self.open.pop()
        assert last == tag
        if tag == "tr":
            row = [" ".join(cell.split()) for cell in self.row]
            if attrs.get("class") == "group":
                self.group = row[0]
            elif self.tables[-1]["head"]:
                assert len(row) == len(self.tables[-1]["head"])
                self.tables[-1]["rows"][self.group, row[0]] = row
            else:
                self.tables[-1]["head"] = row

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if "path" not in inside and "style" not in inside:
            self.words.append(data)
        if inside and re.fullmatch("h[1-6]", inside[-1]):
            self.headings[-1][1] += data
        if "caption" in inside:
            self.tables[-1]["caption"] += data
        if "th" in inside or "td" in inside:
            self.row[-1] += data

    def table(self, *words):
        """Return the rows of the one table whose caption holds these words."""
        found = [t for t in self.tables if all(word in t["caption"] for word in words)]
        assert len(found) == 1, [t["caption"] for t in self.tables]
        return found[0]["rows"]


def audits(runs=3):
    """Return audits made by hand: exact for seat 0, brackets for seat 1 after the first run."""
    names = ("seat", "agent", "run", "value", "gain_low", "gain_high", "one_shot_gain", "exact")
    cells = [
        (0, "player_0", run, 0.5 + run / 10, 0.2 + run / 10, 0.2 + run / 10, 0.1, True)
        for run in range(runs)
    ] + [(1, "player_1", run, 0.25, 0.1, 0.3 + run / 10, np.nan, run == 0) for run in range(runs)]
    columns = dict(zip(names, map(np.array, zip(*cells, strict=True)), strict=True))
    same = {
        "scenario": "lever-test",
        "version": 0,
        "game": "stratagem/LeverCoordination-v0",
        "lineup": "q_learning + q_learning",
        "unit": "discounted",
        "discount": 0.95,
        "nodes": 7,
    }
    found = {**{name: np.full(2 * runs, value) for name, value in same.items()}, **columns}
    assert set(AUDIT_COLUMNS) - set(found) == {
        "value_low", "value_high", "best_low", "best_high", "method",
    }  # fmt: skip
    found["value_low"] = found["value_high"] = found["value"]
    found["best_low"] = found["value"] + found["gain_low"]
    found["best_high"] = found["value"] + found["gain_high"]
    found["method"] = np.where(found["exact"], "policy iteration", "a <bound> on both sides")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    bench((LEVER, PRICING), path, suite="test", seeds=4)
    write_report(path)
    return path


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text())


@pytest.fixture(scope="module")
def sessions(folder):
    """One dictionary per session and seat, read without any of the report's helpers."""
    rows = stored(folder, "rows")
    cells = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    return [cell for cell in cells if cell["episode"] == 0]


def test_the_summary_has_a_line_per_lineup_split_and_one_for_the_rematched(folder):
    found = stored_lines(folder)
    assert [line.label for line in found] == [
        "random", "fixed:1", "q_learning", "q_learning, re-matched",
        "q_learning + background, train backgrounds", "q_learning + background, test backgrounds",
        "benchmark:grid_stackelberg",
    ]  # fmt: skip
    assert all(line.risk.n == 4 for line in found)
    assert found[1].risk.value == 0
    assert [line.sessions for line in found] == [4, 4, 4, 12, 8, 4, 4]


def test_the_rematched_line_is_the_cross_play_of_the_matrix_over_runs(folder):
    rows = evaluate(("q_learning", "q_learning"), LEVER, 4).rows
    line = next(line for line in stored_lines(folder) if line.pairing == "cross")
    cells = select(rows, episode=0, seat=0)
    expected = cross_play(matrix(cells, "game_risk"))
    assert line.risk == expected.cross_play
    alone = next(line for line in lines(rows) if line.pairing == "self")
    assert alone.risk.value == pytest.approx(expected.self_play.value)


def test_a_matrix_of_runs_some_of_which_have_not_met_the_others_holds_those_that_have():
    cells = {
        "run": np.array([0, 0, 0, 2, 2, 2]),
        "partner_run": np.array([0, 1, 2, 0, 1, 2]),
        "value": np.array([1.0, 9.0, 2.0, 3.0, 9.0, 4.0]),
    }
    np.testing.assert_array_equal(matrix(cells, "value"), [[1, 2], [3, 4]])


def test_the_page_needs_no_network_no_script_and_no_other_file(folder):
    text = (folder / "report.html").read_text()
    outside = [
        address
        for address in re.findall(r"""(?:src|href)=["']([^"']*)["']""", text)
        if not address.startswith(("data:", "#"))
    ]
    assert outside == []
    for word in ("@import", "<script", "url(", "http:", "https:", "javascript:"):
        assert word not in text, word
    assert 'name="viewport"' in text
    for code in re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', text):
        svg = base64.b64decode(code).decode()
        assert "<script" not in svg
        assert re.findall(r'(?:xlink:)?href="(?!#|data:)[^"]*"', svg) == []


def test_headings_do_not_skip_a_level_ids_are_unique_and_every_link_finds_its_target(folder, page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.ids) == len(set(page.ids))
    targets = re.findall(r'href="#([^"]+)"', (folder / "report.html").read_text())
    assert set(targets) <= set(page.ids)
    assert {"risk", "scenario-lever-test", "scenario-lever-test-held-out"} <= set(targets)


def test_every_picture_says_n_aloud_and_every_table_has_a_caption_and_n(page):
    assert all(re.search(r"n = \d", picture["alt"]) for picture in page.pictures)
    # Rewards of two scenarios, two learning curves, a cross-play matrix, and backgrounds.
    assert len(page.pictures) == 2 + 2 + 1 + 1
    assert page.tables
    for one in page.tables:
        assert one["caption"].strip()
        assert "n" in one["head"] or "Regret" in one["head"]


def test_risks_of_the_scorecard_are_those_of_the_rows(page, sessions):
    rows = page.table("Risk by scenario", "miscoordination")
    values = [
        cell["game_risk"]
        for cell in sessions
        if cell["lineup"] == "random + random" and cell["seat"] == 0
    ]
    found = interval(np.array(values))
    cells = rows["lever-test", "random"]
    assert cells[2].split()[0] == number(min(max(fmean(values), 0), 1))
    assert cells[3] == "4"
    assert cells[4] == f"{number(fmean(values))} [{number(found.low)}, {number(found.high)}]"
    middle = fmean(sorted(values)[1:3])
    assert cells[5].split()[0] == number(middle)
    assert cells[6].split()[0] == number(sum(v > 0.5 for v in values) / 4)
    low, high = (number(x) for x in share(np.array(values))[1:3])
    assert cells[6].endswith(f"[{low}, {high}]")


def test_rewards_of_seats_and_the_metrics_that_a_scenario_names_are_those_of_the_rows(
    page, sessions
):
    rows = page.table("interquartile mean over seeds of the reward")
    values = [
        cell["session_reward_per_period"]
        for cell in sessions
        if (cell["lineup"], cell["seat"]) == ("random + random", 1)
    ]
    cells = rows["random", sessions[1]["agent"]]
    assert cells[1].split()[0] == number(fmean(values))
    assert cells[2].split()[0] == number(fmean(sorted(values)[1:3]))


def test_a_metric_of_the_game_that_is_not_on_the_scorecard_has_a_table(
    folder, tmp_path, monkeypatch
):
    extra = named.METRICS["risk"]._replace(about="the lowest risk", statistic=lowest)
    monkeypatch.setattr(named, "METRICS", {**named.METRICS, "lowest": extra})
    copy = copied(folder, tmp_path)
    manifest = read_manifest(copy)
    manifest["scenarios"][0]["metrics"] = ["lowest"]
    write_manifest(copy, manifest)
    rows = Page(write_report(copy).read_text()).table("lowest: the lowest risk")
    assert rows["", "fixed:1"][1:] == ["0.000 [0.000, 0.000]", "4"]


def lowest(values):
    return interval(values, lambda x: x.min(axis=-1))


def test_the_cross_play_section_states_self_play_cross_play_and_gap_over_runs(page, sessions):
    rows = page.table("self-play, cross-play, and the gap")
    met = [
        cell
        for cell in sessions
        if cell["lineup"] == "q_learning + q_learning" and cell["seat"] == 0
    ]
    own = fmean(c["game_risk"] for c in met if c["run"] == c["partner_run"])
    other = fmean(c["game_risk"] for c in met if c["run"] != c["partner_run"])
    cells = rows["", "Game's risk, unclipped"]
    assert [cell.split()[0] for cell in cells[1:4]] == [*map(number, (own, other, own - other))]
    assert cells[4] == "4"


def test_the_split_section_states_train_test_and_their_gap_paired_by_seed(page, sessions):
    def seed_means(split):
        return [
            fmean(
                cell["session_reward_per_period"]
                for cell in sessions
                if cell["split"] == split and cell["focal"] and cell["seed_index"] == seed
            )
            for seed in range(4)
        ]

    train, test = seed_means("train"), seed_means("test")
    gap = paired(np.array(train), np.array(test))
    cells = page.table("generalisation gap")["", "Reward per period"]
    assert cells[1].split()[0] == number(fmean(train))
    assert cells[2].split()[0] == number(fmean(test))
    assert cells[3] == f"{number(gap.value)} [{number(gap.low)}, {number(gap.high)}]"
    each = page.table("against each background")
    assert [*each] == [
        ("Train backgrounds", "fixed:0"), ("Train backgrounds", "fixed:1"),
        ("Test backgrounds", "fixed:8"),
    ]  # fmt: skip


def test_a_gap_needs_the_same_seeds_on_both_sides(folder):
    met = opened(select(stored(folder, "rows"), episode=0, scenario="lever-test"))
    met = {name: column[met["split"] != ""] for name, column in met.items()}
    assert held_out(met, "game_risk") is not None
    late = (met["split"] == "train") | (met["seed_index"] > 0)
    assert held_out({k: v[late] for k, v in met.items()}, "game_risk") is None
    assert held_out(select(met, split="train"), "game_risk") is None


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


def test_learning_curves_state_their_number_of_runs(page):
    own = [picture["alt"] for picture in page.pictures if "Learning curve" in picture["alt"]]
    assert len(own) == 2
    assert all("n = 4 runs" in text for text in own)


def test_audits_by_hand_are_shown_with_bracket_interval_n_and_method(folder, tmp_path):
    copy = copied(folder, tmp_path)
    write_table(copy / "audits" / "lever-test.parquet", audits(), "config")
    page = Page(write_report(copy).read_text())
    rows = page.table("Value, best deviation and gain", "discounted at 0.95")
    exact = rows["q_learning", "player_0"]
    gain = interval(np.array([0.2, 0.3, 0.4]))
    assert exact[1].split()[0] == "0.600"
    assert exact[2].split()[0] == "0.900"
    assert exact[3] == f"0.300 [{number(gain.low)}, {number(gain.high)}]"
    assert exact[4:] == ["0.100 [0.100, 0.100]", "3", "exact: policy iteration"]
    bracket = rows["q_learning", "player_1"]
    top = interval(np.array([0.3, 0.4, 0.5])).high
    assert bracket[3] == f"0.100 to 0.400 [0.100, {number(top)}]"
    assert bracket[4] == "\N{EN DASH}"
    assert bracket[6] == "exact in 1 of 3 runs: policy iteration; a <bound> on both sides"
    picture = next(p["alt"] for p in page.pictures if "Gain of the best deviation" in p["alt"])
    assert "n = 3 runs" in picture


def test_an_audit_without_an_upper_bound_says_at_least(folder, tmp_path):
    copy, own = copied(folder, tmp_path), audits()
    own["gain_high"][-1] = own["best_high"][-1] = np.inf
    write_table(copy / "audits" / "lever-test.parquet", own, "config")
    row = Page(write_report(copy).read_text()).table("best deviation and gain")
    assert row["q_learning", "player_1"][2] == "at least 0.350 [0.350, \N{INFINITY})"
    assert row["q_learning", "player_1"][3] == "at least 0.100 [0.100, \N{INFINITY})"
    assert row["q_learning", "player_0"][3].startswith("0.300")


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


def test_a_folder_without_audits_or_curves_has_no_such_sections(folder, tmp_path):
    copy = copied(folder, tmp_path)
    for curve in (copy / "curves").glob("*"):
        curve.unlink()
    titles = [title for _, title in Page(write_report(copy).read_text()).headings]
    assert "Learning" not in titles
    assert "Audits" not in titles
    assert "Cross-play" in titles


def test_names_with_special_characters_are_escaped_and_reasons_of_refusals_are_stated(
    folder, tmp_path
):
    copy = copied(folder, tmp_path)
    manifest = read_manifest(copy)
    manifest["cannot_play"] = [
        {"agent": NASTY, "scenario": "lever-test", "lineup": [NASTY, NASTY], "reason": "1 < 2 & 3"}
    ]
    (one,) = [p for p in manifest["scenarios"][0]["parts"] if "fixed-1" in p]
    rows = stored(copy, "rows")
    own = select(rows, lineup="fixed:1 + fixed:1")
    for name in ("lineup", "policy"):
        own[name] = np.full(len(own["seat"]), NASTY)
    write_table(copy / "rows" / one, own, "config")
    write_manifest(copy, manifest)
    text = write_report(copy).read_text()
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', text)
    drawn = [base64.b64decode(code).decode() for code in pictures]
    assert "<script" not in " ".join([text, *drawn])
    assert any("&lt;script&gt;" in svg for svg in drawn)
    page = Page(text)
    assert ("lever-test", NASTY) in page.table("Risk by scenario", "miscoordination")
    assert page.table("left out")["lever-test", NASTY][1] == "1 < 2 & 3"


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


def test_a_report_of_one_seed_shows_no_interval_and_no_cross_play(tmp_path):
    bench((LEVER,), tmp_path, suite="test", seeds=1)
    page = Page(write_report(tmp_path).read_text())
    rows = page.table("Risk by scenario")
    assert rows["lever-test", "fixed:1"][2:4] == ["0.000 no interval", "1"]
    assert "Cross-play" not in [title for _, title in page.headings]


def test_a_report_of_some_finished_parts_says_that_it_is_unfinished(folder, tmp_path):
    def stop(unit, done, total):
        if done == 1 and unit.phase == "play":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench((LEVER, PRICING), tmp_path, suite="test", seeds=4, tick=stop)
    assert "unfinished" in write_report(tmp_path).read_text()
    assert "unfinished" not in (folder / "report.html").read_text()


def test_a_forest_of_many_rows_is_split_so_that_each_picture_fits_a_page():
    found = interval(np.array([0.0, 1.0]))
    rows = [Row(f"{i} " + "long_name_" * 12, {0: found, 1: found}) for i in range(15)]
    anchors = {"nash": {"a": 0.5, "b": 0.5}}
    pictures = [*forest(rows, anchors, "reward", ("a", "b"))]
    # Three lines of a name, two seats and a margin: 0.74 inches a row.
    assert [some for _, some in pictures] == ["1 to 7 of 15", "8 to 14 of 15", "15 to 15 of 15"]
    svgs = [base64.b64decode(a.partition(",")[2]).decode() for a, _ in pictures]
    heights = [float(re.search(r'height="([\d.]+)pt"', svg)[1]) / 72 for svg in svgs]
    assert max(heights) < TALLEST + 1.2
    assert [svg.count("nash") for svg in svgs] == [1, 1, 1]
    lone = Row("tall", dict.fromkeys(range(80), found))
    assert [some for _, some in forest([lone], {}, "reward")] == ["1"]


def test_a_table_escapes_what_is_not_markup_and_breaks_long_names():
    columns = (Column("a < b", "name"), Column("n"))
    text = table("x & y", columns, [Group("g<h", [("module:Agent", Html("<b>1</b>"))])])
    assert "x &amp; y" in text
    assert "g&lt;h" in text
    assert "module:<wbr>Agent" in text
    assert '<td class="number" data-of="n"><b>1</b></td>' in text
    assert "1.0e+00" in table("x", columns, [Group("", [("a", "1.0e+00")])])
    assert slug("My Game: v0/x") == "my-game-v0-x"


def copied(folder, to):
    """Return a copy of a folder of results."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return to
