"""All agents are yours, and act one after another: an informed player leads the other."""

import stratagem

HORIZON = 100


def main() -> None:
    """Let player_0, who knows the game, play its favourite row, and player_1 imitate."""
    env = stratagem.aec_env("InformationGame-v0", horizon=HORIZON, flat=False)
    env.reset(seed=0)
    totals = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, _ = env.last()
        totals[agent] += float(reward)
        if terminated or truncated:
            env.step(None)
        elif agent == "player_0":
            env.step(1)  # B: its favourite in both games of the family
        else:
            seen = int(observation[3])  # the other's last action + 1, 0 before the first
            env.step(max(seen - 1, 0))
    exact = env.unwrapped.game.benchmarks()["stackelberg_0"].solution.payoffs
    for seat, agent in enumerate(env.possible_agents):
        print(
            f"{agent}: {totals[agent] / HORIZON:.3f} per period, {exact[seat]:.3f} led by player_0"
        )
    env.close()


if __name__ == "__main__":
    main()
