"""How customers of an online shop drop out: published estimates, and what they are worth.

Source: P. Fader, B. Hardie and K. L. Lee (2005), *"Counting your customers" the easy way: an
alternative to the Pareto/NBD model*, Marketing Science 24(2), on the packaged cohort. Estimates and
log-likelihood are its table 2; its test of fit we know from those who quote it.
"""

from collections.abc import Mapping
from math import sqrt

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Floats
from stratagem.envs.games.recommendation.calibration import BgNbd, Customers, load_customers
from stratagem.evaluation.roots import roots
from stratagem.fitting import expected_repeats, fit_customers, simulate

from .registry import Note, at_least, at_most, near, reproduction

TABLE = "Fader, Hardie and Lee (2005), table 2"
QUOTED = "Fader, Hardie and Lee (2005), as others quote it"
CLEAR = 6.91
"""Half the .999 quantile of chi-squared with 2 degrees, a and b; rough, as a = 0 is an edge."""
DROPOUT_ERROR = 0.0197
"""Standard error of CDNOW's mean drop-out."""
DRAWS = 100
NAMES = ("r", "alpha", "mean drop-out", "weekly purchase")


@reproduction(
    "cdnow-bgnbd",
    near("r", 0.243, 5e-4, "published", TABLE),
    near("alpha", 4.414, 5e-4, "published", TABLE),
    near("a", 0.793, 5e-4, "published", TABLE),
    near("b", 2.426, 5e-4, "published", TABLE),
    near("log-likelihood", -9582.4, 0.05, "published", TABLE),
    near("chi-squared of customers by repeat purchases", 4.82, 0.005, "published", QUOTED),
    near("its p with 3 degrees", 0.19, 0.005, "published", QUOTED),
    near(
        "repeat purchases, standard deviations from the fit's mean",
        0,
        3,
        "derived",
        "of as many customers drawn from the fit",
    ),
    at_least(
        "log-likelihood gained by drop-out",
        CLEAR,
        "derived",
        "half the .999 quantile of chi-squared with 2 degrees",
    ),
    *(
        near(
            f"a drawn cohort fitted anew: {name}, standard errors from the truth",
            0,
            3,
            "derived",
            "estimates are nearly normal",
        )
        for name in NAMES
    ),
    *(
        near(
            f"{name}: standard error, over that of drawn cohorts",
            1,
            3 / sqrt(2 * DRAWS),
            "derived",
            f"two ways to one number; three standard errors of the second, {DRAWS} cohorts",
        )
        for name in NAMES
    ),
    near(
        "share of 95 % intervals of mean drop-out that hold the truth",
        0.95,
        3 * sqrt(0.95 * 0.05 / DRAWS),
        "derived",
        f"three standard errors at n = {DRAWS}",
    ),
    at_most(
        "mean drop-out found where there is none, most of 10 cohorts",
        3 * DROPOUT_ERROR,
        "derived",
        "three standard errors of CDNOW's",
        control=True,
    ),
    at_most(
        "log-likelihood gained by drop-out where there is none, most of 10 cohorts",
        CLEAR,
        "derived",
        "the same quantile",
        control=True,
    ),
    at_most(
        "share of the gain left where last purchases come as without drop-out, most of 10 times",
        0.5,
        "derived",
        "when the last purchase was tells more of it than how many there were",
        control=True,
    ),
)
def cdnow_bgnbd(note: Note, *, draws: int = DRAWS, controls: int = 10) -> Mapping[str, float]:
    """A quarter of an online shop's customers drop out after a purchase, and the model fits."""
    data = load_customers()
    fit = fit_customers(data)
    model, observed = fit.model, data.observed
    errors = _errors(fit.errors, fit.dropout_error, fit.purchase_error)
    note(f"{draws} drawn cohorts")
    cohorts = [simulate(model, observed, name="cdnow-bgnbd", index=i) for i in range(draws)]
    fits = [fit_customers(cohort) for cohort in cohorts]
    found = np.array([_numbers(one.model) for one in fits])
    totals = np.array([cohort.frequency.sum() for cohort in cohorts])
    first = _errors(fits[0].errors, fits[0].dropout_error, fits[0].purchase_error)
    off = (found[0] - _numbers(model)) / first
    holds = [abs(one.model.dropout - model.dropout) <= 1.959964 * one.dropout_error for one in fits]
    note("controls")
    stayers = [
        fit_customers(simulate(model._replace(a=0.0), observed, name="cdnow-stayers", index=i))
        for i in range(controls)
    ]
    left = [fit_customers(stayed(data, i)).gain for i in range(controls)]
    mean = float(expected_repeats(model, observed).sum())
    return {
        **dict(zip(("r", "alpha", "a", "b", "log-likelihood"), model, strict=True)),
        "chi-squared of customers by repeat purchases": fit.goodness.statistic,
        "its p with 3 degrees": fit.goodness.p,
        "repeat purchases, standard deviations from the fit's mean": float(
            (data.frequency.sum() - mean) / totals.std(ddof=1)
        ),
        "log-likelihood gained by drop-out": fit.gain,
        **{
            f"a drawn cohort fitted anew: {name}, standard errors from the truth": float(z)
            for name, z in zip(NAMES, off, strict=True)
        },
        **{
            f"{name}: standard error, over that of drawn cohorts": float(ratio)
            for name, ratio in zip(NAMES, errors / found.std(axis=0, ddof=1), strict=True)
        },
        "share of 95 % intervals of mean drop-out that hold the truth": float(np.mean(holds)),
        "mean drop-out found where there is none, most of 10 cohorts": max(
            one.model.dropout for one in stayers
        ),
        "log-likelihood gained by drop-out where there is none, most of 10 cohorts": max(
            one.gain for one in stayers
        ),
        "share of the gain left where last purchases come as without drop-out, most of 10 times": (
            max(left) / fit.gain
        ),
    }


def stayed(data: Customers, index: int) -> Customers:
    """Return customers as often, whose last purchases come as if nobody had dropped out.

    Purchases at a constant rate lie anywhere, so that the last of x within T comes at T times the
    largest of x uniform numbers.
    """
    x = data.frequency
    keys = roots("cdnow-bgnbd", "stayed", [(index, i) for i in range(len(x))])
    last = data.observed * streams.unit(keys) ** (1 / np.maximum(x, 1))
    return data._replace(recency=np.where(x > 0, last, 0.0))


def _numbers(model: BgNbd) -> Floats:
    return np.array([model.r, model.alpha, model.dropout, model.weekly_purchase])


def _errors(errors: Floats, dropout: float, purchase: float) -> Floats:
    return np.array([errors[0], errors[1], dropout, purchase])
