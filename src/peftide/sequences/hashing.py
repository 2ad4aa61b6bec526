"""A sequence → a short text by which it is recognised, and from which it cannot be read back."""

import hashlib


def sequence_hash(sequence: str) -> str:
    """Return a short hash by which a training sequence is recognised.

    Examples
    --------
    >>> sequence_hash("MK") == sequence_hash("MK"), len(sequence_hash("MK"))
    (True, 16)
    """
    return hashlib.sha256(sequence.encode()).hexdigest()[:16]
