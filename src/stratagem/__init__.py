"""Multi-agent games, simulated and solved from one description.

`import stratagem` registers every game with Gymnasium and PettingZoo under `stratagem/`.
The names below are the public ones; what needs more than NumPy is imported when it is
first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stratagem import envs
from stratagem.envs import EnvSpec, register, registry

from ._version import __version__

if TYPE_CHECKING:
    from stratagem.envs.planning import best_response as best_response
    from stratagem.envs.planning import evaluate as evaluate
    from stratagem.envs.simulator import rollout as rollout
    from stratagem.envs.tabular import tabulate as tabulate

    from .making import aec_env as aec_env
    from .making import make_env as make_env
    from .making import parallel_env as parallel_env
    from .making import sb3_vec_env as sb3_vec_env
    from .making import vector_env as vector_env
    from .players import player as player

_LATER = {
    "aec_env": "stratagem.making",
    "make_env": "stratagem.making",
    "parallel_env": "stratagem.making",
    "sb3_vec_env": "stratagem.making",
    "vector_env": "stratagem.making",
    "player": "stratagem.players",
    "rollout": "stratagem.envs.simulator",
    "best_response": "stratagem.envs.planning",
    "evaluate": "stratagem.envs.planning",
    "tabulate": "stratagem.envs.tabular",
}

__all__ = [  # noqa: RUF022  (grouped by what they are for)
    "make_env",
    "vector_env",
    "parallel_env",
    "aec_env",
    "sb3_vec_env",
    "player",
    "rollout",
    "tabulate",
    "evaluate",
    "best_response",
    "EnvSpec",
    "register",
    "registry",
    "envs",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names here, those not yet imported among them."""
    return sorted({*globals(), *_LATER})
