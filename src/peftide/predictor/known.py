"""Proteins of a table that the training of a model has seen."""

from collections.abc import Sequence

import numpy as np

from peftide.bundle import Bundle
from peftide.errors import raise_problems
from peftide.evaluation.beside import Beside, pairs_in_train
from peftide.evaluation.strata import Trained
from peftide.sequences import Proteins, sequence_hash

SHOWN = 3
FIX = (
    "A score on these proteins says little about new proteins. Leave them out, "
    "or pass `--shared-proteins allow`"
)


def refuse_known_proteins(proteins: Proteins, bundle: Bundle, *, where: object) -> None:
    """Raise if the training of the model has seen some of the proteins.

    Validation proteins count too: they chose the epoch, the threshold and the calibration.

    Raises
    ------
    InputError
        Names a few of these proteins.
    """
    hashes = [sequence_hash(sequence) for sequence in proteins.sequences]
    problems = []
    for known, role in ((bundle.trained_on, "trained on"), (bundle.validated_on, "validated on")):
        seen = [name for name, key in zip(proteins.ids, hashes, strict=True) if key in known]
        if seen:
            problems.append(
                f"{where}: the model was {role} {len(seen):,} of {len(proteins):,} proteins "
                f"(for instance {', '.join(seen[:SHOWN])})"
            )
    raise_problems(problems, fix=FIX)


def seen_in_training(sequences: Sequence[str], bundle: Bundle, beside: Beside) -> Trained:
    """Return the relation of each protein of a table to training and validation."""
    known = bundle.trained_on | bundle.validated_on
    seen = [sequence_hash(sequence) in known for sequence in sequences]
    return Trained(np.array(seen, dtype=bool), pairs_in_train(beside, sequences), beside.similarity)
