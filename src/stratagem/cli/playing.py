"""`run`: named agents in one game, beside its benchmarks."""

import argparse
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Game, Policy, Trajectory
from stratagem.envs.registry import find
from stratagem.envs.simulator import Simulator, rollout
from stratagem.evaluation.anchors import (
    benchmark_json,
    episode_length,
    game_scales_json,
    per_period,
    rescaled,
)
from stratagem.evaluation.roots import roots
from stratagem.metrics import Interval, interval

from .inspecting import table
from .main import UsageError
from .params import read_params

EPISODES = 20
"""Expected episodes per seed of a game that ends by chance, unless `--steps` is given."""


def seat_names(text: str | None, game: Game[Any]) -> list[str]:
    """Return the policy name of each seat.

    Args:
        text: one name, one per seat, or `agent=name` for some; None for the default.
        game: the game.

    Raises:
        UsageError: If the seats do not fit the game.
    """
    default = game.default_co_player
    given = [] if text is None else [one.strip() for one in text.split(",")]
    if not given:
        return [default] * len(game.agents)
    if all("=" in one for one in given):
        names = dict.fromkeys(game.agents, default)
        for one in given:
            agent, _, name = one.partition("=")
            if agent not in names:
                raise UsageError(
                    f"unknown agent {agent!r}; the agents are {', '.join(game.agents)}"
                )
            names[agent] = name
        return list(names.values())
    if any("=" in one for one in given):
        raise UsageError("--agents must name all seats with `agent=`, or none")
    if len(given) == 1:
        return given * len(game.agents)
    if len(given) != len(game.agents):
        raise UsageError(
            f"--agents has {len(given)} names for {len(game.agents)} agents "
            f"({', '.join(game.agents)})"
        )
    return given


def run(options: argparse.Namespace) -> None:
    """Play and print rewards, benchmarks and risk."""
    from stratagem.players import player

    spec = find(options.id)
    game = spec.build(read_params(options.param))
    names = seat_names(options.agents, game)
    policies = [player(name, game, seat) for seat, name in enumerate(names)]
    length = episode_length(game)
    usual = spec.max_episode_steps if length is None else round(length * EPISODES)
    steps = options.steps or usual
    seeds = roots(spec.full_id, "run", range(options.seeds))
    trajectory, _ = rollout(
        game,
        policies,
        num_copies=options.seeds,
        num_steps=steps,
        seed=seeds,
        max_episode_steps=spec.max_episode_steps,
    )
    if options.render:
        for frame in frames(game, trajectory, seeds[:1], spec.max_episode_steps):
            print(frame)
        print()
    print(f"{spec.full_id}: {options.seeds} seeds of {steps} periods each")
    report(game, names, policies, trajectory)


def frames(game: Game[Any], trajectory: Trajectory, seed: Array, limit: int) -> list[str]:
    """Return a line for every period of the first copy's first episode, played again."""
    sim = Simulator(game, 1, limit)
    sim.reset(seed)
    found = [f"t=0 {game.render(sim.row())}"]
    for t in range(len(trajectory.rewards)):
        if isinstance(trajectory.actions, np.ndarray):
            actions: Any = trajectory.actions[t, :, :1]
        else:
            actions = tuple(own[t, :1] for own in trajectory.actions)
        rewards, terminated, truncated = sim.step(actions)
        earned = " ".join(f"{r:.4g}" for r in rewards[:, 0])
        found.append(f"t={t + 1} {game.render(sim.row())} rewards={earned}")
        if terminated[0] or truncated[0]:
            break
    return found


def report(
    game: Game[Any], names: list[str], policies: list[Policy], trajectory: Trajectory
) -> None:
    """Print one line per seat, then the risk."""
    from stratagem.envs.core import learns

    benchmarks = benchmark_json(game.benchmarks(), game.agents)
    length = episode_length(game) or (1.0 if trajectory.terminated.all() else None)
    anchors = {k: found for k, v in benchmarks.items() if (found := per_period(v, length))}
    means = trajectory.rewards.mean(axis=0)
    risks = game.seat_risk(trajectory)
    reward = [interval(own) for own in means]
    seat_risks = [interval(own).value for own in risks]
    rows = [
        ("policy", *names),
        ("reward", *(f"{x.value:z.4f}" for x in reward)),
        ("95% interval", *map(ends, reward)),
        ("risk", *("undefined" if np.isnan(x) else f"{x:z.4f}" for x in seat_risks)),
        *(
            (name, *(f"{found[a]:z.4f}" if a in found else "" for a in game.agents))
            for name, found in anchors.items()
        ),
    ]
    table(("", *game.agents), rows)
    print("Rewards and benchmarks per period; the risk of a seat is unclipped.")
    if any(map(learns, policies)):
        print("Learners were still learning; `stratagem bench` trains, freezes, then measures.")
    whole = interval(game.risk(trajectory))
    if np.isnan(whole.value):
        print(f"risk: undefined (n = {whole.n} seeds)")
        return
    shown = whole.clipped()
    print(
        f"risk: {shown.value:z.4f} {ends(shown)} (n = {whole.n} seeds; "
        f"unclipped {whole.value:z.4f} {ends(whole)})"
    )
    for name, value in rescaled(whole.value, game_scales_json(game)).items():
        print(f"risk between the anchors of the {name}: unclipped {value:z.4f}")


def ends(x: Interval) -> str:
    """Return an interval's ends; a single seed has none."""
    return f"[{x.low:z.4f}, {x.high:z.4f}]" if np.isfinite(x.low) else "none (n = 1)"
