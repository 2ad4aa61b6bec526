"""Rows and options → groups of proteins that must stay together."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from peftide.config import SplitConfig
from peftide.sequences.cluster_tables import cluster_numbers
from peftide.similarity import SimilaritySettings, cluster, settings_of
from peftide.splitting.rows import SplitRows
from peftide.types import IntArray

logger = logging.getLogger(__name__)

MAX_EVALUE = 3e-3
"""Three times the audit's limit: E-values grow with the target set, and train is only a part."""


@dataclass(frozen=True, eq=False)
class ProteinGroups:
    """Proteins that stay together.

    Attributes
    ----------
    of_protein
        Group of each protein, numbered from 0. Shape (P,).
    record
        The source of the groups, for people and scripts.
    """

    of_protein: IntArray
    record: dict[str, Any]

    def representatives(self) -> IntArray:
        """Return for each protein the first one of its group. Shape (P,)."""
        _, first, number = np.unique(self.of_protein, return_index=True, return_inverse=True)
        return first[number]


def protein_groups(rows: SplitRows, config: SplitConfig) -> ProteinGroups:
    """Return the groups from `--clusters`, from the table's cluster column, or by similarity.

    Raises
    ------
    InputError
        If the `--clusters` file contains none of the proteins.
    """
    found = (
        _by_file(rows, config.clusters)
        or _by_column(rows, config.cluster_column)
        or _by_similarity(rows, config)
    )
    sizes = np.bincount(found.of_protein)
    return ProteinGroups(
        found.of_protein, found.record | {"groups": len(sizes), "largest": int(sizes.max())}
    )


def similarity_settings(config: SplitConfig) -> SimilaritySettings:
    """Return the settings that decide whether two proteins are similar.

    Raises
    ------
    InputError
        If identity or coverage is not a share, or MMseqs2 is requested but not installed.
    """
    return settings_of(config, max_evalue=MAX_EVALUE)


def _by_similarity(rows: SplitRows, config: SplitConfig) -> ProteinGroups:
    if config.similarity == "none":
        return ProteinGroups(rows.numbers, {"by": "identical sequences"})
    settings = similarity_settings(config)
    logger.info("comparing %s sequences: %s", f"{len(rows.proteins):,}", settings)
    found = cluster(rows.proteins.sequences, settings)
    return ProteinGroups(found.numbers, {"by": f"{settings} ({found.tool})"})


def _by_file(rows: SplitRows, path: Path | None) -> ProteinGroups | None:
    if path is None:
        return None
    codes = cluster_numbers(rows.proteins.ids, path)
    return ProteinGroups(_joined(rows.numbers, codes, rows.numbers), {"by": str(path)})


def _by_column(rows: SplitRows, name: str) -> ProteinGroups | None:
    if rows.clusters is None:
        return None
    groups = groups_by_cluster(rows.clusters, rows.members, rows.numbers)
    return ProteinGroups(groups, {"by": f"column {name}"})


def groups_by_cluster(clusters: Sequence[str], members: IntArray, numbers: IntArray) -> IntArray:
    """Return the group of each protein; equal sequences and cluster members share a group.

    Parameters
    ----------
    clusters
        Cluster of each row; an empty text means no cluster.
    members
        Protein of each row. Shape (B, 1).
    numbers
        Number of the sequence of each protein. Shape (P,).

    Returns
    -------
    IntArray
        Groups, numbered from 0. Shape (P,).
    """
    texts = np.array(clusters, dtype=object)
    named = texts != ""
    codes = pd.factorize(texts[named])[0].astype(np.int64)
    return _joined(numbers[members[named, 0]], codes, numbers)


def _joined(own: IntArray, codes: IntArray, numbers: IntArray) -> IntArray:
    """Group of each protein, given that sequences `own` are in clusters `codes`."""
    count = int(numbers.max()) + 1
    links = np.stack([own, count + codes], axis=1)
    groups = join_linked(count + int(codes.max(initial=-1)) + 1, links)[numbers]
    return pd.factorize(groups)[0].astype(np.int64)


def join_linked(count: int, links: IntArray) -> IntArray:
    """Return the group of each item; items linked directly or through others share a group.

    Parameters
    ----------
    count
        Number of items.
    links
        Pairs of linked items. Shape (E, 2).

    Returns
    -------
    IntArray
        Groups, numbered from 0. Shape (count,).

    Examples
    --------
    >>> join_linked(5, np.array([[0, 2], [2, 4]])).tolist()
    [0, 1, 0, 2, 0]
    """
    ends = links[:, 0], links[:, 1]
    graph = sparse.coo_array((np.ones(len(links), dtype=bool), ends), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)
