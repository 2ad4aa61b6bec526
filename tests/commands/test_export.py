"""`peftide export`: from a run to ONNX graphs. Their numbers: tests/exporting/test_onnx.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

import peftide
from peftide.commands import export as module
from peftide.config import ExportConfig
from peftide.errors import InputError


def test_graphs_record_and_page_are_written_and_nothing_else(
    trained: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_bundle: object, checkpoint: Path, folder: Path) -> None:
        assert (checkpoint / "model.safetensors").is_file()
        for name in ("encoder.onnx", "head.onnx"):
            (folder / name).write_bytes(b"")

    monkeypatch.setattr("peftide.exporting.onnx.write_onnx", write)
    out = peftide.export(ExportConfig(run=trained("ppi", "lora"), out=tmp_path / "graphs"))
    names = {path.name for path in out.iterdir()}
    assert names == {"encoder.onnx", "head.onnx", "model.json", "README.md", "run.json"}


def test_a_model_without_a_form_leaves_nothing_behind(
    trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no ONNX form"):
        peftide.export(ExportConfig(run=trained("variants", "head"), out=tmp_path / "graphs"))
    assert not (tmp_path / "graphs").exists()


def test_a_missing_library_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *, extra: str) -> None:
        raise InputError(f"{name} is not installed", fix=f"pip install 'peftide[{extra}]'")

    monkeypatch.setattr(module, "require_library", missing)
    with pytest.raises(InputError, match=r"peftide\[onnx\]"):
        peftide.export(ExportConfig(run=tmp_path, out=tmp_path / "graphs"))
