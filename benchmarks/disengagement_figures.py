"""Pictures of what friction does to a platform and its users.

Usage: python benchmarks/disengagement_figures.py DIR [--frictions N]

Writes `disengagement_friction.png` (value and engaged share by friction) and
`disengagement_frontier.png` (revenue against engagement), each with its numbers as `.csv`, to the
folder DIR. Everything is exact: nothing is simulated. Needs matplotlib.
"""

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.engagement import (
    best_plan,
    episode_share,
    myopic_plan,
    plan_long_run_share,
    plan_value,
)
from stratagem.envs.games.recommendation.engagement_frontier import revenue_frontier
from stratagem.envs.games.recommendation.plan_enumeration import enumerate_plans

CURVES = ("friction_paradox", "two_thresholds", "no_reversal")
FRONTIERS = ("two_thresholds", "logistic")
FRICTIONS = (0.0, 0.2, 0.4, 0.8)
COLOURS = ("#003f5c", "#7a5195", "#ef5675", "#ffa600")


class Row(NamedTuple):
    """One preset at one friction."""

    preset: str
    friction: float
    optimum: float
    burn: float
    climb: float
    share: float  # long-run, of the optimum
    burnt_share: float  # long-run, of burning


class Corner(NamedTuple):
    """One efficient plan of one preset at one friction, or a plan's point."""

    preset: str
    friction: float
    kind: str  # efficient, optimum or myopic
    revenue: float
    engagement: float


def curve(preset: str, frictions: Iterable[float]) -> list[Row]:
    """Return value and engaged share of a preset by friction."""
    rows = []
    for friction in frictions:
        game = ContentDisengagement(preset=preset, friction=friction)
        model, start = game.model, game.population.starts[0]
        plan = best_plan(model)
        burn, *climbs = enumerate_plans(model, np.array([start]))[0].tolist()
        shares = [plan_long_run_share(model, p, start) for p in (plan, myopic_plan(model))]
        optimum = float(plan_value(model, plan)[start])
        rows.append(Row(preset, friction, optimum, burn, max(climbs), *shares))
    return rows


def corners(preset: str, friction: float) -> list[Corner]:
    """Return the efficient plans of a preset at a friction, its optimum and its myopic plan."""
    game = ContentDisengagement(preset=preset, friction=friction)
    model, start = game.model, game.population.starts[0]
    points = [("efficient", *point) for point in revenue_frontier(model, start).points.tolist()]
    for kind, plan in (("optimum", best_plan(model)), ("myopic", myopic_plan(model))):
        points.append(
            (
                kind,
                float(plan_value(model, plan)[start]),
                float(episode_share(model, plan)[start]),
            )
        )
    return [Corner(preset, friction, *point) for point in points]


def draw_curves(rows: Sequence[Row]) -> Any:
    """Return a matplotlib figure of value and engaged share by friction."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.6), layout="constrained")
    grid = figure.subplots(2, len(CURVES), sharex=True, sharey="row")
    for column, preset in enumerate(CURVES):
        own = [row for row in rows if row.preset == preset]
        phi = [row.friction for row in own]
        value, share = grid[0, column], grid[1, column]
        value.plot(phi, [r.optimum for r in own], color=COLOURS[0], lw=4, alpha=0.35,
                   label="optimum")  # fmt: skip
        value.plot(phi, [r.burn for r in own], color=COLOURS[2], lw=1.5, label="burn")
        value.plot(phi, [r.climb for r in own], color=COLOURS[1], lw=1.5, ls="--",
                   label="climb and hold")  # fmt: skip
        share.plot(phi, [r.burnt_share for r in own], color=COLOURS[2], lw=1.5, label="burn")
        share.plot(phi, [r.share for r in own], color=COLOURS[0], lw=4, alpha=0.35,
                   label="optimum")  # fmt: skip
        value.set_title(preset, loc="left", fontsize=10)
        share.set_xlabel("friction")
    grid[0, 0].set_ylabel("expected reward of an episode")
    grid[1, 0].set_ylabel("share of periods engaged,\nlong run")
    grid[0, 0].legend(frameon=False, fontsize=9)
    grid[1, 0].legend(frameon=False, fontsize=9)
    return figure


def draw_frontiers(points: Sequence[Corner]) -> Any:
    """Return a matplotlib figure of revenue against engagement."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    for axes, preset in zip(figure.subplots(1, len(FRONTIERS)), FRONTIERS, strict=True):
        for friction, colour in zip(FRICTIONS, COLOURS, strict=True):
            own = [p for p in points if (p.preset, p.friction) == (preset, friction)]
            for kind, style in (("efficient", "o-"), ("optimum", "*"), ("myopic", "x")):
                at = [p for p in own if p.kind == kind]
                axes.plot(
                    [p.engagement for p in at], [p.revenue for p in at], style, color=colour,
                    ms={"efficient": 4, "optimum": 13, "myopic": 8}[kind],
                    label=f"friction {friction}" if kind == "efficient" else None,
                )  # fmt: skip
        axes.set_title(preset, loc="left", fontsize=10)
        axes.set_xlabel("expected share of periods engaged")
    first = figure.axes[0]
    first.set_ylabel("expected reward of an episode")
    first.plot([], [], "*", color="grey", ms=13, label="optimum")
    first.plot([], [], "x", color="grey", ms=8, label="myopic plan")
    first.legend(frameon=False, fontsize=9)
    return figure


def write(path: Path, rows: Sequence[Row] | Sequence[Corner]) -> None:
    """Write rows with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(rows[0]._fields)
        out.writerows([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows)


def main() -> None:
    """Solve and draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="an existing folder")
    parser.add_argument("--frictions", type=int, default=100, help="of the curves (default 100)")
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"DIR must be a folder, got {args.folder}")
    if args.frictions < 2:
        parser.error(f"frictions must be at least 2, got {args.frictions}")
    frictions = np.linspace(0, 0.99, args.frictions).tolist()
    rows = [row for preset in CURVES for row in curve(preset, frictions)]
    points = [p for preset in FRONTIERS for phi in FRICTIONS for p in corners(preset, phi)]
    write(args.folder / "disengagement_friction.csv", rows)
    write(args.folder / "disengagement_frontier.csv", points)
    draw_curves(rows).savefig(args.folder / "disengagement_friction.png", dpi=110)
    draw_frontiers(points).savefig(args.folder / "disengagement_frontier.png", dpi=110)


if __name__ == "__main__":
    main()
