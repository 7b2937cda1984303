"""Screens by variance and rigidity, of whole series and of the periods up to each.

Sources:
- R. Abrantes-Metz, L. Froeb, J. Geweke and C. Taylor (2006), *A variance screen for collusion*,
  International Journal of Industrial Organization 24(3). Variation relative to the mean.
- S. Athey, K. Bagwell and C. Sanchirico (2004), *Collusion and price rigidity*, Review of Economic
  Studies 71(2). Why a cartel may keep its price where costs move.
- J. Harrington (2008), *Detecting cartels*, in Handbook of Antitrust Economics. The markers.
"""

import numpy as np

from stratagem.envs.core import Array, Floats


def checked(prices: Array, least: int = 2, *, firms: bool = True) -> Floats:
    """Return prices as float64, (T,) or, if `firms`, also (T, N).

    Raises:
        ValueError: If there are fewer than `least` periods, or a price is missing or negative.
    """
    prices = np.asarray(prices, np.float64)
    if prices.ndim not in ((1, 2) if firms else (1,)):
        shapes = "(T,) or (T, N)" if firms else "(T,)"
        raise ValueError(f"prices must have shape {shapes}, got {prices.shape}")
    if len(prices) < least:
        raise ValueError(f"prices must be of at least {least} periods, got {len(prices)}")
    bad = ~(np.isfinite(prices) & (prices >= 0))
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        place = where[0] if len(where) == 1 else where
        kind = "must not be negative" if prices[where] < 0 else "must be finite, none missing"
        raise ValueError(f"prices {kind}, got {prices[where]:g} at position {place}")
    return prices


def varying(prices: Array, least: int, values: int = 2) -> Floats:
    """Return one checked series, (T,), that takes at least so many values.

    Raises:
        ValueError: As `checked`, or if the series takes fewer values.
    """
    prices = checked(prices, least, firms=False)
    found = len(np.unique(prices))
    if found < values:
        raise ValueError(f"prices must take at least {values} values, got {found}")
    return prices


def variation(prices: Array) -> Floats:
    """Return the coefficient of variation: standard deviation (divisor T - 1) over mean.

    Low variation is the marker of collusion. A constant price has 0; a price of 0 throughout NaN.

    Args:
        prices: not negative, (T,) or by firm (T, N), T of at least 2.

    Returns:
        in [0, sqrt(T)], () or (N,).

    Raises:
        ValueError: See `checked`.
    """
    prices = checked(prices)
    return _variation(np.moveaxis(prices, 0, -1))


def rigidity(prices: Array) -> Floats:
    """Return the share of periods, the first aside, in which the price is that of the last one.

    High rigidity is the marker of collusion. Prices are compared exactly, so a price that is
    an average over trades hardly ever repeats, and the screen does not apply to it.

    Args:
        prices: not negative, (T,) or by firm (T, N), T of at least 2.

    Returns:
        in [0, 1], () or (N,).

    Raises:
        ValueError: See `checked`.
    """
    return np.asarray((np.diff(checked(prices), axis=0) == 0).mean(axis=0))


def rolling_variation(prices: Array, window: int) -> Floats:
    """Return the variation of the last `window` periods, shape of the prices.

    NaN for the first `window` - 1 periods.

    Raises:
        ValueError: See `checked`, or if the window is not of 2 to T periods.
    """
    # Sorted, so that windows of the same prices have the same variation to the bit.
    return _rolled(_variation(np.sort(_windows(prices, window), axis=-1)), window)


def rolling_rigidity(prices: Array, window: int) -> Floats:
    """Return the rigidity of the last `window` periods, shape of the prices.

    NaN for the first `window` - 1 periods.

    Raises:
        ValueError: See `checked`, or if the window is not of 2 to T periods.
    """
    same = np.diff(_windows(prices, window), axis=-1) == 0
    return _rolled(same.mean(axis=-1), window)


def _variation(prices: Floats) -> Floats:
    means = prices.mean(axis=-1)
    spread = np.where(np.ptp(prices, axis=-1) == 0, 0.0, prices.std(axis=-1, ddof=1))
    undefined = np.full(np.shape(means), np.nan)
    return np.asarray(np.divide(spread, means, out=undefined, where=means > 0))


def _windows(prices: Array, window: int) -> Floats:
    prices = checked(prices)
    if not 2 <= window <= len(prices):
        raise ValueError(f"window must be of 2 to {len(prices)} periods, got {window}")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(prices, window, axis=0))


def _rolled(values: Floats, window: int) -> Floats:
    return np.concatenate([np.full((window - 1, *values.shape[1:]), np.nan), values])
