"""What a price cap, a memory wipe and noise do to Q-learners who set prices, beside their control.

Usage: python benchmarks/treatments.py
"""

from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.wrappers.treatments import DemandNoise, MemoryWipe, Treatment
from stratagem.evaluation.treatments import against_control, price_cap
from stratagem.metrics import Interval
from stratagem.players import player

GAME = LogitPricing(num_prices=7)
TREATMENTS: dict[str, Treatment] = {
    "price cap of 1.7": price_cap(GAME, 1.7),
    "price cap of 1.55": price_cap(GAME, 1.55),
    "wipe, 10 %": MemoryWipe(control=GAME, probability=0.1),
    "wipe, 50 %": MemoryWipe(control=GAME, probability=0.5),
    "wipe, always": MemoryWipe(control=GAME, probability=1.0),
    "noise, 50 %": DemandNoise(control=GAME, spread=0.5),
    "noise, 100 %": DemandNoise(control=GAME, spread=1.0),
}


def cell(x: Interval) -> str:
    """Return an interval in three decimals."""
    return f"{x.value:.3f} ({x.low:.3f} to {x.high:.3f})"


def main() -> None:
    """Print a table in Markdown."""
    learners = [player("q_learning", GAME, seat, beta=2e-5) for seat in range(2)]
    print("| treatment | risk of the control | risk treated | difference |\n|---|---|---|---|")
    for name, treatment in TREATMENTS.items():
        found = against_control(treatment, learners, periods=1000, training=500_000, seeds=20)
        print("|", name, "|", " | ".join(map(cell, found)), "|", flush=True)


if __name__ == "__main__":
    main()
