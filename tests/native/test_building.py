"""A library is built once and kept; whatever goes wrong, there is none, and no error."""

import ctypes
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from peftide.native import attention, building, int8, passes
from peftide.native.building import build, cache_folder, find_compiler

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="needs a C compiler called cc"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(building.SWITCH, raising=False)
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A source that compiles at once on any machine."""
    (tmp_path / "small.c").write_text("int answer(void) { return 42; }\n")
    monkeypatch.setattr(building, "files", lambda _package: tmp_path)
    return ["small.c"]


@needs_compiler
def test_a_library_is_built_once_and_kept(small: list[str]) -> None:
    first = build(small, has_bf16=False)
    assert first is not None
    assert first.answer() == 42
    (kept,) = cache_folder().iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    written = kept.stat().st_mtime_ns
    again = build(small, has_bf16=False)
    assert again is not None
    assert again.answer() == 42
    assert [*cache_folder().iterdir()] == [kept]
    assert kept.stat().st_mtime_ns == written


@needs_compiler
def test_sources_are_read_one_after_the_other(small: list[str], tmp_path: Path) -> None:
    (tmp_path / "large.c").write_text("int twice(void) { return 2 * answer(); }\n")
    both = build([*small, "large.c"], has_bf16=False)
    assert both is not None
    assert both.twice() == 84


@needs_compiler
def test_the_source_knows_the_units_of_the_cpu(small: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.c").write_text("int answer(void) { return HAS_BF16; }\n")
    for has_bf16 in (True, False):
        built = build(small, has_bf16=has_bf16)
        assert built is not None
        assert built.answer() == has_bf16


@needs_compiler
def test_another_source_is_another_library(small: list[str], tmp_path: Path) -> None:
    build(small, has_bf16=False)
    (tmp_path / "small.c").write_text("int answer(void) { return 43; }\n")
    changed = build(small, has_bf16=False)
    assert changed is not None
    assert changed.answer() == 43
    assert len([*cache_folder().iterdir()]) == 2


@needs_compiler
def test_a_library_that_others_can_write_is_built_anew(small: list[str]) -> None:
    build(small, has_bf16=False)
    (kept,) = cache_folder().iterdir()
    kept.unlink()  # a loaded library must not change under its process
    kept.write_bytes(b"not a library")
    kept.chmod(0o777)
    built = build(small, has_bf16=False)
    assert built is not None
    assert built.answer() == 42
    assert kept.stat().st_mode & 0o077 == 0


@needs_compiler
def test_a_damaged_library_is_built_for_this_process(small: list[str]) -> None:
    build(small, has_bf16=False)
    (kept,) = cache_folder().iterdir()
    kept.unlink()
    kept.write_bytes(b"not a library")
    kept.chmod(0o700)
    built = build(small, has_bf16=False)
    assert built is not None
    assert built.answer() == 42


@needs_compiler
def test_a_cache_folder_that_cannot_be_written(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    built = build(small, has_bf16=False)
    assert built is not None
    assert built.answer() == 42


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", 'echo > "$6"; exit 1', "exit 0"])
def test_a_compiler_that_fails_leaves_nothing(
    script: str, small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "broken"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert build(small, has_bf16=False) is None
    if script != "exit 0":
        assert [*cache_folder().iterdir()] == []


def test_no_compiler(small: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_compiler() is None
    assert build(small, has_bf16=False) is None
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build(small, has_bf16=False) is None


def test_the_switch_leaves_the_compiler_alone(
    small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(building.SWITCH, "0")
    assert build(small, has_bf16=False) is None
    assert not cache_folder().exists()


@needs_compiler
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the source is for x86-64")
@pytest.mark.parametrize("has_bf16", [False, True])
@pytest.mark.parametrize("module", [attention, int8, passes])
def test_each_source_compiles_without_warnings(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, has_bf16: bool
) -> None:
    monkeypatch.setattr(building, "FLAGS", (*building.FLAGS, "-Wall", "-Wextra", "-Werror"))
    assert isinstance(build(module.SOURCES, has_bf16=has_bf16), ctypes.CDLL)
