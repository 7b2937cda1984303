"""Agents that bargain: beliefs about a rival, and a threshold for its demands."""

from typing import Any

import numpy as np
import pytest

from stratagem.agents.bargaining.bayesian_proposer import BayesianProposer, Belief
from stratagem.cli import main
from stratagem.envs.core import Transition
from stratagem.envs.games.conflict.crisis_bargaining import CrisisBargaining
from stratagem.envs.simulator import rollout
from stratagem.players import player

RIGHT = (7, 8)
"""Hypotheses of costs up to 8/20, the truth, and 9/20: against both .65 is the best demand."""


def answered(paid: list[float], terminated: bool = True) -> Transition:
    b = len(paid)
    over = np.full(b, terminated)
    seen = np.zeros((b, 1))
    return Transition(seen, np.zeros(b, np.int64), np.array(paid), seen, over, ~over)


def two() -> BayesianProposer:
    """A modest and a bold demand of one who accepts all, or of one who accepts the modest alone."""
    return BayesianProposer(
        accepted=np.array([0.5, 0.8]), refused=np.array([0.4, 0.4]),
        chances=np.array([[1.0, 1.0], [1.0, 0.0]]), slip=0.1,
    )  # fmt: skip


def test_one_refusal_by_hand() -> None:
    """At first the bold demand is worth .6 on average; refused, the meek rival has .1 to .9."""
    agent = two()
    memory = Belief(np.zeros((2, 2)), np.array([1, 1]), np.zeros(2))
    assert agent.best(memory.weights).tolist() == [1, 1]
    memory = agent.update(answered([0.4, 0.8]), memory)
    assert np.exp(memory.weights) == pytest.approx(np.array([[1 / 9, 1], [1, 1 / 9]]))
    assert agent.best(memory.weights).tolist() == [0, 1]  # .4 + .4 / 10 is below a half
    assert agent.freeze(memory, 0).rule(np.zeros((3, 1))).tolist() == [0, 0, 0]  # type: ignore[attr-defined]
    assert memory.proposed.tolist() == [-1, -1]


def test_what_is_cut_short_or_uninformative_teaches_nothing() -> None:
    agent = two()
    memory = Belief(np.zeros((2, 2)), np.array([1, 0]), np.zeros(2))
    assert not agent.update(answered([0.4, 0.5], terminated=False), memory).weights.any()
    after = agent.update(answered([0.8, 0.5]), memory).weights
    assert after[1].tolist() == [0, 0]  # both hypotheses accept the modest demand alike


def learnt(sampling: bool) -> tuple[Any, Any, Any]:
    """Return where 20 learners end, their likeliest hypotheses, and the wars of each late on."""
    game = CrisisBargaining()
    learner = player("bayesian_proposer", game, 0, sampling=sampling)
    seats = [learner, player("benchmark:perfect_bayesian", game, 1)]
    played, memories = rollout(game, seats, num_copies=20, num_steps=3000, seed=0)
    final = [learner.freeze(memories[0], copy) for copy in range(20)]  # type: ignore[attr-defined]
    demands = game.shares[[int(own.rule(np.zeros((1, 4)))[0]) for own in final]]
    return demands, memories[0].weights.argmax(axis=1), game.wars(played)[-1000:].sum(axis=0)


def test_one_who_samples_its_belief_finds_the_exact_demand_and_the_range_of_costs() -> None:
    demands, likeliest, wars = learnt(sampling=True)
    assert demands == pytest.approx(np.full(20, 0.65))
    assert np.isin(likeliest, RIGHT).all()
    assert wars.sum() / 10_000 == pytest.approx(0.375, abs=0.03)


def test_one_who_is_greedy_finds_it_or_stops_learning_where_nothing_is_told() -> None:
    """Unlucky early wars teach it that they cost little, and at .5 nobody ever fights."""
    demands, likeliest, wars = learnt(sampling=False)
    found = np.isclose(demands, 0.65)
    assert 0 < found.sum() < 20
    assert demands[~found] == pytest.approx(np.full((~found).sum(), 0.5))
    assert (np.isin(likeliest, RIGHT) == found).all()
    assert not wars[~found].any()


def test_a_threshold_accepts_up_to_its_share_whatever_war_costs() -> None:
    game = CrisisBargaining()
    for demand, war in ((12, 0.0), (13, 1.0)):
        seats = [player(f"fixed:{demand}", game, 0), player("threshold:0.6", game, 1)]
        played, _ = rollout(game, seats, num_copies=8, num_steps=2, seed=0)
        assert (game.risk(played) == war).all()


def test_a_bayesian_gives_in_to_one_who_is_hard() -> None:
    """Whose answers fit none of its hypotheses: it demands no more than what is accepted."""
    game = CrisisBargaining()
    seats = [player("bayesian_proposer", game, 0), player("threshold:0.5", game, 1)]
    played, _ = rollout(game, seats, num_copies=4, num_steps=2000, seed=0)
    late = played.actions[-200::2, 0]
    assert (game.shares[late] < 0.65).all()


@pytest.mark.parametrize(
    ("name", "seat", "params", "says"),
    [
        ("bayesian_proposer", 1, {}, "needs to make the demands of a crisis with private costs"),
        ("bayesian_proposer", 0, {"variant": "complete"}, "needs to make the demands of a crisis"),
        ("threshold:0.5", 0, {}, "threshold:0.5 answers the demands of a crisis; state_0 of"),
        ("threshold:0.5", 1, {"variant": "preventive"}, "has none to answer"),
        ("threshold:2", 1, {}, "threshold:2 needs a share from 0 to 1"),
        ("threshold:high", 1, {}, "threshold:high needs a share from 0 to 1"),
        ("threshold", 1, {}, "must be written 'threshold:SHARE'"),
    ],
)
def test_who_cannot_play_is_told_why(
    name: str, seat: int, params: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        player(name, CrisisBargaining(**params), seat)


def test_bad_options_are_named() -> None:
    game = CrisisBargaining()
    with pytest.raises(ValueError, match=r"slip must be in \(0, 0.5\], got 0"):
        player("bayesian_proposer", game, 0, slip=0)
    with pytest.raises(ValueError, match="of bayesian_proposer are not allowed"):
        player("bayesian_proposer", game, 0, nonsense=1)
    with pytest.raises(ValueError, match=r"chances must be \(H, 2\), got shape \(1, 3\)"):
        BayesianProposer(accepted=np.ones(2), refused=np.ones(2), chances=np.ones((1, 3)))
    with pytest.raises(ValueError, match="chances must be probabilities"):
        BayesianProposer(accepted=np.ones(2), refused=np.ones(2), chances=np.full((1, 2), 2.0))
    with pytest.raises(ValueError, match=r"proposal 1 must pay 0.8 or 0.4, got 0.7"):
        two().update(answered([0.7]), Belief(np.zeros((1, 2)), np.array([1]), np.zeros(1)))
    assert main(["run", "CrisisBargaining-v0", "--agents", "random,threshold:7"]) == 2
