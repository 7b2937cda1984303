"""The checkers of Gymnasium, PettingZoo and stable-baselines3, with warnings as errors."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

from stratagem.envs.core import Game
from stratagem.making import aec_env, make_env, parallel_env

from .play import NotApplicable, co_players

CYCLES = 100

ADVICE: tuple[tuple[str, str], ...] = (
    (r".*Observation numpy array is all zeros.*", "a state at the origin is a state"),
)
"""Warnings that do not fail the kit: a pattern of the message, and the reason."""


@contextlib.contextmanager
def strict() -> Iterator[None]:
    """Make warnings errors but for `ADVICE`, and swallow what the checkers print."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("error")
        for pattern, _ in ADVICE:
            warnings.filterwarnings("ignore", message=pattern)
        yield


def _fails(check: Callable[[], Any]) -> None:
    """Run a checker; whatever it raises becomes an `AssertionError`."""
    try:
        with strict():
            check()
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error


def _unmasked(game: Game[Any]) -> None:
    """Raise `NotApplicable` if a game has illegal actions."""
    if game.forbids_actions:
        raise NotApplicable("the checker samples actions without their mask")


def _single(game: Game[Any], seat: int) -> Any:
    return make_env(game, agent=game.agents[seat], co_players=co_players(game, seat)[0])


def check_gymnasium(game: Game[Any]) -> None:
    """Gymnasium's `check_env`, for every seat."""
    from gymnasium.utils.env_checker import check_env

    _unmasked(game)
    for seat in range(len(game.agents)):
        _fails(partial(check_env, _single(game, seat), skip_render_check=True))


def check_gymnasium_match(game: Game[Any]) -> None:
    """Gymnasium's `check_environments_match`: one view beside another of the same game."""
    from gymnasium.utils.env_match import check_environments_match

    _unmasked(game)
    for seat in range(len(game.agents)):
        pair = _single(game, seat), _single(game, seat)
        _fails(partial(check_environments_match, *pair, num_steps=CYCLES, seed=3))


def check_stable_baselines3(game: Game[Any]) -> None:
    """SB3's `check_env`, for every seat."""
    from stable_baselines3.common.env_checker import check_env

    _unmasked(game)
    for seat in range(len(game.agents)):
        _fails(partial(check_env, _single(game, seat)))


def check_pettingzoo_parallel(game: Game[Any]) -> None:
    """PettingZoo's `parallel_api_test` and `parallel_seed_test`."""
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    _unmasked(game)
    _fails(lambda: parallel_api_test(parallel_env(game), num_cycles=CYCLES))
    _fails(lambda: parallel_seed_test(lambda: parallel_env(game)))


def check_pettingzoo_aec(game: Game[Any]) -> None:
    """PettingZoo's `api_test` and `seed_test`."""
    from pettingzoo.test import api_test, seed_test

    _fails(lambda: api_test(aec_env(game), num_cycles=CYCLES))
    _fails(lambda: seed_test(lambda: aec_env(game), num_cycles=CYCLES))


def available() -> dict[str, Callable[[Game[Any]], None]]:
    """Return the checkers by name; stable-baselines3's only where it is installed."""
    checks: dict[str, Callable[[Game[Any]], None]] = {
        "gymnasium.check_env": check_gymnasium,
        "gymnasium.check_environments_match": check_gymnasium_match,
        "pettingzoo.parallel": check_pettingzoo_parallel,
        "pettingzoo.aec": check_pettingzoo_aec,
    }
    if find_spec("stable_baselines3"):
        checks["stable_baselines3.check_env"] = check_stable_baselines3
    return checks
