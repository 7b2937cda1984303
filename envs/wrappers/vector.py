"""Wrappers that measure many copies and change no trajectory, after `VectorWrapper`.

The step in which NEXT_STEP autoreset starts an episode is no period and is not counted.
Under SAME_STEP autoreset what belongs to the ended episode is in `final_info`. Each entry
`x` of `info` has its mask `_x`, and is NaN outside it.

>>> import gymnasium, numpy as np, stratagem
>>> from stratagem.envs.wrappers.vector import RecordOutcomes, RiskMetrics
>>> envs = gymnasium.make_vec("stratagem/LogitPricing-v0", num_envs=2, max_episode_steps=2,
...                           co_players={"firm_1": "fixed:0"})
>>> envs = RecordOutcomes(RiskMetrics(envs))
>>> _ = envs.reset(seed=0)
>>> for _ in range(5):
...     *_, infos = envs.step(np.array([0, 14]))
>>> infos["_episode_risk"]
array([ True,  True])
>>> [(row["copy"], row["episode"], row["periods"]) for row in envs.rows]
[(0, 0, 2), (1, 0, 2), (0, 1, 2), (1, 1, 2)]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorWrapper
from typing_extensions import override

from ..core import Array, Bools, Ints
from .measures import Gap, Measure, Outcomes, Report, Risk
from .tally import Scales, Signal, Tally, one_seat

if TYPE_CHECKING:
    _Wrapper = VectorWrapper[Any, Any, Any, Any, Any]
else:
    _Wrapper = VectorWrapper


def _periods(infos: Mapping[str, Any], default: int, num_copies: int) -> Ints:
    """Return `periods` (B,) of an info, where its mask holds, else the default."""
    if "periods" not in infos:
        return np.full(num_copies, default, np.int64)
    given = infos.get("_periods", np.ones(num_copies, np.bool_))
    return np.where(given, infos["periods"], default).astype(np.int64)


def _put(infos: dict[str, Any], report: Report, at: Bools) -> None:
    for name, (values, holds) in report.items():
        mask = holds[0] & at
        if mask.any():
            infos[name], infos["_" + name] = np.where(mask, values[0], np.nan), mask


class _Measured(_Wrapper):
    def __init__(self, env: Any, measure: Measure) -> None:
        super().__init__(env)
        mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._same, self._next = mode is AutoresetMode.SAME_STEP, mode is AutoresetMode.NEXT_STEP
        self._late: Bools = np.zeros(env.num_envs, np.bool_)
        self._measure, self._signal = measure, Signal(env.unwrapped, one_seat(env))
        self._tally = Tally(1, env.num_envs, measure.discount)

    @override
    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        mask = (options or {}).get("reset_mask")
        at = np.ones(self.num_envs, np.bool_) if mask is None else np.array(mask, np.bool_)
        observations, infos = self.env.reset(seed=seed, options=options)
        self._tally.start(at, _periods(infos, 0, self.num_envs))
        self._late = self._late & ~at
        return observations, dict(infos)

    @override
    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        self._signal.before()
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        infos, late = dict(infos), self._late
        live, over = ~late, (terminated | truncated) & ~late
        periods = _periods(infos, 1, self.num_envs)
        starts = _periods(infos, 0, self.num_envs)
        final = dict(infos.get("final_info", {}))
        if self._same:
            periods = np.where(over, _periods(final, 1, self.num_envs), periods)
        paid = np.array(rewards, np.float64)[None]
        signal = self._signal.after(paid, periods[None])
        self._tally.start(late, starts)
        self._tally.add(paid, signal, periods[None], live[None])
        report = self._measure(self._tally, live[None], over[None], np.array(terminated)[None])
        self._tally.finish(over[None])
        _put(infos, report, ~over if self._same else live)
        if self._same and over.any():
            _put(final, report, over)
            self._tally.start(over, starts)
            infos |= {"final_info": final, "_final_info": over.copy()}
        self._late = over if self._next else np.zeros_like(over)
        return observations, rewards, terminated, truncated, infos


class RecordOutcomes(_Measured):
    """Keeps a row per finished episode of each copy in `rows`; see `measures.COLUMNS`.

    Args:
        env: any vector environment.
        scale: of the risk, by default the game's; without any, risk is NaN.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        self._outcomes = Outcomes(one_seat(env), scale)
        super().__init__(env, self._outcomes)

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
        env: any vector environment.
        scale: of the risk, by default the game's.

    Raises:
        ValueError: If there is neither a game nor a scale.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        super().__init__(env, Risk(one_seat(env), scale))


class BenchmarkGap(_Measured):
    """Puts a benchmark's value minus what was reached into `info["benchmark_gap"]`.

    Args:
        env: any vector environment.
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
        super().__init__(env, Gap(one_seat(env), name, value, unit))
