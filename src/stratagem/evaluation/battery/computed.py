"""The measures of one line-up by enumeration."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.envs.beliefs import TooManyBeliefsError
from stratagem.envs.core import Floats, Policy
from stratagem.envs.decisions import Problem, starting_mass
from stratagem.envs.induced import Induced, NotInducedError, induce
from stratagem.envs.spaces import to_index
from stratagem.envs.tabular import RepeatedTable, lawful, num_states, strategy_of, tabulate

from ..audit.case import make_case
from ..audit.exact import best_deviation, exact_audit, known, one_shot_gain, value
from .cycles import KINDS, kind_of, shortest
from .longrun import TINY, LongRun, NoTableError, fixed_play, long_run, opened
from .market import Market
from .measures import Found, profit_gains, wiped_gains
from .shocks import shock, wipe
from .turns import own_turn_views, payoffs_in_force


def table_of(market: Market, policies: Sequence[Policy], max_nodes: int) -> Induced:
    """Return the game's table with the policies in it.

    Raises:
        NoTableError: If there is none.
    """
    try:
        table = tabulate(market.game)
    except ValueError as error:
        raise NoTableError(str(error)) from None
    try:
        return induce(market.game, table, policies, max_nodes=max_nodes)
    except NotInducedError as error:
        raise NoTableError(str(error)) from None


def opening(table: Induced, state: int | None) -> Floats:
    """Return where play starts, (M,): in a state of the table, or as the game does.

    Raises:
        ValueError: If the game never starts there.
    """
    if state is None:
        return starting_mass(table)
    node = int(table.codes.searchsorted(state))
    if (
        not 0 <= state < num_states(table.table)
        or table.codes[min(node, len(table.codes) - 1)] != state
    ):
        raise ValueError(
            f"starts must be numbers of states in the game's table, below "
            f"{num_states(table.table)}, that some opening leads to, got {state}"
        )
    mass = np.zeros(len(table.codes))
    mass[node] = 1.0
    return mass


def mean_rewards(run: LongRun, start: Floats) -> Floats:
    """Return each seat's mean reward per period in the long run, (N,)."""
    return np.asarray(run.rewards @ run.settled(start))


def compute(
    market: Market, policies: Sequence[Policy], table: Induced, start: Floats, horizon: int
) -> Found:
    """Return the measures of one line-up, but those of audits from the openings and of strangers.

    Those of memory wipes are left out if a policy remembers by itself.

    Args:
        market: what is tested.
        policies: one per seat.
        table: the game's, with the policies in it.
        start: distribution over its nodes, (M,).
        horizon: periods shown after a forced action.
    """
    run = long_run(market, table)
    models = [opened(table, seat, run.counts) for seat in range(len(policies))]
    settled = run.settled(start)
    values = profit_gains(market, mean_rewards(run, start))
    values["surplus_loss"] = _surplus_loss(market, run, settled)
    level = [
        market.relative(settled @ own @ levels - market.competitive[seat], seat)
        for seat, (own, levels) in enumerate(zip(run.held, market.levels, strict=True))
    ]
    values["price_level"] = float(np.mean(level))
    found, path = _cycles(market, run, start, models)
    values |= found
    values["swap_regret"] = _swap(market, run, settled, models) / market.width
    values |= _settled_audits(market, policies, settled)
    cuts, rises = (
        tuple(
            shock(market, run, start, seat, model, rise=rise, horizon=horizon)
            for seat, model in enumerate(models)
        )
        for rise in (False, True)
    )
    if (blind := _blind(market, policies, table)) is not None:
        values |= _wiped(market, run, start, blind, values["profit_gain"])
    return Found(values, cuts, rises, path)


def _surplus_loss(market: Market, run: LongRun, settled: Floats) -> float:
    actions = run.table.actions
    loss = market.game.surplus_loss(actions)
    if loss is None:
        return np.nan
    total = 0.0
    for node in np.flatnonzero(settled > TINY).tolist():
        weight = np.ones(actions.shape[1])
        for own, held in zip(actions, run.held, strict=True):
            weight = weight * held[node, own]
        total += settled[node] * float(weight @ loss)
    return total


def _cycles(
    market: Market, run: LongRun, start: Floats, models: Sequence[Problem]
) -> tuple[dict[str, float], Floats]:
    """Return the shares of kinds of cycles with the share of falls, and the likeliest path."""
    share = start @ run.ends
    found = dict.fromkeys(KINDS, 0.0)
    falling, likeliest, path = [], -1.0, np.zeros((len(market.levels), 0))
    for k in np.flatnonzero(share > TINY).tolist():
        nodes = run.members[k]
        levels = [own[nodes] @ values for own, values in zip(run.held, market.levels, strict=True)]
        own_path = np.stack(levels)
        still = fixed_play(run.table, nodes) and not np.ptp(own_path, axis=1).any()
        if run.pure[k] or still:
            own_path = own_path[:, : shortest(own_path)]
            found[kind_of(own_path[:, :: market.round])] += float(share[k])
        else:
            found["mixed"] += float(share[k])
            own_path = (own_path @ run.stationary[k])[:, None]
        fell, changed = _falls(market, run, k, models)
        if changed > TINY and not still:
            falling.append((float(share[k]), fell / changed))
        if share[k] > likeliest + TINY:
            likeliest, path = float(share[k]), own_path
    weights = np.array(falling).reshape(-1, 2)
    total = float(weights[:, 0].sum())
    share_of_falls = float(weights.prod(axis=1).sum()) / total if total else np.nan
    return {f"cycle: {kind}": own for kind, own in found.items()} | {
        "falling_share": share_of_falls
    }, path


def _falls(market: Market, run: LongRun, k: int, models: Sequence[Problem]) -> tuple[float, float]:
    """Return how many levels fall and how many change per period in a class, exactly.

    A level is compared with the seat's next one; with turns, that of the seat that moves with the
    one that stands.
    """
    nodes, within = run.members[k], run.stationary[k]
    fell = changed = 0.0
    for seat, (levels, model) in enumerate(zip(market.levels, models, strict=True)):
        plays: Any = run.table.plays[seat]
        if market.turns:
            moving = run.moves[seat, nodes] * within
            other = 1 - seat
            against = levels[:, None] - market.levels[other]  # own less standing
            pairs = (moving[:, None] * plays[nodes]).T @ run.held[other][nodes]
        else:
            n = len(levels)
            rows = (nodes[:, None] * n + np.arange(n)).ravel()
            after = np.asarray(model.chain[rows] @ plays).reshape(len(nodes), n, n)
            against = levels - levels[:, None]  # next less present
            pairs = np.einsum("k,ka,kab->ab", within, plays[nodes], after)
        fell += float(pairs[against < 0].sum())
        changed += float(pairs[against != 0].sum())
    return fell, changed


def _swap(market: Market, run: LongRun, settled: Floats, models: Sequence[Problem]) -> float:
    """Return swap regret per period over where play settles, mean over seats; NaN if undefined.

    See `agents.regret`. With turns it relabels what is in force, as the seat waits too.
    """
    regrets = []
    paid = payoffs_in_force(market.game, run.table.table) if market.turns else None
    if market.turns and paid is None:
        return np.nan
    for seat, (held, model) in enumerate(zip(run.held, models, strict=True)):
        rewards = model.rewards[seat]
        if paid is not None:
            square = np.moveaxis(paid[seat].reshape(run.counts), seat, 0)
            rewards = run.held[1 - seat] @ square.T
        traded = (settled[:, None] * held).T @ rewards
        regrets.append(float((traded.max(axis=1) - traded.diagonal()).sum()))
    return float(np.mean(regrets))


def _settled_audits(
    market: Market, policies: Sequence[Policy], settled: Floats
) -> dict[str, float]:
    """Return what deviations gain from where play has settled."""
    at = np.flatnonzero(settled > TINY)
    gains, once = [], []
    for seat in range(len(policies)):
        case = make_case(policies, market.game, seat, market.discount, len(settled))
        whole = known(case, policies[seat])
        from_here = whole._replace(
            table=whole.table._replace(initial=at, initial_chance=settled[at] / settled[at].sum())
        )
        try:
            plan, views = best_deviation(case, from_here, MAX_BELIEFS)
        except TooManyBeliefsError:
            gains.append(np.nan)
            once.append(np.nan)
            continue
        single = one_shot_gain(case, from_here, MAX_BELIEFS)
        found = exact_audit(case, plan, views, value(case, from_here), single)
        gains.append(found.gain_low)
        once.append(single)
    unit = (1 - market.discount) / market.width
    return {
        "settled_one_shot_gain": unit * float(np.max(once)),
        "settled_best_response_gain": unit * float(np.max(gains)),
    }


MAX_BELIEFS = 20_000
"""Most beliefs behind a best deviation from where play has settled."""


def _blind(market: Market, policies: Sequence[Policy], table: Induced) -> list[Floats] | None:
    """Return what each policy plays in every node, (M, n), if it is shown any observation alike.

    None where one remembers, or its observations are not finite. With turns they are those that
    the seat may have as it moves.
    """
    remembers = len(table.codes) != num_states(table.table) or table.offsets.any()
    if remembers or not all(hasattr(one, "rule") for one in policies):
        return None
    try:
        rows = [strategy_of(one, market.game, seat) for seat, one in enumerate(policies)]
    except ValueError:
        return None
    if market.turns:
        turns = [own_turn_views(market.game, table.table, seat) for seat in range(len(rows))]
        spaces = market.game.observation_spaces
        rows = [
            own[to_index(space, views)]
            for own, space, views in zip(rows, spaces, turns, strict=True)
        ]
    shape = len(table.codes)
    plays = [
        np.broadcast_to(mean, (shape, len(mean))) for mean in (own.mean(axis=0) for own in rows)
    ]
    if table.legal is not None:
        names = market.game.agents
        plays = [lawful(*given) for given in zip(names, plays, table.legal, strict=True)]
    return plays


def _wiped(
    market: Market, run: LongRun, start: Floats, blind: Sequence[Floats], gain: float
) -> dict[str, float]:
    table = run.table
    if isinstance(table.table, RepeatedTable):  # rewards follow from actions alone
        chances = [own[0][acts] for own, acts in zip(blind, table.actions, strict=True)]
        always = table.table.payoffs @ np.prod(chances, axis=0)
    else:
        always = mean_rewards(long_run(market, table._replace(plays=tuple(blind))), start)
    once = wipe(run, start, blind)
    wiped, later = (
        profit_gains(market, rewards)["profit_gain"] for rewards in (always, once.rewards)
    )
    return wiped_gains(gain, wiped, later, once.returns)
