"""What stable-baselines3 has learnt, frozen; to and from its own files.

A model is kept as the bytes of its `.zip`, so that it can be pickled, sent to a worker and
saved without loss. Where observations are finite it is asked about each of them once, and
torch is not needed again; else it is asked about `BLOCK` of them at a time, so that an action
does not depend on how many copies are played. Loading runs code that the file brings, as pickles
do: load files that you trust.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from stratagem.envs.core import Array, Bools, Floats, Game, Memory, choose
from stratagem.envs.spaces import every_observation, size, to_index
from stratagem.envs.streams import Stream

from .backend import ALGORITHMS, algorithm_class, alone

TABLE_LIMIT = 2**16
"""Most observations that are asked about in advance."""

BLOCK = 64
"""Observations that the network is given at once. Products of matrices of another shape may be
rounded otherwise."""


class _NotModelError(ValueError):
    """A file that is not a model of a known algorithm."""


@lru_cache(maxsize=32)
def _network(archive: bytes) -> Any:
    """Return the policy network of a model, in evaluation mode on the CPU."""
    from stable_baselines3.common.save_util import load_from_zip_file

    with _reading():
        data, _, _ = load_from_zip_file(io.BytesIO(archive), device="cpu")
        name = _algorithm_of(data)
    with _reading():
        network = algorithm_class(name).load(io.BytesIO(archive), device="cpu").policy
    network.set_training_mode(False)
    return network


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever a file that is no whole model raises into one error."""
    try:
        yield
    except (_NotModelError, ModuleNotFoundError):
        raise
    except Exception as error:
        raise _NotModelError("it is no whole model saved by stable-baselines3") from error


def _algorithm_of(data: Any) -> str:
    """Return which of `ALGORITHMS` a model's attributes are of."""
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.dqn.policies import DQNPolicy

    kind = data["policy_class"]
    names = {base.__name__ for base in kind.__mro__}
    if "MaskableActorCriticPolicy" in names:
        return "MaskablePPO"
    if issubclass(kind, DQNPolicy):
        return "DQN"
    if issubclass(kind, ActorCriticPolicy) and not any("Recurrent" in base for base in names):
        return "PPO" if "clip_range" in data else "A2C"
    raise _NotModelError(
        f"its policy is a {kind.__name__}, and only those of {', '.join(ALGORITHMS)} are known"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SB3Policy:
    """A trained network as a frozen policy of one seat.

    Attributes:
        archive: the model, as stable-baselines3 saves it.
        observation_space: of the seat.
        action_space: of the seat.
        deterministic: whether to play the likeliest legal action, or that of the largest
            Q-value, ties to the first, and of a continuous distribution its mean; else actions
            are drawn by their probabilities.

    Raises:
        ValueError: If the model was trained on other spaces, or has no probabilities to draw by.
    """

    archive: bytes
    observation_space: Space[Any]
    action_space: Space[Any]
    deterministic: bool = True

    def __post_init__(self) -> None:
        with alone():
            network = _network(self.archive)
        for what, trained, own in (
            ("observations", network.observation_space, self.observation_space),
            ("actions", network.action_space, self.action_space),
        ):
            if trained != own:
                raise ValueError(f"the model was trained on {what} {trained}, not on {own}")
        if not self.deterministic and not (
            hasattr(network, "get_distribution") and isinstance(self.action_space, Discrete)
        ):
            raise ValueError(
                "deterministic must be True for a model without probabilities of actions, as "
                "DQN and continuous actions are, got False"
            )

    @cached_property
    def _table(self) -> Floats | None:
        """Scores of every observation, (V, n); None if there are too many or infinitely many."""
        try:
            few = size(self.observation_space) <= TABLE_LIMIT
        except ValueError:
            return None
        if not few or not isinstance(self.action_space, Discrete):
            return None
        return self._answer(every_observation(self.observation_space))

    def _answer(self, observation: Array) -> Floats:
        """Return log-probabilities or Q-values (B, n), or continuous actions (B, ...)."""
        rows = observation.astype(self.observation_space.dtype)
        short = -len(rows) % BLOCK
        whole = np.concatenate([rows, np.zeros((short, *rows.shape[1:]), rows.dtype)])
        with alone():
            network = _network(self.archive)
            found = [_block(network, part) for part in whole.reshape(-1, BLOCK, *rows.shape[1:])]
        return np.concatenate(found)[: len(rows)]

    def scores(self, observation: Array) -> Floats:
        """Return log-probabilities or Q-values (B, n) at observations (B, ...) of the game."""
        if self._table is None:
            return self._answer(observation)
        return np.asarray(self._table[to_index(self.observation_space, observation)])

    def rule(self, observation: Array) -> Array:
        """Return actions (B, ...), or probabilities (B, n) unless deterministic; no mask is known.

        Args:
            observation: the game's own, (B, ...).
        """
        found = self.scores(observation)
        if not isinstance(self.action_space, Discrete):
            return found
        return np.asarray(found.argmax(axis=1)) if self.deterministic else _softmax(found)

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Follow the network among the legal actions; a deterministic one draws nothing."""
        found = self.scores(observation)
        if not isinstance(self.action_space, Discrete):
            return found, memory
        if mask is not None:
            found = np.where(mask, found, -np.inf)
        if self.deterministic:
            return np.asarray(found.argmax(axis=1)), memory
        return choose(_softmax(found), rng), memory

    def save(self, path: str | Path) -> None:
        """Write the model to a `.zip` that stable-baselines3 loads too."""
        Path(path).write_bytes(self.archive)


def _block(network: Any, rows: Array) -> Floats:
    """Return what a network says of observations, see `SB3Policy._answer`."""
    import torch

    with torch.no_grad():
        if isinstance(network.action_space, Box):
            return np.asarray(network.predict(rows, deterministic=True)[0])
        seen, _ = network.obs_to_tensor(rows)
        if hasattr(network, "q_net"):
            return np.asarray(network.q_net(seen).double().numpy())
        return np.asarray(network.get_distribution(seen).distribution.logits.double().numpy())


def _softmax(scores: Floats) -> Floats:
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def load(path: str | Path, game: Game[Any], seat: int, *, deterministic: bool = True) -> SB3Policy:
    """Return the model in a `.zip` of stable-baselines3 as a frozen policy of one seat.

    Args:
        path: what `model.save` wrote, for a model that was trained on `stratagem.sb3_vec_env` of
            this game, or one with the same spaces. Statistics of a `VecNormalize` are not in it.
        game: the game.
        seat: index of the agent.
        deterministic: see `SB3Policy`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such model, or was trained on other spaces.
        ModuleNotFoundError: If the extra `sb3` is not installed.
    """
    archive = Path(path).read_bytes()
    algorithm_class("PPO")
    try:
        return SB3Policy(
            archive=archive,
            observation_space=game.observation_spaces[seat],
            action_space=game.action_spaces[seat],
            deterministic=deterministic,
        )
    except ValueError as error:
        name = type(game).__name__
        raise ValueError(
            f"{str(path)!r} cannot play {game.agents[seat]} of {name}: {error}"
        ) from error
