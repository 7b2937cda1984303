r"""Demand what is best against a belief about the rival, and learn from what is accepted.

The agent does not know how its rival answers, but one of finitely many *hypotheses* is true: a
probability of acceptance for every proposal. It weighs them by Bayes' rule,

$w_h \leftarrow w_h \, \Pr(\text{answer} \mid h, a)$,

and makes the proposal whose payoff is largest under the mixture. It looks no further than the
next answer: it never makes a proposal because its answer would tell more. So it can stop learning
for good at a proposal that is answered alike under all hypotheses. With `sampling` it makes the
best proposal of a hypothesis drawn with its weight instead, and goes on learning.

Source: M. Rothschild (1974), *A two-armed bandit theory of market pricing*, Journal of Economic
Theory 9: a seller who learns about demand from what is bought; recalled, not re-read. The myopic
rule over finitely many hypotheses was written for this package. W. Thompson (1933), *On the
likelihood that one unknown probability exceeds another*, Biometrika 25. Sampling.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.streams import Stream

CLOSE = 1e-9
"""How far a payoff may be from those of the two answers."""


class Belief(NamedTuple):
    """Batched memory."""

    weights: Floats  # (B, H) logarithms of the hypotheses' weights, the largest of a copy 0
    proposed: Ints  # (B,) proposal that awaits its answer; -1 for none
    payoff: Floats  # (B,) what it has paid so far


@dataclass(frozen=True, kw_only=True, eq=False)
class BayesianProposer:
    """A Bayesian who proposes once an episode, which ends with the answer.

    Attributes:
        accepted: own payoff of each proposal if it is accepted, (n,).
        refused: own payoff of each if it is not, (n,).
        chances: probability that each is accepted under each hypothesis, (H, n).
        slip: in (0, 0.5], probability that a rival of any hypothesis does the other thing, so that
            no answer rules a hypothesis out.
        sampling: whether proposals follow a hypothesis that is drawn, at one draw per copy and
            period.
    """

    accepted: Floats
    refused: Floats
    chances: Floats
    slip: float = 0.01
    sampling: bool = False

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        n = len(self.accepted)
        if np.shape(self.refused) != (n,) or np.ndim(self.chances) != 2:
            raise ValueError("accepted and refused must be (n,) and chances (H, n)")
        if self.chances.shape[1] != n or not len(self.chances):
            raise ValueError(f"chances must be (H, {n}), got shape {self.chances.shape}")
        if not ((self.chances >= 0) & (self.chances <= 1)).all():
            raise ValueError("chances must be probabilities, in [0, 1]")
        if not 0 < self.slip <= 0.5:
            raise ValueError(f"slip must be in (0, 0.5], got {self.slip}")

    @property
    def _likely(self) -> Floats:
        """Chances of acceptance with slips, (H, n)."""
        return np.asarray(self.slip + (1 - 2 * self.slip) * self.chances)

    def init(self, num_copies: int, rng: Stream) -> Belief:
        """Start with every hypothesis alike."""
        del rng
        weights = np.zeros((num_copies, len(self.chances)))
        return Belief(weights, np.full(num_copies, -1), np.zeros(num_copies))

    def best(self, weights: Floats) -> Ints:
        """Return the best proposal under weights (B, H) in logarithms; the first of several."""
        belief = np.exp(weights)
        chance = belief @ self.chances / belief.sum(axis=1, keepdims=True)
        values = self.refused + chance * (self.accepted - self.refused)
        return np.asarray((values >= values.max(axis=1, keepdims=True) - CLOSE).argmax(axis=1))

    def act(
        self, observation: Array, memory: Belief, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Belief]:
        """Return proposals (B,), 0 where it is not the agent's turn."""
        del observation
        turn = np.ones(len(rng), np.bool_) if mask is None else mask[:, 1:].any(axis=1)
        weights = memory.weights
        if self.sampling:
            belief = np.exp(weights)
            drawn = choose(belief / belief.sum(axis=1, keepdims=True), rng)
            weights = np.where(np.arange(len(self.chances)) == drawn[:, None], 0.0, -np.inf)
        made = self.best(weights)
        proposed = np.where(turn, made, memory.proposed)
        payoff = np.where(turn, 0.0, memory.payoff)
        return np.where(turn, made, 0), Belief(memory.weights, proposed, payoff)

    def update(self, transition: Transition, memory: Belief) -> Belief:
        """Weigh the hypotheses where an episode ended; what was cut short teaches nothing.

        Raises:
            ValueError: If an answered proposal paid neither what acceptance nor what refusal pays.
        """
        payoff = memory.payoff + transition.reward
        rows = (transition.terminated & (memory.proposed >= 0)).nonzero()[0]
        made, paid = memory.proposed[rows], payoff[rows]
        yes = np.abs(paid - self.accepted[made]) <= CLOSE
        no = np.abs(paid - self.refused[made]) <= CLOSE
        if not (yes | no).all():
            odd = int(np.flatnonzero(~(yes | no))[0])
            raise ValueError(
                f"proposal {made[odd]} must pay {self.accepted[made[odd]]:g} or "
                f"{self.refused[made[odd]]:g}, got {paid[odd]:g}"
            )
        chance = self._likely[:, made].T  # (b, H)
        weights = memory.weights.copy()
        weights[rows] += np.log(yes[:, None] * chance + no[:, None] * (1 - chance))
        weights -= weights.max(axis=1, keepdims=True)
        over = transition.terminated | transition.truncated
        return Belief(weights, np.where(over, -1, memory.proposed), np.where(over, 0.0, payoff))

    def freeze(self, memory: Belief, copy: int) -> Policy:
        """Return the proposal that one copy has come to."""
        return fixed(int(self.best(memory.weights[copy : copy + 1])[0]))
