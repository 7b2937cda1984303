import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs import streams
from stratagem.envs.registry import registry
from stratagem.evaluation import evaluate, root, roots
from stratagem.evaluation.learning import Training
from stratagem.evaluation.matches import matches, seated
from stratagem.scenarios import Scenario, scenario, suite, suites
from stratagem.scenarios.backgrounds import play_alike, seat_background

PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 5},
    lineups=(("random", "random"),),
    focal=(0,),
    train_backgrounds=(("tit_for_tat",),),
    test_backgrounds=(("grim",),),
    periods=30,
    max_episode_steps=10,
    training=60,
    learners={"q_learning": {"alpha": 0.2, "beta": 0.05}},
)
OTHERS = {
    "name": "other",
    "version": 1,
    "game": "MatrixGame-v0",
    "params": (("num_prices", 6),),
    "lineups": (("random", "tit_for_tat"),),
    "focal": (0, 1),
    "train_backgrounds": (("win_stay_lose_shift",),),
    "test_backgrounds": (("win_stay_lose_shift",),),
    "observations": "none",
    "periods": 31,
    "max_episode_steps": None,
    "training": 61,
    "learners": (("q_learning", (("alpha", 0.3),)),),
    "cross_play": True,
    "audit": True,
    "metrics": ("risk",),
    "tags": ("x",),
    "about": "y",
}


def changed(field):
    """Return the scenario with another value of one field, and without what that rules out."""
    without = {"params": (), "train_backgrounds": (), "test_backgrounds": (), "focal": None}
    base = replace(PRICING, **without) if field in ("game", "focal") else PRICING
    return base, replace(base, **{field: OTHERS.get(field, True)})


@pytest.mark.parametrize("field", [field.name for field in fields(Scenario)])
def test_a_hash_changes_with_every_field(field):
    base, other = changed(field)
    assert getattr(base, field) != getattr(other, field)
    assert base.content_hash() != other.content_hash()


def test_a_hash_depends_on_neither_the_order_of_parameters_nor_the_process():
    params = {"num_prices": 5, "mu": 0.5, "continuation": 0.9}
    learners = {"q_learning": {"alpha": 0.2, "beta": 0.1}, "hedge": {"contexts": True}}
    settings = {"lineups": (("random", "random"),), "periods": 2, "tags": ("a", "b")}
    one = scenario("x", "LogitPricing-v0", params, learners=learners, **settings)
    turned = scenario(
        "x",
        "LogitPricing-v0",
        dict(reversed(params.items())),
        learners={k: dict(reversed(v.items())) for k, v in reversed(learners.items())},
        **settings,
    )
    assert one.content_hash() == turned.content_hash()
    code = (
        "import json, sys\nfrom stratagem.scenarios import scenario\n"
        "params, learners = json.loads(sys.argv[1])\n"
        "print(scenario('x', 'LogitPricing-v0', params, learners=learners, "
        "lineups=(('random', 'random'),), periods=2, tags=('a', 'b')).content_hash())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, json.dumps([params, learners])],
        env={"PYTHONHASHSEED": "7", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == one.content_hash()


def test_a_hash_sees_every_entry_of_a_large_array_and_refuses_what_has_no_plain_form():
    def with_payoffs(payoffs):
        return scenario(
            "x", "MatrixGame-v0", {"payoffs": payoffs}, lineups=(), periods=1
        ).content_hash()

    payoffs = np.arange(2 * 40 * 40, dtype=np.float64).reshape(2, 40, 40)
    altered = payoffs.copy()
    altered[0, 20, 20] += 1
    assert with_payoffs(payoffs) != with_payoffs(altered)
    assert with_payoffs(payoffs) == with_payoffs(payoffs.tolist())
    with pytest.raises(ValueError, match="must be plain data, got <object object"):
        replace(PRICING, learners=(("q_learning", (("alpha", object()),)),))


def test_scenarios_are_frozen_and_versions_have_seeds_of_their_own():
    with pytest.raises(FrozenInstanceError):
        PRICING.periods = 3
    newer = replace(PRICING, version=1)
    assert (PRICING.id, newer.id) == ("pricing-test-v0", "pricing-test-v1")
    assert root(PRICING.id, "play", 0) != root(newer.id, "play", 0)


def test_scenarios_refuse_what_cannot_be_played():
    with pytest.raises(ValueError, match="periods must be at least 1"):
        scenario("x", "LogitPricing-v0", lineups=(), periods=0)
    with pytest.raises(ValueError, match="need 2 names"):
        scenario("x", "LogitPricing-v0", lineups=(("random",),), periods=1)
    with pytest.raises(ValueError, match="mu must be positive"):
        scenario("x", "LogitPricing-v0", {"mu": 0}, lineups=(), periods=1)
    with pytest.raises(ValueError, match="unknown fields"):
        scenario("x", "LogitPricing-v0", lineups=(), periods=1, colour=1)
    with pytest.raises(ValueError, match="metrics must be among"):
        replace(PRICING, metrics=("speed",))
    with pytest.raises(ValueError, match="focal must be distinct seats of 0 to 1"):
        replace(PRICING, focal=(2,))
    with pytest.raises(ValueError, match="may say 'background' in all of the background seats"):
        replace(PRICING, lineups=(("background", "random"),))
    with pytest.raises(ValueError, match="must be indices from 0 to 1"):
        replace(PRICING, observations=(2,))


def test_unknown_suites_are_refused_with_those_there_are():
    with pytest.raises(ValueError, match="unknown suite 'x'; there are core, quick, deep"):
        suite("x")


def test_core_and_quick_cover_every_registered_game_and_all_ids_differ():
    ours = {k for k, spec in registry.items() if ".games." in spec.game.__module__}
    for name in ("core", "quick"):
        assert ours <= {one.game for one in suite(name)}
    ids = [one.id for name in suites() for one in suite(name)]
    assert len(set(ids)) == len(ids)


def test_core_and_quick_need_no_extra_and_deep_ones_are_apart():
    deep = {"ppo", "dqn", "a2c", "maskable_ppo"}
    for name in suites():
        names = {who for one in suite(name) for lineup in one.lineups for who in lineup}
        assert bool(names & deep) == (name == "deep")


@pytest.mark.parametrize("field", ["train_backgrounds", "test_backgrounds"])
def test_no_two_backgrounds_of_either_split_play_alike_whatever_their_names(field):
    game = PRICING.build()
    lowest = game.benchmarks()["grid_nash_low"].strategies[1]
    same = f"fixed:{int(lowest[0].argmax())}"
    by_name = ("benchmark:grid_nash_low",)
    assert play_alike(game, 1, *(seat_background(game, (1,), (k,))[0] for k in (*by_name, same)))
    for other in (by_name, (same,)):
        with pytest.raises(ValueError, match="must not play alike, in either split"):
            replace(PRICING, train_backgrounds=(by_name,), test_backgrounds=(other,))
        with pytest.raises(ValueError, match=f"{field} must not play alike"):
            replace(PRICING, **{field: (by_name, other)})
    with pytest.raises(ValueError, match="must be frozen policies, got the learner 'q_learning'"):
        replace(PRICING, **{field: (("q_learning",),)})


@pytest.mark.parametrize("name", list(suites()))
def test_train_and_test_backgrounds_of_every_suite_play_differently(name):
    for one in suite(name):
        game = one.build()
        for train in one.train_backgrounds:
            for test in one.test_backgrounds:
                policies = zip(
                    one.background_seats,
                    *(seat_background(game, one.background_seats, k) for k in (train, test)),
                    strict=True,
                )
                assert not all(play_alike(game, *each) for each in policies), (one.id, train, test)


class Onlooker:
    """A learner that never plays 0 and keeps what it is shown."""

    def __init__(self):
        self.shown = {"act": [], "update": [], "next": []}

    def init(self, num_copies, rng):
        return (np.zeros(num_copies),)

    def act(self, observation, memory, rng, mask=None):
        self.shown["act"].append(observation.copy())
        return 1 + rng.integers(4), memory

    def update(self, transition, memory):
        self.shown["update"].append(transition.observation.copy())
        self.shown["next"].append(transition.next_observation.copy())
        return memory

    def freeze(self, memory, copy):
        return Frozen(self)


class Frozen:
    """What an onlooker becomes: it keeps what it is shown in the same place."""

    def __init__(self, before):
        self.before = before

    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        self.before.shown.setdefault("frozen", []).append(observation.copy())
        return 1 + rng.integers(4), memory


@pytest.mark.parametrize(
    ("permitted", "hidden"), [("all", []), ((0,), [1]), ((1,), [0]), ("none", [0, 1])]
)
def test_what_may_not_be_seen_is_hidden_in_training_and_after_and_from_nobody_else(
    permitted, hidden
):
    one, other = Onlooker(), Onlooker()
    limited = replace(PRICING, observations=permitted, train_backgrounds=(), test_backgrounds=())
    evaluate([one, other], replace(limited, training=20), 2)
    assert set(one.shown) == {"act", "update", "next", "frozen"}
    for phase in one.shown:
        mine, theirs = (np.concatenate(who.shown[phase]) for who in (one, other))
        # Both play 0 throughout; only the opening, which is drawn, shows other prices.
        assert (mine[:, hidden] == 0).all(), phase
        assert (theirs > 0).any(axis=0).all(), phase
        shown = [k for k in (0, 1) if k not in hidden]
        assert (mine[:, shown] == theirs[:, [1 - k for k in shown]]).all(), phase


def test_a_policy_that_needs_what_is_hidden_is_told_so():
    limited = replace(PRICING, observations="none")
    with pytest.raises(ValueError, match="cannot be limited to observations 'none'"):
        evaluate("hedge", limited, 1)
    result = evaluate(fixed(2), limited, 2)
    assert set(result.rows["split"]) == {"train", "test"}


def test_roots_are_64_bit_hashes_that_differ_with_every_index_phase_and_scenario():
    found = [
        root(one.id, phase, i)
        for one in suite("core") + suite("quick")
        for phase in ("play", "train q_learning + q_learning", "meet q_learning + q_learning")
        for i in range(300)
    ]
    gaps = np.diff(np.sort(np.array(found, np.uint64)))
    assert gaps.min() > 4096
    assert max(found) >= 2**63
    assert root("a", "play", 1, 2) != root("a", "play", 12)


def used_roots(one, lineup, seeds):
    """Return the roots of the training runs and of the sessions of one line-up."""
    game = one.build()
    sat = seated(lineup, game, one)
    nobody = tuple((None,) * seeds for _ in game.agents)
    training = Training(nobody, np.empty(0), np.empty(0)) if sat.learning else None
    every = list(range(seeds))
    met = [match.sessions.roots for match in matches(sat, game, one, every, every, training)]
    learnt = [roots(one.id, "train " + sat.name, every)] if sat.learning else []
    return np.concatenate([*learnt, *met])


def test_no_two_streams_of_the_core_suite_meet():
    used = [used_roots(one, lineup, 20) for one in suite("core") for lineup in one.lineups]
    for own in used:
        assert len(np.unique(own)) == len(own)  # within a line-up no root serves twice
    every = np.unique(np.concatenate(used))
    largest = max(map(len, used))
    gaps = np.diff(np.append(every, every[:1]))  # around the circle of 2^64
    assert gaps.min() > largest
    episodes = 100
    keys = np.concatenate(
        [
            streams.make_keys(streams.make_roots(every), np.full(len(every), e, np.uint64))
            for e in range(episodes)
        ]
    )
    assert len(np.unique(keys)) == len(every) * episodes


def test_no_two_sessions_share_a_random_number():
    sessions = np.concatenate(
        [roots(one.id, phase, range(4)) for one in suite("core") for phase in ("play", "train q")]
    )
    keys = np.concatenate(
        [
            streams.make_keys(streams.make_roots(sessions), np.full(len(sessions), e, np.uint64))
            for e in range(3)
        ]
    )
    counters = [
        np.uint64((streams.offset(purpose, draw) + step * int(streams.STEP)) % 2**64)
        for purpose in range(5)
        for draw in range(2)
        for step in range(200)
    ]
    words = (keys[:, None] + np.array(counters)).ravel()
    assert len(np.unique(words)) == len(words)
