"""Sequences → residue codes."""

import numpy as np

from peftide.types import IntArray

STANDARD_RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
OTHER = len(STANDARD_RESIDUES)
"""Code of every letter that is not one of the 20 (U, O, X, B, Z, …)."""

_CODE_OF_BYTE = np.full(256, OTHER, dtype=np.int64)
for _code, _letter in enumerate(STANDARD_RESIDUES):
    _CODE_OF_BYTE[[ord(_letter), ord(_letter.lower())]] = _code


def as_bytes(text: str) -> np.ndarray:
    """Yield a text as an array of bytes, to be stored beside numbers. Shape (L,).

    Examples
    --------
    >>> from_bytes(as_bytes("MKV"))
    'MKV'
    """
    return np.frombuffer(text.encode(), dtype=np.uint8)


def from_bytes(array: np.ndarray) -> str:
    """Yield the text that `as_bytes` made an array of."""
    return array.tobytes().decode()


def letter_codes(sequence: str) -> IntArray:
    """Yield a code per residue: 0-19 for `STANDARD_RESIDUES` in either case, 20 for the rest.

    Parameters
    ----------
    sequence
        One-letter residues.

    Returns
    -------
    numpy.ndarray
        Shape (L,).

    Examples
    --------
    >>> letter_codes("ACYX")
    array([ 0,  1, 19, 20])
    """
    # "replace" keeps one byte per letter, so that codes and residues stay in step
    return _CODE_OF_BYTE[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]
