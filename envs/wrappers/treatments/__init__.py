"""Treatments: a game with one rule changed, itself a game of explicit chance.

So a treated game is simulated, tabulated and solved as any other. Its risk is measured on the
scale of the game without the treatment, its *control*, so that the two compare. It has no
benchmarks and no notion of cooperating of its own: those of the control need not hold in it.

A treatment means nothing without its control: see `stratagem.evaluation.treatments`.
"""

from .action_cap import ActionCap
from .demand_noise import DemandNoise
from .information_delay import InformationDelay
from .memory_wipe import MemoryWipe
from .overseer import Overseer
from .paraphraser import Paraphraser
from .treatment import Treatment

__all__ = [
    "ActionCap",
    "DemandNoise",
    "InformationDelay",
    "MemoryWipe",
    "Overseer",
    "Paraphraser",
    "Treatment",
]
