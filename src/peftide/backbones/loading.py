"""A backbone's name → the backbone, without any hidden network."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from peftide.backbones import BACKBONES
from peftide.backbones.architecture import Architecture
from peftide.backbones.backbone import LayeredBackbone, Origin
from peftide.backbones.checkpoint_files import check_folder, check_layers, count_layers
from peftide.backbones.cutting import shortened
from peftide.backbones.half import hold_half
from peftide.backbones.hub import find_snapshot
from peftide.backbones.identity import settings_of, vocabulary_sha256
from peftide.backbones.names import (
    ALIASES,
    BUNDLED,
    RANDOM_PREFIX,
    UNIREP_SIZES,
    check_backbone,
    hub_id_of,
    is_unirep,
    licence_of,
)
from peftide.backbones.quantised import check_base_bits, quantised_settings
from peftide.backbones.random_weights import draw_weights
from peftide.backbones.transformer import TransformerBackbone
from peftide.backbones.unirep_weights import load_unirep, random_unirep
from peftide.backbones.weights import (
    halve_from_files,
    require_safetensors,
    stored_names,
    stored_sha256,
    weights_sha256,
)
from peftide.backbones.wide_products import use_wide_products
from peftide.errors import BackboneError, InputError
from peftide.saved import MODEL_LIBRARY_ERRORS, read_object, shown
from peftide.tokens import read_vocabulary

RANDOM_WEIGHTS_SEED = 0
READ_BY_TRANSFORMERS = (
    *("config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
)
DOWNLOAD_AGAIN = "Download the backbone again, or copy its folder from where it is whole"
LONGEST_REASON = 300
MOST_LAYERS = 1000
LARGE = 100_000_000
"""Parameters of a model whose memory matters more than the time for fresh pages."""
QUANTISED_ON = torch.device("cuda")


@dataclass(frozen=True)
class LoadOptions:
    """How far loading may go: network or not, pickles or not, and which commit of a hub id.

    Attributes
    ----------
    base_bits
        4 or 8: hold the matrices in so many bits; None: all weights in 32.
    layer
        0-based layer after which the backbone ends; None: the last.
    dtype
        Number type of the matrices in the layers; everything else is in fp32.
    """

    offline: bool = False
    allow_bin: bool = False
    revision: str | None = None
    base_bits: int | None = None
    layer: int | None = None
    dtype: torch.dtype = torch.float32


def load_backbone(name: str, *, options: LoadOptions | None = None) -> LayeredBackbone:
    """Load a protein language model.

    Parameters
    ----------
    name
        `mini` (the bundled one), folder, hub id (`facebook/esm2_t12_35M_UR50D`), alias
        (`esm2_t12_35M`), `unirep`, `unirep_256` or `unirep_64`, or `random:<alias>`: the same
        architecture with random weights, always the same ones.

    Raises
    ------
    BackboneError
        If it cannot be had, is of an unknown family, or holds pickled weights only.
    InputError
        If its weights cannot be held in as few bits as asked for, or it has no such layer.

    Examples
    --------
    >>> backbone = load_backbone("random:esm2_tiny")
    >>> backbone.layers, backbone.width
    (2, 32)
    """
    options = options or LoadOptions()
    check_base_bits(options.base_bits)
    if name.startswith(RANDOM_PREFIX):
        if options.base_bits is not None:
            raise InputError(
                f"received {options.base_bits}, but {name} has random weights",
                expected="a backbone with trained weights",
                where="--base-bits",
            )
        return _random_backbone(name, options.layer, options.dtype)
    if is_unirep(name):
        unirep = load_unirep(name, base_bits=options.base_bits, layer=options.layer)
        hold_half(unirep, options.dtype)  # before an adapter covers its matrices
        return unirep
    folder, revision = find_folder(name, options)
    return _stored_backbone(name, folder, revision=revision, options=options)


def _random_backbone(name: str, layer: int | None, dtype: torch.dtype) -> LayeredBackbone:
    check_backbone(name)
    alias = name.removeprefix(RANDOM_PREFIX)
    if alias in UNIREP_SIZES:
        with torch.random.fork_rng():
            torch.manual_seed(RANDOM_WEIGHTS_SEED)
            unirep = random_unirep(alias, prefix=RANDOM_PREFIX, layer=layer)
        hold_half(unirep, dtype)
        return unirep
    config = shortened(ALIASES[alias][1](), layer)
    architecture = BACKBONES[config.model_type]
    with torch.device("meta"):
        model = architecture.random_model(config)
    sha256 = draw_weights(model, layer_prefix=architecture.layer_prefix, dtype=dtype)
    return _assemble(model, architecture, name=name, folder=None, revision=None, sha256=sha256)


def find_folder(name: str, options: LoadOptions) -> tuple[Path, str | None]:
    """Return the folder of a checkpoint, and its revision if it came from a hub.

    A bundled backbone goes before a folder of the same name (write `./mini` for that).

    Raises
    ------
    BackboneError
        If there is no such folder, alias or reachable hub id.
    """
    check_backbone(name)
    if name in BUNDLED:
        return Path(__file__).parent / name, None
    if Path(name).is_dir():
        return Path(name), None
    hub_id = hub_id_of(name)
    assert hub_id is not None  # `check_backbone` allows no other name
    return find_snapshot(
        hub_id,
        offline=options.offline,
        allow_bin=options.allow_bin,
        revision=options.revision,
    )


def _stored_backbone(
    name: str, folder: Path, *, revision: str | None, options: LoadOptions
) -> TransformerBackbone:
    check_folder(folder)
    with reading_errors(folder):
        backbone = _read_backbone(name, folder, revision=revision, options=options)
    if options.layer is None and backbone.architecture.output is not None:
        weights = require_safetensors(folder, allow_bin=options.allow_bin)
        backbone.output = backbone.architecture.output(weights, backbone.model)
    return backbone


@contextmanager
def reading_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of transformers about a damaged folder into one clear error.

    Raises
    ------
    BackboneError
        Names the file that is no JSON, or says what transformers found.
    """
    for path in (folder / name for name in READ_BY_TRANSFORMERS):
        if not path.exists():
            continue
        try:
            read_object(path, finite=False)
        except InputError as error:
            raise BackboneError(
                f"cannot read {error}", where="--backbone", fix=DOWNLOAD_AGAIN
            ) from error
    try:
        yield
    except (InputError, torch.OutOfMemoryError):
        raise
    except MODEL_LIBRARY_ERRORS as error:
        text = " ".join(str(error).split())[:LONGEST_REASON]
        raise BackboneError(
            f"{folder} cannot be read as a model ({type(error).__name__}: {text})",
            where="--backbone",
            fix=DOWNLOAD_AGAIN,
        ) from error


def _read_backbone(
    name: str, folder: Path, *, revision: str | None, options: LoadOptions
) -> TransformerBackbone:
    config = read_config(folder)
    architecture = find_architecture(config, name)
    weights = require_safetensors(folder, allow_bin=options.allow_bin)
    check_layers(count_layers(stored_names(weights), architecture.layer_prefix), config, weights)
    settings = {} if options.layer is None else {"config": shortened(config, options.layer)}
    if options.base_bits is None:
        model, sha256 = architecture.load(weights, **settings), None
        if options.dtype is not torch.float32:
            # tensors with other names are converted later, from a copy in fp32
            with suppress(KeyError):
                prefix = architecture.layer_prefix
                sha256 = halve_from_files(model, weights, layer_prefix=prefix, dtype=options.dtype)
        return _assemble(
            *(model, architecture), name=name, folder=folder, revision=revision, sha256=sha256
        )
    settings |= quantised_settings(options.base_bits, QUANTISED_ON)
    model = architecture.load(weights, **settings)
    backbone = _assemble(model, architecture, name=name, folder=folder, revision=revision)
    # of the file: what one GPU makes of it may differ from another's in the last bit
    backbone.origin = replace(backbone.origin, weights_sha256=stored_sha256(weights))
    return backbone


def find_architecture(config: Any, name: str) -> Architecture:
    """Return how peftide handles the family of a checkpoint.

    Raises
    ------
    BackboneError
        If the model is a decoder.
    """
    if getattr(config, "is_decoder", False):
        raise BackboneError(
            f"{name} is a decoder, in which a residue sees only those before it",
            expected="an encoder",
            where="--backbone",
        )
    return BACKBONES[config.model_type]


def read_config(folder: Path) -> Any:
    """Return the configuration of a checkpoint.

    Raises
    ------
    BackboneError
        If it is not there, cannot be read, or is of a family that peftide does not know.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, PretrainedConfig

    check_folder(folder)
    path = folder / "config.json"
    try:
        settings, _ = PretrainedConfig.get_config_dict(folder, local_files_only=True)
        family = settings.get("model_type")
        _check_depth(settings, path)
        # an unknown one is not for transformers to read: it would blame its own age
        known = family in BACKBONES
        config = AutoConfig.from_pretrained(folder, local_files_only=True) if known else None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        StrictDataclassError,
    ) as error:
        if isinstance(error, BackboneError):
            raise
        raise BackboneError(f"cannot read {path}: {error}") from error
    if config is None:
        raise BackboneError(
            f"{folder} holds a model of type {family!r}",
            expected=f"one of {', '.join(BACKBONES)}",
            where="--backbone",
            fix="Models that generate text (decoders) are not taken: name an encoder",
        )
    return config


def _check_depth(settings: dict[str, Any], path: Path) -> None:
    """Refuse a number of layers that could not even be built."""
    for key in ("num_hidden_layers", "num_layers", "num_decoder_layers"):
        layers = settings.get(key) or 0
        if isinstance(layers, int | float) and layers > MOST_LAYERS:
            raise BackboneError(
                f"{key}: received {shown(layers)}",
                expected=f"at most {MOST_LAYERS:,}",
                where=path,
                fix=DOWNLOAD_AGAIN,
            )


def _assemble(
    model: Any,
    architecture: Architecture,
    *,
    name: str,
    folder: Path | None,
    revision: str | None,
    sha256: str | None = None,
) -> TransformerBackbone:
    """Return a backbone around a frozen model; `sha256` of its weights is computed if not given."""
    model.requires_grad_(False).eval()
    use_wide_products(model)
    if folder is not None and revision is None and name not in BUNDLED:
        name = str(folder.resolve())
    vocabulary = read_vocabulary(architecture.tokenizer(folder))
    return TransformerBackbone(
        model,
        architecture=architecture,
        vocabulary=vocabulary,
        origin=Origin(
            name=name,
            model_type=model.config.model_type,
            revision=revision,
            weights_sha256=weights_sha256(model) if sha256 is None else sha256,
            vocabulary_sha256=vocabulary_sha256(vocabulary),
            settings=settings_of(model.config),
            licence=licence_of(name),
        ),
    )
