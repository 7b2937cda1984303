"""The PettingZoo views: every agent in the caller's hands, at once or one after another."""

import sys
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import AgentSelector
from typing_extensions import override

from ..core import Array, Game
from ..rendering.film import FRAMES_PER_SECOND, Film, check_mode
from ..spaces import flat_space, flatten
from .engines import Encoder, Native, action_error, one_copy, whole


class GameParallelEnv(ParallelEnv[str, Any, Any]):
    """One copy of a game; a seat that does not move takes any action, which is ignored.

    Args:
        game: the game.
        max_cycles: periods before truncation, None for no limit.
        flat: observe float32 vectors of one size for all agents, as parameter sharing and
            most libraries need, or what the game declares.
        render_mode: "ansi", "human" (prints), "rgb_array" or None.
    """

    def __init__(
        self,
        game: Game[Any],
        *,
        max_cycles: int | None = None,
        flat: bool = True,
        render_mode: str | None = None,
    ) -> None:
        if max_cycles is not None and max_cycles < 1:
            raise ValueError(f"max_cycles must be at least 1, got {max_cycles}")
        self.metadata: dict[str, Any] = {
            "name": type(game).__name__,
            "render_modes": ["ansi", "human", "rgb_array"],
            "render_fps": FRAMES_PER_SECOND,
            "is_parallelizable": True,
        }
        check_mode(render_mode, self.metadata["render_modes"])
        spaces = game.observation_spaces
        flats = [flat_space(space) for space in spaces]
        if flat:
            # at least 2: the checkers take a single number for a mistake
            width = max(2, *(box.shape[0] for box in flats))
            encoders: list[Encoder] = [partial(flatten, space, width=width) for space in spaces]
            spaces = tuple(flat_space(space, width) for space in spaces)
        else:
            encoders = [Native(space) for space in spaces]
        self.copy = one_copy(game, encoders)
        self.possible_agents = list(game.agents)
        self.agents: list[str] = []
        # Copies, since a space holds the generator that `sample` draws from.
        own = deepcopy((spaces, game.action_spaces))
        self.observation_spaces = dict(zip(game.agents, own[0], strict=True))
        self.action_spaces = dict(zip(game.agents, own[1], strict=True))
        low, high = (np.concatenate([getattr(b, k) for b in flats]) for k in ("low", "high"))
        self.state_space = Box(low, high, dtype=np.float32)
        self.max_cycles = float("inf") if max_cycles is None else max_cycles
        self.game, self.render_mode, self.seeded, self.started = game, render_mode, False, False
        self.film = None if render_mode is None else Film(game)
        self._masked = game.restricts_actions

    @override
    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    @override
    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    @override
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        if seed is None and not self.seeded:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self.seeded = self.started = True
        self.copy.reset(seed)
        if self.film is not None:
            self.film.start(seeded=seed is not None)
        self.agents = self.possible_agents[:]
        return self._observations(), self._infos()

    @override
    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        agents = self.agents
        if not agents:
            why = "the episode is over: call reset" if self.started else "call reset"
            raise RuntimeError(f"{why} before the next step")
        joint, movers = self._joint(actions), self.copy.movers()
        rewards, terminated = self.copy.step(joint)
        if self.film is not None:
            self.film.add(joint, rewards, None if movers is None else movers[:, 0])
        truncated = bool(self.copy.steps >= self.max_cycles and not terminated)
        observations, infos = self._observations(), self._infos()
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict(zip(agents, rewards, strict=True)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            infos,
        )

    def _joint(self, actions: dict[str, Any]) -> tuple[Any, ...]:
        for name in actions:
            if name not in self.possible_agents:
                known = ", ".join(self.possible_agents)
                raise ValueError(f"unknown agent {name!r} in actions; agents are {known}")
        movers, masks = self.copy.movers(), self.copy.masks()
        joint: list[Any] = []
        for i, (name, space) in enumerate(self.action_spaces.items()):
            if movers is not None and not movers[i, 0]:
                joint.append(0)
                continue
            if name not in actions:
                raise ValueError(f"actions must have one for {name!r}, got {sorted(actions)}")
            action, what = actions[name], f"action of {name!r}"
            if isinstance(space, Discrete):
                action = whole(action, space, what)
            elif not space.contains(action):
                raise action_error(what, action, space)
            if masks is not None and not masks[i][0, action]:
                legal = masks[i][0].nonzero()[0].tolist()
                raise ValueError(f"{what} {action!r} is masked; legal are {legal}")
            joint.append(action)
        return tuple(joint)

    @override
    def state(self) -> Any:
        """Return every agent's flat observation, one after another, float32."""
        spaces = enumerate(self.game.observation_spaces)
        return np.concatenate([flatten(s, self.copy.observe(i))[0] for i, s in spaces])

    @override
    def render(self) -> str | Array | None:
        if not self.started:
            raise RuntimeError("call reset before render")
        if self.film is None:
            return None
        if self.render_mode == "human":
            print(self.film.text(self.copy.row(), colours=sys.stdout.isatty()))
            return None
        return self.film.show(self.copy.row(), self.render_mode)

    @override
    def close(self) -> None:
        pass

    def _observations(self) -> dict[str, Any]:
        return {a: self.copy.observation(i) for i, a in enumerate(self.agents)}

    def _infos(self) -> dict[str, dict[str, Any]]:
        masks = self.copy.masks() if self._masked else None
        if masks is None:
            return {a: {} for a in self.agents}
        rows = zip(self.agents, masks, strict=True)
        return {a: {"action_mask": mask[0].astype(np.int8)} for a, mask in rows}


class GameAECEnv(AECEnv[str, Any, Any]):
    """Agent after agent; within a period only those who move, and the last one plays it.

    Args:
        game: the game.
        max_cycles: periods before truncation, None for no limit.
        flat: see `GameParallelEnv`.
        render_mode: "ansi", "human" (prints) or None.
    """

    def __init__(self, game: Game[Any], **kwargs: Any) -> None:
        super().__init__()
        self.parallel = GameParallelEnv(game, **kwargs)
        self.metadata = self.parallel.metadata
        self.possible_agents = self.parallel.possible_agents
        self.observation_spaces = self.parallel.observation_spaces
        self.action_spaces = self.parallel.action_spaces
        self.state_space = self.parallel.state_space
        self.render_mode = self.parallel.render_mode
        self.game = game
        self.agents: list[str] = []

    @property
    def max_cycles(self) -> float:
        """Periods before truncation."""
        return self.parallel.max_cycles

    @override
    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    @override
    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        _, self.infos = self.parallel.reset(seed, options)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._begin()

    def _begin(self) -> None:
        """Begin a period: line up those who move."""
        movers = self.parallel.copy.movers()
        turn = [a for i, a in enumerate(self.agents) if movers is None or movers[i, 0]]
        self._chosen: dict[str, Any] = {}
        self._selector = AgentSelector(turn)
        self.agent_selection = self._selector.reset()

    @override
    def observe(self, agent: str) -> Any:
        return self.parallel.copy.observation(self.possible_agents.index(agent))

    @override
    def step(self, action: Any) -> None:
        if not self.agents:
            raise RuntimeError("the episode is over, or has not begun: call reset")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        space = self.action_spaces[agent]
        if isinstance(space, Discrete):
            action = whole(action, space, f"action of {agent!r}")
        mask = self.infos[agent].get("action_mask")
        if mask is not None and not mask[action]:
            raise ValueError(f"action {action!r} of {agent!r} is masked; mask is {mask.tolist()}")
        self._chosen[agent] = action
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        if not self._selector.is_last():
            self.agent_selection = self._selector.next()
            return
        _, self.rewards, self.terminations, self.truncations, self.infos = self.parallel.step(
            self._chosen
        )
        self._accumulate_rewards()
        if self.parallel.agents:
            self._begin()
        else:
            self.agent_selection = self.agents[0]

    @override
    def state(self) -> Any:
        """Return every agent's flat observation, one after another, float32."""
        return self.parallel.state()

    @override
    def render(self) -> str | Array | None:
        return self.parallel.render()

    @override
    def close(self) -> None:
        pass
