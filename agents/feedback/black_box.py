r"""Make any bandit learn where the loss of a play is observed only at times.

An arm's loss is observed with a probability of its own, f. The bandit that is wrapped is told one
loss for each of its own choices, here called steps, and knows nothing of silence. What a step is:

- `bb_pull`: the arm is pulled until its loss is observed once. It takes 1 / f pulls on average.
- `bb_divide`: the arm is pulled for a block of B pulls, and the bandit told the first loss that was
  observed; a block without any is repeated. It takes $B / (1 - (1-f)^B)$ pulls.
- `bonus_pulls`: such a block, then one more pull for each loss observed in it, so that what is
  observed more is shown more: $B (1 + f) / (1 - (1-f)^B)$ pulls.
- `missing_as_zero`: one pull, and a loss that is not observed counts as 0. This is a mistake, and
  here to be measured: losses appear as f times as large, so it may settle on a bad arm that hides.

With the first three the law of the bandit's choices does not depend on f at all. B should be about
ln T over the smallest f for T periods in all: blocks without an observation are then rare.

An observation is (last arm + 1, whether its loss was observed, number of the loss among `levels`).
The reward is never read, as it would tell what was not observed.

Source: *Can Probabilistic Feedback Drive User Impacts in Online Platforms?* (2024),
arXiv:2401.05304, AISTATS. Its black-box transformations BB_Pull and BB_Divide, whose rules are
recalled, and that engagement may rise with f, fall or neither. We read its abstract and summaries.
`bonus_pulls` is ours: a functional stand-in for its BB_DA, whose rule we do not have. The numbers
of pulls are derived here, and so is what `missing_as_zero` does.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np

from stratagem.agents.bandits.ledger import Ledger
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, put, take
from stratagem.envs.streams import Stream

Rule = Literal["bb_pull", "bb_divide", "bonus_pulls", "missing_as_zero"]
RULES: tuple[Rule, ...] = get_args(Rule)


class Bandit(Protocol):
    """A bandit of `stratagem.agents.bandits`, without contexts, for payoffs from -1 to 0."""

    @property
    def num_actions(self) -> int:
        """Number of arms."""

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start."""

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Choose arms."""

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Learn."""

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return what one copy has learnt."""


class Step(NamedTuple):
    """How far each copy's step has come; the bandit's own ledger follows in the memory."""

    arm: Ints  # (B,) that is pulled; -1 if the bandit is to choose anew
    left: Ints  # (B,) pulls that are left of the block, or of the bonus
    seen: Ints  # (B,) losses observed in the block
    loss: Floats  # (B,) the first of them
    bonus: Ints  # (B,) 1 while bonus pulls are made, else 0


_FIELDS = len(Step._fields)


@dataclass(frozen=True, kw_only=True, eq=False)
class BlackBox:
    """A bandit inside one of the rules; one independent learner per copy.

    Attributes:
        bandit: what chooses the arms, for payoffs from `low` -1 to `high` 0.
        levels: losses by their number in an observation, in [0, 1].
        rule: one of `RULES`.
        block: B, at least 1; unused by `bb_pull` and `missing_as_zero`.
    """

    bandit: Bandit
    levels: tuple[float, ...]
    rule: Rule = "bb_pull"
    block: int = 20

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        if self.block < 1:
            raise ValueError(f"block must be at least 1, got {self.block}")
        if not self.levels or not all(0 <= level <= 1 for level in self.levels):
            raise ValueError(f"levels must be one or more losses in [0, 1], got {self.levels}")

    @cached_property
    def _losses(self) -> Floats:
        return np.array(self.levels, np.float64)

    def init(self, num_copies: int, rng: Stream) -> tuple[Array, ...]:
        """Start with the bandit's first choice to come."""
        none = np.zeros(num_copies, np.int64)
        step = Step(none - 1, none, none.copy(), np.zeros(num_copies), none.copy())
        return (*step, *self.bandit.init(num_copies, rng))

    def act(
        self,
        observation: Array,
        memory: tuple[Array, ...],
        rng: Stream,
        mask: Bools | None = None,
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return the arms (B,) of the steps, new ones chosen by the bandit where one is over."""
        del mask
        step, ledger = Step(*memory[:_FIELDS]), Ledger(*memory[_FIELDS:])
        due = (step.arm < 0).nonzero()[0]
        if due.size:
            own = Stream(rng.keys[due], rng.steps[due], rng.purpose)
            arms, chosen = self.bandit.act(observation[due], take(ledger, due), own)
            ledger = _store(ledger, due, chosen)
            step.arm[due], step.left[due] = arms, self.block
            step.seen[due] = step.bonus[due] = 0
        return step.arm.copy(), (*step, *ledger)

    def update(self, transition: Transition, memory: tuple[Array, ...]) -> tuple[Array, ...]:
        """Tell the bandits whose step is over one loss each; reuses the memory it is given."""
        step, ledger = Step(*memory[:_FIELDS]), Ledger(*memory[_FIELDS:])
        shown = transition.next_observation
        heard, loss = shown[:, 1] == 1, self._losses[shown[:, 2]]
        if self.rule == "missing_as_zero":
            step.loss[:] = np.where(heard, loss, 0.0)
            told = over = np.ones(len(heard), np.bool_)
        elif self.rule == "bb_pull":
            step.loss[:] = loss
            told = over = heard
        else:
            told, over = self._advance(step, heard, loss)
        ledger = self._tell(transition, step, ledger, told.nonzero()[0])
        step.arm[over] = -1
        return (*step, *ledger)

    def freeze(self, memory: tuple[Array, ...], copy: int) -> Policy:
        """Return what the bandit of one copy would play for good."""
        return self.bandit.freeze(Ledger(*memory[_FIELDS:]), copy)

    def _advance(self, step: Step, heard: Bools, loss: Floats) -> tuple[Bools, Bools]:
        """Count one pull of blocks; return which bandits are told, and which steps are over."""
        inside = step.bonus == 0
        first = heard & inside & (step.seen == 0)
        step.loss[first] = loss[first]
        step.seen[:] += heard & inside
        step.left[:] -= 1
        end = step.left == 0
        told = end & inside & (step.seen > 0)
        again = end & inside & (step.seen == 0)
        step.left[again] = self.block
        if self.rule == "bb_divide":
            return told, told
        over = end & ~inside
        step.left[told], step.bonus[told] = step.seen[told], 1
        return told, over

    def _tell(self, transition: Transition, step: Step, ledger: Ledger, at: Ints) -> Ledger:
        if not at.size:
            return ledger
        go_on = np.zeros(at.size, np.bool_)
        lesson = Transition(
            transition.observation[at],
            step.arm[at],
            -step.loss[at],
            transition.next_observation[at],
            go_on,
            go_on,
        )
        return _store(ledger, at, self.bandit.update(lesson, take(ledger, at)))


def _store(ledger: Ledger, at: Ints, new: Ledger) -> Ledger:
    """Return a ledger with some copies' rows replaced; reuses it where it is not all of them."""
    return new if at.size == len(ledger.arm) else put(ledger, at, new)
