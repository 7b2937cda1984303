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
from typing import Any, NoReturn

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from stratagem.envs.core import Floats, Game, Memory, Policy

from .backend import algorithm_class, alone, silent_logger
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
    options: Mapping[str, Any] = field(default_factory=dict)

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
            make_env: makes the environment, such as `lambda: stratagem.sb3_vec_env(...)`; it is
                closed after training.
            budget: steps of all copies together, at least 1; rounded up to whole roll-outs.
            seed: in [0, 2^64): of the network, of exploration and of the environment.
            callback: as stable-baselines3 has it; called at each step with the local and global
                variables of the training loop, it ends training by returning False.

        Raises:
            ValueError: If a number is out of range, or the algorithm does not know the
                environment's spaces or the value of an option.
        """
        if budget < 1:
            raise ValueError(f"budget must be at least 1, got {budget}")
        with alone():
            env = make_env()
            try:
                archive = self._learn(env, budget, seed, callback)
            finally:
                env.close()
        return SB3Policy(
            archive=archive,
            observation_space=env.observation_space,
            action_space=env.action_space,
            deterministic=self.deterministic,
        )

    def _learn(self, env: Any, budget: int, seed: int, callback: Any) -> bytes:
        """Return the model that comes of training, as its own file."""
        _check_actions(self.algorithm, env.action_space)
        rows = getattr(env, "num_envs", 1)
        try:
            usual = defaults(self.algorithm, rows, self.options.get("n_steps"))
            model = algorithm_class(self.algorithm)(
                "MlpPolicy",
                env,
                gamma=self.discount,
                seed=seed % 2**32,
                device=self.device,
                **{**usual, **self.options},
            )
        except (AssertionError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.algorithm} refuses options {dict(self.options)}: {error}"
            ) from error
        # The seed that the algorithm gave to the environment has but 32 bits.
        model.env.seed(seed)
        if not (self.options.get("verbose") or self.options.get("tensorboard_log")):
            model.set_logger(silent_logger())
        model.learn(budget, callback=callback)
        archive = io.BytesIO()
        model.save(archive, exclude=["_custom_logger"])
        return archive.getvalue()

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
            each = sum(int(info.get("periods", 1)) for info in local["infos"][: self.num_envs])
            # Those that were passed before the first move of an episode that has just begun.
            begun = local["dones"].nonzero()[0].tolist()
            each += sum(int(local["env"].reset_infos[i].get("periods", 0)) for i in begun)
            log(each, paid.sum(axis=1))
            played += each
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


def defaults(algorithm: str, rows: int, n_steps: int | None = None) -> dict[str, Any]:
    """Return hyper-parameters that suit small games.

    Args:
        algorithm: one of `ALGORITHMS`.
        rows: of the environment, at least 1.
        n_steps: steps of a roll-out, by which PPO's batches are a quarter of one if that is
            whole; None for the default.

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
    steps = 64 if n_steps is None else n_steps
    whole = steps * rows
    return {
        "learning_rate": 1e-3,
        "n_steps": steps,
        "batch_size": whole // 4 if whole % 4 == 0 else whole,
        "n_epochs": 10,
        "ent_coef": 0.01,
    }


def _check_actions(algorithm: str, actions: Space[Any]) -> None:
    kinds = (Discrete,) if algorithm in ("DQN", "MaskablePPO") else (Discrete, Box)
    if not isinstance(actions, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{algorithm} needs {names} actions, got {actions}")


def _check_masks(algorithm: str, game: Game[Any], *, shared: bool) -> None:
    masked = type(game).legal is not Game.legal or (shared and game.takes_turns)
    if masked and algorithm != "MaskablePPO":
        raise ValueError(
            f"{algorithm} knows no masks, and {type(game).__name__} has actions that are not "
            "always legal: use MaskablePPO"
        )
