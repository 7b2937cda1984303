"""What the best deviation against frozen policies gains.

Everyone is frozen. One seat, under audit, may do something else; the others go on as they are.
What it could gain is computed exactly where its problem is finite, and bracketed elsewhere:

- **exact**: the others' play is known in every state of the game's table, whatever they remember
  (`stratagem.envs.induced`). The deviation is then the best of all that condition on the seat's
  own observations and actions, never on hidden state, by dynamic programming
  (`stratagem.envs.responses`). The value is computed again from the visits of the deviation.
- **bracket**: the lower end is the best of what was tried: every constant action, the policies of
  other seats that fit, learners trained against the others and frozen, and the policy itself.
  They are compared on one set of episodes and the one chosen is valued on fresh ones, so that
  the choice does not flatter it. The upper end holds for certain: it is the value of one who
  sees the state and all that the others remember.
"""

from .auditing import audit, audit_all
from .case import Audit
from .rows import AUDIT_COLUMNS, audit_columns

__all__ = ["AUDIT_COLUMNS", "Audit", "audit", "audit_all", "audit_columns"]
