"""A command killed at any change of the file system goes on by itself, or by `--resume`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FEW = {
    "split --overwrite": 4,
    "audit --out": 4,
    "embed": 6,
    "predict": 8,
    "evaluate --overwrite": 12,
    "train --overwrite": 40,
    "pretrain": 40,
}
"""Case → every n-th point that is tried."""


def assert_no_faults(folder: Path, case: str, *, every: int) -> None:
    found = folder / "found.json"
    words = [case, "--every", str(every), "--json", str(found), "--keep", str(folder / "left")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash_points", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(found.read_text())[case]
    assert result["points"] >= result["tried"] >= 2
    assert result["faults"] == {}


@pytest.mark.parametrize("case", FEW)
def test_some_points_of_a_command(tmp_path: Path, case: str) -> None:
    assert_no_faults(tmp_path, case, every=FEW[case])


@pytest.mark.slow
def test_every_point_of_every_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash_points", "--keep", str(tmp_path / "left")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
