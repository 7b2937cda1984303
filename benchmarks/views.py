"""Speed of the views against hand-written peers, as ratios in one run, in CPU time.

Usage: python benchmarks/views.py [--rounds N] [--json FILE]

Candidates take turns; a figure is the median over rounds of steps per CPU-second on one
thread. Ratios below about 1.5 are a tie. Actions are given; every side pays for its
observations, rewards, flags and resets.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import SyncVectorEnv
from handwritten import ContentEnv, PricingEnv

import stratagem

GAMES: dict[str, tuple[str, dict[str, Any], Callable[[], Any]]] = {
    "LogitPricing": ("LogitPricing-v0", {}, PricingEnv),
    "ContentDisengagement": ("ContentDisengagement-v0", {"friction": 0.2}, ContentEnv),
}


def single(env: Any, steps: int) -> float:
    """Return steps per CPU-second of one environment, resets included."""
    actions = np.random.default_rng(0).integers(env.action_space.n, size=steps).tolist()
    env.reset(seed=0)
    begin = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return steps / (time.process_time() - begin)


def many(envs: Any, copies: int, calls: int) -> float:
    """Return copy-steps per CPU-second of a vector environment."""
    n = int(envs.single_action_space.n)
    actions = np.random.default_rng(0).integers(n, size=(calls, copies))
    envs.reset(seed=0)
    begin = time.process_time()
    for row in actions:
        envs.step(row)
    return calls * copies / (time.process_time() - begin)


def candidates(name: str) -> dict[str, Callable[[], float]]:
    """Return what is timed for one game; each call is one round."""
    env_id, params, peer = GAMES[name]
    learning = {"firm_1": "q_learning"} if name == "LogitPricing" else {}
    found: dict[str, Callable[[], float]] = {
        "single: hand-written": partial(single, peer(), 20_000),
        "single: ours": partial(single, stratagem.make_env(env_id, **params), 20_000),
    }
    for copies, calls in ((8, 3000), (256, 1000)):
        sync = SyncVectorEnv([peer] * copies)
        found[f"{copies}: SyncVectorEnv of hand-written"] = partial(
            many, sync, copies, max(calls // 8, 100)
        )
        for label, fused in (("ours, compiled", True), ("ours, NumPy", False)):
            envs = stratagem.vector_env(env_id, copies, fused=fused, **params)
            if fused and envs.kernel is None:
                continue  # numba is not installed
            found[f"{copies}: {label}"] = partial(many, envs, copies, calls)
        if learning:
            envs = stratagem.vector_env(env_id, copies, co_players=learning, **params)
            found[f"{copies}: ours, learning rival"] = partial(many, envs, copies, calls // 10)
    return found


def main() -> None:
    """Time everything in turns and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds per candidate (default 7)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    report: dict[str, Any] = {}
    for name in GAMES:
        timed = candidates(name)
        for run in timed.values():
            run()  # warm up
        rounds: dict[str, list[float]] = {label: [] for label in timed}
        for _ in range(args.rounds):
            for label, run in timed.items():
                rounds[label].append(run())
        rates = {label: statistics.median(values) for label, values in rounds.items()}
        print(f"\n{name}: steps per CPU-second, and the ratio to the hand-written peer")
        for label, rate in rates.items():
            peer = next(k for k in rates if k.split(":")[0] == label.split(":")[0])
            print(f"  {label:36} {rate:14,.0f} {rate / rates[peer]:8.2f}x")
        report[name] = rates
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
