"""An explained protein → the change of its score by every single substitution."""

from pathlib import Path

import numpy as np
import pandas as pd

from peftide.explaining.scoring import scores
from peftide.explaining.subjects import Subject
from peftide.predictor import Predictor
from peftide.predictor.mutating import single_substitutions
from peftide.sequences.mutants import LETTERS
from peftide.sequences.records import WildType
from peftide.sequences.variants import read_variants

PER_SITE = len(LETTERS) - 1
"""Substitutions of one residue."""


def substitution_table(
    predictor: Predictor, subject: Subject, sites: set[int], *, store: Path | None = None
) -> pd.DataFrame:
    """Return one row per substitution, in order of position.

    Parameters
    ----------
    sites
        Positions that may change, from 1.
    store
        Folder for the encoded mutants; a repeated call resumes from the last save.

    Returns
    -------
    Columns `mutant`, `position`, `residue`, `new`, `score`, and `change`: the score less the score
    of the unchanged protein.
    """
    sequence = subject.sequence
    names = single_substitutions(WildType(sequence), sites)
    found = read_variants(names, sequence, offset=0)
    whole, *each = scores(predictor, subject, [sequence, *found.sequences], store=store)
    changes = [one[0] for one in found.changes]
    return pd.DataFrame(
        {
            "mutant": names,
            "position": np.array([one.position for one in changes], dtype=np.int64),
            "residue": [one.old for one in changes],
            "new": [one.new for one in changes],
            "score": np.array(each, dtype=np.float64),
            "change": np.array(each, dtype=np.float64) - whole,
        }
    )
