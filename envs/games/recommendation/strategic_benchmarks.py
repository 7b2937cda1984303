"""Reference values of `StrategicUser`: with commitment, without, and the social optimum.

A *plan* is one arm per period and level, (H, L). What a user answers is whether to engage, by
period and level.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...benchmarks import Benchmark, Bound, certified
from ...core import Bools, Floats, Ints

MAX_PLANS = 2**17
"""Most plans that are enumerated."""

_TIE = 1e-12


@dataclass(frozen=True, eq=False)
class Deal:
    """A platform with n arms and a user at one of L levels of satisfaction, for H periods.

    Attributes:
        rewards: of the platform, by arm, (n,).
        landing: level after an arm at a level, (L, n).
        utility: of the user who engages, by level and arm, (L, n); 0 if she stays out.
        lost: chance that who stays out is lost for ever, in [0, 1].
        horizon: H.
        start: level at the start.
    """

    rewards: Floats
    landing: Ints
    utility: Floats
    lost: float
    horizon: int
    start: int

    @cached_property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """Periods and levels that can be met while the user is there, in order."""
        found, levels = [], {self.start}
        for period in range(self.horizon):
            found += [(period, level) for level in sorted(levels)]
            levels |= set(self.landing[sorted(levels)].ravel().tolist())
        return tuple(found)

    @property
    def num_plans(self) -> int:
        """Number of plans that differ in some cell."""
        return int(len(self.rewards) ** len(self.cells))


def plan_of(deal: Deal, numbers: Ints) -> Ints:
    """Return the plans (P, H, L) with such numbers, (P,): base n, the last cell least.

    Cells that are never met show the first arm.
    """
    n = len(deal.rewards)
    plans = np.zeros((len(numbers), deal.horizon, len(deal.landing)), np.int64)
    for period, level in reversed(deal.cells):
        numbers, plans[:, period, level] = np.divmod(numbers, n)
    return plans


def posted_plans(deal: Deal) -> Ints:
    """Return the plans that go by level alone, (n ** L, H, L); level 0 varies slowest."""
    n, levels = deal.landing.shape[1], len(deal.landing)
    rows = np.stack(np.unravel_index(np.arange(n**levels), (n,) * levels), axis=-1)
    return rows[:, None].repeat(deal.horizon, axis=1)


def answers(deal: Deal, plans: Ints) -> tuple[Bools, Floats]:
    """Return a user's best answers to plans (P, H, L), and what follows from them.

    By backward induction; ties fall to what the platform likes better, then to engaging.

    Returns:
        answers (P, H, L); and values (2, P, L), of the platform and the user, from the first
        period on by level.
    """
    levels = np.arange(len(deal.landing))
    value = np.zeros((2, len(plans), len(levels)))
    engages = np.zeros(plans.shape, np.bool_)
    rows = np.arange(len(plans))[:, None]
    for period in reversed(range(deal.horizon)):
        arm = plans[:, period]
        now = np.stack([deal.rewards[arm], deal.utility[levels, arm]])
        inside = now + value[:, rows, deal.landing[levels, arm]]
        outside = (1 - deal.lost) * value
        edge = inside - outside
        engages[:, period] = (edge[1] > _TIE) | ((edge[1] >= -_TIE) & (edge[0] >= -_TIE))
        value = np.where(engages[:, period], inside, outside)
    return engages, value


def best_commitment(deal: Deal) -> tuple[Ints, Bools, Floats]:
    """Return the plan (H, L) that is best to commit to, the user's answer and both values (2,).

    By enumeration of all plans by period and level. Ties fall to the plan that is better for the
    user, then to the first.
    """
    best: tuple[float, float, int] | None = None
    for numbers in _chunks(deal.num_plans):
        value = answers(deal, plan_of(deal, numbers))[1][:, :, deal.start].round(11)
        order = np.lexsort((-numbers, *value[::-1]))[-1]
        found = (float(value[0, order]), float(value[1, order]), -int(numbers[order]))
        best = found if best is None else max(best, found)
    assert best is not None
    plan = plan_of(deal, np.array([-best[2]]))
    engages, value = answers(deal, plan)
    return plan[0], engages[0], value[:, 0, deal.start]


def best_posted(deal: Deal) -> tuple[int, Bools, Floats]:
    """Return the number of the best plan by level alone, the answer and values; ties as above."""
    plans = posted_plans(deal)
    engages, value = answers(deal, plans)
    found = value[:, :, deal.start]
    best = int(np.lexsort((-np.arange(len(plans)), *found.round(11)[::-1]))[-1])
    return best, engages[best], found[:, best]


def _chunks(count: int, width: int = 2**14) -> Iterator[Ints]:
    for begin in range(0, count, width):
        yield np.arange(begin, min(begin + width, count))


def _inside(deal: Deal, value: Floats) -> Floats:
    """Return what engaging is worth, (2, L, n), by level and arm, if values (2, L) follow."""
    now = np.stack([np.broadcast_to(deal.rewards, deal.landing.shape), deal.utility])
    return np.asarray(now + value[:, deal.landing])


def no_commitment(deal: Deal) -> tuple[Ints, Bools, Floats]:
    """Return plan (H, L), answer (H, L) and values (2,) if the platform cannot bind itself.

    By backward induction: the platform shows what is best for it once the user is there, which she
    foresees. Ties of the platform fall to what the user likes better, then to the first arm; hers
    as in `answers`.
    """
    levels = np.arange(len(deal.landing))
    plan = np.zeros((deal.horizon, len(levels)), np.int64)
    engages = np.zeros(plan.shape, np.bool_)
    value = np.zeros((2, len(levels)))
    for period in reversed(range(deal.horizon)):
        inside = _inside(deal, value)
        top = inside[0] >= inside[0].max(axis=1, keepdims=True) - _TIE
        plan[period] = arm = np.where(top, inside[1], -np.inf).argmax(axis=1)
        chosen, outside = inside[:, levels, arm], (1 - deal.lost) * value
        edge = chosen - outside
        engages[period] = (edge[1] > _TIE) | ((edge[1] >= -_TIE) & (edge[0] >= -_TIE))
        value = np.where(engages[period], chosen, outside)
    return plan, engages, value[:, deal.start]


def social_optimum(deal: Deal) -> tuple[Ints, Bools, Floats]:
    """Return plan, engagement (H, L) and values (2,) with the largest sum; ties to engaging."""
    levels = np.arange(len(deal.landing))
    plan = np.zeros((deal.horizon, len(levels)), np.int64)
    engages = np.zeros(plan.shape, np.bool_)
    value = np.zeros((2, len(levels)))
    for period in reversed(range(deal.horizon)):
        inside = _inside(deal, value)
        plan[period] = arm = inside.sum(axis=0).argmax(axis=1)
        chosen, outside = inside[:, levels, arm], (1 - deal.lost) * value
        engages[period] = (chosen - outside).sum(axis=0) >= -_TIE
        value = np.where(engages[period], chosen, outside)
    return plan, engages, value[:, deal.start]


def bounds(deal: Deal, plan: Ints, engages: Bools) -> tuple[float, float, float]:
    """Return how much the platform, the user, and a planner for both could gain, at most.

    A way of playing (H, L) is evaluated, then each single step of another: the steps that gain
    most, over H periods, bound what any other play gains.
    """
    levels, value = np.arange(len(deal.landing)), np.zeros((2, len(deal.landing)))
    total = np.zeros(3)
    for period in reversed(range(deal.horizon)):
        inside, outside = _inside(deal, value), (1 - deal.lost) * value
        held = inside[:, levels, plan[period]]
        value = np.where(engages[period], held, outside)
        arms = np.where(engages[period], inside[0].max(axis=1) - held[0], 0.0)
        user = np.maximum(held[1], outside[1]) - value[1]
        both = np.maximum(inside.sum(axis=0).max(axis=1), outside.sum(axis=0)) - value.sum(axis=0)
        total += [arms.max(), user.max(), both.max()]
    return float(total[0]), float(total[1]), float(total[2])


def reference_values(
    deal: Deal, agents: tuple[str, ...], *, posts: bool
) -> Mapping[str, Benchmark]:
    """Return `no_commitment`, `stackelberg`, `posted` and `social_optimum`.

    Args:
        deal: the game.
        agents: names of platform and user.
        posts: whether the game begins with a plan by level that binds the platform.
    """
    found: dict[str, Benchmark] = {}

    def add(name: str, concept: str, play: Any, regret: float, who: Any, how: str, scope: str,
            strategies: tuple[Floats, ...] | None, bound: Bound = "exact") -> None:  # fmt: skip
        plan, engages, value = play
        solution = certified(
            concept, (plan, engages), value, regret=regret, method=how, deviators=who,
            tolerance=1e-9 * max(1.0, float(np.abs(deal.rewards).max())) * deal.horizon,
            bound=bound,
        )  # fmt: skip
        found[name] = Benchmark(name, solution, scope, "per_episode", strategies=strategies)

    def rows(plan: Ints, engages: Bools) -> tuple[Floats, ...] | None:
        return None if posts else _by_view(deal, plan, engages)

    binds, step = ", in the game without a posted plan" if posts else "", "one step in every state"
    plan, engages, value = no_commitment(deal)
    add(
        "no_commitment", "nash", (plan, engages, value), max(bounds(deal, plan, engages)[:2]),
        agents, f"backward induction; {step}",
        f"subgame perfect, the user deciding first{binds}; ties to the other's favour",
        rows(plan, engages),
    )  # fmt: skip
    plan, engages, value = best_commitment(deal)
    add(
        "stackelberg", "stackelberg", (plan, engages, value), bounds(deal, plan, engages)[1],
        agents[1:], f"enumeration of {deal.num_plans} plans, each answered by backward induction; "
        f"{step} of the user",
        f"deterministic plans by period and level{binds}; ties to the platform's favour",
        rows(plan, engages), "lower",
    )  # fmt: skip
    best, engages, value = best_posted(deal)
    plans = posted_plans(deal)
    add(
        "posted", "subgame perfect nash" if posts else "stackelberg",
        (plans[best], engages, value), bounds(deal, plans[best], engages)[1],
        agents if posts else agents[1:],
        f"enumeration of {len(plans)} plans, each answered by backward induction; {step} of the "
        "user",
        "deterministic plans by level alone; ties to the platform's favour",
        _announced(deal, best) if posts else rows(plans[best], engages),
        "exact" if posts else "lower",
    )  # fmt: skip
    plan, engages, value = social_optimum(deal)
    add(
        "social_optimum", "optimum", (plan, engages, value), bounds(deal, plan, engages)[2],
        ("planner",), f"backward induction for the sum; {step}",
        f"whoever chooses for both{binds}", rows(plan, engages),
    )  # fmt: skip
    return found


def _by_view(deal: Deal, plan: Ints, engages: Bools) -> tuple[Floats, ...]:
    """Return plan and answers as probabilities by period, level and whether the user is lost."""
    end = np.zeros((1, len(deal.landing)), np.int64)
    shown = np.concatenate([plan, end]).ravel().repeat(2)
    answered = np.concatenate([engages, end]).ravel().repeat(2)
    return np.eye(len(deal.rewards))[shown], np.eye(2)[answered.astype(np.int64)]


def _announced(deal: Deal, best: int) -> tuple[Floats, ...]:
    """Return the platform's announcement, and the best answers to every one, by what is seen."""
    plans = posted_plans(deal)
    engages = answers(deal, plans)[0].astype(np.int64)  # (P, H, L)
    count, horizon, levels = engages.shape
    seen = np.zeros((horizon + 1, levels, 2, count + 1), np.int64)
    seen[:horizon, :, :, 1:] = engages.transpose(1, 2, 0)[:, :, None]
    chosen = np.zeros_like(seen)
    chosen[..., 0] = best
    return np.eye(count)[chosen.ravel()], np.eye(2)[seen.ravel()]


def commitment_table(costs: Sequence[float], **params: Any) -> list[tuple[float, ...]]:
    """Return what commitment does, by the user's cost of engaging.

    Rows of cost; values of platform and user with no commitment, with a posted plan, and with
    any; and the sum of the social optimum: eight numbers.

    Args:
        costs: values of the parameter.
        **params: other parameters of `StrategicUser`.
    """
    from .strategic_user import StrategicUser

    rows = []
    for cost in costs:
        deal = StrategicUser(cost=cost, **params).deal
        ways = (no_commitment(deal)[2], best_posted(deal)[2], best_commitment(deal)[2])
        rows.append((cost, *np.concatenate(ways).tolist(), float(social_optimum(deal)[2].sum())))
    return rows
