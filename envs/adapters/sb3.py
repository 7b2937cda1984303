"""The stable-baselines3 view: a native, seedable `VecEnv`. Needs the extra `sb3`."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from ..core import Array, Bools, Game, Policy
from ..rendering.film import FRAMES_PER_SECOND, Films, check_mode
from .engines import Native, many_copies
from .vector import LearnerVectorEnv


class LearnerVecEnv(VecEnv):
    """One learner in `num_envs` copies; the other seats follow policies.

    Args:
        game: the game.
        num_envs: number of copies.
        seed: of the first reset; copy i is a `LearnerEnv` seeded `seed + i`. None: random.
        agent: who learns, by default the first agent.
        co_players: a policy for every other agent, by name.
        max_episode_steps: periods before truncation, None for no limit.
        render_mode: "rgb_array", a picture of each copy, or None.
    """

    def __init__(
        self,
        game: Game[Any],
        num_envs: int,
        *,
        seed: int | None = None,
        agent: str | None = None,
        co_players: Mapping[str, Policy] | None = None,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_mode(render_mode, ["rgb_array"])
        self.envs = LearnerVectorEnv(
            game,
            num_envs=num_envs,
            agent=agent,
            co_players=co_players,
            max_episode_steps=max_episode_steps,
            autoreset_mode="SameStep",
            render_mode=render_mode,
        )
        self.game, self.render_mode, self._next_seed = game, render_mode, seed
        space = self.envs.single_observation_space
        super().__init__(num_envs, space, self.envs.single_action_space)
        self.metadata["render_fps"] = FRAMES_PER_SECOND  # type: ignore[assignment]

    @override
    def reset(self) -> Array:
        seed, self._next_seed = self._next_seed, None
        observed, infos = self.envs.reset(seed=seed)
        self.reset_infos = _per_copy(infos, self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return observed

    @override
    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset; copy i gets `seed + i`."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._next_seed = seed
        return [seed + i for i in range(self.num_envs)]

    @override
    def step_async(self, actions: Array) -> None:
        self._actions = actions

    @override
    def step_wait(self) -> tuple[Array, Array, Bools, list[dict[str, Any]]]:
        observed, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        finals, final_infos = infos.pop("final_obs", None), infos.pop("final_info", {})
        about = _per_copy(infos, self.num_envs)
        done = terminated | truncated
        for i in done.nonzero()[0].tolist():
            self.reset_infos[i] = about[i].copy()
            about[i] |= {key: v[i] for key, v in final_infos.items() if not key.startswith("_")}
            about[i]["terminal_observation"] = finals[i]
            about[i]["TimeLimit.truncated"] = bool(truncated[i])
        return observed, rewards.astype(np.float32), done, about

    def action_masks(self) -> Bools:
        """Return which actions are legal in each copy, (num_envs, n)."""
        return self.envs.action_masks()

    @override
    def close(self) -> None:
        pass

    @override
    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    @override
    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        setattr(self, attr_name, value)

    @override
    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        found = getattr(self, method_name)(*method_args, **method_kwargs)
        if method_name == "action_masks":
            return [found[i] for i in self._get_indices(indices)]
        return [found for _ in self._get_indices(indices)]

    @override
    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]

    @override
    def get_images(self) -> Sequence[Any]:
        return self.envs.render() or ()


def _per_copy(infos: Mapping[str, Any], num: int) -> list[dict[str, Any]]:
    shown = {k: v for k, v in infos.items() if not k.startswith("_")}
    return [{k: v[i] for k, v in shown.items()} for i in range(num)]


class AllSeatsVecEnv(LearnerVecEnv):
    """Every seat of `num_envs` copies is a row: row = agent * num_envs + copy.

    All seats are the learner's, so their spaces must be equal. A seat that does not move
    takes part with its one legal action, 0.

    Args:
        game: the game.
        num_envs: number of copies, B; the view has N B rows.
        seed: of the first reset; copy i is a single game seeded `seed + i`. None: random.
        max_episode_steps: periods before truncation, None for no limit.
        render_mode: "rgb_array", a picture of each copy, or None.

    Raises:
        ValueError: If the seats' spaces differ.
    """

    def __init__(
        self,
        game: Game[Any],
        num_envs: int,
        *,
        seed: int | None = None,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_mode(render_mode, ["rgb_array"])
        for what, spaces in (
            ("action", game.action_spaces),
            ("observation", game.observation_spaces),
        ):
            if any(space != spaces[0] for space in spaces):
                raise ValueError(
                    f"agents='all' needs seats with equal spaces; {what} spaces are {spaces}"
                )
        self.sim = many_copies(game, num_envs, max_episode_steps)
        self.films = None if render_mode is None else Films(game, num_envs)
        self.game, self.render_mode, self._next_seed = game, render_mode, seed
        self.num_copies, self._seeded = num_envs, False
        self._encode = Native(game.observation_spaces[0])
        self._masked = game.restricts_actions
        # Copies, since a space holds the generator that `sample` draws from.
        seen, done = deepcopy(game.observation_spaces[0]), deepcopy(game.action_spaces[0])
        VecEnv.__init__(self, num_envs * len(game.agents), seen, done)
        self.metadata["render_fps"] = FRAMES_PER_SECOND  # type: ignore[assignment]

    @override
    def reset(self) -> Array:
        seed, self._next_seed = self._next_seed, None
        if seed is None and not self._seeded:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._seeded = True
        self.sim.reset(seed)
        if self.films is not None:
            self.films.start(None, seeded=seed is not None)
        self.reset_infos = self._about()
        self._reset_seeds()
        self._reset_options()
        return self._rows()

    @override
    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset; copy i gets `seed + i` in each of its rows."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._next_seed = seed
        return [seed + row % self.num_copies for row in range(self.num_envs)]

    @override
    def step_wait(self) -> tuple[Array, Array, Bools, list[dict[str, Any]]]:
        if not self._seeded:
            raise ResetNeeded("call reset before the first step")
        num = len(self.game.agents)
        joint = self._checked().reshape(num, self.num_copies, *(self.action_space.shape or ()))
        movers = None if self.films is None else self.sim.movers()
        rewards, terminated, truncated = self.sim.step(self.sim.gather(list(joint)))
        if self.films is not None:
            self.films.add(list(joint), rewards, movers, None)
        about, over = self._about(), (terminated | truncated).nonzero()[0]
        done = np.tile(terminated | truncated, num)
        if over.size:
            last = self._rows()
            self.sim.reset(index=over)
            if self.films is not None:
                self.films.start(over, seeded=False)
            fresh = self._about()
            for row in done.nonzero()[0].tolist():
                about[row]["terminal_observation"] = last[row].copy()
                about[row]["TimeLimit.truncated"] = bool(truncated[row % self.num_copies])
                self.reset_infos[row] = fresh[row]
        return self._rows(), rewards.reshape(-1).astype(np.float32), done, about

    @override
    def get_images(self) -> Sequence[Any]:
        return () if self.films is None else self.films.show(self.sim, self.render_mode)

    def _checked(self) -> Array:
        """Return the rows' actions, (N B, ...)."""
        rows, space = np.asarray(self._actions), self.action_space
        wrong = rows.shape != (self.num_envs, *(space.shape or ()))
        if isinstance(space, Discrete) and not wrong:
            wrong = rows.dtype.kind not in "iu" or ((rows < 0) | (rows >= space.n)).any()
        if wrong:
            raise ValueError(
                f"actions must be {self.num_envs}, one per row, of {space}, got {rows.tolist()}"
            )
        if self._masked:
            legal = self.action_masks()[np.arange(self.num_envs), rows]
            if not legal.all():
                raise ValueError(f"actions of rows {(~legal).nonzero()[0].tolist()} are masked")
        return rows

    @override
    def action_masks(self) -> Bools:
        """Return which actions are legal in each row, (N B, n)."""
        masks = self.sim.masks()
        if masks is None:
            n: int = self.action_space.n  # type: ignore[attr-defined]
            return np.ones((self.num_envs, n), np.bool_)
        return np.concatenate(masks)

    def _rows(self) -> Array:
        seats = range(len(self.game.agents))
        return np.concatenate([self._encode(self.sim.observe(seat)) for seat in seats])

    def _about(self) -> list[dict[str, Any]]:
        if not self._masked:
            return [{} for _ in range(self.num_envs)]
        return [{"action_mask": mask} for mask in self.action_masks().astype(np.int8)]
