"""`stratagem fit`, and presets as parameters."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stratagem.cli import main
from stratagem.envs.games.recommendation.calibration import BgNbd
from stratagem.fitting import fit_logs, parameters, simulate


def run(capsys: Any, *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 150 customers who differ."""
    path = tmp_path / "buyers.csv"
    drawn = simulate(BgNbd(1.0, 4.0, 1.0, 3.0, 0.0), np.full(150, 40.0), name="cli")
    rows = [f"{x},{last},{whole}" for x, last, whole in zip(*drawn, strict=True)]
    path.write_text("\n".join(["frequency,recency,T", *rows]), encoding="utf-8")
    return path


def test_the_packaged_logs_are_shown_with_what_is_assumed(capsys: Any) -> None:
    code, out, err = run(capsys, "fit", "cdnow", "open_bandit")
    assert (code, err) == (0, "")
    assert "2,357 customers, 2,457 repeat purchases" in out
    for words in ("0.2426", "4.414", "0.7929", "2.426", "-9582.4", "chi-squared 4.82"):
        assert words in out
    assert "80 items, 38 clicks on 10,000 impressions" in out
    assert "the items cannot be told apart" in out
    assert "assumed, not estimated" in out
    assert "saved" not in out
    assert max(map(len, out.splitlines())) <= 160


def test_the_page_shows_what_the_command_prints(capsys: Any) -> None:
    page = (Path(__file__).parents[1] / "docs" / "fitting.md").read_text(encoding="utf-8")
    _, out, _ = run(capsys, "fit", "cdnow", "open_bandit")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown = "".join(text for language, text in blocks if not language)
    lines = [line for line in shown.splitlines() if line and not line.startswith(("saved", "try"))]
    assert len(lines) > 50
    assert [line for line in out.splitlines() if line] == lines


def test_json_has_the_numbers_of_python(capsys: Any) -> None:
    _, out, _ = run(capsys, "fit", "cdnow", "open_bandit", "--json", "--effect", "1")
    found = json.loads(out)
    own = fit_logs("cdnow", "open_bandit")
    assert own.customers is not None
    assert own.clicks is not None
    estimates = found["customers"]["estimates"]
    assert [estimates[name]["value"] for name in ("r", "alpha", "a", "b")] == pytest.approx(
        list(own.customers.model[:4]), rel=1e-9
    )
    assert [estimates[name]["error"] for name in ("r", "alpha", "a", "b")] == pytest.approx(
        own.customers.errors.tolist(), rel=1e-6
    )
    assert found["customers"]["goodness"]["p"] == pytest.approx(own.customers.goodness.p)
    assert found["clicks"]["mean"]["value"] == pytest.approx(own.clicks.rates.mean)
    assert found["customers"]["bootstrap"] is None
    assert found["preset"]["stay"] != parameters(own)["stay"]
    assert found["assumed"]["effect"] == "the log-odds of drop-out fall by 1 per level"


def test_what_is_kept_is_a_preset_with_its_pictures(
    capsys: Any, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "fit", str(log), "open_bandit", "--out", "kept")
    assert code == 0
    kept = tmp_path / "kept"
    assert {path.name for path in kept.iterdir()} == {
        "customers.png", "clicks.png", "fit.json", "preset.json",
    }  # fmt: skip
    for name in ("customers.png", "clicks.png"):
        assert (kept / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert json.loads((kept / "fit.json").read_text(encoding="utf-8"))["preset"] == json.loads(
        (kept / "preset.json").read_text(encoding="utf-8")
    )
    # the command that it names does what it says
    (line,) = [line for line in out.splitlines() if line.startswith("try: ")]
    code, out, _ = run(capsys, *line.removeprefix("try: stratagem ").split(), "--json")
    assert code == 0
    params = json.loads(out)["params"]
    assert params["stay"] == parameters(fit_logs(log))["stay"]


def test_nothing_is_written_unless_told(
    capsys: Any, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "fit", str(log))[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == [log.name]


def test_a_second_way_to_the_errors_is_shown_beside_the_first(capsys: Any, log: Path) -> None:
    _, out, _ = run(capsys, "fit", str(log), "--bootstrap", "4")
    assert "by bootstrap" in out
    assert "4 draws fitted anew" in out
    _, out, _ = run(capsys, "fit", str(log), "--bootstrap", "4", "--json")
    again = json.loads(out)["customers"]["bootstrap"]
    assert again["draws"] == 4
    assert set(again["errors"]) == {"r", "alpha", "a", "b", "dropout", "purchase"}


def test_a_log_without_drop_out_is_said_to_have_none(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "loyal.csv"
    drawn = simulate(BgNbd(1.0, 4.0, 0.0, 3.0, 0.0), np.full(200, 40.0), name="loyal")
    rows = [f"{x},{last},{whole}" for x, last, whole in zip(*drawn, strict=True)]
    path.write_text("\n".join(["frequency,recency,T", *rows]), encoding="utf-8")
    code, out, _ = run(capsys, "fit", str(path))
    assert code == 0
    assert "no drop-out to speak of" in out
    code, out, _ = run(capsys, "fit", str(path), "--json")
    assert code == 0
    assert json.loads(out)["customers"]["gain_of_dropout"] < 0.5


def test_counts_that_no_such_model_makes_are_said_to_speak_against_it(
    capsys: Any, tmp_path: Path
) -> None:
    path = tmp_path / "odd.csv"
    rows = [f"{x},{4 * x},30" for x in (0, 2, 4, 6) for _ in range(80)]  # even numbers alone
    path.write_text("\n".join(["frequency,recency,T", *rows]), encoding="utf-8")
    code, out, _ = run(capsys, "fit", str(path))
    assert code == 0
    assert "the counts speak against the model" in out


def test_a_mistake_is_one_line(capsys: Any, tmp_path: Path, log: Path) -> None:
    def kept(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    never = "frequency,recency,T\n" + "0,0,5\n" * 30
    idle = "item,clicks,impressions\na,0,5\nb,0,5\nc,0,5\n"
    binary = tmp_path / "photo.csv"
    binary.write_bytes(b"\x89PNG\xff\xfe")
    for argv, message in (
        (("missing.csv",), "missing.csv"),
        ((str(tmp_path),), str(tmp_path)),
        ((str(binary),), "is not text in UTF-8"),
        ((kept("empty.csv", ""),), "is empty"),
        ((kept("other.csv", "a,b\n1,2\n"),), "must have columns frequency, recency, observed"),
        ((kept("never.csv", never),), "must have a repeat purchase among them"),
        ((kept("few.csv", "x,t_x,T\n1,2,3\n"),), "customers must be at least 20, got 1"),
        ((kept("back.csv", "x,t_x,T\n1,4,3\n"),), "recency must not be above the time observed"),
        ((kept("idle.csv", idle),), "clicks must be above 0 and below the impressions"),
        ((kept("more.csv", "item,clicks,impressions\na,6,5\n"),), "clicks must not be above"),
        ((kept("long.csv", "x,t_x,T\n" + "1,1e300,1e300\n" * 20),), "observed for 1e-12 to 1e+12"),
        (
            (
                kept(
                    "shown.csv",
                    "item,clicks,impressions\n" + "".join(f"{i},1,9e15\n" for i in "abc"),
                ),
            ),
            "impressions must be at most 1,000,000,000,000 of an item",
        ),
        (("cdnow", "--bootstrap", "10001"), "2 to 10,000 draws"),
        (("cdnow", str(log)), "one log of customers at most"),
        (("cdnow", "cdnow"), "one or two different logs"),
        ((str(log), "--column", "time"), "--column must be NAME=VALUE, got 'time'"),
        ((str(log), "--column", "time=T", "time=x"), "--column time is given twice"),
        ((str(log), "--column", "age=T"), "columns must be of frequency"),
        ((str(log), "--unit", "aeon"), "unit must be one of second"),
        ((str(log), "--period", "second"), "period must be longer"),
        ((str(log), "--end", "40"), "end is of a row per purchase"),
        ((str(log), "--levels", "4"), "levels must be an odd number"),
        ((str(log), "--effect", "nan"), "effect must be at least 0 and at most 100, got nan"),
        ((str(log), "--continuation", "1"), "continuation must be in (0, 1)"),
        ((str(log), "--impressions", "0"), "impressions must be above 0"),
        ((str(log), "--bootstrap", "1"), "--bootstrap needs a customer log, and 2 to 10,000 draws"),
        (("open_bandit", "--bootstrap", "9"), "--bootstrap needs a customer log"),
        ((), "the following arguments are required"),
    ):
        code, out, err = run(capsys, "fit", *argv)
        assert (code, out) == (2, ""), argv
        assert err.startswith("stratagem: error: ")
        assert err.count("\n") == 1
        assert message in err, err


def test_parameters_come_from_a_file_and_names_override_it(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_text('{"preset": "no_reversal", "friction": 0.5}', encoding="utf-8")
    argv = ("solve", "ContentDisengagement-v0", "--json", "--param")
    _, out, _ = run(capsys, *argv, f"@{path}", "friction=0.25")
    params = json.loads(out)["params"]
    assert (params["preset"], params["friction"]) == ("no_reversal", 0.25)
    for text in ("[1]", "{", '{"a b": 1}'):
        path.write_text(text, encoding="utf-8")
        code, _, err = run(capsys, *argv, f"@{path}")
        assert code == 2
        assert "must be a JSON object of parameters by name" in err
    code, _, err = run(capsys, *argv, f"@{tmp_path / 'none.json'}")
    assert code == 2
    assert "none.json" in err
