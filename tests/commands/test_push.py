"""`peftide push`: which model goes where. The transfer itself: tests/exporting/test_hub.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

import peftide
from peftide.commands import push as module
from peftide.config import PushConfig
from peftide.errors import InputError


def test_the_model_folder_goes_out_privately(
    trained: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def note(folder: Path, repository: str, *, public: bool, overwrite: bool) -> str:
        asked.append((folder, repository, public, overwrite))
        return "address"

    monkeypatch.setattr(module, "push_model", note)
    run = trained("ppi", "lora")
    assert peftide.push(PushConfig(run=run, repository="lab/tiny")) == "address"
    assert asked == [(run / "model", "lab/tiny", False, False)]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bundle\.json"):
        peftide.push(PushConfig(run=tmp_path, repository="lab/tiny"))
