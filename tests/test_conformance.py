"""Every registered game and every toy through the whole kit; a new game needs no code here."""

import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from toys import Drift, Guess, PaidTurns, Prisoners, Turns

import stratagem
from stratagem.envs.core import Game
from stratagem.envs.games.recommendation.disengagement_presets import one_step
from stratagem.envs.registry import EnvSpec, registry
from stratagem.envs.simulator import Simulator
from stratagem.testing import OWN_CHECKS, NotApplicable, check_game, third_party_checks
from stratagem.testing.play import random_actions

PLAYTHROUGHS = Path(__file__).parent / "playthroughs"
CHECKS = OWN_CHECKS | third_party_checks()
GAMES: dict[str, Game[Any]] = {
    **{name: spec.build() for name, spec in registry.items()},
    "LogitPricing, no memory": registry["LogitPricing-v0"].build({"memory": 0}),
    "LogitPricing, memory 2, ending": registry["LogitPricing-v0"].build(
        {"memory": 2, "num_prices": 4, "continuation": 0.9}
    ),
    "LogitPricing, three unequal firms": registry["LogitPricing-v0"].build(
        {"num_firms": 3, "num_prices": 5, "cost": (1.0, 0.9, 1.1), "continuation": 0.9}
    ),
    "RepeatedAuction, three bidders, a coin": registry["RepeatedAuction-v0"].build(
        {"num_bidders": 3, "num_bids": 4, "alpha": 1.5, "feedback": "own", "continuation": 0.9}
    ),
    "RepeatedAuction, ties split": registry["RepeatedAuction-v0"].build(
        {"num_bids": 6, "ties": "split", "feedback": "bid_to_win"}
    ),
    "Cournot, three users of a commons": registry["Cournot-v0"].build(
        {"num_firms": 3, "num_quantities": 4, "reading": "commons", "continuation": 0.9}
    ),
    "Cournot, memory": registry["Cournot-v0"].build({"num_quantities": 6, "memory": 1}),
    "SequentialPricing, three prices": registry["SequentialPricing-v0"].build({"num_prices": 3}),
    "InformationGame, payoffs shown": registry["InformationGame-v0"].build(
        {"feedback": "payoff", "horizon": 5, "precision": (0.5, 0.0)}
    ),
    "ContentDisengagement, cdnow": registry["ContentDisengagement-v0"].build({"preset": "cdnow"}),
    "ContentDisengagement, two types of users, nothing but engagement seen": registry[
        "ContentDisengagement-v0"
    ].build(
        {
            "users": ((0.4, {"friction": 0.8}), (0.6, {"start": 2})),
            "hidden": True,
            "hidden_type": True,
        }
    ),
    "ContentDisengagement, types seen, any move within the levels": registry[
        "ContentDisengagement-v0"
    ].build(one_step(7)._asdict() | {"users": ((0.4, {"friction": 0.8}), (0.6, {"start": 2}))}),
    "DisengagementPopulation, adversarial, bandit": registry["DisengagementPopulation-v0"].build(
        {"arrival": "adversarial", "feedback": "bandit", "horizon": 40}
    ),
    "DisengagementPopulation, realised": registry["DisengagementPopulation-v0"].build(
        {"arrival": "shifting", "value": "realised", "counted": 3, "horizon": 6}
    ),
    "Prisoners": Prisoners(),
    "Prisoners, endless": Prisoners(continuation=1.0),
    "Turns": Turns(),
    "Turns, paid for waiting": PaidTurns(),
    "Guess": Guess(),
    "Drift": Drift(),
}

every_game = pytest.mark.parametrize("spec", registry.values(), ids=registry.keys())


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", GAMES)
def test_game_conforms(name: str, check: str) -> None:
    try:
        CHECKS[check](GAMES[name])
    except NotApplicable as reason:
        pytest.skip(str(reason))


def test_the_kit_names_what_it_ran_and_what_failed() -> None:
    found = check_game("LeverCoordination-v0")
    assert list(found) == list(CHECKS)
    assert all(said == "passed" or "not installed" in said for said in found.values())
    assert check_game(Turns())["table"].startswith("does not apply: views do not step")

    class Silent(Prisoners):
        def observe(self, state: Any) -> Any:
            return tuple(view + 2 for view in super().observe(state))

    with pytest.raises(AssertionError, match=r"^spaces: observations"):
        check_game(Silent())


@every_game
def test_made_by_id_in_every_way(spec: EnvSpec) -> None:
    for name in (spec.full_id, f"stratagem:{spec.full_id}"):
        env = gymnasium.make(name)
        assert env.spec is not None
        assert env.spec.max_episode_steps == spec.max_episode_steps
        env.reset(seed=0)
    for mode in ("sync", "vector_entry_point", None):
        envs: Any = gymnasium.make_vec(
            spec.full_id, num_envs=3, vectorization_mode=mode, max_episode_steps=2
        )
        envs.reset(seed=0)
        ends = [np.any(envs.step(np.zeros(3, np.int64))[2:4], axis=0) for _ in range(2)]
        assert np.any(ends, axis=0).all()  # within two steps, by the limit at the latest
        envs.close()
    for env_id in (spec.id, spec.full_id):
        assert stratagem.make_env(env_id).game == spec.build()
        assert stratagem.parallel_env(env_id, max_cycles=3).max_cycles == 3
        assert stratagem.aec_env(env_id).max_cycles == spec.max_episode_steps
    if hasattr(pettingzoo, "make"):
        for kind in ("parallel", "aec"):
            made: Any = pettingzoo.make(kind, spec.full_id, max_cycles=3)
            assert made.unwrapped.max_cycles == 3


@every_game
def test_id_is_versioned_and_described(spec: EnvSpec) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*-v\d+", spec.id)
    assert spec.failure_modes
    assert re.search(r"\b(19|20)\d\d\b", spec.source)
    assert ".games." in spec.game.__module__


@every_game
def test_playthrough_is_unchanged(spec: EnvSpec, request: pytest.FixtureRequest) -> None:
    """A difference means that published results no longer hold: raise the version in the id."""
    game = spec.build()
    sim, generator = Simulator(game, 1), np.random.default_rng(0)
    sim.reset(0)
    lines = [repr(game), f"start | {game.render(sim.state)}"]
    for _ in range(20):
        actions = random_actions(game, sim.state, generator)
        rewards, terminated, _ = sim.step(actions)
        shown = [f"{r:.9g}" for r in rewards[:, 0]]
        lines.append(f"{actions[:, 0].tolist()} -> {shown} | {game.render(sim.state)}")
        if terminated[0]:
            sim.reset()
            lines.append(f"start | {game.render(sim.state)}")
    path = PLAYTHROUGHS / f"{spec.id}.txt"
    if request.config.getoption("--update-playthroughs"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    assert path.read_text().splitlines() == lines


def test_every_playthrough_belongs_to_a_game() -> None:
    assert {path.stem for path in PLAYTHROUGHS.glob("*.txt")} == set(registry)
