"""A thousand copies stepped at once: what does a fixed price earn against tit for tat?"""

import gymnasium
import numpy as np

import stratagem  # registers the games

COPIES, PERIODS = 1024, 200


def main() -> None:
    """Try every price in its own group of copies and print what it earns per period."""
    envs = gymnasium.make_vec(
        "stratagem/LogitPricing-v0", num_envs=COPIES, co_players={"firm_1": "tit_for_tat"}
    )
    prices = np.arange(COPIES) % envs.single_action_space.n
    earned = np.zeros(COPIES)
    envs.reset(seed=0)
    for _ in range(PERIODS):
        _, rewards, _, _, _ = envs.step(prices)
        earned += rewards
    envs.close()
    for price in range(envs.single_action_space.n):
        print(f"price {price:2}: {earned[prices == price].mean() / PERIODS:.4f} per period")
    found = stratagem.make_env("LogitPricing-v0").game.benchmarks()
    for name in ("nash", "monopoly"):
        print(f"exact {name}: {found[name].solution.payoffs[0]:.4f}")


if __name__ == "__main__":
    main()
