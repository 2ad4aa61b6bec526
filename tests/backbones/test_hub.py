"""The cache first; without network one message that says what to do."""

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from peftide.backbones.hub import find_snapshot
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.errors import BackboneError

REVISION = "a" * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def put_into_cache(cache: Path, checkpoint: Path) -> Path:
    """Lay a checkpoint down as `lab/tiny`, as the hub's client does."""
    home = cache / "models--lab--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(REVISION)
    return shutil.copytree(checkpoint, home / "snapshots" / REVISION)


class Network:
    """Stands in for the hub's client: nothing is in the cache, and it counts downloads."""

    def __init__(self, error: Exception | None = None, folder: Path | None = None) -> None:
        self.error, self.folder, self.downloads = error, folder, 0

    def snapshot_download(self, _hub_id: str, **options: Any) -> str:
        if options.get("local_files_only"):
            raise LocalEntryNotFoundError("not in the cache")
        self.downloads += 1
        if self.error:
            raise self.error
        return str(self.folder)


def test_a_cached_checkpoint_is_found_with_its_revision(cache: Path, esm2_folder: Path):
    snapshot = put_into_cache(cache, esm2_folder)
    assert find_snapshot("lab/tiny", offline=True) == (snapshot, REVISION)


def test_a_cached_checkpoint_loads_under_its_hub_id(cache: Path, esm2_folder: Path):
    put_into_cache(cache, esm2_folder)
    origin = load_backbone("lab/tiny", options=LoadOptions(offline=True)).origin
    assert (origin.name, origin.revision) == ("lab/tiny", REVISION)
    assert origin.weights_sha256 == load_backbone(str(esm2_folder)).origin.weights_sha256


def test_offline_says_how_to_get_the_checkpoint(monkeypatch: pytest.MonkeyPatch):
    network = Network()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", network.snapshot_download)
    with pytest.raises(BackboneError) as caught:
        find_snapshot("lab/tiny", offline=True)
    assert network.downloads == 0
    for part in ["--backbone: the backbone lab/tiny cannot be had", "--offline is set"]:
        assert part in str(caught.value)
    for way_out in ["hf download lab/tiny --local-dir FOLDER", "--backbone mini"]:
        assert way_out in caught.value.fix


@pytest.mark.parametrize(
    "error", [LocalEntryNotFoundError("no"), ConnectionError("no"), ValueError("no")]
)
def test_a_failing_network_is_the_same_one_error(monkeypatch: pytest.MonkeyPatch, error: Exception):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Network(error).snapshot_download)
    with pytest.raises(BackboneError, match=f"the hub gave {type(error).__name__}") as caught:
        find_snapshot("lab/tiny", offline=False)
    assert "hf download" in caught.value.fix


def test_a_download_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    network = Network(folder=tmp_path / REVISION)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", network.snapshot_download)
    with caplog.at_level("INFO"):
        assert find_snapshot("lab/tiny", offline=False) == (tmp_path / REVISION, REVISION)
    assert caplog.messages == ["downloading lab/tiny from the hub"]


def test_a_download_that_broke_off_is_not_taken_for_a_checkpoint(cache: Path, esm2_folder: Path):
    snapshot = put_into_cache(cache, esm2_folder)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(BackboneError, match="--offline is set"):
        find_snapshot("lab/tiny", offline=True)


def test_pickled_weights_are_downloaded_only_when_allowed(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def snapshot_download(_hub_id: str, *, allow_patterns: list[str], **_: object) -> str:
        asked.append("pytorch_model*.bin" in allow_patterns)
        raise LocalEntryNotFoundError("no")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    for allow_bin in (False, True):
        with pytest.raises(BackboneError):
            find_snapshot("lab/tiny", offline=True, allow_bin=allow_bin)
    assert asked == [False, True]


@pytest.mark.parametrize("name", ["my model/x", "a--b/c", "-x/y"])
def test_a_name_that_is_no_hub_id_is_an_error(name: str):
    with pytest.raises(BackboneError, match="no hub id either"):
        find_snapshot(name, offline=True)
