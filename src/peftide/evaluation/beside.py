"""Baselines to compare every score with; they need no language model."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from peftide.auditing import Kinship
from peftide.baselines import (
    BASELINES,
    Degree,
    Fitted,
    FittedOnProteins,
    NearestHomologue,
    ResidueLetters,
    SubstitutionScores,
)
from peftide.baselines.homologues import Search
from peftide.baselines.stored import Stored, load_baselines, save_baselines
from peftide.config.reading import flag
from peftide.errors import PeftideError, did_you_mean
from peftide.evaluation.decisions import DEFAULT_THRESHOLD, choose_threshold
from peftide.evaluation.homology import remembered_search
from peftide.evaluation.part_scores import Answers
from peftide.evaluation.rows import ScoredPart
from peftide.files import remove
from peftide.progress import working
from peftide.sequences import Proteins
from peftide.tasks import TASKS, VARIANT_TASKS, Task
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

AUTO, NONE = "auto", "none"
SLOW = 30.0  # seconds of all baselines, above which the log says how to save them


@dataclass
class Beside:
    """The answers of the baselines for the parts of a data set.

    Attributes
    ----------
    fitted
        Baselines by name.
    answers
        Name → part → answers for all rows.
    thresholds
        Name → lowest probability that is predicted as positive, chosen on validation; None for
        answers without one.
    similarity
        Highest identity of each protein to the training part, 0 if nothing is similar and NaN if
        it was not searched; None without the baseline `nearest_homologue`. Shape (P,).
    kinship
        Similar proteins across parts, as an audit finds them; None if they were not searched.
    seconds
        Name → time for fitting and answering.
    notes
        Baselines that are left out, and why.
    """

    fitted: dict[str, Fitted] = field(default_factory=dict)
    answers: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    thresholds: dict[str, float | None] = field(default_factory=dict)
    similarity: FloatArray | None = None
    kinship: Kinship | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def scored(self, parts: Mapping[str, ScoredPart]) -> dict[str, dict[str, Answers]]:
        """Return name → reported part → answers for the rows that enter the scores."""
        return {
            name: {
                part: Answers(
                    answers[of.name][of.targets.counted],
                    DEFAULT_THRESHOLD if (cut := self.thresholds.get(name)) is None else cut,
                )
                for part, of in parts.items()
            }
            for name, answers in self.answers.items()
        }

    def store(self, folder: Path, train: ScoredPart) -> None:
        """Write the fitted baselines into a run folder; if there are none, empty the folder."""
        if not self.fitted:
            remove(folder)
            return
        per_example = train.examples.members.shape[1]
        kind = train.task.outcome.kind
        save_baselines(
            Stored(self.fitted, self.thresholds, kind=kind, proteins_per_example=per_example),
            folder,
        )


def suitable(task: Task) -> list[str]:
    """Return the baselines that can answer a task.

    Examples
    --------
    >>> from peftide.tasks import TASKS
    >>> suitable(TASKS["regression"]), suitable(TASKS["residue"])
    (['composition', 'kmer', 'ends', 'sites', 'neighbours', 'site_pairs', 'nearest_homologue'],
    ['residue_letter'])
    """
    of_one_protein = task in [TASKS[name] for name in VARIANT_TASKS]
    return [
        name
        for name, one in BASELINES.items()
        if one.suits(task.level, task.outcome.kind) and (of_one_protein or not one.reads_scores)
    ]


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
    """Return the problems with a choice of baselines for a task, as text.

    Examples
    --------
    >>> from peftide.tasks import TASKS
    >>> check_baselines(("composition", "kmer"), TASKS["ppi"])
    []
    >>> check_baselines(("degree",), TASKS["regression"])
    ['--baselines: received degree; this task can have: auto, none, composition, kmer,
    ends, sites, neighbours, site_pairs, nearest_homologue']
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
    parts: Mapping[str, ScoredPart],
    names: Sequence[str],
    *,
    named: Sequence[str] = (),
    search: Search | None = None,
    scores: SubstitutionScores | None = None,
) -> Beside:
    """Fit baselines on the training part, and let them answer every other part.

    Parameters
    ----------
    parts
        Part → the part; with "train".
    names
        Names in `BASELINES`; a baseline that cannot be fitted is left out and noted, one that does
        not apply to the sequences of train is left out.
    named
        Baselines that the user named: it is noted if they do not apply.
    search
        Finds homologues of sequences in the training part; default: in memory, on all cores.
    scores
        Scores of substitutions by the language model; baselines that read them are left out
        without.
    """
    search = search or remembered_search()
    beside, later = Beside(), {name: of for name, of in parts.items() if name != "train"}
    applying = applicable(parts["train"], names)
    beside.notes += [
        f"no baseline {name}: the training sequences are not {BASELINES[name].needs}"
        for name in named
        if name in names and name not in applying
    ]
    if scores is None:
        unscored = [name for name in applying if BASELINES[name].reads_scores]
        applying = [name for name in applying if name not in unscored]
        beside.notes += [
            f"no baseline {name}: the backbone has no output layer that scores substitutions"
            for name in unscored
            if name in named
        ]
    for name in applying:

        def fit_and_answer(name: str = name) -> dict[str, FloatArray]:
            fitted = with_ids(_fit(name, parts["train"], scores), parts["train"].dataset.proteins)
            beside.fitted[name] = searching_by(search, fitted)
            return answers_of(beside.fitted[name], later)

        _collect(beside, name, fit_and_answer)
    _say_times(beside)
    if "validation" in later:
        beside.thresholds = {
            name: choose_threshold(later["validation"], answers["validation"])
            for name, answers in beside.answers.items()
        }
    return with_similarity(beside, later)


def applicable(train: ScoredPart, names: Sequence[str]) -> list[str]:
    """Return the baselines that apply to the sequences of train."""
    used = np.unique(train.examples.members)
    sequences = [train.dataset.proteins.sequences[p] for p in used]
    return [name for name in names if BASELINES[name].applies(sequences)]


def stored_beside(
    folder: Path,
    parts: Mapping[str, ScoredPart],
    *,
    option: Sequence[str],
    search: Search | None = None,
) -> Beside:
    """Let the stored baselines of a run answer parts of a data set.

    Parameters
    ----------
    folder
        Folder of the run's baselines.
    parts
        Name → part; all of one data set.
    option
        As `--baselines`.
    search
        As for `fitted_beside`.
    """
    search = search or remembered_search()
    stored = load_baselines(folder, BASELINES) if NONE not in option else None
    beside = Beside()
    if stored is None:
        if NONE not in option:
            beside.notes.append(
                "no baselines: the folder of the model has none (trained with --baselines none)"
            )
        return beside
    for name in chosen(option, list(stored.fitted)):

        def open_and_answer(name: str = name) -> dict[str, FloatArray]:
            beside.fitted[name] = searching_by(search, stored.fitted[name])
            return answers_of(beside.fitted[name], parts)

        _collect(beside, name, open_and_answer)
    _say_times(beside)
    beside.thresholds = dict(stored.thresholds)
    return with_similarity(beside, parts)


def _collect(beside: Beside, name: str, work: Callable[[], dict[str, FloatArray]]) -> None:
    """Add the answers of a baseline; a baseline that fails is left out with a note."""
    started = time.monotonic()
    try:
        with working(f"baseline {name}"):
            beside.answers[name] = work()
    except PeftideError as error:
        beside.fitted.pop(name, None)
        beside.notes.append(f"no baseline {name}: {error}")
        return
    beside.seconds[name] = time.monotonic() - started


def searching_by(search: Search, fitted: Fitted) -> Fitted:
    """Return the baseline; if it searches for homologues, it now uses this search."""
    return replace(fitted, search=search) if isinstance(fitted, NearestHomologue) else fitted


def with_ids(fitted: Fitted, proteins: Proteins) -> Fitted:
    """Return the baseline; if it keeps training sequences, it now keeps their first ids too."""
    if not isinstance(fitted, NearestHomologue):
        return fitted
    first = dict(zip(reversed(proteins.sequences), reversed(proteins.ids), strict=True))
    return replace(fitted, ids=tuple(first[sequence] for sequence in fitted.sequences))


def with_similarity(beside: Beside, parts: Mapping[str, ScoredPart]) -> Beside:
    """Return the baselines with the similarity of each protein, from the earlier search."""
    nearest = beside.fitted.get("nearest_homologue")
    if not isinstance(nearest, NearestHomologue):
        return beside
    used = np.unique(np.concatenate([part.examples.members.ravel() for part in parts.values()]))
    sequences = next(iter(parts.values())).dataset.proteins.sequences
    similarity = np.full(len(sequences), np.nan)
    similarity[used] = nearest.homologues([sequences[p] for p in used]).highest()
    return replace(beside, similarity=similarity)


def _fit(name: str, train: ScoredPart, scores: SubstitutionScores | None) -> Fitted:
    known, outcome = train.targets, train.task.outcome
    if train.task.level == "residue":
        answers = np.where(known.counted, known.values[:, 0], np.nan)
        if outcome.has_classes:
            answers = np.where(known.counted, known.values.argmax(axis=1), -1).astype(np.int64)
        per_example = np.split(answers, known.offsets[1:-1])
        return BASELINES[name].fit(
            seen_sequences(train), per_example, len(train.labels.class_names)
        )
    values = known.values[known.counted]
    values = (values > 0).astype(np.int64) if outcome.has_classes else values[:, 0]
    members = train.examples.members[known.counted]
    given = {"scores": scores} if BASELINES[name].reads_scores else {}
    sequences = train.dataset.proteins.sequences
    return BASELINES[name].fit(sequences, members, values, kind=outcome.kind, **given)


def answers_of(fitted: Fitted, parts: Mapping[str, ScoredPart]) -> dict[str, FloatArray]:
    """Return the answers of a baseline for the rows of each part, computed in one call."""
    if isinstance(fitted, ResidueLetters):
        return {
            name: np.concatenate(fitted.predict(seen_sequences(part)))
            for name, part in parts.items()
        }
    assert isinstance(fitted, FittedOnProteins)
    sequences = next(iter(parts.values())).dataset.proteins.sequences
    members = np.concatenate([part.examples.members for part in parts.values()])
    used, local = np.unique(members, return_inverse=True)
    answers = fitted.predict([sequences[p] for p in used], local.reshape(members.shape))
    ends = np.cumsum([len(part.examples) for part in parts.values()])
    return dict(zip(parts, np.split(answers, ends[:-1]), strict=True))


def pairs_in_train(beside: Beside, sequences: Sequence[str]) -> IntArray | None:
    """Return the number of training pairs per sequence, if the baselines know it. Shape (P,)."""
    degree = beside.fitted.get("degree")
    return degree.pairs_of(sequences) if isinstance(degree, Degree) else None


def seen_sequences(part: ScoredPart) -> list[str]:
    """Return the sequence of each example, cut to the residues that have rows."""
    sequences, residues = part.dataset.proteins.sequences, np.diff(part.targets.offsets)
    members = part.examples.members[:, 0]
    return [sequences[p][:n] for p, n in zip(members, residues, strict=True)]


def _say_times(beside: Beside) -> None:
    if beside.seconds:
        times = ", ".join(f"{name} {took:.1f} s" for name, took in beside.seconds.items())
        slow = sum(beside.seconds.values()) > SLOW
        hint = " (to save this time: `--baselines none`, or a shorter list)" if slow else ""
        logger.info("baselines: %s%s", times, hint)
