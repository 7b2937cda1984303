"""Name the root folders `envs` and `agents` as subpackages; the rest is in pyproject.toml."""

from setuptools import find_packages, setup

inner = find_packages(include=["envs*", "agents*"])
setup(
    packages=find_packages("src", exclude=["stratagem.envs*", "stratagem.agents*"])
    + [f"stratagem.{name}" for name in inner],
    package_dir={"": "src", "stratagem.envs": "envs", "stratagem.agents": "agents"},
)
