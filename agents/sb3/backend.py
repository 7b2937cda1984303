"""What is imported from stable-baselines3, when it is first needed, and kept to itself."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

ALGORITHMS = ("PPO", "A2C", "DQN", "MaskablePPO")
"""PPO, A2C and DQN of stable-baselines3, MaskablePPO of sb3-contrib."""


def algorithm_class(name: str) -> Any:
    """Return the class of one of `ALGORITHMS`.

    Raises:
        ValueError: If there is no such algorithm.
        ModuleNotFoundError: If the extra `sb3` is not installed.
    """
    if name not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {name!r}")
    package = "sb3_contrib" if name == "MaskablePPO" else "stable_baselines3"
    try:
        return getattr(import_module(package), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{name} needs {error.name}: pip install "stratagem[sb3]"', name=error.name
        ) from None


def silent_logger() -> Any:
    """Return a logger that keeps nothing; the usual one makes a temporary folder."""
    from stable_baselines3.common.logger import Logger

    return Logger(folder=None, output_formats=[])


@contextmanager
def alone() -> Iterator[None]:
    """Run on one thread of torch, and leave its threads and all global generators as they were.

    stable-baselines3 seeds the generators of Python, NumPy and torch. One thread is the faster
    for small networks, and makes results independent of the number of cores.
    """
    import torch

    threads = torch.get_num_threads()
    own, numpys, torchs = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(own)
        np.random.set_state(numpys)  # noqa: NPY002
        torch.set_rng_state(torchs)
