"""`screen`: what screens for collusion say of a price series, and how right they are."""

import argparse
import json
from math import isfinite
from pathlib import Path
from typing import Any

from stratagem.evaluation.screens import (
    QUANTITIES,
    SCREENS,
    AtThreshold,
    PriceSeries,
    ScreenScore,
    joint_executive_committee,
    quantities,
    read_prices,
    score_screens,
)
from stratagem.metrics import Interval

from .inspecting import number, table
from .main import UsageError


def screen(options: argparse.Namespace) -> None:
    """Print the screens of a series and, where a state is given, their scores."""
    series = _series(options)
    found = {name: float(value) for name, value in quantities(series.prices).items()}
    scores = (
        None
        if series.state is None
        else score_screens(series.prices, series.state, window=options.window, block=options.block)
    )
    if options.json:
        print(json.dumps(as_json(series, found, scores), indent=2, allow_nan=False))
        return
    print(f"{options.file}: {len(series.prices)} periods\n")
    table(
        ("quantity", "value", "range", "marker of collusion", "meaning"),
        [
            (name, _shown(found[name]), about.range, about.marker, about.about)
            for name, about in QUANTITIES.items()
        ],
    )
    if series.state is None or scores is None:
        return
    print(
        f"\nScored on the known state: on in {int(series.state.sum())} of {len(series.state)} "
        f"periods; windows of {options.window}, blocks of {options.block}"
    )
    table(
        ("screen", "periods", "AUC", "95 % interval", "shift p", "fixed", "second half", "first"),
        [
            (
                name,
                str(score.periods),
                _shown(score.area.value),
                _ends(score.area),
                f"{score.p:.3f}",
                _flags(score.fixed),
                _flags(score.second),
                _flags(score.first),
            )
            for name, score in scores.items()
        ],
    )
    print(
        "\nfixed: balanced accuracy at a chance of 1/2; second half, first: at the threshold that\n"
        "the other half chose. Break and regimes are fitted to all prices, never to the state."
    )
    for name, about in SCREENS.items():
        print(f"  {name}: {about.about}{'; later prices matter' if about.retrospective else ''}")


def as_json(
    series: PriceSeries, found: dict[str, float], scores: dict[str, ScreenScore] | None
) -> dict[str, Any]:
    """Return the screens as plain values; null is what is undefined or infinite."""
    return {
        "periods": len(series.prices),
        "quantities": {name: _finite(value) for name, value in found.items()},
        "scores": None
        if scores is None
        else {name: _score_json(score) for name, score in scores.items()},
    }


def _series(options: argparse.Namespace) -> PriceSeries:
    if options.file == "jec":
        if options.column is not None or options.state is not None:
            raise UsageError("jec takes no --column and no --state; both are known")
        return joint_executive_committee()
    path = Path(options.file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{options.file!r} is not text in UTF-8") from None
    return read_prices(text, options.column or "price", options.state, name=repr(options.file))


def _score_json(score: ScreenScore) -> dict[str, Any]:
    return {
        "periods": score.periods,
        "auc": _interval_json(score.area),
        "shift_p": score.p,
        "shifted_auc": score.shifted,
        "fixed": None if score.fixed is None else _flags_json(score.fixed),
        "second_half": _flags_json(score.second),
        "first_half": _flags_json(score.first),
    }


def _flags_json(x: AtThreshold) -> dict[str, Any]:
    return {
        "threshold": _finite(x.threshold),
        **x.counts._asdict(),
        "sensitivity": _finite(x.counts.sensitivity),
        "specificity": _finite(x.counts.specificity),
        "precision": _finite(x.counts.precision),
        "balanced_accuracy": _interval_json(x.balanced_accuracy),
    }


def _interval_json(x: Interval) -> dict[str, Any]:
    return {"value": _finite(x.value), "low": _finite(x.low), "high": _finite(x.high), "n": x.n}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _shown(value: float) -> str:
    return "undefined" if value != value else number(value) if abs(value) < 1 else f"{value:.5g}"


def _ends(x: Interval) -> str:
    return f"{x.low:.3f} to {x.high:.3f}" if isfinite(x.low) else "undefined"


def _flags(x: AtThreshold | None) -> str:
    if x is None:
        return "-"
    value = x.balanced_accuracy.value
    return f"{value:.3f} ({_ends(x.balanced_accuracy)})" if isfinite(value) else "undefined"
