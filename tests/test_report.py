import re
from itertools import pairwise
from statistics import fmean
from urllib.parse import unquote

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from pages import LEVER, NASTY, PRICING, Page, audit_part, audits, copied

from stratagem.evaluation import bench, evaluate, read_manifest
from stratagem.evaluation.storage import read_table, write_manifest, write_table
from stratagem.metrics import cross_play, interval, named, paired, share
from stratagem.report import lines, stored_lines, write_report
from stratagem.report.heldout import held_out
from stratagem.report.markup import number
from stratagem.report.page import stored
from stratagem.report.summary import matrix, opened, select


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
        "q_learning, train backgrounds", "q_learning, test backgrounds",
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


def test_the_page_needs_no_network_no_script_and_no_other_file(folder):
    text = (folder / "report.html").read_text()
    outside = [
        address
        for address in re.findall(r"""(?:src|href)=["']([^"']*)["']""", text)
        if not address.startswith(("data:", "#"))
    ]
    assert outside == []
    for word in ("@import", "<script", "http:", "https:", "javascript:"):
        assert word not in text, word
    assert re.findall(r"url\((?!%23)", text) == []
    assert 'name="viewport"' in text
    for code in re.findall(r'src="data:image/svg\+xml,([^"]*)"', text):
        svg = unquote(code)
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


def test_learning_curves_state_their_number_of_runs(page):
    own = [picture["alt"] for picture in page.pictures if "Learning curve" in picture["alt"]]
    assert len(own) == 2
    assert all("n = 4 runs" in text for text in own)


def test_audits_by_hand_are_shown_with_bracket_interval_n_and_method(folder, tmp_path):
    copy = copied(folder, tmp_path)
    write_table(audit_part(copy), audits(), "config")
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
    assert (
        bracket[6]
        == "exact in 1 of 3 runs. exact: policy iteration; bracket: 1 <bound> on both sides"
    )
    picture = next(p["alt"] for p in page.pictures if "Gain of the best deviation" in p["alt"])
    assert "n = 3 runs" in picture


def test_an_audit_without_an_upper_bound_says_at_least(folder, tmp_path):
    copy, own = copied(folder, tmp_path), audits()
    own["gain_high"][-1] = own["best_high"][-1] = np.inf
    write_table(audit_part(copy), own, "config")
    row = Page(write_report(copy).read_text()).table("best deviation and gain")
    assert row["q_learning", "player_1"][2] == "at least 0.350 [0.350, \N{INFINITY})"
    assert row["q_learning", "player_1"][3] == "at least 0.100 [0.100, \N{INFINITY})"
    assert row["q_learning", "player_0"][3].startswith("0.300")


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
    pictures = re.findall(r'src="data:image/svg\+xml,([^"]*)"', text)
    drawn = [unquote(code) for code in pictures]
    assert "<script" not in " ".join([text, *drawn])
    assert any("&lt;script&gt;" in svg for svg in drawn)
    page = Page(text)
    assert ("lever-test", NASTY) in page.table("Risk by scenario", "miscoordination")
    assert page.table("left out")["lever-test", NASTY][1] == "1 < 2 & 3"


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


@pytest.mark.parametrize(("runs", "crossed"), [(1, False), (3, True)])
def test_cross_play_of_an_unfinished_run_is_that_of_the_runs_that_met_the_others(
    folder, tmp_path, runs, crossed
):
    copy = copied(folder, tmp_path)
    (part,) = (copy / "rows").glob("*q-learning-q-learning*")
    rows = read_table(part)
    met = rows["seed_index"] < runs
    write_table(part, {name: column[met] for name, column in rows.items()}, "config")
    page = Page(write_report(copy).read_text())
    titles = [title for _, title in page.headings]
    assert ("Cross-play" in titles) == crossed
    if crossed:
        assert page.table("self-play, cross-play")["", "Game's risk, unclipped"][4] == "3"
