"""Rows of a table → the proteins whose residues are explained, and the score of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.errors import InputError, did_you_mean, raise_problems
from peftide.predictor import Predictor
from peftide.predictor.predictor import PART
from peftide.quantities import count_of
from peftide.sequences import Dataset, select_rows
from peftide.tasks import Labels, Task
from peftide.types import IntArray

Partner = Literal["a", "b", "both"]
VALUE = "predicted value"


@dataclass(frozen=True)
class Target:
    """The meaning of the score of a protein.

    The score is the log odds of yes or of a class, or the predicted value. For residues, it is the
    mean over all residues, or the score of one residue.

    Attributes
    ----------
    task, labels
        Task and labels of the model.
    classes
        Class that is explained in each row of the answer: one, or one per residue. Shape (R,).
    position
        Number of the only residue whose answer is explained, from 1; None: all.
    """

    task: Task
    labels: Labels
    classes: IntArray
    position: int | None = None

    def scores(self, logits: Float[Tensor, "R K"]) -> Float[Tensor, " P"]:
        """Return the score of each of some sequences of equal length."""
        distinct, place = np.unique(self.classes, return_inverse=True)
        evidence = self.task.outcome.evidence
        found = torch.stack([evidence(logits, self.labels, int(k)) for k in distinct], dim=1)
        by_row = found.unflatten(0, (-1, len(place)))
        chosen = by_row[:, torch.arange(len(place)), torch.from_numpy(place).to(by_row.device)]
        if self.position is not None:
            return chosen[:, self.position - 1]
        return chosen.mean(dim=1)

    @property
    def name(self) -> str:
        """The score in words.

        Examples
        --------
        >>> from peftide.tasks import TASKS
        >>> Target(TASKS["ppi"], Labels(), np.array([0])).name
        'log odds of yes'
        """
        outcome, names = self.task.outcome, self.labels.class_names
        distinct = np.unique(self.classes)
        score = VALUE
        if outcome.has_classes:
            one = len(distinct) == 1
            score = f"log odds of {names[distinct[0]] if one else 'the predicted classes'}"
        elif outcome.uses_threshold:
            score = "log odds of yes"
        if self.task.level != "residue":
            return score
        place = "mean over all residues" if self.position is None else f"residue {self.position}"
        return f"{score}, {place}"


@dataclass(frozen=True)
class Subject:
    """One protein of one row, whose residues are explained.

    Attributes
    ----------
    ids
        The first columns of its rows in tables: `id`, or `id_a`, `id_b` and `partner`.
    sequence
        The residues that the model sees.
    others
        The sequence of its partner in a pair; empty for single sequences.
    """

    ids: dict[str, str]
    sequence: str
    others: tuple[str, ...]
    target: Target

    @property
    def name(self) -> str:
        """The protein in words.

        Examples
        --------
        >>> target = Target.__new__(Target)
        >>> Subject({"id_a": "P1", "id_b": "P2", "partner": "b"}, "MK", ("MV",), target).name
        'P2 (b) with P1'
        """
        if "partner" not in self.ids:
            return self.ids["id"]
        first, second = self.ids["id_a"], self.ids["id_b"]
        pair = (first, second) if self.ids["partner"] == "a" else (second, first)
        return f"{pair[0]} ({self.ids['partner']}) with {pair[1]}"


def chosen_rows(dataset: Dataset, ids: Sequence[str]) -> Dataset:
    """Return a data set with only the rows of some proteins; all rows without ids.

    These are the pairs of two such proteins; without such pairs, the pairs with one.

    Raises
    ------
    InputError
        If no row has one of the ids.
    """
    if not ids:
        return dataset
    examples, names = dataset.parts[PART], dataset.proteins.ids
    known = {names[member] for member in np.unique(examples.members)}
    raise_problems(
        [f"--ids: no row has the protein {name!r}" for name in ids if name not in known],
        fix=did_you_mean(next((name for name in ids if name not in known), ""), sorted(known)),
    )
    found = [[names[member] in ids for member in row] for row in examples.members]
    rows = np.flatnonzero([all(row) for row in found])
    if not len(rows):
        rows = np.flatnonzero([any(row) for row in found])
    return replace(dataset, parts={PART: select_rows(examples, rows)})


def read_subjects(
    predictor: Predictor,
    dataset: Dataset,
    *,
    partner: Partner = "both",
    target: str | None = None,
    position: int | None = None,
) -> list[Subject]:
    """Return the explained proteins of all rows, in order.

    Parameters
    ----------
    partner
        Partner of each pair whose residues are explained.
    target
        Class that is explained; None: the most probable one.
    position
        Residue whose answer is explained, from 1; None: all residues.

    Raises
    ------
    InputError
        If the model has no such class, or a protein no such residue.
    """
    task, labels = predictor.answering.task, predictor.answering.labels
    fixed = class_index(target, task, labels)
    if position is not None and task.level != "residue":
        raise InputError("the answers of this run are not about residues", where="--position")
    members, proteins = dataset.parts[PART].members, dataset.proteins
    answers = predictor.answering.answers(predictor.logits(dataset))
    best = answers.reshape(len(answers), -1).argmax(axis=1) if fixed is None else fixed
    best = np.broadcast_to(best, len(answers))
    firsts = [proteins.sequences[member] for member in members[:, 0]]
    counts = predictor.encoder.rows(firsts)
    ends = np.cumsum(counts)
    found = []
    for row, end in enumerate(ends):
        classes = best[end - counts[row] : end].astype(np.int64)
        if position is not None and position > len(classes):
            raise InputError(
                f"received {position}, but {proteins.ids[members[row, 0]]} has "
                f"{count_of(len(classes), 'residue')} that the model sees",
                where="--position",
            )
        one = Target(task, labels, classes, position)
        found += list(_subjects_of(predictor, dataset, row, target=one, partner=partner))
    return found


def _subjects_of(
    predictor: Predictor, dataset: Dataset, row: int, *, target: Target, partner: Partner
) -> Iterator[Subject]:
    proteins, members = dataset.proteins, dataset.parts[PART].members[row]
    ids = [proteins.ids[member] for member in members]
    whole = [proteins.sequences[member] for member in members]
    seen = [
        text[:n] for text, n in zip(whole, predictor.encoder.residues(whole).tolist(), strict=True)
    ]
    if len(ids) == 1:
        yield Subject({"id": ids[0]}, seen[0], (), target)
        return
    for place, letter in enumerate("ab"):
        if partner in (letter, "both"):
            named = {"id_a": ids[0], "id_b": ids[1], "partner": letter}
            yield Subject(named, seen[place], (whole[1 - place],), target)


def class_index(name: str | None, task: Task, labels: Labels) -> int | None:
    """Return the place of a class among the logits; None for no name.

    Raises
    ------
    InputError
        If the model has no such class.
    """
    if name is None:
        return None
    if not task.outcome.has_classes:
        raise InputError("the answers of this run are no classes", where="--target")
    if name not in labels.class_names:
        raise InputError(
            f"received {name!r}, which is no class of this run",
            where="--target",
            fix=did_you_mean(name, labels.class_names),
        )
    return labels.class_names.index(name)
