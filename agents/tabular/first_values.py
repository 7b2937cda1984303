r"""First values of a table from what a game pays, in place of a number.

- "random_rivals": what each own action pays on average if the others play at random, for ever,
  $\frac{1}{1-\delta} \sum_{a_{-i}} u_i(a_i, a_{-i}) / |A_{-i}|$, whatever was seen.
- "benchmark:NAME" and "grim": what an action is worth at each observation if all seats, oneself
  included, afterwards play a benchmark's profile, or grim trigger: to cooperate if all
  cooperated in the last period, else to punish.

Source: E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
algorithmic pricing, and collusion*, AER 110(10), section II and, for all but the first, the code
of the online appendix.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game
from stratagem.envs.decisions import problem
from stratagem.envs.lookup import joint_strides
from stratagem.envs.planning import evaluate
from stratagem.envs.spaces import size
from stratagem.envs.tabular import RepeatedTable, num_states, own_index, spread, tabulate


def first_values(game: Game[Any], seat: int, name: str, discount: float) -> Floats:
    """Return first values by name: (n,), one per action, or (V, n), by own observation.

    Args:
        game: the game.
        seat: index of the agent.
        name: "random_rivals", "grim" or "benchmark:NAME"; see the module docstring.
        discount: delta, in [0, 1].

    Raises:
        ValueError: If the name is unknown, or the game has no such values.
    """
    if name == "random_rivals":
        return against_random_rivals(game, seat, discount)
    if name == "grim":
        return as_if_played(game, seat, grim_trigger(game), discount)
    kind, _, which = name.partition(":")
    found = game.benchmarks() if kind == "benchmark" else {}
    if which not in found or (profile := found[which].strategies) is None:
        raise ValueError(
            "start must be numbers, 'random_rivals', 'grim' or 'benchmark:NAME' with a profile "
            f"of the game's own actions, got {name!r}"
        )
    return as_if_played(game, seat, profile, discount)


def against_random_rivals(game: Game[Any], seat: int, discount: float) -> Floats:
    """Return what each own action pays for ever against play at random, (n,).

    Raises:
        ValueError: If the game is not repeated, or the sum would be unbounded.
    """
    stage = game.stage()
    if stage is None:
        raise ValueError(f"first values against random rivals need a repeated game, got {game!r}")
    weight = discount * stage.continuation
    if weight == 1:
        raise ValueError(f"discount must be below 1 where a game never ends, got {discount}")
    payoffs = stage.payoffs[seat].reshape([size(space) for space in game.action_spaces])
    others = tuple(i for i in range(payoffs.ndim) if i != seat)
    return np.asarray(payoffs.mean(axis=others) / (1 - weight))


def as_if_played(
    game: Game[Any], seat: int, strategies: Sequence[Floats], discount: float
) -> Floats:
    """Return the value of each own action if strategies are played afterwards, (V, n).

    An observation that never occurs has zeros.

    Args:
        game: a game that can be tabulated.
        seat: index of the agent.
        strategies: per agent (V, n) action probabilities by own observation, or one row.
        discount: delta, in [0, 1].

    Raises:
        ValueError: If the sum would be unbounded, or the seat's observation does not settle
            the values.
    """
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    after = evaluate(game, strategies, discount=discount)[seat]
    profile: list[Floats | None] = list(spread(game, table, strategies))
    profile[seat] = None
    model = problem(table, profile, counts)
    worth = model.rewards[seat] + discount * (model.chain @ after).reshape(-1, counts[seat])
    views = own_index(game, table, seat)
    found = np.zeros((size(game.observation_spaces[seat]), counts[seat]))
    found[views] = worth
    if not np.allclose(found[views], worth, rtol=0, atol=1e-9):
        raise ValueError(
            f"what {game.agents[seat]} of {type(game).__name__} sees does not settle what its "
            "actions are worth"
        )
    return found


def grim_trigger(game: Game[Any]) -> list[Floats]:
    """Return each seat's strategy (V, n): cooperate if all last did, else punish.

    Raises:
        ValueError: If the game is not a repeated one that is remembered, or has no
            cooperative and punishing actions.
    """
    table = tabulate(game)
    conducts = [game.conduct(seat) for seat in range(len(game.agents))]
    known = [conduct for conduct in conducts if conduct is not None]
    total = num_states(table)
    if len(known) < len(conducts) or not isinstance(table, RepeatedTable) or total == 1:
        raise ValueError(
            "grim trigger needs a repeated game with memory whose seats have a cooperative and "
            f"a punishing action, got {game!r}"
        )
    calm = joint_strides(table) @ [conduct.cooperate for conduct in known]
    last = np.arange(total) % table.actions.shape[1]
    found = []
    for seat, conduct in enumerate(known):
        actions = np.eye(size(game.action_spaces[seat]))
        rows = np.tile(actions[conduct.punish], (size(game.observation_spaces[seat]), 1))
        rows[own_index(game, table, seat)[last == calm]] = actions[conduct.cooperate]
        found.append(rows)
    return found
