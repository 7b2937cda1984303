"""Price series from CSV text, and the packaged one of a cartel whose state is known."""

import csv
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Bools, Floats

from .series import checked

STATES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class PriceSeries(NamedTuple):
    """A price by period, with what is known of its collusion.

    Attributes:
        prices: (T,), not negative.
        state: whether a cartel was operative, (T,), or None if that is not known.
    """

    prices: Floats
    state: Bools | None


def read_prices(
    text: str, column: str = "price", state: str | None = None, *, name: str = "the file"
) -> PriceSeries:
    """Return a price column of CSV text, in the order of its rows, and a column of states.

    Args:
        text: with a header; rows are successive periods.
        column: of prices.
        state: column of yes or no, true or false, 1 or 0; None if there is none.
        name: what messages call the text.

    Raises:
        ValueError: If a column is missing, there are fewer than two rows, or a value is missing,
            no number, negative or no state.
    """
    reader = csv.DictReader(text.splitlines())
    header = reader.fieldnames or []
    for wanted in (column, *([state] if state is not None else [])):
        if wanted not in header:
            raise ValueError(f"{name} has no column {wanted!r}; it has {', '.join(header) or '-'}")
    rows = list(reader)
    prices, states = [], []
    for line, row in enumerate(rows, start=2):
        cell = (row[column] or "").strip()
        try:
            prices.append(float(cell))
        except ValueError:
            raise ValueError(
                f"{name}, row {line}: {column} must be a number, got {cell!r}"
            ) from None
        if state is not None:
            cell = (row[state] or "").strip().lower()
            if cell not in STATES:
                raise ValueError(
                    f"{name}, row {line}: {state} must be one of {', '.join(STATES)}, got {cell!r}"
                )
            states.append(STATES[cell])
    try:
        found = checked(np.array(prices))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return PriceSeries(found, np.array(states, np.bool_) if state is not None else None)


def joint_executive_committee() -> PriceSeries:
    """Return the price of shipping grain by week, 1880 to 1886, and when the cartel was operative.

    US dollars per 100 lb, 328 weeks; source and licence are in `SOURCES.md` of `stratagem.data`.
    """
    name = "jec_cartel.csv"
    text = (files("stratagem.data") / name).read_text(encoding="utf-8")
    return read_prices(text, "price", "cartel", name=name)
