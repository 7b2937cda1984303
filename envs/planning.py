"""Exact values of finite games: policy evaluation and best response by dynamic programming."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Bools, Floats, Game, Ints
from .spaces import size
from .tabular import Table, num_states, outcomes, own_index, spread, tabulate

_CHUNK = 2**21  # state-action pairs handled at once


class Response(NamedTuple):
    """What one agent gains from its best response, and how it was found.

    Attributes:
        payoffs: of every agent from the start of an episode, (N,).
        strategy: (V, n) probabilities by the index of the responder's own observation; None
            where the best response needs the whole history. Rows never met are uniform.
        nodes: number of observations or beliefs that the dynamic program ran over.
        method: "observations" or "beliefs".
    """

    payoffs: Floats
    strategy: Floats | None
    nodes: int
    method: str


class _Model(NamedTuple):
    """One agent's decision problem when the others' strategies are fixed."""

    chain: Any  # sparse (S n, S): probability that the game goes on in a state
    rewards: Floats  # (N, S, n)


def _model(table: Table, profile: Sequence[Floats | None], counts: Sequence[int]) -> _Model:
    """Return the problem of the agent whose entry of `profile` is None, or, without one, n = 1."""
    from scipy.sparse import csr_array

    seat = next((i for i, own in enumerate(profile) if own is None), None)
    n = 1 if seat is None else counts[seat]
    total, num_joint = num_states(table), table.actions.shape[1]
    own_of = np.zeros(num_joint, np.int64) if seat is None else table.actions[seat]
    rewards = np.zeros((len(profile), total * n))
    parts: list[tuple[Ints, Ints, Floats]] = []
    chunk = max(_CHUNK // num_joint, 1)
    for begin in range(0, total, chunk):
        block = slice(begin, min(begin + chunk, total))
        weight = np.ones((block.stop - begin, num_joint))
        for own, rows in zip(table.actions, profile, strict=True):
            if rows is not None:
                weight *= rows[block][:, own]
        s, a = weight.nonzero()
        w, s = weight[s, a], s + begin
        found = outcomes(table, s, a)
        row = s * n + own_of[a]
        expected = np.einsum("jk,ijk->ij", found.probs, found.rewards)
        for i in range(len(profile)):
            rewards[i] += np.bincount(row, w * expected[i], minlength=total * n)
        goes_on = (w[:, None] * found.probs * ~found.terminated).ravel()
        on = goes_on.nonzero()[0]
        columns = found.successors.ravel()[on]
        parts.append((row.repeat(found.probs.shape[-1])[on], columns, goes_on[on]))
    rows_, columns_, values = (np.concatenate(p) for p in zip(*parts, strict=True))
    chain = csr_array((values, (rows_, columns_)), shape=(total * n, total))
    return _Model(chain, rewards.reshape(len(profile), total, n))


def _check_discount(discount: float) -> None:
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount}")


def _refuse_endless(chain: Any, usable: Bools, game: Game[Any]) -> None:
    """Raise if some way of playing never ends; `chain` is (M n, M), `usable` (M, n)."""
    alive = np.ones(len(usable), np.bool_)
    while True:
        stays = (chain @ alive.astype(np.float64)).reshape(usable.shape) > 1 - 1e-12
        new = alive & (stays & usable).any(axis=1)
        if not new.any():
            return
        if (new == alive).all():
            raise ValueError(
                f"{type(game).__name__} can go on for ever, so its undiscounted sum is "
                "unbounded: give discount= below 1, or a continuation below 1"
            )
        alive = new


def _solve(chain: Any, rewards: Floats, discount: float) -> Floats:
    """Return values (M,) or (M, j) of a chain (M, M) with rewards of the same shape."""
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    system = (eye_array(chain.shape[0]) - discount * chain).tocsc()
    return np.asarray(splu(system).solve(rewards))


def evaluate(game: Game[Any], strategies: Sequence[Floats], *, discount: float = 1.0) -> Floats:
    """Return the value of every state of the game's table to every agent, shape (N, S).

    Args:
        game: a game that can be tabulated.
        strategies: per agent (V, n) action probabilities by own observation, or one row.
        discount: weight of the next period, in [0, 1]; 1 sums until the game ends.

    Raises:
        ValueError: If a strategy is malformed, or the sum would be unbounded.
    """
    _check_discount(discount)
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    model = _model(table, spread(game, table, strategies), counts)
    if discount == 1:
        live = _reachable(model.chain, table, 1)
        usable = live[:, None]
        _refuse_endless(model.chain, usable, game)
    return np.ascontiguousarray(
        _solve(model.chain, np.ascontiguousarray(model.rewards[..., 0].T), discount).T
    )


def payoffs(game: Game[Any], strategies: Sequence[Floats], *, discount: float = 1.0) -> Floats:
    """Return each agent's expected (discounted) sum of rewards from the start, (N,)."""
    table = tabulate(game)
    values = evaluate(game, strategies, discount=discount)
    return np.asarray(values[:, table.initial] @ table.initial_chance)


def expected_periods(game: Game[Any], strategies: Sequence[Floats]) -> float:
    """Return the expected number of periods of an episode under fixed strategies.

    Raises:
        ValueError: If a strategy is malformed, or the game need not end.
    """
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    model = _model(table, spread(game, table, strategies), counts)
    _refuse_endless(model.chain, _reachable(model.chain, table, 1)[:, None], game)
    length = _solve(model.chain, np.ones(num_states(table)), 1.0)
    return float(length[table.initial] @ table.initial_chance)


def _reachable(chain: Any, table: Table, n: int) -> Bools:
    """Return the states that can be met in a game that goes on, (S,)."""
    live = np.zeros(chain.shape[1], np.bool_)
    live[table.initial[table.initial_chance > 0]] = True
    follows = chain.astype(bool).astype(np.float64)
    while True:
        reached = follows.T @ live.repeat(n).astype(np.float64) > 0
        if not (reached & ~live).any():
            return live
        live |= reached


def best_response(
    game: Game[Any],
    seat: int,
    strategies: Sequence[Floats | None],
    *,
    discount: float = 1.0,
    max_beliefs: int = 20_000,
) -> Response:
    """Return one agent's best response to fixed strategies of the others.

    The responder conditions on its own observations and actions, never on hidden state.
    Where its observation settles everything that matters (the state, or classes of states
    with equal rewards and equal chances of what it sees next), this is policy iteration
    over observations (R. Howard, 1960, *Dynamic programming and Markov processes*). Else it
    runs over the beliefs that its history can lead to (K. Astrom, 1965, *Optimal control of
    Markov processes with incomplete state information*, JMAA 10). Rewards are not taken for
    observations: a game in which a payoff informs its owner shows it in the observation.

    Args:
        game: a game that can be tabulated.
        seat: index of the responder; its entry of `strategies` is ignored.
        strategies: per agent (V, n) or (1, n) probabilities by its own observation.
        discount: weight of the next period, in [0, 1].
        max_beliefs: most beliefs to enumerate.

    Raises:
        ValueError: If the sum would be unbounded, or there are more than `max_beliefs`.
    """
    _check_discount(discount)
    table = tabulate(game)
    counts = [size(space) for space in game.action_spaces]
    n, total = counts[seat], num_states(table)
    given = [np.full((1, k), 1 / k) if i == seat else strategies[i] for i, k in enumerate(counts)]
    profile: list[Floats | None] = list(spread(game, table, given))  # type: ignore[arg-type]
    profile[seat] = None
    model = _model(table, profile, counts)
    usable = np.ones((total, n), np.bool_) if table.legal is None else table.legal[seat]
    live = _reachable(_only(model.chain, usable), table, n)
    views = own_index(game, table, seat)
    nodes = _by_observation(model, seat, views, live, usable)
    if nodes is not None:
        labels, chain, rewards, allowed = nodes
        if discount == 1:
            _refuse_endless(chain, allowed, game)
        choice = _policy_iteration(chain, rewards, allowed, discount)
        strategy = np.full((size(game.observation_spaces[seat]), n), 1 / n)
        strategy[labels] = np.eye(n)[choice]
        full = [strategy if i == seat else given[i] for i in range(len(counts))]
        reached = payoffs(game, full, discount=discount)  # type: ignore[arg-type]
        return Response(reached, strategy, len(labels), "observations")
    chain, every, allowed, start = _beliefs(model, table, views, usable, max_beliefs)
    if discount == 1:
        _refuse_endless(chain, allowed, game)
    choice = _policy_iteration(chain, every[seat], allowed, discount)
    rows = np.arange(len(allowed))
    paid = np.ascontiguousarray(every[:, rows, choice].T)
    values = _solve(chain[rows * n + choice], paid, discount)
    return Response(np.asarray(start @ values), None, len(allowed), "beliefs")


def _only(chain: Any, usable: Bools) -> Any:
    """Return the chain without the rows of illegal actions."""
    from scipy.sparse import diags_array

    return (diags_array(usable.ravel().astype(np.float64)) @ chain).tocsr()


def _by_observation(
    model: _Model, seat: int, views: Ints, live: Bools, usable: Bools
) -> tuple[Ints, Any, Floats, Bools] | None:
    """Return the problem over observations if they settle it, else None.

    Returns:
        the indices of the observations met (M,), the chain (M n, M), rewards (M, n) and the
        legal actions (M, n).
    """
    from scipy.sparse import csr_array

    n = model.rewards.shape[2]
    states = live.nonzero()[0]
    labels, first, group = np.unique(views[states], return_index=True, return_inverse=True)
    member = np.zeros(len(live), np.int64)
    member[states] = group
    rows = (states[:, None] * n + np.arange(n)).ravel()
    columns = csr_array((np.ones(len(states)), (states, group)), shape=(len(live), len(labels)))
    seen = (model.chain[rows] @ columns).tocsr()  # (live n, M)
    rewards, allowed = model.rewards[seat][states], usable[states]
    head = first[group]  # one member of each state's class stands for it
    if len(labels) < len(states):
        same = abs(seen - seen[(head[:, None] * n + np.arange(n)).ravel()])
        if (
            (allowed != allowed[head]).any()
            or np.abs((rewards - rewards[head]) * allowed).max() > 1e-12
            or (same.max() if same.nnz else 0.0) > 1e-12
        ):
            return None
    pick = (first[:, None] * n + np.arange(n)).ravel()
    return labels, seen[pick], rewards[first], allowed[first]


def _policy_iteration(chain: Any, rewards: Floats, allowed: Bools, discount: float) -> Ints:
    """Return an optimal action per node, (M,), for a chain (M n, M) and rewards (M, n)."""
    num, n = rewards.shape
    rows = np.arange(num)
    choice = np.asarray(allowed.argmax(axis=1))
    while True:
        values = _solve(chain[rows * n + choice], rewards[rows, choice], discount)
        q = rewards + discount * (chain @ values).reshape(num, n)
        q[~allowed] = -np.inf
        scale = max(1.0, float(np.abs(values).max()))
        better = q.max(axis=1) > q[rows, choice] + 1e-12 * scale
        if not better.any():
            return choice
        choice = np.where(better, q.argmax(axis=1), choice)


def _beliefs(
    model: _Model, table: Table, views: Ints, usable: Bools, max_beliefs: int
) -> tuple[Any, Floats, Bools, Floats]:
    """Enumerate the beliefs that a history can lead to.

    Returns:
        chain (M n, M), rewards (N, M, n), legal actions (M, n) and the chance of each first
        belief (M,).
    """
    from scipy.sparse import csr_array

    n = model.rewards.shape[2]
    index: dict[tuple[tuple[int, float], ...], int] = {}
    beliefs: list[tuple[Ints, Floats]] = []

    def nodes(states: Ints, mass: Floats) -> list[tuple[int, float]]:
        """Split a mass over states by what is seen; return nodes with their chances."""
        found = []
        for view in np.unique(views[states]):
            at = views[states] == view
            chance = float(mass[at].sum())
            weights = (mass[at] / chance).round(12).tolist()
            key = tuple(zip(states[at].tolist(), weights, strict=True))
            if key not in index:
                if len(index) >= max_beliefs:
                    raise ValueError(
                        f"the responder's history leads to more than {max_beliefs=} beliefs; "
                        "raise it, shorten the game, or give rivals that reveal less"
                    )
                index[key] = len(beliefs)
                beliefs.append((states[at], mass[at] / chance))
            found.append((index[key], chance))
        return found

    mass: Floats = np.zeros(len(views))
    np.add.at(mass, table.initial, table.initial_chance)
    start = nodes(mass.nonzero()[0], mass[mass > 0])
    entries: list[tuple[int, int, float]] = []
    rewards, allowed = [], []
    done = 0
    while done < len(beliefs):
        states, weights = beliefs[done]
        rewards.append(np.einsum("s,isa->ia", weights, model.rewards[:, states]))
        allowed.append(usable[states[0]])
        for a in allowed[-1].nonzero()[0]:
            following = np.asarray(weights @ model.chain[states * n + a].toarray()).ravel()
            reached = following.nonzero()[0]
            if reached.size:
                row = done * n + int(a)
                entries += [(row, j, p) for j, p in nodes(reached, following[reached])]
        done += 1
    size_ = len(beliefs)
    rows, columns, values = (
        (np.array(c) for c in zip(*entries, strict=True))
        if entries
        else (
            np.zeros(0, int),
            np.zeros(0, int),
            np.zeros(0),
        )
    )
    chain = csr_array((values, (rows, columns)), shape=(size_ * n, size_))
    first = np.zeros(size_)
    for j, p in start:
        first[j] = p
    return chain, np.stack(rewards, axis=1), np.stack(allowed), first
