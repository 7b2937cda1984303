"""Threats, and devices to make them believed."""

from collections.abc import Mapping

import numpy as np

from stratagem.envs.core import Floats
from stratagem.envs.games.conflict.chicken import STRAIGHT, Chicken

from .coordination import learnt_together, preferred
from .registry import Note, at_least, at_most, near, reproduction


def _symmetric(game: Chicken) -> tuple[Floats, float, float]:
    """Return the symmetric equilibrium's mix, its value and its chance of a crash."""
    found = game.benchmarks()["nash_symmetric"].solution
    return (
        found.profile[0],
        float(found.payoffs[0]),
        game.crash_chance(found.profile[0], found.profile[1]),
    )


@reproduction(
    "commitment-doubles-crash-risk",
    near("chance of a crash without the device", 0.01, 1e-9, "derived", "1/10 squared"),
    near(
        "chance of a crash with the device",
        192.1525 / 10201,
        1e-9,
        "derived",
        "the mix is (81.45, 9.05, 10.5) / 101",
    ),
    near("ratio of the two", 1.88, 0.01, "derived", "of the two"),
    near("value without the device", -0.1, 1e-9, "derived", "of swerving"),
    near("value with the device", -19.55 / 101, 1e-9, "derived", "of swerving"),
    at_least(
        "crashes of strangers, learnt without the device",
        0.01,
        "derived",
        "that of the mix; 1/4 if all pairs ended in an equilibrium, but in most both swerve",
    ),
    at_most(
        "crashes within pairs that learnt together",
        0.05,
        "derived",
        "straight is no best reply to it",
    ),
    near(
        "ratio of the two where the device costs nearly all it wins",
        1,
        1e-6,
        "derived",
        "it is then not used",
        control=True,
    ),
    at_most(
        "chance of a crash where one alone can commit",
        0,
        "derived",
        "whoever sees it swerves",
        control=True,
    ),
)
def commitment_doubles_crash_risk(
    note: Note, *, runs: int = 40, periods: int = 20_000
) -> Mapping[str, float]:
    """Two who can both commit crash nearly twice as often as two who cannot."""
    plain, device = Chicken(horizon=1), Chicken(horizon=1, device=True)
    (_, value, crash), (_, committed_value, committed) = map(_symmetric, (plain, device))
    dear = _symmetric(Chicken(horizon=1, device=True, cost=1.999))[2]
    note(f"{runs} pairs learn without the device")
    game = Chicken(continuation=1.0)
    name = "commitment-doubles-crash-risk"
    pairs = learnt_together(
        game, name, runs=runs, periods=periods, alpha=0.1, beta=10 / periods, discount=0.0
    )
    straight = preferred(game, pairs) == STRAIGHT
    met = straight[0][:, None] & straight[1]
    leads = plain.benchmarks()["stackelberg_0"].solution.profile
    return {
        "chance of a crash without the device": crash,
        "chance of a crash with the device": committed,
        "ratio of the two": committed / crash,
        "value without the device": value,
        "value with the device": committed_value,
        "crashes of strangers, learnt without the device": float(
            met[~np.eye(runs, dtype=np.bool_)].mean()
        ),
        "crashes within pairs that learnt together": float(straight.all(axis=0).mean()),
        "ratio of the two where the device costs nearly all it wins": dear / crash,
        "chance of a crash where one alone can commit": plain.crash_chance(leads[0], leads[1]),
    }
