import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import stratagem

ROOT = Path(__file__).parents[1]
GUIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = sorted((ROOT / "docs" / "environments").glob("*.md"))
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_CODE = [page for page in [*GUIDE, *PAGES] if CODE.search(page.read_text(encoding="utf-8"))]
MODULES = [
    "stratagem",
    *(m.name for m in pkgutil.walk_packages(stratagem.__path__, "stratagem.")),
]


def generator() -> ModuleType:
    spec = spec_from_file_location("gen_pages", ROOT / "docs" / "gen_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_check() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(ROOT / "docs" / "gen_pages.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_generated_pages_are_current() -> None:
    done = run_check()
    assert done.returncode == 0, done.stderr


def test_every_registered_game_has_a_page_that_is_linked() -> None:
    titles = [page.read_text(encoding="utf-8").split("\n# ")[1].split("\n")[0] for page in PAGES]
    assert sorted(titles) == sorted(stratagem.registry)
    assert "environments/*" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_a_stale_a_missing_and_a_left_over_page_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = generator()
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    assert pages.main(["--check"]) == 1
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    changed = next((tmp_path / "environments").glob("*.md"))
    changed.write_text(changed.read_text(encoding="utf-8") + "more", encoding="utf-8")
    assert pages.main(["--check"]) == 1
    assert changed.name in capsys.readouterr().err
    assert pages.main([]) == 0
    (tmp_path / "environments" / "gone.md").write_text("", encoding="utf-8")
    assert pages.main(["--check"]) == 1
    assert "gone.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"), [(0.2229272, "0.22293"), (-3e-17, "0"), (17.86666, "17.867"), (1.0, "1")]
)
def test_numbers_on_pages_have_five_significant_digits(value: float, text: str) -> None:
    assert generator().number(value) == text


def test_a_page_prints_the_benchmarks_of_its_game() -> None:
    game = stratagem.registry["LeverCoordination-v0"].build()
    page = (ROOT / "docs" / "environments" / "lever_coordination.md").read_text(encoding="utf-8")
    for name, benchmark in game.benchmarks().items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        found = [float(number) for number in row.split("|")[2:4]]
        assert found == pytest.approx(benchmark.solution.payoffs.tolist(), rel=1e-4)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    code = "\n".join(CODE.findall(page.read_text(encoding="utf-8")))
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [*GUIDE, *PAGES], ids=lambda page: page.name)
def test_the_formulas_of_a_page_can_be_typeset(page: Path) -> None:
    math = pytest.importorskip("docutils.utils.math.latex2mathml")
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL | re.M)
    for formula in re.findall(r"\$\$?([^$]+)\$\$?", text):
        math.tex2mathml(formula)


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.name)
def test_links_to_files_of_the_repository_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_make_targets_that_the_readme_names_exist() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"make (\w+)", readme))
    assert {"bench", "test"} <= named
    for target in named:
        assert f"\n{target}:" in made


def undocumented(source: str) -> list[str]:
    """Return public functions and classes without a docstring; overrides inherit theirs."""
    found = []

    def look(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            marks = {ast.unparse(mark) for mark in child.decorator_list}
            if not child.name.startswith("_") and not marks & {"override", "overload"}:
                if not ast.get_docstring(child):
                    found.append(f"{path}{child.name}")
                if isinstance(child, ast.ClassDef):
                    look(child, f"{path}{child.name}.")

    look(ast.parse(source), "")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name: str) -> None:
    if name.startswith("stratagem.envs.kernels"):
        pytest.importorskip("numba")
    if name == "stratagem.envs.adapters.sb3":
        pytest.importorskip("stable_baselines3")
    module = importlib.import_module(name)
    assert module.__doc__
    assert not undocumented(inspect.getsource(module))


def test_a_missing_docstring_is_found() -> None:
    source = "class A:\n    'Doc.'\n    def f(self): ...\n    def _g(self): ...\ndef h(): 'Doc.'"
    assert undocumented(source) == ["A.f"]
