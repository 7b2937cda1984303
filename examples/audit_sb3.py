"""What could be gained against a pair of PPO agents? Trained, frozen, audited; needs `sb3`."""

import sys

import numpy as np

import stratagem
from stratagem.evaluation.audit import audit_all
from stratagem.evaluation.trainers import fit

ENV_ID, DISCOUNT = "LogitPricing-v0", 0.95


def main(periods: int = 10_000) -> None:
    """Train one network that prices for both firms, and audit each of them exactly.

    Args:
        periods: of training, in all copies of the game together.
    """
    game = stratagem.registry[ENV_ID].build()
    firms = [stratagem.player("ppo", game, seat, discount=DISCOUNT) for seat in range(2)]
    training = fit(
        game, firms, seeds=np.array([0], np.uint64), periods=periods, max_episode_steps=100
    )
    frozen = [own[0] for own in training.policies]  # of the one run

    print(f"PPO in {ENV_ID}, one run of {periods:,} periods; sums discounted at {DISCOUNT}")
    print("firm      value    best     gain     one-shot gain")
    for one in audit_all(frozen, game, discount=DISCOUNT):
        print(
            f"{one.agent}    {one.value:.4f}   {one.best_low:.4f}   {one.gain_low:.4f}   "
            f"{one.one_shot_gain:.4f}   {one.method}"
        )
    for name in ("grid_nash_low", "grid_monopoly"):
        paid = game.benchmarks()[name].solution.payoffs[0]
        print(f"{name} for ever: {paid / (1 - DISCOUNT):.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
