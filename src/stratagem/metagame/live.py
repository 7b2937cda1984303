"""Meta-games as environments: of runs that are stored, or played when they are needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from typing_extensions import override

from stratagem.envs.core import Actions, Array, Bools, Floats, Game, Ints, Policy, Step
from stratagem.envs.games.stackelberg import meta_rounds
from stratagem.envs.games.stackelberg.meta_game import MetaGame
from stratagem.envs.games.stackelberg.meta_rounds import AT_ONCE, Rules, State
from stratagem.envs.streams import Stream
from stratagem.making import build as build_game

from .menus import Algorithm, build, read_menus
from .playing import EmpiricalGame, empirical_game, mean_rewards


def stored(empirical: EmpiricalGame, **params: Any) -> MetaGame:
    """Return the meta-game whose chance outcomes are the runs of an empirical game.

    Args:
        empirical: what was played.
        **params: parameters of `MetaGame`, such as `order`.
    """
    return MetaGame.from_runs(empirical.runs, menus=empirical.menus, **params)


def environment(
    base: str | Game[Any],
    menus: Any,
    *,
    periods: int,
    runs: int = 20,
    workers: int = 1,
    folder: Path | str | None = None,
    base_params: Mapping[str, Any] = MappingProxyType({}),
    **params: Any,
) -> MetaGame:
    """Return the meta-game of a base game and menus, whose runs are played first.

    Args:
        base: see `empirical_game`, as menus, periods, runs, workers and folder.
        menus: algorithms of the agents.
        periods: of a run.
        runs: of each profile.
        workers: processes.
        folder: where finished profiles are kept.
        base_params: parameters of the base game, if it is an id.
        **params: parameters of `MetaGame`, such as `order`.
    """
    game, _ = build_game(base, base_params)
    empirical = empirical_game(
        game, menus, periods=periods, runs=runs, workers=workers, folder=folder
    )
    return stored(empirical, **params)


@dataclass(frozen=True, kw_only=True, eq=False)
class LiveMetaGame(Game[State]):
    """A meta-game that plays the base game whenever algorithms are chosen.

    It is `MetaGame` in all but where payoffs come from: every round plays a run of its own, from a
    root that the round's random numbers give, so that play can be repeated exactly. Chance cannot
    be enumerated, so there is no table and there are no benchmarks: those of the stored runs of
    the same menus (`stored`) are estimates of this game's. A round takes as long as a run.

    Attributes:
        base: the base game.
        algorithms: each agent's menu, as `read_menus` returns it.
        periods: of a run, at least 1.
        order: see `MetaGame`, as the three below.
        switching_cost: of using another algorithm than in the last round.
        horizon: rounds of an episode.
        continuation: probability that another round follows.
    """

    base: Game[Any]
    algorithms: tuple[tuple[Algorithm, ...], ...]
    periods: int
    order: str | tuple[int, ...] = AT_ONCE
    switching_cost: float = 0.0
    horizon: int | None = None
    continuation: float = 0.9

    def __post_init__(self) -> None:
        if self.periods < 1:
            raise ValueError(f"periods must be at least 1, got {self.periods}")
        object.__setattr__(self, "order", self.rules.order)
        _ = self._policies

    @cached_property
    def rules(self) -> Rules:
        """Who chooses when, and what follows."""
        counts = tuple(len(menu) for menu in self.algorithms)
        return meta_rounds.checked(
            counts, self.order, self.switching_cost, self.horizon, self.continuation
        )

    @cached_property
    def _policies(self) -> tuple[tuple[Policy, ...], ...]:
        return tuple(
            tuple(build(algorithm, self.base, seat) for algorithm in menu)
            for seat, menu in enumerate(self.algorithms)
        )

    @property
    def agents(self) -> tuple[str, ...]:
        """Those of the base game."""
        return self.base.agents

    @cached_property
    def _spaces(self) -> tuple[tuple[Space[Any], ...], tuple[Space[Any], ...]]:
        return meta_rounds.spaces(self.rules)

    @property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """One algorithm of the own menu."""
        return self._spaces[0]

    @property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """As those of `MetaGame`."""
        return self._spaces[1]

    @override
    def initial(self, outcome: Ints) -> State:
        return meta_rounds.opening(self.rules, len(outcome))

    @override
    def draw(self, state: State, actions: Actions, rng: Stream) -> Floats:
        """Return payoffs and whether the game ends, (B, N + 1); zeros where not all have chosen."""
        joint, complete = meta_rounds.choices(self.rules, state, actions)
        ends = rng.uniform() >= self.rules.ending[0]
        seeds = (rng.uniform() * 2.0**53).astype(np.uint64)
        outcome = np.zeros((len(ends), len(joint) + 1))
        outcome[:, -1] = ends
        played = complete.nonzero()[0]
        profiles, which = np.unique(joint[:, played], axis=1, return_inverse=True)
        for number, profile in enumerate(profiles.T.tolist()):
            copies = played[which.reshape(-1) == number]
            chosen = [menu[a] for menu, a in zip(self._policies, profile, strict=True)]
            paid = mean_rewards(self.base, chosen, seeds[copies], self.periods)
            outcome[copies, :-1] = paid.T
        return outcome

    @override
    def step(self, state: State, actions: Actions, outcome: Floats) -> Step[State]:
        joint, complete = meta_rounds.choices(self.rules, state, actions)
        payoffs, over = outcome[:, :-1].T, outcome[:, -1] > 0
        return meta_rounds.advance(self.rules, state, joint, complete, payoffs, over)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return meta_rounds.observe(self.rules, state)

    @property
    def periods_per_round(self) -> int:
        """One for each agent where they choose in turn, else 1."""
        return self.rules.moves

    @property
    @override
    def takes_turns(self) -> bool:
        return self.rules.in_turn

    @override
    def movers(self, state: State) -> Bools | None:
        return meta_rounds.movers(self.rules, state)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return tuple(algorithm.label for algorithm in self.algorithms[seat])

    @override
    def render(self, state: State) -> str:
        labels = tuple(tuple(a.label for a in menu) for menu in self.algorithms)
        return meta_rounds.render(self.rules, labels, state)


def live_environment(
    base: str | Game[Any],
    menus: Any,
    *,
    periods: int,
    base_params: Mapping[str, Any] = MappingProxyType({}),
    **params: Any,
) -> LiveMetaGame:
    """Return the meta-game that plays its runs when they are needed.

    Args:
        base: the base game, or its id.
        menus: algorithms of the agents, see `empirical_game`.
        periods: of a run.
        base_params: parameters of the base game, if it is an id.
        **params: order, switching_cost, horizon and continuation of `LiveMetaGame`.
    """
    game, _ = build_game(base, base_params)
    algorithms = read_menus(menus, game.agents)
    return LiveMetaGame(base=game, algorithms=algorithms, periods=periods, **params)
