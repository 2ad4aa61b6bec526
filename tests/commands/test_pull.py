"""`peftide pull`: from a repository to a folder. The transfer: tests/exporting/test_hub.py."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import peftide
from peftide.commands import pull as module
from peftide.config import PullConfig
from peftide.errors import HubError, InputError


def test_the_folder_predicts_and_is_replaced_only_on_request(
    trained: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained("regression", "head") / "model"

    def copy(_repository: str, folder: Path, *, revision: str | None) -> None:
        assert revision == "v1"
        shutil.copytree(model, folder)

    monkeypatch.setattr(module, "pull_model", copy)
    config = PullConfig(repository="lab/tiny", out=tmp_path / "pulled", revision="v1")
    out = peftide.pull(config)
    assert {path.name for path in out.iterdir()} == {"model", "run.json"}
    assert len(peftide.load(out, device="cpu", threads=1).predict(["MKTAYIAKQR"])) == 1
    with pytest.raises(InputError, match="exists"):
        peftide.pull(config)
    peftide.pull(PullConfig(**{**vars(config), "overwrite": True}))


def test_a_hub_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HubError("the hub cannot be reached", fix="Check the network")

    monkeypatch.setattr(module, "pull_model", fail)
    with pytest.raises(HubError):
        peftide.pull(PullConfig(repository="lab/tiny", out=tmp_path / "pulled"))
    assert not (tmp_path / "pulled").exists()
