"""How the strategies of the repeated prisoner's dilemma are built for a seat of a game."""

from typing import Any

import numpy as np

from stratagem.agents.scripted.extortion import extortion
from stratagem.agents.scripted.generous_tit_for_tat import generous_tit_for_tat, most_generosity
from stratagem.agents.scripted.memory_one import memory_one
from stratagem.envs.core import Conduct, Floats, Game, Policy
from stratagem.envs.spaces import size
from stratagem.envs.tabular import strategy_of


def conduct_of(game: Game[Any], seat: int, name: str) -> Conduct:
    """Return what cooperating and punishing mean to a seat.

    Raises:
        ValueError: If they mean nothing.
    """
    conduct = game.conduct(seat)
    if conduct is None:
        raise ValueError(
            f"{name} needs a cooperative and a punishing action; "
            f"{type(game).__name__} names none for {game.agents[seat]}"
        )
    return conduct


def stances_paid(game: Game[Any], seat: int, name: str) -> tuple[Floats, Floats]:
    """Return what a seat and the other are paid after each pair of stances, (4,) each.

    The order is both cooperated, only oneself, only the other, nobody.

    Raises:
        ValueError: If the game is not of two seats with two actions each and known payoffs.
    """
    payoffs = getattr(game, "stage_payoffs", None)
    if payoffs is None or payoffs.shape != (2, 1, 2, 2):
        raise ValueError(
            f"{name} needs two players with two actions each and known payoffs, which "
            f"{type(game).__name__} does not have here"
        )
    mine, other = conduct_of(game, seat, name), conduct_of(game, 1 - seat, name)
    own = np.array([mine.cooperate, mine.cooperate, mine.punish, mine.punish])
    its = np.array([other.cooperate, other.punish, other.cooperate, other.punish])
    joint = (own, its) if seat == 0 else (its, own)
    return payoffs[seat, 0][joint], payoffs[1 - seat, 0][joint]


def five_of(policy: Policy, game: Game[Any], seat: int) -> Floats:
    """Return the chances (5,) with which a policy cooperates, as `solvers.memory_one` has them.

    Args:
        policy: one without memory, for a game whose observations are the last round alone, or
            that there was none.
        game: the game.
        seat: index of the agent.

    Raises:
        ValueError: If the policy has memory, or the game shows something else.
    """
    name = "a strategy of five numbers"
    conduct, space = conduct_of(game, seat, name), game.observation_spaces[seat]
    if size(space) != 9 or conduct.blank is None:
        raise ValueError(
            f"{name} needs observations of the last round of two players alone, and an empty "
            f"history at first, got {space}"
        )
    chance = strategy_of(policy, game, seat)[:, conduct.cooperate]
    return np.asarray(chance[[4, 5, 7, 8, 0]])  # as own and other's actions, counted from 1


def build_memory_one(game: Game[Any], seat: int, text: str) -> Policy:
    """Return `memory_one:CC/CD/DC/DD/FIRST`."""
    name = f"memory_one:{text}"
    chances = [_number(name, "a chance", part) for part in text.split("/")]
    if len(chances) != 5:
        raise ValueError(f"{name} must be written 'memory_one:CC/CD/DC/DD/FIRST'")
    conduct = conduct_of(game, seat, "memory_one")
    n = size(game.action_spaces[seat])
    return memory_one(conduct, chances[:4], first=chances[4], num_actions=n)


def build_extortion(game: Game[Any], seat: int, text: str) -> Policy:
    """Return `extortion:CHI` or `extortion:CHI:PHI`, which begins with cooperation."""
    name = f"extortion:{text}"
    chi, colon, phi = text.partition(":")
    own, other = stances_paid(game, seat, "extortion")
    speed = _number(name, "PHI", phi) if colon else None
    chances = extortion(own, other, _number(name, "CHI", chi), speed)
    return memory_one(conduct_of(game, seat, "extortion"), chances.tolist())


def build_generous(game: Game[Any], seat: int, text: str | None = None) -> Policy:
    """Return `generous_tit_for_tat`, or with a generosity `generous_tit_for_tat:G`."""
    name = "generous_tit_for_tat"
    conduct = conduct_of(game, seat, name)
    if text is None:
        generosity = most_generosity(stances_paid(game, seat, name)[0])
    else:
        generosity = _number(f"{name}:{text}", "G", text)
    return generous_tit_for_tat(conduct, generosity, num_actions=size(game.action_spaces[seat]))


def _number(name: str, what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must have a number for {what}, got {text!r}") from None
