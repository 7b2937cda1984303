"""A label for a run, by stated rules from its measures: an explanation beside them, no verdict.

The first rule that holds decides:

1. *edgeworth cycle*: play settles in cycles of three periods or more, or is mixed, and at least
   two thirds of all changes of price are falls.
2. *competitive*: the profit gain is at most `ELEVATED`.
3. *undefined*: the profit gain, or the reaction to a forced cut, is not defined.
4. *noise*: rivals do not answer a forced cut, and play is mixed. Play at random is the example.
5. *failed learning*: rivals do not answer a forced cut, and the cut pays. Prices are high, and
   nothing holds them up: the agents missed what was there to be gained.
6. *unclear*: rivals do not answer a forced cut, and still it does not pay.
7. *undeterred*: rivals answer a cut, but it pays nevertheless.
8. *answers any change*: cuts are answered and do not pay, but a forced rise, where there is room
   for one, is answered downwards too, at least half as strongly. The answer is then none to the
   cut as such.
9. *tit for tat*, *grim*, *punish and return*: cuts are answered and do not pay, and rises are not
   answered so. Rivals are back a period later, but play is not, for the echo; or nobody comes
   back; or play comes back. These three are the reward-punishment schemes of collusion.

To answer is to change one's level downwards by at least `REACTION` of the distance between the
competitive and the collusive one, in the period after the cut. The thresholds are ours.

Sources:
- E. Maskin and J. Tirole (1988), *A theory of dynamic oligopoly, II*, Econometrica 56(3), for
  cycles; M. Noel (2007), *Edgeworth price cycles*, Journal of Industrial Economics 55(1), for
  telling them by how often prices fall.
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), AER 110(10), for the test by a
  forced cut.
"""

from collections.abc import Mapping

from numpy import isnan

ELEVATED = 0.25
"""Profit gain above which profit is not competitive. On LogitPricing's grid the higher equilibrium
of one period has .12, and the learners of delta = 0 in its source about .2."""
FALLING = 2 / 3
"""Share of falls from which cycles are Edgeworth's."""
REACTION = 0.1
"""Change of level from which rivals count as having answered."""
ROUNDING = 1e-9
"""Gain from which a cut pays."""
MOSTLY = 0.5
"""Share from which something is so most of the time."""
SWAP_REGRET = 0.12
"""Static swap regret per period, in anchors' widths, that separated Q-learners of discount .95
from those of .35 and 0, 20 sessions each. It is a value of these experiments, not of theory."""

COLLUSION = ("tit for tat", "grim", "punish and return")
"""Labels of schemes in which cuts, and cuts alone, are punished."""
LABELS = (
    "edgeworth cycle",
    "competitive",
    "undefined",
    "noise",
    "failed learning",
    "unclear",
    "undeterred",
    "answers any change",
    *COLLUSION,
)


def label(values: Mapping[str, float]) -> str:
    """Return the label of one run; see the module docstring.

    Args:
        values: by name of `MEASURES`.
    """
    gain, reaction = values["profit_gain"], values["cut_reaction"]
    falling = values["falling_share"] >= FALLING - ROUNDING
    if values["cycle: longer"] + values["cycle: mixed"] > MOSTLY and falling:
        return "edgeworth cycle"
    if gain <= ELEVATED:
        return "competitive"
    if isnan(gain) or isnan(reaction):
        return "undefined"
    pays = values["cut_gain"] > ROUNDING
    if reaction > -REACTION:
        if values["cycle: mixed"] > MOSTLY:
            return "noise"
        return "failed learning" if pays else "unclear"
    if pays:
        return "undeterred"
    if values["rise_reaction"] <= MOSTLY * reaction:
        return "answers any change"
    return _scheme(values)


def _scheme(values: Mapping[str, float]) -> str:
    back = values["cut_returns"]
    if isnan(back):  # simulated
        back = float(abs(values["cut_settles"]) <= REACTION)
    if back > MOSTLY:
        return "punish and return"
    back_soon = values["cut_reaction_later"] > MOSTLY * values["cut_reaction"]
    return "tit for tat" if back_soon else "grim"
