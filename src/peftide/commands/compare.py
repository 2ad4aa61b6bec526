"""`peftide compare`: methods × backbones × seeds on one split; a leaderboard and a choice out."""

import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from peftide.commands.plan import plan
from peftide.commands.train import finish, train
from peftide.comparing.answers import read_answers
from peftide.comparing.budget import Budget
from peftide.comparing.cells import (
    Cell,
    Contender,
    cells,
    check_contenders,
    check_lists,
    training_of,
    with_preset,
)
from peftide.comparing.leaderboard import Cost, Leaderboard, Trained, Untrained, rank
from peftide.config import CompareConfig, PlanConfig, TrainConfig
from peftide.config.reading import is_in_memory
from peftide.config.unread import NOTHING, Names, changed_options
from peftide.errors import TRAINING_FAILURES, InputError, StorageError, TrainingError
from peftide.evaluation.beside import stored_beside
from peftide.evaluation.homology import remembered_search
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.evaluation.rows import ScoredPart
from peftide.evaluation.tables import write_table
from peftide.files import size_on_disk, storage_errors, write_json, written_whole
from peftide.outputs import read_record
from peftide.progress import saying_once
from peftide.report import write_report_if_possible
from peftide.report.comparison import RECORD, write_comparison_if_possible
from peftide.report.summary_forms import ComparisonForm
from peftide.report.writing import read_summary
from peftide.run_folder import RunFolder, check_run, complete, open_run, run_to_resume
from peftide.saved import read_frame
from peftide.sequences.training_tables import TrainingTables, data_files
from peftide.tasks import Task
from peftide.tasks.request import read_request
from peftide.training.options import same_validation

logger = logging.getLogger(__name__)

LEAST_SECONDS = 0.1
"""Shorter trainings cost as much: times are kept to a tenth of a second."""

BEST, TABLE = "best", "leaderboard.tsv"


@dataclass(frozen=True)
class CompareResult:
    """Results of a comparison.

    Attributes
    ----------
    path
        Folder with the leaderboard, the report, all runs and `best`, a run folder.
    table
        The leaderboard, the best first.
    record
        Content of `comparison.json`.
    """

    path: Path
    table: pd.DataFrame = field(repr=False)
    record: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class _Request:
    """A comparison as it was asked for, with its tables read."""

    config: CompareConfig
    task: Task
    tables: TrainingTables


@dataclass
class _Progress:
    """What became of the cells so far."""

    finished: list[Cell] = field(default_factory=list)
    failed: dict[Contender, tuple[str, str]] = field(default_factory=dict)


def compare(config: CompareConfig, *, given: Names = NOTHING) -> CompareResult:
    """Train methods on one split under one budget, rank them, and copy the best run.

    A training that fails does not stop the others.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If an option or the data are wrong; nothing is written.
    TrainingError
        If no training could be finished.
    """
    check_lists(config, given=given)
    chosen = given | changed_options(config)
    config = with_preset(config, given=given)
    files = data_files(config)
    check_run(config, files)
    begun = run_to_resume(config)
    if begun is not None and begun.is_finished():
        logger.info("%s is already finished", config.out)
        complete(config, files)
    else:
        with saying_once():
            request = _Request(*read_request(config))
            check_contenders(request.config, request.task, request.tables, given=chosen)
            parts = _scored_parts(request)  # a fault of the data comes before all trainings
            with open_run(request.config, files, chosen=chosen) as folder:
                _fill(request, folder, parts)
    write_report_if_possible(config.out / BEST)
    write_comparison_if_possible(config.out)
    return _result(config.out)


def _result(out: Path) -> CompareResult:
    columns = ("method", "backbone", "score")
    table = read_frame(out / TABLE, columns=columns, keep_default_na=False, na_values=[""])
    record = read_summary(out, RECORD, ComparisonForm, command="compare")
    return CompareResult(out, table, record)


def _fill(request: _Request, folder: RunFolder, parts: list[ScoredPart]) -> None:
    """Train every cell that fits, and write the leaderboard."""
    progress = _train_all(request, folder)
    if not progress.finished:
        reasons = "; ".join(f"{one.name}: {why}" for one, (_, why) in progress.failed.items())
        limited = request.config.time_limit is not None
        is_skipped = any(status == "skipped" for status, _ in progress.failed.values())
        more = ". Raise --time-limit" if limited and is_skipped else ""
        raise TrainingError(f"no training was finished ({reasons}){more}")
    board = _leaderboard(request, folder, progress, parts=parts)
    source = _best_cell(progress, folder, board).path(folder.path)
    with storage_errors(folder.path / BEST), written_whole(folder.path / BEST) as partial:
        shutil.copytree(source, partial, dirs_exist_ok=True)
    write_table(board.table(), folder.path / TABLE)
    write_json(folder.path / RECORD, board.record())
    write_json(folder.record, read_record(folder.record) | {"status": "finished"})


def _train_all(request: _Request, folder: RunFolder) -> _Progress:
    config, progress = request.config, _Progress()
    budget = Budget(folder, lambda one: _forecast(request, one, folder), config.time_limit)
    every = list(cells(config))
    for number, cell in enumerate(every, start=1):
        out = cell.path(folder.path)
        if RunFolder(out).is_finished():
            # it may have been killed before it had tidied up
            finish(_cell_config(request, cell.contender, out, seed=cell.seed), data_files(config))
            progress.finished.append(cell)
            budget.learn(cell.contender, _whole_seconds(out))
            continue
        logger.info("\n%d of %d: %s, seed %d", number, len(every), cell.contender.name, cell.seed)
        status, reason = _run_if_it_fits(request, cell, out, budget=budget)
        if not reason:
            progress.finished.append(cell)
            budget.learn(cell.contender, _whole_seconds(out))
            continue
        progress.failed.setdefault(cell.contender, (status, reason))
        logger.warning("%s: %s: %s", status, cell.contender.name, reason)
    return progress


def _run_if_it_fits(request: _Request, cell: Cell, out: Path, *, budget: Budget) -> tuple[str, str]:
    """Train a cell; return why it was skipped or failed, or two empty texts."""
    try:
        objection = budget.objection(cell.contender)
        if objection:
            return "skipped", objection
        _train(_cell_config(request, cell.contender, out, seed=cell.seed))
    except StorageError:
        raise  # no other training has more room; it is done again once there is some
    except TRAINING_FAILURES as error:
        return "failed", f"{error}" or type(error).__name__
    return "", ""


def _train(config: TrainConfig) -> None:
    """Train a cell, or go on with it; a cell that cannot be resumed starts again."""
    try:
        train(config)
    except InputError:
        if not config.resume or not config.out.exists():
            raise
        logger.warning("note: %s cannot be resumed and starts again", config.out)
        train(replace(config, resume=False, overwrite=True))


def _cell_config(request: _Request, contender: Contender, out: Path, *, seed: int) -> TrainConfig:
    config = request.config
    in_memory = any(map(is_in_memory, vars(config).values()))
    cell = replace(
        training_of(config, contender, request.task),
        seed=seed,
        out=out,
        resume=not in_memory,
        overwrite=in_memory,
        embedding_cache=config.embedding_cache or RunFolder(out.parent.parent).cache,
    )
    return same_validation(cell, request.tables, seed=config.seed)


def _forecast(request: _Request, contender: Contender, folder: RunFolder) -> Any:
    cell = Cell(contender, request.config.seed)
    config = _cell_config(request, contender, cell.path(folder.path), seed=cell.seed)
    return plan(PlanConfig(**vars(replace(config, resume=False, overwrite=False))))


def _whole_seconds(run: Path) -> float:
    return read_record(RunFolder(run).record)["seconds"]["this_process"]


def _leaderboard(
    request: _Request, folder: RunFolder, progress: _Progress, *, parts: list[ScoredPart]
) -> Leaderboard:
    """Compare the answers of the finished cells on validation and every later part."""
    config = request.config
    trained = list(_trained(progress, folder, parts))
    left = {one.contender for one in trained}
    return rank(
        trained,
        [Untrained(one, *why) for one, why in progress.failed.items() if one not in left],
        _baselines(config, parts, folder, run=progress.finished[0].path(folder.path)),
        parts=parts,
        resampling=Resampling(config.seed, config.threads),
    )


def _scored_parts(request: _Request) -> list[ScoredPart]:
    """Return validation and the test parts, as every training read them."""
    # it loads torch, for which no refusal should wait
    from peftide.training.problem import read_problem

    config = request.config
    options = training_of(config, Contender(config.methods[0], config.backbone), request.task)
    problem = read_problem(options, request.task, request.tables)
    return [problem.part(name) for name in problem.targets if name != "train"]


def _trained(progress: _Progress, folder: RunFolder, parts: list[ScoredPart]) -> Iterator[Trained]:
    for contender in dict.fromkeys(cell.contender for cell in progress.finished):
        own = [cell for cell in progress.finished if cell.contender == contender]
        runs = [RunFolder(cell.path(folder.path)) for cell in own]
        answers = {part.name: [_answers(run, part) for run in runs] for part in parts}
        yield Trained(contender, answers, _cost(runs), tuple(cell.seed for cell in own))


def _answers(run: RunFolder, part: ScoredPart) -> Answers:
    try:
        return read_answers(run, part)
    except InputError as error:
        raise InputError(
            error.received,
            expected=error.expected,
            where=error.where,
            fix=f"Remove {run.path} and go on with --resume, which trains it again",
        ) from error


def _cost(runs: list[RunFolder]) -> Cost:
    records = [read_record(run.record) for run in runs]
    seconds = sum(record["seconds"]["training"] for record in records) / len(records)
    return Cost(
        seconds=max(LEAST_SECONDS, seconds),
        trained=records[0]["parameters"]["trained"],
        memory_bytes=max(
            record["peak_memory_bytes"] - record["memory_before_bytes"] for record in records
        ),
        size_bytes=size_on_disk(runs[0].model),
    )


def _baselines(
    config: CompareConfig, parts: list[ScoredPart], folder: RunFolder, *, run: Path
) -> Mapping[str, Mapping[str, Answers]]:
    """Return the answers of the baselines that the runs stored."""
    named = {part.name: part for part in parts}
    # the runs have left what they found in the cache
    search = remembered_search(config.embedding_cache or folder.cache, threads=config.threads)
    beside = stored_beside(RunFolder(run).baselines, named, option=config.baselines, search=search)
    return beside.scored(named)


def _best_cell(progress: _Progress, folder: RunFolder, board: Leaderboard) -> Cell:
    """Return the training of the chosen contender with the best score on validation."""

    def validation(cell: Cell) -> float:
        metrics = read_record(RunFolder(cell.path(folder.path)).metrics)
        value = metrics["splits"]["validation"][metrics["headline"]]["value"]
        return float("-inf") if value is None else value

    own = [cell for cell in progress.finished if cell.contender.name == board.chosen]
    return max(own, key=validation)
