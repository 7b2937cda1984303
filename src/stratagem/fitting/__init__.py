"""Customer and click logs, fitted, with standard errors, and made into a preset of a game.

```pycon
>>> from stratagem.fitting import fit_logs, parameters
>>> found = fit_logs("cdnow", "open_bandit")
>>> model = found.customers.model
>>> print(f"drop-out {model.dropout:.4f}, standard error {found.customers.dropout_error:.4f}")
drop-out 0.2463, standard error 0.0197
>>> parameters(found)["arms"]
[[4.855, -1], [3.624, 0], [3.558, 1]]

```

`stratagem fit` does the same from the command line; see `docs/fitting.md`.
"""

from .clicks import ClickFit, Spread, fit_clicks
from .customers import CustomerFit, Goodness, expected_repeats, fit_customers
from .presets import Assumptions, Fit, assumptions, fit_logs, parameters, write_preset
from .reading import read_log
from .simulation import Bootstrap, bootstrap, simulate

__all__ = [
    "Assumptions",
    "Bootstrap",
    "ClickFit",
    "CustomerFit",
    "Fit",
    "Goodness",
    "Spread",
    "assumptions",
    "bootstrap",
    "expected_repeats",
    "fit_clicks",
    "fit_customers",
    "fit_logs",
    "parameters",
    "read_log",
    "simulate",
    "write_preset",
]
