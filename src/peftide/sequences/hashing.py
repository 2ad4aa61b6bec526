"""A sequence → a short hash that identifies it, but does not reveal it."""

import hashlib


def sequence_hash(sequence: str) -> str:
    """Return a short hash that identifies a training sequence.

    Examples
    --------
    >>> sequence_hash("MK") == sequence_hash("MK"), len(sequence_hash("MK"))
    (True, 16)
    """
    return hashlib.sha256(sequence.encode()).hexdigest()[:16]
