"""Weights on disk: safetensors only, converted once if the user allows it; and their hash."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from peftide.backbones.checkpoint_files import (
    INDEX,
    PICKLED,
    SAFETENSORS,
    check_safetensors,
    stored_files,
)
from peftide.backbones.half import halved_names
from peftide.errors import BackboneError
from peftide.files import written_whole
from peftide.quantities import count_of

CONVERTED_FOLDER = "peftide_safetensors"
SOURCE = "converted_from.json"
SMALL_FILES = {".json", ".txt", ".model"}


def require_safetensors(folder: Path, *, allow_bin: bool) -> Path:
    """Return a folder whose weights are safetensors: the one given, or a converted copy.

    Raises
    ------
    BackboneError
        If there are no weights, or only pickled ones and `allow_bin` is false.
    """
    stored = stored_files(folder, SAFETENSORS)
    for path in stored:
        check_safetensors(path)
    if stored:
        return folder
    pickled = stored_files(folder, PICKLED)
    if not pickled:
        raise BackboneError(
            f"{folder} holds no weights",
            expected=SAFETENSORS,
            where="--backbone",
            fix=f"If the repository has only {PICKLED}, pass --allow-bin",
        )
    if not allow_bin:
        raise BackboneError(
            f"{folder} holds its weights only as {pickled[0].name}, a pickle",
            expected=SAFETENSORS,
            where="--backbone",
            fix="Pass --allow-bin to read it once without running code and convert it",
        )
    return _convert(folder, pickled)


def _convert(folder: Path, pickled: Sequence[Path]) -> Path:
    """Return the folder of the converted copy; write it if there is none of these files."""
    converted = folder / CONVERTED_FOLDER
    states = {path.name: path.stat() for path in pickled}
    source = {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()}
    if _content(converted / SOURCE) == source:
        return converted
    with written_whole(converted) as partial:
        partial.mkdir(parents=True)
        tensors = {
            name: tensor.clone().contiguous()
            for path in pickled
            for name, tensor in _read_pickle(path).items()
        }
        save_file(tensors, partial / SAFETENSORS, metadata={"format": "pt"})
        (partial / SOURCE).write_text(json.dumps(source), encoding="utf-8")
        for path in folder.iterdir():
            if path.suffix in SMALL_FILES and not path.name.endswith(INDEX):
                shutil.copy(path, partial)
    return converted


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a pickle, without running any code in it."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, LookupError, RuntimeError, ValueError, UnpicklingError) as error:
        raise _no_weights(path) from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise _no_weights(path)
    return state


def _no_weights(path: Path) -> BackboneError:
    return BackboneError(
        f"{path} is damaged, or holds something other than tensors",
        expected="a pickle of named tensors (no code in it was run)",
        where="--backbone",
    )


def load_weights(
    model_class: Any, folder: Path, *, may_lack: str | None = None, **settings: Any
) -> tuple[Any, bool]:
    """Load a checkpoint in fp32, complete or not at all.

    Parameters
    ----------
    may_lack
        A module whose weights may be missing, for nothing uses it.
    **settings
        Further arguments of the model class. With `config`, the model may have fewer layers than
        the checkpoint.

    Returns
    -------
    The model, and whether the module that may be missing is.

    Raises
    ------
    BackboneError
        If the weights cannot be read or are incomplete: missing weights would be random.
    """
    try:
        with _quiet_transformers():
            # the module that may lack weights may have the shape of the whole model
            settings["ignore_mismatched_sizes"] = "config" in settings and may_lack is not None
            model, info = model_class.from_pretrained(
                folder,
                use_safetensors=True,
                output_loading_info=True,
                dtype=torch.float32,  # of a half-precision file too: trained weights are in fp32
                **settings,
            )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise BackboneError(f"cannot read the weights in {folder}: {error}") from error
    absent = {*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])}
    unused = {name for name in absent if may_lack and may_lack in name}
    missing = sorted(absent - unused)
    if missing:
        raise BackboneError(
            f"the weights in {folder} lack {count_of(len(missing), 'tensor')}, for instance "
            f"{missing[0]}",
            expected=f"a complete checkpoint for {model_class.__name__}",
            where="--backbone",
        )
    return model, bool(unused)


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Keep transformers from progress bars, and from reports of the head, which peftide omits."""
    from transformers.utils import logging

    before, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if has_bars:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if has_bars:
            logging.enable_progress_bar()


def weights_sha256(model: nn.Module) -> str:
    """Return one hash of all parameters and persistent buffers, by name, shape, type and bytes."""
    return tensors_sha256(model.state_dict())


@torch.no_grad()
def halve_from_files(
    model: nn.Module, folder: Path, *, layer_prefix: str, dtype: torch.dtype
) -> str:
    """Convert the matrices in the layers; return the hash of all weights before, in fp32.

    A model that was just loaded is mapped from its files and needs no memory yet. Here every tensor
    is read once by itself, so the memory never holds the model in fp32.

    Raises
    ------
    KeyError
        If a tensor has another name in the files.
    """
    places = {
        name: path for path in stored_files(folder, SAFETENSORS) for name in check_safetensors(path)
    }
    halved = halved_names(model, layer_prefix)
    files = {name: _only(name, places) for name in halved}

    def exact(name: str, tensor: Tensor) -> Tensor:
        if name not in halved:
            tensor.data = tensor.data.clone()  # no longer mapped
            return tensor
        with safe_open(places[files[name]], framework="pt") as file:
            found = file.get_tensor(files[name]).float()
        tensor.data = found.to(dtype, copy=True)
        return found

    state = model.state_dict(keep_vars=True)
    return named_sha256((name, exact(name, tensor)) for name, tensor in sorted(state.items()))


def _only(name: str, stored: Iterable[str]) -> str:
    """Return the one stored name that is a tensor's name, perhaps after the name of its model."""
    found = [each for each in stored if each == name or each.endswith(f".{name}")]
    if len(found) != 1:
        raise KeyError(name)
    return found[0]


def stored_names(folder: Path) -> Iterator[str]:
    """Yield the names of the tensors in a checkpoint's safetensors files."""
    for path in stored_files(folder, SAFETENSORS):
        yield from check_safetensors(path)


def stored_sha256(folder: Path) -> str:
    """Return one hash of the tensors in a checkpoint's files, whatever they become when loaded."""
    digest = hashlib.sha256()
    for path in stored_files(folder, SAFETENSORS):
        with safe_open(path, framework="pt") as stored:
            for name in sorted(stored.keys()):
                digest.update(tensors_sha256({name: stored.get_tensor(name)}).encode())
    return digest.hexdigest()


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return one hash of named tensors, whatever their order."""
    return named_sha256(sorted(tensors.items()))


def named_sha256(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """Return one hash of named tensors, which come in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(_raw_bytes(tensor))
    return digest.hexdigest()


def _raw_bytes(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data
