"""`--layer`: a backbone that ends after one of its layers. The layers above are never loaded."""

import copy
from typing import Any

from peftide.errors import InputError


def kept_layers(layer: int | None, *, layers: int) -> int:
    """Return how many layers remain if a backbone ends after a layer.

    Parameters
    ----------
    layer
        0-based; None: the last.
    layers
        Number of layers of the whole backbone.

    Raises
    ------
    InputError
        If the backbone has no such layer.

    Examples
    --------
    >>> kept_layers(2, layers=6), kept_layers(None, layers=6)
    (3, 6)
    """
    if layer is None:
        return layers
    if not 0 <= layer < layers:
        raise InputError(
            f"received {layer}, but the backbone has the layers 0 to {layers - 1}",
            where="--layer",
        )
    return layer + 1


def shortened(config: Any, layer: int | None) -> Any:
    """Return the configuration of a backbone of `transformers` that ends after a layer."""
    config = copy.deepcopy(config)
    config.num_hidden_layers = kept_layers(layer, layers=config.num_hidden_layers)
    return config
