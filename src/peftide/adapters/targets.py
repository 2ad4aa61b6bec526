"""Option text → exact layer numbers and module names of a backbone."""

from collections.abc import Sequence

from peftide.backbones import Backbone
from peftide.errors import InputError, did_you_mean

LAYER_FORMS = "all, last_quarter, last:K, or 0-based layers such as 3,4,5"


def layer_numbers(text: str, *, layers: int) -> list[int]:
    """Return the 0-based layers that an option names.

    Raises
    ------
    InputError
        If the text is not of a known form, or names a layer the backbone does not have.

    Examples
    --------
    >>> layer_numbers("last_quarter", layers=6), layer_numbers("last:3", layers=6)
    ([4, 5], [3, 4, 5])
    """
    if text == "all":
        return list(range(layers))
    if text == "last_quarter":
        return list(range(layers - -(-layers // 4), layers))
    if text.startswith("last:"):
        counts = _whole_numbers(text.removeprefix("last:"))
        numbers = list(range(layers - counts[0], layers)) if len(counts) == 1 else []
    else:
        numbers = sorted(set(_whole_numbers(text)))
    if not numbers or numbers[0] < 0 or numbers[-1] >= layers:
        raise InputError(
            f"received {text}, but the backbone has the layers 0 to {layers - 1}",
            expected=LAYER_FORMS,
            where="--lora-layers",
        )
    return numbers


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"received {text!r}", expected=LAYER_FORMS, where="--lora-layers"
        ) from None


def module_names(backbone: Backbone, *, targets: Sequence[str], layers: str) -> list[str]:
    """Return the full names of the modules to adapt, so that nothing else can match.

    Raises
    ------
    InputError
        If a target is unknown to the architecture, or none is named.
    """
    known = backbone.architecture.attention_modules
    unknown = [target for target in targets if target not in known]
    if unknown or not targets:
        received = ", ".join(unknown) or "nothing"
        raise InputError(
            f"received {received}", where="--lora-targets", fix=did_you_mean(received, known)
        )
    return [
        f"{backbone.architecture.layer_prefix}.{number}.{known[target]}"
        for number in layer_numbers(layers, layers=backbone.layers)
        for target in targets
    ]
