"""Cross-play: what runs that were not trained together reach with each other."""

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
    A run drawn twice makes a cell of its self-play, which is left out of cross-play.

    Args:
        matrix: (R, R), entry (i, j) is the value when seat 0 of run i meets seat 1 of run j.
        level: coverage aimed at.
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If the matrix is not square or has fewer than two runs.
    """
    matrix = np.asarray(matrix, np.float64)
    runs = len(matrix)
    if matrix.shape != (runs, runs) or runs < 2:
        raise ValueError(f"matrix must be square with at least 2 runs, got shape {matrix.shape}")
    picks = resample(np.zeros(runs), resamples)
    cells = matrix[picks[:, :, None], picks[:, None, :]]
    apart = picks[:, :, None] != picks[:, None, :]
    usable = apart.any(axis=(1, 2))
    cells, apart, picks = cells[usable], apart[usable], picks[usable]
    selves = matrix.diagonal()[picks].mean(axis=-1)
    crosses = (cells * apart).sum(axis=(1, 2)) / apart.sum(axis=(1, 2))
    beyond = tail(level, runs)

    def summary(value: float, samples: Floats) -> Interval:
        return Interval(float(value), *ends(samples, beyond), runs)

    own = matrix.diagonal().mean()
    other = matrix[~np.eye(runs, dtype=np.bool_)].mean()
    return CrossPlay(
        summary(own, selves), summary(other, crosses), summary(own - other, selves - crosses)
    )
