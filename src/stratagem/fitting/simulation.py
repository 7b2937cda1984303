"""Customers drawn from a fit, and a bootstrap by them."""

from typing import NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Floats
from stratagem.envs.games.recommendation.calibration import BgNbd, Customers
from stratagem.evaluation.roots import roots

from .customers import CustomerFit, goodness, most_likely


class Bootstrap(NamedTuple):
    """What fits to customers drawn from a fit say of it.

    Attributes:
        draws: number of drawn logs that could be fitted.
        errors: standard deviation over them of r, alpha, a, b, drop-out and purchase, (6,). Those
            of a and b are large where some draws put them at the edge of the search.
        p: share of the draws, with the data, whose chi-squared is at least that of the data.
    """

    draws: int
    errors: Floats
    p: float


def simulate(model: BgNbd, observed: Floats, *, name: str, index: int = 0) -> Customers:
    """Return drawn customers, one per entry of `observed`.

    Args:
        model: the parameters; a of 0 means that nobody drops out.
        observed: periods each customer is observed, (n,).
        name: of what the numbers are drawn for; the same name and index draw the same.
        index: of the draw.
    """
    from scipy.special import betaincinv, gammaincinv

    num = len(observed)
    keys = roots("customers", name, [(index, i) for i in range(num)])

    def uniform(draw: int) -> Floats:
        return streams.unit(keys + streams.GOLDEN * np.full(num, draw, np.uint64))

    rate = gammaincinv(model.r, uniform(0)) / model.alpha
    drop = betaincinv(model.a, model.b, uniform(1)) if model.a > 0 else np.zeros(num)
    count, last = np.zeros(num, np.int64), np.zeros(num)
    clock, alive, draw = np.zeros(num), rate > 0, 2
    while alive.any():
        wait = -np.log1p(-uniform(draw))
        clock = clock + np.divide(wait, rate, out=np.full(num, np.inf), where=alive)
        alive &= clock <= observed
        count, last = count + alive, np.where(alive, clock, last)
        alive &= uniform(draw + 1) >= drop
        draw += 2
    return Customers(count, last, np.asarray(observed, np.float64))


def bootstrap(fit: CustomerFit, draws: int, name: str = "bootstrap") -> Bootstrap:
    """Return standard errors and p by a parametric bootstrap.

    Each draw has the fit's parameters, is observed as long as the data are, and is fitted anew. A
    draw in which nobody purchased again is left out.

    Source: B. Efron and R. Tibshirani (1993), *An introduction to the bootstrap*, chapter 6.

    Args:
        fit: of the data.
        draws: at least 2.
        name: of the numbers drawn.

    Raises:
        ValueError: If `draws` is below 2.
    """
    if draws < 2:
        raise ValueError(f"draws must be at least 2, got {draws}")
    found, above = [], 0
    for index in range(draws):
        drawn = simulate(fit.model, fit.customers.observed, name=name, index=index)
        if not drawn.frequency.any():
            continue
        model = most_likely(drawn)
        found.append([*model[:4], model.dropout, model.weekly_purchase])
        above += goodness(drawn, model, fit.goodness.least).statistic >= fit.goodness.statistic
    return Bootstrap(len(found), np.std(found, axis=0, ddof=1), (1 + above) / (len(found) + 1))
