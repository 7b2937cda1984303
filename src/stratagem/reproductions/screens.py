"""Screens for collusion on the price of a cartel whose working weeks are known.

The state is that of the packaged file. The controls are shifts of it, and prices of the same mean,
spread and memory that know nothing of it.

Source: R. Porter (1983), *A study of cartel stability: the Joint Executive Committee, 1880-1886*,
Bell Journal of Economics 14(2). For the screens see `stratagem.evaluation.screens`.
"""

from collections.abc import Mapping

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Floats
from stratagem.evaluation.roots import roots
from stratagem.evaluation.screens import (
    joint_executive_committee,
    period_scores,
    score_screens,
)
from stratagem.metrics import auc_interval

from .registry import Note, at_least, at_most, near, reproduction

EARLIER = "an earlier reading of the file, apart from this package"
CLAIMS = {
    "level": "a working cartel raises the price: Porter (1983)",
    "variation": "it varies less under a cartel: Abrantes-Metz et al. (2006)",
    "rigidity": "it is more rigid under a cartel: Athey, Bagwell and Sanchirico (2004)",
    "regime_smoothed": "its regimes are those of the cartel: Porter (1983)",
}
"""What the area under the ROC curve should show by being above 1/2."""
BLOCK = 26


@reproduction(
    "jec-cartel-screens",
    near("mean price in cartel weeks", 0.2766, 5e-5, "computed", EARLIER),
    near("mean price in other weeks", 0.1976, 5e-5, "computed", EARLIER),
    near("weeks in which the cartel was operative", 203, 0, "computed", EARLIER),
    *(
        at_least(f"{name}, lower end of the area's interval", 0.5, "published", claim)
        for name, claim in CLAIMS.items()
    ),
    at_least(
        "regime_smoothed above 1/2, lower end of balanced accuracy",
        0.5,
        "derived",
        "flags that say nothing have a balanced accuracy of 1/2",
    ),
    *(
        near(
            f"{name}, mean area over shifts of the state",
            0.5,
            0.01,
            "derived",
            "a shift parts the price from the state",
            control=True,
        )
        for name in CLAIMS
    ),
    *(
        near(
            f"{name}, mean area on competitive prices",
            0.5,
            0.04,
            "derived",
            "they know nothing of the state; three standard errors of 100 series of deviation .13",
            control=True,
        )
        for name in CLAIMS
    ),
    *(
        at_most(
            f"{name}, competitive series whose lower end is above 1/2",
            0.072,
            "derived",
            "a share of .025, and three standard errors of 100 series above it",
            control=True,
        )
        for name in CLAIMS
    ),
)
def jec_cartel_screens(
    note: Note, *, series: int = 100, resamples: int = 500
) -> Mapping[str, float]:
    """Price level, variation, rigidity and regimes tell a railroad cartel's working weeks."""
    prices, state = joint_executive_committee()
    assert state is not None
    found = {
        "mean price in cartel weeks": float(prices[state].mean()),
        "mean price in other weeks": float(prices[~state].mean()),
        "weeks in which the cartel was operative": float(state.sum()),
    }
    note("the cartel")
    scores = score_screens(prices, state, block=BLOCK)
    for name in CLAIMS:
        found[f"{name}, lower end of the area's interval"] = scores[name].area.low
        found[f"{name}, mean area over shifts of the state"] = scores[name].shifted
    fixed = scores["regime_smoothed"].fixed
    assert fixed is not None
    name = "regime_smoothed above 1/2, lower end of balanced accuracy"
    found[name] = fixed.balanced_accuracy.low
    note("competitive prices")
    areas: dict[str, list[float]] = {name: [] for name in CLAIMS}
    above: dict[str, list[bool]] = {name: [] for name in CLAIMS}
    for own in competitive_prices(prices, series):
        every = period_scores(own)
        for name in CLAIMS:
            defined = np.isfinite(every[name])
            area = auc_interval(
                every[name][defined], state[defined], block=BLOCK, resamples=resamples
            )
            areas[name].append(area.value)
            above[name].append(area.low > 0.5)
    for name in CLAIMS:
        found[f"{name}, mean area on competitive prices"] = float(np.mean(areas[name]))
        key = f"{name}, competitive series whose lower end is above 1/2"
        found[key] = float(np.mean(above[name]))
    return found


def competitive_prices(like: Floats, count: int) -> Floats:
    """Return series with the memory of one but no cartel, (count, T).

    A first-order autoregression with the mean, standard deviation and first autocorrelation of
    `like`, rounded to five cents as its prices mostly are, and not below five.
    """
    from scipy.special import ndtri

    centred = like - like.mean()
    memory = float(centred[1:] @ centred[:-1] / (centred @ centred))
    keys = roots("jec-cartel-screens", "competitive", range(count))
    steps = np.arange(len(like), dtype=np.uint64)
    shocks = ndtri(streams.unit(keys[:, None] + steps * streams.STEP) + streams.ULP / 2)
    values = shocks.copy()
    for t in range(1, len(like)):
        values[:, t] = memory * values[:, t - 1] + (1 - memory**2) ** 0.5 * shocks[:, t]
    cents = np.round((like.mean() + like.std() * values) / 0.05) * 0.05
    return np.asarray(np.maximum(cents, 0.05))
