"""How the algorithms of leaders are built for a seat of a game."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from stratagem.agents.commitment.calibrated import Calibrated
from stratagem.agents.commitment.commit import commit
from stratagem.agents.commitment.concede import concede
from stratagem.agents.commitment.explore_then_commit import ExploreThenCommit, exploration
from stratagem.agents.commitment.queries import CommitmentQueries
from stratagem.agents.commitment.schedule import Schedule
from stratagem.agents.commitment.stackelberg import stackelberg
from stratagem.agents.commitment.stubborn import stubborn
from stratagem.agents.commitment.threat import Threat
from stratagem.envs.core import Floats, Game, Ints, Policy, Transition
from stratagem.envs.revealed import revealed
from stratagem.envs.solvers.commitment import algorithm_commitment
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.spaces import size


def build_commit(game: Game[Any], seat: int, mix: str) -> Policy:
    """Return `commit:P/P/...`."""
    return commit(_mix(game, seat, f"commit:{mix}", mix))


def build_stackelberg(game: Game[Any], seat: int) -> Policy:
    """Return `stackelberg`."""
    return stackelberg(*_stages(game, seat, "stackelberg"), game.observation_spaces[seat])


def build_perturbed(game: Game[Any], seat: int, share: str) -> Policy:
    """Return `perturbed:SHARE`."""
    payoffs = _stages(game, seat, "perturbed")
    moved = _number(f"perturbed:{share}", "SHARE", share)
    return stackelberg(*payoffs, game.observation_spaces[seat], share=moved)


def build_concede(game: Game[Any], seat: int) -> Policy:
    """Return `concede`."""
    return concede(*_stages(game, seat, "concede"), game.observation_spaces[seat])


def build_stubborn(game: Game[Any], seat: int) -> Policy:
    """Return `stubborn`."""
    return stubborn(*_stages(game, seat, "stubborn"))


def build_schedule(game: Game[Any], seat: int, text: str) -> Policy:
    """Return `schedule:T:SHARE@P/P+...`."""
    name = f"schedule:{text}"
    horizon, _, parts = text.partition(":")
    if not horizon.isdecimal() or not parts:
        raise ValueError(f"{name} must be written 'schedule:T:SHARE@P/P+SHARE@P/P'")
    read = []
    for part in parts.split("+"):
        share, _, mix = part.partition("@")
        row: tuple[float, ...] = tuple(_mix(game, seat, name, mix).tolist())
        read.append((_number(name, "SHARE", share), row))
    return Schedule(parts=tuple(read), horizon=int(horizon))


def build_threat(game: Game[Any], seat: int) -> Policy:
    """Return `threat`."""
    own, other = _stages(game, seat, "threat")
    if len(own) > 1:
        raise ValueError(f"threat needs a game without types, got {len(own)} types")
    joint, punish = algorithm_commitment(own[0], other[0]).profile
    return Threat(joint=joint, punish=punish, reveal=_reveal(game, seat, "threat"))


def build_explore(game: Game[Any], seat: int, **options: Any) -> Policy:
    """Return `explore_then_commit`, with `rounds`, or the `horizon` they are for."""
    name = "explore_then_commit"
    own, other = _stages(game, seat, name)
    if unknown := set(options) - {"rounds", "horizon"}:
        raise ValueError(f"options {sorted(unknown)} of {name} are not allowed")
    if len(options) > 1:
        raise ValueError(f"give rounds or horizon, got {options}")
    horizon, rounds = options.get("horizon", getattr(game, "horizon", None)), options.get("rounds")
    if rounds is None:
        if horizon is None:
            raise ValueError(f"{name} needs the option rounds, or the horizon they are for")
        rounds = exploration(horizon)
    led = [strong_stackelberg(u, v) for u, v in zip(own, other, strict=True)]
    led.sort(key=lambda solution: -float(solution.payoffs[0]))
    mixes = np.stack([solution.profile[0] for solution in led])
    hoped = tuple(int(solution.profile[1].argmax()) for solution in led[:-1])
    return ExploreThenCommit(
        mixes=mixes, hoped=hoped, rounds=rounds, reveal=_reveal(game, seat, name)
    )


def build_calibrated(game: Game[Any], seat: int, **options: Any) -> Policy:
    """Return `calibrated`, with a `resolution`."""
    own, _ = _stages(game, seat, "calibrated")
    if len(own) > 1:
        raise ValueError(f"calibrated needs a game without types, got {len(own)} types")
    reveal = _reveal(game, seat, "calibrated")
    try:
        return Calibrated(payoffs=own[0], reveal=reveal, **options)
    except TypeError as error:
        raise ValueError(f"options {options} of calibrated are not allowed: {error}") from None


def build_queries(game: Game[Any], seat: int) -> Policy:
    """Return `commitment_queries`."""
    _check_discrete(game, seat, "commitment_queries")
    mixes, tensor = getattr(game, "mixes", None), getattr(game, "tensor", None)
    if seat != 0 or mixes is None or tensor is None or not game.takes_turns or len(tensor) != 2:
        raise ValueError(
            "commitment_queries needs a leader who commits before one other seat "
            f"answers, got {game.agents[seat]} of {type(game).__name__}"
        )
    return CommitmentQueries(
        mixes=mixes, payoffs=tensor[0], reveal=_reveal(game, seat, "commitment_queries")
    )


def _stages(game: Game[Any], seat: int, name: str) -> tuple[Floats, Floats]:
    """Return payoffs (G, m, n) by own type, own actions first: one's own and the other's."""
    _check_discrete(game, seat, name)
    payoffs = getattr(game, "stage_payoffs", None)
    if payoffs is None:
        raise ValueError(
            f"{name} needs two players who act at once on known payoffs, which "
            f"{type(game).__name__} does not have here"
        )
    return (payoffs[0], payoffs[1]) if seat == 0 else tuple(payoffs[::-1].swapaxes(2, 3))


def check_typed(game: Game[Any], seat: int, name: str) -> None:
    """Check that the game has several types.

    Raises:
        ValueError: If it does not.
    """
    if len(_stages(game, seat, name)[0]) < 2:
        raise ValueError(f"{name} needs a game with types, such as signals about payoffs")


def _reveal(game: Game[Any], seat: int, name: str) -> Callable[[Transition], Ints]:
    try:
        return revealed(game, seat)
    except ValueError as error:
        raise ValueError(f"{name} needs to see what the other does: {error}") from None


def _check_discrete(game: Game[Any], seat: int, name: str) -> None:
    space = game.action_spaces[seat]
    if not isinstance(space, Discrete):
        raise ValueError(f"{name} needs a Discrete action space, got {space}")


def _mix(game: Game[Any], seat: int, name: str, text: str) -> Floats:
    _check_discrete(game, seat, name)
    count = size(game.action_spaces[seat])
    row = np.array([_number(name, "P", part) for part in text.split("/")])
    if len(row) != count or not (row >= 0).all() or abs(row.sum() - 1) > 1e-9:
        raise ValueError(f"{name} needs {count} probabilities that add up to 1, as P/P/...")
    return np.asarray(row / row.sum())


def _number(name: str, what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must have a number for {what}, got {text!r}") from None
