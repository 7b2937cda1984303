r"""REINFORCE on a table: a softmax policy that climbs the gradient of its own return.

With $\pi(a|v) \propto e^{\theta_{va}}$ over the legal actions, one episode of T periods gives
$g = \sum_{t<T} \delta^t (G_t - b(v_t)) \nabla \log \pi(a_t|v_t)$, where
$G_t = \sum_{s \ge t} \delta^{s-t} r_s$; g is an unbiased estimate of the gradient of the expected
return $G_0$, whatever the baseline b, as long as it was fixed before the episode. After it,
$\theta \leftarrow \theta + \alpha g$. Sums run forward in eligibility traces, so that nothing is
stored per period: an episode may be of any length.

An episode ends when the game says so, or after `batch` periods: a game that never ends is cut into
pieces, each learnt from as if it ended, so that g climbs the return of a piece. A waiting seat has
one legal action, whose gradient is zero; what it is paid meanwhile counts.

Sources:
- R. Williams (1992), *Simple statistical gradient-following algorithms for connectionist
  reinforcement learning*, Machine Learning 8, section 5 and theorem 2 (episodes).
- R. Sutton and A. Barto (2018), *Reinforcement learning: an introduction*, second edition,
  sections 13.3 (discounting) and 13.4 (baselines).
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.spaces import size, to_index
from stratagem.envs.streams import Stream


class Climb(NamedTuple):
    """Batched memory; V observations by index, n actions."""

    logits: Floats  # (B, V, n)
    legal: Bools  # (B, V, n) actions once found legal by a mask
    probs: Floats  # (B, n) of the last act
    age: Ints  # (B,) periods of the present episode
    trace: Floats  # (B, V, n) sum of the episode's scores, the gradients of log pi
    gradient: Floats  # (B, V, n) the episode's g so far
    since: Floats  # (B, V) sum of delta^(t - s) over the visits s <= t of each observation
    returns: Floats  # (B, V) sum of the returns after those visits, so far
    visits: Ints  # (B, V) of the present episode
    baseline: Floats  # (B, V) mean return of all visits in earlier episodes
    counts: Ints  # (B, V) their number


def _softmax(logits: Floats, legal: Bools) -> Floats:
    shifted = np.where(legal, logits, -np.inf)
    weights = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reinforce:
    """REINFORCE for finite spaces, one independent learner per copy.

    Attributes:
        observation_space: Discrete, MultiDiscrete, or that of a seat that sees nothing.
        num_actions: n, at least 1.
        alpha: learning rate, positive, per unit of payoff.
        discount: delta, in [0, 1].
        baseline: "mean" of the returns after each observation in earlier episodes, or "none".
        batch: periods after which an episode is cut, at least 1; None to wait for its end.
        greedy: whether `freeze` gives the likeliest action, or each of them alike, in
            place of the probabilities.
    """

    observation_space: Space[Any]
    num_actions: int
    alpha: float = 0.1
    discount: float = 1.0
    baseline: Literal["mean", "none"] = "mean"
    batch: int | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        size(self.observation_space)
        if self.num_actions < 1:
            raise ValueError(f"num_actions must be at least 1, got {self.num_actions}")
        if not 0 < self.alpha < np.inf:
            raise ValueError(f"alpha must be above 0, got {self.alpha}")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"discount must be in [0, 1], got {self.discount}")
        if self.baseline not in ("mean", "none"):
            raise ValueError(f"baseline must be 'mean' or 'none', got {self.baseline!r}")
        if self.batch is not None and self.batch < 1:
            raise ValueError(f"batch must be at least 1, got {self.batch}")

    def init(self, num_copies: int, rng: Stream) -> Climb:
        """Start with every legal action as likely."""
        del rng
        views, n = size(self.observation_space), self.num_actions
        table, row = (num_copies, views, n), (num_copies, views)
        return Climb(
            logits=np.zeros(table),
            legal=np.zeros(table, np.bool_),
            probs=np.full((num_copies, n), 1 / n),
            age=np.zeros(num_copies, np.int64),
            trace=np.zeros(table),
            gradient=np.zeros(table),
            since=np.zeros(row),
            returns=np.zeros(row),
            visits=np.zeros(row, np.int64),
            baseline=np.zeros(row),
            counts=np.zeros(row, np.int64),
        )

    def act(
        self, observation: Array, memory: Climb, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Climb]:
        """Draw legal actions (B,); one draw per copy and period, none if n is 1."""
        rows, views = np.arange(len(rng)), to_index(self.observation_space, observation)
        logits = memory.logits[rows, views]
        if mask is None:
            probs = _softmax(logits, np.ones(logits.shape, np.bool_))
            return choose(probs, rng), memory._replace(probs=probs)
        memory.legal[rows, views] |= mask
        probs = _softmax(logits, mask)
        # rounding may leave the last bin of `choose` ajar, though its action be illegal
        last = self.num_actions - 1 - mask[:, ::-1].argmax(axis=1)
        return np.minimum(choose(probs, rng), last), memory._replace(probs=probs)

    def update(self, transition: Transition, memory: Climb) -> Climb:
        """Add one period to the episode, and climb where it ends; reuses what it is given."""
        rows = np.arange(len(memory.age))
        seen = (rows, to_index(self.observation_space, transition.observation))
        score = np.eye(self.num_actions)[transition.action] - memory.probs
        weight = self.discount**memory.age
        memory.trace[seen] += score
        memory.gradient[:] += (weight * transition.reward)[:, None, None] * memory.trace
        memory.since[:] *= self.discount
        memory.since[seen] += 1
        memory.returns[:] += transition.reward[:, None] * memory.since
        memory.visits[seen] += 1
        if self.baseline == "mean":
            memory.gradient[seen] -= (weight * memory.baseline[seen])[:, None] * score
        memory.age[:] += 1
        over = transition.terminated | transition.truncated
        if self.batch is not None:
            over = over | (memory.age >= self.batch)
        if over.any():
            self._climb(memory, over.nonzero()[0])
        return memory

    def freeze(self, memory: Climb, copy: int) -> Policy:
        """Return one copy's policy: its probabilities, or with `greedy` the likeliest."""
        legal = memory.legal[copy]
        probs = _softmax(memory.logits[copy], legal | ~legal.any(axis=1, keepdims=True))
        if self.greedy:
            likeliest = probs == probs.max(axis=1, keepdims=True)
            probs = likeliest / likeliest.sum(axis=1, keepdims=True)
        return follow(probs, self.observation_space)

    def _climb(self, memory: Climb, at: Ints) -> None:
        """Learn from the episodes of the copies at `at`, and begin new ones."""
        memory.logits[at] += self.alpha * memory.gradient[at]
        counts = memory.counts[at] + memory.visits[at]
        surplus = memory.returns[at] - memory.visits[at] * memory.baseline[at]
        memory.baseline[at] += surplus / np.maximum(counts, 1)
        memory.counts[at] = counts
        for field in (memory.age, memory.trace, memory.gradient):
            field[at] = 0
        for field in (memory.since, memory.returns, memory.visits):
            field[at] = 0
