"""The last vector of every protein, for pairs with one protein that a step does not encode."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from peftide.types import IntArray

VECTORS = "vectors"


class VectorBank:
    """The last vector of every protein.

    Attributes
    ----------
    vectors
        Zeros until they are kept. Shape (P, D).
    new
        Proteins of the current step and their vectors; None outside a step. They count once the
        step is taken, because an interrupted step is repeated with the vectors before it.

    Examples
    --------
    >>> import numpy as np
    >>> bank = VectorBank(torch.zeros(3, 2))
    >>> bank.hold(np.array([1]), torch.ones(1, 2))
    >>> bank.of(np.array([1])).tolist()
    [[0.0, 0.0]]
    >>> bank.keep()
    >>> bank.of(np.array([0, 1])).tolist()
    [[0.0, 0.0], [1.0, 1.0]]

    References
    ----------
    Wang et al. 2020, arXiv 1912.06798 (cross-batch memory), section 3.
    """

    def __init__(self, vectors: Float[Tensor, "P D"]) -> None:
        self.vectors = vectors
        self.new: tuple[IntArray, Float[Tensor, "R D"]] | None = None

    def hold(self, proteins: IntArray, rows: Float[Tensor, "R D"]) -> None:
        """Hold the new vectors of some proteins until `keep`."""
        self.new = proteins, rows

    def keep(self) -> None:
        """Replace vectors by the new ones that are held."""
        if self.new is not None:
            proteins, rows = self.new
            self.vectors[torch.from_numpy(proteins)] = rows
            self.new = None

    def of(self, proteins: IntArray) -> Float[Tensor, "R D"]:
        """Return copies of the vectors of some proteins."""
        return self.vectors[torch.from_numpy(proteins)]

    def state(self) -> dict[str, Tensor]:
        """Return the tensors of a resume point."""
        return {VECTORS: self.vectors}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the vectors of a resume point."""
        self.vectors.copy_(tensors[VECTORS])
