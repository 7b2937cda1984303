import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEEDS = {"audit_sb3": "stable_baselines3", "sb3_ppo": "stable_baselines3", "cleanrl_ppo": "torch"}
OPTIONS = {"cleanrl_ppo": ["--periods", "4096"]}
LENGTH = {"cleanrl_ppo": 160}  # an algorithm in one file


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_from_elsewhere_without_a_warning(path: Path, tmp_path: Path) -> None:
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])
    command = [sys.executable, "-W", "error", str(path), *OPTIONS.get(path.stem, [])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert len(done.stdout.splitlines()) >= 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_about_a_screen_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LENGTH.get(path.stem, 90)


def test_the_examples_cover_every_view() -> None:
    names = {path.stem for path in EXAMPLES}
    views = {"gymnasium_loop", "vector_loop", "pettingzoo_parallel", "pettingzoo_aec", "sb3_ppo"}
    assert views | {"own_game"} <= names
