"""Wrappers that measure one copy and change no trajectory, after `gymnasium.Wrapper`.

>>> import gymnasium, stratagem
>>> from stratagem.envs.wrappers.gymnasium import BenchmarkGap, RecordOutcomes, RiskMetrics
>>> env = gymnasium.make("stratagem/LogitPricing-v0", max_episode_steps=3,
...                      co_players={"firm_1": "fixed:0"})
>>> env = RecordOutcomes(RiskMetrics(BenchmarkGap(env, name="nash")))
>>> _ = env.reset(seed=0)
>>> for _ in range(3):
...     *_, info = env.step(0)
>>> sorted(info)
['benchmark_gap', 'episode_risk', 'risk']
>>> [(row["game"], row["agent"], row["periods"]) for row in env.rows]
[('stratagem/LogitPricing-v0', 'firm_0', 3)]

An environment without a game of ours names its scale, or its value, itself:

>>> from stratagem.envs.core import RiskScale
>>> env = RiskMetrics(gymnasium.make("CartPole-v1"), scale=RiskScale("reward", 1.0, 0.0))
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from typing_extensions import override

from .measures import Gap, Measure, Outcomes, Risk
from .tally import Scales, Signal, Tally, one_seat

if TYPE_CHECKING:
    _Wrapper = gymnasium.Wrapper[Any, Any, Any, Any]
else:
    _Wrapper = gymnasium.Wrapper


class _Measured(_Wrapper, RecordConstructorArgs):
    """Counts one copy's periods; `info["periods"]`, where seats take turns, tells how many."""

    def __init__(self, env: Any, measure: Measure, **kwargs: Any) -> None:
        RecordConstructorArgs.__init__(self, **kwargs)
        gymnasium.Wrapper.__init__(self, env)
        self._measure, self._signal = measure, Signal(env.unwrapped, one_seat(env))
        self._tally = Tally(1, 1, measure.discount)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._tally.start(periods=int(info.get("periods", 0)))
        return observation, dict(info)

    @override
    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._signal.before()
        observation, reward, terminated, truncated, info = self.env.step(action)
        paid = np.array([[reward]], np.float64)
        periods = np.array([[info.get("periods", 1)]], np.int64)
        live = np.ones((1, 1), np.bool_)
        over = np.array([[terminated or truncated]], np.bool_)
        self._tally.add(paid, self._signal.after(paid, periods), periods, live)
        report = self._measure(self._tally, live, over, np.array([[terminated]], np.bool_))
        self._tally.finish(over)
        found = {k: float(values[0, 0]) for k, (values, at) in report.items() if at[0, 0]}
        return observation, reward, terminated, truncated, {**info, **found}


class RecordOutcomes(_Measured):
    """Keeps a row per finished episode in `rows`; `measures.COLUMNS` names its entries.

    Args:
        env: any environment.
        scale: of the risk, by default the game's; without any, risk is NaN.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        self._outcomes = Outcomes(one_seat(env), scale)
        super().__init__(env, self._outcomes, scale=scale)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per finished episode."""
        return self._outcomes.rows

    def write(self, path: str | Path) -> None:
        """Write the rows as `.csv`, or as `.parquet` if pyarrow is installed."""
        self._outcomes.write(path)


class RiskMetrics(_Measured):
    """Puts the risk so far into `info["risk"]`, at the end `info["episode_risk"]`; unclipped.

    Args:
        env: any environment.
        scale: of the risk, by default the game's.

    Raises:
        ValueError: If there is neither a game nor a scale.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        super().__init__(env, Risk(one_seat(env), scale), scale=scale)


class BenchmarkGap(_Measured):
    """Puts a benchmark's value minus what was reached into `info["benchmark_gap"]`.

    Args:
        env: any environment.
        name: of one of the game's benchmarks; a value per episode is compared at the end.
        value: instead of a name, what to compare with.
        unit: of `value`, "per_period" or "per_episode".

    Raises:
        ValueError: If the name is unknown, or neither or both of name and value are given.
    """

    def __init__(
        self,
        env: Any,
        name: str | None = None,
        *,
        value: float | None = None,
        unit: str = "per_period",
    ) -> None:
        gap = Gap(one_seat(env), name, value, unit)
        super().__init__(env, gap, name=name, value=value, unit=unit)
