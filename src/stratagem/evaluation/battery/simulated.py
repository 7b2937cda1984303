"""The measures of one line-up by simulation, where its play is not known in every state.

Sessions play `burn` periods, in which play may settle, and then the periods that are measured.
Forced and wiped sessions are twins of the plain ones: they get the same random numbers. Where
play draws, a cut is one from the action that was drawn. With turns a seat is disturbed in the
first such period in which it moves, and actions are those in force.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.regret import swap_regret
from stratagem.envs import streams
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Trajectory
from stratagem.envs.hindsight import counterfactuals
from stratagem.envs.simulator import Player, Simulator
from stratagem.envs.spaces import every_observation, size
from stratagem.envs.streams import Words
from stratagem.envs.tabular import tabulate

from .cycles import KINDS, falls, kind_of
from .market import Market
from .measures import Found, profit_gains, wiped_gains
from .shocks import Shock, forced, no_shock
from .turns import own_turn_views, payoffs_in_force

PHASES = 12
"""Sessions are disturbed in so many periods in turn, so that cycles of 2, 3, 4, 6 and 12 periods
are met in all phases alike."""


class Setting(NamedTuple):
    """How sessions are simulated."""

    seeds: Words  # (B,)
    burn: int
    periods: int

    @property
    def disturbed(self) -> Ints:
        """Period in which each session is disturbed, (B,)."""
        return self.burn + np.arange(len(self.seeds)) % PHASES


class Forced(NamedTuple):
    """One seat's actions (B,) in one period of each session, (B,)."""

    periods: Ints
    seat: int
    actions: Ints


def sessions(
    market: Market,
    policies: Sequence[Policy],
    setting: Setting,
    *,
    force: Forced | None = None,
    blind: Bools | None = None,
) -> Trajectory:
    """Return `burn + periods` periods of all sessions, whose actions are those in force.

    Args:
        market: what is tested.
        policies: one per seat.
        setting: roots and lengths.
        force: what one seat does in one period in place of its policy's action; the policy
            is asked all the same, so that it remembers what it would have done.
        blind: (B, burn + periods) where each seat is shown a random one of all its observations.
    """
    sim: Simulator[Any] = Simulator(market.game, len(setting.seeds))
    sim.reset(setting.seeds)
    players = [Player(policy, seat) for seat, policy in enumerate(policies)]
    for one in players:
        one.start(sim, seeded=True)
    shown = [] if blind is None else _shown(market)
    log = []
    for t in range(setting.burn + setting.periods):
        moves, standing = sim.movers(), market.game.standing(sim.state)
        if blind is not None and blind[:, t].any():
            sim.seen = tuple(
                _replaced(sim, i, own, blind[:, t] if moves is None else blind[:, t] & moves[i])
                for i, own in enumerate(shown)
            )
        seen = sim.seen
        actions: list[Array] = [one.act(sim) for one in players]
        if force is not None:
            now = force.periods == t
            actions[force.seat] = np.where(now, force.actions, actions[force.seat])
        joint = sim.gather(actions)
        rewards, terminated, truncated = sim.step(joint)
        held = joint if moves is None or standing is None else np.where(moves, joint, standing)
        log.append((seen, held, rewards, terminated, truncated))
    views, *rest = zip(*log, strict=True)
    observations = tuple(np.stack(view) for view in zip(*views, strict=True))
    return Trajectory(observations, *map(np.stack, rest))


def _shown(market: Market) -> list[Array]:
    """Return all observations that each seat may have as it moves."""
    game = market.game
    if not market.turns:
        return [every_observation(space) for space in game.observation_spaces]
    table = tabulate(game)
    return [own_turn_views(game, table, seat) for seat in range(len(game.agents))]


def _replaced(sim: Simulator[Any], seat: int, every: Array, where: Bools) -> Array:
    """Return what a seat is shown, some of it replaced by a random one of all observations."""
    rng = sim.stream(streams.acting(len(sim.game.agents) + seat))
    seen = sim.seen[seat].copy()
    seen[where] = every[rng.integers(len(every))][where]
    return seen


def simulated_rewards(market: Market, policies: Sequence[Policy], setting: Setting) -> Floats:
    """Return each seat's mean reward per period once play may have settled, (N,)."""
    played = sessions(market, policies, setting)
    return np.asarray(played.rewards[setting.burn :].mean(axis=(0, 2)))


def _moves(market: Market, setting: Setting) -> Bools:
    """Return who moves in each period of each session, (N, burn + periods, B)."""
    times = np.arange(setting.burn + setting.periods)
    sim: Simulator[Any] = Simulator(market.game, len(setting.seeds))
    sim.reset(setting.seeds)
    first = sim.movers()
    if first is None:
        return np.ones((len(market.levels), len(times), len(setting.seeds)), np.bool_)
    return np.where(times[None, :, None] % market.round == 0, first[:, None], ~first[:, None])


def _disturbed(market: Market, setting: Setting, seat: int) -> Ints:
    """Return the period in which a seat is forced in each session, (B,): one in which it moves."""
    at = setting.disturbed
    moves = _moves(market, setting)[seat, at, np.arange(len(at))]
    return np.where(moves, at, at + 1)


def simulate(market: Market, policies: Sequence[Policy], setting: Setting, horizon: int) -> Found:
    """Return the measures of one line-up, but those of audits and strangers."""
    plain = sessions(market, policies, setting)
    late = Trajectory(*(_after(part, setting.burn) for part in plain))
    values = profit_gains(market, late.rewards.mean(axis=(0, 2)))
    joint = np.moveaxis(late.actions, 1, 0)  # (N, T, B)
    loss = market.game.surplus_loss(joint.reshape(len(joint), -1))
    values["surplus_loss"] = np.nan if loss is None else float(loss.mean())
    paths = np.stack([own[actions] for own, actions in zip(market.levels, joint, strict=True)])
    level = [market.relative(own - market.competitive[i], i).mean() for i, own in enumerate(paths)]
    values["price_level"] = float(np.mean(level))
    found, path = _cycles(market, paths, _moves(market, setting)[:, setting.burn :])
    values |= found
    paid = _payoffs(market, late)
    values["swap_regret"] = _swap(paid, joint) / market.width
    values |= dict.fromkeys(("settled_one_shot_gain", "settled_best_response_gain"), np.nan)
    cuts, rises = (
        tuple(
            _shock(market, policies, setting, plain, seat, own, rise=rise, horizon=horizon)
            for seat, own in enumerate(paid)
        )
        for rise in (False, True)
    )
    values |= simulate_wipes(market, policies, setting, values["profit_gain"])
    return Found(values, cuts, rises, path)


def _after(part: Any, burn: int) -> Any:
    return tuple(own[burn:] for own in part) if isinstance(part, tuple) else part[burn:]


def _payoffs(market: Market, late: Trajectory) -> list[Floats | None]:
    """Return what each action of each seat would have paid, (T, B, n); None if unknown.

    With turns it is what it would have paid to have had another action in force.
    """
    seats = range(len(market.levels))
    if not market.turns:
        return [_counterfactuals(market, seat, late) for seat in seats]
    paid = payoffs_in_force(market.game, tabulate(market.game))
    if paid is None:
        return [None for _ in seats]
    counts = [len(own) for own in market.levels]
    squares = [np.moveaxis(paid[seat].reshape(counts), seat, -1) for seat in seats]
    return [square[late.actions[:, 1 - seat]] for seat, square in enumerate(squares)]


def _counterfactuals(market: Market, seat: int, late: Trajectory) -> Floats | None:
    try:
        return counterfactuals(market.game, seat, late)
    except ValueError:
        return None


def _swap(paid: Sequence[Floats | None], joint: Ints) -> float:
    """Return swap regret per period, mean over seats; all sessions are one."""
    regrets = []
    for payoffs, own in zip(paid, joint, strict=True):
        if payoffs is None:
            return np.nan
        flat = payoffs.reshape(-1, 1, payoffs.shape[-1])
        regrets.append(float(swap_regret(flat, own.reshape(-1, 1))[0]) / len(flat))
    return float(np.mean(regrets))


def _falls(market: Market, own: Floats, moves: Bools, period: int) -> tuple[int, int]:
    """Return how many levels fall and how many change; see `computed`.

    Args:
        market: what is tested.
        own: (N, T) levels of one session.
        moves: (N, T) who moves.
        period: after which they repeat, 0 if they do not.
    """
    length = period or own.shape[1]
    if not market.turns:
        return falls(own[:, :length])
    length *= 1 if length % market.round == 0 else market.round
    change = np.where(moves, own - own[::-1], 0)[:, :length]  # what is set less what stands
    return int((change < 0).sum()), int((change != 0).sum())


def _cycles(market: Market, paths: Floats, moves: Bools) -> tuple[dict[str, float], Floats]:
    """Return the kinds of cycles of levels (N, T, B) as far as they repeat four times."""
    found = dict.fromkeys(KINDS, 0.0)
    length, count = paths.shape[1:]
    falling, first = [], None
    for b in range(count):
        own = paths[..., b]
        repeats = (p for p in range(1, length // 4 + 1) if np.array_equal(own[:, p:], own[:, :-p]))
        period = next(repeats, 0)
        kind = kind_of(own[:, : period : market.round]) if period else "mixed"
        found[kind] += 1 / count
        if period:
            first = own[:, :period] if first is None else first
        if not kind.startswith("constant"):
            fell, changed = _falls(market, own, moves[:, :, b], period)
            falling += [fell / changed] if changed else []
    shares = {f"cycle: {kind}": share for kind, share in found.items()}
    shares["falling_share"] = float(np.mean(falling)) if falling else np.nan
    return shares, paths.mean(axis=(1, 2))[:, None] if first is None else first


def _shock(
    market: Market,
    policies: Sequence[Policy],
    setting: Setting,
    plain: Trajectory,
    seat: int,
    paid: Floats | None,
    *,
    rise: bool,
    horizon: int,
) -> Shock:
    levels, at = market.levels[seat], _disturbed(market, setting, seat)
    copies = np.arange(len(at))
    own = plain.actions[at, seat, copies]
    best = np.full(len(own), -1)
    if paid is not None:
        best = paid[at - setting.burn, copies].argmax(axis=1)
    action = forced(levels, levels[own], best, rise)
    kept = action >= 0
    if not kept.any():
        return no_shock(len(market.levels), horizon)
    force = Forced(at, seat, np.where(kept, action, own))
    twin = sessions(market, policies, setting, force=force)

    shown = at + np.arange(horizon + 1)[:, None]  # (H + 1, B)
    levelled = [
        own[twin.actions[shown, i, copies]] - own[plain.actions[shown, i, copies]]
        for i, own in enumerate(market.levels)
    ]
    change = np.stack(
        [market.relative(own[:, kept].mean(axis=1), i) for i, own in enumerate(levelled)]
    )
    length = setting.periods - PHASES - market.round + 1
    later = at + np.arange(length)[:, None]
    ahead = (twin.rewards - plain.rewards)[later, :, copies][:, kept]  # (length, B', N)
    weights = (1 - market.discount) * market.discount ** np.arange(length)
    gain = float(weights @ ahead[..., seat].mean(axis=1)) / market.width
    settles = float(ahead[length // 2 :].mean()) / market.width
    return Shock(change, gain, np.nan, np.nan, settles)


def simulate_wipes(
    market: Market, policies: Sequence[Policy], setting: Setting, gain: float
) -> dict[str, float]:
    """Return the measures of memory wipes; NaN where observations are not finite."""
    try:
        for space in market.game.observation_spaces:
            size(space)
    except ValueError:
        return wiped_gains(gain, np.nan, np.nan, np.nan)
    times = np.arange(setting.burn + setting.periods)
    in_one = times == setting.disturbed[:, None]
    always = sessions(market, policies, setting, blind=np.ones_like(in_one))
    once = sessions(market, policies, setting, blind=in_one)
    half = setting.burn + setting.periods // 2
    wiped, later = (
        profit_gains(market, rewards.mean(axis=(0, 2)))["profit_gain"]
        for rewards in (always.rewards[setting.burn :], once.rewards[half:])
    )
    return wiped_gains(gain, wiped, later, np.nan)
