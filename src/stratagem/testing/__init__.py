"""The conformance kit: what every game is put through, in every view.

`check_game` runs all of it on a registered id or on a game of one's own; it needs
nothing but the game. Each check is a function that raises `AssertionError`, and the
project's tests prove with mutants that each can fail.

>>> from stratagem.testing import check_game
>>> {"certificates", "chance"} <= set(check_game("LeverCoordination-v0", third_party=False))
True
"""

from collections.abc import Callable
from typing import Any

from stratagem.envs.core import Game
from stratagem.making import build

from . import dynamics, rendering, third_party, values, views
from .play import NotApplicable

Check = Callable[[Game[Any]], None]

OWN_CHECKS: dict[str, Check] = {
    "spaces": dynamics.check_spaces,
    "chance": dynamics.check_chance,
    "copies_apart": dynamics.check_copies_apart,
    "arguments_kept": dynamics.check_arguments_kept,
    "table": dynamics.check_table,
    "conduct": dynamics.check_conduct,
    "standing": dynamics.check_standing,
    "certificates": values.check_certificates,
    "risk": values.check_risk,
    "one_trajectory": views.check_one_trajectory,
    "batches": views.check_batches,
    "sb3_rows": views.check_sb3_rows,
    "ends": views.check_ends,
    "seeds": views.check_seeds,
    "memory": views.check_memory,
    "masks": views.check_masks,
    "bad_actions": views.check_bad_actions,
    "pickling": views.check_pickling,
    "rendering": rendering.check_rendering,
}
"""Our own checks by name, in the order in which they run."""


def check_game(game: str | Game[Any], *, third_party: bool = True, **params: Any) -> dict[str, str]:
    """Put a game through the whole kit; warnings are errors.

    Args:
        game: a registered id, with or without `stratagem/`, or a game.
        third_party: whether to run the checkers of Gymnasium, PettingZoo and, where it is
            installed, stable-baselines3 as well.
        **params: parameters of the game, if `game` is an id.

    Returns:
        for each check its name and "passed", or why it does not apply to the game.

    Raises:
        AssertionError: If a check fails; the message begins with its name.
    """
    built, _ = build(game, params)
    checks = dict(OWN_CHECKS)
    if third_party:
        checks |= third_party_checks()
    found = {}
    for name, check in checks.items():
        try:
            check(built)
            found[name] = "passed"
        except NotApplicable as reason:
            found[name] = f"does not apply: {reason}"
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    return found


def third_party_checks() -> dict[str, Check]:
    """Return the checkers of other packages by name; SB3's only where it is installed."""
    return third_party.available()


__all__ = ["OWN_CHECKS", "NotApplicable", "check_game", "third_party_checks"]
