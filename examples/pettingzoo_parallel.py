"""All agents are yours, and act at once: strangers with conventions of their own."""

import stratagem


def main() -> None:
    """Let players with fixed favourite levers meet, and compare with a shared convention."""
    env = stratagem.parallel_env("LeverCoordination-v0")
    favourites = range(10)
    met = []
    for first in favourites:
        for second in favourites:
            env.reset(seed=0)
            _, rewards, terminations, _, _ = env.step({"player_0": first, "player_1": second})
            assert all(terminations.values())  # the game ends after one pull
            met.append(rewards["player_0"])
    alike = sum(met[:: len(favourites) + 1]) / len(favourites)
    print(f"the same favourite: {alike:.3f}")
    print(f"two strangers:      {sum(met) / len(met):.3f}")
    for name, benchmark in env.game.benchmarks().items():
        print(f"exact {name:18} {benchmark.solution.payoffs[0]:.3f}")
    env.close()


if __name__ == "__main__":
    main()
