"""Wrappers that measure every agent and change no trajectory, after PettingZoo's base wrappers.

The names that end in `AEC` are for the form in which agents act one after another. There a
period is one of the game; in an environment that is not ours, one action of the agent's own.

>>> import stratagem
>>> from stratagem.envs.wrappers.pettingzoo import RecordOutcomes, RiskMetrics
>>> env = RecordOutcomes(RiskMetrics(stratagem.parallel_env("LogitPricing-v0", max_cycles=2)))
>>> _ = env.reset(seed=0)
>>> for _ in range(2):
...     *_, infos = env.step({"firm_0": 0, "firm_1": 14})
>>> sorted(infos["firm_1"])
['episode_risk', 'risk']
>>> [(row["agent"], row["periods"], row["truncated"]) for row in env.rows]
[('firm_0', 2, True), ('firm_1', 2, True)]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pettingzoo.utils.wrappers import BaseParallelWrapper, BaseWrapper
from typing_extensions import override

from ..core import Bools, Floats
from .measures import Gap, Measure, Outcomes, Report, Risk
from .tally import Scales, Signal, Tally, all_seats

Infos = dict[str, dict[str, Any]]


class _Account:
    """Counts one copy for all agents."""

    def __init__(self, env: Any, measure: Measure) -> None:
        subject = all_seats(env)
        self.agents, self.measure = subject.agents, measure
        self.signal, self.tally = Signal(env.unwrapped, subject), Tally(len(subject.agents))
        self.tally.discount = measure.discount
        self.over: Bools = np.zeros((len(self.agents), 1), np.bool_)

    def start(self) -> None:
        self.tally.start()
        self.over = np.zeros_like(self.over)

    def column(self, values: Mapping[str, Any]) -> Floats:
        """Return one number per agent, (n, 1); 0 for those that are absent."""
        return np.array([[values.get(agent, 0)] for agent in self.agents], np.float64)

    def step(
        self,
        rewards: Mapping[str, Any],
        terminated: Mapping[str, Any],
        truncated: Mapping[str, Any],
        periods: Mapping[str, int],
    ) -> Infos:
        """Count one step; return what to add to each agent's info."""
        paid, passed = self.column(rewards), self.column(periods).astype(np.int64)
        ends = self.column(terminated) > 0
        live = ~self.over & self.column(dict.fromkeys(rewards, 1)).astype(np.bool_)
        over = live & (ends | (self.column(truncated) > 0))
        self.tally.add(paid, self.signal.after(paid, passed), passed, live)
        report: Report = self.measure(self.tally, live, over, ends)
        self.tally.finish(over)
        self.over = self.over | over
        return {
            agent: {k: float(values[i, 0]) for k, (values, at) in report.items() if at[i, 0]}
            for i, agent in enumerate(self.agents)
        }


class _Parallel(BaseParallelWrapper):
    def __init__(self, env: Any, measure: Measure) -> None:
        super().__init__(env)
        self.measure, self.account = measure, _Account(env, measure)

    @override
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], Infos]:
        observations, infos = self.env.reset(seed=seed, options=options)
        self.account.start()
        return observations, {agent: dict(info) for agent, info in infos.items()}

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Infos]:
        self.account.signal.before()
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        more = self.account.step(rewards, terminated, truncated, dict.fromkeys(rewards, 1))
        merged = {agent: {**info, **more.get(agent, {})} for agent, info in infos.items()}
        return observations, rewards, terminated, truncated, merged


class _AEC(BaseWrapper):
    def __init__(self, env: Any, measure: Measure) -> None:
        super().__init__(env)
        self.measure, self.account = measure, _Account(env, measure)
        self.more: Infos = {}

    @property
    def infos(self) -> Infos:
        """What the environment tells, with what is measured."""
        return {a: {**info, **self.more.get(a, {})} for a, info in self.env.infos.items()}

    def _clock(self) -> int | None:
        base = self.env.unwrapped
        base = getattr(base, "parallel", base)
        return int(base.copy.steps) if self.account.signal.subject.game is not None else None

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self.env.reset(seed=seed, options=options)
        self.account.start()
        self.more = {}

    @override
    def step(self, action: Any) -> None:
        env = self.env
        if not env.agents:
            env.step(action)
            return
        agent = env.agent_selection
        dead = env.terminations[agent] or env.truncations[agent]
        begun = self._clock()
        if not dead:
            self.account.signal.before()
        env.step(action)
        if dead:
            return
        now = self._clock()
        if begun is None or now is None:
            periods = {agent: 1}
        else:
            periods = dict.fromkeys(self.account.agents, now - begun)
        rewards = {a: env.rewards.get(a, 0.0) for a in env.terminations}
        found = self.account.step(rewards, env.terminations, env.truncations, periods)
        self.more = {**self.more, **{a: own for a, own in found.items() if own}}


class RecordOutcomes(_Parallel):
    """Keeps a row per finished episode and agent in `rows`; see `measures.COLUMNS`.

    Args:
        env: any parallel environment.
        scale: of the risk, one or one by agent, by default the game's; without any, NaN.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        self.outcomes = Outcomes(all_seats(env), scale)
        super().__init__(env, self.outcomes)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per finished episode and agent."""
        return self.outcomes.rows

    def write(self, path: str | Path) -> None:
        """Write the rows as `.csv`, or as `.parquet` if pyarrow is installed."""
        self.outcomes.write(path)


class RecordOutcomesAEC(_AEC):
    """`RecordOutcomes` of an AEC environment."""

    def __init__(self, env: Any, scale: Scales = None) -> None:
        self.outcomes = Outcomes(all_seats(env), scale)
        super().__init__(env, self.outcomes)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per finished episode and agent."""
        return self.outcomes.rows

    def write(self, path: str | Path) -> None:
        """Write the rows as `.csv`, or as `.parquet` if pyarrow is installed."""
        self.outcomes.write(path)


class RiskMetrics(_Parallel):
    """Puts `risk` so far, and `episode_risk` at the end, into each agent's info; unclipped.

    Args:
        env: any parallel environment.
        scale: of the risk, one or one by agent, by default the game's.

    Raises:
        ValueError: If there is neither a game nor a scale.
    """

    def __init__(self, env: Any, scale: Scales = None) -> None:
        super().__init__(env, Risk(all_seats(env), scale))


class RiskMetricsAEC(_AEC):
    """`RiskMetrics` of an AEC environment."""

    def __init__(self, env: Any, scale: Scales = None) -> None:
        super().__init__(env, Risk(all_seats(env), scale))


Value = float | Mapping[str, float] | None


class BenchmarkGap(_Parallel):
    """Puts a benchmark's value minus what was reached into each agent's `benchmark_gap`.

    Args:
        env: any parallel environment.
        name: of one of the game's benchmarks; a value per episode is compared at the end.
        value: instead of a name, what to compare with, one or one by agent.
        unit: of `value`, "per_period" or "per_episode".

    Raises:
        ValueError: If the name is unknown, or neither or both of name and value are given.
    """

    def __init__(
        self, env: Any, name: str | None = None, *, value: Value = None, unit: str = "per_period"
    ) -> None:
        super().__init__(env, Gap(all_seats(env), name, value, unit))


class BenchmarkGapAEC(_AEC):
    """`BenchmarkGap` of an AEC environment."""

    def __init__(
        self, env: Any, name: str | None = None, *, value: Value = None, unit: str = "per_period"
    ) -> None:
        super().__init__(env, Gap(all_seats(env), name, value, unit))
