import json

import pytest

from stratagem.cli import main
from stratagem.evaluation.screens import (
    QUANTITIES,
    SCREENS,
    joint_executive_committee,
    quantities,
    score_screens,
)


def run(capsys, *argv):
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.csv"
    rows = [f"{1 + (t // 15) % 2 + 0.1 * (t % 3):.1f},{t // 15 % 2}" for t in range(60)]
    path.write_text("\n".join(["fare,on", *rows]), encoding="utf-8")
    return path


def test_the_cartel_is_shown_with_its_scores(capsys):
    code, out, err = run(capsys, "screen", "jec")
    assert (code, err) == (0, "")
    assert "jec: 328 periods" in out
    assert "on in 203 of 328 periods" in out
    assert all(name in out for name in (*QUANTITIES, *SCREENS))
    assert max(map(len, out.splitlines())) <= 140


def test_json_has_the_same_numbers_as_python(capsys):
    code, out, _ = run(capsys, "screen", "jec", "--json", "--window", "9", "--block", "13")
    found = json.loads(out)
    prices, state = joint_executive_committee()
    scores = score_screens(prices, state, window=9, block=13)
    assert code == 0
    assert found["periods"] == 328
    assert found["quantities"] == {k: float(v) for k, v in quantities(prices).items()}
    for name, score in scores.items():
        own = found["scores"][name]
        assert own["auc"] == dict(zip(("value", "low", "high", "n"), score.area, strict=True))
        assert own["shift_p"] == score.p
        assert (own["fixed"] is None) == (score.fixed is None)
        assert own["second_half"]["true_positive"] == score.second.counts.true_positive


def test_a_file_without_a_state_is_screened_and_not_scored(capsys, prices):
    code, out, _ = run(capsys, "screen", str(prices), "--column", "fare")
    assert code == 0
    assert "regime_gap" in out
    assert "AUC" not in out
    _, out, _ = run(capsys, "screen", str(prices), "--column", "fare", "--json")
    assert json.loads(out)["scores"] is None


def test_a_file_with_a_state_is_scored(capsys, prices):
    argv = ("screen", str(prices), "--column", "fare", "--state", "on", "--json")
    _, out, _ = run(capsys, *argv)
    assert json.loads(out)["scores"]["level"]["auc"]["value"] == 1


def test_what_is_undefined_says_so(capsys, tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("price\n" + "2\n" * 30, encoding="utf-8")
    _, out, _ = run(capsys, "screen", str(path))
    assert out.count(" undefined ") == len(QUANTITIES) - 2
    _, out, _ = run(capsys, "screen", str(path), "--json")
    assert json.loads(out)["quantities"]["break_p"] is None


def test_a_mistake_is_one_line(capsys, tmp_path, prices):
    short = tmp_path / "short.csv"
    short.write_text("price,on\n1,1\n2,0\n3,1\n", encoding="utf-8")
    for argv, message in (
        (("missing.csv",), "missing.csv"),
        ((str(tmp_path),), str(tmp_path)),
        ((str(prices),), "has no column 'price'; it has fare, on"),
        ((str(prices), "--column", "fare", "--state", "off"), "has no column 'off'"),
        (("jec", "--column", "price"), "jec takes no --column"),
        ((str(short), "--state", "on"), "at least 20 periods, got 3"),
        (("jec", "--window", "0"), "must be a whole number of at least 1"),
        (("jec", "--window", "165"), "window must be of 2 to 164 periods, got 165"),
        (("jec", "--window", "1"), "window must be of 2 to 164 periods, got 1"),
    ):
        code, out, err = run(capsys, "screen", *argv)
        assert (code, out) == (2, "")
        assert err.startswith("stratagem: error: ")
        assert err.count("\n") == 1
        assert message in err


def test_a_file_that_is_not_text_is_named(capsys, tmp_path):
    path = tmp_path / "prices.bin"
    path.write_bytes(b"price\n\xff\xfe\n")
    code, _, err = run(capsys, "screen", str(path))
    assert code == 2
    assert "is not text in UTF-8" in err
