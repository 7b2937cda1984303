import pickle
import random
import zipfile
from collections import Counter
from dataclasses import replace
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from toys import Drift, PaidTurns, Prisoners, Turns

import stratagem
from stratagem.agents.sb3.policy import BLOCK, SB3Policy, _network, load
from stratagem.agents.sb3.trainer import SB3Trainer
from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.grim import Grim
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.envs import streams
from stratagem.envs.adapters.sb3 import LearnerVecEnv
from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.trainers import fit, trains

sb3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
contrib = pytest.importorskip("sb3_contrib")

SMALL: dict[str, dict[str, Any]] = {
    "PPO": {"n_steps": 16, "n_epochs": 2},
    "A2C": {"n_steps": 8},
    "DQN": {"learning_starts": 32, "batch_size": 16},
    "MaskablePPO": {"n_steps": 16, "n_epochs": 2},
}
every_algorithm = pytest.mark.parametrize("algorithm", SMALL)


def small(algorithm="PPO", **kwargs):
    kwargs.setdefault("discount", 0.9)
    options = {**SMALL[algorithm], **kwargs.pop("options", {})}
    return SB3Trainer(algorithm=algorithm, num_envs=4, options=options, **kwargs)


QUICK = 800


def quick(algorithm="PPO"):
    """Return a trainer that learns what pays at once in `QUICK` periods."""
    often = {"n_steps": 2} if algorithm == "A2C" else {}  # it learns once from each roll-out
    return small(algorithm, discount=0.0, options={"learning_rate": 0.01, **often})


def taught(trainer, game, seats=(0,), co_players=None, *, seed=0, periods=128, **kwargs):
    """Return what is trained in some seats, against players of action 0 in the others."""
    others = {s: fixed(0) for s in range(len(game.agents)) if s not in seats}
    kwargs.setdefault("max_episode_steps", 20)
    return trainer.fit(
        game,
        seats,
        others if co_players is None else co_players,
        seed=seed,
        periods=periods,
        **kwargs,
    )


def weights(policy):
    found = _network(policy.archive).state_dict()
    return {name: values.numpy() for name, values in found.items()}


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(values, second[name]) for name, values in first.items()
    )


def numbers(num_copies, first=0):
    seeds = np.arange(first, first + num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.ones(num_copies, np.uint64), streams.acting(0))


class Steered(Drift):
    """Drift by whole steps back, none or forth: a Box is seen, and actions are discrete."""

    @cached_property
    def action_spaces(self):
        return (Discrete(3), Discrete(3))

    def step(self, state, actions, outcome):
        pushes = (np.asarray(actions, np.float64) - 1)[:, :, None] * np.ones(2)
        return super().step(state, tuple(pushes), outcome)


class Still:
    """A policy of vector actions that does not push."""

    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        return np.zeros((len(observation), 2), np.float32), memory


def drifting():
    return stratagem.sb3_vec_env(Drift(), 2, co_players={"mover_1": Still()})


# Learning.


@every_algorithm
def test_an_algorithm_learns_to_defect(algorithm: str) -> None:
    """Against one who always cooperates it pays 5 and not 3, 50 in sum if discounted by .9."""
    game = Prisoners(continuation=1.0)
    (policy,) = taught(quick(algorithm), game, periods=QUICK)
    line_up = [strategy_of(one, game, seat) for seat, one in enumerate((policy, fixed(0)))]
    assert payoffs(game, line_up, discount=0.9)[0] >= 48  # at most one period of cooperation


@every_algorithm
@pytest.mark.parametrize("seats", [(0,), (0, 1)])
def test_one_seed_gives_the_same_weights_twice_and_another_one_others(
    algorithm: str, seats: tuple[int, ...]
) -> None:
    game = LogitPricing(num_prices=4)
    first, again, other = (
        weights(taught(small(algorithm), game, seats, seed=seed)[0]) for seed in (5, 5, 6)
    )
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("algorithm", ["PPO", "A2C", "DQN"])
@pytest.mark.parametrize("agents", ["one", "all"])
def test_stable_baselines3_alone_gives_the_same_weights_twice_from_one_seed(
    algorithm: str, agents: str
) -> None:
    def learnt(seed):
        envs = stratagem.sb3_vec_env("LogitPricing-v0", 4, agents=agents)
        model = getattr(sb3, algorithm)(
            "MlpPolicy", envs, seed=seed, device="cpu", **SMALL[algorithm]
        )
        model.learn(300)
        return {name: values.numpy() for name, values in model.policy.state_dict().items()}

    first = learnt(3)
    assert same(first, learnt(3))
    assert not same(first, learnt(4))


def test_a_seed_may_have_64_bits_of_which_all_count() -> None:
    game = Prisoners()
    low, high = (taught(small(), game, seed=seed)[0] for seed in (7, 2**63 + 7))
    assert not same(weights(low), weights(high))
    taught(small(), game, seed=2**64 - 1)


def globals_now():
    return (
        random.getstate(),
        tuple(np.random.get_state()[1]),  # noqa: NPY002
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
    )


@every_algorithm
def test_no_global_generator_nor_the_number_of_threads_is_changed(algorithm: str) -> None:
    before_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        before = globals_now()
        game = Steered()
        (policy,) = taught(small(algorithm), game, periods=64)
        assert globals_now() == before
        _network.cache_clear()
        copy = pickle.loads(pickle.dumps(policy))
        copy.act(np.zeros((3, 2)), (), numbers(3))
        assert globals_now() == before
        with pytest.raises(ValueError, match="trained on"):
            replace(policy, action_space=Discrete(2))
        assert globals_now() == before
    finally:
        torch.set_num_threads(before_threads)


def test_global_generators_do_not_change_what_is_learnt() -> None:
    game = Prisoners()
    found = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        found.append(weights(taught(small(), game)[0]))
    assert same(*found)


def test_all_seats_share_one_network() -> None:
    game = LogitPricing(num_prices=4, num_firms=3)
    policies = taught(small(), game, (0, 1, 2))
    assert len(policies) == 3
    assert policies[0] is policies[1] is policies[2]
    trajectory, _ = rollout(game, policies, num_copies=3, num_steps=10, seed=0)
    assert trajectory.actions.shape == (10, 3, 3)
    one = taught(small(), game, (0,), {1: fixed(0), 2: fixed(0)})
    assert not same(weights(one[0]), weights(policies[0]))


def test_shared_parameters_learn_from_every_seat() -> None:
    """A game that pays only the second seat for action 1: the first alone would not learn it."""

    class Second(Prisoners):
        def step(self, state, actions, outcome):
            step = super().step(state, actions, outcome)
            return step._replace(rewards=np.stack([0.0 * actions[1], 1.0 * (actions[1] == 1)]))

        def stage(self):
            return None

    policy = taught(quick(), Second(continuation=1.0), (0, 1), periods=QUICK)[0]
    assert (policy.rule(every_observation(Second().observation_spaces[0])) == 1).all()


def test_frozen_co_players_that_remember_are_played_against() -> None:
    game = LogitPricing(num_prices=15)
    conduct = game.conduct(1)
    assert conduct is not None
    (policy,) = taught(small(), game, co_players={1: Grim(conduct)})
    assert policy.rule(np.array([[0, 0]])).shape == (1,)


# Masks.


def illegal(game, trajectory):
    """Return how many actions of seats that move are illegal in Turns."""
    led = trajectory.observations[1][..., 0] - 1
    follows = led >= 0
    return int((follows & (trajectory.actions[:, 1] < led)).sum())


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("seats", [(1,), (0, 1)])
def test_maskable_ppo_never_plays_an_illegal_action(
    deterministic: bool, seats: tuple[int, ...]
) -> None:
    game = Turns()
    trainer = small("MaskablePPO", deterministic=deterministic)
    leader = stratagem.player("random", game, 0)
    policies = taught(trainer, game, seats, {s: leader for s in (0, 1) if s not in seats})
    line_up = [policies[0] if 0 in seats else leader, policies[-1]]
    trajectory, _ = rollout(game, line_up, num_copies=50, num_steps=60, seed=0)
    assert illegal(game, trajectory) == 0
    unaware = Reactive(replace(policies[-1], deterministic=False).rule)
    trajectory, _ = rollout(game, [leader, unaware], num_copies=50, num_steps=60, seed=0)
    assert illegal(game, trajectory) > 0


def test_an_algorithm_without_masks_is_refused_where_it_would_need_them() -> None:
    for seats, trainer in (((1,), small()), ((0, 1), small("A2C")), ((0, 1), small("DQN"))):
        with pytest.raises(ValueError, match=f"{trainer.algorithm} knows no masks, and Turns has"):
            taught(trainer, Turns(), seats)
    envs = stratagem.sb3_vec_env(Turns(), 4, agent="follower_0", co_players={"leader_0": "fixed:2"})
    with pytest.raises(ValueError, match="are masked"):
        sb3.PPO("MlpPolicy", envs, n_steps=32, seed=0, device="cpu").learn(128)


def test_whether_seats_wait_is_asked_of_the_game_and_not_of_its_class() -> None:
    class Level(Prisoners):
        @property
        def takes_turns(self):
            return False

        def movers(self, state):
            return None

    policies = taught(small(), Level(), (0, 1))
    assert len(policies) == 2


def test_probabilities_of_legal_actions_survive_any_certainty_of_illegal_ones() -> None:
    """A network that is sure of an illegal action still ranks the legal ones."""
    game = Turns()
    (policy,) = taught(small("MaskablePPO"), game, (1,), periods=64)
    with torch.no_grad():
        network = _network(policy.archive)
        old = network.action_net.bias.clone()
        network.action_net.bias += torch.tensor([400.0, 0.0, 1.0]) - old
    try:
        policy = replace(policy)
        mask = np.array([[False, True, True]])
        seen = np.array([[2, 0]])
        assert policy.act(seen, (), numbers(1), mask)[0] in (1, 2)
        drawn = replace(policy, deterministic=False)
        every = np.repeat(seen, 2000, axis=0)
        actions, _ = drawn.act(every, (), numbers(2000), np.repeat(mask, 2000, axis=0))
        assert set(Counter(actions.tolist())) == {1, 2}
    finally:
        _network.cache_clear()


# What is frozen.


@pytest.fixture(scope="module")
def pricing() -> LogitPricing:
    return LogitPricing(num_prices=4)


@every_algorithm
def test_a_saved_model_loads_as_the_same_policy(
    algorithm: str, pricing: LogitPricing, tmp_path: Any
) -> None:
    (policy,) = taught(small(algorithm), pricing)
    policy.save(tmp_path / "model.zip")
    again = load(tmp_path / "model.zip", pricing, 0)
    assert again.archive == policy.archive
    seen = every_observation(pricing.observation_spaces[0])
    assert np.array_equal(again.scores(seen), policy.scores(seen))
    model = getattr(contrib if algorithm == "MaskablePPO" else sb3, algorithm).load(
        tmp_path / "model.zip"
    )
    assert np.array_equal(model.predict(seen, deterministic=True)[0], policy.rule(seen))


@every_algorithm
def test_a_model_of_stable_baselines3_itself_plays_by_its_path(
    algorithm: str, pricing: LogitPricing, tmp_path: Any
) -> None:
    envs = stratagem.sb3_vec_env(pricing, 4, max_episode_steps=20)
    package = contrib if algorithm == "MaskablePPO" else sb3
    model = getattr(package, algorithm)("MlpPolicy", envs, seed=0, device="cpu", **SMALL[algorithm])
    model.learn(256).save(tmp_path / "model.zip")
    policy = stratagem.player(str(tmp_path / "model.zip"), pricing, 0)
    seen = every_observation(pricing.observation_spaces[0])
    want = model.predict(seen, deterministic=True)[0]
    actions, _ = policy.act(seen, policy.init(len(seen), numbers(len(seen))), numbers(len(seen)))
    assert np.array_equal(actions, want)
    env = stratagem.make_env(pricing, agent="firm_1", co_players={"firm_0": policy})
    seen, _ = env.reset(seed=0)
    for _ in range(20):
        last = model.predict(np.array(seen)[[1, 0]][None], deterministic=True)[0]
        seen, *_ = env.step(0)
        assert seen[1] == last[0]


@pytest.mark.parametrize("algorithm", ["PPO", "A2C", "MaskablePPO"])
def test_probabilities_are_those_of_the_network(algorithm: str, pricing: LogitPricing) -> None:
    (policy,) = taught(small(algorithm, deterministic=False), pricing)
    seen = every_observation(pricing.observation_spaces[0])
    network = _network(policy.archive)
    with torch.no_grad():
        want = network.get_distribution(network.obs_to_tensor(seen)[0]).distribution.probs.numpy()
    played = policy.rule(seen)
    assert played == pytest.approx(want, abs=1e-6)
    assert played.sum(axis=1) == pytest.approx(np.ones(16))
    drawn, _ = policy.act(np.zeros((20_000, 2), np.int64), (), numbers(20_000))
    share = np.bincount(drawn, minlength=4) / 20_000
    assert share == pytest.approx(want[0], abs=4 * np.sqrt(0.25 / 20_000))


@pytest.mark.parametrize("algorithm", ["PPO", "DQN"])
def test_a_frozen_policy_plays_alike_in_batches_of_any_size(algorithm: str) -> None:
    game = Steered()
    (policy,) = taught(small(algorithm), game)
    seen = np.random.default_rng(0).uniform(-50, 50, (3 * BLOCK + 5, 2))
    whole = policy.scores(seen)
    for count in (1, 7, BLOCK, BLOCK + 1):
        parts = [policy.scores(seen[i : i + count]) for i in range(0, len(seen), count)]
        assert np.array_equal(np.concatenate(parts), whole)
    want = _network(policy.archive).predict(seen.astype(np.float32), deterministic=True)[0]
    agree = policy.act(seen, (), numbers(len(seen)))[0] == want
    assert agree.mean() > 0.98  # but for ties within rounding


def test_what_is_drawn_depends_on_the_copy_alone() -> None:
    (policy,) = taught(small(deterministic=False), Steered())
    seen = np.random.default_rng(1).uniform(-50, 50, (9, 2))
    whole, _ = policy.act(seen, (), numbers(9))
    single = [policy.act(seen[i : i + 1], (), numbers(1, first=i))[0][0] for i in range(9)]
    assert whole.tolist() == single


@pytest.mark.parametrize("algorithm", ["PPO", "A2C"])
def test_continuous_observations_and_actions_are_played(algorithm: str) -> None:
    game = Drift()
    (policy,) = taught(small(algorithm), game, co_players={1: Still()})
    trajectory, _ = rollout(game, [policy, Still()], num_copies=5, num_steps=20, seed=0)
    assert (np.abs(trajectory.actions[0]) <= 1).all()
    seen = np.random.default_rng(2).uniform(-50, 50, (9, 2)).astype(np.float32)
    want = _network(policy.archive).predict(seen, deterministic=True)[0]
    assert policy.rule(seen) == pytest.approx(want, abs=1e-5)
    both = taught(small(algorithm), game, (0, 1))
    assert both[0] is both[1]


def test_a_seat_with_nothing_to_see_learns_its_dominant_action() -> None:
    game = Prisoners(continuation=1.0)

    class Blind(Prisoners):
        @cached_property
        def observation_spaces(self):
            return (Box(0, 1, (2,), np.float32),) * 2

        def observe(self, state):
            return (np.ones((len(state.first), 2), np.float32),) * 2

        def stage(self):
            return None

    assert game.observation_spaces != Blind().observation_spaces
    (policy,) = taught(quick(), Blind(continuation=1.0), periods=QUICK)
    assert policy.rule(np.ones((1, 2), np.float32)).tolist() == [1]


def test_policies_and_trainers_can_be_pickled(pricing: LogitPricing) -> None:
    (policy,) = taught(small(), pricing)
    seen = every_observation(pricing.observation_spaces[0])
    copies = [pickle.loads(pickle.dumps(policy))]  # before its table is made
    want = policy.rule(seen)
    copies.append(pickle.loads(pickle.dumps(policy)))
    for copy in copies:
        assert np.array_equal(copy.rule(seen), want)
    for trainer in (SB3Trainer(), small("DQN")):
        assert pickle.loads(pickle.dumps(trainer)) == trainer


def test_a_frozen_policy_is_solved_against_exactly(pricing: LogitPricing) -> None:
    (policy,) = taught(small(), pricing)
    rule = np.eye(4)[policy.rule(every_observation(pricing.observation_spaces[0]))]
    audit = best_response(pricing, 1, [rule, None], discount=0.9)
    assert audit.method == "observations"


# What is refused.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SB3Trainer(algorithm="SAC"),
            "algorithm must be one of PPO, A2C, DQN, MaskablePPO",
        ),
        (lambda: SB3Trainer(num_envs=0), "num_envs must be at least 1, got 0"),
        (lambda: SB3Trainer(discount=1.5), r"discount must be in \[0, 1\], got 1.5"),
        (lambda: SB3Trainer(options={"lr": 1}), "unknown option 'lr' of PPO; it has batch_size,"),
        (lambda: SB3Trainer(options={"gamma": 1}), "unknown option 'gamma' of PPO"),
        (lambda: SB3Trainer(algorithm="DQN", deterministic=False), "deterministic must be True"),
        (lambda: taught(small(), Prisoners(), periods=0), "periods must be at least 1, got 0"),
        (
            lambda: small().train(lambda: stratagem.sb3_vec_env(Prisoners(), 2), 0, 0),
            "budget must be at least 1, got 0",
        ),
        (
            lambda: taught(small(options={"batch_size": 1}), Prisoners()),
            "PPO refuses options .*'batch_size': 1",
        ),
        (
            lambda: taught(small(options={"learning_rate": "fast"}), Prisoners()),
            "PPO refuses options .*'fast'",
        ),
        (
            lambda: taught(small(options={"n_steps": "many"}), Prisoners()),
            "PPO refuses options .*'many'",
        ),
        (lambda: taught(small(), LogitPricing(num_firms=3), (0, 1), {2: fixed(0)}), "seats"),
        (
            lambda: taught(small("DQN"), Drift(), co_players={1: Still()}),
            "DQN needs Discrete actions, got Box",
        ),
        (
            lambda: taught(small("MaskablePPO"), Drift()),
            "MaskablePPO needs Discrete actions, got Box",
        ),
        (
            lambda: small("DQN").train(drifting, 10, 0),
            "DQN needs Discrete actions, got Box",
        ),
    ],
)
def test_a_misuse_is_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_has_not_been_trained_does_not_play() -> None:
    trainer = small()
    for play in (
        lambda: trainer.init(1, numbers(1)),
        lambda: trainer.act(np.zeros((1, 2)), (), numbers(1)),
        lambda: rollout(Prisoners(), [trainer, fixed(0)], num_copies=1, num_steps=1, seed=0),
    ):
        with pytest.raises(ValueError, match="PPO has to be trained before it plays"):
            play()


def test_an_error_in_training_still_closes_the_environment() -> None:
    closed = []

    def make():
        envs = drifting()
        envs.close = lambda: closed.append(1)
        return envs

    with pytest.raises(ValueError, match="DQN needs"):
        small("DQN").train(make, 10, 0)
    assert closed == [1]


@pytest.fixture(scope="module")
def archive() -> bytes:
    found: bytes = taught(small(), Prisoners(), periods=64)[0].archive
    return found


def spoilt(kind, archive, path):
    """Write a file that is no whole model; return its path."""
    if kind == "text":
        path.write_text("not a model")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(archive[: len(archive) // 2])
    elif kind == "flipped":
        middle = archive.index(b"policy.pth") + 200
        path.write_bytes(archive[:middle] + bytes([archive[middle] ^ 255]) + archive[middle + 1 :])
    else:
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("data" if kind == "no weights" else "other", "{}")
    return path


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "flipped", "no weights", "no model"])
def test_a_file_that_is_no_whole_model_is_refused(kind: str, archive: bytes, tmp_path: Any) -> None:
    path = spoilt(kind, archive, tmp_path / "model.zip")
    with pytest.raises(ValueError, match=r"model.zip' cannot play player_0 of Prisoners: it is no"):
        load(path, Prisoners(), 0)


def test_a_model_of_other_spaces_is_refused(archive: bytes, tmp_path: Any) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(archive)
    assert load(path, Prisoners(), 1).archive == archive
    with pytest.raises(ValueError, match="firm_0 of LogitPricing: the model was trained on obs"):
        load(path, LogitPricing(), 0)
    with pytest.raises(ValueError, match="trained on actions"):
        SB3Policy(
            archive=archive,
            observation_space=Prisoners().observation_spaces[0],
            action_space=Discrete(3),
        )


@pytest.mark.parametrize("name", ["RecurrentPPO", "QRDQN"])
def test_a_model_of_another_kind_is_refused(name: str, tmp_path: Any) -> None:
    options = {"n_steps": 8, "batch_size": 8} if name == "RecurrentPPO" else {}
    game = Steered() if name == "RecurrentPPO" else Prisoners()
    envs = stratagem.sb3_vec_env(game, 2)
    policy = "MlpLstmPolicy" if name == "RecurrentPPO" else "MlpPolicy"
    model = getattr(contrib, name)(policy, envs, seed=0, device="cpu", **options)
    model.save(tmp_path / "model.zip")
    with pytest.raises(ValueError, match="only those of PPO, A2C, DQN, MaskablePPO are known"):
        load(tmp_path / "model.zip", game, 0)


def test_probabilities_are_asked_only_of_models_that_have_them(tmp_path: Any) -> None:
    taught(small("DQN"), Prisoners())[0].save(tmp_path / "dqn.zip")
    with pytest.raises(ValueError, match="deterministic must be True for a model without prob"):
        load(tmp_path / "dqn.zip", Prisoners(), 0, deterministic=False)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.zip", Prisoners(), 0)


# Line-ups with trainers.


def test_a_line_up_with_a_trainer_has_learning_curves_of_its_seats(pricing: LogitPricing) -> None:
    seen: list[float] = []
    found = fit(
        pricing,
        [small(), fixed(1)],
        seeds=np.array([3, 4], np.uint64),
        periods=192,
        max_episode_steps=20,
        tick=seen.append,
    )
    assert len(found.policies[0]) == 2
    assert not same(*map(weights, found.policies[0]))
    assert same(
        weights(found.policies[0][1]),
        weights(taught(small(), pricing, (0,), {1: fixed(1)}, seed=4, periods=192)[0]),
    )
    assert found.policies[1] == (fixed(1),) * 2 or all(
        p.rule is not None for p in found.policies[1]
    )
    assert np.isfinite(found.rewards[:, 0]).all()
    assert np.isnan(found.rewards[:, 1]).all()
    assert found.periods[-1] == 192
    assert all(a <= b for a, b in pairwise(seen))
    assert seen[-1] == 1


def test_a_learning_curve_is_the_mean_of_what_was_paid() -> None:
    """Where an action pays the same whatever is done, the curve is flat at it."""

    class Flat(Prisoners):
        def step(self, state, actions, outcome):
            step = super().step(state, actions, outcome)
            return step._replace(rewards=0 * step.rewards + np.array([[0.25], [0.5]]))

        def stage(self):
            return None

    for policies in ([small(), fixed(0)], [small(), small()]):
        found = fit(
            Flat(),
            policies,
            seeds=np.array([1], np.uint64),
            periods=130,
            max_episode_steps=20,
        )
        for seat in range(2):
            if trains(policies[seat]):
                assert found.rewards[:, seat] == pytest.approx(0.25 * (1 + seat))


def test_periods_that_pass_before_a_seat_moves_are_counted() -> None:
    """An episode of Turns has six periods, of which the follower waits for the first."""
    logged: list[int] = []
    taught(
        small("MaskablePPO", options={"n_steps": 6}),
        PaidTurns(),
        (1,),
        periods=48,
        log=lambda periods, rewards: logged.append(periods),
    )
    assert set(logged) == {8}  # two periods in each of four copies
    assert sum(logged) >= 48


def test_trainers_sit_beside_frozen_policies_and_their_equals_alone(pricing: LogitPricing) -> None:
    learner = QLearning(observation_space=pricing.observation_spaces[1], num_actions=4)
    for policies, message in (
        ([small(), learner], "cannot learn beside the learner of firm_1"),
        ([small(), small(discount=0.5)], "trainers in several seats must be equal"),
        ([small()], r"policies must be one per agent \(firm_0, firm_1\), got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(
                pricing,
                policies,
                seeds=np.array([1], np.uint64),
                periods=10,
                max_episode_steps=20,
            )
    with pytest.raises(ValueError, match="periods must be at least 1, got 0"):
        fit(
            pricing,
            [small(), fixed(0)],
            seeds=np.array([1], np.uint64),
            periods=0,
            max_episode_steps=20,
        )


# The view.


def test_rows_of_all_seats_refuse_what_is_no_action() -> None:
    envs = stratagem.sb3_vec_env(Prisoners(), 2, agents="all")
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(4, np.int64))
    envs.reset()
    for actions in (
        np.zeros(3, np.int64),
        np.zeros(4),
        np.array([0, 1, 2, 0]),
        np.array([0] * 3 + [-1]),
    ):
        with pytest.raises(ValueError, match="actions must be 4, one per row, of Discrete"):
            envs.step(actions)
    envs = stratagem.sb3_vec_env(Turns(), 2, agents="all")
    envs.reset()
    with pytest.raises(ValueError, match=r"actions of rows \[2, 3\] are masked"):
        envs.step(np.ones(4, np.int64))


def test_a_view_of_all_seats_leaves_the_games_spaces_alone() -> None:
    game = Prisoners()
    before = pickle.dumps(game.action_spaces)
    envs = stratagem.sb3_vec_env(game, 2, agents="all")
    envs.action_space.seed(1)
    envs.action_space.sample()
    assert pickle.dumps(game.action_spaces) == before


@pytest.mark.parametrize("agents", ["one", "all"])
def test_infos_of_a_last_step_are_of_the_episode_that_ends(agents: str) -> None:
    """What the next one begins with is in `reset_infos`, as in stable-baselines3's own views."""
    kwargs = (
        {} if agents == "all" else {"agent": "follower_0", "co_players": {"leader_0": "fixed:2"}}
    )
    envs = stratagem.sb3_vec_env(PaidTurns(), 1, agents=agents, seed=0, **kwargs)
    envs.reset()
    row = len(envs.reset_infos) - 1
    periods, over = envs.reset_infos[row].get("periods", 0), False
    for _ in range(20):
        joint = envs.action_masks().argmax(axis=1)
        _, _, done, infos = envs.step(joint)
        periods += infos[row].get("periods", 1)
        if done[row]:
            over = True
            break
    assert over
    assert periods == 6
    assert infos[row]["TimeLimit.truncated"] is False
    assert infos[row]["action_mask"].tolist() == [1, 0, 0] or agents == "one"
    start = envs.reset_infos[row]
    assert start.get("periods", 1) == 1
    assert start["action_mask"].tolist() == envs.action_masks()[row].tolist()


def test_the_views_work_in_wrappers_and_evaluation_of_stable_baselines3() -> None:
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

    envs = VecMonitor(stratagem.sb3_vec_env(Steered(), 4, seed=1))
    model = sb3.PPO("MlpPolicy", VecNormalize(envs), n_steps=16, seed=0, device="cpu")
    model.learn(128)
    mean, _ = evaluate_policy(model, envs, n_eval_episodes=4)
    assert np.isfinite(mean)


# PPO in one file.


@pytest.fixture(scope="module")
def example() -> Any:
    path = Path(__file__).parents[1] / "examples" / "cleanrl_ppo.py"
    spec = spec_from_file_location("cleanrl_ppo", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_advantages_by_hand(example: Any) -> None:
    """Nothing follows termination; a truncated step counts what follows, but no later error."""
    decay = example.GAMMA * example.LAMBDA
    rewards, values = np.array([[1.0], [2.0], [4.0]]), np.array([[10.0], [20.0], [30.0]])
    following = np.array([[20.0], [50.0], [60.0]])
    no, yes = np.zeros((3, 1), np.bool_), np.array([[False], [True], [False]])
    last = 4 + 0.95 * 60 - 30
    for ended, cut, middle in (
        (no, no, 2 + 0.95 * 50 - 20 + decay * last),
        (yes, no, 2 - 20),
        (no, yes, 2 + 0.95 * 50 - 20),
    ):
        found = example.advantages(rewards, values, following, ended, cut)
        first = 1 + 0.95 * 20 - 10 + decay * middle
        assert found[:, 0] == pytest.approx([first, middle, last])


def test_the_example_values_the_true_last_observation(example: Any) -> None:
    """After a reset the critic must look at where the episode ended, not where the next begins."""
    envs = stratagem.vector_env(
        "LogitPricing-v0", 3, max_episode_steps=2, autoreset_mode="SameStep"
    )
    space = envs.single_observation_space

    class Sum(torch.nn.Module):
        def critic(self, seen):
            return seen.sum(dim=1, keepdim=True)

        def forward(self, seen):
            return torch.distributions.Categorical(logits=torch.zeros(len(seen), 15)), self.critic(
                seen
            )[:, 0]

    seen, _ = envs.reset(seed=0)
    torch.manual_seed(0)
    rollout_, after = example.collect(
        envs, Sum(), lambda rows: torch.as_tensor(rows, dtype=torch.float32), seen, 4
    )
    inputs, actions, _, _, following, _, ended, cut = rollout_
    assert cut.tolist() == [[False] * 3, [True] * 3] * 2
    assert not ended.any()
    assert following[0].tolist() == inputs[1].sum(axis=1).tolist()
    assert following[2].tolist() == inputs[3].sum(axis=1).tolist()
    own = following[1] - actions[1]  # what ends shows one's own last price, then the rival's
    assert ((own >= 0) & (own < 15)).all()
    assert following[1].tolist() != inputs[2].sum(axis=1).tolist()
    assert after.shape == (3, *space.shape)


@every_algorithm
def test_training_leaves_no_folder_behind_and_a_saved_model_can_go_on(
    algorithm: str, tmp_path: Any, monkeypatch: Any
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (policy,) = taught(small(algorithm), Prisoners())
    assert list((tmp_path / "temporary").iterdir()) == []
    policy.save(tmp_path / "model.zip")
    env = LearnerVecEnv(
        Prisoners(), 4, agent="player_0", co_players={"player_1": fixed(0)}, max_episode_steps=20
    )
    package = contrib if algorithm == "MaskablePPO" else sb3
    model = getattr(package, algorithm).load(tmp_path / "model.zip", env=env, device="cpu")
    before = model.num_timesteps
    model.learn(64, reset_num_timesteps=False)
    assert model.num_timesteps >= before + 64


def test_the_sb3_views_tile_the_pictures_of_their_copies():
    pytest.importorskip("PIL")
    for agents in ("one", "all"):
        envs = stratagem.sb3_vec_env(
            "Chicken-v0", 4, seed=0, agents=agents, render_mode="rgb_array"
        )
        envs.reset()
        for _ in range(3):
            envs.step(np.zeros(envs.num_envs, int))
        assert len(envs.get_images()) == 4
        assert envs.render("rgb_array").shape == (960, 1280, 3)
    single = stratagem.parallel_env("Chicken-v0", render_mode="rgb_array")
    single.reset(seed=0)
    for _ in range(3):
        single.step({"driver_0": 0, "driver_1": 0})
    assert np.array_equal(envs.get_images()[0], single.render())
    with pytest.raises(ValueError, match="render_mode must be 'rgb_array' or None, got 'ansi'"):
        stratagem.sb3_vec_env("Chicken-v0", 4, render_mode="ansi")
