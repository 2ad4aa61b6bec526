"""A predictor and a data set → tables that explain its answers, and how far to trust them."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.config import ExplainConfig
from peftide.errors import InputError
from peftide.explaining.attribution import ATTRIBUTIONS, default_attribution
from peftide.explaining.deletion import ORDERS, SHARES, Deletion, delete
from peftide.explaining.faithful import Faithfulness, faithfulness
from peftide.explaining.scoring import scores
from peftide.explaining.subjects import Subject
from peftide.explaining.substitutions import PER_SITE, substitution_table
from peftide.predictor import Predictor
from peftide.quantities import count_of, duration
from peftide.sequences.site_lists import read_sites
from peftide.types import FloatArray

logger = logging.getLogger(__name__)

MOST_RESIDUES = 2_000
"""Residues of a protein up to which all substitutions are computed: their cost grows as L²."""
TOKENS_TO_TIME = 500_000
"""Tokens to encode from which the time is measured and said first."""


@dataclass(frozen=True)
class Explained:
    """One explained protein.

    Attributes
    ----------
    attribution
        Contribution of each residue to the score. Shape (L,).
    substitutions
        Result of `substitution_table`; None if it was not asked for.
    """

    subject: Subject
    score: float
    attribution: FloatArray
    deletion: Deletion
    substitutions: pd.DataFrame | None


@dataclass(frozen=True)
class Explanation:
    """All explained proteins, as tables.

    Attributes
    ----------
    proteins
        One row per protein: ids, `target`, `score`, and its deletion test (`area`, `random_area`,
        `lead`, `ahead`).
    residues
        One row per residue: ids, `position`, `residue`, `attribution`.
    substitutions
        One row per substitution: ids, `mutant`, `position`, `residue`, `new`, `score`, `change`.
    deletion
        One row per step of the deletion test: ids, `hidden` residues, `attributed` score, mean
        score `random`, and its range `random_low` to `random_high`.
    """

    each: tuple[Explained, ...] = field(repr=False)
    faithfulness: Faithfulness
    proteins: pd.DataFrame = field(repr=False)
    residues: pd.DataFrame = field(repr=False)
    substitutions: pd.DataFrame | None = field(repr=False)
    deletion: pd.DataFrame = field(repr=False)


def explain_subjects(
    predictor: Predictor,
    subjects: Sequence[Subject],
    config: ExplainConfig,
    *,
    store: Path | None = None,
) -> Explanation:
    """Return the attribution, the deletion test and the substitutions of proteins.

    Parameters
    ----------
    config
        The method, the sites, and whether substitutions are wanted.
    store
        Folder for encoded mutants, with which an interrupted call resumes.
    """
    sites = [_sites(subject, config) for subject in subjects]
    say_time(predictor, subjects, [len(one) for one in sites])
    each = []
    for number, (subject, changing) in enumerate(zip(subjects, sites, strict=True), start=1):
        if len(subjects) > 1:
            logger.info("protein %d of %d: %s", number, len(subjects), subject.name)
        each.append(explain_subject(predictor, subject, config, sites=changing, store=store))
    return as_tables(tuple(each))


def explain_subject(
    predictor: Predictor,
    subject: Subject,
    config: ExplainConfig,
    *,
    sites: set[int],
    store: Path | None = None,
) -> Explained:
    """Return the attribution, the deletion test and the substitutions of one protein."""
    method = config.attribution
    method = default_attribution(predictor) if method == "auto" else method
    attribution = ATTRIBUTIONS[method](predictor, subject)
    deletion = delete(
        subject.sequence,
        attribution,
        lambda texts: scores(predictor, subject, texts),
        seed=config.seed,
    )
    # rows of residues are many, and each block of them is quick
    kept = None if predictor.answering.task.level == "residue" else store
    table = substitution_table(predictor, subject, sites, store=kept) if sites else None
    return Explained(subject, float(deletion.attributed[0]), attribution, deletion, table)


def _sites(subject: Subject, config: ExplainConfig) -> set[int]:
    """Return the positions to substitute, from 1."""
    length = len(subject.sequence)
    chosen = read_sites(config.sites, length=length, offset=0, where=f"--sites of {subject.name}")
    if not config.substitutions:
        return set()
    if not chosen and length > MOST_RESIDUES:
        raise InputError(
            f"{subject.name} has {length:,} residues",
            expected=f"at most {MOST_RESIDUES:,} for all substitutions",
            where="--input",
            fix="Choose residues with --sites, or pass --no-substitutions",
        )
    return chosen or set(range(1, length + 1))


def say_time(predictor: Predictor, subjects: Sequence[Subject], sites: Sequence[int]) -> None:
    """Log the number of substitutions and, if they take long, the expected time."""
    lengths = np.array([len(subject.sequence) + 2 for subject in subjects])
    substitutions = PER_SITE * np.array(sites)
    tests = (ORDERS + 1) * len(SHARES)
    tokens = float(((substitutions + lengths + tests) * lengths).sum())
    what = f"explaining {count_of(len(subjects), 'protein')} with "
    what += count_of(int(substitutions.sum()), "substitution")
    if tokens < TOKENS_TO_TIME:
        logger.info("%s", what)
        return
    subject, length = subjects[int(lengths.argmax())], int(lengths.max())
    count = max(1, predictor.encoder.hardware.max_tokens // length)
    texts = [subject.sequence[k:] + subject.sequence[:k] for k in range(count)]
    scores(predictor, subject, texts[:1])  # the first call is slower
    started = time.perf_counter()
    scores(predictor, subject, texts)
    rate = len({*texts}) * length / (time.perf_counter() - started)
    logger.info("%s: about %s", what, duration(tokens / rate))


def as_tables(each: tuple[Explained, ...]) -> Explanation:
    """Return all explained proteins as tables."""
    kept = [one.substitutions for one in each if one.substitutions is not None]
    named = [one for one in each if one.substitutions is not None]
    return Explanation(
        each,
        faithfulness([one.subject for one in each], [one.deletion for one in each]),
        proteins=pd.DataFrame([_protein_row(one) for one in each]),
        residues=_stacked(each, (residue_table(one.subject, one.attribution) for one in each)),
        substitutions=_stacked(named, kept) if kept else None,
        deletion=_stacked(each, map(_deletion_columns, each)),
    )


def _protein_row(one: Explained) -> dict[str, Any]:
    deletion = one.deletion
    return one.subject.ids | {
        "target": one.subject.target.name,
        "score": one.score,
        "area": deletion.area,
        "random_area": float(deletion.random_areas.mean()),
        "lead": deletion.lead,
        "ahead": "yes" if deletion.is_ahead else "no",
    }


def residue_table(subject: Subject, attribution: FloatArray) -> pd.DataFrame:
    """Return one row per residue: `position`, `residue`, `attribution`."""
    sequence = subject.sequence
    return pd.DataFrame(
        {
            "position": np.arange(1, len(sequence) + 1),
            "residue": list(sequence),
            "attribution": attribution,
        }
    )


def _deletion_columns(one: Explained) -> dict[str, Any]:
    found = one.deletion
    return {
        "hidden": found.hidden,
        "attributed": found.attributed,
        "random": found.random.mean(axis=0),
        "random_low": found.random.min(axis=0),
        "random_high": found.random.max(axis=0),
    }


def _stacked(
    each: Sequence[Explained], columns: Iterable[Mapping[str, Any] | pd.DataFrame]
) -> pd.DataFrame:
    """Return the tables of proteins below one another, with the ids in front."""
    tables = []
    for one, found in zip(each, columns, strict=True):
        table = pd.DataFrame(found)
        for place, (name, value) in enumerate(one.subject.ids.items()):
            table.insert(place, name, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
