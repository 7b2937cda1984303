"""Who may import whom, read off the syntax trees of all modules."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"stratagem.envs": ROOT / "envs", "stratagem.agents": ROOT / "agents"}
HEAVY = (
    "scipy",
    "numba",
    "torch",
    "pandas",
    "matplotlib",
    "PIL",
    "pyarrow",
    "rich",
    "stable_baselines3",
)

CORE = {"core", "streams", "spaces", "benchmarks", "relabelling", "scenes"}
SIMULATION = {
    "simulator",
    "lookup",
    "tabular",
    "planning",
    "decisions",
    "beliefs",
    "responses",
    "induced",
    "hindsight",
    "revealed",
}
OUTER = {
    "making",
    "players",
    "committing",
    "axelrod",
    "dilemmas",
    "serving",
    "transforming",
    "harvesting",
    "bargaining",
    "metagame",
    "fitting",
    "reproductions",
    "scenarios",
    "metrics",
    "evaluation",
    "report",
    "cli",
    "testing",
    "data",
    "_version",
}

# What each part may import, itself and the packages of others aside. A part not listed fails.
ALLOWED: dict[str, set[str]] = {
    "envs.core": {"envs.core"},
    "envs.registry": {"envs.core"},
    "envs.solvers": {"envs.core"},
    "envs.games": {"envs.core", "envs.registry", "envs.solvers", "data"},
    "envs.simulation": {"envs.core"},
    "envs.kernels": {"envs.core", "envs.simulation"},
    "envs.rendering": {"envs.core", "envs.simulation"},
    "envs.adapters": {
        "envs.core",
        "envs.registry",
        "envs.simulation",
        "envs.kernels",
        "envs.rendering",
    },
    "envs.wrappers": {"envs.core", "envs.registry", "envs.simulation"},
    "envs": {"envs.registry", "envs.games"},
    "agents": {"envs.core", "envs.simulation", "envs.solvers", "envs.kernels"},
    "data": set(),
    "outer": {
        "envs",
        "envs.core",
        "envs.registry",
        "envs.simulation",
        "envs.solvers",
        "envs.kernels",
        "envs.games",
        "envs.adapters",
        "envs.rendering",
        "envs.wrappers",
        "agents",
        "data",
    },
}


def modules() -> dict[str, Path]:
    """Return the path of every module by its name; packages by the package's."""
    folders = {"stratagem": ROOT / "src" / "stratagem", **FOLDERS}
    links = {ROOT / "src" / "stratagem" / name for name in ("envs", "agents")}
    found = {}
    for prefix, folder in folders.items():
        for path in folder.rglob("*.py"):
            if prefix == "stratagem" and links & set(path.parents):
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join((prefix, *parts)).removesuffix(".__init__")
            found[name] = path
    return found


def imports(source: str, module: str, *, package: bool, lazy: bool = True) -> set[str]:
    """Return absolute names that a module imports; with `lazy`, inside functions too."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for f in ast.walk(tree)
        if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        or (isinstance(f, ast.If) and "TYPE_CHECKING" in ast.unparse(f.test))
        for node in ast.walk(f)
    }
    base = module.split(".") if package else module.split(".")[:-1]
    found = set()
    for node in ast.walk(tree):
        if not lazy and id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = base[: len(base) - node.level + 1] if node.level else []
            origin = ".".join([*up, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found


def part(name: str) -> str | None:
    """Return which part of the contract a module, or a name in one, belongs to."""
    top, *rest = name.split(".")
    if top != "stratagem":
        return None
    if not rest:
        return "outer"
    if rest[0] == "envs":
        if len(rest) == 1:
            return "envs"
        if rest[1] in CORE:
            return "envs.core"
        if rest[1] in SIMULATION:
            return "envs.simulation"
        if f"envs.{rest[1]}" in ALLOWED:
            return f"envs.{rest[1]}"
        return "envs" if rest[1][:1].isupper() or rest[1] == "register" else f"unknown {name}"
    if rest[0] in ("agents", "data"):
        return rest[0]
    return "outer"


def broken(source: str, module: str, *, package: bool = False) -> list[str]:
    """Return what a module imports against the contract."""
    own = part(module)
    assert own in ALLOWED, f"{module} belongs to no part of the contract"
    allowed = {own, *ALLOWED[own]}
    if module.startswith("stratagem.agents.sb3"):
        allowed.add("envs.adapters")
    wrong = []
    for name in sorted(imports(source, module, package=package)):
        if name.split(".")[0] in ("envs", "agents", "src"):
            wrong.append(f"{module} imports {name}, a second copy of the package")
        elif (target := part(name)) is not None and target not in allowed:
            wrong.append(f"{module} imports {name}, but {own} may not import {target}")
    return wrong


def test_every_module_keeps_the_import_contract() -> None:
    wrong = [
        line
        for name, path in modules().items()
        for line in broken(
            path.read_text(encoding="utf-8"), name, package=path.name == "__init__.py"
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_the_contract_looks_at_every_module() -> None:
    known = modules()
    assert {"stratagem", "stratagem.envs.core", "stratagem.envs.games.collusion"} <= set(known)
    assert {n.split(".")[1] for n in known if n.count(".")} - {"envs", "agents"} <= OUTER


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stratagem.envs.core", "from .registry import registry"),
        ("stratagem.envs.solvers.nash", "from ..games.collusion import logit_pricing"),
        ("stratagem.envs.games.collusion.other", "from ...simulator import rollout"),
        ("stratagem.envs.games.collusion.other", "def f():\n    from ...adapters import vector"),
        ("stratagem.envs.simulator", "from stratagem.envs import adapters"),
        ("stratagem.envs.adapters.vector", "from stratagem.agents.tabular import q_learning"),
        ("stratagem.agents.tabular.other", "import stratagem.envs.games.collusion"),
        ("stratagem.agents.tabular.other", "from stratagem.envs.adapters.sb3 import x"),
        ("stratagem.agents.tabular.other", "from stratagem.making import make_env"),
        ("stratagem.cli.other", "import envs.core"),
        ("stratagem.cli.other", "from agents.tabular import q_learning"),
    ],
)
def test_a_module_that_breaks_the_contract_is_found(module: str, source: str) -> None:
    assert broken(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stratagem.envs.games.collusion.other", "from ...solvers.nash import x"),
        ("stratagem.agents.sb3.ppo", "from stratagem.envs.adapters.sb3 import LearnerVecEnv"),
        ("stratagem.cli.other", "from stratagem.agents.tabular.q_learning import QLearning"),
        ("stratagem.envs.core", "import numpy"),
    ],
)
def test_a_module_that_keeps_the_contract_passes(module: str, source: str) -> None:
    assert not broken(source, module)


def test_heavy_packages_are_imported_when_needed_only() -> None:
    """The SB3 adapter and the kernels need theirs; nothing imports those two at the top."""
    apart = ("stratagem.envs.adapters.sb3", "stratagem.envs.kernels")
    wrong = []
    for name, path in modules().items():
        if name.startswith(apart) or name.startswith(("stratagem.report", "stratagem.testing")):
            continue
        text, package = path.read_text(encoding="utf-8"), path.name == "__init__.py"
        for other in imports(text, name, package=package, lazy=False):
            if other.split(".")[0] in HEAVY or (other.startswith(apart) and name != apart[1]):
                wrong.append(f"{name} imports {other} at the top")
    assert not wrong, "\n".join(wrong)


def run(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    done = run("import stratagem, sys; print(*sys.modules)", tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "gymnasium" in loaded
    assert not loaded & set(HEAVY)


def test_a_second_copy_of_the_games_fails_loudly() -> None:
    done = run("import stratagem, envs", ROOT)
    assert done.returncode != 0
    assert "already registered" in done.stderr
