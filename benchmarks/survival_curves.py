"""A picture of how long users last under two plans, and three meanings of engagement in numbers.

Usage: python benchmarks/survival_curves.py DIR [--friction F] [--lost L] [--copies N]

Writes `survival_curves.png` to the folder DIR: lines are exact, points are estimated from play in
which episodes end, with 3 standard errors. Needs matplotlib.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Ints, Reactive, Trajectory
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.engagement import ENGAGED, best_plan, myopic_plan
from stratagem.envs.games.recommendation.population import Segment, expected
from stratagem.envs.simulator import rollout
from stratagem.metrics.engagement import (
    Event,
    expected_engagement,
    expected_survival,
    survival,
    welfare_gap,
)

AGES = 40
EVENTS: Mapping[Event, tuple[str, str]] = {
    "lost": ("not lost for good", "#0072B2"),
    "left": ("never left", "#D55E00"),
}


def play(game: ContentDisengagement, plan: Ints, copies: int) -> Trajectory:
    """Return 500 periods of copies served by a plan."""
    policy = Reactive(lambda seen: plan[seen[:, 0]])
    return rollout(game, [policy], num_copies=copies, num_steps=500, seed=0)[0]


def engaged_by_age(game: ContentDisengagement, plan: Ints) -> Floats:
    """Return the exact share engaged by age, of users whose episode goes on."""
    endless = game.model._replace(continuation=1.0)
    shares = expected([Segment(endless, 1.0, plan, game.filled.start)], periods=AGES)
    return np.asarray(shares[:, 0, ENGAGED].sum(axis=-1))


def draw(game: ContentDisengagement, plans: Mapping[str, Ints], copies: int) -> Any:
    """Return a matplotlib figure: a panel per plan, a curve per meaning."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    panels = figure.subplots(1, len(plans), sharey=True)
    ages = np.arange(AGES + 1)
    for axes, (name, plan) in zip(panels, plans.items(), strict=True):
        path = play(game, plan, copies)
        axes.plot(ages, engaged_by_age(game, plan), color="#009E73", lw=1.5, label="engaged now")
        for event, (label, colour) in EVENTS.items():
            exact = expected_survival(
                game.model, plan, game.filled.start, periods=AGES, event=event
            )
            found = survival(path, event)
            axes.plot(ages, exact, color=colour, lw=1.5, label=label)
            axes.errorbar(
                ages[::2], found.share[: AGES + 1 : 2], 3 * found.error[: AGES + 1 : 2],
                fmt="o", ms=3, lw=0.8, color=colour,
            )  # fmt: skip
        axes.set_title(f"{name} plan", loc="left", fontsize=10)
        axes.set_xlabel("age of the user, periods")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels[0].set_ylabel("share of users")
    panels[0].set_ylim(0, 1.02)
    panels[-1].legend(frameon=False, fontsize=9, loc="lower left")
    filled = game.filled
    figure.suptitle(
        f"friction {filled.friction:g}, lost {filled.lost:g}; lines exact, points from "
        f"{copies:,} copies with 3 standard errors",
        fontsize=9, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def main() -> None:
    """Draw, and print the exact measures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="an existing folder")
    parser.add_argument("--friction", type=float, default=0.6)
    parser.add_argument("--lost", type=float, default=0.1)
    parser.add_argument("--copies", type=int, default=300)
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"DIR must be a folder, got {args.folder}")
    game = ContentDisengagement(friction=args.friction, lost=args.lost)
    model, start = game.model, game.filled.start
    steps = model.steps.astype(np.float64)
    plans = {
        "myopic": myopic_plan(model),
        "best": best_plan(model),
        "users' best": best_plan(model, steps),
    }
    print(f"{'plan':12} {'share':>7} {'stay':>7} {'level':>7} {'revenue':>8} {'welfare':>8} "
          f"{'gap':>7}")  # fmt: skip
    for name, plan in plans.items():
        one = expected_engagement(model, plan, start)
        gap = welfare_gap(model, plan, start)
        print(f"{name:12} {one.share:7.4f} {one.stay:7.4f} {one.satisfaction:7.4f} "
              f"{one.revenue:8.4f} {one.welfare:8.4f} {gap:z7.4f}")  # fmt: skip
    shown = {name: plans[name] for name in ("myopic", "best")}
    draw(game, shown, args.copies).savefig(args.folder / "survival_curves.png", dpi=150)


if __name__ == "__main__":
    main()
