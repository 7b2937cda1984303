"""The pictures of friction and frontiers, made by their command."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "disengagement_figures.py"


def test_the_pictures_and_their_numbers_are_written_to_the_folder_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    spec = spec_from_file_location("disengagement_figures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script: Any = module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr("sys.argv", ["figures", str(tmp_path), "--frictions=2"])
    script.main()
    for name in ("friction", "frontier"):
        assert (tmp_path / f"disengagement_{name}.png").read_bytes()[1:4] == b"PNG"
    lines = (tmp_path / "disengagement_friction.csv").read_text().splitlines()
    assert lines[0] == "preset,friction,optimum,burn,climb,share,burnt_share"
    assert lines[1] == "friction_paradox,0,18.6,18.6,18.0781,0.6,0.6"
    points = (tmp_path / "disengagement_frontier.csv").read_text().splitlines()
    assert "two_thresholds,0.2,efficient,16.9964,0.918447" in points
    for wrong in ([str(tmp_path / "none")], [str(tmp_path), "--frictions=1"]):
        monkeypatch.setattr("sys.argv", ["figures", *wrong])
        with pytest.raises(SystemExit):
            script.main()
