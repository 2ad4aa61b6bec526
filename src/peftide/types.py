"""Axis names of every array in peftide.

| axis | meaning |
|------|---------|
| `B`  | examples (one or two proteins each) |
| `P`  | distinct proteins |
| `N`  | tokens of a packed row: the tokens of several sequences end to end |
| `T`  | tokens of one sequence, special tokens included |
| `L`  | residues of one sequence, no special tokens |
| `R`  | rows that a head sees before pairing: one per protein, or one per residue |
| `D`  | embedding width |
| `F`  | features that enter the head (after pairing) |
| `K`  | classes, or 1 for a binary label or a value |

`A` is 1 or 2: how many proteins an example names.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["pair", "sequence", "residue"]
"""What one label belongs to."""

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
