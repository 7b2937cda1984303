"""Parameters of `ContentDisengagement-v0` from what was fitted, and what is assumed beside it.

A customer log gives how users stay, return and are lost; a click log what the arms pay. No log
here ties satisfaction to leaving, so all that concerns satisfaction is assumed, as in the game's
preset `cdnow`, which these functions give back from the packaged data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.games.recommendation.calibration import (
    Customers,
    ItemClicks,
    load_customers,
    load_item_clicks,
)
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.disengagement_presets import MAX_LEVELS

from .clicks import ClickFit, fit_clicks
from .customers import CustomerFit, fit_customers
from .reading import OF_CUSTOMERS, Table, choose_layout, find_columns, read_cells, read_table
from .times import periods_per

PACKAGED = ("cdnow", "open_bandit")
"""Names of packaged logs: customers, and clicks of campaign "all" under the random policy."""
GAME = "ContentDisengagement-v0"
MAX_EFFECT = 100
"""Log-odds of a level, far beyond what leaves any doubt."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What no log says, but the game must know.

    Attributes:
        levels: of satisfaction, odd, 3 to 999; drop-out is as estimated at the middle one,
            where users start.
        effect: fall in the log-odds of drop-out per level of satisfaction, 0 to 100.
        impressions: items shown in a period with a purchase, above 0; rewards are clicks.
        continuation: chance that another period follows, in (0, 1).
    """

    levels: int = 11
    effect: float = 0.5
    impressions: float = 1000.0
    continuation: float = 1 - 1 / 52

    def __post_init__(self) -> None:
        odd = self.levels == int(self.levels) and self.levels % 2 == 1
        if not odd or not 3 <= self.levels <= MAX_LEVELS:
            raise ValueError(
                f"levels must be an odd number of at least 3 and at most {MAX_LEVELS}, "
                f"got {self.levels}"
            )
        if not 0 <= self.effect <= MAX_EFFECT:
            raise ValueError(
                f"effect must be at least 0 and at most {MAX_EFFECT}, got {self.effect}"
            )
        if not 0 < self.impressions < np.inf:
            raise ValueError(f"impressions must be above 0 and finite, got {self.impressions}")
        if not 0 < self.continuation < 1:
            raise ValueError(f"continuation must be in (0, 1), got {self.continuation}")


class Fit(NamedTuple):
    """What was fitted; one of the two may be None."""

    customers: CustomerFit | None
    clicks: ClickFit | None


def fit_logs(
    *sources: str | Path,
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    period: str = "week",
    end: str | None = None,
) -> Fit:
    """Return fits of a customer log, a click log or both.

    Args:
        sources: paths of CSV files, or `cdnow` and `open_bandit`, which are packaged.
        columns: names of columns by role, in whichever file has them; see `read_log`.
        unit: of customers' times that are numbers; see `read_log`.
        period: length of a period of the game.
        end: when observation of purchases ended; see `read_log`.

    Raises:
        ValueError: If a file is not as `read_log` takes it or cannot be fitted, there are two of
            a kind, or an argument applies to neither.
        OSError: If a file cannot be read.
    """
    names = [str(source) for source in sources]
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        raise ValueError(f"sources must be one or two different logs, got {names}")
    tables = {name: read_cells(_text(name), repr(name)) for name in names if name not in PACKAGED}
    own = _split(tables, columns or {})
    of_customers = {
        name
        for name, table in tables.items()
        if choose_layout(table, find_columns(table, own[name])) in OF_CUSTOMERS
    }
    for argument, value in (("unit", unit), ("end", end)):
        if value is not None and not of_customers:
            raise ValueError(f"{argument} is of a file of customers, there is none, got {value!r}")
    customers: list[CustomerFit] = []
    clicks: list[ClickFit] = []
    for name in names:
        log: Customers | ItemClicks
        if name == "cdnow":
            log = _weeks_as(period)
        elif name == "open_bandit":
            log = load_item_clicks()
        elif name in of_customers:
            log = read_table(tables[name], columns=own[name], unit=unit, period=period, end=end)
        else:
            log = read_table(tables[name], columns=own[name])
        try:
            if isinstance(log, Customers):
                customers.append(fit_customers(log))
            else:
                clicks.append(fit_clicks(log))
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from None
    for found, kind in ((customers, "customers"), (clicks, "clicks")):
        if len(found) > 1:
            raise ValueError(f"sources must be one log of {kind} at most, got {names}")
    return Fit(customers[0] if customers else None, clicks[0] if clicks else None)


def parameters(fit: Fit, assumed: Assumptions | None = None) -> dict[str, Any]:
    """Return parameters of `ContentDisengagement-v0`, as JSON has them.

    A customer log gives `stay`, `returning`, `lost`, `friction`, `continuation` and `start`, a
    click log gives `arms`; what is missing is the game's default. Chances are rounded to 6
    decimals, clicks to 3; `stay` is a millionth at least, as the game needs.

    Raises:
        ValueError: If a period is so short that a purchase within one is rarer than a millionth.
    """
    assumed = assumed or Assumptions()
    found: dict[str, Any] = {}
    if fit.clicks is not None:
        rates = fit.clicks.rates.rates
        paid = assumed.impressions * np.array([rates.max(), np.median(rates), rates.min()])
        steps = (-1, 0, 1)
        found["arms"] = [[float(r), s] for r, s in zip(paid.round(3), steps, strict=True)]
    if fit.customers is not None:
        model, middle = fit.customers.model, assumed.levels // 2
        fall = assumed.effect * (np.arange(assumed.levels) - middle)
        odds = np.exp(np.minimum(-fall, 300.0))  # beyond that all drop out
        dropout = odds * model.dropout / (1 - model.dropout + odds * model.dropout)
        purchase = model.weekly_purchase
        if purchase < 1e-6:
            raise ValueError(
                f"period must be longer: the chance of a purchase within one is {purchase:.2g}"
            )
        stay = np.maximum((1 - dropout) * purchase, 1e-6)  # the game has no stay of 0
        found |= {
            "stay": stay.round(6).tolist(),
            "returning": [round(purchase, 6)] * assumed.levels,
            "lost": np.minimum(dropout / (1 - stay), 1).round(6).tolist(),
            "friction": 0.0,
            "continuation": round(assumed.continuation, 6),
            "start": middle,
        }
    ContentDisengagement(**found)  # what the game refuses is no preset
    return found


def assumptions(fit: Fit, assumed: Assumptions | None = None) -> dict[str, str]:
    """Return in words what is assumed and not estimated, by parameter."""
    assumed = assumed or Assumptions()
    found: dict[str, str] = {}
    if fit.customers is not None:
        middle = assumed.levels // 2
        found |= {
            "levels": f"0 to {assumed.levels - 1}; drop-out is as estimated at {middle}, where "
            "users start",
            "effect": f"the log-odds of drop-out fall by {assumed.effect:g} per level",
            "returning": "the same at every level, and of the mean customer: the game has one kind",
            "friction": "0: the purchase rate has it in already",
            "continuation": f"{assumed.continuation:.6g}, "
            f"{1 / (1 - assumed.continuation):.3g} periods on average",
        }
    if fit.clicks is not None:
        found |= {
            "steps": "-1, 0 and 1 for the highest, the median and the lowest click rate",
            "impressions": f"{assumed.impressions:g} in a period with a purchase, none in others",
        }
    else:
        found["arms"] = "the game's own, as no clicks were given"
    if fit.customers is None:
        found["stay, returning, lost"] = "the game's own, as no customers were given"
    return found


def write_preset(path: Path, params: Mapping[str, Any]) -> None:
    """Write parameters as JSON, one per line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in params.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name!r} is not text in UTF-8") from None


def _split(tables: Mapping[str, Table], columns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return which of the named columns each file has; every one must be somewhere."""
    for role, column in columns.items():
        if not any(column in table.header for table in tables.values()):
            raise ValueError(f"columns must be in a file, got {role}={column!r}, which is in none")
    return {
        name: {role: column for role, column in columns.items() if column in table.header}
        for name, table in tables.items()
    }


def _weeks_as(period: str) -> Customers:
    frequency, recency, observed = load_customers()
    factor = periods_per("week", period)
    return Customers(frequency, recency * factor, observed * factor)
