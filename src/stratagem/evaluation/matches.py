"""Who meets whom in a scenario, and what they play."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Game, Ints, Policy, Trajectory, learns
from stratagem.scenarios import Scenario
from stratagem.scenarios.backgrounds import BACKGROUND, Mixture, seat_background
from stratagem.scenarios.permitted import blinkered

from .learning import Training
from .meetings import play_each
from .roots import roots
from .rows import Sessions
from .trainers import trains

Given = str | Policy | Sequence[str | Policy]
"""One name or policy, or one per seat."""


class Lineup(NamedTuple):
    """Who sits where in a scenario."""

    names: tuple[str, ...]  # per seat; "background" in the background seats, or in none
    policies: Mapping[int, Policy]  # of the other seats, as they start out
    learning: frozenset[int]  # the seats that learn or train

    @property
    def name(self) -> str:
        """All names, joined by ' + '."""
        return lineup_name(self.names)

    @property
    def behind(self) -> tuple[int, ...]:
        """The seats that backgrounds play."""
        return tuple(seat for seat, name in enumerate(self.names) if name == BACKGROUND)


class Match(NamedTuple):
    """Sessions of one line-up: who plays each seat."""

    sessions: Sessions
    policies: tuple[Policy | tuple[Policy, ...], ...]  # per seat: one, or one per run
    which: Ints  # (N, B) number of the policy that each session plays


def lineup_name(policies: Sequence[str | Policy]) -> str:
    """Return the names of the seats' policies, joined by ' + '."""
    return " + ".join(p if isinstance(p, str) else type(p).__name__ for p in policies)


def seated(given: Given, game: Game[Any], scenario: Scenario) -> Lineup:
    """Return who sits where.

    Args:
        given: a single policy plays the focal seats where the scenario has backgrounds, else
            all; a sequence names every seat. A learner by name has the scenario's options.
        game: the scenario's.
        scenario: what is played.

    Raises:
        ValueError: If there is not one policy per seat, backgrounds are named elsewhere than in
            the background seats, or a name is unknown.
    """
    from stratagem.players import player

    seats = range(len(game.agents))
    if isinstance(given, str) or not isinstance(given, Sequence):
        behind = scenario.background_seats if scenario.backgrounds else ()
        given = [BACKGROUND if seat in behind else given for seat in seats]
    if len(given) != len(seats):
        raise ValueError(f"policies must be one or {len(seats)}, got {len(given)}")
    names = tuple(p if isinstance(p, str) else type(p).__name__ for p in given)
    scenario.check_lineup(names)
    policies = {}
    for seat, one in enumerate(given):
        if names[seat] == BACKGROUND:
            continue
        options = scenario.options(one) if isinstance(one, str) else {}
        policies[seat] = player(one, game, seat, **options)
        if seat in scenario.focal_seats:
            space = game.observation_spaces[seat]
            policies[seat] = blinkered(policies[seat], scenario.observations, space)
    learning = frozenset(s for s, policy in policies.items() if learns(policy) or trains(policy))
    return Lineup(names, policies, learning)


def training_lineup(lineup: Lineup, game: Game[Any], scenario: Scenario) -> list[Policy]:
    """Return one policy per seat: those of the line-up, and a draw of train backgrounds.

    Raises:
        ValueError: If the line-up needs train backgrounds, and there are none.
    """
    behind = lineup.behind
    if behind and not scenario.train_backgrounds:
        raise ValueError(f"{scenario.id} has no train_backgrounds, so {lineup.name} cannot learn")
    drawn = [seat_background(game, behind, one) for one in scenario.train_backgrounds if behind]
    mixed = {
        seat: Mixture(policies=tuple(one[k] for one in drawn), lead=behind[0])
        for k, seat in enumerate(behind)
    }
    return [{**lineup.policies, **mixed}[seat] for seat in range(len(lineup.names))]


def matches(
    lineup: Lineup,
    game: Game[Any],
    scenario: Scenario,
    indices: list[int],
    leading: list[int],
    training: Training | None,
) -> Iterator[Match]:
    """Yield a line-up by itself or across runs, or an agent against each background.

    Args:
        lineup: who sits where.
        game: the scenario's.
        scenario: what is played.
        indices: seed indices, in the order of the training's runs.
        leading: those whose run plays seat 0.
        training: of the line-up's learners; None if it has none.
    """
    frozen: dict[int, Policy | tuple[Policy, ...]] = {
        seat: training.policies[seat] if training and seat in lineup.learning else policy
        for seat, policy in lineup.policies.items()
    }
    across = scenario.cross_play and not lineup.behind and len(lineup.learning) > 1
    at, everyone = [indices.index(i) for i in leading], range(len(indices))
    cells = [(i, j) for i in at for j in (everyone if across else (i,))]
    which = np.array(cells).T[[int(seat > 0) for seat in range(len(lineup.names))]]
    runs = np.array(indices)[which]
    pairing = np.where(which[0] == which[-1], "self", "cross")
    all_seats = tuple(range(len(lineup.names)))
    met = [(indices[i], indices[j]) for i, j in cells]
    if not lineup.behind:
        own = (
            roots(scenario.id, f"meet {lineup.name}", met)
            if lineup.learning
            else roots(scenario.id, "play", leading)
        )
        sessions = Sessions(lineup.name, lineup.names, all_seats, "", own, runs, pairing)
        yield Match(sessions, tuple(frozen[seat] for seat in all_seats), which)
        return
    for split, background in scenario.backgrounds:
        rivals = seat_background(game, lineup.behind, background)
        other = dict(zip(lineup.behind, rivals, strict=True))
        names, label = list(lineup.names), list(lineup.names)
        for seat, name in zip(lineup.behind, background, strict=True):
            names[seat], label[seat] = name, f"{BACKGROUND}:{name}"
        own = roots(scenario.id, f"{split} against {lineup_name(background)}", leading)
        sessions = Sessions(
            lineup_name(label), tuple(names), scenario.focal_seats, split, own, runs, pairing
        )
        yield Match(sessions, tuple({**frozen, **other}[seat] for seat in all_seats), which)


def played(match: Match, game: Game[Any], scenario: Scenario) -> Trajectory:
    """Play sessions."""
    return play_each(
        game,
        match.policies,
        match.which,
        seeds=match.sessions.roots,
        num_steps=scenario.periods,
        max_episode_steps=scenario.limit,
    )
