"""Times that are numbers or dates, in days."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

DAYS = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 365.25 / 12,
    "year": 365.25,
}
"""Length of each unit of time."""


def periods_per(unit: str, period: str) -> float:
    """Return how many periods a unit of time has.

    Raises:
        ValueError: If one of them is no unit.
    """
    for name, value in (("unit", unit), ("period", period)):
        if value not in DAYS:
            raise ValueError(f"{name} must be one of {', '.join(DAYS)}, got {value!r}")
    return DAYS[unit] / DAYS[period]


def in_days(
    cells: Sequence[str], name: str, lines: Sequence[int], unit: str | None, end: str | None
) -> list[float]:
    """Return times in days, that of `end` last if there is one.

    They are dates if the first cell is one in ISO 8601 (1997-01-31, 19970131, with a time of day
    or without), else numbers in `unit`. Dates count from an arbitrary day.

    Args:
        cells: at least one.
        name: what messages call the file.
        lines: the row of each cell.
        unit: of numbers; None is weeks.
        end: one more time in the same form, or None.

    Raises:
        ValueError: If a time is neither, not like the first one, or negative; or `unit` is given
            with dates, or is none.
    """
    dated = date(cells[0]) is not None
    if dated and unit is not None:
        raise ValueError(f"unit is of times that are numbers; {name} has dates, got {unit!r}")
    factor = 1.0 if dated else periods_per(unit or "week", "day")
    named = [(cell, f"{name}, row {n}: time") for cell, n in zip(cells, lines, strict=True)]
    found: list[float] = []
    zone = False
    for cell, where in [*named, *([] if end is None else [(end, "end")])]:
        if not dated:
            found.append(number(cell, where) * factor)
            continue
        moment = date(cell)
        if moment is None:
            raise ValueError(f"{where} must be a date such as 1997-01-31, got {cell!r}")
        zone = zone if found else moment.tzinfo is not None
        if (moment.tzinfo is not None) != zone:
            raise ValueError(f"{where} must have a time zone where others have one, got {cell!r}")
        origin = datetime(2000, 1, 1, tzinfo=UTC if zone else None)
        found.append((moment - origin).total_seconds() / 86400)
    return found


def date(cell: str) -> datetime | None:
    """Return a date, or None if it is none; numbers of other than eight digits are none."""
    if cell.isdigit() and len(cell) != 8:
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def number(cell: str, where: str) -> float:
    """Return a time that is a number, or raise ValueError."""
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"{where} must be a number, or a date such as 1997-01-31, got {cell!r}")
    if value < 0:
        raise ValueError(f"{where} must be at least 0, got {cell}")
    return value
