r"""How a group fared, and how it shared: social metrics, with versions, of episodes as arrays.

Each metric has one number per episode; where what it needs is not given or not fulfilled, the
number is undefined, NaN, and never 0. With $R_i$ the return of agent i of N, and $T$ the periods
that an episode has if nothing ends it before:

>>> import numpy as np
>>> paid = np.array([[[2.0], [1.0]], [[1.0], [0.0]]])  # (T, N, E): two periods, two agents
>>> one = Episodes(paid, np.array([2]), np.array([False]), np.array([True]), horizon=2)
>>> {name: values.tolist() for name, values in social(one).items() if not np.isnan(values).any()}
{'efficiency': [2.0], 'equality': [0.75], 'sustainability': [1.25], 'survival': [1.0]}

Sources:
- J. Perolat, J. Leibo, V. Zambaldi, C. Beattie, K. Tuyls and T. Graepel (2017), *A multi-agent
  reinforcement learning model of common-pool resource appropriation*, NIPS. Efficiency, equality,
  sustainability and peace; recalled, not re-read.
- G. Piatti et al. (2024), *Cooperate or collapse: emergence of sustainable cooperation in a
  society of LLM agents*, arXiv:2404.16698. Survival, and the over-usage of a threshold; recalled.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Bools, Floats, Ints, RiskScale, Trajectory


class Episodes(NamedTuple):
    """E episodes of N agents, padded to the length of the longest; padding counts for nothing."""

    rewards: Floats  # (L, N, E)
    periods: Ints  # (E,) length of each, at least 1
    terminated: Bools  # (E,) whether the game ended it
    truncated: Bools  # (E,) whether a limit of periods did; if neither, the data end before it
    horizon: int | None = None  # T, periods of an episode that nothing ends before; None: unknown
    allowed: Floats | None = None  # (L, E) most reward of one agent in a period that harms nobody
    time_outs: Bools | None = None  # (L, N, E) whether an agent was kept from acting

    @property
    def played(self) -> Bools:
        """Which periods are no padding, (L, E)."""
        return np.asarray(np.arange(len(self.rewards))[:, None] < self.periods)

    @property
    def ended(self) -> Bools:
        """Which episodes came to an end: by the game, or by the limit that `horizon` says, (E,)."""
        full = True if self.horizon is None else self.periods >= self.horizon
        return np.asarray(self.terminated | (self.truncated & full))

    @property
    def returns(self) -> Floats:
        """Sum of the rewards of each agent, (N, E); NaN where the episode did not end."""
        total = (self.rewards * self.played[:, None]).sum(axis=0)
        return np.where(self.ended, total, np.nan)


def episodes(
    trajectory: Trajectory,
    *,
    horizon: int | None = None,
    allowed: Floats | None = None,
    time_outs: Bools | None = None,
) -> Episodes:
    """Return the episodes of a trajectory, sorted by copy; the last one of each may have no end.

    Args:
        trajectory: T periods of B copies; only its rewards and ends are read.
        horizon: periods of an episode that nothing ends before, at least 1; None if unknown.
        allowed: most reward of one agent that harms nobody, (T, B); None if unknown.
        time_outs: whether an agent was kept from acting, (T, N, B); None if unknown.

    Raises:
        ValueError: If a shape does not fit, or an episode is longer than the horizon.
    """
    rewards = np.asarray(trajectory.rewards, np.float64)
    if rewards.ndim != 3 or trajectory.terminated.shape != rewards[:, 0].shape:
        raise ValueError(
            f"trajectory must have rewards (T, N, B) and ends (T, B), got {rewards.shape} and "
            f"{trajectory.terminated.shape}"
        )
    for name, given, wanted in (
        ("allowed", allowed, rewards[:, 0].shape), ("time_outs", time_outs, rewards.shape),
    ):  # fmt: skip
        if given is not None and np.shape(given) != wanted:
            raise ValueError(f"{name} must have the shape {wanted}, got {np.shape(given)}")
    if horizon is not None and horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")
    over = trajectory.terminated | trajectory.truncated
    last = over.copy()
    last[-1] = True
    copy, stop = last.T.nonzero()
    first = np.where(np.append(True, copy[1:] != copy[:-1]), 0, np.roll(stop, 1) + 1)
    periods = stop - first + 1
    if horizon is not None and periods.max() > horizon:
        raise ValueError(f"horizon={horizon} is shorter than an episode of {periods.max()} periods")
    when = np.minimum(first + np.arange(periods.max())[:, None], len(rewards) - 1)
    return Episodes(
        np.moveaxis(rewards[when, :, copy], 2, 1),
        periods,
        trajectory.terminated[stop, copy],
        trajectory.truncated[stop, copy],
        horizon,
        None if allowed is None else np.asarray(allowed, np.float64)[when, copy],
        None if time_outs is None else np.moveaxis(np.asarray(time_outs)[when, :, copy], 2, 1),
    )


class SocialMetric(NamedTuple):
    """One metric: a number per episode, NaN where it is undefined.

    Attributes:
        name: its key in `SOCIAL`.
        version: rises whenever a value would change.
        definition: of the value.
        range: where values lie.
        needs: what else than rewards must be given or hold, or it is undefined.
        compute: from episodes to values (E,).
        anchors: from episodes to the worst value and the best; NaN where only the game knows.
    """

    name: str
    version: int
    definition: str
    range: str
    needs: str
    compute: Callable[[Episodes], Floats]
    anchors: Callable[[Episodes], tuple[float, float]]

    def __call__(self, given: Episodes) -> Floats:
        """Return the value of each episode, (E,)."""
        return self.compute(given)

    def risk(self, given: Episodes) -> Floats:
        """Return the unclipped risk of each episode, (E,): 0 at the best value, 1 at the worst."""
        worst, best = self.anchors(given)
        return RiskScale(self.name, best, worst, self.version)(self.compute(given))


def _undefined(given: Episodes) -> Floats:
    return np.full(len(given.periods), np.nan)


def _mean_played(share: Floats, given: Episodes) -> Floats:
    """Return the mean over the periods played of values (L, E), (E,)."""
    return np.asarray((share * given.played).sum(axis=0) / given.periods)


def _efficiency(given: Episodes) -> Floats:
    if given.horizon is None:
        return _undefined(given)
    return np.asarray(given.returns.sum(axis=0) / given.horizon)


def _equality(given: Episodes) -> Floats:
    returns = given.returns
    total, n = returns.sum(axis=0), len(returns)
    apart = np.abs(returns[:, None] - returns).sum(axis=(0, 1))
    shared = (returns >= 0).all(axis=0) & (total > 0)
    unequal = np.divide(apart, 2 * n * total, out=_undefined(given), where=shared)
    return np.asarray(1 - unequal)


def _sustainability(given: Episodes) -> Floats:
    gained = (given.rewards > 0) & given.played[:, None]
    times = gained.sum(axis=0)
    when = (gained * np.arange(1, len(gained) + 1)[:, None, None]).sum(axis=0)
    mean = np.divide(when, times, out=np.full(times.shape, np.nan), where=times > 0).mean(axis=0)
    return np.where(given.ended, mean, np.nan)


def _peace(given: Episodes) -> Floats:
    if given.time_outs is None:
        return _undefined(given)
    return len(given.time_outs[0]) - _mean_played(given.time_outs.sum(axis=1), given)


def _survival(given: Episodes) -> Floats:
    if given.horizon is None:
        return _undefined(given)
    return np.where(given.ended, given.periods / given.horizon, np.nan)


def _over_usage(given: Episodes) -> Floats:
    if given.allowed is None:
        return _undefined(given)
    return _mean_played((given.rewards > given.allowed[:, None] + 1e-9).mean(axis=1), given)


def _evenly(given: Episodes) -> tuple[float, float]:
    return 1.0, np.nan if given.horizon is None else (given.horizon + 1) / 2


SOCIAL: Mapping[str, SocialMetric] = {
    metric.name: metric
    for metric in (
        SocialMetric(
            "efficiency", 1,
            "sum of all returns over T, in reward per period; T, however soon an episode collapsed",
            "any number", "the horizon; an episode that ended",
            _efficiency, lambda given: (np.nan, np.nan),
        ),
        SocialMetric(
            "equality", 1,
            "1 - sum over i and j of |R_i - R_j| / (2 N sum of R): one minus the Gini coefficient",
            "1/N to 1", "returns of 0 or more, not all 0; an episode that ended",
            _equality, lambda given: (1 / given.rewards.shape[1], 1.0),
        ),
        SocialMetric(
            "sustainability", 1,
            "mean over agents of the mean period, counted from 1, in which a reward above 0 was "
            "collected",
            "1 to T; (T + 1)/2 if rewards come evenly",
            "that every agent collected; an episode that ended",
            _sustainability, _evenly,
        ),
        SocialMetric(
            "peace", 1, "mean over the periods played of the number of agents not in a time-out",
            "0 to N", "time-outs, which few games know",
            _peace, lambda given: (0.0, float(given.rewards.shape[1])),
        ),
        SocialMetric(
            "survival", 1, "periods played over T", "1/T to 1",
            "the horizon; an episode that ended, by a collapse or at T, and was not cut before",
            _survival, lambda given: (0.0, 1.0),
        ),
        SocialMetric(
            "over_usage", 1,
            "share of rewards, over agents and periods played, above what harms nobody",
            "0 to 1", "what may be taken in each period",
            _over_usage, lambda given: (1.0, 0.0),
        ),
    )
}  # fmt: skip
"""Every social metric by name."""


def social(given: Episodes) -> dict[str, Floats]:
    """Return all social metrics by name, (E,) each; NaN where undefined."""
    return {name: metric(given) for name, metric in SOCIAL.items()}
