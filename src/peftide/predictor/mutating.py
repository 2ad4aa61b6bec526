"""A model of variants and sites of its wild type → scores of mutants with intervals.

Intervals are split conformal: the distances of validation values from their predictions, each
divided by the error that the ridge regression expects, have a quantile. It holds for new variants
if they resemble the validation variants.

References: Papadopoulos et al. 2002, doi 10.1007/3-540-36755-1_29 (normalised conformal
regression).
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from peftide.bundle_record import Record, model_folder, read_bundle_record
from peftide.config import MutateConfig
from peftide.errors import InputError, did_you_mean
from peftide.predictor.predictor import Predictor, added_effects, load
from peftide.run_folder import RunFolder
from peftide.saved import read_frame
from peftide.sequences import sequence_hash
from peftide.sequences.delimited import read_grid
from peftide.sequences.findings import say_findings
from peftide.sequences.mutants import LETTERS
from peftide.sequences.records import WildType, place
from peftide.sequences.tallies import Tally
from peftide.sequences.variant_tables import MUTANTS
from peftide.sequences.variants import Changes, read_variants
from peftide.types import FloatArray
from peftide.variants.head import VariantHead
from peftide.variants.ridge import VariantRidge
from peftide.variants.rows import letters_of

logger = logging.getLogger(__name__)

COLUMNS = ("mutant", *MUTANTS)
"""Columns of a list of mutants; the first one that it has is read."""
WILD_TYPE = "WT"
"""The mutant without a substitution."""
FEWEST = 20
"""Validation variants that intervals need."""


@dataclass(frozen=True)
class Scored:
    """Scores of mutants.

    Attributes
    ----------
    table
        One row per mutant, the best first, with its sites and its sequence.
    wild_type
        Answer for the wild type.
    trained_on_wild_type
        Whether the wild type was in train.
    """

    table: pd.DataFrame
    wild_type: float
    trained_on_wild_type: bool


def score_mutants(config: MutateConfig, *, sites: set[int], needs_intervals: bool) -> Scored:
    """Return the scores of mutants and of their wild type.

    Parameters
    ----------
    sites
        Sites that may change, counted from residue 1.
    needs_intervals
        Whether to refuse a run whose validation gives no intervals.
    """
    predictor = load(
        config.run,
        device=config.device,
        precision=config.precision,
        threads=config.threads,
        allow_bin=config.allow_bin,
        backbone=config.backbone,
    )
    wild_type = predictor.wild_type_and_offset()
    names = (
        single_substitutions(wild_type, sites)
        if config.mutants is None
        else listed_mutants(config, wild_type, sites)
    )
    if not names:
        raise InputError("no mutant is left", where="--sites, --exclude-sites")
    answer = predictor.answering.task.outcome.answer_column
    *answers, of_wild_type = predictor.predict([*names, WILD_TYPE])[answer].tolist()
    found = read_variants(names, wild_type.sequence, offset=wild_type.offset)
    table = pd.DataFrame({"mutant": names, answer: answers})
    spread = expected_errors(predictor, found.sequences)
    limit = _limit(predictor, config, wild_type) if answer == "prediction" else None
    if limit is not None:
        table["low"] = table[answer] - limit * spread
        table["high"] = table[answer] + limit * spread
    elif answer == "prediction":
        _say_no_intervals(config, needs_intervals=needs_intervals)
    table["change"] = table[answer] - of_wild_type
    record = read_bundle_record(model_folder(config.run))
    is_known = sequence_hash(wild_type.sequence) in record.trained_on
    say_findings(added_effects(found.sequences, predictor.encoder.model.head))
    if not is_known:
        warn_of_start(ridge_of(predictor))
    table["site"] = sites_of(found.changes, wild_type.offset)
    table["measured"] = measured(config.run, record, found.sequences, wild_type=wild_type)
    table["sequence"] = found.sequences
    table = table.sort_values(answer, ascending=False, kind="stable").reset_index(drop=True)
    return Scored(table, of_wild_type, is_known)


def _say_no_intervals(config: MutateConfig, *, needs_intervals: bool) -> None:
    """Log why there are no intervals.

    Raises
    ------
    InputError
        If they are needed.
    """
    reason = (
        f"too few validation variants in {config.run} for intervals at error rate "
        f"{config.error_rate:g} ({FEWEST} at least, and more for a lower rate)"
    )
    if needs_intervals:
        raise InputError(reason, where="--error-rate", fix="Leave it out")
    logger.warning("note: %s", reason)


def warn_of_start(ridge: VariantRidge) -> None:
    """Warn that the wild type was not measured, and what follows."""
    follows = ""
    if not ridge.knows_combinations:
        follows = (
            ", so its prediction is about the mean of the training values: the column change "
            "compares with this mean, and good substitutions of a combination add up too high"
        )
    logger.warning(
        "warning: train has no wild type%s. Train again with a row for it (mutant WT)", follows
    )


def ridge_of(predictor: Predictor) -> VariantRidge:
    """Return the ridge regression of a model of variants."""
    head = predictor.encoder.model.head
    assert isinstance(head, VariantHead)
    return head.ridge


def single_substitutions(wild_type: WildType, sites: set[int]) -> list[str]:
    """Return all single substitutions at some sites.

    Examples
    --------
    >>> len(single_substitutions(WildType("MK"), {1, 2}))
    38
    """
    residues = enumerate(wild_type.sequence, start=1)
    return [
        f"{old}{site + wild_type.offset}{new}"
        for site, old in residues
        for new in LETTERS
        if site in sites and old in LETTERS and new != old
    ]


def listed_mutants(config: MutateConfig, wild_type: WildType, sites: set[int]) -> list[str]:
    """Return the mutants of a table that change only some sites, each variant once.

    Raises
    ------
    InputError
        If there is no column of mutants, one cannot be read, or no row has a whole protein.
    """
    path = config.mutants
    assert path is not None
    grid = read_grid(path, COLUMNS)
    column = next((name for name in COLUMNS if name in grid.cells), None)
    if column is None:
        raise InputError(
            "there is no column of mutants",
            expected=f"a column {' or '.join(COLUMNS)}",
            where=path,
            fix=did_you_mean(COLUMNS[0], grid.cells),
        )
    names = [name.strip() for name in grid.cells[column]]
    found = read_variants(
        names,
        wild_type.sequence,
        where=lambda row: f"{place(path, int(grid.lines[row]))}, column {column}",
        offset=wild_type.offset,
        fix="Name residues and number sites as in the training table",
    )
    say_findings(found.findings)
    if not len(found.rows):
        raise InputError("no row names a variant that can be scored", where=path)
    repeats = Tally("repeated_mutants", "the variant is scored once")
    outside = Tally("excluded_mutants", "left out: they change a site that must not change")
    chosen: dict[str, str] = {}
    rows = zip(found.rows.tolist(), found.sequences, found.changes, strict=True)
    for row, sequence, changes in rows:
        if sequence in chosen:
            repeats.add(f"{place(path, int(grid.lines[row]))} {names[row]}")
        elif all(change.position in sites for change in changes):
            chosen[sequence] = names[row]
        else:
            outside.add(f"{place(path, int(grid.lines[row]))} {names[row]}")
    say_findings((*repeats.findings("variants"), *outside.findings("variants")))
    return list(chosen.values())


def sites_of(changes: Iterable[Changes], offset: int) -> list[str]:
    """Return the sites of each variant as numbered in training, separated by `:`.

    Examples
    --------
    >>> from peftide.sequences.mutants import Substitution
    >>> sites_of([(Substitution(2, "K", "R"), Substitution(3, "L", "V"))], 100)
    ['102:103']
    """
    return [":".join(str(change.position + offset) for change in each) for each in changes]


def measured(
    run: Path, record: Record, sequences: Iterable[str], *, wild_type: WildType
) -> list[str]:
    """Return yes for each variant that the labelled tables of the training had, else no."""
    known = record.trained_on | record.validated_on
    names = reported_mutants(run)
    with suppress(InputError):  # a test table that numbers sites in another way
        reported = read_variants(names, wild_type.sequence, offset=wild_type.offset)
        known |= set(map(sequence_hash, reported.sequences))
    return ["yes" if sequence_hash(sequence) in known else "no" for sequence in sequences]


def expected_errors(predictor: Predictor, sequences: tuple[str, ...]) -> FloatArray:
    """Return the error that the ridge regression expects of each variant, up to a factor."""
    ridge = ridge_of(predictor)
    squares = torch.cat([ridge.spread.flatten() ** 2, ridge.spread.new_zeros(1)])
    events = ridge.events(letters_of(sequences).float().to(squares.device))
    total = squares[events].sum(dim=1).clamp(min=float(squares[:-1].min()))
    return total.sqrt().cpu().double().numpy()


def _limit(predictor: Predictor, config: MutateConfig, wild_type: WildType) -> float | None:
    """Return the factor of expected errors that holds at this error rate; None if unknown."""
    rows = validation_rows(config.run)
    if rows is None or len(rows) < FEWEST:
        return None
    found = read_variants(rows["id"].tolist(), wild_type.sequence, offset=wild_type.offset)
    known = rows.iloc[found.rows]
    distances = (known["label"].astype(float) - known["prediction"].astype(float)).abs()
    return conformal_limit(
        distances.to_numpy() / expected_errors(predictor, found.sequences), config.error_rate
    )


def conformal_limit(scores: FloatArray, error_rate: float) -> float | None:
    """Return the score at rank ⌈(n + 1)(1 − error rate)⌉; None if n is too small for one.

    Examples
    --------
    >>> conformal_limit(np.arange(1.0, 20.0), 0.1)
    18.0
    """
    rank = int(np.ceil((len(scores) + 1) * (1 - error_rate) - 1e-9))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else None


def validation_rows(run: Path) -> pd.DataFrame | None:
    """Return the predictions of a run for its validation part, or None."""
    folder = RunFolder(run)
    for path in (folder.validation, folder.predictions):
        if path.is_file():
            types = {"id": str, "split": str, "label": float, "prediction": float}
            rows = read_frame(path, columns=types.keys() - {"split"}, dtype=types)
            rows = rows.query("split == 'validation'") if "split" in rows else rows
            if len(rows):
                return rows
    return None


def reported_mutants(run: Path) -> list[str]:
    """Return the mutants of the parts that a run reported; none without its predictions."""
    path = RunFolder(run).predictions
    return (
        read_frame(path, columns={"id"}, dtype={"id": str})["id"].tolist() if path.is_file() else []
    )
