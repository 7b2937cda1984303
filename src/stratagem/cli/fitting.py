"""`fit`: estimates from customer and click logs, and the preset that they make."""

import argparse
import json
from functools import partial
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.fitting import (
    Assumptions,
    Bootstrap,
    ClickFit,
    CustomerFit,
    Fit,
    assumptions,
    bootstrap,
    fit_logs,
    parameters,
    write_preset,
)
from stratagem.fitting.pictures import cell_names
from stratagem.fitting.presets import GAME

from .inspecting import table
from .main import UsageError
from .params import read_columns

MEANINGS = {
    "r": "shape of the Gamma distribution of purchase rates",
    "alpha": "its rate, in periods",
    "a": "first parameter of the Beta distribution of drop-out",
    "b": "second parameter",
    "dropout": "mean chance to drop out after a purchase, a / (a + b)",
    "purchase": "chance of a purchase within a period of one who stays",
}


def fit(options: argparse.Namespace) -> None:
    """Fit the logs, print what was found, and keep the preset if asked to."""
    if options.out is not None:
        _check_out(options.out)
    assumed = Assumptions(
        levels=options.levels,
        effect=options.effect,
        impressions=options.impressions,
        continuation=options.continuation,
    )
    found = fit_logs(
        *options.logs,
        columns=read_columns(options.column),
        unit=options.unit,
        period=options.period,
        end=options.end,
    )
    again = None
    if options.bootstrap is not None:
        if found.customers is None or not 2 <= options.bootstrap <= 10_000:
            raise UsageError("--bootstrap needs a customer log, and 2 to 10,000 draws")
        again = bootstrap(found.customers, options.bootstrap)
    params, words = parameters(found, assumed), assumptions(found, assumed)
    facts = {
        "logs": options.logs,
        "period": options.period,
        "customers": _customers_json(found.customers, again),
        "clicks": _clicks_json(found.clicks),
        "game": GAME,
        "preset": params,
        "assumed": words,
    }
    text = json.dumps(facts, indent=1, allow_nan=False) + "\n"
    saved = _save(options.out, found, params, text) if options.out is not None else []
    if options.json:
        print(text, end="")
        return
    if found.customers is not None:
        _print_customers(found.customers, options.period, again)
    if found.customers is not None and found.clicks is not None:
        print()
    if found.clicks is not None:
        _print_clicks(found.clicks)
    print(f"\nPreset of {GAME}, estimated")
    for name in params:
        if name not in ("friction", "continuation", "start"):
            print(f"  {name}: {_short(params[name])}")
    print("assumed, not estimated")
    for name, meaning in words.items():
        print(f"  {name}: {meaning}")
    if saved:
        print(f"saved: {', '.join(map(str, saved))}")
        print(f"try: stratagem solve {GAME} --param @{options.out / 'preset.json'}")


def _customers_json(found: CustomerFit | None, again: Bootstrap | None) -> dict[str, Any] | None:
    if found is None:
        return None
    good = found.goodness
    return {
        "customers": len(found.customers.frequency),
        "estimates": {
            name: {"value": value, "error": _finite(error)}
            for name, value, error in _estimates(found)
        },
        "log_likelihood": found.model.log_likelihood,
        "gain_of_dropout": found.gain,
        "at_the_edge": list(found.edges),
        "goodness": {
            "least": good.least.tolist(),
            "observed": good.observed.tolist(),
            "expected": good.expected.tolist(),
            "chi_squared": good.statistic,
            "degrees": good.degrees,
            "p": _finite(good.p),
            "p_most": _finite(good.p_most),
            "repeat_purchases": good.purchases[0],
            "expected_repeat_purchases": good.purchases[1],
        },
        "bootstrap": None
        if again is None
        else {
            "draws": again.draws,
            "errors": dict(zip(MEANINGS, map(_finite, again.errors.tolist()), strict=True)),
            "p": again.p,
        },
    }


def _clicks_json(found: ClickFit | None) -> dict[str, Any] | None:
    if found is None:
        return None
    rates = found.rates
    return {
        "items": len(found.counts.items),
        "impressions": int(found.counts.impressions.sum()),
        "clicks": int(found.counts.clicks.sum()),
        "mean": {"value": rates.mean, "error": _finite(found.mean_error)},
        "concentration": {
            "value": _finite(rates.concentration),
            "error": _finite(found.concentration_error),
        },
        "gain_of_spread": rates.gain,
        "alike": found.alike._asdict(),
        "goodness": found.goodness._asdict(),
        "rates": rates.rates.tolist(),
        "sds": found.sds.tolist(),
    }


def _estimates(found: CustomerFit) -> list[tuple[str, float, float]]:
    model = found.model
    values = (*model[:4], model.dropout, model.weekly_purchase)
    errors = (*found.errors.tolist(), found.dropout_error, found.purchase_error)
    return list(zip(MEANINGS, values, errors, strict=True))


def _print_customers(found: CustomerFit, period: str, again: Bootstrap | None) -> None:
    good, seen = found.goodness, found.customers
    print(
        f"{len(seen.frequency):,} customers, {good.purchases[0]:,} repeat purchases, "
        f"in periods of a {period}\n"
    )
    second = [()] * len(MEANINGS) if again is None else [(_error(e),) for e in again.errors]
    table(
        (
            "parameter",
            "estimate",
            "standard error",
            *(["by bootstrap"] if again else []),
            "meaning",
        ),
        [
            (name, f"{value:.4g}", _error(error), *more, MEANINGS[name])
            for (name, value, error), more in zip(_estimates(found), second, strict=True)
        ],
    )
    print(
        f"\nlog-likelihood {found.model.log_likelihood:.1f}, {max(found.gain, 0):.1f} above that "
        "without drop-out"
    )
    if found.edges:
        print(f"at the edge of the search, as the data do not bound them: {', '.join(found.edges)}")
    if found.gain < 0.5:
        print("the data show no drop-out to speak of")
    print()
    table(
        ("repeat purchases", "customers", "expected"),
        [
            (name, str(seen), f"{expected:.1f}")
            for name, seen, expected in zip(
                cell_names(good), good.observed, good.expected, strict=True
            )
        ],
    )
    print(f"all repeat purchases: {good.purchases[0]}, expected {good.purchases[1]:.0f}")
    if not isfinite(good.p_most):
        print("too few customers in too few cells: how well the counts fit is not tested")
        return
    p = "undefined" if good.degrees < 1 else f"{good.p:.3g}"
    print(
        f"chi-squared {good.statistic:.2f}: p {p} as if these counts alone had chosen the\n"
        f"parameters ({max(good.degrees, 0)} degrees), {good.p_most:.3g} as if they had no part in "
        "it; the truth lies between"
    )
    if again is not None:
        print(f"by bootstrap, {again.draws} draws fitted anew: p {again.p:.3g}")
    print(_verdict(good.p_most if again is None else again.p, good.p if again is None else again.p))


def _verdict(most: float, least: float) -> str:
    if most < 0.05:
        return "the counts speak against the model: take the estimates as a summary, not as a law"
    if least < 0.05:
        return "the counts may speak against the model: --bootstrap settles it"
    return (
        "the counts do not speak against the model. That is no proof of it, and when purchases\n"
        "came is not tested"
    )


def _print_clicks(found: ClickFit) -> None:
    counts, rates = found.counts, found.rates
    print(
        f"{len(counts.items):,} items, {counts.clicks.sum():,} clicks on "
        f"{counts.impressions.sum():,} impressions\n"
    )
    size = f"{rates.concentration:.4g}" if isfinite(rates.concentration) else "infinite"
    table(
        ("parameter", "estimate", "standard error", "meaning"),
        [
            ("mean", f"{rates.mean:.4g}", _error(found.mean_error), "of the prior of click rates"),
            ("concentration", size, _error(found.concentration_error), "of it, in impressions"),
        ],
    )
    print()
    order = np.argsort(rates.rates, kind="stable")
    table(
        ("arm", "clicks", "impressions", "own rate", "95 % interval", "shrunk", "sd"),
        [
            (
                name,
                str(counts.clicks[i]),
                str(counts.impressions[i]),
                f"{counts.clicks[i] / counts.impressions[i]:.5f}",
                f"{found.intervals[i, 0]:.5f} to {found.intervals[i, 1]:.5f}",
                f"{rates.rates[i]:.5f}",
                f"{found.sds[i]:.5f}",
            )
            for name, i in (
                ("highest", order[-1]),
                ("about median", order[len(order) // 2]),
                ("lowest", order[0]),
            )
        ],
    )
    print(
        f"\none rate for all items: chi-squared {found.alike.statistic:.1f}, expected "
        f"{found.alike.expected:.1f}, p {found.alike.p:.3g};\nunlike rates gain {rates.gain:.3g} "
        "in log-likelihood"
    )
    print(
        f"the fitted prior: chi-squared {found.goodness.statistic:.1f}, expected "
        f"{found.goodness.expected:.1f}, p {found.goodness.p:.3g}"
    )
    if found.goodness.p < 0.05:
        print("the clicks are spread more than the prior allows: it does not fit")
    if found.alike.p >= 0.05:
        print("the items cannot be told apart: what is left of their differences may be chance")


def _save(folder: Path, found: Fit, params: dict[str, Any], text: str) -> list[Path]:
    from stratagem.evaluation.storage import replace_file
    from stratagem.fitting.pictures import draw_clicks, draw_customers

    figures = {}
    if found.customers is not None:
        figures["customers.png"] = draw_customers(found.customers)
    if found.clicks is not None:
        figures["clicks.png"] = draw_clicks(found.clicks)
    for name, figure in figures.items():
        replace_file(folder / name, partial(figure.savefig, format="png", dpi=150))
    replace_file(folder / "fit.json", lambda beside: beside.write_text(text, encoding="utf-8"))
    replace_file(folder / "preset.json", lambda beside: write_preset(beside, params))
    return [folder / name for name in (*figures, "fit.json", "preset.json")]


def _check_out(folder: Path) -> None:
    from stratagem.evaluation.storage import writable

    if find_spec("matplotlib") is None:
        raise UsageError('--out needs matplotlib: pip install "stratagem[bench]"')
    writable(folder)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _error(value: float) -> str:
    return f"{value:.4g}" if isfinite(value) else "undefined"


def _short(values: list[Any]) -> str:
    return ", ".join(json.dumps(value) for value in values)
