"""The settings of a process that belongs to peftide; nobody else's is touched."""

import ctypes
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from peftide.process import SETTINGS, is_prepared, keep_freed_memory, prepare_process


def test_a_prepared_process_has_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.process._prepared", False)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    assert not is_prepared()
    prepare_process()
    assert is_prepared()
    assert {name: os.environ[name] for name in SETTINGS} == SETTINGS


def test_the_user_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.process._prepared", False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_it_comes_before_torch() -> None:
    """Libraries read the settings when they load."""
    code = "import sys, peftide.process; print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_freed_memory_is_kept_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are glibc's, of malloc.h."""
    said: dict[int, int] = {}
    library = SimpleNamespace(mallopt=said.__setitem__)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    keep_freed_memory()
    assert said == {-1: 2**31 - 1, -2: 2**28, -4: 0}


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    keep_freed_memory()
