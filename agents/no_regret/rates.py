r"""Exponential weights and their rates.

With payoffs scaled to [0, 1] and a complexity $c$ ($\ln n$ for Hedge), after $t$ periods the rate
is the one given; or $\sqrt{8 c / T}$ for a known horizon $T$; or that of horizons 1, 2, 4, ...,
each starting anew; or, for any horizon, $\sqrt{8 c / t}$ in period $t = 1, 2, \dots$

Source: N. Cesa-Bianchi and G. Lugosi (2006), *Prediction, learning, and games*, theorems 2.2
and 2.3, and section 2.3 (doubling).
"""

from math import isfinite

import numpy as np

from stratagem.envs.core import Bools, Floats, Ints


def check_range(low: float, high: float) -> None:
    """Raise ValueError unless `low` and `high` are finite and in order."""
    if not (isfinite(low) and isfinite(high) and low <= high):
        raise ValueError(f"low and high must be finite and low <= high, got {low} and {high}")


def check_rates(rate: float | None, horizon: int | None, doubling: bool) -> None:
    """Raise ValueError unless at most one of the three says what the rates are, and is valid."""
    if (rate is not None) + (horizon is not None) + doubling > 1:
        raise ValueError(
            "at most one of rate, horizon and doubling may be given, got "
            f"rate={rate}, horizon={horizon}, doubling={doubling}"
        )
    if rate is not None and not (isfinite(rate) and rate > 0):
        raise ValueError(f"rate must be positive and finite, got {rate}")
    if horizon is not None and horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")


def rate_at(
    rounds: Ints, complexity: float, rate: float | None, horizon: int | None, doubling: bool
) -> Floats:
    """Return the rate (M,) of the period that follows `rounds` (M,) periods."""
    if rate is not None:
        return np.full(len(rounds), rate)
    if horizon is not None:
        length = np.full(len(rounds), float(horizon))
    elif doubling:  # period t = rounds + 1 is in the block of 2^floor(log2 t) periods
        length = np.ldexp(1.0, np.frexp(rounds + 1.0)[1] - 1)
    else:
        length = rounds + 1.0
    return np.asarray(np.sqrt(8 * complexity / length))


def block_ends(rounds: Ints) -> Bools:
    """Return whether the period after `rounds` (M,) periods is the last of a doubling block."""
    return np.asarray((rounds + 2) & (rounds + 1) == 0)


def scaled(payoffs: Floats, low: float, high: float) -> Floats:
    """Return payoffs scaled from [low, high] to [0, 1], of the same shape; 0 if low is high.

    Raises:
        ValueError: If a payoff is outside the range.
    """
    width = high - low
    gains = (payoffs - low) / (width or 1.0)
    if not ((gains >= -1e-9) & (gains <= 1 + 1e-9)).all():
        raise ValueError(f"payoffs must be from low={low} to high={high}, got {payoffs.tolist()}")
    return np.asarray(gains)


def softmax(scores: Floats, legal: Bools) -> Floats:
    """Return probabilities proportional to exp(scores), shape (..., n), zero where illegal."""
    scores = np.where(legal, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
