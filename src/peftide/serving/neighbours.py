"""A run and sequences → the most similar training proteins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from peftide.baselines import BASELINES, NearestHomologue
from peftide.baselines.stored import load_baselines
from peftide.run_folder import RunFolder

MOST = 5
NAME = "nearest_homologue"
SHOWN_RESIDUES = 24
NONE_KEPT = (
    "This run keeps no training sequences (they are stored with the baseline nearest_homologue)."
)


@dataclass(frozen=True)
class Neighbours:
    """The training sequences of a run; None if it keeps none."""

    nearest: NearestHomologue | None

    def of(self, sequences: Sequence[str]) -> pd.DataFrame | None:
        """Return the most similar training proteins of each sequence, the best first.

        Returns
        -------
        Columns `query` (number of the sequence, from 1), `identity`, `coverage`, `residues` and
        `start` (the first residues); None if the run keeps no training sequences.
        """
        if self.nearest is None:
            return None
        found = self.nearest.homologues(list(sequences))
        rows = [
            (query, identity, coverage, score, self.nearest.sequences[target])
            for query, target, identity, coverage, score in zip(
                (found.query + 1).tolist(),
                found.target.tolist(),
                found.identity_fraction.tolist(),
                found.coverage_fraction.tolist(),
                found.score.tolist(),
                strict=True,
            )
        ]
        rows.sort(key=lambda row: (row[0], -row[3]))
        best = pd.DataFrame(rows, columns=["query", "identity", "coverage", "score", "sequence"])
        best = best.groupby("query").head(MOST).reset_index(drop=True)
        best["residues"] = best["sequence"].str.len()
        best["start"] = best["sequence"].str.slice(0, SHOWN_RESIDUES)
        return best.drop(columns=["score", "sequence"])


def neighbours_of(run: Path) -> Neighbours:
    """Return the training proteins that a run keeps.

    Raises
    ------
    InputError
        If their file is damaged.
    """
    stored = load_baselines(RunFolder(run).baselines, BASELINES)
    found = None if stored is None else stored.fitted.get(NAME)
    return Neighbours(found if isinstance(found, NearestHomologue) else None)
