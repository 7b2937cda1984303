"""What each wrapper makes of a `Tally`; the same for every API."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core import Bools, Floats
from .tally import Scales, Subject, Tally, own_scales

Report = dict[str, tuple[Floats, Bools]]
"""For `info`: values (n, B) by name, and for which seats and copies they hold, (n, B)."""

COLUMNS = (
    "game",
    "seat",
    "agent",
    "copy",
    "episode",
    "periods",
    "reward",
    "reward_per_period",
    "terminated",
    "truncated",
    "risk",
)
"""Columns of the rows, named as those of the benchmark; `copy` is the index in the batch."""


class Outcomes:
    """One row per finished episode and seat; nothing for `info`."""

    discount = 1.0

    def __init__(self, subject: Subject, scale: Scales = None) -> None:
        self.subject, self.scales = subject, own_scales(subject, scale)
        self.rows: list[dict[str, Any]] = []

    def __call__(self, tally: Tally, live: Bools, over: Bools, terminated: Bools) -> Report:
        """Append the rows of the episodes that end."""
        if not over.any():
            return {}
        risk, mean = tally.risk(self.scales), tally.mean_reward()
        for i, copy in np.argwhere(over).tolist():
            values = (
                self.subject.name,
                self.subject.seats[i],
                self.subject.agents[i],
                copy,
                int(tally.episodes[i, copy]),
                int(tally.periods[i, copy]),
                float(tally.reward[i, copy]),
                float(mean[i, copy]),
                bool(terminated[i, copy]),
                not terminated[i, copy],
                float(risk[i, copy]),
            )
            self.rows.append(dict(zip(COLUMNS, values, strict=True)))
        return {}

    def write(self, path: str | Path) -> None:
        """Write the rows as `.csv` or `.parquet`.

        Raises:
            ValueError: If the path ends otherwise.
            ImportError: If Parquet is asked for without pyarrow.
            OSError: If the file cannot be written.
        """
        path = Path(path)
        if path.suffix == ".parquet":
            try:
                import pyarrow as pa
                from pyarrow import parquet
            except ImportError as error:
                raise ImportError(
                    'writing Parquet needs pyarrow: pip install "stratagem[bench]"'
                ) from error
            parquet.write_table(pa.table({k: [r[k] for r in self.rows] for k in COLUMNS}), path)
        elif path.suffix == ".csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows)
        else:
            raise ValueError(f"path must end in .csv or .parquet, got {str(path)!r}")


class Risk:
    """`risk` so far at every step, and `episode_risk` at the end; both unclipped."""

    discount = 1.0

    def __init__(self, subject: Subject, scale: Scales = None) -> None:
        if subject.game is None and scale is None:
            raise ValueError(f"scale must be a RiskScale, as {subject.name} has no game; got None")
        self.scales = own_scales(subject, scale)

    def __call__(self, tally: Tally, live: Bools, over: Bools, terminated: Bools) -> Report:
        """Return the risk of the live, and of the episodes that end."""
        risk = tally.risk(self.scales)
        return {"risk": (risk, live), "episode_risk": (risk, over)}


class Gap:
    """`benchmark_gap`, the benchmark's value minus what was reached, in the benchmark's unit."""

    def __init__(
        self,
        subject: Subject,
        name: str | None = None,
        value: float | Mapping[str, float] | None = None,
        unit: str = "per_period",
    ) -> None:
        self.discount, agents, game = 1.0, subject.agents, subject.game
        if (name is None) == (value is None):
            raise ValueError(f"give one of name and value, got {name=} and {value=}")
        if value is not None:
            if unit not in ("per_period", "per_episode"):
                raise ValueError(f"unit must be 'per_period' or 'per_episode', got {unit!r}")
            given = value if isinstance(value, Mapping) else dict.fromkeys(agents, value)
            missing = [agent for agent in agents if agent not in given]
            if missing:
                raise ValueError(f"value has none for {', '.join(missing)}, got {sorted(given)}")
            self.unit, values = unit, [given[agent] for agent in agents]
        elif game is None:
            raise ValueError(f"{subject.name} has no game, so {name=} is unknown: give a value")
        else:
            found = game.benchmarks()
            if name not in found:
                there = ", ".join(found) or "none"
                raise ValueError(f"unknown benchmark {name!r} of {subject.name}; there are {there}")
            own = found[str(name)]
            self.unit, self.discount = str(own.unit), own.discount
            values = [own.solution.payoffs[seat] for seat in subject.seats]
        self.value: Floats = np.array(values, np.float64)[:, None]

    def __call__(self, tally: Tally, live: Bools, over: Bools, terminated: Bools) -> Report:
        """Return the gap so far, or where the unit is an episode's, at the end only."""
        if self.unit == "per_period":
            return {"benchmark_gap": (self.value - tally.mean_reward(), live)}
        reached = tally.discounted if self.unit == "discounted" else tally.reward
        return {"benchmark_gap": (self.value - reached, over)}


Measure = Outcomes | Risk | Gap
