"""Make every view of a registered game, or of a `Game` object, with co-players by name.

Co-players are policies, or names that `stratagem.players` resolves; a seat that nobody was
named for is played by the game's default co-player. Parameters of the game are keywords.
"""

from collections.abc import Mapping
from typing import Any

from stratagem.envs.adapters.gymnasium import LearnerEnv
from stratagem.envs.adapters.pettingzoo import GameAECEnv, GameParallelEnv
from stratagem.envs.adapters.vector import LearnerVectorEnv
from stratagem.envs.core import Game, Policy
from stratagem.envs.registry import find

from .players import player

CoPlayers = Mapping[str, Policy | str]
_DEFAULT_LIMIT = 1000


def build(env_id: str | Game[Any], params: Mapping[str, Any]) -> tuple[Game[Any], int]:
    """Return a game and the periods after which its views truncate.

    Raises:
        ValueError: If the id or a parameter is unknown or not allowed.
    """
    if isinstance(env_id, Game):
        if params:
            raise ValueError(f"a game that is built takes no parameters, got {sorted(params)}")
        return env_id, _DEFAULT_LIMIT
    spec = find(env_id)
    return spec.build(params), spec.max_episode_steps


def seated(game: Game[Any], agent: str | None, co_players: CoPlayers | None) -> dict[str, Policy]:
    """Return a policy for every agent but the learner.

    Raises:
        ValueError: If a name is unknown; the message lists the agents or the players.
    """
    given, learner = dict(co_players or {}), game.agents[0] if agent is None else agent
    if learner in given:
        raise ValueError(f"co_players has a policy for {learner!r}, which is the learner")
    unknown = [name for name in given if name not in game.agents]
    if unknown:
        raise ValueError(f"unknown co-player {unknown[0]!r}; agents are {', '.join(game.agents)}")
    return {
        name: player(given.get(name, game.default_co_player), game, seat)
        for seat, name in enumerate(game.agents)
        if name != learner
    }


def make_env(
    env_id: str | Game[Any],
    *,
    agent: str | None = None,
    co_players: CoPlayers | None = None,
    max_episode_steps: int | None = None,
    render_mode: str | None = None,
    **params: Any,
) -> LearnerEnv:
    """Return the Gymnasium view of one copy, which truncates by itself.

    Args:
        env_id: id with or without `stratagem/`, or a game.
        agent: who learns, by default the first agent.
        co_players: policies or names of policies by agent.
        max_episode_steps: periods before truncation; None: the registered number.
        render_mode: "ansi", "rgb_array" (a picture; extra `render`) or None.
        **params: parameters of the game.
    """
    game, limit = build(env_id, params)
    limit = limit if max_episode_steps is None else max_episode_steps
    others = seated(game, agent, co_players)
    return LearnerEnv(
        game, agent=agent, co_players=others, max_episode_steps=limit, render_mode=render_mode
    )


def gymnasium_entry(
    env_id: str,
    *,
    agent: str | None = None,
    co_players: CoPlayers | None = None,
    render_mode: str | None = None,
    **params: Any,
) -> LearnerEnv:
    """Return the view for `gymnasium.make`, whose `TimeLimit` truncates."""
    game, _ = build(env_id, params)
    return LearnerEnv(
        game, agent=agent, co_players=seated(game, agent, co_players), render_mode=render_mode
    )


def vector_env(
    env_id: str | Game[Any],
    num_envs: int = 1,
    *,
    agent: str | None = None,
    co_players: CoPlayers | None = None,
    max_episode_steps: int | None = None,
    autoreset_mode: Any = "NextStep",
    render_mode: str | None = None,
    fused: bool = True,
    **params: Any,
) -> LearnerVectorEnv:
    """Return the native Gymnasium vector view; see `make_env` and `LearnerVectorEnv`."""
    game, limit = build(env_id, params)
    return LearnerVectorEnv(
        game,
        num_envs=num_envs,
        agent=agent,
        co_players=seated(game, agent, co_players),
        max_episode_steps=limit if max_episode_steps is None else max_episode_steps,
        autoreset_mode=autoreset_mode,
        render_mode=render_mode,
        fused=fused,
    )


def parallel_env(
    env_id: str | Game[Any],
    *,
    max_cycles: int | None = None,
    flat: bool = True,
    render_mode: str | None = None,
    **params: Any,
) -> GameParallelEnv:
    """Return the PettingZoo view in which all agents act at once; see `GameParallelEnv`."""
    game, limit = build(env_id, params)
    cycles = limit if max_cycles is None else max_cycles
    return GameParallelEnv(game, max_cycles=cycles, flat=flat, render_mode=render_mode)


def aec_env(
    env_id: str | Game[Any],
    *,
    max_cycles: int | None = None,
    flat: bool = True,
    render_mode: str | None = None,
    **params: Any,
) -> GameAECEnv:
    """Return the PettingZoo view in which agents act one after another; see `GameAECEnv`."""
    game, limit = build(env_id, params)
    cycles = limit if max_cycles is None else max_cycles
    return GameAECEnv(game, max_cycles=cycles, flat=flat, render_mode=render_mode)


def sb3_vec_env(
    env_id: str | Game[Any],
    num_envs: int = 1,
    *,
    seed: int | None = None,
    agents: str = "one",
    agent: str | None = None,
    co_players: CoPlayers | None = None,
    max_episode_steps: int | None = None,
    render_mode: str | None = None,
    **params: Any,
) -> Any:
    """Return a native stable-baselines3 `VecEnv`.

    Args:
        env_id: id with or without `stratagem/`, or a game.
        num_envs: number of copies, B.
        seed: of the first reset; copy i is a single environment seeded `seed + i`.
        agents: "one": a row per copy, for one learner; "all": every seat is a row, row =
            agent * num_envs + copy, and the seats' spaces must be equal.
        agent: the learner if `agents` is "one".
        co_players: policies or names of policies by agent, if `agents` is "one".
        max_episode_steps: periods before truncation; None: the registered number.
        render_mode: "rgb_array" (a picture of each copy; extra `render`) or None.
        **params: parameters of the game.

    Raises:
        ImportError: If stable-baselines3 is not installed.
        ValueError: If an argument is not allowed.
    """
    if agents not in ("one", "all"):
        raise ValueError(f"agents must be 'one' or 'all', got {agents!r}")
    if agents == "all" and (agent is not None or co_players):
        raise ValueError("with agents='all' every seat is a row: give no agent or co_players")
    if num_envs < 1:
        raise ValueError(f"num_envs must be at least 1, got {num_envs}")
    try:
        from stratagem.envs.adapters.sb3 import AllSeatsVecEnv, LearnerVecEnv
    except ImportError as error:
        raise ImportError(
            'sb3_vec_env needs stable-baselines3: pip install "stratagem[sb3]"'
        ) from error
    game, limit = build(env_id, params)
    limit = limit if max_episode_steps is None else max_episode_steps
    if agents == "all":
        return AllSeatsVecEnv(
            game, num_envs, seed=seed, max_episode_steps=limit, render_mode=render_mode
        )
    others = seated(game, agent, co_players)
    return LearnerVecEnv(
        game,
        num_envs,
        seed=seed,
        agent=agent,
        co_players=others,
        max_episode_steps=limit,
        render_mode=render_mode,
    )
