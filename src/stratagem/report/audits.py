"""Audits: what the best deviation from a frozen line-up gains a seat, exactly or in a bracket."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval, interval

from .forest import Row, forest
from .markup import (
    Column,
    Group,
    Html,
    N,
    Section,
    count,
    ends,
    estimate,
    figure,
    note,
    number,
    table,
)
from .summary import select, short, unique


class Audited(NamedTuple):
    """One seat of one line-up, over its training runs.

    Attributes:
        lineup: policies of all seats, joined by ' + '.
        seat: index of the seat.
        agent: its name.
        value: what the seat has, with an interval over runs.
        best: what its best deviation has: lower and upper ends of brackets, over runs.
        gain: the difference, likewise; both are the same where all runs are exact.
        one_shot: gain of the best deviation that lasts one period; NaN where undefined.
        exact: in how many of the runs the gain is exact.
        methods: how the best deviation was found.
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
                    interval(here["value"]),
                    (interval(here["best_low"]), interval(here["best_high"])),
                    (interval(here["gain_low"]), interval(here["gain_high"])),
                    interval(here["one_shot_gain"]),
                    int(here["exact"].sum()),
                    tuple(unique(here["method"])),
                )
            )
    return found


def audit_section(audits: Columns, key: str) -> Iterator[Section]:
    """Yield the section of one scenario's audits, if there are any."""
    if not audits or not len(audits["seat"]):
        return
    parts = [
        note(
            "An audit lets one seat at a time deviate as well as it can while all others stay "
            "frozen. The gain is the value of its best deviation minus its own value: 0 says that "
            "nothing is to be gained. Where the best deviation is not known exactly, a bracket "
            "holds it: its ends are the means of the runs' lower and upper ends, and the interval "
            "reaches from the lower end's lower to the upper end's upper limit. n counts training "
            "runs; what does not learn is one policy, audited once."
        )
    ]
    for unit, discount in dict.fromkeys(
        zip(audits["unit"].tolist(), audits["discount"].tolist(), strict=True)
    ):
        same = np.isclose(audits["discount"], discount, equal_nan=True)
        own = {name: column[same & (audits["unit"] == unit)] for name, column in audits.items()}
        parts += _unit(audited(own), _words(unit, discount))
    yield Section(f"{key}-audits", "Audits", parts)


def _words(unit: str, discount: float) -> str:
    words = unit.replace("_", " ")
    return f"{words} at {discount:g}" if unit == "discounted" else words


def _unit(found: Sequence[Audited], unit: str) -> Iterator[str]:
    lineups = dict.fromkeys(x.lineup for x in found)
    runs = count((x.value.n for x in found), "runs")
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
            f"Gain of the best deviation of each seat, {some} line-ups, {unit}, mean with 95% "
            f"interval, {runs}.",
            f"Gain of each seat's best deviation, {unit}: mean over runs with 95% interval, "
            f"{runs}. The line is at 0, nothing to gain; a gain known within a bracket is drawn "
            "as a bar between its ends.",
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
    kind = "exact" if not x.bracketed else "bracket"
    if 0 < x.exact < x.value.n:
        kind = f"exact in {x.exact} of {x.value.n} runs"
    return (
        x.agent,
        estimate(x.value),
        _bracket(x.best, x.bracketed),
        _bracket(x.gain, x.bracketed),
        estimate(x.one_shot) if np.isfinite(x.one_shot.value) else "\N{EN DASH}",
        str(x.value.n),
        f"{kind}: {'; '.join(x.methods)}",
    )


def _bracket(pair: tuple[Interval, Interval], bracketed: bool) -> str:
    if not bracketed:
        return estimate(pair[0])
    low, high = pair
    both = Interval(low.value, low.low, high.high, low.n)
    return Html(
        f'{number(low.value)} to {number(high.value)} <span class="ends">{ends(both)}</span>'
    )
