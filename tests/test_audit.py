"""Audits: by hand, by brute force, bracket against exact, and what is refused."""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from test_induced import Cycle, machine
from toys import Drift, Guess, Prisoners, Turns, Wander

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.agents.scripted.random_play import Random
from stratagem.cli.main import main
from stratagem.envs.core import Game, Reactive, choose
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.games.stackelberg.matrix_presets import PRESETS
from stratagem.envs.spaces import every_observation, size, to_index
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.audit import AUDIT_COLUMNS, Audit, audit, audit_all, audit_columns
from stratagem.evaluation.audit.case import make_case
from stratagem.evaluation.audit.tried import own_roots, sample, untaught
from stratagem.evaluation.storage import read_table
from stratagem.evaluation.trainers import fit
from stratagem.players import player

R, T, P, S = 3, 4, 2, 1  # of the preset: cooperation, temptation, punishment, sucker


def dilemma(name: str, **params: Any) -> tuple[Any, Any]:
    game = MatrixGame(payoffs="prisoners_dilemma", **params)
    return [player(name, game, seat) for seat in range(2)], game


@dataclass(frozen=True)
class Shy:
    """Mixes as a rule says, but does not tell the rule."""

    probs: Any

    def init(self, num_copies: int, rng: Any) -> Any:
        return ()

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return choose(np.asarray(self.probs), rng), memory


@pytest.mark.parametrize("c", [0.1, 0.4, 0.49, 0.51, 0.6, 0.9])
@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("name", ["tit_for_tat", "grim"])
def test_patience_above_one_half_makes_a_dilemma_safe_and_below_it_pays_to_defect(
    name: str, c: float, endless: bool
) -> None:
    """Against both, R / (1 - c) is best from c = (T - R) / (T - P) = 1 / 2 on; below, never."""
    policies, game = dilemma(name, continuation=1.0 if endless else c)
    found = audit(policies, game, 0, discount=c if endless else None)
    taking_turns = (T + c * S) / (1 - c * c) if name == "tit_for_tat" else -np.inf
    best = max(R / (1 - c), T + c * P / (1 - c), taking_turns)
    assert found.value == pytest.approx(R / (1 - c))
    assert found.best_low == found.best_high == pytest.approx(best)
    assert found.gain_low == found.gain_high == pytest.approx(best - R / (1 - c), abs=1e-12)
    assert (found.gain_low > 1e-6) == (c < 0.5)
    assert found.exact
    assert found.certificate is not None
    assert found.certificate.max_regret <= found.certificate.tolerance
    assert (found.unit, found.discount) == (("discounted", c) if endless else ("per_episode", 1))


def test_the_default_discount_is_one_where_the_game_ends_else_95() -> None:
    for params, unit, discount in (
        ({"continuation": 0.9}, "per_episode", 1.0),
        ({"continuation": 1.0, "horizon": 4}, "per_episode", 1.0),
        ({"continuation": 1.0}, "discounted", 0.95),
    ):
        found = audit(*dilemma("tit_for_tat", **params), "player_1")
        assert (found.unit, found.discount, found.agent) == (unit, discount, "player_1")


def test_a_known_end_is_used_by_the_deviation_and_by_the_single_one() -> None:
    """Defecting in the last of four rounds gains T - R; that is one deviation alone."""
    found = audit(*dilemma("tit_for_tat", horizon=4), 0)
    assert found.value == 4 * R
    assert found.gain_low == found.one_shot_gain == T - R


@pytest.mark.parametrize("c", [0.2, 0.3, 0.7])
def test_a_single_deviation_from_grim_or_tit_for_tat_is_what_is_worked_out_by_hand(
    c: float,
) -> None:
    """From tit for tat: T, S, T, S, ... as both answer in turn. From grim: T, S, then P."""
    turns = (T + c * S) / (1 - c * c)
    grim = T + c * S + c * c * P / (1 - c)
    for name, once in (("tit_for_tat", turns), ("grim", grim)):
        found = audit(*dilemma(name, continuation=c), 0)
        assert found.one_shot_gain == pytest.approx(max(once - R / (1 - c), 0), abs=1e-12)
        assert found.one_shot_gain <= found.gain_low + 1e-12


def mixed(game: Game[Any], seat: int, rng: Any) -> Any:
    n = game.action_spaces[seat].n  # type: ignore[attr-defined]
    space = game.observation_spaces[seat]
    return follow(rng.dirichlet(np.ones(n), size=size(space)), space)


@dataclass(frozen=True)
class Automaton:
    """A machine that reads the index of what it sees."""

    machine: Any
    space: Any

    def init(self, num_copies: int, rng: Any) -> Any:
        return self.machine.init(num_copies, rng)

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return self.machine.act(to_index(self.space, observation), memory, rng, mask)


def automaton(game: Game[Any], seat: int, seed: int, states: int = 2) -> Automaton:
    space = game.observation_spaces[seat]
    n = game.action_spaces[seat].n  # type: ignore[attr-defined]
    return Automaton(machine(seed, states, size(space), n), space)


def systems(game: Prisoners, own: Any, other: Any) -> tuple[Any, Any]:
    """Return chains (..., 4, 4) and own payoffs (..., 4) of pure rows (..., 4) and mixed (4, 2).

    States are (own last, other's last), numbered 2 * own + other; the other sees them turned.
    """
    paid = np.array([[3.0, 0.0], [5.0, 1.0]])
    turned = other[[0, 2, 1, 3]]
    chain = np.zeros((*own.shape, 4))
    for b in range(2):
        np.put_along_axis(
            chain, (2 * own + b)[..., None], np.broadcast_to(turned[:, b], own.shape)[..., None], -1
        )
    return chain, (paid[own] * turned).sum(axis=-1)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_deviation_is_the_best_of_all_memory_one_responses(seed: int) -> None:
    """All 2^4 of them, by linear systems written apart from the table; values at mutual C."""
    game, rng = Prisoners(continuation=0.8), np.random.default_rng(seed)
    other = rng.dirichlet(np.ones(2), size=4)
    own = np.array(list(product(range(2), repeat=4)))
    chain, paid = systems(game, own, other)
    values = np.linalg.solve(np.eye(4) - 0.8 * chain, paid[..., None])[:, 0, 0]
    pick = int(rng.integers(len(own)))
    pair = [follow(np.eye(2)[own[pick]], game.observation_spaces[0]), mixed_as(game, other)]
    found = audit(pair, game, 0)
    assert found.best_low == pytest.approx(values.max(), abs=1e-9)
    assert found.value == pytest.approx(values[pick], abs=1e-9)
    assert found.strategy is not None
    reply = found.strategy.argmax(axis=1)
    again = values[int(np.flatnonzero((own == reply).all(axis=1))[0])]
    assert again == pytest.approx(values.max(), abs=1e-9)


def mixed_as(game: Game[Any], rows: Any) -> Any:
    return follow(rows, game.observation_spaces[1])


@pytest.mark.parametrize("seed", range(4))
def test_the_best_single_deviation_is_the_best_of_all_plans_to_deviate_once(seed: int) -> None:
    """All 3^4 plans of where to deviate and to what, in systems that know whether one did."""
    game, rng = Prisoners(continuation=0.8), np.random.default_rng(100 + seed)
    other, policy = rng.dirichlet(np.ones(2), size=4), rng.integers(2, size=4)
    chain, paid = systems(game, policy, other)
    after = np.linalg.solve(np.eye(4) - 0.8 * chain, paid)
    each = [systems(game, np.full(4, a), other) for a in range(2)]
    once = np.stack([p + 0.8 * c @ after for c, p in each], axis=1)  # (4, 2)
    best = -np.inf
    for plan in product(range(3), repeat=4):
        waits = np.array(plan) == 2
        rows = np.where(waits[:, None], chain, 0.0)
        ends = np.where(waits, paid, once[np.arange(4), np.minimum(plan, 1)])
        best = max(best, float(np.linalg.solve(np.eye(4) - 0.8 * rows, ends)[0]))
    pair = [follow(np.eye(2)[policy], game.observation_spaces[0]), mixed_as(game, other)]
    found = audit(pair, game, 0)
    assert found.one_shot_gain == pytest.approx(best - after[0], abs=1e-9)
    assert -1e-12 <= found.one_shot_gain <= found.gain_low + 1e-9


def random_case(seed: int) -> tuple[list[Any], Game[Any]]:
    """A random two-player matrix game with memory one; automata or mixed policies play."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 4, size=2).tolist())
    payoffs = tuple(map(tuple, rng.normal(size=(2, *shape)).tolist()))
    game = MatrixGame(payoffs=payoffs, continuation=float(rng.choice([0.5, 0.8])))
    build = [mixed, lambda game, seat, rng: automaton(game, seat, int(rng.integers(1000)))]
    return [build[int(rng.integers(2))](game, seat, rng) for seat in range(2)], game


def quick(policies: Any, game: Game[Any], seat: int = 0, **kwargs: Any) -> Audit:
    options: dict[str, Any] = {"responders": (), "seeds": 50, **kwargs}
    return audit(policies, game, seat, **options)


def test_a_bracket_holds_the_exact_value_in_random_games_with_memory() -> None:
    """The upper end always; the lower ends, of best deviation and gain, in all but a few games.

    They are lower ends of 95% intervals, so one in forty may be wrong; that more than five of the
    sixty are has a chance of .004.
    """
    below = 0
    for seed in range(30):
        policies, game = random_case(seed)
        exact, bracket = audit(policies, game, 0), quick(policies, game, exact=False, seed=seed)
        assert exact.exact
        assert not bracket.exact
        assert bracket.best_high >= exact.best_high - 1e-9
        assert bracket.gain_low >= 0
        assert bracket.gain_high >= bracket.gain_low
        below += bracket.best_low > exact.best_low + 1e-9
        below += bracket.gain_low > exact.gain_low + 1e-9
    assert below <= 5


@pytest.mark.parametrize(
    ("game", "policies"),
    [
        (Guess(), [fixed(2)]),
        (Turns(), [fixed(2), Reactive(lambda seen: np.maximum(seen[:, 0] - 1, 0))]),
        (Wander(draw_from=1), [machine(1), machine(2)]),
        (Wander(draw_from=1), [machine(1), Random(2)]),
    ],
)
def test_a_bracket_holds_the_exact_value_with_turns_masks_and_hidden_state(
    game: Game[Any], policies: Any
) -> None:
    for seat in range(len(game.agents)):
        exact, bracket = audit(policies, game, seat), quick(policies, game, seat, exact=False)
        assert bracket.best_low <= exact.best_low + 1e-9
        assert bracket.best_high >= exact.best_high - 1e-9
        assert bracket.gain_low <= exact.gain_low + 1e-9 <= bracket.gain_high + 2e-9
        assert bracket.value_low - 1e-9 <= exact.value <= bracket.value_high + 1e-9


def test_a_hidden_coin_is_audited_by_what_can_be_known_of_it() -> None:
    """Exact: .66, as in the tests of planning. Seeing the coin is worth 1, the bracket's upper."""
    found = audit([fixed(2)], Guess(), 0)
    assert "beliefs" in found.method
    assert found.value == pytest.approx(-0.3)
    assert found.best_low == pytest.approx(0.66)
    assert found.strategy is None
    bracket = quick([fixed(2)], Guess(), max_beliefs=3)
    assert not bracket.exact
    assert "max_beliefs=3" in bracket.method
    assert bracket.best_high == pytest.approx(1.0)
    assert bracket.best_low == pytest.approx(0.0)  # a guess without a look
    assert (bracket.value, bracket.gain_low) == (pytest.approx(-0.3), pytest.approx(0.3))


def test_an_equilibrium_leaves_nothing_to_gain_and_another_profile_does() -> None:
    """All presets of two players; the negative control is each player's worst pure action."""
    tried = 0
    for name in PRESETS:
        game = MatrixGame(payoffs=name)
        if len(game.agents) > 2 or "nash_best" not in game.benchmarks():
            continue
        policies = [player("benchmark:nash_best", game, seat) for seat in range(2)]
        for found in audit_all(policies, game):
            assert found.exact
            assert found.gain_high < 1e-9, name
            assert found.one_shot_gain < 1e-9
        for seat, own in enumerate(game.tensor):
            other = game.benchmarks()["nash_best"].solution.profile[1 - seat]
            against = own @ other if seat == 0 else other @ own
            if against.max() - against.min() > 1e-6:
                worse = list(policies)
                worse[seat] = fixed(int(against.argmin()))
                gain = audit(worse, game, seat).gain_low
                assert gain == pytest.approx(20 * (against.max() - against.min()))
                tried += 1
    assert tried >= 10


def test_a_single_deviation_need_not_pay_where_a_lasting_one_does() -> None:
    """Coming back to grim wastes a period: 4 + .4 + .32 / .6 < 5 < 4 + .8 / .6 at c = .4."""
    found = audit(*dilemma("grim", continuation=0.4), 0)
    assert found.one_shot_gain == 0
    assert found.gain_low == pytest.approx(4 + 0.8 / 0.6 - 5)


def test_whoever_mixes_without_a_rule_is_simulated_and_its_rival_bounded_by_both() -> None:
    """Two Shy players at one half each. Exact: any row is worth the mean of a column's two."""
    game = MatrixGame(payoffs="prisoners_dilemma", continuation=0.5)
    shy, told = Shy((0.5, 0.5)), Reactive(lambda seen: np.full((len(seen), 2), 0.5))
    want = audit([told, told], game, 0)
    assert want.best_high == pytest.approx(2 * (T + P) / 2)
    own = audit([shy, told], game, 0)
    assert not own.exact
    assert own.best_low == own.best_high == pytest.approx(want.best_high)
    assert own.value_low < want.value < own.value_high
    assert own.gain_low < want.gain_low < own.gain_high
    assert "simulated" in own.method
    assert np.isnan(own.one_shot_gain)
    rival = audit([told, shy], game, 0, periods=500)
    assert rival.best_low <= want.best_low <= rival.best_high
    assert rival.best_high == pytest.approx(2 * T)  # player_1 would have to cooperate
    assert "together with player_1" in rival.method
    for seats in ([shy, told], [told, shy]):
        with pytest.raises(ValueError, match="no exact"):
            audit(seats, game, 0, exact=True)


def test_choosing_the_best_of_many_does_not_flatter_it() -> None:
    """Twenty-four actions worth nothing each: a coin's sign, against a rival nobody can read.

    Sixteen audits. The lower end for the best of all, on the episodes that chose it (the
    control), is above 0 with a chance of 1 - .975^24 = .46 each, less than three times with one
    of .01. On fresh episodes it is so once in forty; two such bounds are above 0 in more than
    three audits with a chance below .01.
    """
    rng = np.random.default_rng(0)
    signs = np.stack([rng.permutation(np.repeat([-1.0, 1.0], 8)) for _ in range(24)])
    game = MatrixGame(payoffs=(signs.tolist(), (-signs).tolist()), horizon=1)
    policies = [fixed(0), Shy(np.full(16, 1 / 16))]
    flattered = wrong = 0
    for seed in range(16):
        found = quick(policies, game, seeds=30, seed=seed)
        assert found.best_high == 1
        wrong += found.best_low > 0 or found.gain_low > 0
        case = make_case(policies, game, 0, None, 1000)
        roots = own_roots(case, "choose", seed, 30)
        tried = [sample(case, one, roots) for _, one in untaught(case)]
        flattered += max(tried, key=lambda own: float(own.returns.mean())).worth()[1] > 0
    assert flattered >= 3
    assert wrong <= 3


class Boxed(Prisoners):
    """The dilemma with observations that are vectors of any numbers, and no stage."""

    @property
    def observation_spaces(self) -> Any:
        return (Box(-1, 1, (2,), np.float32), Box(-1, 1, (2,), np.float32))

    def observe(self, state: Any) -> Any:
        return tuple((1 - 1.5 * seen).astype(np.float32) for seen in super().observe(state))

    def stage(self) -> None:
        return None


@pytest.mark.parametrize("c", [0.2, 0.8])
def test_observations_that_are_vectors_change_nothing(c: float) -> None:
    plain, boxed = Prisoners(continuation=c), Boxed(continuation=c)
    rows = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]])
    by_index = Reactive(lambda seen: rows[2 * seen[:, 0] + seen[:, 1]])
    by_vector = Reactive(lambda seen: rows[((1 - seen) / 1.5).round().astype(int) @ [2, 1]])
    for seat in range(2):
        want, found = (
            audit([one, one], game, seat) for one, game in ((by_index, plain), (by_vector, boxed))
        )
        assert found.exact
        assert found.nodes == 4
        assert found.strategy is None  # there is no index of what is seen
        for name in ("value", "best_low", "gain_low", "one_shot_gain"):
            assert getattr(found, name) == pytest.approx(getattr(want, name), abs=1e-12)
    bracket = audit([by_vector] * 2, Boxed(continuation=c), 0, exact=False, seeds=20)
    assert "of 3 tried" in bracket.method  # two constants and the policy: no table to learn in


def test_memories_of_both_sides_are_part_of_the_problem() -> None:
    """Against C D C D ... one defects for ever: 5 and 1 in turn; the policy C C D is worth less."""
    game = Prisoners(continuation=0.8)
    found = audit([Cycle((0, 0, 1)), Cycle((0, 1))], game, 0)
    assert found.best_low == pytest.approx((5 + 0.8) / (1 - 0.64))
    weights = 0.8 ** np.arange(6) / (1 - 0.8**6)
    assert found.value == pytest.approx(weights @ [3, 0, 5, 0, 3, 1])
    assert found.exact
    assert found.nodes == 5  # the first, and two of either phase: the rival's action follows


def test_grim_in_pricing_is_answered_by_who_remembers_what_it_did() -> None:
    """Three prices; held to value iteration over grim's mood and whether one was last kind."""
    game = LogitPricing(num_prices=3)
    conduct = game.conduct(1)
    assert conduct is not None
    policies = [fixed(0), player("grim", game, 1)]
    found = audit(policies, game, 0, discount=0.8)
    assert "states" in found.method
    stage = game.stage()
    assert stage is not None
    paid = stage.payoffs[0].reshape(3, 3)
    low, high = conduct.punish, conduct.cooperate
    values = np.zeros((2, 2))  # the mood before it sees the last period, whether that was kind
    kind = np.arange(3) >= game.conduct(0).cooperate  # type: ignore[union-attr]
    for _ in range(300):
        new = np.empty((2, 2))
        for angry, last in product(range(2), range(2)):
            mood = int(angry or not last)
            price = low if mood else high
            new[angry, last] = max(
                paid[own, price] + 0.8 * values[mood, int(kind[own])] for own in range(3)
            )
        values = new
    assert found.best_low == pytest.approx(values[0, 1], abs=1e-9)  # calm at first, whatever it saw


@dataclass(frozen=True)
class Still:
    """Pushes nothing in Drift."""

    def init(self, num_copies: int, rng: Any) -> Any:
        return ()

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return np.zeros((len(observation), 2), np.float32), memory


def test_a_game_without_a_table_is_bracketed_from_below_alone() -> None:
    """Pushing right is worth 1 + 2 + ... + 20 more than to stand still, whatever chance adds."""
    found = audit([Still(), Still()], Drift(), "mover_0", seeds=40)
    assert not found.exact
    assert found.best_high == found.gain_high == np.inf
    assert "always the highest" in found.method
    assert found.gain_low == pytest.approx(sum(range(1, 21)), rel=1e-6)  # the same chance for both
    assert found.nodes == 0
    with pytest.raises(ValueError, match="no exact best deviation: space must be finite"):
        audit([Still(), Still()], Drift(), 0, exact=True)


def test_what_is_too_much_work_is_bounded_by_the_largest_reward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repeated game pays at most T a period; elsewhere that needs a discount to be a bound."""
    policies, game = dilemma("tit_for_tat", continuation=0.5, opening="random")
    want = audit(policies, game, 0)
    walkers: list[Any] = [machine(1), machine(2)]
    wander = Wander(draw_from=1)
    largest = float(wander.tables[2][0].max())
    wanted = audit(walkers, wander, 0, discount=0.5)
    monkeypatch.setattr("stratagem.evaluation.audit.case.MAX_WORK", 1)
    found = quick(policies, game)
    assert not found.exact
    assert "outcomes of nodes and actions are above 1" in found.method
    assert found.best_high == pytest.approx(T / (1 - 0.5))
    assert found.best_low <= want.best_high <= found.best_high
    found = quick(walkers, wander, discount=0.5)
    assert found.best_high == pytest.approx(largest / (1 - 0.5))
    assert found.best_low <= wanted.best_high <= found.best_high
    assert quick(walkers, wander).best_high == np.inf


def test_a_rival_whose_memory_has_no_end_is_bounded_by_what_it_could_play() -> None:
    @dataclass(frozen=True)
    class Clock(Cycle):
        def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return memory[0] % 2, (memory[0] + 1,)

    game = Prisoners(continuation=0.5)
    found = quick([fixed(1), Clock((0,))], game, max_nodes=100)
    assert "more than 100 nodes" in found.method
    assert found.best_high == pytest.approx(5 / (1 - 0.5))
    true = (5 + 0.5) / (1 - 0.25)  # it cooperates in every other period; defecting is dominant
    assert found.value_low <= true <= found.value_high
    assert found.best_low <= true <= found.best_high
    assert found.gain_low == 0


def test_a_trained_responder_finds_what_no_constant_does() -> None:
    """To match one that plays what it did not play last is worth 10; a constant matches half."""
    shape = np.eye(2, 3)
    game = MatrixGame(payoffs=(shape.tolist(), shape.tolist()), continuation=0.9)

    @dataclass(frozen=True)
    class Contrary:
        """Plays what it did not play last; it tells no rule."""

        def init(self, num_copies: int, rng: Any) -> Any:
            rng.uniform()
            return ()

        def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return (observation[:, 0] == 1).astype(np.int64), memory

    policies = [fixed(0), Contrary()]
    without = audit(policies, game, 0, responders=())
    space = game.observation_spaces[0]
    turns = np.eye(2)[np.asarray(every_observation(space)[:, 1] == 1, np.int64)]
    found = audit(policies, game, 0, periods=3000)
    constant = 1 / (1 - 0.9**2)
    assert without.best_low < constant
    given = audit(policies, game, 0, responders=[follow(turns, space)])
    assert given.best_low > constant
    assert "Reactive" in given.method
    assert found.best_low > constant
    assert "q_learning" in found.method
    assert found.best_high == pytest.approx(10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seat": "player_2"}, r"seat must be one of player_0, player_1, or its index, got"),
        ({"seat": 2}, "seat must be one of"),
        ({"seat": -1}, "seat must be one of"),
        ({"policies": [fixed(0)]}, r"policies must be one per agent \(player_0, player_1\), got 1"),
        ({"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        ({"discount": -0.1}, r"discount must be in \[0, 1\], got -0.1"),
        ({"discount": float("nan")}, r"discount must be in"),
        ({"discount": 1.0}, "can go on for ever.*give discount="),
        ({"seeds": 1}, "seeds must be at least 2, got 1"),
        ({"periods": 0}, "periods must be at least 1, got 0"),
        ({"exact": False, "responders": ["q_lerning"]}, "did you mean 'q_learning'"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    game = Prisoners(continuation=1.0)
    kwargs = {"policies": [fixed(0), fixed(1)], "game": game, "seat": 0, **change}
    with pytest.raises(ValueError, match=message):
        audit(**kwargs)


def test_whoever_still_learns_is_refused() -> None:
    game = LogitPricing()
    with pytest.raises(ValueError, match="firm_1, QLearning, still learns; freeze it"):
        audit([fixed(0), player("q_learning", game, 1)], game, 0)


def test_an_episode_that_does_not_end_is_refused_where_no_table_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Open(Drift):
        def step(self, state: Any, actions: Any, outcome: Any) -> Any:
            found = super().step(state, actions, outcome)
            return found._replace(terminated=np.zeros_like(found.terminated))

    monkeypatch.setattr("stratagem.evaluation.audit.tried.MAX_PERIODS", 50)
    with pytest.raises(ValueError, match="Open did not end within 50 periods: give discount="):
        audit([Still(), Still()], Open(), 0, seeds=5)
    assert audit([Still(), Still()], Open(), 0, discount=0.5, seeds=5).unit == "discounted"


def test_columns_are_those_that_are_promised_one_row_per_audit() -> None:
    policies, game = dilemma("grim", continuation=0.4)
    found = audit_all(policies, game)
    columns = audit_columns(found, scenario="dilemma", version=1, game="g", lineup="a + b", run=3)
    assert list(columns) == list(AUDIT_COLUMNS)
    assert columns["seat"].tolist() == [0, 1]
    assert columns["run"].tolist() == [3, 3]
    assert columns["exact"].dtype == np.bool_
    assert columns["gain_low"].tolist() == [one.gain_low for one in found]
    with pytest.raises(ValueError, match="audits must be at least one"):
        audit_columns([], scenario="", version=0, game="", lineup="")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["audit", *arguments])
    return code, *capsys.readouterr()


def test_the_command_prints_a_line_per_seat_and_how(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "MatrixGame-v0", "--agents", "grim", "--param", "continuation=.25")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[3].split() == ["player_0", "grim", "4.0000", "4.6667", "0.6667", "0.4167", "exact"]
    assert lines[4].split()[1:] == lines[3].split()[1:]
    assert "per episode" in out
    assert "player_1: exact: best response by dynamic programming over 5 observations" in out


def test_learners_are_trained_frozen_audited_and_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    command = ("MatrixGame-v0", "--agents", "q_learning,tit_for_tat", "--seat", "player_0")
    more = ("--periods", "2000", "--json", "--out", str(tmp_path), "--discount", ".9")
    code, out, err = run(capsys, *command, *more)
    assert (code, err) == (0, "")
    facts = json.loads(out)
    (found,) = facts["audits"]
    assert found["exact"]
    assert (found["unit"], found["discount"], found["agent"]) == ("discounted", 0.9, "player_0")
    (table,) = (tmp_path / "audits").glob("*.parquet")
    columns = read_table(table)
    assert list(columns) == list(AUDIT_COLUMNS)
    assert columns["gain_low"].tolist() == [found["gain_low"]]
    assert (columns["scenario"][0], columns["version"][0]) == ("MatrixGame", 0)
    assert json.loads(table.with_suffix(".json").read_text(encoding="utf-8")) == facts
    again = run(capsys, *command, *more)[1]
    assert json.loads(again) == facts


def test_an_agent_of_the_users_own_is_audited_in_a_bracket(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = run(
        capsys,
        *("MatrixGame-v0", "--param", "continuation=.5", "--seat", "player_0"),
        *("--agents", "grim,test_audit:SHY", "--periods", "500", "--seeds", "20"),
    )
    assert (code, err) == (0, "")
    assert "bracket" in out.splitlines()[3]
    assert "together with player_1" in out


SHY = Shy((0.5, 0.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["MatrixGame-v0", "--seat", "me"],
            "unknown agent 'me'; the agents are player_0, player_1",
        ),
        (["MatrixGame-v0", "--agents", "q_learning"], "q_learning has to be trained"),
        (["MatrixGame-v0", "--discount", "2"], "discount must be in [0, 1], got 2.0"),
        (["MatrixGame-v0", "--seeds", "1"], "--seeds must be at least 2, got 1"),
        (["MatrixGame-v0", "--agents", "a,b,c"], "3 names for 2 agents"),
        (["LogitPricing-v0", "--discount", "1"], "can go on for ever"),
        (["MatrixGame-v0", "--out", "/dev/null"], "is not writable"),
    ],
)
def test_a_mistake_is_one_line_on_the_error_stream(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_a_pair_of_networks_is_audited_exactly_from_end_to_end() -> None:
    pytest.importorskip("stable_baselines3")
    game = LogitPricing(num_prices=5)
    trainers = [player("ppo", game, seat, num_envs=8) for seat in range(2)]
    training = fit(
        game,
        trainers,
        seeds=np.array([1], np.uint64),
        periods=2000,
        max_episode_steps=50,
    )
    policies = [own[0] for own in training.policies]
    tabled = [
        follow(strategy_of(policy, game, seat), game.observation_spaces[seat])
        for seat, policy in enumerate(policies)
    ]
    for found, want in zip(audit_all(policies, game), audit_all(tabled, game), strict=True):
        assert found.exact
        assert found.nodes == 25
        assert found.value == pytest.approx(want.value, abs=1e-12)
        assert found.gain_low == pytest.approx(want.gain_low, abs=1e-12)
    bracket = audit(policies, game, 0, exact=False, responders=("ppo",), periods=2000)
    assert "of 7 tried" in bracket.method  # five constants, the network and the policy itself
    exact = audit(policies, game, 0)
    assert bracket.best_low - 1e-6 <= exact.best_low <= bracket.best_high + 1e-6


@pytest.mark.slow
def test_a_network_that_sees_vectors_is_audited_as_its_answers_in_a_table_are() -> None:
    pytest.importorskip("stable_baselines3")
    game = Boxed(continuation=0.8)
    trainers = [player("ppo", game, seat, num_envs=4, deterministic=False) for seat in range(2)]
    training = fit(
        game, trainers, seeds=np.array([2], np.uint64), periods=600, max_episode_steps=None
    )
    policies = [own[0] for own in training.policies]
    plain = Prisoners(continuation=0.8)
    tabled = [
        follow(
            policy.rule((1 - 1.5 * every_observation(space)).astype(np.float32)),  # type: ignore[attr-defined]
            space,
        )
        for policy, space in zip(policies, plain.observation_spaces, strict=True)
    ]
    for found, want in zip(audit_all(policies, game), audit_all(tabled, plain), strict=True):
        assert found.exact
        assert found.value == pytest.approx(want.value, abs=1e-6)  # networks answer in float32
        assert found.gain_low == pytest.approx(want.gain_low, abs=1e-6)
