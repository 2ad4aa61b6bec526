"""A backbone's name → a backbone to measure on, and the shape of the one it stands for.

No weights are downloaded for a plan: where they are not there, random ones of the same
architecture cost the same. Of a large model two layers are built, and the others exist without
memory (on torch's `meta` device), to be counted.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch

from peftide.backbones import (
    BACKBONES,
    Architecture,
    Origin,
    TransformerBackbone,
    cut_below_training,
)
from peftide.backbones.loading import (
    ALIASES,
    RANDOM_PREFIX,
    LoadOptions,
    find_architecture,
    find_folder,
    load_backbone,
    read_config,
)
from peftide.config import TrainConfig
from peftide.errors import BackboneError
from peftide.tokens import read_vocabulary
from peftide.training.setting import adapt, find_adapter, load_options

MOST_PARAMETERS = 250_000_000
"""Of a backbone that is built whole for a plan."""
MEASURED_LAYERS = 2


@dataclass(frozen=True)
class StandIn:
    """An adapted backbone to measure on, and what it stands for.

    Attributes
    ----------
    backbone
        Adapted; with fewer layers if the real one is large.
    whole
        The real one, adapted, where it is another: its tensors have no memory.
    notes
        What is not as it will be.
    """

    backbone: TransformerBackbone
    whole: TransformerBackbone
    notes: tuple[str, ...] = ()

    @property
    def is_reduced(self) -> bool:
        """Whether layers were left out."""
        return self.backbone is not self.whole

    def cuts(self) -> tuple[int, int]:
        """Return after how many layers the measured backbone and the whole one are cut; 0: not."""
        cut, real = (cut_below_training(b) for b in (self.backbone, self.whole))
        return cut, real

    def times(self, cut: int, whole_cut: int) -> "Times":
        """Return what measured layers stand for, where the backbones are cut there."""
        below = whole_cut / cut if cut else 0.0
        return Times(below, (self.whole.layers - whole_cut) / (self.backbone.layers - cut))


@dataclass(frozen=True)
class Times:
    """How many layers each measured one stands for: of those below the cut, and of those above."""

    below: float
    above: float


def stand_in(config: TrainConfig) -> StandIn:
    """Return the adapted backbone that a plan measures on.

    Raises
    ------
    BackboneError
        If there is no such backbone, or nothing tells its architecture without a download.
    InputError
        If the method does not fit it.
    """
    settings, notes = shape_of(config.backbone, load_options(config))
    architecture = find_architecture(settings, config.backbone)
    whole = skeleton(settings, architecture, config)
    if sum(p.numel() for p in whole.parameters()) <= MOST_PARAMETERS:
        backbone = load_backbone(_measured_name(config, notes), options=load_options(config))
        adapt(backbone, config)
        return StandIn(backbone, backbone, notes=notes)
    return _reduced(settings, whole, config, notes=notes)


def _measured_name(config: TrainConfig, notes: tuple[str, ...]) -> str:
    if not notes:
        return config.backbone
    return RANDOM_PREFIX + str(alias_of(config.backbone))


def shape_of(name: str, options: LoadOptions) -> tuple[Any, tuple[str, ...]]:
    """Return the configuration of a backbone, and what to say if its weights are not here.

    Raises
    ------
    BackboneError
        If there is no such backbone, or only a download could tell its configuration.
    """
    alias = alias_of(name)
    if name.startswith(RANDOM_PREFIX):
        if alias is None:
            load_backbone(name)  # says what is wrong with it
        return ALIASES[str(alias)][1](), ()
    try:
        folder, _ = find_folder(name, replace(options, offline=True))
    except BackboneError as error:
        if alias is None and name.count("/") == 1:
            raise BackboneError(
                f"the weights of {name} are not here, and a plan downloads nothing",
                where="--backbone",
                fix=f"Plan with random weights of a known shape: {', '.join(ALIASES)}",
            ) from error
        if alias is None:
            raise
        said = f"the weights of {name} are not here: measured with random ones of the same shape"
        return ALIASES[alias][1](), (said,)
    return read_config(folder), ()


def alias_of(name: str) -> str | None:
    """Return the alias that a name or hub id belongs to.

    Examples
    --------
    >>> alias_of("facebook/esm2_t12_35M_UR50D"), alias_of("random:esm2_tiny"), alias_of("mini")
    ('esm2_t12_35M', 'esm2_tiny', None)
    """
    plain = name.removeprefix(RANDOM_PREFIX)
    by_hub_id = {hub_id: alias for alias, (hub_id, _) in ALIASES.items() if hub_id}
    return plain if plain in ALIASES else by_hub_id.get(plain)


def skeleton(settings: Any, architecture: Architecture, config: TrainConfig) -> TransformerBackbone:
    """Return an adapted backbone whose tensors have shapes and no memory."""
    with torch.device("meta"):
        backbone = bare_backbone(settings, architecture, config.backbone)
        adapt(backbone, config)
    return backbone


def bare_backbone(settings: Any, architecture: Architecture, name: str) -> TransformerBackbone:
    """Return a frozen backbone with random weights and no hash of them."""
    model = architecture.random_model(settings)
    model.requires_grad_(False).eval()
    with torch.device("cpu"):
        vocabulary = read_vocabulary(architecture.tokenizer(None))
    return TransformerBackbone(
        model,
        architecture=architecture,
        vocabulary=vocabulary,
        origin=Origin(name, settings.model_type, None, ""),
    )


def _reduced(
    settings: Any, whole: TransformerBackbone, config: TrainConfig, *, notes: tuple[str, ...]
) -> StandIn:
    """Build two layers: one frozen and one that trains, or two of the only kind there is."""
    frozen = whole.frozen_layers
    few = copy.deepcopy(settings)
    few.num_hidden_layers = MEASURED_LAYERS
    backbone = bare_backbone(few, BACKBONES[settings.model_type], config.backbone)
    one_kind = frozen in (0, whole.layers)
    layers = "all" if one_kind else f"last:{MEASURED_LAYERS - 1}"
    reads_layers = "lora_layers" in find_adapter(config.method).reads
    adapt(backbone, replace(config, lora_layers=layers) if reads_layers else config)
    said = (
        f"{config.backbone} is large: {MEASURED_LAYERS} of its {whole.layers} layers were built "
        "and measured, the others are extrapolated; parameters and their memory are exact"
    )
    return StandIn(backbone, whole, (*notes, said))
