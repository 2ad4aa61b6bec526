"""A short run of `benchmarks/fuzz.py`: damaged inputs are read right or refused, never more."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz.py"


def fuzz(inputs: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FUZZ), "--inputs", str(inputs), "--processes", "1", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_input_of_a_short_run_is_a_fault() -> None:
    kinds = ["yaml", "options", "bundle", "resume point", "store", "baselines", "report", "split"]
    done = fuzz(150, "--kinds", *kinds, "backbone")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_no_input_of_a_long_run_is_a_fault() -> None:
    done = fuzz(5000)
    assert done.returncode == 0, done.stdout
