r"""An overseer who watches a market and fines all of it when it finds prices suspicious.

The index of a market is the mean over its seats of where each one's action lies between the
competitive benchmark, 0, and the joint optimum, 1, on the game's price axis. At a threshold or
above it is suspicious. The overseer errs: a suspicious period raises an alarm with the chance
`detection` alone, and any other one with the chance `false_alarm`. All seats pay the fine of an
alarm at once, and none is told of it but by what it is paid.

A fine of F costs those who collude `detection` F a period, and those who compete `false_alarm` F:
what deterrence costs the innocent is part of the treatment, and has to be measured beside it. In a
dilemma that reversion to the stage equilibrium sustains at a discount $\delta$, with payoffs R of
both cooperating, T of leaving it and P of reversion, and a threshold that the pair alone reaches,
cooperation pays up to an expected fine of $R - (1 - \delta) T - \delta P$.

Sources: J. Harrington (2005), *Optimal cartel pricing in the presence of an antitrust authority*,
International Economic Review 46(1), for detection that depends on prices and a penalty for all
(recalled; there on how prices move). The index and both errors are ours.
"""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from typing_extensions import override

from ...core import Bools, Floats, Ints, PriceAxis, Step, Trajectory
from .treatment import Treatment, pairs

_SLACK = 1e-9  # an index this near a threshold is at it


@dataclass(frozen=True, kw_only=True)
class Overseer(Treatment):
    """Suspicious periods, and some others, are fined; see the module docstring.

    Risk is that of conduct: it is measured on what seats earn before fines. The control must be a
    repeated game with a price axis in every seat, so that this follows from the actions.

    Attributes:
        threshold: index from which on a period is suspicious; 0 competition, 1 joint optimum.
        detection: chance of an alarm in a suspicious period, in [0, 1].
        false_alarm: chance of an alarm in another period, in [0, 1].
        fine: what each seat pays for an alarm, in units of reward, at least 0.
    """

    threshold: float = 0.5
    detection: float
    false_alarm: float = 0.0
    fine: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("detection", "false_alarm"):
            value = getattr(self, name)
            if not (isfinite(value) and 0 <= value <= 1):
                raise ValueError(f"{name} must be in [0, 1], got {value}")
        if not isfinite(self.threshold):
            raise ValueError(f"threshold must be finite, got {self.threshold}")
        if not (isfinite(self.fine) and self.fine >= 0):
            raise ValueError(f"fine must be at least 0, got {self.fine}")
        axes = [self.control.price_axis(seat) for seat in range(len(self.agents))]
        if self.control.stage() is None or not all(map(_measures, axes)):
            raise ValueError(
                "control must be a repeated game with a price axis in every seat, on which the "
                f"joint optimum is not the competitive action, got {self.control!r}"
            )

    @cached_property
    def _places(self) -> tuple[Floats, ...]:
        """Where each action of each seat lies, (n,): 0 is competitive, 1 collusive."""
        found = []
        for seat in range(len(self.agents)):
            axis = self.control.price_axis(seat)
            assert axis is not None
            low, high = axis.levels[axis.competitive], axis.levels[axis.collusive]
            found.append((axis.levels - low) / (high - low))
        return tuple(found)

    def index(self, actions: Ints) -> Floats:
        """Return the index of joint actions, (N, ...) to (...)."""
        places = zip(self._places, actions, strict=True)
        return np.asarray(np.mean([own[played] for own, played in places], axis=0))

    def suspicious(self, actions: Ints) -> Bools:
        """Return whether joint actions are suspicious, (N, ...) to (...)."""
        return np.asarray(self.index(actions) >= self.threshold - _SLACK)

    @override
    def chance(self, state: Any, actions: Ints) -> Floats:
        """Return the chances of the control's outcomes, each without an alarm and with one."""
        alarm = np.where(self.suspicious(actions), self.detection, self.false_alarm)
        return pairs(self.control.chance(state, actions), np.stack([1 - alarm, alarm], axis=-1))

    @override
    def step(self, state: Any, actions: Ints, outcome: Ints) -> Step[Any]:
        own, alarm = np.divmod(outcome, 2)
        found = self.control.step(state, actions, own)
        return found._replace(rewards=found.rewards - self.fine * alarm)

    @override
    def as_control(self, trajectory: Trajectory) -> Trajectory:
        """Return the trajectory with what seats earned before fines."""
        stage = self.control.stage()
        assert stage is not None
        counts = tuple(len(own) for own in self._places)
        joint = np.ravel_multi_index(tuple(np.moveaxis(trajectory.actions, 1, 0)), counts)
        return trajectory._replace(rewards=np.moveaxis(stage.payoffs[:, joint], 0, 1))


def _measures(axis: PriceAxis | None) -> bool:
    return axis is not None and axis.levels[axis.competitive] != axis.levels[axis.collusive]
