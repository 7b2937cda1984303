"""Users who stay, leave and come back: values and engagement of content plans.

The platform's problem restricted to the periods in which the user is engaged. A *plan*
is one arm per satisfaction level, an integer array of shape (L,) for L levels; it says
what is shown to an engaged user. The formulas were derived for this package from the
published abstract of E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024),
*Algorithmic content selection and the impact of user disengagement*, arXiv:2410.13108;
they are not quoted from the paper.
"""

from typing import NamedTuple

import numpy as np

from ...core import Bools, Floats, Ints
from .demand import modified_discount_of

AWAY, ENGAGED, LOST = 0, 1, 2


class Model(NamedTuple):
    """A user and a catalogue: n arms, L satisfaction levels."""

    rewards: Floats  # (n,) per engaged period
    steps: Ints  # (n,) change of the level
    stay: Floats  # (L,) f: an engaged user's chance to be engaged next period
    returning: Floats  # (L,) an away user's chance to be engaged next period, friction taken off
    lost: Floats  # (L,) a leaving user's chance never to return
    continuation: float  # chance that another period follows, in (0, 1]
    closed: bool = False  # whether arms that would leave the levels are barred, not cut short

    @property
    def landing(self) -> Ints:
        """Level after showing an arm at a level, (L, n)."""
        top = len(self.stay) - 1
        return np.asarray(np.clip(np.arange(top + 1)[:, None] + self.steps, 0, top))

    @property
    def allowed(self) -> Bools:
        """Whether an arm may be shown at a level, (L, n)."""
        landing = self.landing
        if not self.closed:
            return np.ones_like(landing, np.bool_)
        return np.asarray(landing == np.arange(len(self.stay))[:, None] + self.steps)


def next_status(model: Model) -> Floats:
    """Return the chances to be away, engaged or lost next period, (3, L, 3).

    By present status and by the level at which this period leaves the user; the end of
    the episode is not taken in.
    """
    leave, zero = 1 - model.stay, np.zeros_like(model.stay)
    away = np.stack([1 - model.returning, model.returning, zero], axis=-1)
    engaged = np.stack([leave * (1 - model.lost), model.stay, leave * model.lost], axis=-1)
    lost = np.stack([zero, zero, zero + 1], axis=-1)
    return np.stack([away, engaged, lost])


def modified_discount(model: Model) -> Floats:
    """Return the expected discount until the next engaged period by landing level, (L,)."""
    return modified_discount_of(model.stay, model.returning, model.lost, model.continuation)


def long_run_share(model: Model) -> Floats:
    """Return the share of periods engaged in the long run of holding a level, (L,).

    q / (1 - f + q) while nobody is lost for good, else 0; f is `stay`, q `returning`.
    """
    share = model.returning / (1 - model.stay + model.returning)
    return np.where((1 - model.stay) * model.lost > 0, 0.0, share)


def myopic_plan(model: Model) -> Ints:
    """Return the plan that shows the allowed arm of largest reward; ties to the first."""
    return np.asarray(np.where(model.allowed, model.rewards, -np.inf).argmax(axis=1))


def plan_value(model: Model, plan: Ints, rewards: Floats | None = None) -> Floats:
    """Return a plan's expected sum per episode by starting level, engaged, (L,).

    Args:
        model: user and catalogue; its continuation must be below 1.
        plan: arm per level, (L,).
        rewards: (n,) or (L, n) per engaged period, those of the model by default.
    """
    at, rewards = np.arange(len(plan)), _by_level(model, rewards)
    following = model.landing[at, plan]
    system = np.eye(len(plan))
    system[at, following] -= modified_discount(model)[following]
    return np.asarray(np.linalg.solve(system, rewards[at, plan]))


def best_plan(model: Model, rewards: Floats | None = None) -> Ints:
    """Return a plan that is best from every level, by policy iteration, (L,).

    It starts from the myopic plan and changes an arm only for a gain, so ties fall to the
    arm of larger immediate reward.

    Args:
        model: user and catalogue; its continuation must be below 1.
        rewards: (n,) or (L, n) per engaged period, those of the model by default.
    """
    rewards = np.where(model.allowed, _by_level(model, rewards), -np.inf)
    at, discount, landing = np.arange(len(model.stay)), modified_discount(model), model.landing
    plan = myopic_plan(model)
    while True:
        values = plan_value(model, plan, rewards)
        gains = rewards + (discount * values)[landing]
        least = 1e-12 * max(1.0, float(np.abs(values).max()))
        better = gains.max(axis=1) > gains[at, plan] + least
        if not better.any():
            return plan
        plan = np.where(better, gains.argmax(axis=1), plan)


def thresholds(model: Model) -> Ints:
    """Return the levels at which the modified discount is above that of the level below."""
    return 1 + np.diff(modified_discount(model)).nonzero()[0]


def climb_and_hold(model: Model, target: int) -> Ints:
    """Return the plan that climbs to a level and stays there, (L,).

    Below `target` it shows the arm of largest step, where the levels are closed the largest
    that does not lead beyond the target; from there on the arm of largest reward among those
    that leave satisfaction as it is.

    Raises:
        ValueError: If no arm has a step above 0, or none has step 0, or the levels are closed
            and the target is missed from a level below it.
    """
    hold = (model.steps == 0).nonzero()[0]
    if not hold.size or model.steps.max() <= 0:
        raise ValueError(f"arms need a step of 0 and one above 0 to climb, got {model.steps=}")
    rest = hold[model.rewards[hold].argmax()]
    below = np.arange(len(model.stay)) < target
    usable = np.ones_like(model.allowed)
    if model.closed:
        usable = model.allowed & (model.landing <= target)
        if not (usable & (model.steps > 0))[below].any(axis=1).all():
            raise ValueError(f"no step leads from every level towards {target=} and not beyond it")
    climb = np.where(usable, model.steps, model.steps.min() - 1).argmax(axis=1)
    return np.asarray(np.where(below, climb, rest))


def candidate_plans(model: Model) -> tuple[Ints, ...]:
    """Return the myopic plan ("burn"), then climbing to each threshold.

    Where steps are -1, 0 and 1 and rewards linear in them, the best from level 0 of these
    is the optimum; in general it is a lower bound.
    """
    climbs = [climb_and_hold(model, int(level)) for level in thresholds(model)]
    return (myopic_plan(model), *climbs)


def episode_share(model: Model, plan: Ints) -> Floats:
    """Return the expected engaged periods over the expected periods of an episode, (L,).

    The number of periods has the same law under every plan, with mean 1 / (1 - g).
    """
    return (1 - model.continuation) * plan_value(model, plan, np.ones_like(model.rewards))


def share_range(model: Model, start: int) -> tuple[float, float]:
    """Return the least and the largest `episode_share` from a level over all plans."""
    ones = np.ones_like(model.rewards)
    low, high = best_plan(model, -ones), best_plan(model, ones)
    return float(episode_share(model, low)[start]), float(episode_share(model, high)[start])


def plan_long_run_share(model: Model, plan: Ints, start: int) -> float:
    """Return the share of periods engaged in the long run of a plan from a level.

    The plan ends in a cycle of levels; an engaged period that lands on a level is followed
    by (1 - f) / q away periods on average.
    """
    following = model.landing[np.arange(len(plan)), plan]
    level = start
    for _ in plan:
        level = int(following[level])
    cycle = [level]
    while (level := int(following[level])) != cycle[0]:
        cycle.append(level)
    shares = long_run_share(model)[cycle]
    return 0.0 if not shares.all() else float(len(cycle) / (1 / shares).sum())


def chain_value(model: Model, plan: Ints, rewards: Floats | None = None) -> Floats:
    """Return a plan's value from every status and level, (3, L), by the full Markov chain.

    An independent second way to `plan_value`, which is its row `ENGAGED`: it uses no
    modified discount, and away and lost periods are periods like any other. `rewards` are as
    there.
    """
    num = len(plan)
    at, follows = np.arange(num), next_status(model)
    level = np.stack([at, model.landing[at, plan], at])  # (3, L)
    chain = np.zeros((3, num, 3, num))
    for status in (AWAY, ENGAGED, LOST):
        chain[status, at, :, level[status]] = follows[status, level[status]]
    earned = np.zeros((3, num))
    earned[ENGAGED] = _by_level(model, rewards)[at, plan]
    system = np.eye(3 * num) - model.continuation * chain.reshape(3 * num, 3 * num)
    return np.asarray(np.linalg.solve(system, earned.ravel())).reshape(3, num)


def planner_regret(model: Model, plan: Ints, rewards: Floats | None = None) -> float:
    """Return a bound on what any plan gains over this one from any status and level.

    One step of dynamic programming on the full chain: no later step can improve the value by
    more than the first, and the k-th counts with weight g^(k - 1), so the largest one-period
    improvement divided by 1 - g bounds the sum. `rewards` are as in `plan_value`.
    """
    values = chain_value(model, plan, rewards)
    ahead = np.einsum("ls,sl->l", next_status(model)[ENGAGED], values)  # by landing level
    gains = _by_level(model, rewards) + model.continuation * ahead[model.landing]
    best = np.where(model.allowed, gains, -np.inf).max(axis=1)
    return max(float((best - values[ENGAGED]).max()), 0.0) / (1 - model.continuation)


def _by_level(model: Model, rewards: Floats | None) -> Floats:
    """Return rewards (n,) or (L, n), by default the model's, as (L, n)."""
    rewards = model.rewards if rewards is None else rewards
    return np.broadcast_to(rewards, (len(model.stay), len(model.rewards)))
