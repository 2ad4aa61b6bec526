"""The search of an audit, made while a training or an evaluation scores its baselines."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from peftide.auditing import Search, Subject, find_kinship
from peftide.baselines import NearestHomologue
from peftide.evaluation.beside import Beside
from peftide.similarity import SimilaritySettings
from peftide.types import BoolArray, FloatArray


def with_kinship(
    beside: Beside, subject: Subject, *, settings: SimilaritySettings, search: Search
) -> Beside:
    """Return the baselines of a training with the similar proteins that an audit finds.

    Variants of one sequence are all similar; nothing is searched.
    """
    if not subject.later or subject.variants is not None:
        return beside
    kinship = find_kinship(subject, settings, search=search)
    closest = np.zeros(len(subject.sequences))
    closest[kinship.hits.query] = kinship.hits.identity_fraction
    known = np.isin(subject.numbers, subject.proteins("train"))
    similarity = agreeing(beside.similarity, closest[subject.numbers], known)
    return replace(beside, kinship=kinship, similarity=similarity)


def related_to_stored(
    beside: Beside, sequences: Sequence[str], *, settings: SimilaritySettings, search: Search
) -> tuple[Beside, str]:
    """Return the stored baselines with the similarity that an audit finds, and its tool.

    Parameters
    ----------
    sequences
        All proteins of the labelled table.
    """
    nearest = beside.fitted.get("nearest_homologue")
    if not isinstance(nearest, NearestHomologue):
        return beside, ""
    train = set(nearest.sequences)
    new = list(dict.fromkeys(text for text in sequences if text not in train))
    hits = search(new, nearest.sequences, settings)
    identity = {
        new[query]: value
        for query, value in zip(hits.query.tolist(), hits.identity_fraction.tolist(), strict=True)
    }
    closest = np.array([identity.get(text, 0.0) for text in sequences])
    known = np.array([text in train for text in sequences], dtype=bool)
    return replace(beside, similarity=agreeing(beside.similarity, closest, known)), hits.tool


def agreeing(
    similarity: FloatArray | None, closest: FloatArray, known: BoolArray
) -> FloatArray | None:
    """Return the similarity of each protein to train: 0 if an audit does not count it as similar.

    Parameters
    ----------
    similarity
        Highest identity that a baseline has found, NaN if unsearched; None without a baseline.
    closest
        Identity to the closest protein that the audit has found, or 0.
    known
        Whether the protein is in train.

    Examples
    --------
    >>> found, closest = np.array([0.4, 0.0, 1.0, np.nan]), np.array([0.0, 0.5, 0.0, 0.0])
    >>> agreeing(found, closest, np.array([False, False, True, False]))
    array([0. , 0.5, 1. , nan])
    """
    if similarity is None:
        return None
    new = np.where(closest > 0, np.maximum(similarity, closest), 0.0)
    return np.where(np.isnan(similarity) | known, similarity, new)
