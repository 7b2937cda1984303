"""How often the break test errs, and how often intervals of areas cover, where prices remember.

Usage: python benchmarks/screen_errors.py
Prices are first-order autoregressions; the state is a Markov chain that stays on in 95.6 % and off
in 93 % of the periods. The true area is that of 200,000 periods.
"""

import numpy as np

from stratagem.envs.core import Bools, Floats
from stratagem.evaluation.screens import largest_break
from stratagem.metrics import auc, auc_interval

PERIODS, SERIES, PAIRS = 328, 1000, 200


def autoregression(rng: np.random.Generator, periods: int, memory: float) -> Floats:
    """Return a series of mean 0 and deviation 1, (periods,)."""
    values = rng.normal(size=periods)
    for t in range(1, periods):
        values[t] = memory * values[t - 1] + (1 - memory**2) ** 0.5 * values[t]
    return values


def switching(rng: np.random.Generator, periods: int) -> Bools:
    """Return the state of a chain, (periods,)."""
    state = np.empty(periods, np.bool_)
    on = rng.random() < 0.62
    for t, draw in enumerate(rng.random(periods).tolist()):
        state[t] = on
        on = draw < 0.956 if on else draw > 0.93
    return state


def main() -> None:
    """Print both tables."""
    print("memory  periods  share of series without a break in which one is found at 5 %")
    for memory in (0.0, 0.5, 0.9, 0.95):
        for periods in (100, PERIODS):
            rngs = (np.random.default_rng(seed) for seed in range(SERIES))
            found = [largest_break(10 + autoregression(r, periods, memory)).p for r in rngs]
            print(f"{memory:6} {periods:8}  {np.mean(np.array(found) < 0.05):.3f}", flush=True)
    blocks = (1, 13, 26, 52)
    print("memory  gap  area   coverage of 95 % intervals with blocks of", *blocks)
    for memory in (0.0, 0.9, 0.96):
        for gap in (0.0, 1.5):
            rng = np.random.default_rng(SERIES)
            state = switching(rng, 200_000)
            area = auc(autoregression(rng, len(state), memory) + gap * state, state)
            covered = np.zeros((PAIRS, len(blocks)))
            for seed in range(PAIRS):
                rng = np.random.default_rng(seed)
                state = switching(rng, PERIODS)
                scores = autoregression(rng, PERIODS, memory) + gap * state
                for k, block in enumerate(blocks):
                    x = auc_interval(scores, state, block=block, resamples=500)
                    covered[seed, k] = x.low <= area <= x.high
            print(f"{memory:6} {gap:4} {area:.3f}  ", *covered.mean(axis=0), flush=True)


if __name__ == "__main__":
    main()
