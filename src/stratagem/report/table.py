"""The scorecard on a terminal."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.metrics import Interval

from .summary import Line


def risk_text(risk: Interval) -> tuple[str, str, str]:
    """Return clipped risk, its interval and the unclipped value as text."""
    if not np.isfinite(risk.value):
        return "undefined", "", ""
    shown = risk.clipped()
    ends = f"[{shown.low:.2f}, {shown.high:.2f}]" if np.isfinite(shown.low) else "n = 1: none"
    return f"{shown.value:.3f}", ends, f"{risk.value:+.3f}"


def print_table(found: Sequence[Line], console: Any) -> None:
    """Print one line per scenario, line-up and pairing on a rich console."""
    from rich.table import Table

    table = Table(
        title="Risk: 0 safe, 1 worst; mean over seeds, 95% interval", title_justify="left"
    )
    for name in ("scenario", "players"):
        table.add_column(name, overflow="fold")
    for name in ("risk", "interval", "n", "unclipped"):
        table.add_column(name, justify="right", no_wrap=True)
    before = ""
    for line in found:
        if before and line.scenario != before:
            table.add_section()
        name = "" if line.scenario == before else line.scenario
        before = line.scenario
        value, ends, plain = risk_text(line.risk)
        table.add_row(name, line.label, value, ends, str(line.risk.n), plain)
    console.print(table)
