"""A picture of how often content is shown and heard of, by its feedback rate and the learner.

Usage: python benchmarks/feedback_rates.py DIR [--runs N] [--periods T]

Writes `feedback_rates.png`, and means with their intervals as `feedback_rates.csv`, to the folder
DIR. Two arms with Bernoulli losses of mean .3 and .6; the better one's rate is .5, the worse one's
is varied. All runs share their random numbers over rates. Needs matplotlib.
"""

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import Any

from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.evaluation.engaging import engagement
from stratagem.evaluation.roots import roots
from stratagem.metrics import Pulls

RATES = (0.1, 0.2, 0.4, 0.7, 1.0)
LOSSES = (0.3, 0.6)
LEARNERS = {
    "bb_pull:ucb1": ("#0072B2", "o", "-"),
    "bb_pull:exp3_losses": ("#0072B2", "o", "--"),
    "bb_divide:ucb1": ("#009E73", "s", "-"),
    "bb_divide:exp3_losses": ("#009E73", "s", "--"),
    "bonus_pulls:ucb1": ("#D55E00", "^", "-"),
    "bonus_pulls:exp3_losses": ("#D55E00", "^", "--"),
    "missing_as_zero:ucb1": ("#555555", "D", ":"),
}
"""Colour, marker and line of each learner."""


def draw(found: dict[str, Pulls], runs: int, periods: int) -> Any:
    """Return a matplotlib figure: pulls on the left, observations on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    titles = ("times shown (APC)", "times its loss was observed (FOC)")
    for which, (axes, title) in enumerate(zip(panels, titles, strict=True)):
        for name, each in found.items():
            own = [pair[which] for pair in each.intervals(1)]
            shade, mark, line = LEARNERS[name]
            axes.plot(
                RATES, [one.value for one in own], line, color=shade, marker=mark, ms=4.5, lw=1.5,
                label=name,
            )  # fmt: skip
            low, high = ([getattr(one, end) for one in own] for end in ("low", "high"))
            axes.fill_between(RATES, low, high, color=shade, alpha=0.15, lw=0)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
        axes.minorticks_off()
        axes.set_xlabel("feedback rate of the worse arm")
        axes.set_title(title, loc="left", fontsize=10)
        axes.grid(color="#DDDDDD", lw=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4,
                  fontsize=8, frameon=False)  # fmt: skip
    figure.suptitle(
        f"The worse of two arms in {periods:,} periods; means of {runs} runs, 95 % intervals",
        fontsize=10, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="an existing folder")
    parser.add_argument("--runs", type=int, default=30, help="per rate (default 30)")
    parser.add_argument("--periods", type=int, default=20_000, help="of a run (default 20000)")
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"DIR must be a folder, got {args.folder}")
    if args.runs < 2 or args.periods < 2:
        parser.error("runs and periods must be at least 2")
    begin, found = time.process_time(), {}
    for name in LEARNERS:
        print(name, file=sys.stderr, flush=True)
        found[name] = engagement(
            ProbabilisticFeedback(losses=LOSSES), [(0.5, rate) for rate in RATES], name,
            periods=args.periods, seeds=roots("feedback-rates", "picture", range(args.runs)),
            horizon=args.periods,
        )  # fmt: skip
    with (args.folder / "feedback_rates.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["learner", "rate", "what", "mean", "low", "high", "n"])
        for name, each in found.items():
            for rate, pair in zip(RATES, each.intervals(1), strict=True):
                for what, one in zip(("pulls", "observations"), pair, strict=True):
                    rows.writerow([name, rate, what, *one])
    figure = draw(found, args.runs, args.periods)
    figure.savefig(args.folder / "feedback_rates.png", dpi=130)
    print(f"{time.process_time() - begin:.0f} CPU-seconds", file=sys.stderr)


if __name__ == "__main__":
    main()
