"""Audits as a table: one row per audited seat."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..rows import ROW_COLUMNS, Columns
from .case import Audit

AUDIT_COLUMNS: Mapping[str, str] = {
    "scenario": ROW_COLUMNS["scenario"],
    "version": ROW_COLUMNS["version"],
    "game": ROW_COLUMNS["game"],
    "lineup": "policies of all seats, joined by ' + '",
    "run": "training run that the policies come from; 0 without learners",
    "seat": "index of the audited agent",
    "agent": "its name",
    "unit": "of all values: 'per_episode' or 'discounted', expected sums",
    "discount": "weight of the next period; 1 unless discounted",
    "value": "of the policy under audit, the others' being what they are",
    "value_low": "lower end of its 95% interval; the value itself where computed",
    "value_high": "upper end; likewise",
    "best_low": "the best deviation is worth at least this, a 95% bound where simulated",
    "best_high": "and at most this; infinite where no bound is known",
    "gain_low": "the best deviation gains at least this, a 95% bound where simulated",
    "gain_high": "and at most this; infinite where no bound is known",
    "one_shot_gain": "gain of the best single deviation, then the policy again; NaN if unknown",
    "exact": "whether value, best deviation and gain are computed, with low equal to high",
    "method": "how, in words",
    "nodes": "that the dynamic program ran over; 0 if there was none",
}
"""Name and meaning of the columns of `audit_columns`."""


def audit_columns(
    audits: Sequence[Audit],
    *,
    scenario: str,
    version: str | int,
    game: str,
    lineup: str,
    run: int = 0,
) -> Columns:
    """Return audits of one line-up as equally long arrays, named and ordered as `AUDIT_COLUMNS`.

    Args:
        audits: at least one.
        scenario: name of the scenario.
        version: its version.
        game: full id of the game.
        lineup: policies of all seats, joined by ' + '.
        run: training run that the policies come from.

    Raises:
        ValueError: If there are no audits.
    """
    if not audits:
        raise ValueError("audits must be at least one, got none")
    same = {"scenario": scenario, "version": version, "game": game, "lineup": lineup, "run": run}
    return {
        name: np.array([same[name] if name in same else getattr(own, name) for own in audits])
        for name in AUDIT_COLUMNS
    }
