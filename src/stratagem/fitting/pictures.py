"""How well a fit fits, as pictures; what was measured is filled, what is fitted is hollow."""

from itertools import pairwise
from typing import Any

import numpy as np

from stratagem.envs.core import Floats
from stratagem.report.canvas import DASHED, GRID, INK, SOFT, colour

from .clicks import ClickFit
from .customers import CustomerFit, Goodness

MOST_ITEMS = 80
"""More items than this are thinned out evenly by rank."""


def draw_customers(fit: CustomerFit) -> Any:
    """Return a figure of customers by repeat purchases, of those with at least so many, and misfit.

    The hollow marks have bars of 1.96 standard deviations of the count of as many customers drawn
    from the fit; the last panel has what differs, in those standard deviations. Counts have
    logarithmic axes, on which 0 is not shown.
    """
    found = fit.goodness
    num, places = len(fit.customers.frequency), np.arange(len(found.least))
    tails = (found.observed[::-1].cumsum()[::-1], found.expected[::-1].cumsum()[::-1])
    figure, panels = _panels(3, 7.2)
    for axes, (seen, fitted), title in zip(
        panels[:2],
        ((found.observed, found.expected), tails),
        ("customers with x repeat purchases", "customers with x or more"),
        strict=True,
    ):
        half = 1.96 * _deviation(fitted, num)
        low = np.minimum(half, fitted * 0.9)
        axes.errorbar(
            places,
            fitted,
            yerr=np.stack([low, half]),
            fmt="s",
            mfc="none",
            mec=colour(1),
            ecolor=colour(1),
            ms=10,
            label="expected by the fit",
        )
        shown = seen > 0
        axes.plot(places[shown], seen[shown], "o", color=colour(0), ms=4, label="seen", zorder=3)
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10, loc="left", color=INK)
    deviation = _deviation(found.expected, num)
    differs = (found.observed - found.expected) / np.where(deviation > 0, deviation, np.inf)
    panels[2].axhspan(-1.96, 1.96, color=GRID, alpha=0.5, lw=0)
    panels[2].plot(places, differs, "o", color=colour(0), ms=4)
    panels[2].axhline(0, color=SOFT, lw=1, ls=DASHED)
    panels[2].set_title(
        "seen less expected, in standard deviations", fontsize=10, loc="left", color=INK
    )
    for axes in panels:
        axes.set_xticks(places, cell_names(found, more="+"))
    panels[2].set_xlabel("x", fontsize=9, color=INK)
    panels[0].legend(fontsize=8, frameon=False)
    ends = [f"{p:.2g}" for p in (found.p, found.p_most) if not np.isnan(p)]
    panels[1].annotate(
        f"n = {num:,}; chi-squared {found.statistic:.2f}, p {' to '.join(ends) or 'undefined'}",
        (0.98, 0.95),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=8,
        color=SOFT,
    )
    return figure


def cell_names(found: Goodness, *, more: str = " or more") -> list[str]:
    """Return what each cell of a goodness of fit holds, such as 0, 1 and "2 or more"."""
    least = found.least.tolist()
    names = [
        str(low) if low + 1 == high else f"{low} to {high - 1}" for low, high in pairwise(least)
    ]
    return [*names, f"{least[-1]}{more}"]


def _deviation(expected: Floats, num: int) -> Floats:
    return np.sqrt(expected * np.maximum(1 - expected / num, 0))


def draw_clicks(fit: ClickFit) -> Any:
    """Return a figure of items by rate: own rates with Wilson's intervals, and shrunk ones."""
    k, n = fit.counts.clicks, fit.counts.impressions
    order = np.lexsort((fit.rates.rates, k / n))
    if len(order) > MOST_ITEMS:
        order = order[np.linspace(0, len(order) - 1, MOST_ITEMS).round().astype(int)]
    figure, (axes,) = _panels(1, 3.6)
    places, own = np.arange(len(order)), 1000 * (k / n)[order]
    ends = 1000 * fit.intervals[order]
    axes.vlines(places, ends[:, 0], ends[:, 1], color=colour(0), alpha=0.3, lw=1)
    axes.plot(places, own, "o", color=colour(0), ms=3, label="own rate, 95 % interval")
    axes.plot(
        places, 1000 * fit.rates.rates[order], "s", mfc="none", mec=colour(1), ms=4, label="shrunk"
    )
    axes.axhline(1000 * fit.rates.mean, color=SOFT, lw=1, ls=DASHED, label="mean of the prior")
    # cut there: intervals of rarely shown items would flatten all others
    axes.set_ylim(0, 1.3 * max(own.max(), float(np.median(ends[:, 1]))))
    axes.set_xticks([])
    some = f"{len(order)} of {len(k)} items" if len(order) < len(k) else f"{len(k)} items"
    axes.set_xlabel(f"{some}, from the least to the most clicked", fontsize=9, color=INK)
    axes.set_title("clicks on 1,000 impressions", fontsize=10, loc="left", color=INK)
    axes.legend(fontsize=8, loc="upper left", edgecolor="none", framealpha=0.95)
    return figure


def _panels(count: int, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, height), layout="constrained")
    panels = figure.subplots(count, 1, squeeze=False)[:, 0]
    for axes in panels:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=9, colors=INK)
        axes.grid(axis="y", color=GRID, lw=0.6)
        axes.set_axisbelow(True)
    return figure, panels
