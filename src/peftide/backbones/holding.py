"""A backbone and a precision in; its frozen matrices held in the type in which they multiply."""

from peftide.backbones.backbone import Backbone
from peftide.backbones.half import hold_half
from peftide.backbones.int8_products import use_int8
from peftide.hardware import DTYPES


def hold_frozen(backbone: Backbone, precision: str) -> None:
    """Convert the frozen matrices in the layers of a backbone.

    Parameters
    ----------
    precision
        As in `Hardware`.

    Raises
    ------
    InputError
        If nothing of the backbone can multiply in 8 bits.
    """
    hold_half(backbone, DTYPES[precision])
    if precision == "int8":
        use_int8(backbone)
