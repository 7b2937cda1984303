"""A stable-baselines3 agent prices against tit for tat; needs the extra `sb3`."""

import numpy as np
from stable_baselines3 import PPO

import stratagem

ENV_ID, COPIES, PERIODS = "LogitPricing-v0", 64, 100


def main() -> None:
    """Train a small PPO and print its profit beside the competitive and the joint maximum."""
    envs = stratagem.sb3_vec_env(ENV_ID, COPIES, seed=0, max_episode_steps=PERIODS)
    model = PPO("MlpPolicy", envs, n_steps=32, batch_size=512, gamma=0.9, learning_rate=3e-3,
                ent_coef=0.002, seed=0, device="cpu")  # fmt: skip
    model.learn(60_000)

    trial = stratagem.sb3_vec_env(ENV_ID, COPIES, seed=10_000, max_episode_steps=PERIODS)
    seen, profit = trial.reset(), np.zeros(COPIES)
    for _ in range(PERIODS):
        actions, _ = model.predict(seen, deterministic=True)
        seen, rewards, _, _ = trial.step(actions)
        profit += rewards / PERIODS
    found = trial.game.benchmarks()
    print(
        f"PPO       {profit.mean():.4f} per period, mean over {COPIES} copies of one training run"
    )
    for name in ("nash", "monopoly"):
        print(f"{name:9} {found[name].solution.payoffs[0]:.4f}")
    print(f"risk      {float(trial.game.risk_scales()[0](profit.mean())):.2f}")


if __name__ == "__main__":
    main()
