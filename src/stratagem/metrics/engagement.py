r"""What "engagement" may mean, told apart: measured on play, and exactly for a plan.

- *share*: engaged periods over all periods. Friction may lower it while users are kept better.
- *stay*: engaged periods that an engaged one follows, over those that any period follows.
- *survival*: the share of users who were not lost, or never left, up to each age.

Beside them are satisfaction, revenue, and welfare: what users' satisfaction is moved by the items
they are shown, levels per period, not clipped at the ends. What is undefined, such as the stay of
a user who was never engaged in time, is NaN.

For ratios over whole episodes, the exact value is the ratio of the expected sums: that is what
play of many episodes tends to.

Sources:
- E. Kaplan and P. Meier (1958), *Nonparametric estimation from incomplete observations*, Journal
  of the American Statistical Association 53(282). Survival when episodes end before the event.
- M. Greenwood (1926), *The natural duration of cancer*. The standard error.
"""

from typing import Literal, NamedTuple

import numpy as np

from stratagem.envs.core import Bools, Floats, Ints, Trajectory
from stratagem.envs.games.recommendation.engagement import (
    ENGAGED,
    LOST,
    Model,
    best_plan,
    modified_discount,
    plan_value,
)
from stratagem.envs.games.recommendation.population import Segment, expected

Event = Literal["lost", "left"]
"""What ends survival: being lost for good, or not being engaged for the first time."""


class Engagement(NamedTuple):
    """Measures of one user's time, arrays (B,) for B copies or (); NaN where undefined."""

    share: Floats  # of periods engaged
    stay: Floats  # of engaged periods, where another period follows, that are followed by one
    satisfaction: Floats  # mean level before engaged periods
    revenue: Floats  # per period
    welfare: Floats  # levels that items moved satisfaction by, per period


class Survival(NamedTuple):
    """Share of users to whom an event has not happened, by age in periods; (A + 1,) each."""

    share: Floats
    error: Floats  # standard error
    at_risk: Ints  # episodes that show what comes after this age


def engagement(trajectory: Trajectory, model: Model) -> Engagement:
    """Return the measures of every copy of a trajectory of `ContentDisengagement-v0`, (B,) each.

    Args:
        trajectory: T periods of B copies, whose observations are satisfaction and status.
        model: of the game; its steps count for welfare.

    Raises:
        ValueError: If the observations are others.
    """
    level, status, ended = _seen(trajectory)
    engaged = status == ENGAGED
    followed = engaged[:-1] & ~ended[:-1]
    moved = np.where(engaged, model.steps[trajectory.actions[:, 0]], 0)
    return Engagement(
        engaged.mean(axis=0),
        _ratio((followed & engaged[1:]).sum(axis=0), followed.sum(axis=0)),
        _ratio((engaged * level).sum(axis=0), engaged.sum(axis=0)),
        trajectory.rewards[:, 0].mean(axis=0),
        moved.mean(axis=0),
    )


def expected_engagement(model: Model, plan: Ints, start: int) -> Engagement:
    """Return the measures of a plan, exactly: ratios of expected sums over an episode.

    Args:
        model: user and catalogue.
        plan: arm per level, (L,).
        start: level at the start.

    Raises:
        ValueError: If the continuation is not below 1, as the sums are then unbounded.
    """
    if not model.continuation < 1:
        raise ValueError(f"continuation must be below 1, got {model.continuation}")
    at, discount = np.arange(len(plan)), modified_discount(model)
    landing = model.landing[at, plan]
    system = np.eye(len(plan))
    system[landing, at] -= discount[landing]
    visits = np.linalg.solve(system, at == start)  # expected engaged periods by level
    periods = 1 / (1 - model.continuation)
    return Engagement(
        np.asarray(visits.sum() / periods),
        np.asarray(visits @ model.stay[landing] / visits.sum()),
        np.asarray(visits @ at / visits.sum()),
        np.asarray(visits @ model.rewards[plan] / periods),
        np.asarray(visits @ model.steps[plan] / periods),
    )


def welfare_gap(model: Model, plan: Ints, start: int) -> float:
    """Return how much more welfare per period the plan that is best for users has; 0 or above.

    Args:
        model: user and catalogue; its continuation must be below 1.
        plan: arm per level, (L,).
        start: level at the start.

    Raises:
        ValueError: If the continuation is not below 1.
    """
    own = expected_engagement(model, plan, start).welfare
    steps = model.steps.astype(np.float64)
    most = plan_value(model, best_plan(model, steps), steps)[start]
    return float((1 - model.continuation) * most - own)


def survival(trajectory: Trajectory, event: Event) -> Survival:
    """Return how long users last, by the product-limit estimator over all episodes.

    An episode that ends before the event counts for as long as it lasted, which is right because
    the end has nothing to do with the user.

    Args:
        trajectory: T periods of B copies of `ContentDisengagement-v0`, which begin with an
            episode each.
        event: what ends survival.

    Returns:
        shares by age 0 to A, the highest age that is seen; NaN from where nobody is at risk.

    Raises:
        ValueError: If the event is unknown or the observations are others.
    """
    _check(event)
    _, status, ended = _seen(trajectory)
    time = np.arange(len(status))[:, None]
    begins = np.vstack([np.ones_like(ended[:1]), ended[:-1]])
    first = np.maximum.accumulate(np.where(begins, time, 0))
    struck = status == LOST if event == "lost" else status != ENGAGED
    happened = np.maximum.accumulate(np.where(struck, time, -1)) >= first
    exposed = ~happened[:-1] & ~ended[:-1]
    age = (time - first)[:-1]
    ages = int((time - first).max())
    at_risk = np.bincount(age[exposed], minlength=ages + 1)
    events = np.bincount(age[exposed & happened[1:]], minlength=ages + 1)
    n, d = at_risk[:-1], events[:-1]
    share = np.concatenate([[1.0], np.cumprod(1 - _ratio(d, n))])
    spread = np.concatenate([[0.0], np.cumsum(_ratio(d, n * (n - d)))])
    return Survival(share, share * np.sqrt(spread), at_risk)


def expected_survival(
    model: Model, plan: Ints, start: int, *, periods: int, event: Event
) -> Floats:
    """Return the exact chance that the event has not happened by age 0 to `periods`, (T + 1,).

    It is that of a user whose episode goes on, so the continuation does not matter.

    Args:
        model: user and catalogue.
        plan: arm per level, (L,).
        start: level at the start.
        periods: T, at least 1.
        event: what ends survival.

    Raises:
        ValueError: If the event is unknown or `periods` is below 1.
    """
    _check(event)
    lost = model.lost if event == "lost" else np.ones_like(model.lost)  # who leaves is out
    endless = model._replace(continuation=1.0, lost=lost)
    shares = expected([Segment(endless, 1.0, plan, start)], periods=periods)
    return np.asarray(1 - shares[:, 0, LOST].sum(axis=-1))


def _seen(trajectory: Trajectory) -> tuple[Ints, Ints, Bools]:
    """Return satisfaction, status and whether the episode ends with the period, (T, B) each."""
    seen = trajectory.observations[0]
    if seen.ndim != 3 or seen.shape[2] != 2 or len(trajectory.observations) != 1:
        raise ValueError(
            f"observations must be one platform's satisfaction and status, (T, B, 2), got "
            f"{[view.shape for view in trajectory.observations]}"
        )
    return seen[..., 0], seen[..., 1], trajectory.terminated | trajectory.truncated


def _check(event: str) -> None:
    if event not in ("lost", "left"):
        raise ValueError(f"event must be lost or left, got {event!r}")


def _ratio(above: Ints, below: Ints) -> Floats:
    """Return a ratio of counts, NaN where there is nothing below."""
    return np.asarray(np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0))
