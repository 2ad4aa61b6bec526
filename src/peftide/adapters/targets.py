"""Option text → exact layer numbers and module names of a backbone."""

from collections.abc import Sequence

from torch import nn

from peftide.adapters.layers import AUTO, layer_numbers, raise_unknown_targets
from peftide.backbones import Backbone, LayeredBackbone, layers_of
from peftide.errors import InputError

OTHER_METHODS = "Choose --method head or --method full"


def module_names(backbone: Backbone, *, targets: Sequence[str], layers: str) -> list[str]:
    """Return the full names of the modules to adapt, so that nothing else can match.

    Raises
    ------
    InputError
        If a target is unknown, no target is given, or the backbone names no matrices.
    """
    layered = _layered(backbone)
    known = layered.attention_modules
    if not known:
        raise InputError(
            f"the backbone {backbone.origin.name} has no matrices with names",
            where="--method",
            fix=OTHER_METHODS,
        )
    if tuple(targets) == AUTO:
        targets = layered.default_targets
    raise_unknown_targets(targets, list(known))
    return [
        f"{layered.layer_prefix}.{number}.{known[target]}"
        for number in layer_numbers(layers, layers=layered.layers)
        for target in targets
    ]


def layer_paths(backbone: Backbone, *, layers: str) -> tuple[str, ...]:
    """Return the name prefixes of all modules inside the named layers.

    Raises
    ------
    InputError
        If the backbone lacks these layers.
    """
    layered = _layered(backbone)
    numbers = layer_numbers(layers, layers=layered.layers)
    return tuple(f"{layered.layer_prefix}.{number}." for number in numbers)


def _layered(backbone: Backbone) -> LayeredBackbone:
    return layers_of(backbone, where="--method", fix=OTHER_METHODS)


def feedforward_outputs(backbone: Backbone, *, layers: str) -> list[str]:
    """Return the full names of the output matrices of the feed-forward blocks.

    They are the linear modules outside attention whose output has the embedding width D.

    Raises
    ------
    InputError
        If a layer has no such matrix, or does not exist.
    """
    paths = layer_paths(backbone, layers=layers)
    known = _layered(backbone).attention_modules
    attention = set(module_names(backbone, targets=list(known), layers=layers))
    names = [
        name
        for name, module in backbone.model.named_modules()
        if name.startswith(paths)
        and name not in attention
        and isinstance(module, nn.Linear)
        and module.out_features == backbone.width
    ]
    if len(names) < len(paths):
        raise InputError(
            f"the layers of {backbone.origin.name} have no feed-forward block that peftide knows",
            where="--method",
            fix="Choose another method, such as lora",
        )
    return names
