"""Baselines that stand beside every score: what needs no language model at all."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from peftide.baselines import (
    BASELINES,
    Degree,
    Fitted,
    FittedOnProteins,
    NearestHomologue,
    ResidueLetters,
)
from peftide.baselines.homologues import Search
from peftide.baselines.stored import Stored, load_baselines
from peftide.config.reading import flag
from peftide.errors import PeftideError, did_you_mean
from peftide.evaluation.homology import remembered_search
from peftide.sequences import Dataset, Examples
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

AUTO, NONE = "auto", "none"


@dataclass
class Beside:
    """What the baselines say of the parts of a data set.

    Attributes
    ----------
    fitted
        Each baseline by name.
    answers
        Name → part → its answers.
    similarity
        Highest identity of each protein to the training part, 0 where nothing is similar and NaN
        where it was not looked for; None where the nearest homologue is no baseline. Shape (P,).
    seconds
        Name → time for fitting and answering.
    notes
        Which are left out, and why.
    """

    fitted: dict[str, Fitted] = field(default_factory=dict)
    answers: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    similarity: FloatArray | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def suitable(task: Task) -> list[str]:
    """Return the baselines that can answer a task.

    Examples
    --------
    >>> from peftide.tasks import TASKS
    >>> suitable(TASKS["regression"]), suitable(TASKS["residue"])
    (['composition', 'kmer', 'nearest_homologue'], ['residue_letter'])
    """
    return [name for name, one in BASELINES.items() if one.suits(task.level, task.outcome.kind)]


def chosen(option: Sequence[str], possible: Sequence[str]) -> list[str]:
    """Return the baselines that `--baselines` asks for.

    Examples
    --------
    >>> chosen(("auto",), ["composition", "kmer"]), chosen(("none",), ["composition", "kmer"])
    (['composition', 'kmer'], [])
    """
    if NONE in option:
        return []
    return [name for name in possible if AUTO in option or name in option]


def check_baselines(option: Sequence[str], task: Task) -> list[str]:
    """Return what is wrong about a choice of baselines for a task.

    Examples
    --------
    >>> from peftide.tasks import TASKS
    >>> check_baselines(("composition", "kmer"), TASKS["ppi"])
    []
    >>> check_baselines(("degree",), TASKS["regression"])
    ['--baselines: received degree; this task can have: auto, none, composition, kmer,
    nearest_homologue']
    """
    where = flag("baselines")
    possible = [AUTO, NONE, *suitable(task)]
    problems = [
        f"{where}: received {name}; this task can have: {', '.join(possible)}"
        if name in BASELINES
        else f"{where}: received {name!r}. {did_you_mean(name, possible)}"
        for name in option
        if name not in possible
    ]
    if len(option) > 1 and {AUTO, NONE} & set(option):
        problems.append(f"{where}: received {','.join(option)}; auto and none stand alone")
    return problems


def fitted_beside(
    dataset: Dataset,
    targets: Mapping[str, Targets],
    task: Task,
    *,
    labels: Labels,
    names: Sequence[str],
    search: Search | None = None,
) -> Beside:
    """Fit baselines on the training part, and let them answer every other part.

    Parameters
    ----------
    names
        Of `BASELINES`; those that cannot be had are left out and noted.
    search
        Finds the homologues of sequences in train; default: in memory, by all cores.
    """
    search = search or remembered_search()
    beside = Beside()
    parts = [part for part in dataset.parts if part != "train"]
    for name in names:

        def fit_and_answer(name: str = name) -> dict[str, FloatArray]:
            fitted = _fit(name, dataset, targets, task=task, labels=labels)
            beside.fitted[name] = searching_by(search, fitted)
            return answers_of(beside.fitted[name], dataset, {p: targets[p] for p in parts})

        _collect(beside, name, fit_and_answer)
    _say_times(beside)
    return with_similarity(beside, dataset, parts)


def stored_beside(
    run: Path,
    dataset: Dataset,
    part: str,
    *,
    targets: Targets,
    option: Sequence[str],
    search: Search | None = None,
) -> tuple[Beside, Stored | None]:
    """Let the baselines that a run keeps answer a part of another data set.

    Parameters
    ----------
    run
        Folder of the run's baselines.
    option
        As `--baselines`.
    search
        As for `fitted_beside`.
    """
    search = search or remembered_search()
    stored = load_baselines(run, BASELINES) if NONE not in option else None
    beside = Beside()
    if stored is None:
        if NONE not in option:
            beside.notes.append(
                "no baselines: the model's folder keeps none (a run of an older version, "
                "or trained with --baselines none)"
            )
        return beside, None
    for name in chosen(option, list(stored.fitted)):

        def open_and_answer(name: str = name) -> dict[str, FloatArray]:
            beside.fitted[name] = searching_by(search, stored.fitted[name])
            return answers_of(beside.fitted[name], dataset, {part: targets})

        _collect(beside, name, open_and_answer)
    _say_times(beside)
    return with_similarity(beside, dataset, [part]), stored


def _collect(beside: Beside, name: str, work: Callable[[], dict[str, FloatArray]]) -> None:
    """Add what a baseline answers; one that cannot is left out, as scores stand without it too."""
    started = time.monotonic()
    try:
        beside.answers[name] = work()
    except PeftideError as error:
        beside.fitted.pop(name, None)
        beside.notes.append(f"no baseline {name}: {error}")
        return
    beside.seconds[name] = time.monotonic() - started


def searching_by(search: Search, fitted: Fitted) -> Fitted:
    """Return a baseline that finds homologues by this search, if it looks for them at all."""
    return replace(fitted, search=search) if isinstance(fitted, NearestHomologue) else fitted


def with_similarity(beside: Beside, dataset: Dataset, parts: Sequence[str]) -> Beside:
    """Return the same with the similarity of each protein, by the search that was made already."""
    nearest = beside.fitted.get("nearest_homologue")
    if not isinstance(nearest, NearestHomologue):
        return beside
    used = np.unique(np.concatenate([dataset.parts[part].members.ravel() for part in parts]))
    sequences = dataset.proteins.sequences
    similarity = np.full(len(sequences), np.nan)
    similarity[used] = nearest.homologues([sequences[p] for p in used]).highest()
    return replace(beside, similarity=similarity)


def _fit(
    name: str,
    dataset: Dataset,
    targets: Mapping[str, Targets],
    *,
    task: Task,
    labels: Labels,
) -> Fitted:
    train, known = dataset.parts["train"], targets["train"]
    sequences = dataset.proteins.sequences
    if task.level == "residue":
        classes = np.where(known.counted, known.values.argmax(axis=1), -1).astype(np.int64)
        per_example = np.split(classes, known.offsets[1:-1])
        seen = seen_sequences(train, known, sequences)
        return BASELINES[name].fit(seen, per_example, len(labels.class_names))
    values = known.values[known.counted]
    is_set = task.outcome.kind in ("categorical", "multilabel")
    values = (values > 0).astype(np.int64) if is_set else values[:, 0]
    members = train.members[known.counted]
    return BASELINES[name].fit(sequences, members, values, kind=task.outcome.kind)


def answers_of(
    fitted: Fitted, dataset: Dataset, targets: Mapping[str, Targets]
) -> dict[str, FloatArray]:
    """Return what a baseline says of the rows of each part, all parts asked at once."""
    sequences, parts = dataset.proteins.sequences, [dataset.parts[part] for part in targets]
    if isinstance(fitted, ResidueLetters):
        named = zip(targets, parts, strict=True)
        return {
            part: np.concatenate(fitted.predict(seen_sequences(examples, targets[part], sequences)))
            for part, examples in named
        }
    assert isinstance(fitted, FittedOnProteins)
    members = np.concatenate([examples.members for examples in parts])
    used, local = np.unique(members, return_inverse=True)
    answers = fitted.predict([sequences[p] for p in used], local.reshape(members.shape))
    ends = np.cumsum([len(examples) for examples in parts])
    return dict(zip(targets, np.split(answers, ends[:-1]), strict=True))


def pairs_in_train(beside: Beside, sequences: Sequence[str]) -> IntArray | None:
    """Return the train pairs of each sequence, if the baselines know them. Shape (P,)."""
    degree = beside.fitted.get("degree")
    return degree.pairs_of(sequences) if isinstance(degree, Degree) else None


def seen_sequences(examples: Examples, targets: Targets, sequences: tuple[str, ...]) -> list[str]:
    """Return the sequence of each example, as far as its residues have rows."""
    residues: IntArray = np.diff(targets.offsets)
    members = examples.members[:, 0]
    return [sequences[p][:n] for p, n in zip(members, residues, strict=True)]


def _say_times(beside: Beside) -> None:
    if beside.seconds:
        times = ", ".join(f"{name} {took:.1f} s" for name, took in beside.seconds.items())
        logger.info("baselines: %s", times)
