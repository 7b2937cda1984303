"""What a network earns that sees only whether the user is engaged, exactly, by frames remembered.

Usage: python benchmarks/hidden_satisfaction.py [--frames N ...] [--seeds N] [--periods N]

A learner of stable-baselines3 serves `ContentDisengagement-v0` and sees one bit, stacked over its
last frames by Gymnasium, zeros before the first. Once frozen, it is a rule of finite memory, so
what it is worth is solved on the chain of frames, level and status: of its likeliest arms, and as
drawn. It is held against the best of all such rules without chance, and against the optimum of who
sees satisfaction. The lines of 0 frames are the same learner shown satisfaction too. Needs the
extra `sb3`.
"""

import argparse
import time
from itertools import product
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import FlattenObservation, FrameStackObservation

import stratagem
from stratagem.envs.core import Array, Floats
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.engagement import (
    AWAY,
    ENGAGED,
    LOST,
    Model,
    next_status,
)
from stratagem.envs.games.recommendation.population import Segment, expected


class OnlyEngaged(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Show but one number: 1 if the user is engaged, else 0."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)

    def observation(self, observation: Any) -> Any:
        """Return the flag as an array of one number."""
        return np.array([observation[1] == ENGAGED], np.float32)


class OneHot(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Show satisfaction and status as ones and zeros."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        counts = env.observation_space.nvec  # type: ignore[attr-defined]
        self.eyes = [np.eye(int(count), dtype=np.float32) for count in counts]
        self.observation_space = gymnasium.spaces.Box(0, 1, (int(sum(counts)),), np.float32)

    def observation(self, observation: Any) -> Any:
        """Return the two rows, one after the other."""
        return np.concatenate(
            [eye[value] for eye, value in zip(self.eyes, observation, strict=True)]
        )


def made(game: ContentDisengagement, frames: int) -> Any:
    """Return the environment that hides satisfaction; 0 frames show everything."""
    env: Any = stratagem.make_env(game)
    if not frames:
        return OneHot(env)
    return FlattenObservation(FrameStackObservation(OnlyEngaged(env), frames, padding_type="zero"))


def rule_value(model: Model, rule: Floats, start: int) -> float:
    """Return the expected sum per episode of a rule of flags, exactly.

    Args:
        model: user and catalogue; its continuation must be below 1.
        rule: probabilities of arms by the last k flags read as a binary number, the present one
            last, (2^k, n).
        start: level at the start.
    """
    (size, arms), num = rule.shape, len(model.stay)
    follows = model.continuation * next_status(model)
    chain = np.zeros((size, num, 3, size, num, 3))
    rewards = np.zeros((size, num, 3))
    rewards[:, :, ENGAGED] = (rule @ model.rewards)[:, None]
    for seen, level, after in product(range(size), range(num), (AWAY, ENGAGED, LOST)):
        shown = (2 * seen + (after == ENGAGED)) % size
        here = chain[seen, level, :, shown, :, after]
        for status in (AWAY, LOST):
            here[status, level] += follows[status, level, after]
        for arm in range(arms):
            landing = model.landing[level, arm]
            here[ENGAGED, landing] += rule[seen, arm] * follows[ENGAGED, landing, after]
    system = np.eye(rewards.size) - chain.reshape(rewards.size, rewards.size)
    values = np.linalg.solve(system, rewards.ravel()).reshape(rewards.shape)
    return float(values[1, start, ENGAGED])


def best_rule(model: Model, frames: int, start: int) -> float:
    """Return what the best of all rules without chance is worth, by trying each."""
    one = np.eye(len(model.rewards))
    found = []
    for arms in product(one, repeat=2 ** (frames - 1)):
        rule = np.repeat(arms, 2, axis=0)  # what is shown while the user is away does not matter
        found.append(rule_value(model, rule, start))
    return max(found)


def learnt(learner: Any, seen: Array) -> Floats:
    """Return the probabilities of arms (S, n) that a network gives to observations (S, ...)."""
    tensor, _ = learner.policy.obs_to_tensor(seen)
    probs = learner.policy.get_distribution(tensor).distribution.probs.detach().numpy()
    return np.asarray(probs / probs.sum(axis=1, keepdims=True, dtype=np.float64))


def worth(game: ContentDisengagement, frames: int, learner: Any) -> tuple[float, float]:
    """Return what a network is worth exactly: by its likeliest arms, and as drawn."""
    model, start = game.model, game.filled.start
    if frames:
        probs = learnt(learner, np.array(list(product((0, 1), repeat=frames)), np.float32))
    else:
        env, levels = made(game, 0), range(len(model.stay))
        probs = learnt(learner, np.stack([env.observation((x, ENGAGED)) for x in levels]))
    values = []
    for rule in (np.eye(probs.shape[1])[probs.argmax(axis=1)], probs):
        if frames:
            values.append(rule_value(model, rule, start))
        else:
            shares = expected([Segment(model, 1.0, rule, start)], periods=800)
            engaged = shares[:, 0, ENGAGED].sum(axis=0)
            values.append(float(engaged @ (rule @ model.rewards)))
    return values[0], values[1]


def simulated(env: Any, learner: Any, episodes: int) -> Floats:
    """Return the sums of episodes."""
    sums = np.zeros(episodes)
    for episode in range(episodes):
        seen, _ = env.reset(seed=10**6 + episode)
        over = False
        while not over:
            action, _ = learner.predict(seen, deterministic=True)
            seen, reward, terminated, truncated, _ = env.step(int(action))
            sums[episode] += reward
            over = terminated or truncated
    return sums


def main() -> None:
    """Train, solve and print."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--periods", type=int, default=40_000, help="of each training")
    parser.add_argument("--friction", type=float, default=0.6)
    parser.add_argument("--episodes", type=int, default=400, help="of the check by play")
    args = parser.parse_args()
    game = ContentDisengagement(friction=args.friction)
    model, start = game.model, game.filled.start
    begin = time.process_time()
    found = game.benchmarks()
    optimum, myopic = (float(found[n].solution.payoffs[0]) for n in ("optimum", "myopic"))
    print(f"optimum of who sees satisfaction {optimum:.4f}, myopic {myopic:.4f}")
    print("frames, best rule without chance; PPO per seed: likeliest arms, as drawn; by play")
    for frames in (*args.frames, 0):
        most = best_rule(model, frames, start) if frames else optimum
        print(f"{frames:3} {most:9.4f}")
        for seed in range(args.seeds):
            envs = DummyVecEnv([lambda k=frames: made(game, k) for _ in range(8)])
            learner = PPO("MlpPolicy", envs, n_steps=128, batch_size=256, gamma=1.0,
                          learning_rate=1e-3, seed=seed, device="cpu")  # fmt: skip
            learner.learn(args.periods)
            greedy, drawn = worth(game, frames, learner)
            line = f"{'':13} {greedy:9.4f} {drawn:9.4f}"
            if seed == 0:
                sums = simulated(made(game, frames), learner, args.episodes)
                error = sums.std(ddof=1) / len(sums) ** 0.5
                line += f"   likeliest arms by play {sums.mean():.2f} +- {error:.2f}"
            print(line, flush=True)
    print(f"{time.process_time() - begin:.0f} CPU-seconds")


if __name__ == "__main__":
    main()
