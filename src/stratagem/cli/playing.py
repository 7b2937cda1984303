"""`run`: named agents in one game, beside its benchmarks."""

import argparse
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Game, Policy, Trajectory
from stratagem.envs.registry import find
from stratagem.envs.rendering.film import FRAMES_PER_SECOND, Film
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

    if options.frames is not None and find_spec("PIL") is None:
        raise UsageError('--frames needs Pillow: pip install "stratagem[render]"')
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
    if options.frames is not None:
        played = first_episode(game, trajectory, seeds[:1], spec.max_episode_steps)
        count = save_frames(options.frames, (film.frame(state) for film, state in played))
        print(f"{count} frames in {options.frames}\n")
    print(f"{spec.full_id}: {options.seeds} seeds of {steps} periods each")
    report(game, names, policies, trajectory)


def frames(game: Game[Any], trajectory: Trajectory, seed: Array, limit: int) -> list[str]:
    """Return a line for every period of the first copy's first episode, played again."""
    found = []
    for film, state in first_episode(game, trajectory, seed, limit):
        earned = f" rewards={' '.join(f'{r:.4g}' for r in film.paid)}" if film.paid else ""
        found.append(f"t={film.number} {game.render(state)}{earned}")
    return found


def replay(
    game: Game[Any], trajectory: Trajectory, seed: Array, limit: int
) -> Iterator[tuple[Film, Any]]:
    """Yield the film and the state at the start, and after each period, of every episode.

    Args:
        game: the game.
        trajectory: of copies, of which the first is played again.
        seed: its seed, (1,).
        limit: periods before truncation.
    """
    sim, film = Simulator(game, 1, limit), Film(game)
    sim.reset(seed)
    yield film, sim.row()
    over = False
    for t in range(len(trajectory.rewards)):
        if over:
            sim.reset(index=np.arange(1))
            film.start(seeded=False)
            yield film, sim.row()
        if isinstance(trajectory.actions, np.ndarray):
            actions: Any = trajectory.actions[t, :, :1]
        else:
            actions = tuple(own[t, :1] for own in trajectory.actions)
        movers = sim.movers()
        rewards, terminated, truncated = sim.step(actions)
        moved = None if movers is None else movers[:, 0]
        film.add([own[0] for own in actions], rewards[:, 0].tolist(), moved)
        yield film, sim.row()
        over = bool(terminated[0] or truncated[0])


def first_episode(
    game: Game[Any], trajectory: Trajectory, seed: Array, limit: int
) -> Iterator[tuple[Film, Any]]:
    """Yield what `replay` does of the first episode."""
    return takewhile(lambda shown: shown[0].episode == 1, replay(game, trajectory, seed, limit))


def save_frames(folder: str, frames: Iterable[Array]) -> int:
    """Write frames as PNG files and as one GIF, and return their number."""
    from PIL import Image

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    images = [Image.fromarray(frame) for frame in frames]
    for number, image in enumerate(images):
        image.save(path / f"frame_{number:04}.png", optimize=True)
    duration = 1000 // FRAMES_PER_SECOND
    images[0].save(
        path / "episode.gif", save_all=True, append_images=images[1:], duration=duration, loop=0
    )
    return len(images)


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
