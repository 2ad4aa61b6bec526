"""The name of a backbone → a stand-in to measure on, and the shape of the real backbone.

A plan downloads no weights, because random weights of the same architecture cost the same. For a
large model only two layers are built. The whole model exists on torch's `meta` device, without
memory, so that its parameters are counted exactly.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from peftide.adapters import READS
from peftide.backbones import (
    Architecture,
    LayeredBackbone,
    Origin,
    TransformerBackbone,
    cut_below_training,
)
from peftide.backbones.cutting import shortened
from peftide.backbones.half import hold_half
from peftide.backbones.loading import (
    LoadOptions,
    find_architecture,
    find_folder,
    load_backbone,
    read_config,
)
from peftide.backbones.names import ALIASES, RANDOM_PREFIX, check_backbone, is_unirep
from peftide.backbones.wide_products import use_wide_products
from peftide.config import TrainConfig
from peftide.errors import BackboneError
from peftide.model import count_parameters
from peftide.tokens import read_vocabulary
from peftide.training.setting import adapt, layer_number, load_options

MOST_PARAMETERS = 250_000_000
"""Largest backbone that is built whole."""
MEASURED_LAYERS = 2


@dataclass(frozen=True)
class StandIn:
    """An adapted backbone to measure on, and the real backbone.

    Attributes
    ----------
    backbone
        Adapted stand-in; it has fewer layers if the real backbone is large.
    whole
        Adapted real backbone; it has no memory if it differs from the stand-in.
    notes
        Differences from the real training.
    """

    backbone: LayeredBackbone
    whole: LayeredBackbone
    notes: tuple[str, ...] = ()

    def layers_each(self, *, is_cut: bool) -> tuple[float, float]:
        """Return how many real layers each measured layer represents, below and above the cut.

        Parameters
        ----------
        is_cut
            Whether the frozen layers at the bottom run separately from the others.
        """
        cut, real = (cut_below_training(b) if is_cut else 0 for b in (self.backbone, self.whole))
        return real / max(cut, 1), (self.whole.layers - real) / (self.backbone.layers - cut)

    def parameters(self, model: nn.Module) -> tuple[dict[str, int], float]:
        """Return the parameter counts of the real model, and its ratio of trained parameters.

        Parameters
        ----------
        model
            The model around the measured backbone.
        """
        have, measured, whole = map(count_parameters, (model, self.backbone, self.whole))
        real = {kind: have[kind] - measured[kind] + whole[kind] for kind in have}
        return real, real["trained"] / have["trained"]

    def missing_bytes(self) -> float:
        """Return the size of the weights that the stand-in lacks."""
        real, built = (sum(p.nbytes for p in b.parameters()) for b in (self.whole, self.backbone))
        return float(real - built)


def stand_in(config: TrainConfig, dtype: torch.dtype = torch.float32) -> StandIn:
    """Return the adapted backbone that a plan measures on.

    Parameters
    ----------
    dtype
        Type of the products, in which frozen matrices are held.

    Raises
    ------
    BackboneError
        If the backbone does not exist, or its architecture is unknown without a download.
    InputError
        If the method does not fit the backbone.
    """
    options = load_options(config, dtype)
    if is_unirep(config.backbone.removeprefix(RANDOM_PREFIX)):
        backbone = load_backbone(config.backbone, options=options)
        adapt(backbone, config)
        return StandIn(backbone, backbone)
    settings, notes = shape_of(config.backbone, options)
    settings = shortened(settings, layer_number(config))
    architecture = find_architecture(settings, config.backbone)
    with torch.device("meta"):
        whole = bare_backbone(settings, architecture, config.backbone)
        hold_half(whole, options.dtype)
        adapt(whole, config)
        hold_half(whole, dtype)
    if sum(p.numel() for p in whole.parameters()) <= MOST_PARAMETERS:
        name = RANDOM_PREFIX + str(alias_of(config.backbone)) if notes else config.backbone
        backbone = load_backbone(name, options=options)
        adapt(backbone, config)
        return StandIn(backbone, backbone, notes)
    few = copy.deepcopy(settings)
    few.num_hidden_layers = MEASURED_LAYERS
    backbone = bare_backbone(few, architecture, config.backbone)
    hold_half(backbone, options.dtype)
    # one frozen and one trained layer, or two layers if all are of the same kind
    one_kind = whole.frozen_layers in (0, whole.layers)
    layers = "all" if one_kind else f"last:{MEASURED_LAYERS - 1}"
    reads_layers = "lora_layers" in READS.get(config.method, ())
    adapt(backbone, replace(config, lora_layers=layers) if reads_layers else config)
    said = (
        f"{config.backbone} is large: {MEASURED_LAYERS} of its {whole.layers} layers were "
        "measured and the others extrapolated; the number of parameters is exact"
    )
    return StandIn(backbone, whole, (*notes, said))


def shape_of(name: str, options: LoadOptions) -> tuple[Any, tuple[str, ...]]:
    """Return the configuration of a backbone, and a note if its weights are not on this machine.

    Raises
    ------
    BackboneError
        If the backbone does not exist, or its configuration is unknown without a download.
    """
    alias = alias_of(name)
    if name.startswith(RANDOM_PREFIX):
        check_backbone(name)
        return ALIASES[str(alias)][1](), ()
    try:
        folder, _ = find_folder(name, replace(options, offline=True))
    except BackboneError as error:
        if alias is None and name.count("/") == 1:
            raise BackboneError(
                f"the weights of {name} are not on this machine, and a plan downloads nothing",
                where="--backbone",
                fix=f"Plan with random weights of a known shape: {', '.join(ALIASES)}",
            ) from error
        if alias is None:
            raise
        said = (
            f"the weights of {name} are not on this machine: random weights of the same shape "
            "were measured"
        )
        return ALIASES[alias][1](), (said,)
    return read_config(folder), ()


def alias_of(name: str) -> str | None:
    """Return the alias of a backbone name or hub id.

    Examples
    --------
    >>> alias_of("facebook/esm2_t12_35M_UR50D"), alias_of("random:esm2_tiny"), alias_of("mini")
    ('esm2_t12_35M', 'esm2_tiny', None)
    """
    plain = name.removeprefix(RANDOM_PREFIX)
    by_hub_id = {hub_id: alias for alias, (hub_id, _) in ALIASES.items() if hub_id}
    return plain if plain in ALIASES else by_hub_id.get(plain)


def bare_backbone(settings: Any, architecture: Architecture, name: str) -> TransformerBackbone:
    """Return a frozen backbone with random weights and without their hash."""
    model = architecture.random_model(settings)
    model.requires_grad_(False).eval()
    use_wide_products(model)
    with torch.device("cpu"):
        vocabulary = read_vocabulary(architecture.tokenizer(None))
    origin = Origin(name, settings.model_type, None, "")
    return TransformerBackbone(
        model, architecture=architecture, vocabulary=vocabulary, origin=origin
    )
