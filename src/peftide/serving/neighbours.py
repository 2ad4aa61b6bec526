"""A run and sequences → the most similar training proteins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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
    """The training sequences of a run; None if it keeps none.

    Attributes
    ----------
    classes
        Names of the classes; empty if labels are values.
    """

    nearest: NearestHomologue | None
    classes: tuple[str, ...] = ()

    def of(self, sequences: Sequence[str]) -> pd.DataFrame | None:
        """Return the most similar training proteins of each sequence, the best first.

        Returns
        -------
        Columns `query` (number of the sequence, from 1), `id` (if the run keeps ids), `identity`,
        `coverage`, `residues` and `start` (the first residues), and `label` unless the model
        answers pairs; None if the run keeps no training sequences.
        """
        if self.nearest is None:
            return None
        found = self.nearest.homologues(list(sequences))
        rows = [
            (query, identity, coverage, score, target, self.nearest.sequences[target])
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
        names = ["query", "identity", "coverage", "score", "target", "sequence"]
        best = pd.DataFrame(rows, columns=names)
        best = best.groupby("query").head(MOST).reset_index(drop=True)
        best["residues"] = best["sequence"].str.len()
        best["start"] = best["sequence"].str.slice(0, SHOWN_RESIDUES)
        if self.nearest.ids:
            best.insert(1, "id", [self.nearest.ids[target] for target in best["target"]])
        if self.nearest.examples.shape[1] == 1:
            labels = dict(zip(self.nearest.examples[:, 0].tolist(), self._labels(), strict=True))
            best["label"] = [labels.get(target, "–") for target in best["target"]]
        return best.drop(columns=["score", "target", "sequence"])

    def _labels(self) -> list[str]:
        """Return the label of each training example as text; repeats may have several classes."""
        assert self.nearest is not None
        labels = self.nearest.labels
        if not self.classes:
            return [f"{row[0]:.4g}" for row in labels]
        if labels.shape[1] == 1:  # yes or no
            labels = np.concatenate([1 - labels, labels], axis=1)
        return [", ".join(np.array(self.classes)[row > 0]) or "none" for row in labels]


def neighbours_of(run: Path, classes: tuple[str, ...] = ()) -> Neighbours:
    """Return the training proteins that a run keeps, and the names of its classes.

    Raises
    ------
    InputError
        If their file is damaged.
    """
    stored = load_baselines(RunFolder(run).baselines, BASELINES)
    found = None if stored is None else stored.fitted.get(NAME)
    return Neighbours(found if isinstance(found, NearestHomologue) else None, classes)
