"""Amino acids → how alike they are."""

import numpy as np

from peftide.sequences.mutants import LETTERS
from peftide.types import FloatArray

# Hydropathy: Kyte & Doolittle 1982, doi 10.1016/0022-2836(82)90515-0; volume in cubic angstrom:
# Zamyatnin 1972, doi 10.1016/0079-6107(72)90005-3; polarity: Grantham 1974, doi
# 10.1126/science.185.4154.862; propensities of helix and strand: Chou & Fasman 1978, doi
# 10.1146/annurev.bi.47.070178.001343.
PROPERTIES = {
    "A": (1.8, 88.6, 8.1, 1.42, 0.83),
    "C": (2.5, 108.5, 5.5, 0.70, 1.19),
    "D": (-3.5, 111.1, 13.0, 1.01, 0.54),
    "E": (-3.5, 138.4, 12.3, 1.51, 0.37),
    "F": (2.8, 189.9, 5.2, 1.13, 1.38),
    "G": (-0.4, 60.1, 9.0, 0.57, 0.75),
    "H": (-3.2, 153.2, 10.4, 1.00, 0.87),
    "I": (4.5, 166.7, 5.2, 1.08, 1.60),
    "K": (-3.9, 168.6, 11.3, 1.16, 0.74),
    "L": (3.8, 166.7, 4.9, 1.21, 1.30),
    "M": (1.9, 162.9, 5.7, 1.45, 1.05),
    "N": (-3.5, 114.1, 11.6, 0.67, 0.89),
    "P": (-1.6, 112.7, 8.0, 0.57, 0.55),
    "Q": (-3.5, 143.8, 10.5, 1.11, 1.10),
    "R": (-4.5, 173.4, 10.5, 0.98, 0.93),
    "S": (-0.8, 89.0, 9.2, 0.77, 0.75),
    "T": (-0.7, 116.1, 8.6, 0.83, 1.19),
    "V": (4.2, 140.0, 5.9, 1.06, 1.70),
    "W": (-0.9, 227.8, 5.4, 1.08, 1.37),
    "Y": (-1.3, 193.6, 6.2, 0.69, 1.47),
}
CLASSES = ("FWYH", "P", "G", "VIT")
"""Aromatic, proline, glycine, branched at the β carbon."""
WIDTH = 0.8
"""Width of the kernel, in standard deviations of each property."""


def amino_acid_properties() -> FloatArray:
    """Return standardised properties of the amino acids, in the order of `LETTERS`."""
    rows = [
        [
            *PROPERTIES[letter],
            (letter in "KR") - (letter in "DE"),
            *(letter in members for members in CLASSES),
        ]
        for letter in LETTERS
    ]
    values = np.array(rows, dtype=np.float64)
    return (values - values.mean(axis=0)) / values.std(axis=0)


def letter_kernel() -> FloatArray:
    """Return the Gaussian kernel of the properties. Shape (20, 20).

    Examples
    --------
    >>> kernel = letter_kernel()
    >>> isoleucine = kernel[LETTERS.index("I")]
    >>> bool(isoleucine[LETTERS.index("V")] > isoleucine[LETTERS.index("D")])
    True
    """
    values = amino_acid_properties()
    squares = ((values[:, None] - values[None]) ** 2).mean(axis=2)
    return np.exp(-squares / (2 * WIDTH**2))
