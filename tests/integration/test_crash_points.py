"""A command killed at any change of the file system goes on by itself, or by `--resume`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOME = ("split --overwrite", "audit --out", "embed", "predict", "evaluate --overwrite")
SOME += ("train --overwrite", "pretrain")


def faults(folder: Path, *words: str) -> dict[str, dict]:
    """Run the harness in one process, which imports torch once; return its result by command."""
    found = folder / "found.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.crash_points", *words),
            *("--json", str(found), "--keep", str(folder / "left")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(found.read_text())


def test_some_points_of_each_kind_of_command(tmp_path: Path) -> None:
    result = faults(tmp_path, *SOME, "--points", "4")
    assert {*result} == {*SOME}
    for found in result.values():
        assert found["points"] > found["tried"] == 4
        assert found["faults"] == {}


@pytest.mark.slow
def test_every_point_of_every_command(tmp_path: Path) -> None:
    result = faults(tmp_path)
    assert all(found["tried"] == found["points"] for found in result.values())
    assert all(found["faults"] == {} for found in result.values())
