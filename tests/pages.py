"""Readers of reports, and folders of results to report on."""

import re
from html.parser import HTMLParser

import numpy as np

from stratagem.evaluation.audit import AUDIT_COLUMNS
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
    found["method"] = np.where(
        found["exact"], "exact: policy iteration", "bracket: 1 <bound> on both sides"
    )
    return found


def copied(folder, to):
    """Return a copy of a folder of results."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return to


def audit_part(folder):
    """Return where the audits of the learners lie."""
    (part,) = (folder / "rows").glob("lever-test-v0.q-learning-q-learning.*")
    return folder / "audits" / part.name
