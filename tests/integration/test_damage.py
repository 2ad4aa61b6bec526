"""Killed commands go on by themselves or by `--resume`; damaged inputs are read right or refused.

Short runs of `benchmarks/crash_points.py` and `benchmarks/fuzz.py`, in one process of their own:
it imports everything once, and forks.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.cases import CASES
from benchmarks.fuzz import KINDS

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("split --overwrite", "audit --out", "embed", "predict", "evaluate --overwrite")
COMMANDS += ("train --overwrite", "pretrain")
WHOLE_COMMANDS = {"command", "finished"}
"""Kinds of damaged inputs that take seconds each."""


def run(code: str) -> str:
    """Run code in a new process, which must succeed; return what it said."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_some_crash_points_and_damaged_inputs_of_each_kind() -> None:
    points, kinds = [*COMMANDS, "--points", "2"], [*(KINDS.keys() - WHOLE_COMMANDS)]
    inputs = ["--inputs", "150", "--processes", "1", "--kinds", *sorted(kinds)]
    said = run(
        "import sys; from benchmarks import crash_points, fuzz;"
        f"sys.exit(crash_points.main({points}) or fuzz.main({inputs}))"
    )
    assert said.count(" 2 tried ") == len(COMMANDS)
    assert said.count(" 0 bad") == len(COMMANDS)
    assert all(f"| {kind} | " in said for kind in kinds)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_crash_point(name: str) -> None:
    run(f"import sys; from benchmarks import crash_points; sys.exit(crash_points.main([{name!r}]))")


@pytest.mark.slow
def test_many_damaged_inputs() -> None:
    run("import sys; from benchmarks import fuzz; sys.exit(fuzz.main(['--inputs', '5000']))")
