"""The text of `--lora-layers` → layer numbers; names for `--lora-targets`. No torch."""

from collections.abc import Sequence

from peftide.errors import InputError, did_you_mean

AUTO = ("auto",)
"""The targets that fit the backbone."""
TARGETS = ("query", "key", "value", "output", "wmx", "wmh", "wx", "wh")
"""Names of matrices of all backbones; each backbone has some of them."""
LAYER_FORMS = "all, last_quarter, last:K, or 0-based layers such as 3,4,5"


def check_layers(text: str) -> None:
    """Raise if a text names no layers of any backbone.

    Raises
    ------
    InputError
        If the text has an unknown form.
    """
    if text not in ("all", "last_quarter"):
        _whole_numbers(text.removeprefix("last:"))


def check_targets(targets: Sequence[str]) -> None:
    """Raise if a text names no matrices of any backbone.

    Raises
    ------
    InputError
        Suggests a name.
    """
    if tuple(targets) != AUTO:
        raise_unknown_targets(targets, TARGETS)


def raise_unknown_targets(targets: Sequence[str], known: Sequence[str]) -> None:
    """Raise if no target is given, or one is not among those known.

    Raises
    ------
    InputError
        Suggests a name.
    """
    unknown = [target for target in targets if target not in known]
    if unknown or not targets:
        received = ", ".join(unknown) or "nothing"
        raise InputError(
            f"received {received}",
            where="--lora-targets",
            fix=f"{did_you_mean(received, known)} (several with commas)",
        )


def layer_numbers(text: str, *, layers: int) -> list[int]:
    """Return the 0-based layers that an option names.

    Raises
    ------
    InputError
        If the text has an unknown form, or names a layer that the backbone lacks.

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
