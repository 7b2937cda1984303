"""Checks of the views: one game, the same trajectory through every one of them."""

import pickle
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from stratagem.envs.core import Game, masks
from stratagem.envs.simulator import Simulator
from stratagem.making import aec_env, make_env, parallel_env, sb3_vec_env, vector_env

from .play import (
    Episode,
    NotApplicable,
    Replay,
    all_discrete,
    co_players,
    random_actions,
    reference,
)

LIMIT = 9
_MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)


def _native(game: Game[Any], seat: int, seen: Any) -> Any:
    return np.asarray(seen).astype(game.observation_spaces[seat].dtype)


def _same(game: Game[Any], seat: int, got: Any, want: Any, where: str) -> None:
    want = _native(game, seat, want)
    assert np.array_equal(np.asarray(got), want), f"{where} shows {got}, the game {want}"


def check_one_trajectory(game: Game[Any]) -> None:
    """Parallel, AEC and single views play the episode that the game's own functions play."""
    for seed in range(4):
        for limit in (1, LIMIT, 60):
            episode = reference(game, seed, limit)
            _check_parallel(game, seed, limit, episode)
            _check_aec(game, seed, limit, episode)
            for seat in range(len(game.agents)):
                _check_single(game, seat, seed, limit, episode)


def _check_parallel(game: Game[Any], seed: int, limit: int, episode: Episode) -> None:
    env = parallel_env(game, max_cycles=limit, flat=False)
    seen, _ = env.reset(seed=seed)
    for t, (actions, rewards) in enumerate(zip(episode.actions, episode.rewards, strict=True)):
        for i, name in enumerate(game.agents):
            _same(game, i, seen[name], episode.seen[t][i], "the parallel view")
        assert env.agents == list(game.agents), "agents must stay until the episode ends"
        chosen = dict(zip(game.agents, actions, strict=True))
        seen, paid, terminated, truncated, _ = env.step(chosen)
        assert list(paid.values()) == rewards.tolist(), f"the parallel view pays {paid}"
    for i, name in enumerate(game.agents):
        _same(game, i, seen[name], episode.seen[-1][i], "the parallel view")
        assert terminated[name] == episode.terminated, "termination and truncation differ"
        assert truncated[name] == episode.truncated, "termination and truncation differ"
    assert not env.agents, "no agent may stay when the episode is over"


def _check_aec(game: Game[Any], seed: int, limit: int, episode: Episode) -> None:
    env = aec_env(game, max_cycles=limit, flat=False)
    env.reset(seed=seed)
    totals = dict.fromkeys(game.agents, 0.0)
    for t, actions in enumerate(episode.actions):
        movers = episode.movers[t]
        for i, name in enumerate(game.agents):
            if movers is not None and not movers[i, 0]:
                continue
            assert env.agent_selection == name, f"{env.agent_selection} moves in place of {name}"
            _same(game, i, env.observe(name), episode.seen[t][i], "the AEC view")
            env.step(actions[i])
            totals = {a: totals[a] + env.rewards[a] for a in totals}
    want = np.sum(episode.rewards, axis=0)
    paid = list(totals.values())
    assert np.allclose(paid, want, rtol=1e-12, atol=1e-12), f"the AEC view pays {totals}"
    assert set(env.terminations.values()) == {episode.terminated}, "terminations differ"
    assert set(env.truncations.values()) == {episode.truncated}, "truncations differ"
    while env.agents:
        env.step(None)


def _check_single(game: Game[Any], seat: int, seed: int, limit: int, episode: Episode) -> None:
    others = {
        name: Replay(np.array([actions[i] for actions in episode.actions]))
        for i, name in enumerate(game.agents)
        if i != seat
    }
    env = make_env(game, agent=game.agents[seat], co_players=others, max_episode_steps=limit)
    periods = range(len(episode.actions))
    turns = [t for t in periods if (m := episode.movers[t]) is None or m[seat, 0]]
    if not turns:
        return
    seen: Any = env.reset(seed=seed)[0]
    for turn, t in enumerate(turns):
        _same(game, seat, seen, episode.seen[t][seat], "the single view")
        end = turns[turn + 1] if turn + 1 < len(turns) else len(episode.actions)
        seen, reward, terminated, truncated, info = env.step(episode.actions[t][seat])
        paid = episode.rewards[t if turn else 0 : end]  # what comes before the first move too
        want = sum(float(rewards[seat]) for rewards in paid)
        assert abs(reward - want) <= 1e-12 * max(1, abs(want)), f"the single view pays {reward}"
        assert info.get("periods", 1) == end - t, "info['periods'] is wrong"
        last = end == len(episode.actions)
        assert terminated == (last and episode.terminated), "the single view's terminated is wrong"
        assert truncated == (last and episode.truncated), "the single view's truncated is wrong"
    _same(game, seat, seen, episode.seen[-1][seat], "the single view")


def _own(game: Game[Any], seat: int, generator: np.random.Generator, legal: Any, num: int) -> Any:
    space = game.action_spaces[seat]
    if not isinstance(space, Discrete):
        space.seed(int(generator.integers(2**31)))
        return np.stack([space.sample() for _ in range(num)])
    rank = generator.integers(legal.sum(axis=1))
    return (legal.cumsum(axis=1) <= rank[:, None]).sum(axis=1)


def check_batches(game: Game[Any]) -> None:
    """Copy i of a batch seeded s is a single environment seeded s + i, at any batch size."""
    for seat in range(len(game.agents)):
        for others in co_players(game, seat):
            for mode in _MODES:
                for num in (1, 3, 16):
                    _check_batch(game, seat, others, mode, num)


def _check_batch(game: Game[Any], seat: int, others: Any, mode: AutoresetMode, num: int) -> None:
    kwargs: dict[str, Any] = {"agent": game.agents[seat], "co_players": others}
    kwargs["max_episode_steps"] = LIMIT
    many = [vector_env(game, num, autoreset_mode=mode, fused=f, **kwargs) for f in (True, False)]
    singles = SyncVectorEnv([partial(make_env, game, **kwargs)] * num, autoreset_mode=mode)
    generator, seed = np.random.default_rng(num), 2**40 + 3
    want: Any = singles.reset(seed=seed)
    for envs in many:
        assert data_equivalence(envs.reset(seed=seed)[0], want[0], exact=True), "first observation"
    masked = isinstance(game.action_spaces[seat], Discrete)
    for t in range(3 * LIMIT):
        legal = np.stack([env.action_masks() for env in singles.envs]) if masked else None  # type: ignore[attr-defined]
        own = _own(game, seat, generator, legal, num)
        want = singles.step(own)
        for envs in many:
            got = envs.step(own)
            for name, a, b in zip(
                ("observations", "rewards", "terminated", "truncated"), got, want, strict=False
            ):
                assert data_equivalence(a, b, exact=True), f"{name} differ at step {t}: {a} {b}"
            _same_finals(got[4], want[4], t)
    if game.agents and not others:
        return
    fresh = singles.reset(seed=seed)[0]
    for envs in many:
        assert data_equivalence(envs.reset(seed=seed)[0], fresh, exact=True), "a second seeding"


def _same_finals(got: dict[str, Any], want: dict[str, Any], t: int) -> None:
    assert got.keys() == want.keys(), f"infos have {sorted(got)}, not {sorted(want)}, at step {t}"
    for key in ("final_obs", "_final_obs", "action_mask", "periods"):
        if key in want:
            pairs = zip(got[key], want[key], strict=True)
            same = all(np.array_equal(a, b) for a, b in pairs)
            assert same, f"infos[{key!r}] differs at step {t}"


def check_sb3_rows(game: Game[Any]) -> None:
    """The SB3 views' rows are those of the vector view and of the game, at episode ends too."""
    if not find_spec("stable_baselines3"):
        raise NotApplicable("stable-baselines3 is not installed")
    num = 3
    for seat, name in enumerate(game.agents):
        others = co_players(game, seat)[-1]
        kwargs: dict[str, Any] = {"agent": name, "co_players": others, "max_episode_steps": LIMIT}
        rows = sb3_vec_env(game, num, seed=11, **kwargs)
        envs = vector_env(game, num, autoreset_mode=AutoresetMode.SAME_STEP, **kwargs)
        generator = np.random.default_rng(seat)
        assert np.array_equal(rows.reset(), envs.reset(seed=11)[0]), "first observation"
        for _ in range(2 * LIMIT):
            legal = envs.action_masks() if all_discrete(game) else None
            own = _own(game, seat, generator, legal, num)
            seen, paid, done, infos = rows.step(own)
            want = envs.step(own)
            assert np.array_equal(seen, want[0]), "SB3 observations differ"
            assert np.array_equal(paid, want[1].astype(np.float32)), "SB3 rewards differ"
            assert np.array_equal(done, want[2] | want[3]), "SB3 dones differ"
            for i in done.nonzero()[0]:
                last = want[4]["final_obs"][i]
                assert np.array_equal(infos[i]["terminal_observation"], last), "last observation"
                assert infos[i]["TimeLimit.truncated"] == bool(want[3][i]), "TimeLimit.truncated"
    _check_all_rows(game, num)


def _check_all_rows(game: Game[Any], num: int) -> None:
    for spaces in (game.action_spaces, game.observation_spaces):
        if any(space != spaces[0] for space in spaces):
            call = partial(sb3_vec_env, game, num, agents="all")
            _refuses(call, "agents='all' with seats whose spaces differ")
            return
    rows = sb3_vec_env(game, num, seed=4, agents="all", max_episode_steps=LIMIT)
    sim, generator = Simulator(game, num, LIMIT), np.random.default_rng(0)
    sim.reset(4)
    seen = rows.reset()
    for _ in range(2 * LIMIT):
        want = np.concatenate([sim.observe(i) for i in range(len(game.agents))])
        assert np.array_equal(seen, want.astype(seen.dtype)), "row must be agent * num_envs + copy"
        actions = random_actions(game, sim.state, generator)
        seen, paid, done, _ = rows.step(np.concatenate(list(actions)))
        rewards, terminated, truncated = sim.step(actions)
        assert np.array_equal(paid, rewards.reshape(-1).astype(np.float32)), "rewards of rows"
        assert np.array_equal(done, np.tile(terminated | truncated, len(game.agents))), "dones"
        if (over := (terminated | truncated).nonzero()[0]).size:
            sim.reset(index=over)


def check_ends(game: Game[Any]) -> None:
    """Every episode ends: by itself, or cut off exactly at the limit; never both at once."""
    for limit in (1, LIMIT, 200):
        env = parallel_env(game, max_cycles=limit)
        for seed in range(3):
            env.reset(seed=seed)
            generator = np.random.default_rng(seed)
            for t in range(1, limit + 1):
                _, _, ends, cuts, _ = env.step(_joint(game, env, generator))
                ended, cut = set(ends.values()), set(cuts.values())
                assert len(ended) == len(cut) == 1, "all agents end together"
                assert not (True in ended and True in cut), "both terminated and truncated"
                assert True not in cut or t == limit, f"truncated at {t}, before {limit}"
                if True in ended or True in cut:
                    break
            else:
                raise AssertionError(f"the episode goes on after {limit} periods")
            assert not env.agents, "agents must be empty when the episode is over"
    sim, generator = Simulator(game, 4), np.random.default_rng(0)
    sim.reset(0)
    for _ in range(30):
        _, _, truncated = sim.step(random_actions(game, sim.state, generator))
        assert not truncated.any(), "truncated without a limit"


def _joint(game: Game[Any], env: Any, generator: np.random.Generator) -> dict[str, Any]:
    own = random_actions(game, env.copy.row(), generator)
    return {name: own[i][0] for i, name in enumerate(game.agents)}


def _play(env: Any, game: Game[Any], seat: int, seed: int | None, generator: Any) -> list[Any]:
    """Return all that a single view gives during one episode."""
    log = [env.reset(seed=seed)]
    while True:
        legal = env.action_masks()[None] if isinstance(env.action_space, Discrete) else None
        log.append(env.step(_own(game, seat, generator, legal, 1)[0]))
        if log[-1][2] or log[-1][3]:
            return log


def check_seeds(game: Game[Any]) -> None:
    """The same seed gives the same episodes to their ends, and another reset a new one."""
    for seat, name in enumerate(game.agents):
        others = co_players(game, seat)[-1]
        runs = []
        for _ in range(2):
            env = make_env(game, agent=name, co_players=others, max_episode_steps=50)
            generator = np.random.default_rng(0)
            runs.append([_play(env, game, seat, s, generator) for s in (9, None, None, 9)])
        assert data_equivalence(runs[0], runs[1], exact=True), "the same seed played differently"
        start = [run[0][0] for run in runs[0]]
        assert np.array_equal(start[0], start[3]), "reset(seed=) must start as it did before"


def _arrays(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return [value, *(_arrays(list(value)) if value.dtype == object else [])]
    if isinstance(value, dict):
        return [value, *(a for v in value.values() for a in _arrays(v))]
    if isinstance(value, (tuple, list)):
        return [a for v in value for a in _arrays(v)]
    return []


def check_memory(game: Game[Any]) -> None:
    """No two calls hand out the same memory, and what a caller does to it has no effect."""
    seat = 0
    others = co_players(game, seat)[0]
    kwargs: dict[str, Any] = {"co_players": others, "max_episode_steps": 3}
    makers: list[Callable[[], Any]] = [
        partial(make_env, game, **kwargs),
        partial(vector_env, game, 4, autoreset_mode=_MODES[0], **kwargs),
        partial(vector_env, game, 4, autoreset_mode=_MODES[1], **kwargs),
        partial(vector_env, game, 4, autoreset_mode=_MODES[1], fused=False, **kwargs),
        partial(parallel_env, game, max_cycles=3),
        partial(parallel_env, game, max_cycles=3, flat=False),
    ]
    for make in makers:
        kept, spoilt = (_collect(make(), game, seat, spoil) for spoil in (False, True))
        groups = [[a for a in _arrays(call) if not isinstance(a, dict)] for call in kept]
        for i, group in enumerate(groups):
            for later in groups[i + 1 :]:
                shared = any(np.shares_memory(a, b) for a in group for b in later if a.size)
                assert not shared, "two calls returned the same memory"
        dicts = [id(a) for call in kept for a in _arrays(call) if isinstance(a, dict)]
        assert len(set(dicts)) == len(dicts), "two calls returned the same dictionary"
        assert [len(call) for call in kept] == [len(call) for call in spoilt]
        for a, b in zip(kept, spoilt, strict=True):
            same = repr(a[1]) == repr(b[1])
            assert same, "what a caller does to an array changes the game"


def _collect(env: Any, game: Game[Any], seat: int, spoil: bool) -> list[Any]:
    """Return what some calls return; with `spoil`, overwrite each before the next call."""
    generator = np.random.default_rng(0)
    calls: list[Any] = [env.reset(seed=0)]
    kept: list[Any] = []
    for _ in range(8):
        if hasattr(env, "possible_agents"):
            if not env.agents:
                calls.append(env.reset())
            calls.append(env.step(_joint(game, env, generator)))
        else:
            legal = None
            if isinstance(game.action_spaces[seat], Discrete):
                legal = np.atleast_2d(env.action_masks())
            num = getattr(env, "num_envs", None) or 1
            own = _own(game, seat, generator, legal, num)
            calls.append(env.step(own if hasattr(env, "num_envs") else own[0]))
            if not hasattr(env, "num_envs") and (calls[-1][2] or calls[-1][3]):
                calls.append(env.reset())
        if spoil:
            kept += pickle.loads(pickle.dumps(calls))
            for array in _arrays(calls):
                if isinstance(array, np.ndarray) and array.dtype != object:
                    array[...] = 0
            calls = []
    return kept if spoil else calls


def check_masks(game: Game[Any]) -> None:
    """Masks are int8, and every view refuses a masked action; without masks, none is shown."""
    masked = game.restricts_actions
    others = co_players(game, 0)[0]
    env = make_env(game, co_players=others)
    _, info = env.reset(seed=0)
    parallel = parallel_env(game)
    _, infos = parallel.reset(seed=0)
    assert ("action_mask" in info) == masked, "info['action_mask'] where actions can be illegal"
    if not masked:
        assert env.action_masks().all() if all_discrete(game) else True
        return
    assert info["action_mask"].dtype == np.int8, "action_mask must be int8"
    want = masks(game, parallel.copy.row())
    assert want is not None
    for i, name in enumerate(game.agents):
        mask = infos[name]["action_mask"]
        assert mask.dtype == np.int8, "action_mask must be int8"
        assert np.array_equal(mask, want[i][0]), f"mask of {name} is not the game's"
    for bad in (info["action_mask"] == 0).nonzero()[0]:
        _refuses(partial(env.step, int(bad)), "a masked action")
        envs = vector_env(game, 2, co_players=others)
        envs.reset(seed=0)
        _refuses(partial(envs.step, np.array([bad, bad])), "a masked action")


def _refuses(call: Callable[[], Any], what: str) -> None:
    try:
        call()
    except ValueError:
        return
    raise AssertionError(f"{what} was accepted")


def check_bad_actions(game: Game[Any]) -> None:
    """An action outside its space raises ValueError in every view."""
    space = game.action_spaces[0]
    if not isinstance(space, Discrete):
        raise NotApplicable("the actions are not discrete")
    others = co_players(game, 0)[0]
    env, envs = make_env(game, co_players=others), vector_env(game, 2, co_players=others)
    parallel = parallel_env(game)
    env.reset(seed=0)
    envs.reset(seed=0)
    parallel.reset(seed=0)
    for bad in (-1, int(space.n), 0.5, "0", None):
        joint = {  # too large for every agent, since it need not be the first that moves
            name: getattr(own, "n", bad) if bad == space.n else bad
            for name, own in zip(game.agents, game.action_spaces, strict=True)
        }
        _refuses(partial(env.step, bad), f"action {bad!r}")
        _refuses(partial(parallel.step, joint), f"action {bad!r}")
        for fused in (envs, vector_env(game, 2, co_players=others, fused=False)):
            fused.reset(seed=0)
            _refuses(partial(fused.step, np.array([0, bad])), f"action {bad!r}")
    _refuses(lambda: envs.step(np.zeros(3, np.int64)), "actions of the wrong shape")


def check_pickling(game: Game[Any]) -> None:
    """A view that is pickled in mid-episode goes on as the original."""
    for others in co_players(game, 0):
        kwargs: dict[str, Any] = {"co_players": others, "max_episode_steps": LIMIT}
        for env in (
            make_env(game, **kwargs),
            vector_env(game, 3, **kwargs),
            vector_env(game, 3, fused=False, **kwargs),
        ):
            env.reset(seed=2)
            generator, num = np.random.default_rng(2), getattr(env, "num_envs", None)
            copy = env
            for t in range(2 * LIMIT):
                if t == 1:
                    copy = pickle.loads(pickle.dumps(env))
                legal = None
                if isinstance(game.action_spaces[0], Discrete):
                    legal = np.atleast_2d(env.action_masks())
                rows = _own(game, 0, generator, legal, num or 1)
                own = rows if num else rows[0]
                got = env.step(own)
                if t:
                    same = data_equivalence(copy.step(own)[:4], got[:4], exact=True)
                    assert same, f"a pickled copy plays differently at step {t}"
                if num is None and (got[2] or got[3]):
                    env.reset()
                    if t:
                        copy.reset()
