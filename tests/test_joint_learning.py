"""Q-learners over a table: what they learn together is what they learn one by one, to the bit."""

import json
import os
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from toys import Guess, Prisoners, Turns, Wander
from typing_extensions import override

from stratagem.agents.tabular import numpy_loop
from stratagem.agents.tabular.joint_learning import JointLearning, joins
from stratagem.envs.core import learns
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.lookup import step_table
from stratagem.envs.simulator import Player, Simulator, play, rollout
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import RepeatedTable
from stratagem.evaluation import learning
from stratagem.evaluation.learning import train
from stratagem.players import player
from stratagem.reproductions.pricing_sessions import greedy_play

ROOT = Path(__file__).parents[1]
SEEDS = np.array([5, 1, 2**63 + 9, 77], np.uint64)
NEEDS_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
KERNELS = [pytest.param(True, id="compiled", marks=NEEDS_NUMBA), pytest.param(False, id="numpy")]


def learners(game, **options):
    options = {"alpha": 0.3, "beta": 0.01, "discount": 0.9, **options}
    return [player("q_learning", game, seat, **options) for seat in range(len(game.agents))]


def joint(game, policies, kernel, max_episode_steps=None, stable=None, seeds=SEEDS):
    assert joins(game, policies, kernel=kernel)
    return JointLearning(
        game,
        policies,
        seeds=seeds,
        max_episode_steps=max_episode_steps,
        stable=stable,
        kernel=kernel,
    )


def one_by_one(game, policies, periods, max_episode_steps=None):
    """Return the sums of rewards (N, B) and last memories, from the game's own functions."""
    log, memories = rollout(
        game,
        policies,
        num_copies=len(SEEDS),
        num_steps=periods,
        seed=SEEDS,
        max_episode_steps=max_episode_steps,
    )
    total = np.zeros(log.rewards.shape[1:])
    for rewards in log.rewards:
        total += rewards
    return total, memories


REPEATED = [
    LogitPricing(num_prices=3, num_firms=firms, memory=memory)
    for firms in (2, 3)
    for memory in (0, 1, 2)
]
ENDING = [
    LogitPricing(num_prices=4, continuation=0.9),
    LogitPricing(num_prices=2, num_firms=3, memory=2, continuation=0.8),
    Prisoners(),
]
EXPLICIT = [Wander(), Wander(blind=True), Guess(), InformationGame(horizon=4)]


def name_of(game):
    return f"{type(game).__name__}-{getattr(game, 'num_firms', '')}-{getattr(game, 'memory', '')}"


def equal(game, policies, kernel, periods, max_episode_steps):
    runs = joint(game, policies, kernel, max_episode_steps)
    found = runs.advance(periods)
    total, memories = one_by_one(game, policies, periods, max_episode_steps)
    assert np.array_equal(found, total)
    assert runs.periods.tolist() == [periods] * len(SEEDS)
    for seat, policy in enumerate(policies):
        for run in range(len(SEEDS)):
            frozen = runs.freeze(seat, run)
            if not learns(policy):
                assert frozen is policy
                assert runs.values(seat, run) is None
                continue
            assert np.array_equal(runs.values(seat, run), memories[seat].q[run])
            assert runs.now.epsilon[run, seat] == memories[seat].epsilon[run]
            seen = every_observation(game.observation_spaces[seat])
            exact = policy.freeze(memories[seat], run)
            assert np.array_equal(frozen.rule(seen), exact.rule(seen))


@pytest.mark.parametrize("max_episode_steps", [None, 7])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("game", REPEATED, ids=name_of)
def test_a_repeated_game_is_learnt_as_one_by_one(game, kernel, max_episode_steps) -> None:
    assert isinstance(step_table(game), RepeatedTable)
    equal(game, learners(game), kernel, 150, max_episode_steps)


@pytest.mark.parametrize("max_episode_steps", [None, 5])
@pytest.mark.parametrize("kernel", [KERNELS[0]])
@pytest.mark.parametrize("game", [*ENDING, *EXPLICIT], ids=name_of)
def test_a_game_with_chance_is_learnt_as_one_by_one(game, kernel, max_episode_steps) -> None:
    equal(game, learners(game), kernel, 150, max_episode_steps)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    "options",
    [
        {"spread": 2.0},
        {"epsilon": 0.0, "start": 10.0},
        {"epsilon": 0.2, "beta": 0.0},
        {"alpha": 1.0, "discount": 0.0},
        {"start": "random_rivals"},
        {"start": "grim"},
    ],
    ids=str,
)
def test_every_option_is_learnt_as_one_by_one(kernel, options) -> None:
    game = LogitPricing(num_prices=3)
    equal(game, learners(game, **options), kernel, 150, None)


@pytest.mark.parametrize("kernel", KERNELS)
def test_seats_may_differ_and_some_may_not_learn(kernel) -> None:
    game = LogitPricing(num_prices=3, num_firms=3)
    first, second = learners(game)[0], player("q_learning", game, 1, alpha=0.05, beta=0.002)
    for others in (
        [second, player("tit_for_tat", game, 2)],
        [player("fixed:2", game, 1), player("win_stay_lose_shift", game, 2)],
        [second, player("benchmark:grid_monopoly", game, 2)],
    ):
        equal(game, [first, *others], kernel, 120, None)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_run_does_not_depend_on_the_others(kernel) -> None:
    game = LogitPricing(num_prices=4)
    together = joint(game, learners(game), kernel)
    total = together.advance(200)
    for run in range(len(SEEDS)):
        alone = joint(game, learners(game), kernel, seeds=SEEDS[run : run + 1])
        assert np.array_equal(alone.advance(200)[:, 0], total[:, run])
        for seat in range(2):
            assert np.array_equal(alone.values(seat, 0), together.values(seat, run))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("max_episode_steps", [None, 9])
def test_pauses_change_nothing(kernel, max_episode_steps) -> None:
    game = LogitPricing(num_prices=4)
    whole = joint(game, learners(game), kernel, max_episode_steps, stable=40)
    pieces = joint(game, learners(game), kernel, max_episode_steps, stable=40)
    whole.advance(900)
    for until in (1, 2, 9, 10, 100, 333, 899, 900):
        pieces.advance(until)
    for ours, theirs in zip(pieces.now[:-1], whole.now[:-1], strict=True):  # all but the total
        assert np.array_equal(ours, theirs)


MATCH = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])


class Pennies(Prisoners):
    """Matching pennies, repeated."""

    @override
    def step(self, state, actions, outcome):
        step = super().step(state, actions, outcome)
        return step._replace(rewards=MATCH[:, actions[0], actions[1]])

    @override
    def stage(self):
        return super().stage()._replace(payoffs=MATCH.reshape(2, 4))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_the_best_action_that_is_kept_is_the_first_of_the_best(kernel, alpha) -> None:
    """Without a future, values are zeros, ones and halves, so that ties come all the time."""
    game = Pennies(continuation=1.0)
    policies = learners(game, alpha=alpha, discount=0.0, beta=0.0, start=1.0, epsilon=0.5)
    runs = joint(game, policies, kernel)
    ties = moves = 0
    before = runs.now.best.copy()
    for until in range(1, 200):
        runs.advance(until)
        q = runs.now.q
        assert np.array_equal(runs.now.best, q.argmax(axis=-1))
        ties += (q[..., 0] == q[..., 1]).any()
        moves += not np.array_equal(before, runs.now.best)
        before = runs.now.best.copy()
    assert ties > (150 if alpha == 1 else 10)
    assert moves > 50
    equal(game, policies, kernel, 200, None)


# ---------------------------------------------------------------------------- convergence


def watched(game, policies, stable, periods, max_episode_steps):
    """Return when each run is to stop, its last rewards' sum and greedy actions, by watching."""
    sim = Simulator(game, len(SEEDS), max_episode_steps)
    sim.reset(SEEDS)
    players = [Player(policy, seat) for seat, policy in enumerate(policies)]
    for one in players:
        one.start(sim, seeded=True)

    def greedy():
        return np.concatenate([p.memory.q.argmax(axis=-1) for p in players if p.learns], axis=1)

    best, quiet = greedy(), np.zeros(len(SEEDS), int)
    stopped, kept = np.full(len(SEEDS), periods), {}
    for t in range(1, periods + 1):
        play(sim, players)
        now = greedy()
        quiet = np.where((now == best).all(axis=1), quiet + 1, 0)
        best = now
        for run in np.flatnonzero(quiet >= stable):
            if run not in kept:
                stopped[run], kept[run] = t, now[run]
    return stopped, kept


@pytest.mark.parametrize("max_episode_steps", [None, 11])
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_run_stops_once_no_best_action_has_changed_for_long_enough(
    kernel, max_episode_steps
) -> None:
    game = LogitPricing(num_prices=3)
    policies = learners(game, beta=0.05)
    stopped, kept = watched(game, policies, 60, 700, max_episode_steps)
    assert len(set(stopped.tolist())) > 1
    runs = joint(game, policies, kernel, max_episode_steps, stable=60)
    runs.advance(700)
    assert runs.periods.tolist() == stopped.tolist()
    assert (~runs.running).tolist() == [run in kept for run in range(len(SEEDS))]
    for run, best in kept.items():
        assert np.array_equal(runs.now.best[run], best)


@pytest.mark.parametrize("game", [REPEATED[1], ENDING[0], Wander(draw_from=1)], ids=name_of)
@pytest.mark.parametrize("stable", [None, 30])
@NEEDS_NUMBA
def test_training_is_the_same_compiled_in_numpy_and_one_by_one(game, stable, monkeypatch) -> None:
    policies = learners(game, beta=0.05)
    settings = {"seeds": SEEDS, "periods": 400, "max_episode_steps": 13, "stable": stable}
    found = [train(game, policies, **settings)]
    monkeypatch.setattr(learning, "compiled", lambda: False)
    found.append(train(game, policies, **settings))
    monkeypatch.setattr(learning, "joins", lambda *args, **kwargs: False)
    found.append(train(game, policies, **settings))
    first = found[0]
    assert first.converged.any() == (stable is not None)
    for other in found[1:]:
        assert np.array_equal(first.periods, other.periods)
        assert np.array_equal(first.rewards, other.rewards, equal_nan=True)
        assert np.array_equal(first.stopped, other.stopped)
        assert np.array_equal(first.converged, other.converged)
        assert np.array_equal(first.states, other.states)
        for seat, space in enumerate(game.observation_spaces):
            seen = every_observation(space)
            for ours, theirs in zip(first.policies[seat], other.policies[seat], strict=True):
                assert np.array_equal(ours.rule(seen), theirs.rule(seen))


def test_without_numba_training_uses_the_loop_in_numpy(monkeypatch) -> None:
    monkeypatch.setattr(learning, "compiled", lambda: False)
    calls = []
    plain = numpy_loop.advance
    monkeypatch.setattr(numpy_loop, "advance", lambda *args: (calls.append(args[2]), plain(*args)))
    game = LogitPricing(num_prices=3)
    train(game, learners(game), seeds=SEEDS, periods=100, max_episode_steps=None)
    assert calls[-1] == 100


@pytest.mark.parametrize("name", ["sarsa", "boltzmann_q"])
def test_other_tabular_learners_stop_too(name) -> None:
    """They are stepped, and stop when a watcher says."""
    game = LogitPricing(num_prices=2)
    options = {"beta": 0.05} if name == "sarsa" else {"temperature": 1.0, "decay": 0.95}
    policies = [player(name, game, seat, alpha=0.3, **options) for seat in range(2)]
    assert not joins(game, policies, kernel=True)
    stopped, kept = watched(game, policies, 40, 300, None)
    found = train(game, policies, seeds=SEEDS, periods=300, max_episode_steps=None, stable=40)
    assert found.converged.any()
    assert found.stopped.tolist() == stopped.tolist()
    for run, best in kept.items():
        seen = every_observation(game.observation_spaces[0])
        rules = [found.policies[seat][run].rule(seen) for seat in range(2)]
        assert np.array_equal(np.concatenate(rules), best)


@pytest.mark.parametrize("name", ["reinforce", "exp3"])
def test_a_learner_without_best_actions_cannot_be_told_to_stop(name) -> None:
    game = LogitPricing(num_prices=2)
    policies = [player(name, game, seat) for seat in range(2)]
    with pytest.raises(ValueError, match="stable must be None for a learner without a table"):
        train(game, policies, seeds=SEEDS, periods=5, max_episode_steps=None, stable=3)


# ---------------------------------------------------------------------------- who joins


@pytest.mark.parametrize("kernel", [True, False])
def test_who_does_not_join_is_stepped(kernel) -> None:
    game = LogitPricing(num_prices=3)
    first, second = learners(game)
    assert joins(game, [first, second], kernel=kernel)
    for other in (
        player("q_learning", game, 1, ties="random"),
        player("q_learning", game, 1, synchronous=True),
        player("q_learning", game, 1, contexts=False),  # one row is not one per observation
        player("sarsa", game, 1),
        player("random", game, 1),
        player("grim", game, 1),  # has memory
    ):
        assert not joins(game, [first, other], kernel=kernel)
    assert not joins(game, [player("fixed:0", game, seat) for seat in range(2)], kernel=kernel)
    wrong = player("q_learning", LogitPricing(num_prices=2), 1)
    assert not joins(game, [first, wrong], kernel=kernel)
    assert not joins(Turns(), learners(Turns()), kernel=kernel)  # not all actions are legal
    for uncertain in (*ENDING, *EXPLICIT):
        assert joins(uncertain, learners(uncertain), kernel=kernel) == kernel


def test_trained_tables_can_be_the_first_values_of_new_runs() -> None:
    game = LogitPricing(num_prices=3)
    runs = joint(game, learners(game), kernel=False)
    runs.advance(100)
    tables = [runs.values(seat, run) for seat, run in ((0, 1), (1, 2))]
    again = [
        player("q_learning", game, seat, start=table, epsilon=0.1, beta=0.0)
        for seat, table in enumerate(tables)
    ]
    rematched = joint(game, again, kernel=False)
    for seat, table in enumerate(tables):
        assert np.array_equal(rematched.values(seat, 0), table)
    rematched.advance(50)
    assert not np.array_equal(rematched.values(0, 0), tables[0])


# ---------------------------------------------------------------------------- benchmark


def benchmark_script():
    spec = spec_from_file_location("sessions", ROOT / "benchmarks" / "tabular_learners.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_plays_each_sessions_own_cycle() -> None:
    script = benchmark_script()
    game = LogitPricing(num_prices=4)
    runs = joint(game, script.learners(game, 0.01), kernel=False)
    runs.advance(300)
    found = greedy_play(game, runs).gains
    for run in range(len(SEEDS)):
        seen = step_table(game).observations
        own = [runs.freeze(seat, run).rule(seen[seat]) for seat in range(2)]
        state, visited, paid = int(runs.states[run]), [], []
        while state not in visited:
            visited.append(state)
            prices = np.array([[own[0][state]], [own[1][state]]])
            paid.append(game.grid_profits(prices).mean())
            state = int(4 * prices[0, 0] + prices[1, 0])
        cycle = paid[visited.index(state) :]
        assert found[run] == pytest.approx(game.risk_anchors(np.mean(cycle)))


def test_the_benchmark_writes_what_it_prints(tmp_path, capsys, monkeypatch) -> None:
    script, file = benchmark_script(), tmp_path / "figures.json"
    options = ["--sessions=3", "--numpy-sessions=3", "--beta=0.01", "--stable=300"]
    monkeypatch.setattr("sys.argv", ["tabular_learners.py", *options, f"--json={file}"])
    script.main()
    report, printed = json.loads(file.read_text()), capsys.readouterr().out
    assert report["numpy"]["share_converged"] == 1
    assert f"profit gain {report['numpy']['profit_gain']:.3f}" in printed
    if find_spec("numba") is None:
        assert "numba is not installed" in printed
    else:
        assert f"compiled / NumPy: {report['ratio']:.1f}" in printed
        for key in ("mean_periods", "profit_gain", "profit_gain_low", "profit_gain_high"):
            assert report["compiled"][key] == report["numpy"][key]


# ---------------------------------------------------------------------------- kernel


@NEEDS_NUMBA
def test_compiled_code_is_kept_in_the_users_folder_and_made_once() -> None:
    from stratagem.envs.kernels.tabular_learners import advance

    for game in (REPEATED[1], ENDING[0], Wander()):
        joint(game, learners(game), kernel=True).advance(3)
    folder = Path(advance.stats.cache_path).resolve()
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        assert folder.is_relative_to(Path(chosen).resolve())
    else:
        assert not folder.is_relative_to(ROOT.resolve())
    assert not [*(ROOT / "envs" / "kernels").rglob("*.nb[ic]")]
    assert len(advance.signatures) == 1
