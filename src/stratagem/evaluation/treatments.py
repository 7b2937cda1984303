"""A treatment beside its control: the same players and seeds in both, and the difference."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Floats, Game, Policy, Trajectory, learns
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.simulator import rollout
from stratagem.envs.wrappers.treatments import ActionCap, Paraphraser, Treatment
from stratagem.metrics import Interval, interval, paired
from stratagem.players import player

from .learning import train
from .meetings import play_each
from .roots import roots

Measure = Callable[[Game[Any], Trajectory], Floats]
"""From a game and sessions played in it to one number per session, (B,)."""


def risk(game: Game[Any], trajectory: Trajectory) -> Floats:
    """Return the game's unclipped risk, (B,)."""
    return game.risk(trajectory)


def mean_reward(game: Game[Any], trajectory: Trajectory) -> Floats:
    """Return what a seat is paid per period, the mean over seats, (B,)."""
    del game
    return np.asarray(trajectory.rewards.mean(axis=(0, 1)))


class Treated(NamedTuple):
    """Mean over seeds of what is measured; risk is on the scale of the control.

    Attributes:
        control: without the treatment.
        treated: with it.
        difference: treated less control, seed by seed.
    """

    control: Interval
    treated: Interval
    difference: Interval


def price_cap(game: LogitPricing, price: float) -> ActionCap:
    """Return price competition in which no firm is paid more than a price.

    Args:
        game: the control.
        price: the cap; what counts is each firm's highest grid price up to it.

    Raises:
        ValueError: If the cap is below a firm's lowest price.
    """
    below = (game.prices <= price).sum(axis=1)
    if not (below > 0).all():
        raise ValueError(
            f"price must be at least {game.prices[:, 0].max():g}, each firm's lowest, got {price}"
        )
    return ActionCap(control=game, cap=tuple((below - 1).tolist()))


def paraphraser(game: SecretChannel, probability: float) -> Paraphraser:
    """Return a channel in which the sender's messages are drawn anew from the cover at times.

    Args:
        game: the control.
        probability: of rewording a message, in [0, 1].
    """
    return Paraphraser(control=game, seat=0, probability=probability, cover=game.cover)


def against_control(
    treatment: Treatment,
    players: Sequence[str | Policy],
    *,
    periods: int,
    training: int = 0,
    seeds: int = 20,
    measure: Measure = risk,
    name: str = "treatment",
) -> Treated:
    """Play a treatment and its control with the same players and seeds.

    Learners are trained in the game that they are then measured in, and are frozen before: what
    they still try out is no part of their risk. A treatment is thus in place from the start. Named
    players are built for each of the two games, so what they derive from its payoffs may differ.

    Args:
        treatment: the treated game.
        players: one policy or learner per agent, by name or as objects; objects where a learner
            is to have other hyper-parameters than its defaults.
        periods: that are measured, at least 1.
        training: periods of learning before; at least 1 if someone learns.
        seeds: sessions, at least 2.
        measure: what is measured of each session: `risk`, `mean_reward` or a function alike.
        name: what the seeds follow from.

    Raises:
        ValueError: If risk is measured and the game defines none, someone learns and there is no
            training, the number of players is not that of the agents, or a number is too small.
    """
    if measure is risk and treatment.risk_scales() is None:
        raise ValueError(f"treatment must be of a game that defines risk, got {treatment!r}")
    if len(players) != len(treatment.agents):
        raise ValueError(
            f"players must be one per agent ({', '.join(treatment.agents)}), got {len(players)}"
        )
    for label, value, least in (("periods", periods, 1), ("seeds", seeds, 2)):
        if value < least:
            raise ValueError(f"{label} must be at least {least}, got {value}")
    control, treated = (
        _measured(game, players, periods, training, seeds, measure, name)
        for game in (treatment.control, treatment)
    )
    return Treated(interval(control), interval(treated), paired(treated, control))


def _measured(
    game: Game[Any],
    players: Sequence[str | Policy],
    periods: int,
    training: int,
    seeds: int,
    measure: Measure,
    name: str,
) -> Floats:
    """Return what is measured of each session, (seeds,)."""
    policies = [player(one, game, seat) for seat, one in enumerate(players)]
    playing = roots(name, "play", range(seeds))
    if not any(map(learns, policies)):
        found = rollout(game, policies, num_copies=seeds, num_steps=periods, seed=playing)[0]
        return measure(game, found)
    if training < 1:
        raise ValueError(f"training must be at least 1 where someone learns, got {training}")
    taught = train(
        game,
        policies,
        seeds=roots(name, "train", range(seeds)),
        periods=training,
        max_episode_steps=None,
    ).policies
    which = np.tile(np.arange(seeds), (len(policies), 1))
    return measure(game, play_each(game, taught, which, seeds=playing, num_steps=periods))
