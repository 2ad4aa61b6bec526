"""A trained model and a labelled table → scores and predictions in a folder."""

from dataclasses import replace
from typing import Any

from peftide.auditing import audit_known
from peftide.bundle import Bundle, load_bundle
from peftide.config import EvaluateConfig, as_mapping
from peftide.config.unread import NOTHING, Names, changed_options
from peftide.environment import environment
from peftide.errors import InputError, Problems
from peftide.evaluation.beside import stored_beside
from peftide.evaluation.homology import remembered_searches
from peftide.evaluation.part_scores import Resampling
from peftide.evaluation.peers import read_peers
from peftide.evaluation.record import evaluate_parts
from peftide.evaluation.relatives import related_to_stored
from peftide.evaluation.results import EVALUATE, Results, write_results
from peftide.evaluation.rows import ScoredPart
from peftide.evaluation.strata import Trained
from peftide.files import write_json
from peftide.hardware import choose_hardware, peak_memory_bytes
from peftide.outputs import WRITTEN_BY
from peftide.predictor.known import refuse_known_proteins, seen_in_training
from peftide.predictor.predictor import PART, Predictor, predictor_of
from peftide.run_folder import RunFolder
from peftide.sequences import Dataset, Table, read_table, sequence_lookup, split_by_column
from peftide.sequences.findings import plain_findings, say_findings
from peftide.similarity import SimilaritySettings
from peftide.tasks.reading import reading_options
from peftide.tasks.row_problems import Lone, fit_alone, is_complete
from peftide.types import Level
from peftide.work_folder import Work

UNNAMED = "test"


def run_evaluation(config: EvaluateConfig, work: Work, *, given: Names = NOTHING) -> dict[str, Any]:
    """Score a model on a labelled table, and put scores and predictions in their place.

    Parameters
    ----------
    given
        Options that the user named, even if at their default, for the record.

    Raises
    ------
    InputError
        If the table is wrong, or the model has seen a protein of the table.
    """
    name = config.part or UNNAMED
    hardware = choose_hardware(config)
    bundle = load_bundle(
        config.run, allow_bin=config.allow_bin, backbone=config.backbone, dtype=hardware.dtype
    )
    predictor = predictor_of(bundle, hardware)
    part = labelled_part(config, predictor, bundle)
    peers = read_peers(config.against, part, columns=config)
    logits = predictor.logits(part.dataset, store=config.embedding_cache or work.store)
    searches = remembered_searches(config.embedding_cache, threads=config.threads)
    beside = stored_beside(
        RunFolder(config.run).baselines,
        {part.name: part},
        option=config.baselines,
        search=searches.homologues,
    )
    beside, tool = related_to_stored(
        beside,
        part.dataset.proteins.sequences,
        settings=SimilaritySettings(threads=config.threads),
        search=searches.kinship,
    )
    others = {
        "baselines": beside.scored({name: part}),
        "peers": {who: {name: answers} for who, answers in peers.items()},
    }
    metrics = evaluate_parts(
        {name: part},
        {name: logits},
        predictor.answering,
        others=others,
        resampling=Resampling(config.seed, config.threads),
        error_rate=config.error_rate,
    )
    metrics["notes"] += beside.notes
    columns = predictor.answering.columns(logits, error_rate=config.error_rate)
    trained = seen_in_training(part.dataset.proteins.sequences, bundle, beside)
    folder = RunFolder(work.new)
    options = {"options": as_mapping(config), "chosen": sorted(given | changed_options(config))}
    write_json(folder.record, evaluation_record(config, predictor, bundle, part=part) | options)
    write_json(folder.audit, _audit(part, trained, name=name, tool=tool))
    write_results(
        Results(
            metrics,
            {name: part},
            {name: columns},
            trained,
            others=others["baselines"] | others["peers"],
        ),
        folder,
    )
    work.put(WRITTEN_BY[EVALUATE])
    return metrics


def _audit(part: ScoredPart, trained: Trained, *, name: str, tool: str) -> dict[str, Any]:
    """Return the verdicts on the proteins of the table that the training knew."""
    dataset = replace(part.dataset, parts={name: part.examples})
    pairs = part.task.level == "pair"
    similarity = trained.similarity
    return audit_known(dataset, pairs=pairs, seen=trained.seen, similarity=similarity, tool=tool)


def labelled_part(config: EvaluateConfig, predictor: Predictor, bundle: Bundle) -> ScoredPart:
    """Read the labelled table; its labels are read as in the training of the model.

    Raises
    ------
    InputError
        If the table is wrong, or the model has seen one of its proteins.
    """
    task, labels, problems = predictor.answering.task, predictor.answering.labels, Problems()
    table = read_rows(predictor.columns(config), level=task.level, problems=problems)
    dataset = _joined(config, predictor, table, problems=problems)
    if config.shared_proteins == "error":
        refuse_known_proteins(dataset.proteins, bundle, where=table.path)
    options = reading_options(dataset, PART, max_length=bundle.recipe.max_length, class_map=None)
    targets = task.read_targets(dataset.parts[PART], labels, options)
    dataset = replace(dataset, findings=dataset.findings + targets.findings)
    say_findings(dataset.findings)
    return ScoredPart(task, labels, dataset, PART, targets)


def _joined(
    config: EvaluateConfig, predictor: Predictor, table: Table, *, problems: Problems
) -> Dataset:
    """Return the rows with their sequences.

    Raises
    ------
    InputError
        Names the problems of all rows and their labels.
    """
    dataset = None
    complete = table.select(is_complete(table)) if problems.found else table
    if len(complete):
        with problems.collected(only_of_rows=bool(problems.found)):
            dataset = predictor.join(complete, config, sequences=config.sequences)
    if problems.found and len(complete):
        with problems.collected(only_of_rows=True):
            source = config.sequences
            lookup = None if source is None else sequence_lookup(source)
            fit_alone(predictor.answering.task, Lone(PART, complete, lookup))
    problems.raise_all()
    assert dataset is not None
    return dataset


def read_rows(config: EvaluateConfig, *, level: Level, problems: Problems) -> Table:
    """Read the labelled table, or only the rows of `--part`.

    Parameters
    ----------
    problems
        Gets the problems of single rows.

    Raises
    ------
    InputError
        If the table has no such part.
    """
    table = read_table(config.input, config, level=level, needs_labels=True, problems=problems)
    if config.part is None:
        return table
    parts = split_by_column(table, column=config.split_column, problems=problems)
    if config.part not in parts:
        problems.raise_all()
        raise InputError(
            f"received {config.part}", expected=f"one of {', '.join(parts)}", where="--part"
        )
    return parts[config.part]


def evaluation_record(
    config: EvaluateConfig, predictor: Predictor, bundle: Bundle, *, part: ScoredPart
) -> dict[str, Any]:
    """Return the evaluation record: input, model, environment and cost."""
    recipe, hardware = bundle.recipe, predictor.encoder.hardware
    return environment(config.seed, command=EVALUATE) | {
        "status": "finished",
        "model": str(config.run),
        "input": as_mapping(config)["input"],
        "task": recipe.task,
        "method": recipe.method,
        "backbone": recipe.backbone,
        "hardware": hardware.describe(),
        "findings": plain_findings(part.dataset.findings),
        "peak_memory_bytes": peak_memory_bytes(hardware.device),
    }
