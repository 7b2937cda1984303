"""Partners who rotate by hand, by two ways of learning, and beside partners who stay."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pytest

from stratagem.agents.tabular.joint_learning import JointLearning
from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.evaluation import learning, rotation
from stratagem.evaluation.rotation import against_fixed_partners
from stratagem.players import player

NAMES = 1000
OPEN = LogitPricing(num_prices=NAMES, memory=0)
PRICING = LogitPricing(num_prices=3)


class _Met(NamedTuple):
    own: Any  # (B,)
    paid: Any  # (B, 8) first rewards of the matches
    matches: Any  # (B,)


@dataclass(frozen=True, eq=False)
class _Named:
    """Always plays a price of its own, and notes the reward at the end of every match."""

    def init(self, num_copies, rng):
        none = np.full((num_copies, 8), np.nan)
        return _Met(rng.integers(NAMES), none, np.zeros(num_copies, np.int64))

    def act(self, observation, memory, rng, mask=None):
        return memory.own, memory

    def update(self, transition, memory):
        over = transition.truncated.nonzero()[0]
        memory.paid[over, memory.matches[over]] = transition.reward[over]
        memory.matches[over] += 1
        return memory

    def freeze(self, memory, copy):
        frozen = Reactive(lambda seen: np.full(len(seen), memory.own[copy]))
        object.__setattr__(frozen, "met", (int(memory.own[copy]), memory.paid[copy].copy()))
        return frozen


def test_whose_learner_sits_next_where_by_hand():
    # Two circles of three: seat 1 gets that of the session before, seat 2 of the one before.
    assert rotation._following(3, 2, 3).tolist() == [
        [0, 1, 2, 3, 4, 5],
        [2, 0, 1, 5, 3, 4],
        [1, 2, 0, 4, 5, 3],
    ]


@pytest.mark.parametrize("moving", [False, True])
def test_learners_meet_the_partners_of_the_schedule_and_keep_what_they_learnt(moving):
    circle, seeds, matches = 3, 2, 5
    order = rotation._following(2, seeds, circle)
    if not moving:
        order = np.tile(np.arange(6), (2, 1))
    roots = np.arange(6, dtype=np.uint64) * 99
    first, second = rotation._taught(OPEN, [_Named(), _Named()], roots, 4, matches, order)
    prices = [np.array([policy.met[0] for policy in own]) for own in (first, second)]
    assert len(set(prices[1])) > 1
    for session, policy in enumerate(first):
        # After the last match nobody moves, so seat 1 sits `matches - 1` sessions from its first.
        base, place = session // circle * circle, session % circle
        for match in range(matches):
            left = (matches - 1 - match) * moving
            partner = base + (place + left) % circle
            own, other = prices[0][session], prices[1][partner]
            expected = OPEN.grid_profits(np.array([[own], [other]]))[0, 0]
            assert policy.met[1][match] == expected
        assert np.isnan(policy.met[1][matches:]).all()


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 0, 1, 2]])
@pytest.mark.parametrize("kernel", [False, pytest.param(True, marks=pytest.mark.skipif(
    find_spec("numba") is None, reason="numba is not installed"))])  # fmt: skip
def test_joint_learning_exchanges_as_the_learners_themselves_do(order, kernel):
    policies = [player("q_learning", PRICING, seat, beta=0.002, spread=1.0) for seat in range(2)]
    seeds, order = np.arange(4, dtype=np.uint64) * 1000, np.array(order)
    stepped = learning._Stepped(PRICING, policies, seeds, 50, None)
    joint = JointLearning(
        PRICING, policies, seeds=seeds, max_episode_steps=50, stable=None, kernel=kernel
    )
    for until in (50, 100, 150, 200):
        for runs in (stepped, joint):
            runs.advance(until)
            assert runs.fresh.all()
            runs.exchange(1, order)
    for seat in range(2):
        memory = stepped._players[seat].memory
        for run in range(4):
            assert np.array_equal(joint.values(seat, run), memory.q[run])
        assert np.array_equal(joint.now.epsilon[:, seat], memory.epsilon)
    stepped.advance(210)
    assert not stepped.fresh.any()


def test_who_never_changes_partners_is_the_control():
    policies = [player("q_learning", PRICING, seat, beta=0.01) for seat in range(2)]
    found = against_fixed_partners(
        PRICING, policies, match=300, matches=1, periods=20, circle=3, seeds=3
    )
    for treated in found:
        assert treated.difference == (0, 0, 0, 3)
        assert treated.control == treated.treated
    assert found.partners.control != found.strangers.control


def test_conventions_are_private_where_partners_stay_and_public_where_they_rotate():
    # Ten equal levers: strangers of independent pairs match one time in ten.
    game = LeverCoordination(payoffs=(1.0,) * 10)
    learners = [player("q_learning", game, seat, beta=0.005) for seat in range(2)]
    found = against_fixed_partners(
        game, learners, match=1, matches=2500, periods=5, circle=4, seeds=10
    )
    assert found.partners.control.value < 0.1  # all pairs have a lever, nearly
    assert found.strangers.control.low > 0.6
    assert found.strangers.treated.high < 0.4
    assert found.strangers.difference.high < 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"players": ("q_learning",)}, "players must be one per agent"),
        ({"players": ("q_learning", "random")}, "players must be two learners at least"),
        ({"match": 0}, "match must be at least 1, got 0"),
        ({"matches": 0}, "matches must be at least 1, got 0"),
        ({"periods": 0}, "periods must be at least 1, got 0"),
        ({"circle": 1}, "circle must be at least 2, got 1"),
        ({"seeds": 1}, "seeds must be at least 2, got 1"),
        (
            {"game": LogitPricing(num_prices=3, continuation=0.5)},
            "match must be a number of periods after which all episodes have ended, got 10",
        ),
    ],
)
def test_bad_rotations_are_named(wrong, message):
    given = {"game": PRICING, "players": ("q_learning",) * 2, "match": 10, "matches": 2,
             "periods": 5, **wrong}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        against_fixed_partners(given.pop("game"), given.pop("players"), **given)
