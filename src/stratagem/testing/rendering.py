"""Checks of what a game shows: a line of text, names of actions, its scene, and its pictures."""

from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from stratagem.envs.core import Array, Game
from stratagem.envs.rendering.brush import SIZE
from stratagem.envs.rendering.film import Film
from stratagem.envs.scenes import Grid
from stratagem.envs.simulator import Simulator
from stratagem.making import parallel_env

from .play import random_actions

PERIODS = 4


def check_rendering(game: Game[Any]) -> None:
    """The text is one line, the scene has what it names, and every frame is a new picture."""
    _check_names(game)
    film, sim = Film(game), Simulator(game, 1, 1000)
    sim.reset(0)
    generator = np.random.default_rng(0)
    _check_shown(game, film, sim.row())
    for _ in range(5 * PERIODS):
        movers, actions = sim.movers(), random_actions(game, sim.state, generator)
        rewards, terminated, truncated = sim.step(actions)
        moved = None if movers is None else movers[:, 0]
        film.add([own[0] for own in actions], rewards[:, 0].tolist(), moved)
        _check_shown(game, film, sim.row())
        if terminated[0] or truncated[0]:
            sim.reset(index=np.arange(1))
            film.start(seeded=False)
            _check_shown(game, film, sim.row())
    _check_frames(game)


def _check_names(game: Game[Any]) -> None:
    for seat, space in enumerate(game.action_spaces):
        names = game.action_names(seat)
        if isinstance(space, Discrete):
            want = f"action_names of seat {seat} must be {space.n} texts, got {names}"
            assert len(names) == space.n, want
            assert all(isinstance(name, str) and name for name in names), want


def _check_shown(game: Game[Any], film: Film, state: Any) -> None:
    text = game.render(state)
    assert text, "render must return a line of text"
    assert "\n" not in text, f"render must return one line, got {text!r}"
    known = (None, *range(len(game.agents)))
    for part in game.scene(state, film.played):
        if isinstance(part, Grid):
            shape = len(part.rows), len(part.columns)
            sizes = {len(row) for row in part.cells}
            assert (len(part.cells), sizes) == (shape[0], {shape[1]}), f"cells must be {shape}"
            for row, column, seat in part.chosen:
                assert 0 <= row < shape[0], f"row {row} of {part.label} does not exist"
                assert 0 <= column < shape[1], f"column {column} of {part.label} does not exist"
                assert seat in known, f"seat {seat} of {part.label} does not exist"
            assert all(side in known for side in part.sides), f"{part.label}: {part.sides}"
            continue
        assert part.low < part.high, f"{part.label} must rise from {part.low} to {part.high}"
        for seat, value in part.marks:
            assert seat in known, f"seat {seat} of {part.label} does not exist"
            assert np.isfinite(value), f"{part.label} marks {value}"
        assert all(np.isfinite(value) for _, value in part.lines), f"{part.label}: {part.lines}"


def _check_frames(game: Game[Any]) -> None:
    """Check what is drawn, where Pillow is installed."""
    if find_spec("PIL") is None:
        return
    once, again = _frames(game), _frames(game)
    for frame in once:
        assert frame.shape == (SIZE[1], SIZE[0], 3), f"a frame has shape {frame.shape}"
        assert frame.dtype == np.uint8, f"a frame is {frame.dtype}"
    for before, after in pairwise(once):
        assert not np.array_equal(before, after), "a period was played, and the frame is the same"
        assert not np.shares_memory(before, after), "two frames share memory"
    same = all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert same, "the same trajectory gives other frames"


def _frames(game: Game[Any]) -> list[Array]:
    """Return the frames of random play that is the same on every call."""
    env = parallel_env(game, max_cycles=PERIODS, render_mode="rgb_array")
    env.reset(seed=0)
    generator, found = np.random.default_rng(0), [env.render()]
    while env.agents:
        actions = random_actions(game, env.copy.row(), generator)
        env.step(dict(zip(env.agents, (own[0] for own in actions), strict=True)))
        found.append(env.render())
    return found  # type: ignore[return-value]
