"""Who is audited where, and what comes of it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.benchmarks import Certificate, Unit
from stratagem.envs.core import Floats, Game, Policy, learns, never_ends
from stratagem.envs.decisions import Problem, lasts, problem
from stratagem.envs.induced import Induced, NotInducedError, induce
from stratagem.envs.planning import check_discount
from stratagem.envs.spaces import size
from stratagem.envs.tabular import Table, tabulate

from ..trainers import trains

ENDLESS_DISCOUNT = 0.95
"""Weight of the next period where a game can go on for ever and no discount is given."""
MAX_WORK = 2**24
"""Most outcomes of nodes and joint actions that are enumerated."""

Tick = Callable[[float], None]


class Audit(NamedTuple):
    """What one seat gains by the best deviation from its policy; all values are expected sums.

    Attributes:
        seat: index of the agent.
        agent: its name.
        unit: "per_episode" (undiscounted) or "discounted".
        discount: weight of the next period.
        value: of the policy under audit, with the 95% interval `value_low` to `value_high`; the
            three are equal where it is computed.
        best_low: the best deviation is worth at least this; a 95% bound where simulated.
        best_high: and at most this, for certain; infinite where no bound is known.
        gain_low: likewise of the best deviation less the policy, at least 0, since the policy
            itself is one of the deviations.
        gain_high: likewise.
        one_shot_gain: gain of the best single deviation: once, in a period of the seat's choice,
            another action, and then the policy again. NaN where it is not computed.
        exact: whether value, best and gain are computed, so that low and high are equal.
        method: how, in words.
        nodes: that the dynamic program ran over; 0 if there was none.
        strategy: (V, n) best deviation by the index of the seat's own observation, if it is one
            of these and exact; None if not. Rows never met are uniform.
        certificate: of an exact best deviation; None for a bracket.
    """

    seat: int
    agent: str
    unit: Unit
    discount: float
    value: float
    value_low: float
    value_high: float
    best_low: float
    best_high: float
    gain_low: float
    gain_high: float
    one_shot_gain: float
    exact: bool
    method: str
    nodes: int
    strategy: Floats | None = None
    certificate: Certificate | None = None


class Case(NamedTuple):
    """Who is audited where."""

    game: Game[Any]
    policies: tuple[Policy, ...]
    seat: int
    discount: float
    table: Table | None
    without: str  # why there is no table
    max_nodes: int

    @property
    def counts(self) -> list[int]:
        """Number of actions of each agent."""
        return [size(space) for space in self.game.action_spaces]

    @property
    def unit(self) -> Unit:
        """Unit of its values."""
        return "per_episode" if self.discount == 1 else "discounted"

    def seated(self, policy: Policy | None) -> list[Policy | None]:
        """Return the policies with another one in the seat."""
        return [policy if i == self.seat else own for i, own in enumerate(self.policies)]


def make_case(
    policies: Sequence[Policy],
    game: Game[Any],
    seat: int | str,
    discount: float | None,
    max_nodes: int,
) -> Case:
    """Return who is audited where.

    Raises:
        ValueError: See `audit`.
    """
    if len(policies) != len(game.agents):
        raise ValueError(
            f"policies must be one per agent ({', '.join(game.agents)}), got {len(policies)}"
        )
    for name, policy in zip(game.agents, policies, strict=True):
        if learns(policy) or trains(policy):
            raise ValueError(f"policy of {name}, {type(policy).__name__}, still learns; freeze it")
    if seat not in (*game.agents, *range(len(game.agents))):
        raise ValueError(
            f"seat must be one of {', '.join(game.agents)}, or its index, got {seat!r}"
        )
    table, without = None, ""
    try:
        table = tabulate(game)
    except ValueError as error:
        without = str(error)
    endless = never_ends(game) if table is None else lasts(table)
    if discount is None:
        discount = ENDLESS_DISCOUNT if endless else 1.0
    check_discount(discount)
    if endless and discount == 1:
        raise ValueError(
            f"{type(game).__name__} can go on for ever, so its undiscounted sum is unbounded: "
            "give discount= below 1, or a continuation below 1"
        )
    index = game.agents.index(seat) if isinstance(seat, str) else int(seat)
    return Case(game, tuple(policies), index, float(discount), table, without, max_nodes)


def induced(case: Case, policies: Sequence[Policy | None]) -> Induced:
    """Return the table with policies in it.

    Raises:
        NotInducedError: If there is no table, or their play is not known in every state.
    """
    if case.table is None:
        raise NotInducedError(case.without, ())
    return induce(case.game, case.table, policies, max_nodes=case.max_nodes)


def modelled(case: Case, table: Induced, profile: Sequence[Floats | None]) -> Problem:
    """Return the problem of the agents whose entry of `profile` is None.

    Raises:
        NotInducedError: If it is too large.
    """
    work = np.full(len(table.states), table.table.probs.shape[-1], np.int64)
    for rows, count in zip(profile, case.counts, strict=True):
        work *= count if rows is None else np.count_nonzero(rows, axis=1)
    if (total := int(work.sum())) > MAX_WORK:
        raise NotInducedError(f"{total:,} outcomes of nodes and actions are above {MAX_WORK:,}", ())
    return problem(table, profile, case.counts)
