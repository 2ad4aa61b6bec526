"""The text of `--lora-layers` → layer numbers. No torch."""

from peftide.errors import InputError

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
