"""Cross-play: what runs that were not trained together reach with each other.

Source: T. Snijders and S. Borgatti (1999), *Non-parametric standard errors and tests for network
statistics*, Connections 22(2). Resampling of a network's vertices, here runs; a vertex that is
drawn twice is, unlike there, not joined with itself.
"""

from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Floats

from .bootstrap import RESAMPLES, Interval, ends, resample, tail


class CrossPlay(NamedTuple):
    """What a cross-play matrix says, each with an interval over runs."""

    self_play: Interval  # mean of the diagonal
    cross_play: Interval  # mean off the diagonal
    gap: Interval  # self-play minus cross-play


def cross_play(matrix: Floats, *, level: float = 0.95, resamples: int = RESAMPLES) -> CrossPlay:
    """Return self-play, cross-play and their gap of a matrix over training runs.

    Runs are resampled, not cells: the cells of a row share a run, so they are dependent.
    A run drawn twice makes a cell of its self-play, which is left out of cross-play. Two runs
    make one pair, so cross-play and gap have no interval then: their ends are NaN.

    Args:
        matrix: (R, R), entry (i, j) is the value when seat 0 of run i meets the others of run j.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If the matrix is not square or has fewer than two runs, or `level` is not in
            (0, 1).
    """
    matrix = np.asarray(matrix, np.float64)
    runs = len(matrix)
    if matrix.shape != (runs, runs) or runs < 2:
        raise ValueError(f"matrix must be square with at least 2 runs, got shape {matrix.shape}")
    beyond = tail(level, runs)
    picks = resample(np.zeros(runs), resamples) + runs * np.arange(resamples)[:, None]
    counts = np.bincount(picks.ravel(), minlength=runs * resamples).reshape(resamples, runs)
    own, others = matrix.diagonal(), np.where(np.eye(runs, dtype=np.bool_), 0.0, matrix)
    pairs = runs**2 - (counts**2).sum(axis=1)
    usable = pairs > 0
    selves = counts @ own / runs
    crosses = np.einsum("ri,ij,rj->r", counts, others, counts, optimize=True)[usable]
    crosses = crosses / pairs[usable]

    def summary(value: float, samples: Floats, *, defined: bool = True) -> Interval:
        low, high = ends(samples, beyond) if defined else (np.nan, np.nan)
        return Interval(float(value), low, high, runs)

    met, several = others.sum() / (runs * (runs - 1)), runs > 2
    return CrossPlay(
        summary(own.mean(), selves),
        summary(met, crosses, defined=several),
        summary(own.mean() - met, selves[usable] - crosses, defined=several),
    )
