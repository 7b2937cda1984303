"""Customer logs and click logs from CSV text.

Four sets of columns are recognised, in this order, with capital letters and spaces ignored:

- frequency, recency, T: a row per customer, times in `unit`.
- item, clicks, impressions: a row per item.
- item, click: a row per impression; click is yes or no.
- customer, time: a row per purchase.
"""

import csv
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

import numpy as np

from stratagem.envs.games.recommendation.calibration import Customers, ItemClicks

from .times import in_days, periods_per

ROLES: dict[str, tuple[str, ...]] = {
    "frequency": ("frequency", "x"),
    "recency": ("recency", "t_x"),
    "observed": ("t", "observed"),
    "item": ("item", "item_id", "arm"),
    "clicks": ("clicks",),
    "impressions": ("impressions", "views"),
    "click": ("click", "clicked"),
    "customer": ("customer", "customer_id", "user", "user_id", "id"),
    "time": ("time", "date", "datetime", "timestamp"),
}
"""Names of columns by what they hold; the first of a file's columns that has one is taken."""
SUMMARY = ("frequency", "recency", "observed")
COUNTS = ("item", "clicks", "impressions")
IMPRESSIONS = ("item", "click")
PURCHASES = ("customer", "time")
LAYOUTS = (SUMMARY, COUNTS, IMPRESSIONS, PURCHASES)
OF_CUSTOMERS = (SUMMARY, PURCHASES)
YES = {"1": 1, "yes": 1, "true": 1, "0": 0, "no": 0, "false": 0}


class Table(NamedTuple):
    """Cells of a CSV file.

    Attributes:
        name: what messages call it.
        header: names of the columns.
        rows: cells, stripped, as many in each row as there are columns.
        lines: number of each row, the header being 1 and empty rows counted.
    """

    name: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]


def read_log(
    text: str,
    *,
    name: str = "the file",
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    period: str = "week",
    end: str | None = None,
) -> Customers | ItemClicks:
    """Return customers, with times in periods, or clicks by item.

    Args:
        text: CSV with a header; separated by commas, semicolons or tabs.
        name: what messages call the text.
        columns: names of columns by role, for those whose names are not recognised; the roles
            are the keys of `ROLES`.
        unit: of times that are numbers: second, minute, hour, day, week (the default), month or
            year. Dates need none.
        period: length of a period, by the same names.
        end: time at which observation ended, of a file with a row per purchase; later rows are
            left out. By default the latest row's.

    Raises:
        ValueError: If the file or an argument is not as described; the message names the row.
    """
    return read_table(read_cells(text, name), columns=columns, unit=unit, period=period, end=end)


def read_table(
    table: Table,
    *,
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    period: str = "week",
    end: str | None = None,
) -> Customers | ItemClicks:
    """Return what `read_log` does, from cells."""
    found = find_columns(table, columns or {})
    layout = choose_layout(table, found)
    if layout not in OF_CUSTOMERS and unit is not None:
        raise ValueError(f"unit is of customers' times, but {table.name} has clicks, got {unit!r}")
    if layout != PURCHASES and end is not None:
        raise ValueError(f"end is of a row per purchase, but {table.name} has none, got {end!r}")
    factor = periods_per(unit or "week", period)
    if layout == SUMMARY:
        return read_summary(table, found, factor)
    if layout == COUNTS:
        return read_counts(table, found)
    if layout == IMPRESSIONS:
        return read_impressions(table, found)
    return read_purchases(table, found, unit, period, end)


def read_cells(text: str, name: str) -> Table:
    """Return the cells of CSV text.

    Raises:
        ValueError: If it is empty, has no rows, rows of unequal length or a column twice, or is
            no CSV.
    """
    if not text.strip():
        raise ValueError(f"{name} is empty")
    if "\0" in text:
        raise ValueError(f"{name} is not CSV: it has zero bytes")
    head = text.lstrip().split("\n", 1)[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=head.count))
    header: tuple[str, ...] = ()
    rows, lines = [], []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if not header:
                header = tuple(stripped)
                continue
            if len(stripped) != len(header):
                raise ValueError(
                    f"{name}, row {reader.line_num}: must have {len(header)} cells as the header "
                    f"has, got {len(stripped)}"
                )
            rows.append(stripped)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{name}, row {reader.line_num}: is not CSV: {error}") from None
    twice = [column for i, column in enumerate(header) if column in header[:i]]
    if twice:
        raise ValueError(f"{name} has the column {twice[0]!r} twice")
    if not rows:
        raise ValueError(f"{name} has a header and no rows")
    return Table(name, header, rows, lines)


def find_columns(table: Table, columns: Mapping[str, str]) -> dict[str, int]:
    """Return the place of each role's column that the table has.

    Raises:
        ValueError: If a role is unknown, or a column that was named is not there.
    """
    found = {}
    for role, own in columns.items():
        if role not in ROLES:
            raise ValueError(f"columns must be of {', '.join(ROLES)}, got {role!r}")
        if own not in table.header:
            raise ValueError(
                f"{table.name} has no column {own!r}; it has {', '.join(table.header)}"
            )
        found[role] = table.header.index(own)
    plain = [cell.lower().replace(" ", "_").replace("-", "_") for cell in table.header]
    for role, names in ROLES.items():
        known = [i for i, cell in enumerate(plain) if cell in names]
        if role not in found and known:
            found[role] = known[0]
    return found


def choose_layout(table: Table, found: Mapping[str, int]) -> tuple[str, ...]:
    """Return the first set of roles that the table has whole.

    Raises:
        ValueError: If it has none; the message says what the nearest one lacks.
    """
    for layout in LAYOUTS:
        if all(role in found for role in layout):
            return layout
    near = max(LAYOUTS, key=lambda layout: sum(role in found for role in layout) / len(layout))
    missing = [role for role in near if role not in found]
    has = ", ".join(table.header[:12]) + (", ..." if len(table.header) > 12 else "")
    if len(missing) == len(near):
        sets = "; ".join(", ".join(layout) for layout in LAYOUTS)
        raise ValueError(f"{table.name} must have columns {sets}; it has {has}")
    raise ValueError(
        f"{table.name} has no column for {' and '.join(missing)}, needed with "
        f"{', '.join(role for role in near if role in found)}; it has {has}"
    )


def read_summary(table: Table, found: Mapping[str, int], factor: float) -> Customers:
    """Return customers from a row for each; times are multiplied by `factor`."""
    frequency = numbers(table, found["frequency"], "frequency", whole=True)
    recency = numbers(table, found["recency"], "recency")
    observed = numbers(table, found["observed"], "observed")
    if "customer" in found:
        each_once(table, found["customer"], "customer")
    for i, line in enumerate(table.lines):
        x, last, whole = frequency[i], recency[i], observed[i]
        where = f"{table.name}, row {line}: "
        if last > whole:
            raise ValueError(
                f"{where}recency must not be above the time observed {whole:g}, got {last:g}"
            )
        if (x == 0) != (last == 0):
            raise ValueError(
                f"{where}recency must be 0 where there is no repeat purchase, and only there, "
                f"got {last:g} with frequency {x:g}"
            )
    return Customers(
        np.array(frequency, np.int64), np.array(recency) * factor, np.array(observed) * factor
    )


def read_purchases(
    table: Table, found: Mapping[str, int], unit: str | None, period: str, end: str | None
) -> Customers:
    """Return customers from a row per purchase; those at one time are one purchase."""
    cells = [row[found["time"]] for row in table.rows]
    days = np.array(in_days(cells, table.name, table.lines, unit, end))
    factor = periods_per("day", period)
    last = days[-1] if end is not None else days.max()
    first: dict[str, float] = {}
    times: dict[str, set[float]] = {}
    for row, line, day in zip(table.rows, table.lines, days[: len(cells)].tolist(), strict=True):
        customer = row[found["customer"]]
        if not customer:
            raise ValueError(f"{table.name}, row {line}: customer must be named, got ''")
        if day <= last:
            times.setdefault(customer, set()).add(day)
            first[customer] = min(first.get(customer, day), day)
    if not times:
        raise ValueError(f"end must not be before the first purchase in {table.name}, got {end!r}")
    return Customers(
        np.array([len(own) - 1 for own in times.values()], np.int64),
        np.array([max(own) - first[who] for who, own in times.items()]) * factor,
        np.array([last - first[who] for who in times]) * factor,
    )


def read_counts(table: Table, found: Mapping[str, int]) -> ItemClicks:
    """Return clicks from a row per item."""
    each_once(table, found["item"], "item")
    clicks = numbers(table, found["clicks"], "clicks", whole=True)
    impressions = numbers(table, found["impressions"], "impressions", whole=True)
    for k, n, line in zip(clicks, impressions, table.lines, strict=True):
        if k > n:
            raise ValueError(
                f"{table.name}, row {line}: clicks must not be above the impressions {n:g}, "
                f"got {k:g}"
            )
    shown = np.array(impressions, np.int64) > 0
    return ItemClicks(
        np.flatnonzero(shown),
        np.array(impressions, np.int64)[shown],
        np.array(clicks, np.int64)[shown],
    )


def read_impressions(table: Table, found: Mapping[str, int]) -> ItemClicks:
    """Return clicks from a row per impression."""
    names: dict[str, int] = {}
    group, clicked = [], []
    for row, line in zip(table.rows, table.lines, strict=True):
        item, cell = row[found["item"]], row[found["click"]]
        if not item:
            raise ValueError(f"{table.name}, row {line}: item must be named, got ''")
        if cell.lower() not in YES:
            raise ValueError(
                f"{table.name}, row {line}: click must be one of {', '.join(YES)}, got {cell!r}"
            )
        group.append(names.setdefault(item, len(names)))
        clicked.append(YES[cell.lower()])
    impressions = np.bincount(group)
    clicks = np.bincount(group, weights=clicked).astype(np.int64)
    return ItemClicks(np.arange(len(names)), impressions, clicks)


def numbers(table: Table, column: int, role: str, *, whole: bool = False) -> list[float]:
    """Return a column of finite numbers that are at least 0, and whole if asked for."""
    found = []
    for row, line in zip(table.rows, table.lines, strict=True):
        where = f"{table.name}, row {line}: {role} must be "
        try:
            value = float(row[column])
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise ValueError(f"{where}a number, got {row[column]!r}")
        if value < 0:
            raise ValueError(f"{where}at least 0, got {row[column]}")
        if whole and (value != int(value) or value >= 2**53):
            raise ValueError(f"{where}a whole number below 2^53, got {row[column]}")
        found.append(value)
    return found


def each_once(table: Table, column: int, role: str) -> None:
    """Raise if a name in a column comes twice, or is empty."""
    seen: dict[str, int] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        own = row[column]
        if not own:
            raise ValueError(f"{table.name}, row {line}: {role} must be named, got ''")
        if own in seen:
            raise ValueError(
                f"{table.name}: {role} {own!r} is on rows {seen[own]} and {line}; "
                f"there must be one row per {role}"
            )
        seen[own] = line
