"""Checks of a game's reference values: certificates recomputed from the game's own dynamics."""

from typing import Any

import numpy as np

from stratagem.envs.benchmarks import Benchmark
from stratagem.envs.core import Floats, Game, never_ends
from stratagem.envs.planning import best_response, expected_periods, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import size
from stratagem.envs.tabular import tabulate

from .play import Counting, all_discrete

_ENDLESS_DISCOUNT = 0.9


def _benchmarks(game: Game[Any]) -> dict[str, Benchmark]:
    try:
        return dict(game.benchmarks())
    except ValueError:
        if never_ends(game):
            return {}  # an endless game may have none without a discount
        raise


def _endless(game: Game[Any], strategies: Any) -> bool:
    try:
        payoffs(game, strategies)
    except ValueError:
        return True
    return False


def check_certificates(game: Game[Any]) -> None:
    """Certificates pass, name who was tried, and hold in the game's own dynamics."""
    for name, benchmark in _benchmarks(game).items():
        certificate = benchmark.solution.certificate
        value = benchmark.solution.payoffs
        assert name == benchmark.name, f"{name!r} is named {benchmark.name!r}"
        assert value.shape == (len(game.agents),), f"{name}: payoffs must be (N,)"
        assert certificate.deviators, f"{name}: deviators must not be empty"
        known = {*game.agents, "planner"}
        assert set(certificate.deviators) <= known, f"{name}: deviators must be among {known}"
        passes = certificate.max_regret <= certificate.tolerance
        assert passes, f"{name}: regret {certificate.max_regret} is above its tolerance"
        assert benchmark.unit in ("per_period", "per_episode", "discounted"), f"{name}: unit"
        if benchmark.strategies is not None and all_discrete(game):
            _check_strategies(game, benchmark)


def _check_strategies(game: Game[Any], benchmark: Benchmark) -> None:
    try:
        tabulate(game)
    except ValueError:
        return
    given, name = benchmark.strategies, benchmark.name
    assert given is not None
    endless = _endless(game, given)
    discount = benchmark.discount if benchmark.unit == "discounted" else 1.0
    if endless and benchmark.unit == "per_period":
        discount = _ENDLESS_DISCOUNT
    scale = 1.0
    if benchmark.unit == "per_period":
        scale = 1 - discount if endless else 1 / expected_periods(game, given)
    reached: Floats = payoffs(game, given, discount=discount) * scale
    gap = np.abs(reached - benchmark.solution.payoffs).max()
    assert gap < 1e-8, f"{name}: its strategies are worth {reached}, not what it says"
    for seat, agent in enumerate(game.agents):
        if not _claims_best_reply(game, benchmark, agent):
            continue
        best = best_response(game, seat, given, discount=discount).payoffs[seat] * scale
        regret = best - reached[seat]
        tolerance = 1e-8 + benchmark.solution.certificate.tolerance
        assert regret < tolerance, f"{name}: {agent} gains {regret} by deviating"


def _claims_best_reply(game: Game[Any], benchmark: Benchmark, agent: str) -> bool:
    """Return whether the concept says that an agent cannot gain alone, in any way of playing.

    A leader could, once it is not committed; a planner's optimum is one only for who is alone.
    """
    solution = benchmark.solution
    alone = solution.concept == "optimum" and len(game.agents) == 1
    return alone or ("nash" in solution.concept and agent in solution.certificate.deviators)


def check_risk(game: Game[Any]) -> None:
    """Risk has one scale per agent and is that scale of the statistic, whatever the batch."""
    scales = game.risk_scales()
    if scales is not None:
        assert len(scales) == len(game.agents), "risk_scales must be one per agent"
    if not all_discrete(game):
        return
    varied = [Counting(size(space)) for space in game.action_spaces]
    trajectory, _ = rollout(game, varied, num_copies=3, num_steps=4, seed=5, max_episode_steps=1000)
    risk, per_seat = game.risk(trajectory), game.seat_risk(trajectory)
    assert risk.shape == (3,), "risk must be (B,)"
    assert per_seat.shape == (len(game.agents), 3), "seat_risk must be (N, B)"
    alone, _ = rollout(game, varied, num_copies=1, num_steps=4, seed=6, max_episode_steps=1000)
    same = np.allclose(game.risk(alone), risk[1:2], rtol=0, atol=1e-12, equal_nan=True)
    assert same, "risk of a copy depends on its batch"
    if scales is not None:
        for scale, row in zip(scales, game.risk_statistic(trajectory), strict=True):
            assert scale(np.array(scale.safe)) == 0 or np.isnan(scale(np.array(scale.safe)))
            assert row.shape == (3,), "risk_statistic must be (N, B)"
