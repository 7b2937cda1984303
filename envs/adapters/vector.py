"""The native Gymnasium vector view: many copies, one learner, policies in the other seats."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from typing_extensions import override

from ..core import Array, Bools, Floats, Game, Ints, Policy
from ..lookup import TableSimulator
from ..rendering.film import FRAMES_PER_SECOND, Films, check_mode
from .engines import Native, TablePlayer, action_error, folds, many_copies, seat_player, seats


class LearnerVectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """`num_envs` copies stepped at once; copy i seeded s is a `LearnerEnv` seeded s + i.

    With numba installed, a finite game against deterministic reactive co-players is stepped
    by one compiled call (`fused`), with the same results.

    Args:
        game: the game.
        num_envs: number of copies, B.
        agent: who learns, by default the first agent.
        co_players: a policy for every other agent, by name.
        max_episode_steps: periods before truncation, None for no limit.
        autoreset_mode: NEXT_STEP or SAME_STEP.
        render_mode: "ansi" or "rgb_array", of every copy; or None.
        fused: whether to use the compiled kernel where it applies.
    """

    def __init__(
        self,
        game: Game[Any],
        *,
        num_envs: int = 1,
        agent: str | None = None,
        co_players: Mapping[str, Policy] | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        fused: bool = True,
    ) -> None:
        self.mode = AutoresetMode(autoreset_mode)
        if self.mode is AutoresetMode.DISABLED:
            raise ValueError(f"autoreset_mode must be NEXT_STEP or SAME_STEP, got {autoreset_mode}")
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.metadata: dict[str, Any] = {
            "autoreset_mode": self.mode,
            "render_modes": ["ansi", "rgb_array"],
            "render_fps": FRAMES_PER_SECOND,
        }
        check_mode(render_mode, self.metadata["render_modes"])
        self.game, self.render_mode = game, render_mode
        self.films = None if render_mode is None else Films(game, num_envs)
        self.seat, policies = seats(game, agent, co_players or {})
        self.num_envs, self.seeded, self.started = num_envs, False, False
        self.sim = many_copies(game, num_envs, max_episode_steps)
        self.others = [seat_player(policy, i, self.sim) for i, policy in policies.items()]
        self.single_action_space = deepcopy(game.action_spaces[self.seat])
        self.single_observation_space = deepcopy(game.observation_spaces[self.seat])
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        space = self.single_action_space
        self._num_actions = int(space.n) if isinstance(space, Discrete) else None
        self._encode = Native(self.single_observation_space)
        self._waits, self._masked = game.takes_turns, game.restricts_actions
        self._carried = np.zeros(num_envs)  # paid before the first move of the episode
        self._late: Ints = np.array([], np.int64)  # these copies spend the next step on a reset
        # A film has every seat's actions, which the kernel does not tell.
        fuses = fused and self.films is None and folds(self.others, self.sim)
        self.kernel: Any = self._fuse() if fuses else None

    def _fuse(self) -> Any:
        if not isinstance(self.sim, TableSimulator):
            return None
        try:
            from ..kernels.fused import FusedSteps
        except ImportError:  # numba is an optional extra
            return None
        others = {p.seat: p.rows for p in self.others if isinstance(p, TablePlayer)}
        same_step = self.mode is AutoresetMode.SAME_STEP
        return FusedSteps(self.sim, self.seat, others, self._encode, same_step)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        fresh = seed is not None or not self.seeded
        if seed is None and not self.seeded:
            seed = int(self.np_random.integers(2**63))
        self.seeded = self.started = True
        self._late = np.array([], np.int64)
        if self.kernel is not None:
            self.kernel.reset(seed)
            return self.kernel.observe(), {}
        periods = self._start(seed, None, fresh=fresh)
        return self._own(), self._infos(periods)

    @override
    def step(self, actions: Array) -> tuple[Array, Floats, Bools, Bools, dict[str, Any]]:
        if not self.started:
            raise gymnasium.error.ResetNeeded("call reset before the first step")
        own = self._checked(actions)
        if self.kernel is not None:
            return self._step_fused(own)
        late = self._late
        live = np.delete(np.arange(self.num_envs), late) if late.size else None
        if self._masked:
            self._check_masks(own, live)
        reward, terminated, truncated, periods = self._period(own, live)
        if self._waits:
            at = slice(None) if live is None else live
            reward[at] += self._carried[at]
            self._carried[at] = 0.0
        if self._waits:
            self._wait(live, reward, terminated, truncated, periods)
        if late.size:
            periods[late] = self._start(None, late)[late]
        over = (terminated | truncated).nonzero()[0]
        if self.mode is AutoresetMode.NEXT_STEP:
            self._late = over
            return self._own(), reward, terminated, truncated, self._infos(periods)
        infos: dict[str, Any] = {}
        if over.size:
            infos = self._finals(over, self._own()[over], terminated | truncated, periods)
            periods[over] = self._start(None, over)[over]
        return self._own(), reward, terminated, truncated, infos | self._infos(periods)

    def _step_fused(self, own: Ints) -> tuple[Array, Floats, Bools, Bools, dict[str, Any]]:
        observed, reward, terminated, truncated, ended = self.kernel.step(own)
        infos: dict[str, Any] = {}
        if ended and self.mode is AutoresetMode.SAME_STEP:
            over = (terminated | truncated).nonzero()[0]
            infos = self._finals(over, self.kernel.finals(over), terminated | truncated, None)
        return observed, reward, terminated, truncated, infos

    def _checked(self, actions: Array) -> Array:
        own = np.asarray(actions)
        if self._num_actions is None:
            if own.shape != self.action_space.shape:
                raise action_error("actions", actions, self.action_space)
            return own
        if own.shape != (self.num_envs,) or own.dtype.kind not in "iu":
            raise action_error("actions", actions, self.action_space)
        if own.dtype != np.int64:
            own = own.astype(np.int64)
        if int(np.maximum.reduce(own.view(np.uint64))) >= self._num_actions:
            raise action_error("actions", actions, self.action_space)
        return own

    def _check_masks(self, own: Ints, live: Ints | None) -> None:
        legal = self.action_masks()[np.arange(self.num_envs), own]
        bad = ~legal if live is None else ~legal[live]
        if bad.any():
            copies = bad.nonzero()[0] if live is None else live[bad]
            raise ValueError(f"actions of copies {copies.tolist()} are masked, got {own.tolist()}")

    def action_masks(self) -> Bools:
        """Return which actions are legal in each copy, (B, n)."""
        masks = self.sim.masks()
        if masks is None:
            return np.ones((self.num_envs, self._num_actions or 1), np.bool_)
        return masks[self.seat].copy()

    def _advance(self, own: Array, index: Ints | None) -> tuple[Floats, Bools, Bools]:
        joint: list[Array] = [own] * (len(self.others) + 1)
        for player in self.others:
            joint[player.seat] = player.act(self.sim, index)
        movers = None if self.films is None else self.sim.movers()
        rewards, terminated, truncated = self.sim.step(self.sim.gather(joint), index)
        if self.films is not None:
            self.films.add(joint, rewards, movers, index)
        for player in self.others:
            player.learn(self.sim, rewards, terminated, truncated, index)
        return rewards[self.seat], terminated, truncated

    def _period(self, own: Array, live: Ints | None) -> tuple[Floats, Bools, Bools, Ints]:
        """Play one period in the copies at `live`, or in all; the others stand still."""
        if live is None:
            reward, terminated, truncated = self._advance(own, None)
            periods = np.ones(self.num_envs, np.int64)
            return reward.copy(), terminated.copy(), truncated, periods
        reward, terminated = np.zeros(self.num_envs), np.zeros(self.num_envs, np.bool_)
        truncated, periods = terminated.copy(), np.zeros(self.num_envs, np.int64)
        if live.size:
            reward[live], terminated[live], truncated[live] = self._advance(own[live], live)
            periods[live] = 1
        return reward, terminated, truncated, periods

    def _wait(
        self,
        live: Ints | None,
        reward: Floats,
        terminated: Bools,
        truncated: Bools,
        periods: Ints,
    ) -> None:
        """Go on in each live copy until the learner's seat moves or the episode ends."""
        waiting = np.zeros(self.num_envs, np.bool_)
        waiting[slice(None) if live is None else live] = True
        while True:
            movers = self.sim.movers()
            waiting &= ~(terminated | truncated)
            if movers is not None:
                waiting &= ~movers[self.seat]
            index = waiting.nonzero()[0]
            if not index.size or movers is None:
                return
            more, ends, cut = self._advance(np.zeros(index.size, np.int64), index)
            reward[index] += more
            terminated[index], truncated[index] = ends, cut
            periods[index] += 1

    def _start(self, seed: int | None, index: Ints | None, *, fresh: bool = False) -> Ints:
        """Reset the copies at `index`, or all; return the periods passed before a move, (B,)."""
        self.sim.reset(seed, index)
        for player in self.others:
            player.start(self.sim, index, seeded=fresh)
        if self.films is not None:
            self.films.start(index, seeded=fresh)
        periods = np.zeros(self.num_envs, np.int64)
        if self._waits:
            never = np.zeros(self.num_envs, np.bool_)
            self._carried[slice(None) if index is None else index] = 0.0
            self._wait(index, self._carried, never, never.copy(), periods)
        return periods

    def _finals(
        self, over: Ints, last: Array, flags: Bools, periods: Ints | None
    ) -> dict[str, Any]:
        final = np.full(self.num_envs, None, object)
        for i, row in zip(over.tolist(), last, strict=True):
            final[i] = row.copy()
        found: dict[str, Any] = {"final_obs": final, "_final_obs": flags.copy()}
        about: dict[str, Any] = {}
        if self._masked and periods is not None:
            about = self._infos(periods, flags)
        return found | {"final_info": about, "_final_info": flags.copy()}

    def _infos(self, periods: Ints, at: Bools | None = None) -> dict[str, Any]:
        if not self._masked:
            return {}
        given = np.ones(self.num_envs, np.bool_) if at is None else at
        infos: dict[str, Any] = {"action_mask": self.action_masks().astype(np.int8)}
        infos["_action_mask"] = given.copy()
        if self._waits:
            infos |= {"periods": periods.copy(), "_periods": given.copy()}
        return infos

    def _own(self) -> Array:
        return self._encode(self.sim.observe(self.seat))

    @override
    def render(self) -> tuple[str | Array, ...] | None:
        if not self.started:
            raise gymnasium.error.ResetNeeded("call reset before render")
        return None if self.films is None else self.films.show(self.sim, self.render_mode)
