"""Write a folder of results as one self-contained HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from stratagem.evaluation.sessions import Columns
from stratagem.evaluation.storage import read_manifest, read_tables, replace_file

from .certificates import certificates
from .markup import Column, Group, Section, note, slug, table
from .scenario import introduction, scenario_sections
from .scorecard import scorecard
from .style import STYLE
from .summary import Line, lines, select, short

NAME = "report.html"


def write_report(folder: Path) -> Path:
    """Build `report.html` from a folder's stored tables.

    Returns:
        the path of the page.

    Raises:
        ValueError: If the folder has no manifest or no rows.
    """
    manifest = read_manifest(folder)
    rows = stored(folder, "rows")
    chapters = [*_chapters(manifest, rows, folder)]
    body = "\n".join(
        [
            *_header(manifest, rows),
            *_contents(chapters),
            "<main>",
            *(chapter.html() for chapter in chapters),
            "</main>",
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
    """Return the stored rows, or "curves", "audits" or "battery"; only rows may not be missing.

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


class _Chapter(NamedTuple):
    """A section of the page with sections of its own."""

    section: Section
    inner: Sequence[Section] = ()

    def html(self) -> str:
        """Return both as markup."""
        parts = [self.section.at(2), *(section.at(3) for section in self.inner)]
        return "\n".join([*parts, '<p class="up"><a href="#contents">Contents</a></p>'])


def _chapters(manifest: Mapping[str, Any], rows: Columns, folder: Path) -> Iterator[_Chapter]:
    entries, found = manifest["scenarios"], list(lines(rows))
    tables = [rows, *(stored(folder, kind) for kind in ("curves", "audits", "battery"))]
    keys = {entry["name"]: f"scenario-{slug(entry['name'])}" for entry in entries}
    yield _Chapter(scorecard(found, rows))
    if refused := manifest.get("cannot_play", []):
        yield _Chapter(_refused(refused))
    for entry in entries:
        name = entry["name"]
        own = [line for line in found if line.scenario == name]
        if own:
            inner = scenario_sections(
                entry,
                keys[name],
                own,
                *(_of(name, columns) for columns in tables),
            )
            yield _Chapter(Section(keys[name], name, introduction(entry, own)), [*inner])
    yield _Chapter(certificates(entries, keys))


def _of(scenario: str, columns: Columns) -> Columns:
    """Return the rows of a scenario; no columns if there are no rows."""
    own = select(columns, scenario=scenario) if columns else {}
    return own if own and len(own["scenario"]) else {}


def _header(manifest: Mapping[str, Any], rows: Columns) -> Iterator[str]:
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    facts = {
        "Played": manifest["started"],
        "Seeds": f"{manifest['seeds']} independent ones per line-up",
        "Rows": f"{len(rows['reward']):,} (one per episode and seat)",
        "Configuration": manifest["config_hash"],
        "Seed roots": manifest["roots"],
        "Versions": versions,
    }
    yield f"<header>\n<h1>Stratagem benchmark, {escape(manifest['suite'])} suite</h1>"
    if not manifest["complete"]:
        missing = [e["name"] for e in manifest["scenarios"] if e["name"] not in rows["scenario"]]
        of = f", and all of {', '.join(missing)}" if missing else ""
        yield (
            '<p class="warning"><strong>This run is unfinished:</strong> some line-ups or seeds '
            f"are still missing{escape(of)}.</p>"
        )
    yield "<dl>"
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(str(value))}</dd>"
    yield "</dl>\n</header>"


def _contents(chapters: Sequence[_Chapter]) -> Iterator[str]:
    """Yield links to every heading of both levels."""
    yield '<nav aria-labelledby="contents">\n<h2 id="contents">Contents</h2>\n<ul>'
    for section, inner in chapters:
        links = ", ".join(f'<a href="#{x.key}">{escape(x.title.lower())}</a>' for x in inner)
        yield (
            f'<li><a href="#{section.key}">{escape(section.title)}</a>'
            f"{f'<span>: {links}</span>' if links else ''}</li>"
        )
    yield "</ul>\n</nav>"


def _refused(refused: Sequence[Mapping[str, Any]]) -> Section:
    """Return the section of what the user's agents could not play."""
    groups = dict.fromkeys(refusal["scenario"] for refusal in refused)
    rows = table(
        "Line-ups that were left out, and why",
        (Column("Line-up", "name"), Column("Reason", "text")),
        [
            Group(
                name,
                [
                    (short(" + ".join(x["lineup"])), x["reason"])
                    for x in refused
                    if x["scenario"] == name
                ],
            )
            for name in groups
        ],
    )
    text = "Each agent was tried for one period in every scenario before anything was played."
    return Section("not-played", "What could not be played", [note(text), rows])
