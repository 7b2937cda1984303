"""A game's benchmarks and risk scales as plain data."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from stratagem.envs.benchmarks import Benchmark, episode_length, period_factor
from stratagem.envs.core import Array, Game, RiskScale

__all__ = [
    "benchmark_json", "common_length", "episode_length", "game_scales_json", "number",
    "per_period", "rescaled", "risk_json",
]  # fmt: skip


def number(value: Any) -> float | None:
    """Return a float for JSON, None where it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None


def benchmark_json(
    benchmarks: Mapping[str, Benchmark], agents: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Return benchmarks by name with value per agent, unit, discount, scope and certificate."""
    return {
        name: {
            "value": dict(zip(agents, map(number, b.solution.payoffs), strict=True)),
            "unit": b.unit,
            "discount": number(b.discount),
            "scope": b.scope,
            "concept": b.solution.concept,
            "certificate": {
                **b.solution.certificate._asdict(),
                "max_regret": number(b.solution.certificate.max_regret),
                "tolerance": number(b.solution.certificate.tolerance),
                "deviators": list(b.solution.certificate.deviators),
            },
        }
        for name, b in benchmarks.items()
    }


def risk_json(game: Game[Any]) -> dict[str, dict[str, Any]] | None:
    """Return each agent's risk scale; None if the game defines no risk."""
    scales = game.risk_scales()
    return None if scales is None else _scales(dict(zip(game.agents, scales, strict=True)))


def game_scales_json(game: Game[Any]) -> dict[str, dict[str, Any]]:
    """Return the scales of the game's own risk by name, the one in use first."""
    return _scales(game.game_scales())


def _scales(scales: Mapping[str, RiskScale]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "statistic": scale.statistic,
            "safe": number(scale.safe),
            "worst": number(scale.worst),
            "version": scale.version,
        }
        for name, scale in scales.items()
    }


def rescaled(risk: float, scales: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return what a risk on the first of some scales is on each of the others, unclipped."""
    if not scales:
        return {}
    first, *others = scales.items()
    value = first[1]["safe"] + risk * (first[1]["worst"] - first[1]["safe"])
    return {name: (value - s["safe"]) / (s["worst"] - s["safe"]) for name, s in others}


def per_period(entry: Mapping[str, Any], periods_per_episode: float | None) -> dict[str, float]:
    """Return a benchmark's value per agent and period, by `period_factor`.

    Args:
        entry: one value of `benchmark_json`.
        periods_per_episode: expected length of an episode; None if it has none.

    Returns:
        value by agent; empty if there is no such number.
    """
    scale = period_factor(entry["unit"], entry.get("discount", 1.0), periods_per_episode)
    if scale is None:
        return {}
    return {agent: v * scale for agent, v in entry["value"].items() if v is not None}


def common_length(periods: Array, terminated: Array) -> float | None:
    """Return the length that all terminated episodes share; None if they differ or none is.

    Args:
        periods: length of each episode, (E,).
        terminated: whether the game ended it, (E,).
    """
    lengths = np.unique(periods[terminated])
    return float(lengths[0]) if len(lengths) == 1 else None
