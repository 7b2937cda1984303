"""The command `metagame`: what it prints and keeps, and mistakes in one line."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stratagem.cli import main
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.games.stackelberg.meta_game import MetaGame
from stratagem.envs.games.stackelberg.meta_runs import read_runs
from stratagem.metagame.files import FILES

GAME = ("metagame", "MatrixGame-v0", "--param", "payoffs=chicken", "continuation=1.0")
MENUS = ("--menu", "player_0=fixed:0,fixed:1", "--menu", "player_1=fixed:0,fixed:1,hedge(rate=1.0)")
SMALL = (*GAME, *MENUS, "--periods", "20", "--runs", "3")


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_it_prints_the_table_and_all_that_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *SMALL)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    row = ["fixed:1", "fixed:0", "4.0000", "[4.0000,", "4.0000]", "2.0000", "[2.0000,", "2.0000]"]
    assert [*row, "1.00", "*"] in lines
    assert "Pure Nash equilibria: 2, marked * above" in out
    assert "player_0, to an algorithm: fixed:1 + fixed:0: (4.0000, 2.0000), stable 1.00" in out
    assert "n = 3 runs" in out
    assert "n = 200 uniform starts" in out
    assert "Alpha-rank" in out


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *SMALL, "--json", "--eps", "0.5")
    found = json.loads(out)
    assert code == 0
    assert found["id"] == "stratagem/MatrixGame-v0"
    assert found["params"]["payoffs"] == "chicken"
    assert found["menus"]["player_1"] == ["fixed:0", "fixed:1", "hedge(rate=1.0)"]
    assert found["eps"] == 0.5
    fixed = np.array(found["payoffs"])[:, :, :2]
    np.testing.assert_allclose(fixed, MatrixGame(payoffs="chicken").tensor)
    assert ["fixed:1", "fixed:0"] in [one["profile"] for one in found["equilibria"]]
    assert found["replicator"]["starts"] == 200
    assert np.sum(found["alpha_rank"]["masses"]) == pytest.approx(1)


def test_it_keeps_runs_table_json_and_picture_and_goes_on_from_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    code, first, _ = run(capsys, *SMALL, "--out", str(tmp_path))
    assert code == 0
    for name in FILES:
        assert str(tmp_path / name) in first
    stored = read_runs((tmp_path / "runs.csv").read_text())
    found = json.loads((tmp_path / "metagame.json").read_text())
    np.testing.assert_allclose(stored.runs.mean(axis=-1), found["payoffs"], atol=1e-12)
    game = MetaGame.from_runs(stored.runs, menus=stored.menus)
    assert game.benchmarks()["commit_0"].solution.payoffs.tolist() == [4, 2]
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert {row["n"] for row in rows} == {"3"}
    assert [float(row["stability"]) for row in rows][:4] == [0, 1, 0, 1]
    assert (tmp_path / "metagame.png").read_bytes().startswith(b"\x89PNG")

    def never(profile: Any, tick: Any) -> None:
        raise AssertionError(f"{profile.name} is played again")

    monkeypatch.setattr("stratagem.metagame.playing.play_profile", never)
    code, again, _ = run(capsys, *SMALL, "--out", str(tmp_path))
    assert code == 0
    assert again == first


def test_one_menu_serves_all_seats(capsys: pytest.CaptureFixture[str]) -> None:
    menu = "fixed:0,hedge(rate=0.1|1.0)"
    code, out, _ = run(capsys, *GAME, "--menu", menu, "--periods", "5", "--runs", "2", "--json")
    assert code == 0
    assert json.loads(out)["menus"] == {
        key: ["fixed:0", "hedge(rate=0.1)", "hedge(rate=1.0)"] for key in ("player_0", "player_1")
    }


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((*GAME, "--periods", "5"), "--menu"),
        ((*GAME, *MENUS), "--periods"),
        ((*GAME, *MENUS, "--periods", "0"), "whole number of at least 1"),
        ((*SMALL, "--runs", "1"), "--runs must be at least 2"),
        ((*SMALL, "--eps", "-1"), "--eps must be at least 0"),
        ((*SMALL, "--eps", "nan"), "--eps must be at least 0"),
        ((*SMALL, "--menu", "player_0=fixed:0"), "given twice"),
        ((*SMALL, "--menu", "firm_0=fixed:0"), "unknown seat 'firm_0'; the seats are player_0"),
        ((*SMALL, "--menu", "fixed:0"), "for all seats once"),
        ((*GAME, "--menu", "player_0=fixed:0", "--periods", "5"), "'player_1' has none"),
        ((*GAME, "--menu", "player_0=", "--periods", "5"), "empty menu"),
        ((*GAME, "--menu", "fixed:0,,hedge", "--periods", "5"), "empty menu or entry"),
        ((*GAME, "--menu", "fixed:0,hegde", "--periods", "5"), "did you mean 'hedge'"),
        ((*GAME, "--menu", "fixed:0,fixed:9", "--periods", "5"), "'fixed:9' cannot play player_0"),
    ],
)
def test_a_mistake_is_one_line(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], says: str
) -> None:
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert err.startswith("stratagem: error: ")
    assert err.count("\n") == 1
    assert says in err
