"""Best responses with hidden state and memory, and the two ways to evaluate them."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import splu
from test_induced import machine
from toys import Guess, Prisoners, Wander

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.beliefs import TooManyBeliefsError, enumerate_beliefs, follow
from stratagem.envs.core import Game
from stratagem.envs.decisions import (
    distinct,
    legal_actions,
    policy_iteration,
    problem,
    solve,
    starting_mass,
    visits,
)
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.induced import induce
from stratagem.envs.responses import Plan, respond
from stratagem.envs.tabular import own_index, tabulate
from stratagem.players import player


def response(game: Game[Any], policies: Any, seat: int, discount: float, **kwargs: Any) -> Plan:
    table = induce(game, tabulate(game), policies)
    counts = [int(space.n) for space in game.action_spaces]  # type: ignore[attr-defined]
    return respond(
        game,
        table,
        problem(table, table.plays, counts),
        seat,
        distinct(table.observations[seat]),
        legal_actions(table, seat, counts[seat]),
        discount=discount,
        **{"max_beliefs": 10_000, **kwargs},
    )


def test_a_hidden_coin_is_worth_the_same_by_beliefs_and_by_what_lies_hidden() -> None:
    """Values: Bayes' rule over beliefs. Visits: the table's own chances, with the coin in them."""
    found = response(Guess(), [None], 0, 1.0)
    assert found.method == "beliefs"
    assert found.value == pytest.approx(0.66, abs=1e-12)
    assert found.payoffs[0] == pytest.approx(0.66, abs=1e-12)
    assert abs(found.improvement) < 1e-12


def test_a_plan_that_is_not_best_is_worth_less_in_both_evaluations() -> None:
    """To guess by the first hint pays .6, whatever the beliefs say of it."""
    game = Guess()
    table = tabulate(game)
    model, views = problem(table, [None], [3]), own_index(game, table, 0)
    beliefs = enumerate_beliefs(model, table, views, legal_actions(table, 0, 3), 1000)
    by_hint = beliefs.views // 4
    chain, states, at, first = follow(beliefs, by_hint, model, starting_mass(table), views)
    assert model.rewards[0, states, by_hint[at]] @ visits(chain, first, 1.0) == pytest.approx(0.6)
    rows = np.arange(len(by_hint))
    values = solve(beliefs.chain[rows * 3 + by_hint], beliefs.rewards[0, rows, by_hint], 1.0)
    assert beliefs.start @ values == pytest.approx(0.6)


@pytest.mark.parametrize("seed", range(6))
def test_a_history_that_tells_the_memories_of_others_leads_to_the_same_by_either_way(
    seed: int,
) -> None:
    """In a repeated game with actions shown, what an automaton remembers follows from the play."""
    game = MatrixGame(payoffs="prisoners_dilemma", continuation=0.9)
    other = machine(seed, 3, 9)

    class Indexed:
        init = staticmethod(other.init)

        @staticmethod
        def act(observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return other.act(observation @ [3, 1], memory, rng, mask)

    tracked = response(game, [None, Indexed()], 0, 1.0)
    believed = response(game, [None, Indexed()], 0, 1.0, track=False)
    assert tracked.method == "states"
    assert believed.method == "beliefs"
    assert tracked.value == pytest.approx(believed.value, abs=1e-9)
    for plan in (tracked, believed):
        assert plan.payoffs[0] == pytest.approx(plan.value, abs=1e-9)


class Moment(NamedTuple):
    at: Any
    step: Any


class Short(Wander):
    """Wander for four periods at most."""

    def initial(self, outcome: Any) -> Any:
        return Moment(outcome, np.zeros_like(outcome))

    def step(self, state: Any, actions: Any, outcome: Any) -> Any:
        found = super().step(state, actions, outcome)
        after = Moment(found.state.at, np.minimum(state.step + 1, 4))
        return found._replace(state=after, terminated=found.terminated | (after.step == 4))


@pytest.mark.parametrize("seed", range(6))
def test_one_who_sees_nothing_does_as_well_as_the_best_list_of_actions(seed: int) -> None:
    """Against an automaton that sees the place, all 2^4 lists are worth what is summed here."""
    game, other = Short(draw_from=seed, blind=True), machine(seed)
    probs, successors, rewards = game.tables
    worth = {}
    for actions in product(range(2), repeat=4):
        mass = {(s, 0): float(p) for s, p in enumerate(game.initial_chance)}
        total = 0.0
        for b in actions:
            after: dict[tuple[int, int], float] = {}
            for (s, m), p in mass.items():
                a = int(other.actions[m, s])
                total += p * rewards[1, s, a, b]
                for outcome in range(2):
                    to = int(successors[s, a, b, outcome]), int(other.moves[m, s])
                    after[to] = after.get(to, 0.0) + p * float(probs[s, a, b, outcome])
            mass = after
        worth[actions] = total
    best = response(game, [other, None], 1, 1.0)
    assert best.method == "beliefs"
    assert best.value == pytest.approx(max(worth.values()), abs=1e-12)
    assert best.payoffs[1] == pytest.approx(best.value, abs=1e-12)
    assert max(worth.values()) > min(worth.values())


def test_beliefs_without_end_are_refused() -> None:
    game = Wander(draw_from=0, blind=True)
    with pytest.raises(TooManyBeliefsError, match="max_beliefs=40"):
        response(game, [machine(0), None], 1, 0.9, max_beliefs=40)


@pytest.mark.parametrize("discount", [0.9, 0.999])
def test_values_by_iteration_are_those_of_a_factorisation(discount: float) -> None:
    """Chains of 1500 nodes, each with 12 successors, and one that never mixes: a long ring."""
    size = 1500
    rng = np.random.default_rng(0)
    columns = rng.integers(size, size=(size, 12))
    chances = rng.dirichlet(np.ones(12), size=size)
    rows = np.repeat(np.arange(size), 12)
    mixing = csr_array((chances.ravel(), (rows, columns.ravel())), shape=(size, size))
    ring = csr_array(
        (
            np.full(2 * size, 0.5),
            (np.repeat(np.arange(size), 2), (rows[::6] + [1, 2] * size) % size),
        ),
        shape=(size, size),
    )
    paid = rng.normal(size=(size, 2))
    for chain in (mixing, ring, mixing.T):
        system = csr_array(np.eye(size) - discount * chain.toarray())
        want = splu(system.tocsc()).solve(paid)
        found = solve(chain, paid, discount)
        assert np.abs(found - want).max() < 1e-11 * np.abs(want).max()


@pytest.mark.parametrize("seed", range(5))
def test_policy_iteration_ends_where_no_pure_policy_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chances, paid = rng.dirichlet(np.ones(4), size=(4, 3)), rng.normal(size=(4, 3))
    allowed = rng.random((4, 3)) < 0.8
    allowed[:, 0] = True
    chain = csr_array(chances.reshape(12, 4))
    choice = policy_iteration(chain, paid, allowed, 0.9)
    rows = np.arange(4)
    assert allowed[rows, choice].all()

    def worth(pure: Any) -> Any:
        return np.linalg.solve(np.eye(4) - 0.9 * chances[rows, pure], paid[rows, pure])

    best = worth(choice)
    for pure in product(range(3), repeat=4):
        if allowed[rows, pure].all():
            assert (worth(list(pure)) <= best + 1e-9).all()


def test_the_response_to_tit_for_tat_changes_at_the_critical_discount() -> None:
    """Payoffs 4, 3, 2, 1: cooperating is 3 / (1 - d), taking turns (4 + d) / (1 - d^2)."""
    game = MatrixGame(payoffs="prisoners_dilemma", continuation=1.0)
    other = player("tit_for_tat", game, 1)
    for discount in (0.3, 0.49, 0.51, 0.9):
        d = discount
        want = max(3 / (1 - d), (4 + d) / (1 - d * d), 4 + 2 * d / (1 - d))
        assert response(game, [None, other], 0, d).value == pytest.approx(want)


def test_an_undiscounted_sum_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="for ever"):
        response(Prisoners(continuation=1.0), [None, fixed(0)], 0, 1.0)
