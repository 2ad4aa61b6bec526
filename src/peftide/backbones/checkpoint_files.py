"""The files of a checkpoint: a folder comes in; its weight files, or the name of the fault."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from peftide.errors import BackboneError
from peftide.quantities import byte_size

SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
INDEX = ".index.json"
ADAPTER = "adapter_config.json"
READ_ENDINGS = {".json", ".txt", ".model", ".safetensors", ".bin"}
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
WEB_PAGES = (b"<!doctype html", b"<html")
HEADER_LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000
SHARD = re.compile(r"-\d+-of-(\d+)\.")
CHECKPOINT = "a folder saved by transformers (config.json, weights, tokenizer files)"
AGAIN = "Download the checkpoint again (`hf download ID --local-dir FOLDER`)"


def check_folder(folder: Path) -> None:
    """Refuse a folder that is no checkpoint of a backbone, and say what it is.

    Raises
    ------
    BackboneError
        If it is empty, an adapter, a run of peftide, or holds stand-ins for files.
    """
    try:
        _check_kind(folder)
        for path in sorted(folder.iterdir()):
            if path.suffix in READ_ENDINGS and not path.is_dir():
                _check_content(path)
    except OSError as error:
        raise BackboneError(f"cannot read {folder}: {error}", where="--backbone") from error


def _check_kind(folder: Path) -> None:
    if not any(folder.iterdir()):
        _refuse(f"{folder} is empty, so it holds no config.json", fix=AGAIN, expected=CHECKPOINT)
    if (folder / ADAPTER).is_file():
        base = _json(folder / ADAPTER).get("base_model_name_or_path")
        _refuse(
            f"{folder} holds a PEFT adapter, not a backbone",
            expected=CHECKPOINT,
            fix=f"Pass the model that the adapter was trained on{f': {base}' if base else ''}",
        )
    if (folder / "bundle.json").is_file() or (folder / "model" / "bundle.json").is_file():
        _refuse(
            f"{folder} is a run of `peftide train`, not a backbone",
            expected=CHECKPOINT,
            fix="Use it with `peftide predict RUN` or `peftide embed --run RUN`",
        )
    if not (folder / "config.json").is_file():
        inside = [path.parent for path in sorted(folder.glob("*/config.json"))]
        _refuse(
            f"{folder} holds no config.json",
            expected=CHECKPOINT,
            fix=f"Did you mean {inside[0]}?" if inside else "",
        )


def _check_content(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(200)
    if start.startswith(LFS_POINTER):
        size = re.search(rb"\nsize (\d+)", start)
        wanted = f" (the file has {byte_size(int(size[1]))})" if size else ""
        _refuse(
            f"{path} is a pointer of Git LFS; the file itself was not downloaded{wanted}",
            fix="Run `git lfs pull` in the clone, or download the files with `hf download`",
        )
    if start.lstrip().lower().startswith(WEB_PAGES):
        _refuse(f"{path} is a web page, not a file of a checkpoint", fix=AGAIN)
    if not start and path.suffix in (".json", ".safetensors", ".bin"):
        _refuse(f"{path} is empty", fix=AGAIN)


def require_one_of(folder: Path, names: Sequence[str], *, what: str) -> None:
    """Refuse a folder without any of these files; if one lies beside or above it, name that one.

    Parameters
    ----------
    what
        Kind of the files, for the error message.

    Raises
    ------
    BackboneError
        Names the path of the file to copy.
    """
    if any((folder / name).is_file() for name in names):
        return
    parent = folder.resolve().parent
    near = [parent / name for name in names if (parent / name).is_file()]
    near += [path for name in names for path in sorted(parent.glob(f"*/{name}"))]
    _refuse(
        f"{folder} holds no {what}",
        expected=" or ".join(names),
        fix=f"Copy {near[0]} into {folder}, if it belongs to this checkpoint" if near else AGAIN,
    )


def stored_files(folder: Path, name: str) -> list[Path]:
    """Return the file or the shards that hold the weights; none if the folder has neither.

    Parameters
    ----------
    name
        `SAFETENSORS` or `PICKLED`.

    Raises
    ------
    BackboneError
        If a shard or the index of shards is missing.
    """
    index = folder / (name + INDEX)
    if (folder / name).is_file():
        return [folder / name]
    stem, _, ending = name.rpartition(".")
    found = sorted(folder.glob(f"{stem}-*-of-*.{ending}"))
    if not index.is_file():
        if found:
            _refuse(f"{folder} holds shards of weights but no {index.name}", fix=AGAIN)
        return []
    named = _json(index).get("weight_map")
    if not isinstance(named, dict) or not named:
        _refuse(f"{index} names no shards", fix=AGAIN)
    shards = sorted({str(shard) for shard in named.values()})
    missing = [shard for shard in shards if not _is_inside(folder, shard)]
    if missing:
        _refuse(
            f"{folder} lacks {len(missing)} of {len(shards)} shards of its weights: "
            f"{', '.join(missing[:3])}",
            fix=AGAIN,
        )
    return [folder / shard for shard in shards]


def _is_inside(folder: Path, name: str) -> bool:
    return Path(name).name == name and (folder / name).is_file()


def check_safetensors(path: Path) -> dict[str, Any]:
    """Return the header of a safetensors file, after comparing it with the file's size.

    Raises
    ------
    BackboneError
        If the file is cut off, or no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(HEADER_LENGTH_BYTES), "little")
        text = stream.read(min(length, LONGEST_HEADER))
    if length > LONGEST_HEADER or not text.startswith(b"{"):
        _refuse(f"{path} is no safetensors file, or damaged", fix=AGAIN)
    try:
        header = json.loads(text)
        tensors = {k: v for k, v in header.items() if k != "__metadata__"}
        end = max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if len(text) < length:
            _refuse_cut(path, size, expected="")
        raise BackboneError(
            f"{path} is damaged: its header cannot be read", where="--backbone", fix=AGAIN
        ) from error
    whole = HEADER_LENGTH_BYTES + length + end
    if size < whole:
        _refuse_cut(path, size, expected=f" of {byte_size(whole)}")
    if size > whole:
        _refuse(f"{path} is damaged: it is longer than its header says", fix=AGAIN)
    return tensors


def _refuse_cut(path: Path, size: int, *, expected: str) -> NoReturn:
    _refuse(f"{path} is cut off: it holds {byte_size(size)}{expected}", fix=AGAIN)


def count_layers(names: Iterator[str], layer_prefix: str) -> int:
    """Return the number of layers that the names of some tensors belong to.

    Examples
    --------
    >>> names = ["esm.encoder.layer.0.w", "esm.encoder.layer.11.w", "decoder.block.40.w"]
    >>> count_layers(iter(names), "encoder.layer")
    12
    """
    layer = re.compile(rf"(?:^|\.){re.escape(layer_prefix)}\.(\d{{1,9}})\.")
    return max((int(found[1]) + 1 for found in map(layer.search, names) if found), default=0)


def check_layers(found: int, config: Any, folder: Path) -> None:
    """Refuse weights with another number of layers than the configuration names.

    Raises
    ------
    BackboneError
        Names both numbers.
    """
    if found and found != config.num_hidden_layers:
        _refuse(
            f"the weights in {folder} have {found} layers, but config.json says "
            f"{config.num_hidden_layers}",
            fix=f"config.json and weights belong to different checkpoints. {AGAIN}",
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(f"{path} is damaged: {error}", where="--backbone", fix=AGAIN) from error
    return content if isinstance(content, dict) else {}


def _refuse(received: str, *, fix: str, expected: str = "") -> NoReturn:
    raise BackboneError(received, expected=expected, where="--backbone", fix=fix)
