"""Folders that look like what people have on their disks are named for what they are."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from peftide.backbones.checkpoint_files import stored_files
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.errors import BackboneError
from tests.conftest import save_checkpoint

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 31420000\n"


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


def lengthened(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes() + b"\0" * 10)


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def as_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "lab/base"}')


def one_level_up(folder: Path) -> None:
    (folder / "inside").mkdir()
    (folder / "config.json").rename(folder / "inside" / "config.json")


def with_layers(folder: Path, count: int) -> None:
    config = folder / "config.json"
    text = config.read_text()
    config.write_text(text.replace('"num_hidden_layers": 2', f'"num_hidden_layers": {count}'))


def sharded(folder: Path, *, pickled: bool = False) -> list[Path]:
    """Divide the weights of a checkpoint into two shards with an index."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    stem, ending = ("pytorch_model", "bin") if pickled else ("model", "safetensors")
    parts = {f"{stem}-0000{k + 1}-of-00002.{ending}": sorted(tensors)[k::2] for k in (0, 1)}
    for file, names in parts.items():
        chosen = {name: tensors[name] for name in names}
        if pickled:
            torch.save(chosen, folder / file)
        else:
            save_file(chosen, folder / file, metadata={"format": "pt"})
    index = {
        "metadata": {},
        "weight_map": {name: file for file, names in parts.items() for name in names},
    }
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps(index))
    return [folder / file for file in parts]


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (emptied, "is empty.*; expected a folder saved by transformers"),
    "adapter": (as_adapter, "PEFT adapter, not a backbone.*lab/base"),
    "run": (lambda f: (f / "bundle.json").write_text("{}"), "is a run of `peftide train`"),
    "folder above": (one_level_up, "no config.json.*Did you mean .*inside"),
    "pointer": (
        lambda f: (f / "model.safetensors").write_text(POINTER),
        r"model\.safetensors is a pointer of Git LFS.*31 MB.*git lfs pull",
    ),
    "pointer config": (
        lambda f: (f / "config.json").write_text(POINTER),
        r"config\.json is a pointer of Git LFS",
    ),
    "web page": (
        lambda f: (f / "vocab.txt").write_text("<!DOCTYPE html><html>sign in</html>"),
        r"vocab\.txt is a web page",
    ),
    "half": (
        lambda f: cut(f / "model.safetensors", 0.5),
        r"is cut off: it holds \d+ kB of \d+ kB.*[Dd]ownload",
    ),
    "cut header": (lambda f: cut(f / "model.safetensors", 0.01), "is cut off: it holds"),
    "nothing": (lambda f: cut(f / "model.safetensors", 0), "is empty"),
    "no safetensors": (
        lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 100),
        "is no safetensors file, or damaged",
    ),
    "too long": (
        lengthened,
        "longer than its header says",
    ),
    "fewer layers": (lambda f: with_layers(f, 1), r"have 2 layers, but config\.json says 1"),
    "more layers": (lambda f: with_layers(f, 3), r"have 2 layers, but config\.json says 3"),
    "missing shard": (lambda f: sharded(f)[1].unlink(), "lacks 1 of 2 shards.*model-00002-of"),
    "missing pickled shard": (
        lambda f: sharded(f, pickled=True)[0].unlink(),
        "lacks 1 of 2 shards.*pytorch_model-00001-of",
    ),
    "missing index": (
        lambda f: [sharded(f), (f / "model.safetensors.index.json").unlink()],
        r"shards of weights but no model\.safetensors\.index\.json",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_is_named_for_what_it_is(tmp_path: Path, fault: str) -> None:
    folder = save_checkpoint(tmp_path / "checkpoint")
    change, said = FAULTS[fault]
    change(folder)
    with pytest.raises(BackboneError, match=said):
        load_backbone(str(folder), options=LoadOptions(allow_bin=True))


@pytest.mark.parametrize("pickled", [False, True])
def test_shards_are_read_as_the_whole(tmp_path: Path, pickled: bool) -> None:
    folder = save_checkpoint(tmp_path)
    whole = load_backbone(str(folder)).origin
    sharded(folder, pickled=pickled)
    found = load_backbone(str(folder), options=LoadOptions(allow_bin=pickled)).origin
    assert found == whole


def test_an_index_names_only_files_of_its_folder(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path / "checkpoint")
    sharded(folder)
    (tmp_path / "outside.safetensors").write_bytes(b"")
    index = {"weight_map": {"a": "../outside.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BackboneError, match="lacks 1 of 1 shards"):
        stored_files(folder, "model.safetensors")


@pytest.mark.parametrize("place", ["vocab.txt", "tokenizer/vocab.txt"])
def test_a_vocabulary_beside_or_above_is_named(tmp_path: Path, place: str) -> None:
    folder = save_checkpoint(tmp_path / "weights")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (folder / "vocab.txt").rename(tmp_path / place)
    with pytest.raises(BackboneError, match=rf"holds no alphabet.*Copy \S+/{place} into"):
        load_backbone(str(folder))
