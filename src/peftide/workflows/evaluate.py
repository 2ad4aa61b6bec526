"""`peftide evaluate`: a trained model and a labelled table in; scores and predictions out."""

from typing import Any

from peftide.bundle import Bundle, sequence_hash
from peftide.config import EvaluateConfig
from peftide.errors import InputError
from peftide.files import write_json
from peftide.hardware import peak_memory_bytes
from peftide.metrics import as_record
from peftide.outputs import check_folder, clear_folder
from peftide.run_folder import RunFolder, environment, plain_findings
from peftide.sequences import Dataset, Table, read_table, split_by_column
from peftide.tasks import TASKS, Targets
from peftide.types import Level
from peftide.workflows.predict import answers_table
from peftide.workflows.reading import reading_options
from peftide.workflows.report import report_evaluation
from peftide.workflows.tables import measure, write_table
from peftide.workflows.using import PART, Answered, answer, join, open_model

FORMAT_VERSION = 1
COMMAND = "evaluate"


def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Score a model on a labelled table; write scores and predictions; return the scores.

    Raises
    ------
    InputError
        If the model or the table is wrong, a protein was trained on, or the output exists.
    """
    check_folder(config.out, command=COMMAND, overwrite=config.overwrite)
    bundle = open_model(config.run, allow_bin=config.allow_bin)
    table = read_part(config, level=TASKS[bundle.recipe.task].level)
    dataset = join(table, bundle, config)
    if config.shared_proteins == "error":
        refuse_trained_proteins(dataset, bundle)
    targets = labelled(bundle, dataset)
    answered = answer(bundle, dataset, config)
    metrics = score(answered, targets, part=config.part or "test")
    folder = RunFolder(config.out)
    clear_folder(folder.path, command=COMMAND)
    write_table(answers_table(answered), folder.predictions)
    write_json(folder.metrics, metrics)
    write_json(folder.record, evaluation_record(answered, config))
    report_evaluation(answered, targets, folder)
    return metrics


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


def score(answered: Answered, targets: Targets, *, part: str) -> dict[str, Any]:
    """Return the scores of a table in the form of `metrics.json`."""
    bundle = answered.bundle
    metrics = measure(
        answered.task,
        targets,
        answered.logits,
        labels=bundle.labels,
        threshold=bundle.threshold,
    )
    return {
        "format_version": FORMAT_VERSION,
        "headline": answered.task.outcome.headline,
        "threshold": bundle.threshold if answered.task.outcome.uses_threshold else None,
        "splits": {part: as_record(metrics, int(targets.counted.sum()))},
    }


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
