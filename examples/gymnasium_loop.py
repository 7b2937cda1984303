"""One learner, one environment: a platform that only looks at today loses its users."""

import gymnasium

import stratagem  # registers the games


def average(action: int, episodes: int = 300) -> float:
    """Return the mean reward per episode of always showing one item."""
    env = gymnasium.make("stratagem/ContentDisengagement-v0", friction=0.6)
    total = 0.0
    for seed in range(episodes):
        env.reset(seed=seed)
        over = False
        while not over:
            _, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            over = terminated or truncated
    env.close()
    return total / episodes


def main() -> None:
    """Compare three constant policies with what is exactly attainable."""
    for action, name in enumerate(("exciting", "steady", "soothing")):
        print(f"always {name:9} {average(action):6.2f} per episode")
    game = stratagem.make_env("ContentDisengagement-v0", friction=0.6).game
    for name, benchmark in game.benchmarks().items():
        print(f"exact {name:10} {benchmark.solution.payoffs[0]:6.2f}")


if __name__ == "__main__":
    main()
