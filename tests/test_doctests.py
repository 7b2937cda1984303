import doctest
import importlib
import pkgutil

import pytest

import stratagem

MODULES = ["stratagem", *(m.name for m in pkgutil.walk_packages(stratagem.__path__, "stratagem."))]
EXTRAS = {
    "stratagem.envs.kernels": "numba",
    "stratagem.envs.adapters.sb3": "stable_baselines3",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    for prefix, extra in EXTRAS.items():
        if name.startswith(prefix):
            pytest.importorskip(extra)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_game_page_has_examples() -> None:
    tried = [
        doctest.testmod(importlib.import_module(spec.game.__module__)).attempted
        for spec in stratagem.registry.values()
    ]
    assert min(tried) > 0
