"""`peftide evaluate`: a trained model and a labelled table in; scores and predictions out."""

from collections.abc import Iterator, Mapping
from typing import Any

from peftide.baselines import BASELINES
from peftide.baselines.stored import Stored
from peftide.bundle import Bundle
from peftide.commands.predict import answers_table
from peftide.commands.reporting import report_evaluation
from peftide.commands.using import PART, Answered, answer, join, open_model
from peftide.config import EvaluateConfig
from peftide.config.unread import NOTHING, Choice, Names, unread_problems
from peftide.errors import InputError, raise_problems
from peftide.evaluation.answers import (
    CAVEATS,
    bundle_columns,
    check_answer_options,
    prediction_sets,
)
from peftide.evaluation.beside import Beside, check_baselines, stored_beside
from peftide.evaluation.conformal import coverage
from peftide.evaluation.homology import remembered_search
from peftide.evaluation.part_scores import MODEL, Answers, labelled_rows, score_rows
from peftide.evaluation.peers import RANKING, peer_files, read_peer
from peftide.evaluation.scores import by_kind
from peftide.evaluation.tables import write_table
from peftide.files import write_json
from peftide.hardware import peak_memory_bytes
from peftide.outputs import check_folder, clear_folder
from peftide.run_folder import RunFolder, environment
from peftide.sequences import Dataset, Table, read_table, sequence_hash, split_by_column
from peftide.sequences.findings import plain_findings
from peftide.tasks import TASKS, Targets
from peftide.tasks.reading import reading_options
from peftide.training.options import level_choice
from peftide.types import Level

FORMAT_VERSION = 1
COMMAND = "evaluate"


def evaluate(config: EvaluateConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Score a model on a labelled table; write scores and predictions; return the scores.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the model or the table is wrong, a protein was trained on, or the output exists.
    """
    check_folder(config.out, command=COMMAND, overwrite=config.overwrite)
    bundle = open_model(config.run, allow_bin=config.allow_bin)
    check_answer_options(bundle, error_rate=config.error_rate)
    problems = unread_problems(config, choices(config, bundle.recipe.task), given=given)
    raise_problems(problems + check_baselines(config.baselines, TASKS[bundle.recipe.task]))
    table = read_part(config, level=TASKS[bundle.recipe.task].level)
    dataset = join(table, bundle, config)
    if config.shared_proteins == "error":
        refuse_trained_proteins(dataset, bundle)
    targets = labelled(bundle, dataset)
    peers = read_peers(config, dataset, targets, bundle=bundle)
    answered = answer(bundle, dataset, config)
    beside, stored = stored_beside(
        RunFolder(config.run).baselines,
        dataset,
        PART,
        targets=targets,
        option=config.baselines,
        search=remembered_search(threads=config.threads),
    )
    baselines = baseline_answers(beside, stored, targets)
    metrics = score(answered, targets, config, others={"baselines": baselines, "peers": peers})
    metrics["notes"] += beside.notes
    folder = RunFolder(config.out)
    clear_folder(folder.path, command=COMMAND)
    columns = bundle_columns(bundle, answered.logits, error_rate=config.error_rate)
    write_table(answers_table(answered, columns), folder.predictions)
    write_json(folder.metrics, metrics)
    write_json(folder.record, evaluation_record(answered, config))
    report_evaluation(answered, targets, folder, beside=beside)
    return metrics


def choices(config: EvaluateConfig, task: str) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    yield level_choice(task)
    if config.part is None:
        yield Choice("an evaluation without --part", frozenset({"split_column"}))


def read_part(config: EvaluateConfig, *, level: Level) -> Table:
    """Read the labelled table, or the rows of one part of it.

    Raises
    ------
    InputError
        If the table has no such part.
    """
    table = read_table(config.input, config, level=level, needs_labels=True)
    if config.part is None:
        return table
    parts = split_by_column(table, column=config.split_column)
    if config.part not in parts:
        raise InputError(
            f"received {config.part}", expected=f"one of {', '.join(parts)}", where="--part"
        )
    return parts[config.part]


def refuse_trained_proteins(dataset: Dataset, bundle: Bundle) -> None:
    """Raise if the model was trained on a protein of the table.

    Raises
    ------
    InputError
        Naming a few of them.
    """
    proteins = dataset.proteins
    seen = [
        identifier
        for identifier, sequence in zip(proteins.ids, proteins.sequences, strict=True)
        if sequence_hash(sequence) in bundle.trained_on
    ]
    if seen:
        raise InputError(
            f"{len(seen):,} of {len(proteins):,} proteins were trained on "
            f"(for instance {', '.join(seen[:3])})",
            where=dataset.parts[PART].path,
            fix="A score on them says little about new proteins. Leave them out, "
            "or pass `--shared-proteins allow`",
        )


def labelled(bundle: Bundle, dataset: Dataset) -> Targets:
    """Read the labels of a table as those the model was trained on."""
    options = reading_options(dataset, PART, max_length=bundle.recipe.max_length, class_map=None)
    examples = dataset.parts[PART]
    return TASKS[bundle.recipe.task].read_targets(examples, bundle.labels, options)


def read_peers(
    config: EvaluateConfig, dataset: Dataset, targets: Targets, *, bundle: Bundle
) -> dict[str, Answers]:
    """Return what each file of `--against` says of the rows that count.

    Raises
    ------
    InputError
        If a file does not fit the labelled table.
    """
    files = peer_files(config.against, [MODEL, *BASELINES], flag="--against")
    return {
        name: Answers(
            read_peer(
                path,
                (dataset, PART, targets),
                task=TASKS[bundle.recipe.task],
                labels=bundle.labels,
                columns=config,
            )
        )
        for name, path in files.items()
    }


def baseline_answers(beside: Beside, stored: Stored | None, targets: Targets) -> dict[str, Answers]:
    """Return what each baseline says of the rows that count, with its own threshold."""
    thresholds = {} if stored is None else stored.thresholds
    return {
        name: Answers(found[PART][targets.counted], thresholds.get(name) or Answers.threshold)
        for name, found in beside.answers.items()
    }


def score(
    answered: Answered,
    targets: Targets,
    config: EvaluateConfig,
    *,
    others: Mapping[str, Mapping[str, Answers]],
) -> dict[str, Any]:
    """Return the scores of a table in the form of `metrics.json`.

    Parameters
    ----------
    others
        "baselines" and "peers" → name → what it says of the rows that count.
    """
    bundle, outcome, part = answered.bundle, answered.task.outcome, config.part or "test"
    rows = labelled_rows(answered.dataset, PART, targets, task=answered.task, labels=bundle.labels)
    calibrated = bundle.calibration.apply(answered.logits)
    own = outcome.answers(calibrated, bundle.labels)[targets.counted]
    everyone = {MODEL: Answers(own, bundle.threshold)}
    everyone |= {name: given for answers in others.values() for name, given in answers.items()}
    scores = score_rows(rows, everyone, seed=config.seed)
    if outcome.kind == "binary":
        for name in others["peers"]:
            scores.entries[name] = _ranking_only(scores.entries[name])
            scores.differences[name] = _ranking_only(scores.differences[name])
    metrics = {
        "format_version": FORMAT_VERSION,
        "headline": outcome.headline,
        "threshold": bundle.threshold if outcome.uses_threshold else None,
        "calibration": bundle.calibration.summary(),
        **by_kind(
            {part: scores}, others={kind: list(given) for kind, given in others.items() if given}
        ),
    }
    if config.error_rate is not None:
        metrics["conformal"] = {part: set_record(answered, targets, config.error_rate)}
        metrics["notes"].append(f"{part}: {CAVEATS[answered.task.level]}")
    return metrics


def _ranking_only(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in entries.items() if name in RANKING}


def set_record(answered: Answered, targets: Targets, error_rate: float) -> dict[str, Any]:
    """Return how often prediction sets hold the class of the rows that count."""
    bundle = answered.bundle
    counted = targets.counted
    sets = prediction_sets(bundle, answered.logits, error_rate)[counted]
    names = bundle.labels.class_names
    return {"error_rate": error_rate} | coverage(sets, targets.values[counted], names)


def evaluation_record(answered: Answered, config: EvaluateConfig) -> dict[str, Any]:
    """Return what was evaluated, with what, and at what cost."""
    return environment(config.seed, command=COMMAND) | {
        "status": "finished",
        "model": str(config.run),
        "input": str(config.input),
        "task": answered.bundle.recipe.task,
        "method": answered.bundle.recipe.method,
        "backbone": answered.bundle.recipe.backbone,
        "hardware": answered.hardware.describe(),
        "findings": plain_findings(answered.dataset.findings),
        "peak_memory_bytes": peak_memory_bytes(answered.hardware.device),
    }
