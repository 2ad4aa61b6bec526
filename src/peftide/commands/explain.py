"""`peftide explain`: a trained model and a table in; the residues its answers depend on out."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from peftide.backbones.names import check_backbone
from peftide.bundle_record import Recipe, read_answering
from peftide.commands.predict import choices as prediction_choices
from peftide.config import ExplainConfig, as_mapping
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Choice, Names, unread_problems
from peftide.environment import environment
from peftide.errors import InputError, raise_problems
from peftide.evaluation.tables import write_table
from peftide.files import write_json, write_text, written_whole
from peftide.on_demand import require_library
from peftide.outputs import WRITTEN_BY, making_folder, require_file
from peftide.report.explanation import explanation_page
from peftide.run_folder import RunFolder
from peftide.sequences.findings import plain_findings, say_findings
from peftide.tasks import TASKS, VARIANT_TASKS

if TYPE_CHECKING:
    from peftide.explaining.explain import Explanation

EXPLAIN = "explain"
TABLES = ("proteins", "residues", "substitutions", "deletion")


def explain(config: ExplainConfig, *, given: Names = NOTHING) -> "Explanation":
    """Explain the answers to the rows of a table; write tables and a report.

    Until they are written, the encoded mutants are kept inside `out`, so a call that was
    interrupted resumes.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the model or the table is wrong, no row has an id of `ids`, or the output exists.
    """
    recipe = recipe_without_variants(config.run)
    raise_problems(unread_problems(config, choices(recipe.task, config), given=given))
    check_device(config.device)
    check_backbone(config.backbone)
    require_file(config.input, where="--input")
    if config.format == "parquet":
        require_library("pyarrow", extra="formats", where="--format parquet")
    inputs = [path for path in (config.input, config.sequences) if isinstance(path, Path)]
    with making_folder(
        config.out, command=EXPLAIN, overwrite=config.overwrite, inputs=inputs
    ) as work:
        found, findings = _explained(config, store=work.store)
        folder = RunFolder(work.new)
        tables = {name: getattr(found, name) for name in TABLES}
        for name, table in tables.items():
            if table is not None:
                _write(table, folder.path / f"{name}.{config.format}")
        record = environment(config.seed, command=EXPLAIN) | {
            "status": "finished",
            "model": str(config.run),
            "options": as_mapping(config),
            "findings": findings,
            "faithfulness": found.faithfulness.as_json(),
        }
        write_text(folder.report, explanation_page(tables, record, title=config.title), tidy=True)
        write_json(folder.record, record)
        work.put(WRITTEN_BY[EXPLAIN])
    return found


def recipe_without_variants(run: Path) -> Recipe:
    """Return the recipe of a run's model, without its weights.

    Raises
    ------
    InputError
        If it is a model of the variants of one protein.
    """
    recipe, _ = read_answering(run)
    if recipe.task in VARIANT_TASKS:
        raise InputError(
            f"the model of {run} answers the task {recipe.task}",
            expected="a run of another task",
            fix=f"`peftide mutate {run}` scores all substitutions of its protein",
        )
    return recipe


def _explained(
    config: ExplainConfig, *, store: Path
) -> tuple["Explanation", list[dict[str, object]]]:
    """Return the explanation, and the findings of reading."""
    # torch and all that stands on it: a refusal should not wait for them
    from peftide.explaining.explain import explain_subjects
    from peftide.explaining.subjects import chosen_rows, read_subjects
    from peftide.hardware import choose_hardware
    from peftide.predictor.predictor import opened

    hardware = choose_hardware(config)
    predictor = opened(config.run, hardware, allow_bin=config.allow_bin, backbone=config.backbone)
    dataset = predictor.read(config.input, config.sequences, columns=config)
    say_findings(dataset.findings)
    subjects = read_subjects(
        predictor,
        chosen_rows(dataset, config.ids),
        partner=config.partner,
        target=config.target,
        position=config.position,
    )
    return explain_subjects(predictor, subjects, config, store=store), plain_findings(
        dataset.findings
    )


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as TSV or Parquet, by the ending of its name."""
    if path.suffix != ".parquet":
        write_table(table, path)
        return
    with written_whole(path) as partial:
        table.to_parquet(partial, index=False)


def choices(task: str, config: ExplainConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    yield from prediction_choices(task, config)
    if TASKS[task].level != "pair":
        yield Choice(f"the task {task}", frozenset({"partner"}))
    if TASKS[task].level != "residue":
        yield Choice(f"the task {task}", frozenset({"position"}))
    if not TASKS[task].outcome.has_classes:
        yield Choice(f"the task {task}", frozenset({"target"}))
    if not config.substitutions:
        yield Choice("--no-substitutions", frozenset({"sites"}))
