"""Audits: what the best deviation from a frozen line-up gains a seat, exactly or in a bracket."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval, interval

from .forest import Row, forest
from .markup import (
    Column,
    Group,
    Html,
    N,
    Section,
    averaged,
    ends,
    estimate,
    figure,
    note,
    number,
    table,
)
from .summary import select, short, unique

WHOLE = re.compile(r"(?<![\d.])\d+(?![\d.])")
"""A whole number within words."""


class Audited(NamedTuple):
    """One seat of one line-up, over its training runs.

    Attributes:
        lineup: policies of all seats, joined by ' + '.
        seat: index of the seat.
        agent: its name.
        value: what the seat has, with an interval over runs, or of the simulation of one run.
        best: what its best deviation has: lower and upper ends of brackets, over runs; the
            upper one is infinite where no bound is known.
        gain: the difference, likewise; both are the same where all runs are exact.
        one_shot: gain of the best deviation that lasts one period; NaN where undefined.
        exact: in how many of the runs the gain is exact.
        methods: how the best deviation was found, in words that begin with exact or bracket.
    """

    lineup: str
    seat: int
    agent: str
    value: Interval
    best: tuple[Interval, Interval]
    gain: tuple[Interval, Interval]
    one_shot: Interval
    exact: int
    methods: tuple[str, ...]

    @property
    def bracketed(self) -> bool:
        """Whether the gain is known within a bracket only, in some run."""
        return self.exact < self.value.n


def audited(audits: Columns) -> list[Audited]:
    """Return a line per line-up and seat of one scenario, in the order of the rows.

    Args:
        audits: one row per line-up, run and seat, of one unit and discount.
    """
    found = []
    for lineup in unique(audits["lineup"]):
        own = select(audits, lineup=lineup)
        for seat in sorted(unique(own["seat"])):
            here = select(own, seat=seat)
            found.append(
                Audited(
                    lineup,
                    seat,
                    here["agent"][0].item(),
                    _value(here),
                    (interval(here["best_low"]), _upper(here["best_high"])),
                    (interval(here["gain_low"]), _upper(here["gain_high"])),
                    interval(here["one_shot_gain"]),
                    int(here["exact"].sum()),
                    merged(unique(here["method"])),
                )
            )
    return found


def merged(methods: Sequence[str]) -> tuple[str, ...]:
    """Return different texts; those that differ in whole numbers only are one, with ranges."""
    found: dict[str, list[list[int]]] = {}
    for method in methods:
        numbers = [int(digits) for digits in WHOLE.findall(method)]
        found.setdefault(WHOLE.sub("\0", method), []).append(numbers)
    texts = []
    for text, several in found.items():
        for own in zip(*several, strict=True):
            least, most = min(own), max(own)
            text = text.replace("\0", f"{least}" if least == most else f"{least} to {most}", 1)
        texts.append(text)
    return tuple(texts)


def _value(runs: Columns) -> Interval:
    """Return the mean over runs; where one was simulated, with the interval of the simulation."""
    found = interval(runs["value"])
    if found.n > 1 or runs["value_low"][0] == runs["value_high"][0]:
        return found
    return found._replace(low=float(runs["value_low"][0]), high=float(runs["value_high"][0]))


def _upper(values: Array) -> Interval:
    """Return the mean of upper ends; infinite where no bound is known in some run."""
    if np.isposinf(values).any():
        return Interval(np.inf, np.nan, np.inf, len(values))
    return interval(values)


def audit_section(audits: Columns, key: str) -> Iterator[Section]:
    """Yield the section of one scenario's audits, if there are any."""
    if not audits:
        return
    parts = [
        note(
            "An audit lets one seat at a time deviate as well as it can while all others stay "
            "frozen. The gain is the value of its best deviation minus its own value: 0 says that "
            "nothing is to be gained. Where the best deviation is not known exactly, a bracket "
            "holds it: its ends are the means of the runs' lower and upper ends, and the interval "
            "reaches from the lower end's lower to the upper end's upper limit. Where no upper "
            "bound is known, the gain is at least the lower end. n counts training runs; what does "
            "not learn is one policy, audited once."
        )
    ]
    units = [*map(_words, audits["unit"].tolist(), audits["discount"].tolist())]
    told = {**audits, "units": np.array(units, np.str_)}
    for unit in unique(told["units"]):
        parts += _unit(audited(select(told, units=unit)), unit)
    yield Section(f"{key}-audits", "Audits", parts)


def _words(unit: str, discount: float) -> str:
    words = unit.replace("_", " ")
    return f"{words} at {discount:g}" if unit == "discounted" else words


def _unit(found: Sequence[Audited], unit: str) -> Iterator[str]:
    lineups = dict.fromkeys(x.lineup for x in found)
    runs = averaged((x.value.n for x in found), "run")
    rows = [
        Row(
            short(lineup),
            {x.seat: x.gain[0] for x in own},
            {x.seat: x.gain[1] for x in own if x.bracketed},
        )
        for lineup in lineups
        if (own := [x for x in found if x.lineup == lineup])
    ]
    for address, some in forest(rows, {}, f"gain of the best deviation, {unit}", zero=True):
        yield figure(
            address,
            f"Gain of the best deviation of each seat, {some} line-ups, {unit}: {runs}.",
            f"Gain of each seat's best deviation, {unit}: {runs}. The line is at 0, nothing to "
            "gain; a gain known within a bracket is drawn as a bar between its ends, or as an "
            "arrow from the lower end where no upper bound is known.",
        )
    yield table(
        f"Value, best deviation and gain of each seat, {unit}, with 95% intervals over runs",
        (
            Column("Seat", "name"),
            Column("Value"),
            Column("Best deviation"),
            Column("Gain"),
            Column("One-shot gain"),
            N,
            Column("Method", "text"),
        ),
        [Group(short(name), [_row(x) for x in found if x.lineup == name]) for name in lineups],
    )


def _row(x: Audited) -> tuple[str, ...]:
    some = f"exact in {x.exact} of {x.value.n} runs. " if 0 < x.exact < x.value.n else ""
    return (
        x.agent,
        estimate(x.value),
        _bracket(x.best, x.bracketed),
        _bracket(x.gain, x.bracketed),
        estimate(x.one_shot) if np.isfinite(x.one_shot.value) else "\N{EN DASH}",
        str(x.value.n),
        f"{some}{'; '.join(x.methods)}",
    )


def _bracket(pair: tuple[Interval, Interval], bracketed: bool) -> str:
    if not bracketed:
        return estimate(pair[0])
    low, high = pair
    if not np.isfinite(high.value):
        reach = f"[{number(low.low)}, \N{INFINITY})" if np.isfinite(low.low) else "no interval"
        return Html(f'at least {number(low.value)} <span class="ends">{reach}</span>')
    both = Interval(low.value, low.low, high.high, low.n)
    return Html(
        f'{number(low.value)} to {number(high.value)} <span class="ends">{ends(both)}</span>'
    )
