"""Random platforms and users, for properties that hold for all."""

import numpy as np

from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.disengagement_presets import LINEAR_ARMS


def random_models(num, *, linear=False, seed=0):
    """Random monotone users; `linear` gives the arms and the staying of a reference check."""
    rng = np.random.default_rng(seed)
    for _ in range(num):
        levels = int(rng.integers(5, 12))
        pieces = np.sort(rng.uniform(0.05, 0.995, int(rng.integers(2, 6))))
        cuts = np.sort(rng.choice(np.arange(1, levels), len(pieces) - 1, replace=False))
        stay = pieces[np.searchsorted(cuts, np.arange(levels), side="right")]
        friction, lost, returning = rng.uniform(0, 0.95), 0.0, None
        arms = LINEAR_ARMS
        if not linear:
            steps = rng.integers(-2, 3, 4)
            arms = tuple(zip(rng.normal(1, 1, 4).tolist(), steps.tolist(), strict=True))
            lost = tuple(rng.uniform(0, 1, levels).tolist())
            returning = tuple(rng.uniform(0.05, 1, levels).tolist())
        yield ContentDisengagement(
            arms=arms,
            stay=tuple(stay.tolist()),
            returning=returning,
            friction=float(friction),
            continuation=float(rng.uniform(0.5, 0.99)) if not linear else 0.95,
            lost=lost,
            start=0,
        )
