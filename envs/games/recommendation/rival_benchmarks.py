"""Reference values of `RivalPlatforms`: equilibria, the joint optimum, and what users have of them.

A *choice* is one arm per state, (S,), shown by the platform with which the user is engaged there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...benchmarks import Benchmark, Bound, certified
from ...core import Bools, Floats, Ints
from ...solvers.switching import (
    Switching,
    gain,
    improved,
    markov_equilibrium,
    movers_gain,
    payoffs,
    unit,
    visits,
)
from ...spaces import size, to_index

if TYPE_CHECKING:
    from .rival_platforms import RivalPlatforms


def switching(game: "RivalPlatforms") -> Switching:
    """Return a game as arrays over all levels and places, from its own chance and step."""
    states, num = game.every_state(), game.num_platforms
    count, n = len(states.status), len(game.arms)
    parts = []
    for arm in range(n):  # what the others show does not matter, so all show the same
        actions = np.full((num, count), arm)
        probs = game.chance(states, actions)
        steps = [game.step(states, actions, np.full(count, k)) for k in range(probs.shape[1])]
        goes_on = probs * np.stack([~step.terminated for step in steps], axis=-1)
        following = np.stack([game.number(step.state) for step in steps], axis=-1)
        rewards = np.einsum("sk,ksi->is", probs, [step.rewards.T for step in steps])
        parts.append((rewards, goes_on, following))
    rewards, goes_on, following = (np.stack(own, axis=-1) for own in zip(*parts, strict=True))
    start = np.zeros(count)
    first = game.initial(np.arange(len(game.initial_chance)))
    np.add.at(start, game.number(first), game.initial_chance)
    mover = np.where(game.engaged(states), game.home(states), -1)
    return Switching(mover, rewards, goes_on.swapaxes(1, 2), following.swapaxes(1, 2), start)


def _all(game: "RivalPlatforms") -> Bools:
    return game.switching.mover >= 0


def myopic(game: "RivalPlatforms") -> Ints:
    """Return the choice that always shows the arm of largest reward; ties to the first."""
    return np.full(len(game.switching.mover), int(game.model.rewards.argmax()))


def planned(game: "RivalPlatforms") -> Ints:
    """Return the choice with the largest sum of all platforms' rewards in every state.

    Ties fall to the arm of largest immediate reward.
    """
    return improved(game.switching, myopic(game), np.ones(game.num_platforms), _all(game))


def best_reply(game: "RivalPlatforms", seat: int, choice: Ints) -> Ints:
    """Return the choice changed where `seat` moves, so that it is best for it in every state."""
    rivals = game.switching
    return improved(rivals, choice, unit(rivals, seat), rivals.mover == seat)


def _openings(game: "RivalPlatforms") -> Iterator[Ints]:
    yield myopic(game)
    yield planned(game)
    for arm in range(len(game.arms)):
        yield np.full(len(game.switching.mover), arm)


def markov(game: "RivalPlatforms") -> Ints | None:
    """Return a Markov perfect equilibrium in pure plans, or None if none was found.

    Best replies in turn start from myopic platforms; where they go in circles, from the joint
    optimum, then from each arm shown always.
    """
    return markov_equilibrium(game.switching, _openings(game))


def by_view(game: "RivalPlatforms", choice: Ints) -> tuple[Floats, ...]:
    """Return a choice as probabilities (S, n) by what each platform sees, if it sees every level."""
    rows = []
    for space, seen in zip(game.observation_spaces, game.observe(game.every_state()), strict=True):
        arms = np.zeros(size(space), np.int64)
        arms[to_index(space, seen)] = choice
        rows.append(np.eye(len(game.arms))[arms])
    return tuple(rows)


def _playable(game: "RivalPlatforms", choice: Ints) -> tuple[Floats, ...] | None:
    """Return a choice by what platforms see, or None if they do not see what it depends on."""
    if game.seen == "all":
        return by_view(game, choice)
    shown = np.unique(choice[_all(game)])
    return (np.eye(len(game.arms))[shown],) * game.num_platforms if len(shown) == 1 else None


class Service(NamedTuple):
    """What a user has of a choice, in expectation over an episode."""

    share: float  # of periods in which she is engaged
    satisfaction: float  # level with whom she is engaged, mean over engaged periods


def service(game: "RivalPlatforms", choice: Ints) -> Service:
    """Return how much a user is engaged, and how satisfied she is as such periods begin."""
    states = game.every_state()
    engaged = visits(game.switching, choice) * game.engaged(states)
    level = states.satisfaction[np.arange(len(choice)), game.home(states)]
    share = (1 - game.continuation) * engaged.sum()
    return Service(float(share), float(engaged @ level / engaged.sum()))


def share_range(game: "RivalPlatforms") -> tuple[float, float]:
    """Return the least and the largest expected share of periods engaged, over all choices."""
    rivals, shares = game.switching, []
    for sign in (-1.0, 1.0):
        engaged = np.broadcast_to(sign * _all(game)[:, None], rivals.rewards.shape[1:])
        counting = rivals._replace(rewards=engaged[None])
        best = improved(counting, myopic(game), np.ones(1), _all(game))
        shares.append(service(game, best).share)
    return shares[0], shares[1]


def reference_values(game: "RivalPlatforms") -> Mapping[str, Benchmark]:
    """Return `markov_nash` if one is found, `joint_optimum`, `myopic` and `best_reply`.

    Raises:
        ValueError: If the continuation is 1.
    """
    if game.continuation == 1:
        raise ValueError(
            "benchmarks of RivalPlatforms need continuation below 1, got 1: "
            "the sum of an episode that never ends is unbounded"
        )
    rivals, hides = game.switching, game.seen != "all" and game.num_platforms > 1
    whose = "platforms that see every level" + (", as these do not" if hides else "")
    found: dict[str, Benchmark] = {}

    def add(
        name: str,
        concept: str,
        choice: Ints,
        regret: float,
        deviators: tuple[str, ...],
        method: str,
        scope: str,
        bound: Bound = "exact",
    ) -> None:
        value = payoffs(rivals, choice)
        solution = certified(
            concept,
            (choice,),
            value,
            regret=regret,
            method=method,
            deviators=deviators,
            tolerance=1e-9 * max(1.0, float(np.abs(value).max())) / (1 - game.continuation),
            bound=bound,
        )
        found[name] = Benchmark(
            name, solution, scope, "per_episode", strategies=_playable(game, choice)
        )

    if (choice := markov(game)) is not None:
        add(
            "markov_nash", "markov nash", choice, movers_gain(rivals, choice), game.agents,
            "best replies in turn; one step of each platform's dynamic program in every state",
            f"equilibria in pure plans of {whose}; others may exist",
        )  # fmt: skip
    choice = planned(game)
    add(
        "joint_optimum", "optimum", choice,
        gain(rivals, choice, np.ones(game.num_platforms), _all(game)), ("planner",),
        "policy iteration; one step of a planner's dynamic program in every state",
        f"all plans of one owner of {whose}", "upper" if hides else "exact",
    )  # fmt: skip
    greedy = myopic(game)
    add(
        "myopic", "myopic", greedy,
        float(game.model.rewards.max() - game.model.rewards[greedy[0]]), game.agents,
        "largest immediate reward; compared with that of every other arm",
        "platforms that count the present period alone",
    )  # fmt: skip
    choice = best_reply(game, 0, greedy)
    add(
        "best_reply", "best response", choice,
        gain(rivals, choice, unit(rivals, 0), rivals.mover == 0), game.agents[:1],
        "policy iteration; one step of its dynamic program in every state",
        f"plans of platform_0 against myopic rivals, of {whose}",
    )  # fmt: skip
    return found


def competition_table(captures: Sequence[float], **params: object) -> list[tuple[float, ...]]:
    """Return what competition does, by capture.

    Rows of capture; then for `markov_nash` and for `joint_optimum` the mean value of a platform,
    and the user's `Service`: seven numbers, NaN where no equilibrium was found.

    Args:
        captures: values of the parameter.
        **params: other parameters of `RivalPlatforms`.
    """
    from .rival_platforms import RivalPlatforms

    rows = []
    for capture in captures:
        game = RivalPlatforms(capture=capture, **params)  # type: ignore[arg-type]
        row = [capture]
        for choice in (markov(game), planned(game)):
            if choice is None:
                row += [np.nan] * 3
            else:
                value = payoffs(game.switching, choice).mean()
                row += [float(value), *service(game, choice)]
        rows.append(tuple(row))
    return rows
