"""PPO, A2C, DQN and MaskablePPO as agents: trained on our vector views, then frozen.

Sources:
- J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov (2017), *Proximal policy
  optimization algorithms*, arXiv:1707.06347.
- V. Mnih et al. (2016), *Asynchronous methods for deep reinforcement learning*, ICML. A2C is its
  synchronous form.
- V. Mnih et al. (2015), *Human-level control through deep reinforcement learning*, Nature 518.
- S. Huang and S. Ontanon (2022), *A closer look at invalid action masking in policy gradient
  algorithms*, FLAIRS 35. MaskablePPO.
- A. Raffin et al. (2021), *Stable-Baselines3: reliable reinforcement learning implementations*,
  JMLR 22(268). The implementations.
"""

import inspect
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from stratagem.envs.core import Floats, Game, Memory, Policy

from .backend import algorithm_class, alone
from .policy import SB3Policy

OWN = ("env", "policy", "gamma", "seed", "device", "_init_setup_model")
"""What an `SB3Trainer` says to the algorithm by itself."""


@dataclass(frozen=True, kw_only=True)
class SB3Trainer:
    """An algorithm with its hyper-parameters; equal trainers of several seats share one network.

    It is no policy before `fit`, and says so where it is asked to play.

    Attributes:
        algorithm: one of PPO, A2C, DQN and MaskablePPO.
        num_envs: copies of the game that are played at once, at least 1.
        discount: gamma, in [0, 1].
        deterministic: how the frozen policy plays, see `SB3Policy`.
        device: torch's, such as "cpu".
        options: other keyword arguments of the algorithm; they go before `defaults`.
    """

    algorithm: str = "PPO"
    num_envs: int = 16
    discount: float = 0.95
    deterministic: bool = True
    device: str = "cpu"
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        known = inspect.signature(algorithm_class(self.algorithm)).parameters
        if self.num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {self.num_envs}")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"discount must be in [0, 1], got {self.discount}")
        allowed = sorted(set(known) - set(OWN))
        for name in self.options:
            if name not in allowed:
                raise ValueError(
                    f"unknown option {name!r} of {self.algorithm}; it has {', '.join(allowed)}"
                )
        if self.algorithm == "DQN" and not self.deterministic:
            raise ValueError("deterministic must be True for DQN, got False")

    def train(
        self,
        make_env: Callable[[], Any],
        budget: int,
        seed: int,
        callback: Callable[[Any, Any], bool] | None = None,
    ) -> SB3Policy:
        """Train on any environment that stable-baselines3 takes, and freeze.

        Args:
            make_env: makes the environment, such as `lambda: stratagem.sb3_vec_env(...)`.
            budget: steps of all copies together, at least 1; rounded up to whole roll-outs.
            seed: in [0, 2^64): of the network, of exploration and of the environment.
            callback: as stable-baselines3 has it; called at each step with the local and global
                variables of the training loop, it ends training by returning False.

        Raises:
            ValueError: If the algorithm does not know the environment's spaces.
        """
        with alone():
            env = make_env()
            _check_actions(self.algorithm, env.action_space)
            rows = getattr(env, "num_envs", 1)
            kwargs = {**defaults(self.algorithm, rows), **self.options}
            model = algorithm_class(self.algorithm)(
                "MlpPolicy",
                env,
                gamma=self.discount,
                seed=seed % 2**32,
                device=self.device,
                **kwargs,
            )
            model.env.seed(
                seed
            )  # the algorithm's own seed, which the next reset would use, is short
            model.learn(budget, callback=callback)
            archive = io.BytesIO()
            model.save(archive)
        return SB3Policy(
            archive=archive.getvalue(),
            observation_space=env.observation_space,
            action_space=env.action_space,
            deterministic=self.deterministic,
        )

    def fit(
        self,
        game: Game[Any],
        seats: tuple[int, ...],
        co_players: Mapping[int, Policy],
        *,
        seed: int,
        periods: int,
        max_episode_steps: int | None,
        tick: Callable[[float], None] = lambda done: None,
        log: Callable[[int, Floats], None] = lambda periods, rewards: None,
    ) -> tuple[Policy, ...]:
        """Train in one seat against frozen policies, or in all seats with shared parameters.

        See `stratagem.evaluation.trainers.Trainer.fit`. Where seats take turns and one is
        trained, it ends in the midst of a roll-out.

        Raises:
            ValueError: If `seats` are several but not all, their spaces differ or are not for the
                algorithm, or actions can be illegal and the algorithm knows no masks.
        """
        if periods < 1:
            raise ValueError(f"periods must be at least 1, got {periods}")
        if len(seats) not in (1, len(game.agents)):
            raise ValueError(
                f"{self.algorithm} trains one seat, or all with shared parameters; got seats "
                f"{seats} of {len(game.agents)}"
            )
        for seat in seats:
            _check_actions(self.algorithm, game.action_spaces[seat])
        _check_masks(self.algorithm, game, shared=len(seats) > 1)
        played, last = 0, 0.0

        def watch(local: Any, _: Any) -> bool:
            nonlocal played, last
            paid = np.asarray(local["rewards"], np.float64).reshape(len(seats), self.num_envs)
            each = [info.get("periods", 1) for info in local["infos"][: self.num_envs]]
            log(sum(each), paid.sum(axis=1))
            played += sum(each)
            done = min(played / periods, 1.0)
            if done >= last + 0.01 or last < done == 1:
                last = done
                tick(done)
            return played <= periods or "periods" not in local["infos"][0]

        def make_env() -> Any:
            from stratagem.envs.adapters.sb3 import AllSeatsVecEnv, LearnerVecEnv

            if len(seats) == len(game.agents) > 1:
                return AllSeatsVecEnv(game, self.num_envs, max_episode_steps=max_episode_steps)
            return LearnerVecEnv(
                game,
                self.num_envs,
                agent=game.agents[seats[0]],
                co_players={game.agents[seat]: policy for seat, policy in co_players.items()},
                max_episode_steps=max_episode_steps,
            )

        return (self.train(make_env, periods * len(seats), seed, watch),) * len(seats)

    def init(self, num_copies: int, rng: Any) -> Memory:
        """Raise: what has not been trained cannot play."""
        self._refuse()

    def act(
        self, observation: Any, memory: Memory, rng: Any, mask: Any = None
    ) -> tuple[Any, Memory]:
        """Raise: what has not been trained cannot play."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError(
            f"{self.algorithm} has to be trained before it plays: "
            "fit it (stratagem.evaluation.trainers.fit) and seat the policies that come back"
        )


def defaults(algorithm: str, rows: int) -> dict[str, Any]:
    """Return hyper-parameters that suit small games, for so many rows of the environment.

    Networks have two layers of 64 units. They were chosen on other seeds than those reported.
    """
    if algorithm == "DQN":
        return {
            "learning_rate": 1e-3,
            "buffer_size": 50_000,
            "learning_starts": 1_000,
            "batch_size": 128,
            "train_freq": 1,
            "gradient_steps": 1,
            "target_update_interval": 500,
            "exploration_fraction": 0.5,
            "exploration_final_eps": 0.05,
        }
    if algorithm == "A2C":
        return {"learning_rate": 2e-3, "n_steps": 8, "ent_coef": 0.01}
    return {
        "learning_rate": 1e-3,
        "n_steps": 64,
        "batch_size": 64 * rows // 4 if rows % 4 == 0 else 64 * rows,
        "n_epochs": 10,
        "ent_coef": 0.01,
    }


def _check_actions(algorithm: str, actions: Space[Any]) -> None:
    kinds = (Discrete,) if algorithm in ("DQN", "MaskablePPO") else (Discrete, Box)
    if not isinstance(actions, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{algorithm} needs {names} actions, got {actions}")


def _check_masks(algorithm: str, game: Game[Any], *, shared: bool) -> None:
    kind = type(game)
    masked = kind.legal is not Game.legal or (shared and kind.movers is not Game.movers)
    if masked and algorithm != "MaskablePPO":
        raise ValueError(
            f"{algorithm} knows no masks, and {kind.__name__} has actions that are not always "
            "legal: use MaskablePPO"
        )
