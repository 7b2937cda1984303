"""Policies by name: the one place where games and agents are both known."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from stratagem.agents.bandits.aae import AAE
from stratagem.agents.bandits.epsilon_greedy import EpsilonGreedy
from stratagem.agents.bandits.exp3 import EXP3
from stratagem.agents.bandits.exp3_losses import EXP3Losses
from stratagem.agents.bandits.thompson import Thompson
from stratagem.agents.bandits.ucb1 import UCB1
from stratagem.agents.commitment.mimic import mimic
from stratagem.agents.coordination.relabelled import Relabelled
from stratagem.agents.no_regret.blum_mansour import BlumMansour
from stratagem.agents.no_regret.fictitious_play import FictitiousPlay
from stratagem.agents.no_regret.hedge import Hedge
from stratagem.agents.no_regret.optimistic_hedge import OptimisticHedge
from stratagem.agents.no_regret.regret_matching import RegretMatching
from stratagem.agents.policy_gradient.reinforce import Reinforce
from stratagem.agents.sb3.policy import load
from stratagem.agents.sb3.trainer import SB3Trainer
from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.agents.scripted.grim import Grim
from stratagem.agents.scripted.random_play import Random
from stratagem.agents.scripted.tit_for_tat import tit_for_tat
from stratagem.agents.scripted.win_stay_lose_shift import win_stay_lose_shift
from stratagem.agents.tabular.boltzmann_q import BoltzmannQ
from stratagem.agents.tabular.first_values import first_values
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.agents.tabular.sarsa import Sarsa
from stratagem.agents.tabular.successors import successors
from stratagem.envs.core import Floats, Game, Policy, learns, never_ends
from stratagem.envs.hindsight import hindsight
from stratagem.envs.relabelling import Symmetric
from stratagem.envs.spaces import nothing_to_see, size
from stratagem.envs.tabular import ExplicitTable, tabulate

from . import axelrod, bargaining, committing, dilemmas, harvesting, serving
from .dilemmas import conduct_of
from .transforming import transformed


def _count(game: Game[Any], seat: int, name: str) -> int:
    space = game.action_spaces[seat]
    if not isinstance(space, Discrete):
        raise ValueError(f"{name} needs a Discrete action space, got {space}")
    return int(space.n)


def _random(game: Game[Any], seat: int) -> Policy:
    return Random(_count(game, seat, "random"))


def _fixed(game: Game[Any], seat: int, action: str) -> Policy:
    n = _count(game, seat, "fixed")
    if not action.isdecimal() or int(action) >= n:
        raise ValueError(f"fixed:K needs an action from 0 to {n - 1}, got fixed:{action}")
    return fixed(int(action))


def _benchmark(game: Game[Any], seat: int, name: str) -> Policy:
    found = game.benchmarks()
    playable = [key for key, b in found.items() if b.strategies is not None]
    if name not in playable:
        why = "is no profile of the game's own actions" if name in found else "is unknown"
        raise ValueError(f"benchmark {name!r} {why}; playable are {', '.join(playable) or 'none'}")
    strategies = found[name].strategies
    assert strategies is not None
    return follow(strategies[seat], game.observation_spaces[seat])


def _other_play(game: Game[Any], seat: int) -> Policy:
    if "other_play" not in game.benchmarks():
        raise ValueError(
            "other_play needs a game that knows its best policy for strangers, a benchmark "
            f"other_play; {type(game).__name__} does not"
        )
    return _benchmark(game, seat, "other_play")


def _relabelled(
    game: Game[Any], seat: int, *, learner: str = "q_learning", **options: Any
) -> Policy:
    _count(game, seat, "relabelled")
    if not isinstance(game, Symmetric):
        raise ValueError(
            f"relabelled needs a game that knows its symmetries; {type(game).__name__} does not"
        )
    inner: Any = player(learner, game, seat, **options)
    if not learns(inner):
        raise ValueError(f"learner must be the name of one that we step, got {learner!r}")
    return Relabelled(
        learner=inner,
        observation_space=game.observation_spaces[seat],
        relabellings=game.relabellings(seat),
    )


def _tabular(name: str, learner: Callable[..., Policy]) -> Callable[..., Policy]:
    """Return the builder of a learner with a row per observation; one row without `contexts`."""

    def build(game: Game[Any], seat: int, *, contexts: bool = True, **options: Any) -> Policy:
        n, endless = _count(game, seat, name), never_ends(game)
        synchronous = learner is QLearning and options.pop("synchronous", False)
        options = {"discount": 0.95 if endless else 1.0, **options}
        if learner is Reinforce and endless:
            options.setdefault("batch", 100)
        space = game.observation_spaces[seat] if contexts else nothing_to_see()
        try:
            size(space)
        except ValueError as error:
            raise ValueError(f"{name} keeps a row per observation: {error}") from None
        if isinstance(how := options.get("start"), str):
            if not contexts and how != "random_rivals":
                raise ValueError(f"start must be numbers or 'random_rivals' here, got {how!r}")
            options["start"] = first_values(game, seat, how, options["discount"])
        if synchronous:
            options["feedback"] = hindsight(game, seat)
            options["successors"] = successors(game, seat) if contexts else None
        try:
            return learner(observation_space=space, num_actions=n, **options)
        except TypeError as error:
            raise ValueError(f"options {options} of {name} are not allowed: {error}") from None

    return build


def _payoff_range(game: Game[Any], seat: int, name: str) -> tuple[float, float]:
    """Return the lowest and highest own reward from one play to the next, apart by 1 if equal."""
    stage = game.stage()
    try:
        table = tabulate(game) if stage is None else None
    except ValueError as error:
        raise ValueError(f"{name} needs the options low and high here: {error}") from None
    if isinstance(table, ExplicitTable) and game.takes_turns:
        low, high = (
            sign * float(_most_until_next_turn(game, table, seat, sign).max()) for sign in (-1, 1)
        )
        if not np.isfinite([low, high]).all():
            raise ValueError(f"{name} needs the options low and high here: a play may pay for ever")
    else:
        paid = stage.payoffs[seat] if stage is not None else table.rewards[seat]  # type: ignore[union-attr]
        low, high = float(paid.min()), float(paid.max())
    return low, high if high > low else low + 1


def _most_until_next_turn(game: Game[Any], table: ExplicitTable, seat: int, sign: int) -> Floats:
    """Return the most that a play pays, by the state of the play, until one may play again.

    Args:
        game: a game in which seats wait.
        table: its states.
        seat: index of the agent.
        sign: 1, or -1 to have losses instead; an episode may be cut short at any time.
    """
    movers = game.movers(table.states)
    assert movers is not None
    over = table.terminated | movers[seat][table.successors]
    paid, most = sign * table.rewards[seat], np.zeros(len(over))
    for _ in range(len(over) + 1):
        later = np.where(over, 0.0, np.maximum(most, 0.0)[table.successors])
        most, old = (paid + later).max(axis=(1, 2)), most
        if np.array_equal(most, old):
            return np.asarray(most[movers[seat]])
    return np.array([np.inf])


def _bandit(name: str, learner: Callable[..., Policy]) -> Callable[..., Policy]:
    """Return the builder of a bandit, whose payoff range is by default that of a period."""

    def build(game: Game[Any], seat: int, *, contexts: bool = False, **options: Any) -> Policy:
        n = _count(game, seat, name)
        if not {"low", "high"} <= set(options):
            low, high = _payoff_range(game, seat, name)
            options = {"low": low, "high": high, **options}
        if contexts:
            options["observation_space"] = game.observation_spaces[seat]
        try:
            return learner(num_actions=n, **options)
        except TypeError as error:
            raise ValueError(f"options {options} of {name} are not allowed: {error}") from None

    return build


def _no_regret(name: str, learner: Callable[..., Policy], *, ranged: bool) -> Callable[..., Policy]:
    """Return the builder of a learner with full feedback; `ranged` ones know the payoffs' range."""

    def build(game: Game[Any], seat: int, *, contexts: bool = False, **options: Any) -> Policy:
        n = _count(game, seat, name)
        try:
            feedback = hindsight(game, seat)
        except ValueError as error:
            raise ValueError(
                f"{name} learns from the payoffs of all its actions: {error}"
            ) from None
        known: dict[str, Any] = {"num_actions": n, "feedback": feedback}
        if ranged:
            known |= {"low": feedback.low, "high": feedback.high}
        if contexts:
            known["observation_space"] = game.observation_spaces[seat]
        try:
            return learner(**known, **options)
        except TypeError as error:
            raise ValueError(f"options {options} of {name} are not allowed: {error}") from None

    return build


def _sb3(algorithm: str) -> Callable[..., Policy]:
    """Return what builds the trainer of an algorithm from options of either."""

    def build(game: Game[Any], seat: int, **options: Any) -> Policy:
        del seat
        own = {field.name for field in fields(SB3Trainer)} - {"algorithm", "options"}
        kwargs = {name: options.pop(name) for name in own & set(options)}
        kwargs.setdefault("discount", 0.95 if never_ends(game) else 1.0)
        return SB3Trainer(algorithm=algorithm, options=options, **kwargs)

    return build


def _model(path: str, game: Game[Any], seat: int, **options: Any) -> Policy:
    if not Path(path).is_file():
        raise ValueError(f"there is no model {path!r}")
    if unknown := set(options) - {"deterministic"}:
        raise ValueError(f"a model takes the option deterministic alone, got {sorted(unknown)}")
    return load(path, game, seat, **options)


def _mimic(game: Game[Any], seat: int, text: str) -> Policy:
    kind, _, name = text.partition(":")
    if not kind.isdecimal() or not name:
        raise ValueError(f"mimic must be written 'mimic:TYPE:NAME', got 'mimic:{text}'")
    committing.check_typed(game, seat, "mimic")
    return mimic(player(name, game, seat), int(kind), game.observation_spaces[seat])


class Entry(NamedTuple):
    """One name."""

    build: Callable[..., Policy]
    """From game and seat, the text after the colon if there is any, and options."""
    about: str
    argument: str = ""
    """What stands after the colon of the name, such as K; empty if nothing does."""
    learns: bool = False
    """Whether it is a learner, which takes its hyper-parameters as options."""
    optional: bool = False
    """Whether the argument may be left out."""


PLAYERS: Mapping[str, Entry] = {
    "random": Entry(_random, "every legal action alike"),
    "fixed": Entry(_fixed, "always action K", "K"),
    "tit_for_tat": Entry(
        lambda game, seat: tit_for_tat(conduct_of(game, seat, "tit_for_tat")),
        "cooperate if all others last did",
    ),
    "grim": Entry(
        lambda game, seat: Grim(conduct_of(game, seat, "grim")),
        "cooperate until another once did not",
    ),
    "win_stay_lose_shift": Entry(
        lambda game, seat: win_stay_lose_shift(conduct_of(game, seat, "win_stay_lose_shift")),
        "cooperate if all last did the same",
    ),
    "memory_one": Entry(
        dilemmas.build_memory_one,
        "cooperates with a chance by the last round",
        "CC/CD/DC/DD/FIRST",
    ),
    "generous_tit_for_tat": Entry(
        dilemmas.build_generous, "tit for tat that forgives with a chance", "G", optional=True
    ),
    "extortion": Entry(
        dilemmas.build_extortion, "takes CHI times what the other gains over punishment", "CHI"
    ),
    "axelrod": Entry(axelrod.build, "a strategy of the Axelrod library", "NAME"),
    "benchmark": Entry(_benchmark, "a solver's profile", "NAME"),
    "universaliser": Entry(
        harvesting.build_universaliser, "takes of a stock what keeps it as it is, if all take alike"
    ),
    "threshold_harvester": Entry(
        harvesting.build_threshold, "takes its part of what a stock has above TONS", "TONS"
    ),
    "greedy_harvester": Entry(harvesting.build_greedy, "takes of a stock as much as it can"),
    "other_play": Entry(_other_play, "the best for strangers who share no names"),
    "q_learning": Entry(
        _tabular("q_learning", QLearning), "a tabular Q-learner that goes on learning", learns=True
    ),
    "sarsa": Entry(
        _tabular("sarsa", Sarsa),
        "tabular values of what it does, exploration included",
        learns=True,
    ),
    "boltzmann_q": Entry(
        _tabular("boltzmann_q", BoltzmannQ),
        "a tabular Q-learner that explores at a falling temperature",
        learns=True,
    ),
    "reinforce": Entry(
        _tabular("reinforce", Reinforce),
        "a softmax policy that climbs the gradient of its return",
        learns=True,
    ),
    "hedge": Entry(
        _no_regret("hedge", Hedge, ranged=True),
        "exponential weights on what each action would have paid",
        learns=True,
    ),
    "optimistic_hedge": Entry(
        _no_regret("optimistic_hedge", OptimisticHedge, ranged=True),
        "exponential weights that expect the last payoffs again",
        learns=True,
    ),
    "regret_matching": Entry(
        _no_regret("regret_matching", RegretMatching, ranged=False),
        "each action in proportion to its regret",
        learns=True,
    ),
    "fictitious_play": Entry(
        _no_regret("fictitious_play", FictitiousPlay, ranged=False),
        "the best reply to all the others have played",
        learns=True,
    ),
    "blum_mansour": Entry(
        _no_regret("blum_mansour", BlumMansour, ranged=True),
        "no swap regret: one exponential weights per action",
        learns=True,
    ),
    "exp3": Entry(
        _bandit("exp3", EXP3), "exponential weights on its own payoffs alone", learns=True
    ),
    "exp3_losses": Entry(
        _bandit("exp3_losses", EXP3Losses),
        "the same on its losses, without uniform exploration",
        learns=True,
    ),
    "ucb1": Entry(_bandit("ucb1", UCB1), "the highest upper confidence bound", learns=True),
    "aae": Entry(_bandit("aae", AAE), "active arms in turn, until they must be worse", learns=True),
    "thompson": Entry(
        _bandit("thompson", Thompson), "the highest draw from the posterior", learns=True
    ),
    "epsilon_greedy": Entry(
        _bandit("epsilon_greedy", EpsilonGreedy), "the best mean, or any action", learns=True
    ),
    "bb_pull": Entry(
        transformed("bb_pull"), "bandit NAME, each arm until it is heard of", "NAME", learns=True
    ),
    "bb_divide": Entry(
        transformed("bb_divide"), "bandit NAME, told once per block of pulls", "NAME", learns=True
    ),
    "bonus_pulls": Entry(
        transformed("bonus_pulls"), "the same, one more pull per loss observed", "NAME", learns=True
    ),
    "missing_as_zero": Entry(
        transformed("missing_as_zero"),
        "bandit NAME, which takes silence for 0",
        "NAME",
        learns=True,
    ),
    "relabelled": Entry(
        _relabelled, "the learner of that option, under names drawn anew each episode", learns=True
    ),
    "commit": Entry(committing.build_commit, "every action drawn from one mix", "P/P/..."),
    "stackelberg": Entry(
        committing.build_stackelberg, "the best commitment in the game of its own signal"
    ),
    "perturbed": Entry(
        committing.build_perturbed, "the same, a share of it away from ties", "SHARE"
    ),
    "concede": Entry(
        committing.build_concede, "the answer to the other's best commitment by its own signal"
    ),
    "stubborn": Entry(
        committing.build_stubborn, "the commitment of the game it likes best, whatever its signal"
    ),
    "mimic": Entry(_mimic, "plays NAME as if its signal were TYPE", "TYPE:NAME"),
    "schedule": Entry(
        committing.build_schedule,
        "one mix for a share of T periods, then another",
        "T:SHARE@P/P+...",
    ),
    "threat": Entry(
        committing.build_threat, "the best joint play the other can be threatened into"
    ),
    "myopic": Entry(serving.build_myopic, "the content that pays most at once"),
    "climb_and_hold": Entry(
        serving.build_climb, "satisfies users up to a level, then keeps them there", "LEVEL"
    ),
    "best_plan": Entry(serving.build_best, "the optimum, counting satisfaction where it is hidden"),
    "threshold": Entry(
        bargaining.build_threshold, "accepts demands up to SHARE, whatever a war costs", "SHARE"
    ),
    "bayesian_proposer": Entry(
        bargaining.build_proposer, "the best demand against what it believes of war", learns=True
    ),
    "explore_then_commit": Entry(
        committing.build_explore, "tries its commitments, keeps what is answered well", learns=True
    ),
    "commitment_queries": Entry(
        committing.build_queries, "bisects the mixes by the answers they get", learns=True
    ),
    "calibrated": Entry(
        committing.build_calibrated, "the best answer to a calibrated forecast", learns=True
    ),
    "ppo": Entry(_sb3("PPO"), "PPO of stable-baselines3, trained and frozen", learns=True),
    "a2c": Entry(_sb3("A2C"), "A2C of stable-baselines3, trained and frozen", learns=True),
    "dqn": Entry(_sb3("DQN"), "DQN of stable-baselines3, trained and frozen", learns=True),
    "maskable_ppo": Entry(
        _sb3("MaskablePPO"), "PPO of sb3-contrib, which knows what is legal", learns=True
    ),
}
"""What each name builds and plays."""


def imported(name: str) -> Any:
    """Return what "package.module:attribute" names.

    Raises:
        ValueError: If the module cannot be imported or has no such attribute.
    """
    module, _, attribute = name.partition(":")
    try:
        found = import_module(module)
    except (ImportError, TypeError, ValueError) as error:
        raise ValueError(f"cannot import {module!r}, named by {name!r}: {error}") from error
    if not hasattr(found, attribute):
        raise ValueError(f"module {module!r} has no attribute {attribute!r}, named by {name!r}")
    return getattr(found, attribute)


def _there(module: str) -> bool:
    return find_spec(module.partition(".")[0]) is not None


def _is_policy(value: Any) -> bool:
    return not isinstance(value, type) and (
        callable(getattr(value, "fit", None))
        or (callable(getattr(value, "init", None)) and callable(getattr(value, "act", None)))
    )


def _own(name: str, game: Game[Any], seat: int) -> Policy:
    """Return the user's own policy: the named object, or what it returns for game and seat."""
    found = imported(name)
    if not _is_policy(found) and callable(found):
        found = found(*_arguments(name, found, game, seat))
    if not _is_policy(found):
        raise ValueError(
            f"{name!r} must be a policy with init and act, or a function of (game, seat) that "
            f"returns one, got {found!r}"
        )
    policy: Policy = found
    return policy


def _arguments(name: str, build: Callable[..., Any], game: Game[Any], seat: int) -> tuple[Any, ...]:
    """Return what a function or class of the user's takes: game and seat, or nothing."""
    signature = inspect.signature(build)
    for given in ((game, seat), ()):
        try:
            signature.bind(*given)
        except TypeError:
            continue
        return given
    raise ValueError(f"{name!r} must be called with (game, seat) or with nothing, got {signature}")


def player(policy: str | Policy, game: Game[Any], seat: int, **options: Any) -> Policy:
    """Return a policy for one seat of a game.

    Args:
        policy: a policy, returned as it is; or a name of `PLAYERS`, such as "tit_for_tat",
            "fixed:3" or "benchmark:grid_nash_low"; or "package.module:attribute", which is a
            policy, or a function or class that returns one, called with game and seat, or, if
            it does not take them, with nothing;
            or the path of a model of stable-baselines3, which ends in ".zip".
        game: the game.
        seat: index of the agent.
        **options: hyper-parameters of a learner. A discount is .95 by default where the game
            never ends by itself, else 1.

    Raises:
        ValueError: If the name or an option is unknown, or the game does not support it.
    """
    if not isinstance(policy, str):
        if not (callable(getattr(policy, "init", None)) and callable(getattr(policy, "act", None))):
            raise ValueError(f"a policy must have init and act, got {policy!r}")
        return policy
    if policy.endswith(".zip"):
        return _model(policy, game, seat, **options)
    name, colon, argument = policy.partition(":")
    if name not in PLAYERS:
        near = get_close_matches(name, PLAYERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PLAYERS)}"
        if not argument or (near and not _there(name)):
            raise ValueError(f"unknown player {policy!r}; {hint}")
        if options:
            raise ValueError(f"player {policy!r} takes no options, got {sorted(options)}")
        return _own(policy, game, seat)
    entry = PLAYERS[name]
    if bool(colon) != bool(entry.argument) and not (entry.optional and not colon):
        raise ValueError(
            f"player {name!r} takes no argument, got {policy!r}"
            if colon
            else f"player {policy!r} must be written '{name}:{entry.argument}'"
        )
    if options and not entry.learns:
        raise ValueError(f"player {name!r} takes no options, got {sorted(options)}")
    return entry.build(game, seat, *([argument] if colon else []), **options)
