"""Learners with full feedback against their published bounds, on sequences made to hurt them."""

from math import comb, log, sqrt

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from toys import Prisoners, Turns

from stratagem.agents.no_regret.blum_mansour import BlumMansour, stationary
from stratagem.agents.no_regret.fictitious_play import FictitiousPlay
from stratagem.agents.no_regret.hedge import Hedge
from stratagem.agents.no_regret.optimistic_hedge import OptimisticHedge
from stratagem.agents.no_regret.regret_matching import RegretMatching
from stratagem.agents.regret import external_regret, swap_regret
from stratagem.envs import streams
from stratagem.envs.core import Transition, learns
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.zero_sum import minimax
from stratagem.players import player

NAMES = ("hedge", "optimistic_hedge", "regret_matching", "fictitious_play", "blum_mansour")
UNIT = {"low": 0.0, "high": 1.0}


def numbers(num_copies, step=1):
    seeds = np.arange(num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.full(num_copies, step, np.uint64), streams.acting(0))


def shown(transition):
    """Feedback of these tests: what follows shows the payoffs."""
    return transition.next_observation


def learn(learner, memory, payoffs, seen=None):
    num = len(payoffs)
    seen = np.zeros(num, np.int64) if seen is None else np.array(seen)
    over = np.zeros(num, np.bool_)
    lesson = Transition(seen, seen, np.zeros(num), np.asarray(payoffs, float), over, over)
    return learner.update(lesson, memory)


def play(learner, sequence, num_steps, num_copies=1):
    """Return payoffs, mixed strategies and actions; `sequence(t, mixes)` gives payoffs (B, n)."""
    memory = learner.init(num_copies, numbers(num_copies, 0))
    log_ = []
    for t in range(num_steps):
        actions, memory = learner.act(np.zeros(num_copies), memory, numbers(num_copies, t + 1))
        payoffs = np.asarray(sequence(t, memory.played), float)
        log_.append((payoffs, memory.played, actions))
        memory = learn(learner, memory, payoffs)
    return tuple(np.stack(column) for column in zip(*log_, strict=True))


def alternating(n):
    """Return a sequence that always pays the action that has paid less so far."""

    def sequence(t, mixes):
        paid = np.zeros(n)
        if t == 0:
            paid[0] = 0.5
        else:
            paid[t % 2] = 1.0
        return np.broadcast_to(paid, mixes.shape)

    return sequence


def coins(n, seed=1):
    rng = np.random.default_rng(seed)
    return lambda t, mixes: rng.integers(2, size=mixes.shape)


def spite(t, mixes):
    """Pay 1 for every action but the one played most."""
    return 1.0 - np.eye(mixes.shape[1])[mixes.argmax(axis=1)]


def scarce(t, mixes):
    """Pay 1 for the action played least alone."""
    return np.eye(mixes.shape[1])[mixes.argmin(axis=1)]


def phases(length):
    """Return a sequence in three phases that leads those without external regret to swap regret.

    Action 1 overtakes action 0 at the end of the second phase; in the third it pays nothing,
    action 2 pays, but never makes up for what it paid less before.
    """

    def sequence(t, mixes):
        phase = 0 if t < length else 1 if t < 2 * length + length // 5 else 2
        return np.broadcast_to(np.eye(3)[phase], mixes.shape)

    return sequence


SEQUENCES = {"alternating": alternating, "coins": coins}
ADAPTIVE = {"spite": spite, "scarce": scarce}


def sequence_of(name, n):
    return ADAPTIVE[name] if name in ADAPTIVE else SEQUENCES[name](n)


def prefix_regret(payoffs, mixes):
    """Return the external regret after every period, (T, B)."""
    received = (payoffs * mixes).sum(axis=2).cumsum(axis=0)
    return payoffs.cumsum(axis=0).max(axis=2) - received


# ---------------------------------------------------------------------------- by hand


def mixes_of(learner, payoffs):
    _, mixes, _ = play(learner, lambda t, _: [payoffs[t]], len(payoffs))
    return mixes[:, 0].tolist()


def test_hedge_by_hand() -> None:
    learner = Hedge(num_actions=2, feedback=shown, low=-1.0, high=3.0, rate=log(2))
    # gains scaled to [0, 1]: (1, 0), then (.5, .5), then (0, 1)
    found = mixes_of(learner, [[3, -1], [1, 1], [-1, 3], [0, 0]])
    assert found == [
        pytest.approx(p) for p in ([1 / 2, 1 / 2], [2 / 3, 1 / 3], [2 / 3, 1 / 3], [1 / 2, 1 / 2])
    ]


def test_rates_of_hedge_by_hand() -> None:
    def odds(learner):  # of action 0, after one period that paid it alone, and after two
        mixes = mixes_of(learner, [[1, 0], [1, 0], [0, 0], [0, 0]])
        return [log(p / q) for p, q in mixes[1:]]

    hedge = {"num_actions": 2, "feedback": shown, **UNIT}
    base = sqrt(8 * log(2))
    assert odds(Hedge(**hedge, horizon=16)) == pytest.approx([base / 4, base / 2, base / 2])
    # period t = 2, 3, 4 at rates base / sqrt(t)
    falling = [base / sqrt(2), 2 * base / sqrt(3), 2 * base / 2]
    assert odds(Hedge(**hedge)) == pytest.approx(falling)
    # blocks of periods {1}, {2, 3}, {4, ...}, each of which forgets
    assert odds(Hedge(**hedge, doubling=True)) == pytest.approx([0, base / sqrt(2), 0])


def test_optimistic_hedge_counts_the_last_payoffs_twice() -> None:
    learner = OptimisticHedge(num_actions=2, feedback=shown, **UNIT, rate=log(2))
    found = mixes_of(learner, [[1, 0], [1, 0], [0, 1], [0, 0]])
    # scores 0, 2, 3, and 2 - 2 = 0
    assert found == [
        pytest.approx(p) for p in ([1 / 2, 1 / 2], [4 / 5, 1 / 5], [8 / 9, 1 / 9], [1 / 2, 1 / 2])
    ]


def test_regret_matching_by_hand() -> None:
    # uniform on (3, 1, -1) receives 1: regrets (2, 0, -2); all on 0 of (0, 2, 3) receives 0:
    # regrets (2, 2, 1); and (2/5, 2/5, 1/5) on (0, 5, 0) receives 2: (0, 5, -1)
    payoffs = [[3, 1, -1], [0, 2, 3], [0, 5, 0], [0, 0, 0]]
    found = mixes_of(RegretMatching(num_actions=3, feedback=shown), payoffs)
    thirds = [1 / 3] * 3
    assert found == [pytest.approx(p) for p in (thirds, [1, 0, 0], [0.4, 0.4, 0.2], [0, 1, 0])]
    # with plus, -2 is forgotten: regrets (2, 2, 3) in period 3
    found = mixes_of(RegretMatching(num_actions=3, feedback=shown, plus=True), payoffs)
    assert found[2] == pytest.approx([2 / 7, 2 / 7, 3 / 7])


def test_regret_matching_is_uniform_where_nothing_is_regretted() -> None:
    found = mixes_of(RegretMatching(num_actions=2, feedback=shown), [[1, 0], [2, 1], [0, 0]])
    # regrets (1/2, -1/2), then (1/2, -3/2): it never regrets action 1
    assert found == [[0.5, 0.5], [1, 0], [1, 0]]
    alike = mixes_of(RegretMatching(num_actions=2, feedback=shown), [[1, 1], [0, 0]])
    assert alike == [[0.5, 0.5]] * 2


def test_fictitious_play_replies_to_the_sum_and_ties_fall_to_the_lowest() -> None:
    payoffs = [[0, 2, 2], [3, 0, 0], [0, 4, 0], [0, 0, 0]]
    found = mixes_of(FictitiousPlay(num_actions=3, feedback=shown), payoffs)
    assert [p.index(1) for p in found] == [0, 1, 0, 1]
    first = FictitiousPlay(num_actions=3, feedback=shown, random_first=True)
    found = mixes_of(first, payoffs)
    assert found[0] == pytest.approx([1 / 3] * 3)
    assert [p.index(1) for p in found[1:]] == [1, 0, 1]


def test_blum_mansour_by_hand() -> None:
    learner = BlumMansour(num_actions=2, feedback=shown, **UNIT, rate=log(2))
    found = mixes_of(learner, [[1, 0], [0, 1], [0, 0]])
    # both Hedges are paid half of (1, 0): odds sqrt 2 in each, so p = q = sqrt 2 / (1 + sqrt 2)
    p = sqrt(2) / (1 + sqrt(2))
    assert found[1] == pytest.approx([p, 1 - p])
    # then Hedge i is paid p(i) of (0, 1): its odds of action 0 are 2 ** (1/2 - p(i))
    stay, enter = (2 ** (0.5 - own) / (1 + 2 ** (0.5 - own)) for own in (p, 1 - p))
    assert found[2] == pytest.approx([enter / (1 - stay + enter), (1 - stay) / (1 - stay + enter)])


def test_a_stationary_distribution_is_the_left_eigenvector() -> None:
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 7):
        chains = rng.dirichlet(np.full(n, 0.3), size=(40, n))
        found = stationary(chains)
        assert found.sum(axis=1) == pytest.approx(np.ones(40))
        assert np.einsum("mi,mij->mj", found, chains) == pytest.approx(found, abs=1e-12)


def test_a_stationary_distribution_is_found_where_chances_vanish() -> None:
    chains = np.array([np.eye(3), [[0, 1, 0], [1, 0, 0], [0, 0, 1]], np.eye(3)[[1, 2, 0]]])
    found = stationary(chains)
    assert np.einsum("mi,mij->mj", found, chains) == pytest.approx(found)
    assert found[2] == pytest.approx([1 / 3] * 3)
    # two nearly closed classes: 1e-200 out of the first, 3e-200 back
    slow = np.array([[[1.0, 1e-200], [3e-200, 1.0]]])
    assert stationary(slow)[0] == pytest.approx([0.75, 0.25])


# ---------------------------------------------------------------------------- bounds

CASES = [(name, n) for name in ("alternating", "coins", "spite", "scarce") for n in (2, 5)]
DOUBLING = sqrt(2) / (sqrt(2) - 1)


@pytest.mark.parametrize(("name", "n"), CASES)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 5.0)])
def test_hedge_keeps_its_regret_below_every_bound(name, n, low, high) -> None:
    num, width = 600, high - low
    once, times = sequence_of(name, n), np.arange(1, num + 1)[:, None]
    for options, bound in (
        ({"rate": 0.3}, log(n) / 0.3 + 0.3 * times / 8),
        ({"rate": 2.0}, log(n) / 2 + 2 * times / 8),
        ({"doubling": True}, DOUBLING * np.sqrt(times * log(n) / 2)),
        ({}, 2 * np.sqrt(times * log(n) / 2) + sqrt(log(n) / 8)),
    ):
        learner = Hedge(num_actions=n, feedback=shown, low=low, high=high, **options)
        payoffs, mixes, _ = play(learner, lambda t, p: low + width * once(t, p), num, 3)
        assert (prefix_regret(payoffs, mixes) <= width * bound + 1e-9).all()
    learner = Hedge(num_actions=n, feedback=shown, low=low, high=high, horizon=num)
    payoffs, mixes, _ = play(learner, lambda t, p: low + width * once(t, p), num, 3)
    assert (external_regret(payoffs, mixes) <= width * sqrt(num * log(n) / 2)).all()


@pytest.mark.parametrize(("name", "n"), CASES)
@pytest.mark.parametrize("plus", [False, True])
def test_regret_matching_keeps_its_regret_below_its_bound(name, n, plus) -> None:
    once = sequence_of(name, n)
    learner = RegretMatching(num_actions=n, feedback=shown, plus=plus)
    payoffs, mixes, _ = play(learner, lambda t, p: 8 * once(t, p) - 3, 600, 3)
    bound = 8 * np.sqrt(n * np.arange(1, 601))[:, None]
    assert (prefix_regret(payoffs, mixes) <= bound).all()


def test_follow_the_leader_has_linear_regret_where_the_others_have_little() -> None:
    num = 600
    leader = FictitiousPlay(num_actions=2, feedback=shown)
    payoffs, mixes, _ = play(leader, alternating(2), num)
    # it receives 1/2 at the start and 0 ever after; the best action, 300 or so
    assert (payoffs * mixes).sum() == 0.5
    assert external_regret(payoffs, mixes) == pytest.approx(num / 2 - 0.5, abs=0.51)
    for learner in (
        Hedge(num_actions=2, feedback=shown, **UNIT),
        RegretMatching(num_actions=2, feedback=shown),
        BlumMansour(num_actions=2, feedback=shown, **UNIT),
    ):
        assert external_regret(*play(learner, alternating(2), num)[:2])[0] < 0.1 * num


@pytest.mark.parametrize("name", ["alternating", "coins", "spite", "drift", "constant"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 2.0])
def test_optimistic_hedge_keeps_its_regret_below_the_variation_of_payoffs(name, rate) -> None:
    slow = {
        "drift": lambda t, p: [[0.5 + 0.5 * np.cos(t / 40 + k) for k in range(3)]] * len(p),
        "constant": lambda t, p: [[0.2, 0.9, 0.5]] * len(p),
    }
    once = slow[name] if name in slow else sequence_of(name, 3)
    learner = OptimisticHedge(num_actions=3, feedback=shown, **UNIT, rate=rate)
    payoffs, mixes, _ = play(learner, once, 500, 2)
    change = np.abs(np.diff(payoffs, axis=0, prepend=0)).max(axis=2) ** 2
    move = np.abs(np.diff(mixes, axis=0)).sum(axis=2) ** 2
    bound = log(3) / rate + rate * change.sum(axis=0) - move.sum(axis=0) / (4 * rate)
    assert (external_regret(payoffs, mixes) <= bound + 1e-9).all()


def self_play(first, second, matrices, num_steps):
    """Return payoffs and mixes of two learners who see each other's mixed strategies.

    The game of copy b is zero-sum but for a constant: `matrices[b]` and 1 less it.
    """
    num = len(matrices)
    sides = (matrices, 1 - matrices.transpose(0, 2, 1))
    players = (first, second)
    memories = [own.init(num, numbers(num, 0)) for own in players]
    log_ = []
    for t in range(num_steps):
        for i, own in enumerate(players):
            _, memories[i] = own.act(np.zeros(num), memories[i], numbers(num, t + 1))
        mixes = [memory.played for memory in memories]
        payoffs = [np.einsum("bij,bj->bi", sides[i], mixes[1 - i]) for i in range(2)]
        memories = [learn(players[i], memories[i], payoffs[i]) for i in range(2)]
        log_.append((*payoffs, *mixes))
    found = [np.stack(column) for column in zip(*log_, strict=True)]
    return found[:2], found[2:]


def test_regrets_of_two_optimistic_players_have_a_bounded_sum_and_those_of_hedge_have_not() -> None:
    matrices = np.random.default_rng(8).random((5, 3, 3))
    totals = {}
    for kind in (OptimisticHedge, Hedge):
        own = kind(num_actions=3, feedback=shown, **UNIT, rate=0.5)
        payoffs, mixes = self_play(own, own, matrices, 2000)
        totals[kind] = sum(map(external_regret, payoffs, mixes))
    assert (totals[OptimisticHedge] <= 2 * log(3) / 0.5).all()
    assert (totals[Hedge] > 2 * log(3) / 0.5).any()


@pytest.mark.parametrize("shape", [(2, 2), (3, 5)])
def test_time_averages_of_hedge_are_minimax_within_their_regret(shape) -> None:
    num = 800
    matrix = np.random.default_rng(sum(shape)).random(shape)
    value = minimax(matrix).payoffs[0]
    first, second = (
        Hedge(num_actions=n, feedback=shown, **UNIT, horizon=num, average=True) for n in shape
    )
    _, (rows, columns) = self_play(first, second, matrix[None], num)
    row, column = rows.mean(axis=0)[0], columns.mean(axis=0)[0]
    slack = [sqrt(log(n) / (2 * num)) for n in shape]
    assert value - sum(slack) <= (row @ matrix).min() <= value + 1e-9
    assert value - 1e-9 <= (matrix @ column).max() <= value + sum(slack)


@pytest.mark.parametrize(("name", "n"), CASES)
def test_blum_mansour_keeps_its_swap_regret_below_its_bound(name, n) -> None:
    num = 400
    for options, bound in (
        ({"horizon": num}, sqrt(num * n * log(n) / 2)),
        ({"rate": 0.7}, n * log(n) / 0.7 + 0.7 * num / 8),
        ({"doubling": True}, DOUBLING * sqrt(num * n * log(n) / 2)),
    ):
        learner = BlumMansour(num_actions=n, feedback=shown, low=-3.0, high=5.0, **options)
        once = sequence_of(name, n)
        payoffs, mixes, _ = play(learner, lambda t, p, f=once: 8 * f(t, p) - 3, num, 3)
        assert (swap_regret(payoffs, mixes) <= 8 * bound).all()


def test_no_external_regret_is_not_no_swap_regret() -> None:
    """Play is on action 0, then on 1 while 2 pays: swapping 1 for 2 gains the third phase."""
    length, num = 1000, 3000
    hedge = Hedge(num_actions=3, feedback=shown, **UNIT, horizon=num)
    payoffs, mixes, _ = play(hedge, phases(length), num)
    bound = sqrt(num * 3 * log(3) / 2)
    assert external_regret(payoffs, mixes)[0] <= sqrt(num * log(3) / 2)
    assert swap_regret(payoffs, mixes)[0] > 5 * bound
    careful = BlumMansour(num_actions=3, feedback=shown, **UNIT, horizon=num)
    payoffs, mixes, _ = play(careful, phases(length), num)
    assert swap_regret(payoffs, mixes)[0] <= bound


def test_nobody_foresees_coins_so_all_have_the_same_expected_regret() -> None:
    """With X ~ Bin(2T, 1/2), half of E|X - T|, and that is T C(2T, T) / 4^T."""
    num, copies = 60, 4000
    expected = num * comb(2 * num, num) / 4**num / 2
    for learner in (
        Hedge(num_actions=2, feedback=shown, **UNIT),
        OptimisticHedge(num_actions=2, feedback=shown, **UNIT),
        RegretMatching(num_actions=2, feedback=shown),
        FictitiousPlay(num_actions=2, feedback=shown),
        BlumMansour(num_actions=2, feedback=shown, **UNIT),
    ):
        payoffs, mixes, actions = play(learner, coins(2, seed=9), num, copies)
        for played in (mixes, actions):
            found = external_regret(payoffs, played)
            error = found.std() / sqrt(copies)
            assert found.mean() == pytest.approx(expected, abs=4.5 * error)


# ---------------------------------------------------------------------------- equilibrium


def fictitious(first, second, num_steps, **options):
    """Return the frequencies of both players after every period, (T, n) each."""
    counts = first.shape
    players = [FictitiousPlay(num_actions=n, feedback=shown, **options) for n in counts]
    memories = [own.init(1, numbers(1, 0)) for own in players]
    log_ = []
    for t in range(num_steps):
        acts = []
        for i, own in enumerate(players):
            action, memories[i] = own.act(np.zeros(1), memories[i], numbers(1, t + 1))
            acts.append(int(action[0]))
        payoffs = (first[:, acts[1]], second[acts[0]])
        memories = [learn(players[i], memories[i], payoffs[i][None]) for i in range(2)]
        log_.append(acts)
    times = np.arange(1, num_steps + 1)[:, None]
    played = np.array(log_)
    return [np.eye(n)[played[:, i]].cumsum(axis=0) / times for i, n in enumerate(counts)]


def gap(first, second, row, column):
    """Return the most that either player could gain against the other's frequencies."""
    gains = (first @ column).max() - row @ first @ column, (row @ second).max()
    return max(gains[0], gains[1] - row @ second @ column)


def test_fictitious_play_of_matching_pennies_by_hand() -> None:
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    row, column = fictitious(pennies, -pennies, 6)
    # rows 0 0 0 1 1 1 and columns 0 1 1 1 1 1: the column player leaves first
    assert (row * np.arange(1, 7)[:, None])[:, 1].tolist() == [0, 0, 0, 1, 2, 3]
    assert (column * np.arange(1, 7)[:, None])[:, 1].tolist() == [0, 1, 2, 3, 4, 5]


def test_fictitious_play_finds_the_value_of_zero_sum_games() -> None:
    rng = np.random.default_rng(3)
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for matrix in (pennies, *(rng.random(shape) for shape in ((2, 2), (3, 3), (4, 2)))):
        rows, columns = fictitious(matrix, -matrix, 1500)
        value = minimax(matrix).payoffs[0]
        gaps = [(matrix @ columns[t]).max() - (rows[t] @ matrix).min() for t in (29, 299, 1499)]
        assert (rows[-1] @ matrix).min() <= value <= (matrix @ columns[-1]).max()
        assert gaps[2] < gaps[0] / 2
        assert gaps[2] < 0.05 * np.ptp(matrix)


def test_fictitious_play_cycles_for_ever_in_shapleys_game() -> None:
    first, second = np.eye(3), np.eye(3)[[1, 2, 0]]
    rows, columns = fictitious(first, second, 6000)
    gaps = [gap(first, second, rows[t], columns[t]) for t in range(1000, 6000, 50)]
    assert min(gaps) > 0.1
    counts = rows * np.arange(1, 6001)[:, None]
    played = np.diff(counts, axis=0, prepend=0).round().argmax(axis=1)
    runs = np.diff(np.flatnonzero(np.diff(played)))
    assert len(runs) >= 6
    assert (runs[-5:] > 1.2 * runs[-6:-1]).all()  # each run is longer by a factor


# ---------------------------------------------------------------------------- in games


def probabilities(policy, seen, n):
    """Return what a frozen policy plays, (B, n)."""
    response = np.asarray(policy.rule(seen))
    return np.eye(n)[response] if response.ndim == 1 else response


@pytest.mark.parametrize("name", NAMES)
def test_what_is_illegal_is_never_played(name) -> None:
    game = Turns()
    seats = [player("random", game, 0), player(name, game, 1, contexts=True)]
    log_, (_, memory) = rollout(game, seats, num_copies=30, num_steps=200, seed=2)
    led = log_.observations[1][..., 0] - 1
    assert (log_.actions[:, 1] >= led).all()
    assert not log_.actions[:, 1][led < 0].any()
    # to match the leader is the only action that pays: in the end it is what is played
    response = probabilities(seats[1].freeze(memory, 0), np.array([[1, 1], [2, 1], [3, 1]]), 3)
    assert response.argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_in_a_batch_is_a_batch_of_one(name) -> None:
    game = Prisoners()
    seats = [player(name, game, 0), player(name, game, 1, contexts=True)]
    together, memories = rollout(game, seats, num_copies=4, num_steps=60, seed=11)
    for i in range(4):
        alone, own = rollout(game, seats, num_copies=1, num_steps=60, seed=11 + i)
        assert np.array_equal(together.actions[:, :, i], alone.actions[:, :, 0])
        for batch, one in zip(memories[1], own[1], strict=True):
            assert np.array_equal(batch[i], one[0])


@pytest.mark.parametrize("name", NAMES)
def test_everyone_learns_to_defect(name) -> None:
    game = Prisoners()
    seats = [player(name, game, seat) for seat in range(2)]
    assert all(map(learns, seats))
    log_, memories = rollout(game, seats, num_copies=3, num_steps=300, seed=4)
    assert (log_.actions[-20:] == 1).mean() > 0.95
    response = np.asarray(seats[0].freeze(memories[0], 0).rule(np.zeros((1, 2), np.int64)))
    assert (response.shape == (1,) and response[0] == 1) or response[0, 1] > 0.9


def test_what_is_frozen_is_the_next_mix_or_the_average() -> None:
    for average in (False, True):
        learner = Hedge(num_actions=2, feedback=shown, **UNIT, rate=log(2), average=average)
        memory = learner.init(1, numbers(1, 0))
        for t, paid in enumerate(([1.0, 0.0], [1.0, 0.0])):
            _, memory = learner.act(np.zeros(1), memory, numbers(1, t + 1))
            memory = learn(learner, memory, [paid])
        found = learner.freeze(memory, 0).rule(np.zeros((1, 2)))[0]
        # it played (1/2, 1/2) and (2/3, 1/3), and would play (4/5, 1/5)
        assert found == pytest.approx([7 / 12, 5 / 12] if average else [4 / 5, 1 / 5])


def test_contexts_are_kept_apart() -> None:
    for name, options in (("hedge", UNIT), ("regret_matching", {})):
        kind = {"hedge": Hedge, "regret_matching": RegretMatching}[name]
        learner = kind(num_actions=2, feedback=shown, observation_space=Discrete(2), **options)
        memory = learner.init(1, numbers(1, 0))
        for t in range(100):
            seen = np.array([t % 2])
            _, memory = learner.act(seen, memory, numbers(1, t + 1))
            over = np.zeros(1, np.bool_)
            memory = learner.update(
                Transition(seen, seen, np.zeros(1), np.eye(2)[seen], over, over), memory
            )
        assert memory.rounds.tolist() == [[50, 50]]
        found = probabilities(learner.freeze(memory, 0), np.arange(2), 2)
        assert np.allclose(found, np.eye(2), atol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_a_game_that_hides_payoffs_is_refused(name) -> None:
    with pytest.raises(ValueError, match=f"{name} learns from the payoffs of all its actions"):
        player(name, LogitPricing(num_prices=3, memory=0), 0)
    with pytest.raises(ValueError, match=f"options .* of {name} are not allowed"):
        player(name, Prisoners(), 0, nonsense=1)


@pytest.mark.parametrize("name", NAMES)
def test_names_play_a_game_of_private_signals(name) -> None:
    game = InformationGame(horizon=4)
    seats = [player(name, game, seat, contexts=True) for seat in range(2)]
    log_, _ = rollout(game, seats, num_copies=2, num_steps=12, seed=3)
    assert np.isfinite(log_.rewards).all()


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Hedge, {"num_actions": 0, **UNIT}, "num_actions must be at least 1, got 0"),
        (Hedge, {"low": 1.0, "high": 0.0}, "low <= high, got 1.0 and 0.0"),
        (Hedge, {**UNIT, "rate": 0.0}, "rate must be positive and finite, got 0.0"),
        (Hedge, {**UNIT, "horizon": 0}, "horizon must be at least 1, got 0"),
        (Hedge, {**UNIT, "rate": 1.0, "doubling": True}, "at most one of rate, horizon"),
        (Hedge, {**UNIT, "feedback": 3}, "feedback must be callable on a Transition, got 3"),
        (OptimisticHedge, {**UNIT, "rate": -1.0}, "rate must be positive and finite, got -1.0"),
        (BlumMansour, {**UNIT, "horizon": 0}, "horizon must be at least 1, got 0"),
    ],
)
def test_what_learners_refuse(kind, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**{"num_actions": 2, "feedback": shown, **options})


@pytest.mark.parametrize("kind", [Hedge, OptimisticHedge, BlumMansour])
def test_a_payoff_outside_the_range_is_refused(kind) -> None:
    learner = kind(num_actions=2, feedback=shown, **UNIT)
    with pytest.raises(ValueError, match=r"payoffs must be from low=0\.0 to high=1\.0"):
        play(learner, lambda t, p: [[0.5, 1.5]], 1)
