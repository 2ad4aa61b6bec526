"""A table `representative member` comes in; the cluster of each sequence goes out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from peftide.errors import InputError
from peftide.sequences.accessions import accession
from peftide.sequences.text_files import open_lines
from peftide.types import IntArray


def cluster_numbers(ids: Sequence[str], path: Path | None) -> IntArray:
    """Return the cluster of each id; each id that is not in the table is a separate cluster.

    The table may contain the accession of a UniProt id instead of the id.

    Raises
    ------
    InputError
        If the table contains none of the ids.
    """
    if path is None:
        return np.arange(len(ids))
    representative: dict[str, str] = {}
    for line in open_lines(path):
        words = line.split()
        if len(words) >= 2:
            representative[words[1]] = words[0]
    known = [name if name in representative else accession(name) for name in ids]
    if not representative.keys() & set(known):
        raise InputError(
            f"{path} contains none of the {len(ids):,} sequence ids",
            expected="two columns: representative, member (as `mmseqs easy-linclust` writes)",
            where="--clusters",
        )
    names = [representative.get(name, name) for name in known]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
