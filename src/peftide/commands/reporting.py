"""The report at the end of `train` and `evaluate`: what it groups rows by, then the page."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from peftide.auditing import audit_training
from peftide.commands.using import PART, Answered
from peftide.evaluation.beside import Beside, pairs_in_train
from peftide.evaluation.strata import Trained, reported_parts, strata_table, trained_by
from peftide.evaluation.tables import write_table
from peftide.files import write_json
from peftide.report import write_report
from peftide.run_folder import RunFolder
from peftide.sequences import sequence_hash
from peftide.tasks import Targets
from peftide.training.setting import Problem
from peftide.types import FloatArray

logger = logging.getLogger(__name__)


def report_training(
    problem: Problem,
    folder: RunFolder,
    *,
    max_length: int | None,
    similarity: FloatArray | None = None,
) -> None:
    """Write `strata.tsv`, `audit.json` and `report.html` of a finished training.

    Parameters
    ----------
    max_length
        Residues that the model sees of a sequence, for the audit.
    similarity
        Highest identity of each protein to training, where it was looked for. Shape (P,).
    """

    def write() -> None:
        trained = replace(trained_by(problem.dataset), similarity=similarity)
        tables = [
            strata_table(
                problem.dataset,
                part,
                problem.targets[part],
                task=problem.task,
                labels=problem.labels,
                trained=trained,
            )
            for part in reported_parts(problem.dataset.parts)
        ]
        write_table(pd.concat(tables), folder.strata)
        audit = audit_training(
            problem.dataset,
            pairs=problem.task.level == "pair",
            max_length=max_length,
        )
        write_json(folder.audit, audit.record())
        write_report(folder.path)

    _without_breaking(write, folder)


def report_evaluation(
    answered: Answered, targets: Targets, folder: RunFolder, *, beside: Beside
) -> None:
    """Write `strata.tsv` and `report.html` of a finished evaluation."""

    def write() -> None:
        proteins, bundle = answered.dataset.proteins, answered.bundle
        seen = [sequence_hash(sequence) in bundle.trained_on for sequence in proteins.sequences]
        table = strata_table(
            answered.dataset,
            PART,
            targets,
            task=answered.task,
            labels=bundle.labels,
            trained=Trained(
                np.array(seen, dtype=bool),
                pairs_in_train(beside, proteins.sequences),
                beside.similarity,
            ),
        )
        write_table(table, folder.strata)
        write_report(folder.path)

    _without_breaking(write, folder)


def _without_breaking(write: Callable[[], None], folder: RunFolder) -> None:
    """Write a report; a failure is said, and the run stays finished."""
    try:
        write()
    except Exception as error:  # noqa: BLE001 — scores and model are written: no reason to fail
        logger.warning(
            "note: no report was written (%s: %s). Everything else of %s is there; "
            "`peftide report %s` tries again",
            type(error).__name__,
            error,
            folder.path,
            folder.path,
        )
        logger.debug("why there is no report:", exc_info=True)
