"""Answer cooperation with cooperation, and forgive a share of defections.

Source: M. Nowak and K. Sigmund (1992), *Tit for tat in heterogeneous populations*, Nature 355. The
most generosity that keeps defectors out is the least of 1 - (T - R) / (R - S) and
(R - P) / (T - P).
"""

from stratagem.envs.core import Conduct, Floats, Reactive

from .memory_one import memory_one


def most_generosity(own: Floats) -> float:
    """Return the generosity of the source.

    Args:
        own: payoffs R, S, T, P (4,) after both cooperated, only oneself, only the other, nobody.

    Raises:
        ValueError: If it is no probability, as where the payoffs are those of no dilemma.
    """
    reward, sucker, temptation, punishment = map(float, own)
    if not sucker < punishment < reward < temptation or 2 * reward < temptation + sucker:
        raise ValueError(
            "generosity must be given where payoffs are not those of a prisoner's dilemma, got "
            f"R, S, T, P = {own.tolist()}"
        )
    return min(
        1 - (temptation - reward) / (reward - sucker),
        (reward - punishment) / (temptation - punishment),
    )


def generous_tit_for_tat(conduct: Conduct, generosity: float, *, num_actions: int = 2) -> Reactive:
    """Return the policy that cooperates after cooperation, else with a chance.

    Args:
        conduct: what cooperating and punishing mean to the seat.
        generosity: that chance, in [0, 1].
        num_actions: of the seat.

    Raises:
        ValueError: If the generosity is no probability.
    """
    if not 0 <= generosity <= 1:
        raise ValueError(f"generosity must be in [0, 1], got {generosity}")
    return memory_one(conduct, (1.0, generosity, 1.0, generosity), num_actions=num_actions)
