"""Two Q-learners that set prices until they converge: how fast, and how collusive.

Usage: python benchmarks/tabular_learners.py [--sessions N] [--numpy-sessions N] [--beta B]
       [--stable N] [--json FILE]

The baseline of E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial
intelligence, algorithmic pricing, and collusion*, AER 110(10): alpha .15, beta 4e-6, delta .95,
15 prices, memory 1; a session stops once no best action of either firm has changed for 100,000
periods. It is run compiled (1,000 sessions) and in NumPy alone (50 sessions, of the same seeds),
in CPU time on one thread; compiling is not counted. The profit gain is that of greedy play from
a session's last state, on average over the cycle that it ends in; the source has 0.849 in its
1,000 sessions.
"""

import argparse
import json
import math
import platform
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import stratagem
from stratagem.agents.tabular.joint_learning import JointLearning, compiled
from stratagem.envs.core import Floats
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.players import player
from stratagem.reproductions.pricing_sessions import BASELINE, LIMIT, greedy_play

PUBLISHED = 0.849


class Outcome(NamedTuple):
    """What came of the sessions of one way of running them."""

    sessions: int
    cpu_seconds: float
    periods: int  # of all sessions
    converged: float  # share of sessions
    gains: Floats  # (B,)

    def summary(self) -> dict[str, float]:
        """Return the figures that are printed."""
        mean, half = float(self.gains.mean()), math.nan
        if self.sessions > 1:
            half = 1.96 * float(self.gains.std(ddof=1)) / math.sqrt(self.sessions)
        return {
            "sessions": self.sessions,
            "cpu_seconds": self.cpu_seconds,
            "session_periods_per_cpu_second": self.periods / self.cpu_seconds,
            "cpu_minutes_per_1000_sessions": self.cpu_seconds / self.sessions * 1000 / 60,
            "mean_periods": self.periods / self.sessions,
            "share_converged": self.converged,
            "profit_gain": mean,
            "profit_gain_low": mean - half,
            "profit_gain_high": mean + half,
        }


def learners(game: LogitPricing, beta: float) -> list[Any]:
    """Return the source's learners."""
    return [player("q_learning", game, seat, **{**BASELINE, "beta": beta}) for seat in range(2)]


def run(game: LogitPricing, sessions: int, beta: float, stable: int, *, kernel: bool) -> Outcome:
    """Let the learners of some sessions learn until they stop."""
    runs = JointLearning(
        game,
        learners(game, beta),
        seeds=np.arange(sessions, dtype=np.uint64),
        max_episode_steps=None,
        stable=stable,
        kernel=kernel,
    )
    begin, done = time.process_time(), 0
    while runs.running.any() and done < LIMIT:
        done += 50_000
        runs.advance(done)
        if sys.stderr.isatty():
            left = int(runs.running.sum())
            print(f"\r{done:,} periods, {left} sessions go on ", end="", file=sys.stderr)
    seconds = time.process_time() - begin
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    periods, converged = int(runs.periods.sum()), float((~runs.running).mean())
    return Outcome(sessions, seconds, periods, converged, greedy_play(game, runs).gains)


def show(label: str, outcome: Outcome) -> dict[str, float]:
    """Print one way's figures, and return them."""
    found = outcome.summary()
    print(
        f"{label}: {outcome.sessions} sessions in {outcome.cpu_seconds:.1f} CPU-seconds, "
        f"{found['session_periods_per_cpu_second'] / 1e6:.2f} M session-periods per CPU-second\n"
        f"  1,000 sessions would take {found['cpu_minutes_per_1000_sessions']:.2f} CPU-minutes\n"
        f"  {found['mean_periods'] / 1e6:.2f} M periods per session, "
        f"{found['share_converged']:.1%} converged\n"
        f"  profit gain {found['profit_gain']:.3f} "
        f"(95% interval {found['profit_gain_low']:.3f} to {found['profit_gain_high']:.3f}, "
        f"n = {outcome.sessions}); published {PUBLISHED}"
    )
    return found


def main() -> None:
    """Run both ways and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=1000, help="compiled (default 1000)")
    parser.add_argument("--numpy-sessions", type=int, default=50, help="0 for none (default 50)")
    parser.add_argument("--beta", type=float, default=4e-6, help="decay of exploration")
    parser.add_argument("--stable", type=int, default=100_000, help="periods without a change")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    if args.sessions < 0 or args.numpy_sessions < 0 or args.stable < 1:
        parser.error("sessions must be at least 0, and stable at least 1")
    game = LogitPricing()
    report: dict[str, Any] = {
        "versions": {
            "stratagem": stratagem.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "published_profit_gain": PUBLISHED,
    }
    if args.sessions and compiled():
        import numba

        report["versions"]["numba"] = numba.__version__
        run(game, 1, 1.0, 1, kernel=True)  # compiles
        outcome = run(game, args.sessions, args.beta, args.stable, kernel=True)
        report["compiled"] = show("compiled", outcome)
    elif args.sessions:
        print("compiled: numba is not installed")
    if args.numpy_sessions:
        outcome = run(game, args.numpy_sessions, args.beta, args.stable, kernel=False)
        report["numpy"] = show("NumPy", outcome)
    if {"compiled", "numpy"} <= set(report):
        key = "session_periods_per_cpu_second"
        report["ratio"] = report["compiled"][key] / report["numpy"][key]
        print(f"compiled / NumPy: {report['ratio']:.1f}")
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
