"""A table of known pairs → for each protein the places of its known partners."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.quantities import count_of
from peftide.sequences.tables import read_table
from peftide.sequences.yes_no import is_yes
from peftide.types import IntArray

logger = logging.getLogger(__name__)

Known = Mapping[int, IntArray]
"""Place of a protein → places of its known partners."""


def read_known(
    path: Path, names: Sequence[str], partners: Sequence[str] | None = None
) -> tuple[Known, int]:
    """Return the known pairs among proteins, and the number of rows that name others.

    Parameters
    ----------
    names
        Ids of the screened proteins.
    partners
        Ids of their possible partners; default: the same proteins.

    Raises
    ------
    InputError
        If the file is no table of pairs by id, or no row names two screened proteins.
    """
    table = read_table(path, TableOptions(), level="pair", needs_labels=False, ids=True)
    if table.ids is None:
        raise InputError("no ids", expected="the columns id_a and id_b", where=path)
    labels = [] if table.labels is None else table.labels.tolist()
    negatives = sum(is_yes(label) is False for label in labels)
    if negatives:
        logger.warning(
            "note: %s: %s with a negative label, known like the others",
            path,
            count_of(negatives, "row"),
        )
    first = {name: place for place, name in enumerate(names)}
    second = first if partners is None else {name: place for place, name in enumerate(partners)}
    found: dict[int, set[int]] = {}
    others = 0
    for a, b in table.ids.tolist():
        pairs = [(first.get(x), second.get(y)) for x, y in ((a, b), (b, a))]
        pairs = [(x, y) for x, y in pairs if x is not None and y is not None]
        others += not pairs
        for x, y in pairs:
            found.setdefault(x, set()).add(y)
    if not found:
        raise InputError(
            f"none of {count_of(others, 'row')} names two of the screened proteins",
            expected="their ids in the columns id_a and id_b",
            where=path,
        )
    return {x: np.array(sorted(ys), dtype=np.int64) for x, ys in found.items()}, others
