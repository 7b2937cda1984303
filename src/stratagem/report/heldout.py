"""Results against test backgrounds beside those against train ones."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval, interval, paired

from .forest import Row, forest
from .markup import Column, Group, N, Section, averaged, estimate, figure, note, table
from .summary import Line, line, opened, per_seed, select, short, unique

MEASURES = {
    "Reward per period": "session_reward_per_period",
    "Game's risk, unclipped": "game_risk",
}


class HeldOut(NamedTuple):
    """One number of the evaluated agent on both sides of the split.

    Attributes:
        train: mean over the train backgrounds and the evaluated seats.
        test: the same over the test backgrounds.
        gap: train minus test, paired by seed.
    """

    train: Interval
    test: Interval
    gap: Interval


def held_out(players: Columns, column: str) -> HeldOut | None:
    """Compare both splits of one line-up; None unless the same seeds met both.

    Args:
        players: one row per session and seat.
        column: what is compared.
    """
    focal = select(players, focal=True)
    seeds, values = zip(
        *(per_seed(select(focal, split=split), column) for split in ("train", "test")), strict=True
    )
    if not len(seeds[0]) or not np.array_equal(*seeds):
        return None
    return HeldOut(interval(values[0]), interval(values[1]), paired(*values))


def held_out_section(rows: Columns, key: str) -> Iterator[Section]:
    """Yield the section of one scenario's rows, if any of its players met backgrounds."""
    met = select(rows, episode=0)
    met = opened({name: column[met["split"] != ""] for name, column in met.items()})
    if not len(met["seat"]):
        return
    parts = [
        note(
            "Agents in the evaluated seats meet frozen backgrounds in the others. Learners train "
            "against the train backgrounds, one drawn for every episode, and meet the test ones "
            "only when frozen. The gap is train minus test, paired by seed. It holds how hard the "
            "backgrounds are as well as how well the agent generalises: compare agents that met "
            "the same backgrounds."
        )
    ]
    for lineup in unique(met["lineup"]):
        players = select(met, lineup=lineup)
        parts += [*_gaps(players), *_each(players)]
    yield Section(f"{key}-held-out", "Held-out backgrounds", parts)


def _gaps(players: Columns) -> Iterator[str]:
    name = short(players["lineup"][0].item())
    pairs = [(title, held_out(players, column)) for title, column in MEASURES.items()]
    rows = [
        (title, estimate(x.train), estimate(x.test), estimate(x.gap), str(x.gap.n))
        for title, x in pairs
        if x is not None
    ]
    if rows:
        yield table(
            f"{name}: mean over the backgrounds of each split, and the generalisation gap, each "
            "with its 95% interval; n counts seeds",
            (
                Column("Measure", "name"),
                Column("Train"),
                Column("Test"),
                Column("Gap, train \N{MINUS SIGN} test"),
                N,
            ),
            [Group("", rows)],
        )


def _each(players: Columns) -> Iterator[str]:
    """Yield what each background led to: a picture, and the same in numbers."""
    found: list[tuple[str, str, Line]] = []
    for split in ("train", "test"):
        side = select(players, split=split)
        found += [
            (split, one, line(select(side, background=one))) for one in unique(side["background"])
        ]
    seats = unique(select(players, focal=True)["seat"])
    name = short(players["lineup"][0].item())
    seeds = averaged((x.risk.n for _, _, x in found), "seed")
    rows = [
        Row(f"{split}: {one}", {seat: x.reward[seat] for seat in seats}) for split, one, x in found
    ]
    for address, some in forest(rows, {}, f"reward per period of {name}"):
        yield figure(
            address,
            f"Reward per period of {name} against {some} backgrounds: {seeds}.",
            f"Reward per period against each background, train ones first: {seeds}.",
        )
    yield table(
        f"{name} against each background: means over seeds with 95% intervals",
        (
            Column("Background", "name"),
            *(Column(f"Reward of {found[0][2].agents[seat]}") for seat in seats),
            Column("Game's risk, unclipped"),
            N,
        ),
        [
            Group(
                f"{split.capitalize()} backgrounds",
                [
                    (
                        one,
                        *(estimate(x.reward[seat]) for seat in seats),
                        estimate(x.risk),
                        str(x.risk.n),
                    )
                    for side, one, x in found
                    if side == split
                ],
            )
            for split in dict.fromkeys(side for side, *_ in found)
        ],
    )
