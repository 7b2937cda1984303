"""Checks of a game's own functions: spaces, chance, step, table, conduct."""

import pickle
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Game, take
from stratagem.envs.lookup import TableSimulator, step_table
from stratagem.envs.simulator import Simulator
from stratagem.envs.spaces import size

from .play import NotApplicable, all_discrete, random_actions

COPIES = 8


def _walk(game: Game[Any], periods: int = 3) -> list[tuple[Any, Any, Any]]:
    """Return states of COPIES copies with legal actions, and outcomes to apply to them."""
    sim = Simulator(game, COPIES, 1000)
    sim.reset(0)
    generator, found = np.random.default_rng(0), []
    for _ in range(periods):
        actions = random_actions(game, sim.state, generator)
        outcome = game.draw(sim.state, actions, sim.stream(7))
        found.append((sim.state, actions, outcome))
        _, terminated, truncated = sim.step(actions)
        if (over := (terminated | truncated).nonzero()[0]).size:
            sim.reset(index=over)
    return found


def check_spaces(game: Game[Any]) -> None:
    """Spaces are the same objects on each call and hold what the game shows."""
    assert len(set(game.agents)) == len(game.agents) > 0, "agents must have different names"
    for name in ("action_spaces", "observation_spaces"):
        first, second = getattr(game, name), getattr(game, name)
        assert len(first) == len(game.agents), f"{name} must be one per agent"
        same = all(a is b for a, b in zip(first, second, strict=True))
        assert same, f"{name} must be the same objects on every call"
    for state, actions, outcome in _walk(game):
        step = game.step(state, actions, outcome)
        assert step.rewards.shape == (len(game.agents), COPIES), "rewards must be (N, B)"
        assert np.isfinite(step.rewards).all(), "rewards must be finite"
        assert step.terminated.shape == (COPIES,), "terminated must be (B,)"
        for at in (state, step.state):
            views = game.observe(at)
            for space, seen in zip(game.observation_spaces, views, strict=True):
                rows = seen.astype(space.dtype)
                inside = all(space.contains(row) for row in rows)
                assert inside, f"observations {rows[:2]} must lie in {space}"


def check_chance(game: Game[Any]) -> None:
    """Chance is a distribution for all copies, or for each of them; certain steps draw nothing."""
    enumerated = type(game).draw is Game.draw
    for state, actions, _ in _walk(game):
        if not enumerated:
            continue
        probs = game.chance(state, actions)
        assert probs.shape[:-1] in ((), (COPIES,)), f"chance must be (K,) or (B, K): {probs.shape}"
        assert (probs >= 0).all(), "chance must not be negative"
        assert np.abs(probs.sum(axis=-1) - 1).max() < 1e-12, "chance must sum to one"
        sim = Simulator(game, COPIES)
        sim.reset(0)
        rng = sim.stream(0)
        game.draw(state, actions, rng)
        assert rng.draws == (probs.shape[-1] > 1), "draw must take one number, if any"
    if type(game).draw_initial is Game.draw_initial:
        first = game.initial_chance
        assert first.ndim == 1, "initial_chance must be (K,)"
        assert (first >= 0).all(), "initial_chance must not be negative"
        assert abs(first.sum() - 1) < 1e-9, "initial_chance must sum to one"


def _one(actions: Any, i: int) -> Any:
    if isinstance(actions, tuple):
        return tuple(own[i : i + 1] for own in actions)
    return actions[:, i : i + 1]


def check_copies_apart(game: Game[Any]) -> None:
    """A copy follows alone what it follows in a batch, to the bit."""
    for state, actions, outcome in _walk(game):
        batch = game.step(state, actions, outcome)
        for i in range(COPIES):
            at = np.array([i])
            own = outcome[i : i + 1] if isinstance(outcome, np.ndarray) else outcome
            alone = game.step(take(state, at), _one(actions, i), own)
            same = (
                np.array_equal(batch.rewards[:, at], alone.rewards)
                and np.array_equal(batch.terminated[at], alone.terminated)
                and all(
                    np.array_equal(a[at], b) for a, b in zip(batch.state, alone.state, strict=True)
                )
            )
            assert same, f"copy {i} of a batch differs from the same copy alone"
            for a, b in zip(game.observe(batch.state), game.observe(alone.state), strict=True):
                assert np.array_equal(a[at], b), "observe treats copies of a batch differently"


def check_arguments_kept(game: Game[Any]) -> None:
    """Step, chance and observe leave their arguments as they were."""
    for state, actions, outcome in _walk(game):
        before = pickle.dumps((state, actions, outcome))
        game.chance(state, actions)
        game.step(state, actions, outcome)
        game.observe(state)
        assert pickle.dumps((state, actions, outcome)) == before, "an argument was changed"


def check_table(game: Game[Any]) -> None:
    """Play by the table equals play by the game's functions, where there is a table."""
    table = step_table(game)
    if table is None or not all_discrete(game):
        raise NotApplicable("views do not step this game by a table")
    for limit in (None, 5):
        slow, fast = Simulator(game, COPIES, limit), TableSimulator(game, table, COPIES, limit)
        generator = np.random.default_rng(1)
        slow.reset(2**64 - 3)
        fast.reset(2**64 - 3)
        for t in range(60):
            for field, of_table in zip(slow.state, table.states, strict=True):
                same = np.array_equal(field, of_table[fast.state])
                assert same, f"states differ at period {t}"
            for seat in range(len(game.agents)):
                same = np.array_equal(slow.observe(seat), fast.observe(seat))
                assert same, f"observations differ at period {t}"
            actions = random_actions(game, slow.state, generator)
            index: Any = None if t % 7 else np.array([1, 4, 5])
            own: Any = actions if index is None else actions[:, index]
            want, got = slow.step(own, index), fast.step(own, index)
            same = all(np.array_equal(a, b) for a, b in zip(want, got, strict=True))
            assert same, f"rewards or flags differ at period {t}"
            over = (want[1] | want[2]).nonzero()[0]
            if over.size:
                at = over if index is None else index[over]
                slow.reset(index=at)
                fast.reset(index=at)


def check_conduct(game: Game[Any]) -> None:
    """What a game calls cooperating and punishing are actions, judged per copy, and pickled."""
    for seat, space in enumerate(game.action_spaces):
        conduct = game.conduct(seat)
        if conduct is None:
            continue
        n = size(space)
        assert 0 <= conduct.cooperate < n, "cooperate must be an action"
        assert 0 <= conduct.punish < n, "punish must be an action"
        for state, _, _ in _walk(game):
            seen: Array = game.observe(state)[seat]
            for found in pickle.loads(pickle.dumps(conduct)).cooperated(seen):
                assert found.shape == (COPIES,), "cooperated must give two arrays (B,)"
                assert found.dtype == np.bool_, "cooperated must give booleans"
            if conduct.blank is not None:
                shown = pickle.loads(pickle.dumps(conduct.blank))(seen)
                assert shown.shape == (COPIES,), "blank must give an array (B,)"
                assert shown.dtype == np.bool_, "blank must give booleans"


def check_standing(game: Game[Any]) -> None:
    """What holds as a seat waits is what it chose when it last moved in the episode."""
    sim = Simulator(game, COPIES, 1000)
    sim.reset(0)
    if game.standing(sim.state) is None:
        return
    generator = np.random.default_rng(0)
    chosen = np.full((len(game.agents), COPIES), -1)
    for _ in range(3 * len(game.agents)):
        moves, holds = sim.movers(), game.standing(sim.state)
        assert moves is not None, "with all moving, nothing can stand"
        assert holds is not None
        assert holds.shape == chosen.shape, f"standing must be (N, B), got {holds.shape}"
        known = ~moves & (chosen >= 0)
        assert (holds == chosen)[known].all(), "standing is not what the seat chose last"
        actions = random_actions(game, sim.state, generator)
        chosen = np.where(moves, actions, chosen)
        _, terminated, truncated = sim.step(actions)
        if (over := (terminated | truncated).nonzero()[0]).size:
            sim.reset(index=over)
            chosen[:, over] = -1
