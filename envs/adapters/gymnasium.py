"""The Gymnasium view: one copy, one learner, policies in the other seats."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from typing_extensions import override

from ..core import Array, Bools, Game, Policy
from ..rendering.film import FRAMES_PER_SECOND, Film, check_mode
from .engines import (
    FiniteCopy,
    Native,
    TablePlayer,
    action_error,
    folds,
    one_copy,
    own_lookup,
    seat_player,
    seats,
    whole,
)

_INTEGERS = frozenset({int, np.int64, np.int32, np.int16, np.int8, np.uint8})


class LearnerEnv(gymnasium.Env[Any, Any]):
    """One copy of a game for one learner; the co-players follow policies.

    Where seats take turns, the view goes on until the learner's seat moves or the episode
    ends; the reward is the sum over those periods, and `info["periods"]` their number. What is
    paid before the seat's first move comes with that move.
    Where actions can be illegal, `info["action_mask"]` is int8.

    Args:
        game: the game.
        agent: who learns, by default the first agent.
        co_players: a policy for every other agent, by name.
        max_episode_steps: periods before truncation, None for no limit.
        render_mode: "ansi", "rgb_array" or None.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": FRAMES_PER_SECOND,
    }

    def __init__(
        self,
        game: Game[Any],
        *,
        agent: str | None = None,
        co_players: Mapping[str, Policy] | None = None,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if max_episode_steps is not None and max_episode_steps < 1:
            raise ValueError(f"max_episode_steps must be at least 1, got {max_episode_steps}")
        check_mode(render_mode, self.metadata["render_modes"])
        self.seat, policies = seats(game, agent, co_players or {})
        self.game, self.render_mode, self.seeded = game, render_mode, False
        self.film = None if render_mode is None else Film(game)
        self.max_episode_steps = float("inf") if max_episode_steps is None else max_episode_steps
        # Copies, since a space holds the generator that `sample` draws from.
        self.action_space = deepcopy(game.action_spaces[self.seat])
        self.observation_space = deepcopy(game.observation_spaces[self.seat])
        self.copy = one_copy(game, [Native(space) for space in game.observation_spaces])
        self.others = [seat_player(policy, i, self.copy) for i, policy in policies.items()]
        self._whole = isinstance(self.action_space, Discrete)
        # A film has every seat's actions, which a folded look-up does not tell.
        self._folded = self.film is None and folds(self.others, self.copy)
        if self._folded and isinstance(self.copy, FiniteCopy):
            tables = [player for player in self.others if isinstance(player, TablePlayer)]
            self.copy.use(own_lookup(self.copy.table, self.seat, tables))
        self._learning = any(player.learns for player in self.others)
        self._masked = game.restricts_actions
        self._carried = 0.0  # paid before the first move of the episode
        self.over: bool | None = None  # None before the first reset

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        fresh = seed is not None or not self.seeded
        if seed is None and not self.seeded:
            seed = int(self.np_random.integers(2**63))
        self.seeded = True
        self.copy.reset(seed)
        for player in self.others:
            player.start(self.copy, seeded=fresh)
        if self.film is not None:
            self.film.start(seeded=fresh)
        self.over = False
        if not self._masked:
            return self.copy.observation(self.seat), {}
        periods, self._carried, terminated, truncated = self._wait()
        if terminated or truncated:
            raise RuntimeError(f"an episode of {self.game!r} ended before the agent could move")
        return self.copy.observation(self.seat), self._info(periods)

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.over is not False:
            self._refuse_step()
        copy = self.copy
        if self._folded:
            if action.__class__ not in _INTEGERS:
                action = whole(action, self.action_space)  # type: ignore[arg-type]
            try:
                rewards, terminated = copy.step(action)
            except KeyError:
                raise action_error("action", action, self.action_space) from None
            truncated = copy.steps >= self.max_episode_steps and not terminated
            self.over = terminated or truncated
            return copy.observation(self.seat), rewards[self.seat], terminated, truncated, {}
        own = whole(action, self.action_space) if self._whole else action  # type: ignore[arg-type]
        if self._masked and (mask := self.action_masks()) is not None and not mask[own]:
            raise ValueError(f"action {action!r} is masked; legal are {mask.nonzero()[0].tolist()}")
        reward, terminated, truncated = self._play(own)
        info: dict[str, Any] = {}
        if self._masked:
            periods, more, terminated, truncated = self._wait(terminated, truncated)
            reward, info = self._carried + reward + more, self._info(periods + 1)
            self._carried = 0.0
        self.over = terminated or truncated
        return copy.observation(self.seat), reward, terminated, truncated, info

    def action_masks(self) -> Bools:
        """Return which actions are legal, (n,), as sb3-contrib asks for it."""
        masks = self.copy.masks()
        if masks is None:
            return np.ones(self.action_space.n, np.bool_)  # type: ignore[attr-defined]
        return np.array(masks[self.seat][0])

    def _refuse_step(self) -> None:
        if self.over is None:
            raise gymnasium.error.ResetNeeded("call reset before the first step")
        raise RuntimeError("the episode is over: call reset before the next step")

    def _play(self, own: Any) -> tuple[float, bool, bool]:
        copy, joint = self.copy, [own] * (len(self.others) + 1)
        movers = None if self.film is None else copy.movers()
        for player in self.others:
            joint[player.seat] = player.act_once(copy)
        try:
            rewards, terminated = copy.step(tuple(joint))
        except KeyError:
            raise action_error(
                "action", joint, gymnasium.spaces.Tuple(self.game.action_spaces)
            ) from None
        truncated = copy.steps >= self.max_episode_steps and not terminated
        if self.film is not None:
            self.film.add(joint, rewards, None if movers is None else movers[:, 0])
        if self._learning:
            paid = np.array(rewards)[:, None]
            for player in self.others:
                player.learn(copy, paid, np.array([terminated]), np.array([truncated]))
        return rewards[self.seat], terminated, truncated

    def _wait(
        self, terminated: bool = False, truncated: bool = False
    ) -> tuple[int, float, bool, bool]:
        """Play until the learner's seat moves or the episode ends; return what was passed."""
        periods, total = 0, 0.0
        while not (terminated or truncated):
            movers = self.copy.movers()
            if movers is None or movers[self.seat, 0]:
                break
            reward, terminated, truncated = self._play(0)
            periods, total = periods + 1, total + reward
        return periods, total, terminated, truncated

    def _info(self, periods: int) -> dict[str, Any]:
        info: dict[str, Any] = {"action_mask": self.action_masks().astype(np.int8)}
        if self.copy.waits:
            info["periods"] = periods
        return info

    @override
    def render(self) -> str | Array | None:
        if self.over is None:
            raise gymnasium.error.ResetNeeded("call reset before render")
        if self.film is None:
            return None
        return self.film.show(self.copy.row(), self.render_mode)
