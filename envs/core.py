"""The functional core: a game is a few pure, batched functions of explicit chance.

A game draws no random numbers. It says how likely each chance outcome is
(`Game.chance`) and what follows from one (`Game.step`). A simulator samples an
outcome, a solver enumerates all of them, a compiler tabulates them, so that no two of
them can disagree about the dynamics.

Axes, in every docstring: B copies of the game, N agents, K chance outcomes, T steps,
S states, A joint actions. Agents come first: `actions[i]` is agent i's array, whose
first axis is B.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from gymnasium.spaces import Space
from numpy.typing import NDArray

from .streams import Stream

if TYPE_CHECKING:
    from .benchmarks import Benchmark
    from .scenes import Played, Scene

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Actions = Any
"""(N, B) integers if all actions are discrete, else a tuple of N arrays of shape (B, ...)."""
Memory = Any
"""What a policy carries from round to round: a tuple of arrays whose first axis is B."""

StateT = TypeVar("StateT", bound=tuple[Any, ...])
"""A NamedTuple of arrays whose first axis is B."""

CERTAIN: Floats = np.ones(1)
CERTAIN.flags.writeable = False


class Step(NamedTuple, Generic[StateT]):
    """What follows from one joint action."""

    state: StateT
    rewards: Floats  # (N, B)
    terminated: Bools  # (B,)


class Transition(NamedTuple):
    """What one seat learns from: everything is its own, the first axis is B."""

    observation: Array
    action: Array
    reward: Floats
    next_observation: Array
    terminated: Bools
    truncated: Bools


class Trajectory(NamedTuple):
    """T rounds of B copies as plain arrays; a finished copy starts its next episode at once."""

    observations: tuple[Array, ...]  # (T, B, ...) per agent, what it saw before it acted
    actions: Actions  # (T, N, B) if all actions are discrete, else (T, B, ...) per agent
    rewards: Floats  # (T, N, B)
    terminated: Bools  # (T, B)
    truncated: Bools  # (T, B)


class Policy(Protocol):
    """Frozen, batched behaviour for one seat.

    Memory lasts for one episode and belongs to the caller: `act` returns new memory and
    leaves the old as it was. The caller starts anew the copies whose episode begins.
    """

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return the memory with which `num_copies` copies start an episode."""

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return actions, shape (B, ...), and new memory; `mask` (B, n) has the legal ones."""


class Learner(Policy, Protocol):
    """A seat's behaviour while it still learns; an action of the meta-game.

    Its memory outlives episodes. `act` and `update` consume the memory that they are
    given: they may reuse its arrays, and the caller goes on with what they return.
    """

    def update(self, transition: Transition, memory: Memory) -> Memory:
        """Learn from one round of its own; return new memory."""

    def freeze(self, memory: Memory, copy: int) -> Policy:
        """Return what one copy has learnt, as a policy for any number of copies."""


def learns(policy: Policy) -> bool:
    """Return whether a policy is a `Learner`."""
    return hasattr(policy, "update")


@dataclass(frozen=True)
class Reactive:
    """A policy without memory, so that it can be tabulated and folded into a look-up.

    Attributes:
        rule: maps observations (B, ...) to actions (B,) of any integer type, or to
            probabilities (B, n) of floats. It must be a function of the observation alone.
    """

    rule: Callable[[Array], Array]

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Follow the rule; a deterministic one draws nothing. The mask is not consulted."""
        del mask
        response = self.rule(observation)
        return (choose(response, rng) if response.ndim == 2 else response), memory


class Stage(NamedTuple):
    """A repeated game: one stage played again and again, with the last rounds remembered.

    State s is the number whose base-A digits are the last `memory` joint actions, the most
    recent one last; without memory there is one state.
    """

    payoffs: Floats  # (N, A), A joint actions, agent 0 varies slowest
    memory: int
    continuation: float  # probability that another round follows, in (0, 1]
    states: Callable[[Ints], Any]  # from state numbers (S,) to the game's own states


class Conduct(NamedTuple):
    """What cooperating and punishing mean to one seat of a game.

    `cooperated` maps the seat's observations (B, ...) to two arrays (B,): whether the seat
    itself, and whether every other seat, cooperated in the last round. Before the first
    round, where the observation shows no round, both are true; `blank`, if there is one, maps
    observations to whether that is so, (B,).
    """

    cooperate: int
    punish: int
    cooperated: Callable[[Array], tuple[Bools, Bools]]
    blank: Callable[[Array], Bools] | None = None


class PriceAxis(NamedTuple):
    """What one seat's actions mean on the axis on which agents may collude.

    `levels` (n,) rise with collusion: they are prices, or minus quantities or bids.
    """

    levels: Floats
    competitive: int  # action of the competitive benchmark
    collusive: int  # action of the joint optimum


class RiskScale(NamedTuple):
    """How a game's risk is anchored: 0 at `safe`, 1 at `worst`."""

    statistic: str  # what is measured, with its unit
    safe: float
    worst: float
    version: int = 1

    def __call__(self, value: Floats) -> Floats:
        """Return the unclipped risk of a statistic, of any shape; NaN where it is undefined."""
        value = np.asarray(value, np.float64)
        width = self.worst - self.safe
        if abs(width) < 1e-12:
            return np.full_like(value, np.nan)
        return np.asarray((value - self.safe) / width)


@dataclass(frozen=True, kw_only=True)
class Game(ABC, Generic[StateT]):
    """Base of all games; the dataclass fields of a subclass are its parameters.

    Parameters are validated when the game is built: `ValueError` names the parameter, its
    value and what is allowed.

    Attributes:
        default_co_player: name of the policy that plays the seats nobody was named for.
    """

    default_co_player: ClassVar[str] = "random"

    @property
    @abstractmethod
    def agents(self) -> tuple[str, ...]:
        """Agent names, `<role>_<number>`; index i means `agents[i]` everywhere."""

    @property
    @abstractmethod
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """Action space of each agent, the same objects on every call."""

    @property
    @abstractmethod
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Observation space of each agent, the same objects on every call."""

    @property
    def initial_chance(self) -> Floats:
        """Probabilities of the initial outcomes, shape (K,); one certain outcome by default."""
        return CERTAIN

    def draw_initial(self, rng: Stream) -> Any:
        """Draw an initial outcome per copy; override where it cannot be enumerated."""
        return choose(self.initial_chance, rng)

    @abstractmethod
    def initial(self, outcome: Any) -> StateT:
        """Return the initial states for initial outcomes, of shape (B,) if enumerable."""

    def chance(self, state: StateT, actions: Actions) -> Floats:
        """Return outcome probabilities, (K,) if the same for all copies, else (B, K)."""
        del state, actions
        return CERTAIN

    def draw(self, state: StateT, actions: Actions, rng: Stream) -> Any:
        """Draw an outcome per copy; override where chance cannot be enumerated."""
        return choose(self.chance(state, actions), rng)

    @abstractmethod
    def step(self, state: StateT, actions: Actions, outcome: Any) -> Step[StateT]:
        """Return what follows; finished copies may be passed, their results are ignored."""

    @abstractmethod
    def observe(self, state: StateT) -> tuple[Array, ...]:
        """Return one observation array per agent, shape (B, ...)."""

    @property
    def takes_turns(self) -> bool:
        """Whether seats may wait: whether `movers` is overridden, unless a parameter decides."""
        return type(self).movers is not Game.movers

    @property
    def forbids_actions(self) -> bool:
        """Whether who moves may have illegal actions: if `legal` is overridden, by default."""
        return type(self).legal is not Game.legal

    @property
    def restricts_actions(self) -> bool:
        """Whether actions may be illegal, as they are for seats that wait."""
        return self.takes_turns or self.forbids_actions

    def movers(self, state: StateT) -> Bools | None:
        """Return who moves, (N, B); None (the default) if everyone always does.

        A seat that does not move has the one legal action 0, which is ignored.
        """
        del state
        return None

    def standing(self, state: StateT) -> Ints | None:
        """Return the action of each seat that holds while it waits, (N, B).

        It is for games with turns in which what was chosen stays in force until the seat moves
        again, as a price does. Entries of seats that move are ignored. None (the default) if
        nothing stays.
        """
        del state
        return None

    def legal(self, state: StateT) -> tuple[Bools, ...] | None:
        """Return the legal actions of each agent, (B, n); None (the default) if all are."""
        del state
        return None

    def stage(self) -> Stage | None:
        """Return the stage if this is a repeated game with a finite memory, else None."""
        return None

    def conduct(self, seat: int) -> Conduct | None:
        """Return what cooperating and punishing mean to a seat; None if they mean nothing."""
        del seat
        return None

    def price_axis(self, seat: int) -> PriceAxis | None:
        """Return what a seat's actions mean where agents may collude; None where they may not.

        By default a seat of two actions has an axis from `conduct`: 0 punishes, 1 cooperates.
        """
        conduct, space = self.conduct(seat), self.action_spaces[seat]
        if conduct is None or getattr(space, "n", 0) != 2:
            return None
        levels = np.zeros(2)
        levels[conduct.cooperate] = 1.0
        return PriceAxis(levels, conduct.punish, conduct.cooperate)

    def surplus_loss(self, actions: Actions) -> Floats | None:
        """Return the share of the customers' surplus that is lost to collusion, (B,).

        0 at the competitive benchmark and 1 at the joint optimum, unclipped; None (the default)
        if the game knows no customers.
        """
        del actions
        return None

    def benchmarks(self) -> "Mapping[str, Benchmark]":
        """Return reference values by name, computed from the parameters when called."""
        return {}

    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        """Return one scale per agent; None (the default) if the game defines no risk."""
        return None

    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return the quantity whose mean over periods `risk_scales` measure.

        Args:
            observations: what each agent saw before it acted, (..., B, ...) per agent.
            rewards: what followed, (..., N, B), with the same leading axes.

        Returns:
            an array shaped as `rewards`: by default the rewards themselves.
        """
        del observations
        return rewards

    @property
    def risk_is_linear(self) -> bool:
        """Whether `risk_signal` is linear in rewards and looks at nothing else."""
        return type(self).risk_signal is Game.risk_signal

    def risk_statistic(self, trajectory: Trajectory) -> Floats:
        """Return what `risk_scales` measure over a whole trajectory, (N, B)."""
        signal = self.risk_signal(trajectory.observations, trajectory.rewards)
        return np.asarray(signal.mean(axis=0))

    def seat_risk(self, trajectory: Trajectory) -> Floats:
        """Return each seat's unclipped risk over a trajectory, (N, B); NaN if undefined."""
        values = self.risk_statistic(trajectory)
        scales = self.risk_scales()
        if scales is None:
            return np.full_like(values, np.nan)
        return np.stack([scale(row) for scale, row in zip(scales, values, strict=True)])

    def risk(self, trajectory: Trajectory) -> Floats:
        """Return the game's unclipped risk over a trajectory, (B,): by default the worst seat's."""
        return np.asarray(self.seat_risk(trajectory).max(axis=0))

    def game_scales(self) -> "Mapping[str, RiskScale]":
        """Return the scales of the game's own risk by name, if it is that of one statistic.

        The first is the one that `risk` uses; any others are printed beside it.
        """
        return {}

    def action_names(self, seat: int) -> tuple[str, ...]:
        """Return what a seat's actions are called; by default their numbers, () if not discrete."""
        return tuple(map(str, range(getattr(self.action_spaces[seat], "n", 0))))

    def scene(self, state: StateT, played: "Played") -> "Scene":
        """Return axes and grids that are drawn beside the rewards; none by default.

        Args:
            state: a batch of one.
            played: each seat's last action of the episode, None where it has not acted yet.
        """
        del state, played
        return ()

    def render(self, state: StateT) -> str:
        """Return one line of text about the first copy."""
        return " ".join(f"{k}={v[0]}" for k, v in zip(state._fields, state, strict=True))  # type: ignore[attr-defined]


def never_ends(game: Game[Any]) -> bool:
    """Return whether a game goes on until a view truncates it, as its parameters say.

    It does with a `continuation` of 1, unless it has a `horizon`.
    """
    known_end = isinstance(getattr(game, "horizon", None), int)
    return getattr(game, "continuation", None) == 1 and not known_end


def choose(probs: Floats, rng: Stream) -> Ints:
    """Draw one index per copy from `probs`, (K,) or (B, K), by inverse transform.

    One certain outcome draws nothing. The last bin is open-ended, so rounding in the
    cumulative sum can never leave the range.
    """
    if probs.shape[-1] == 1:
        return np.zeros(len(rng), np.int64)
    bounds = probs.cumsum(axis=-1)[..., :-1]
    if bounds.ndim == 1:
        return bounds.searchsorted(rng.uniform(), side="right")
    return np.asarray((rng.uniform()[:, None] >= bounds).sum(axis=-1))


def masks(game: Game[Any], state: Any) -> tuple[Bools, ...] | None:
    """Return each agent's legal actions (B, n) with movers taken in; None if all are legal."""
    legal, movers = game.legal(state), game.movers(state)
    if movers is None:
        return legal
    if legal is None:
        counts = [int(space.n) for space in game.action_spaces]  # type: ignore[attr-defined]
        legal = tuple(np.ones((movers.shape[1], n), np.bool_) for n in counts)
    waiting = [np.arange(own.shape[1]) == 0 for own in legal]
    return tuple(
        np.where(moves[:, None], own, only)
        for moves, own, only in zip(movers, legal, waiting, strict=True)
    )


def take(state: StateT, index: Ints) -> StateT:
    """Return the copies at `index`, as new arrays."""
    fields = [field[index] for field in state]
    return type(state)(*fields) if hasattr(state, "_fields") else type(state)(fields)


def put(old: StateT, index: Ints, new: StateT) -> StateT:
    """Return `old` with the copies at `index` replaced by `new`; mutates neither."""

    def replace(a: Array, b: Array) -> Array:
        a = a.copy()
        a[index] = b
        return a

    fields = [replace(a, b) for a, b in zip(old, new, strict=True)]
    return type(old)(*fields) if hasattr(old, "_fields") else type(old)(fields)
