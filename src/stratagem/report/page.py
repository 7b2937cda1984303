"""Write a folder of rows as one self-contained HTML page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.evaluation.anchors import common_length, per_period, rescaled
from stratagem.evaluation.sessions import Columns
from stratagem.evaluation.storage import read_manifest, read_tables, replace_file
from stratagem.metrics import Interval, cross_play

from . import plots
from .style import STYLE
from .summary import Line, lines, matrix, select

NAME = "report.html"
MODES = ("miscoordination", "conflict", "collusion", "disengagement")


def write_report(folder: Path) -> Path:
    """Build `report.html` from a folder's stored rows.

    Returns:
        the path of the page.

    Raises:
        ValueError: If the folder has no manifest or no rows.
    """
    manifest = read_manifest(folder)
    entries = manifest["scenarios"]
    rows, curves = stored(folder, "rows"), stored(folder, "curves")
    found = list(lines(rows))
    body = "\n".join(
        [
            *_header(manifest, entries, len(rows["reward"])),
            *_scorecard(found, entries),
            *(part for entry in entries for part in _scenario(entry, found, rows, curves)),
            *_certificates(entries),
        ]
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Stratagem: {escape(manifest['suite'])} suite</title>\n"
        f"<style>\n{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
    replace_file(folder / NAME, lambda beside: beside.write_text(page, encoding="utf-8"))
    return folder / NAME


def stored(folder: Path, kind: str) -> Columns:
    """Return the stored "rows" or "curves" that the manifest names; no curves may be none.

    Raises:
        ValueError: If there are no rows.
    """
    entries = read_manifest(folder)["scenarios"]
    names = [f"{kind}/{part}" for entry in entries for part in entry["parts"]]
    there = [name for name in names if (folder / name).is_file()]
    return read_tables(folder, there) if there or kind == "rows" else {}


def stored_lines(folder: Path) -> list[Line]:
    """Return the scorecard of a folder's stored rows."""
    return list(lines(stored(folder, "rows")))


def number(value: float) -> str:
    """Return a number in three decimals, or the word where it is undefined."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "undefined"


def bounds(x: Interval) -> str:
    """Return an interval's ends and n."""
    if not np.isfinite(x.low):
        return f"n = {x.n}"
    return f"[{number(x.low)}, {number(x.high)}], n = {x.n}"


def _header(manifest: Mapping[str, Any], entries: Sequence[Any], rows: int) -> Iterator[str]:
    state = "" if manifest["complete"] else " (unfinished: some line-ups are still missing)"
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    facts = {
        "Played": f"{manifest['started']}{state}",
        "Seeds": f"{manifest['seeds']} independent ones per line-up",
        "Rows": f"{rows:,} (one per episode and seat)",
        "Configuration": manifest["config_hash"],
        "Seed roots": manifest["roots"],
        "Versions": versions,
    }
    yield f"<h1>Stratagem benchmark, {escape(manifest['suite'])} suite</h1>"
    yield "<dl>"
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
    yield '<nav><a href="#risk">Risk</a>'
    for entry in entries:
        yield f'<a href="#{entry["name"]}">{entry["name"]}</a>'
    yield '<a href="#certificates">Certificates</a></nav>'


def _strip(x: Interval) -> str:
    """Draw a clipped risk with its interval on [0, 1]."""
    if not np.isfinite(x.value):
        return '<span class="note">no scale</span>'
    shown = x.clipped()

    def at(value: float) -> float:
        return 3 + 94 * value

    bar = ""
    if np.isfinite(shown.low):
        bar = (
            f'<line x1="{at(shown.low):.1f}" x2="{at(shown.high):.1f}" y1="6" y2="6" '
            'stroke="#B2182B" stroke-width="3.2" opacity=".45"/>'
        )
    return (
        '<svg viewBox="0 0 100 12" preserveAspectRatio="none" role="img" '
        f'aria-label="risk {number(shown.value)}">'
        '<line x1="3" x2="97" y1="6" y2="6" stroke="#ccc" stroke-width=".8"/>'
        '<path d="M3 3V9M50 4.5V7.5M97 3V9" stroke="#999" stroke-width=".5"/>'
        f'{bar}<rect x="{at(shown.value) - 0.9:.1f}" y="1.5" width="1.8" height="9" '
        'fill="#B2182B"/>'
        "</svg>"
    )


def _scorecard(found: Sequence[Line], entries: Sequence[Any]) -> Iterator[str]:
    yield '<h2 id="risk">Risk scorecard</h2>'
    yield (
        '<p class="note">Risk is 0 at a game\'s safe benchmark and 1 at its worst one. Shown is '
        "the mean over seeds, clipped to [0, 1], with its 95% bootstrap interval; n counts "
        "independent seeds, or training runs where learners were re-matched (seat 0 of one run "
        "meets the other seats of another). The unclipped mean, the interquartile mean and the "
        "share of seeds with a risk above one half stand beside it.</p>"
    )
    for mode in sorted({line.failure_mode for line in found}, key=lambda m: (_rank(m), m)):
        yield f"<h3>{escape(mode.replace(',', ', ').capitalize() or 'No failure mode')}</h3>"
        yield '<div class="wide"><table class="cards"><thead><tr><th>Players</th><th>0 to 1</th>'
        yield '<th class="num">Risk</th><th class="num">95% interval</th><th class="num">n</th>'
        yield '<th class="num">Unclipped</th><th class="num">IQM</th>'
        yield '<th class="num">Above &frac12;</th></tr></thead><tbody>'
        for entry in entries:
            own = [x for x in found if x.scenario == entry["name"] and x.failure_mode == mode]
            if own:
                yield f'<tr class="group"><td colspan="8">{escape(entry["name"])}</td></tr>'
            yield from map(_row, own)
        yield "</tbody></table></div>"


def _rank(mode: str) -> int:
    first = mode.split(",")[0]
    return MODES.index(first) if first in MODES else len(MODES)


def _row(line: Line) -> str:
    shown = line.risk.clipped()
    ends = f"{number(shown.low)} to {number(shown.high)}" if np.isfinite(shown.low) else "none"
    defined = np.isfinite(shown.value)
    cells = {
        "n": str(line.risk.n),
        "unclipped": number(line.risk.value) if defined else "",
        "IQM": number(line.risk_iqm) if np.isfinite(line.risk_iqm) else "",
        "above \u00bd": f"{line.high_risk.value:.0%}" if np.isfinite(line.high_risk.value) else "",
    }
    return (
        f'<tr><td class="name">{escape(line.label)}</td>'
        f'<td class="strip">{_strip(line.risk)}</td>'
        f'<td class="num risk">{number(shown.value)}</td>'
        f'<td class="num ends">{ends if defined else ""}</td>'
        + "".join(f'<td class="num" data-of="{k}">{v}</td>' for k, v in cells.items())
        + "</tr>"
    )


def _figure(address: str, text: str) -> str:
    about = escape(text)
    return f'<figure><img src="{address}" alt="{about}"><figcaption>{about}</figcaption></figure>'


def _key(agents: Sequence[str]) -> str:
    shapes = ("&#9679;", "&#9632;", "&#9650;", "&#9670;", "&#9660;", "&#10010;")
    spans = "".join(
        f'<span><b style="color:{plots.SEATS[i % 6]}">{shapes[i % 6]}</b> {escape(agent)}</span>'
        for i, agent in enumerate(agents)
    )
    return f'<p class="key">{spans}</p>'


def _scenario(
    entry: Mapping[str, Any], found: Sequence[Line], rows: Columns, curves: Columns
) -> Iterator[str]:
    own = [line for line in found if line.scenario == entry["name"]]
    if not own:
        return
    agents = entry["agents"]
    here = select(rows, scenario=entry["name"])
    steady = common_length(here["periods"], here["terminated"])
    anchors = {
        name: values
        for name, benchmark in entry["benchmarks"].items()
        if (values := per_period(benchmark, entry["periods_per_episode"] or steady))
    }
    params = ", ".join(f"{k}={json.dumps(v)}" for k, v in entry["params"].items())
    limit = entry["max_episode_steps"]
    yield f'<h2 id="{entry["name"]}">{escape(entry["name"])}</h2>'
    yield (
        f"<p><code>{escape(entry['game'])}</code>"
        f"{' with ' + escape(params) if params else ', default parameters'}. "
        f"{escape(entry['about'])} {entry['periods']:,} periods per seed"
        f"{f', episodes of at most {limit:,}' if limit else ''}"
        f"{_learning_note(entry, own)}</p>"
    )
    yield _key(agents)
    yield _figure(
        plots.rewards(own, anchors, "reward per period"),
        "Reward per period of each seat, mean over seeds with 95% interval"
        + (
            "; above the rule the benchmarks, whose dashed lines are in a seat's colour, or "
            "grey where they are equal for all seats."
            if anchors
            else "."
        ),
    )
    yield from _seats(own)
    yield from _rescaled(entry, own)
    taught = select(curves, scenario=entry["name"]) if curves else {}
    learnt = dict.fromkeys(taught["lineup"].tolist()) if taught else {}
    for lineup in learnt:
        yield f"<h3>Learning: {escape(_short(lineup))}</h3>"
        yield _figure(
            plots.learning(taught, lineup, anchors),
            "Reward per period while exploring, mean over "
            f"{training_runs(taught, lineup)} training runs; the band holds the middle 80% "
            "of them.",
        )
    for lineup in dict.fromkeys(line.lineup for line in own if line.pairing == "cross"):
        yield from _crossing(entry, lineup, rows)


def _rescaled(entry: Mapping[str, Any], own: Sequence[Line]) -> Iterator[str]:
    """Yield the game's risk between its other anchors, beside those of the scorecard."""
    scales = entry.get("game_scales", {})
    if len(scales) < 2:
        return
    used, *others = scales
    said = [f"{name} {s['safe']:.5f} and {s['worst']:.5f}" for name, s in scales.items()]
    yield f"<p>Anchors of the game's risk, {escape(scales[used]['statistic'])}: "
    yield f"{escape('; '.join(said))}. Mean risk between those of the {escape(used)}, and "
    yield f"between those of the {escape(' and the '.join(others))}, unclipped:</p>"
    yield '<div class="wide"><table><thead><tr><th>Players</th>'
    for name in scales:
        yield f'<th class="num">{escape(name)}</th><th class="num">95% interval</th>'
    yield '<th class="num">n</th></tr></thead><tbody>'
    for line in own:
        risk = line.risk
        columns = [{used: x} | rescaled(x, scales) for x in (risk.value, risk.low, risk.high)]
        yield f"<tr><td>{escape(line.label)}</td>"
        for name in scales:
            value, low, high = (number(column[name]) for column in columns)
            ends = f"{low} to {high}" if np.isfinite(risk.low) else "none"
            yield f'<td class="num">{value}</td><td class="num">{ends}</td>'
        yield f'<td class="num">{risk.n}</td></tr>'
    yield "</tbody></table></div>"


def training_runs(curves: Columns, lineup: str) -> int:
    """Return how many training runs a line-up had."""
    return len(np.unique(select(curves, lineup=lineup)["run"]))


def _short(lineup: str) -> str:
    names = lineup.split(" + ")
    return names[0] if len(set(names)) == 1 else lineup


def _learning_note(entry: Mapping[str, Any], own: Sequence[Line]) -> str:
    played = {name for line in own for name in line.lineup.split(" + ")}
    learners = {name: options for name, options in entry["learners"].items() if name in played}
    if not entry["training"] or not learners:
        return "."
    settings = "; ".join(
        f"{name}: {', '.join(f'{k} {_setting(v)}' for k, v in options.items())}"
        for name, options in learners.items()
    )
    return (
        f"; learners first learn for {entry['training']:,} periods ({settings}), then are frozen "
        "and measured."
    )


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return f"{min(value):.3g} to {max(value):.3g} by action"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _seats(own: Sequence[Line]) -> Iterator[str]:
    yield '<div class="wide"><table class="seats"><thead><tr><th>Players</th><th>Seat</th>'
    yield '<th class="num">Reward per period</th><th class="num">95% interval</th>'
    yield '<th class="num">Seat risk, unclipped</th><th class="num">n</th></tr></thead><tbody>'
    for line in own:
        for agent, reward, risk in zip(line.agents, line.reward, line.seat_risk, strict=True):
            ends = (
                f"{number(reward.low)} to {number(reward.high)}"
                if np.isfinite(reward.low)
                else "none"
            )
            first = escape(line.label) if agent == line.agents[0] else ""
            yield (
                f"<tr><td>{first}</td><td>{escape(agent)}</td>"
                f'<td class="num">{number(reward.value)}</td><td class="num">{ends}</td>'
                f'<td class="num">{number(risk.value)}</td><td class="num">{reward.n}</td></tr>'
            )
    yield "</tbody></table></div>"


def _crossing(entry: Mapping[str, Any], lineup: str, rows: Columns) -> Iterator[str]:
    cells = select(rows, scenario=entry["name"], lineup=lineup, episode=0, seat=0)
    values = matrix(cells, "session_reward_per_period")
    found = cross_play(values)
    yield f"<h3>Cross-play: {escape(_short(lineup))}</h3>"
    yield _figure(
        plots.crossing(values, entry["agents"], f"reward per period of {entry['agents'][0]}"),
        f"{entry['agents'][0]} of one run meets the others of another; the diagonal was trained "
        "together.",
    )
    yield "<p>"
    for name, x in (
        ("Self-play", found.self_play),
        ("cross-play", found.cross_play),
        ("gap", found.gap),
    ):
        yield f"{name} {number(x.value)} {bounds(x)}{'.' if name == 'gap' else ';'}"
    yield "Intervals are over runs, not cells.</p>"


def _certificates(entries: Sequence[Any]) -> Iterator[str]:
    yield '<h2 id="certificates">Benchmarks and their certificates</h2>'
    yield (
        '<p class="note">The regret is what the best deviator could gain against the '
        "profile, recomputed apart from the solver. A planner is one who chooses every seat's "
        "action: such values are no equilibria.</p>"
    )
    for entry in entries:
        if not entry["benchmarks"]:
            continue
        yield f"<h3>{escape(entry['name'])}</h3>"
        yield '<div class="wide"><table><thead><tr><th>Benchmark</th><th>Value</th>'
        yield '<th class="num">Regret</th><th>Deviators</th><th>Exact in</th></tr></thead><tbody>'
        for name, benchmark in entry["benchmarks"].items():
            yield _certificate(name, benchmark)
        yield "</tbody></table></div>"


def _certificate(name: str, benchmark: Mapping[str, Any]) -> str:
    values = benchmark["value"]
    shown = [number(v) if v is not None else "undefined" for v in values.values()]
    numbers = shown[0] if len(set(shown)) == 1 else " / ".join(shown)
    unit = benchmark["unit"].replace("_", " ")
    if benchmark["unit"] == "discounted":
        unit += f" at {benchmark['discount']:g}"
    certificate = benchmark["certificate"]
    regret = certificate["max_regret"]
    bound = "" if certificate["exact"] else f" ({certificate['bound']} bound)"
    return (
        f"<tr><td>{escape(name)}</td><td>{numbers}<br>"
        f'<span class="note">{escape(unit)}</span></td>'
        f'<td class="num">{"unknown" if regret is None else f"{regret:.1e}"}</td>'
        f"<td>{escape(', '.join(certificate['deviators']))}</td>"
        f'<td class="soft">{escape(benchmark["scope"])}{bound}. '
        f"{escape(certificate['method'])}</td></tr>"
    )
