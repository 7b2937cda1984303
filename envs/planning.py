"""Exact values of finite games: policy evaluation and best response by dynamic programming."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Floats, Game
from .decisions import legal_actions, problem, reachable, refuse_endless, solve
from .responses import respond
from .spaces import size
from .tabular import num_states, own_index, spread, tabulate


class Response(NamedTuple):
    """What one agent gains from its best response, and how it was found.

    Attributes:
        payoffs: of every agent from the start of an episode, (N,).
        strategy: (V, n) probabilities by the index of the responder's own observation; None
            where the best response needs the whole history. Rows never met are uniform.
        nodes: number of observations or beliefs that the dynamic program ran over.
        method: "observations" or "beliefs".
    """

    payoffs: Floats
    strategy: Floats | None
    nodes: int
    method: str


def check_discount(discount: float) -> None:
    """Raise if a discount is not in [0, 1]."""
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount}")


def evaluate(game: Game[Any], strategies: Sequence[Floats], *, discount: float = 1.0) -> Floats:
    """Return the value of every state of the game's table to every agent, shape (N, S).

    Args:
        game: a game that can be tabulated.
        strategies: per agent (V, n) action probabilities by own observation, or one row.
        discount: weight of the next period, in [0, 1]; 1 sums until the game ends.

    Raises:
        ValueError: If a strategy is malformed, or the sum would be unbounded.
    """
    check_discount(discount)
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    model = problem(table, spread(game, table, strategies), counts)
    if discount == 1:
        live = reachable(model.chain, table, 1)
        usable = live[:, None]
        refuse_endless(model.chain, usable, game)
    return np.ascontiguousarray(
        solve(model.chain, np.ascontiguousarray(model.rewards[..., 0].T), discount).T
    )


def payoffs(game: Game[Any], strategies: Sequence[Floats], *, discount: float = 1.0) -> Floats:
    """Return each agent's expected (discounted) sum of rewards from the start, (N,)."""
    table = tabulate(game)
    values = evaluate(game, strategies, discount=discount)
    return np.asarray(values[:, table.initial] @ table.initial_chance)


def expected_periods(game: Game[Any], strategies: Sequence[Floats]) -> float:
    """Return the expected number of periods of an episode under fixed strategies.

    Raises:
        ValueError: If a strategy is malformed, or the game need not end.
    """
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    model = problem(table, spread(game, table, strategies), counts)
    refuse_endless(model.chain, reachable(model.chain, table, 1)[:, None], game)
    length = solve(model.chain, np.ones(num_states(table)), 1.0)
    return float(length[table.initial] @ table.initial_chance)


def best_response(
    game: Game[Any],
    seat: int,
    strategies: Sequence[Floats | None],
    *,
    discount: float = 1.0,
    max_beliefs: int = 20_000,
) -> Response:
    """Return one agent's best response to fixed strategies of the others.

    The responder conditions on its own observations and actions, never on hidden state.
    Where its observation settles everything that matters (the state, or classes of states
    with equal rewards and equal chances of what it sees next), this is policy iteration
    over observations (R. Howard, 1960, *Dynamic programming and Markov processes*). Else it
    runs over the beliefs that its history can lead to (K. Astrom, 1965, *Optimal control of
    Markov processes with incomplete state information*, JMAA 10). Rewards are not taken for
    observations: a game in which a payoff informs its owner shows it in the observation.

    Args:
        game: a game that can be tabulated.
        seat: index of the responder; its entry of `strategies` is ignored.
        strategies: per agent (V, n) or (1, n) probabilities by its own observation.
        discount: weight of the next period, in [0, 1].
        max_beliefs: most beliefs to enumerate.

    Raises:
        ValueError: If the sum would be unbounded, or there are more than `max_beliefs`.
    """
    check_discount(discount)
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    n = counts[seat]
    given = [np.full((1, k), 1 / k) if i == seat else strategies[i] for i, k in enumerate(counts)]
    profile: list[Floats | None] = list(spread(game, table, given))  # type: ignore[arg-type]
    profile[seat] = None
    model, views = problem(table, profile, counts), own_index(game, table, seat)
    plan = respond(
        game,
        table,
        model,
        seat,
        views,
        legal_actions(table, seat, n),
        discount=discount,
        max_beliefs=max_beliefs,
        track=False,
    )
    strategy = None
    if plan.method == "observations":
        strategy = np.full((size(game.observation_spaces[seat]), n), 1 / n)
        met = plan.actions >= 0
        strategy[views[met]] = np.eye(n)[plan.actions[met]]
    return Response(plan.payoffs, strategy, plan.nodes, plan.method)
