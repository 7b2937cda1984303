"""The battery as a table: one row per number, in long form, since its parts have several shapes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game, Policy, never_ends

from ..learning import Training
from ..rows import ROW_COLUMNS, Columns
from .battery import battery

BATTERY_COLUMNS: Mapping[str, str] = {
    "scenario": ROW_COLUMNS["scenario"],
    "version": ROW_COLUMNS["version"],
    "game": ROW_COLUMNS["game"],
    "lineup": "policies of all seats, joined by ' + '",
    "run": "training run that the policies come from",
    "label": "of the run, by the rules of `stratagem.evaluation.battery.labels`",
    "method": "how, in words",
    "what": "'measure'; 'cut' or 'rise': change of a level after it; 'path': level along the limit "
    "cycle; 'anchor': competitive or collusive level",
    "name": "of the measure, or of the anchor; empty for others",
    "forced": "seat whose action was forced; -1 for none",
    "seat": "whose level it is; -1 for the whole line-up",
    "period": "after the forced action, or of the cycle; -1 for none",
    "value": "the number; NaN where it is undefined",
}
"""Name and meaning of the columns of `battery_columns`."""

STRANGERS = "strangers"
"""Beginning of the names of measures that need other runs, which are left out."""


def taken_up(
    training: Training, game: Game[Any], runs: Sequence[Sequence[Policy]]
) -> list[int] | None:
    """Return the states in which training left its runs, (R,), None where play begins anew.

    It does where the game ends by itself, or a policy remembers or is no table.
    """
    if not never_ends(game) or training.states is None:
        return None
    if not all(hasattr(one, "rule") for own in runs for one in own):
        return None
    return [int(state) for state in training.states]


def battery_columns(
    policies: Sequence[Policy],
    game: Game[Any],
    *,
    start: int | None,
    scenario: str,
    version: str | int,
    full_id: str,
    lineup: str,
    run: int,
) -> Columns:
    """Return the battery of one line-up as equally long arrays, as `BATTERY_COLUMNS` says.

    Args:
        policies: one frozen policy per seat.
        game: the game.
        start: state in which play is taken up; None for the game's openings.
        scenario: name of the scenario.
        version: its version.
        full_id: of the game.
        lineup: policies of all seats, joined by ' + '.
        run: training run that the policies come from.
    """
    found = battery([policies], game, starts=None if start is None else [start], seed=run)
    own = found.runs[0]
    rows = [
        *(
            ("measure", name, -1, -1, -1, value)
            for name, value in own.values.items()
            if not name.startswith(STRANGERS)
        ),
        *_cells("cut", own.cuts),
        *_cells("rise", own.rises),
        *(("path", "", -1, *where, value) for where, value in np.ndenumerate(own.path)),
        *(
            ("anchor", name, -1, seat, -1, value)
            for name, levels in zip(("competitive", "collusive"), found.anchors, strict=True)
            for seat, value in enumerate(levels)
        ),
    ]
    names = [*BATTERY_COLUMNS]
    columns = {
        name: np.array(column)
        for name, column in zip(names[names.index("what") :], zip(*rows, strict=True), strict=True)
    }
    same = {
        "scenario": scenario, "version": version, "game": full_id, "lineup": lineup, "run": run,
        "label": own.label, "method": own.method,
    }  # fmt: skip
    return {
        name: columns[name] if name in columns else np.full(len(rows), same[name]) for name in names
    }


def _cells(what: str, changes: Floats) -> Iterator[tuple[Any, ...]]:
    for where, value in np.ndenumerate(changes):
        yield (what, "", *where, value)
