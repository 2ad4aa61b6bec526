"""`peftide sweep`: a space of training options in; trials scored on validation out."""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from peftide.config import SweepConfig, as_mapping, from_mapping, read_yaml, to_yaml
from peftide.config.commands import as_training
from peftide.config.reading import is_in_memory
from peftide.config.unread import NOTHING, Names, changed_options, remedy
from peftide.errors import (
    TRAINING_FAILURES,
    InputError,
    StorageError,
    TrainingError,
    raise_problems,
)
from peftide.evaluation.tables import write_table
from peftide.files import full_disk_errors, remove, write_json, write_text
from peftide.outputs import read_record
from peftide.progress import saying_once
from peftide.report.summary_forms import SweepForm
from peftide.report.sweep import RECORD, write_sweep_if_possible
from peftide.report.writing import read_summary
from peftide.run_folder import RunFolder, check_run, complete, data_hashes, open_run, run_to_resume
from peftide.saved import read_frame
from peftide.sequences.training_tables import TrainingTables, data_files
from peftide.sweeping.space import Choices, Space, option_values, read_space
from peftide.sweeping.study import (
    FOLDER,
    REASON,
    SurplusTrial,
    finished,
    has_queue,
    load_optuna,
    next_sampler,
    numbers_of,
    open_study,
    require_queued,
    take_up,
)
from peftide.sweeping.summary import FIRST, summarise, trial_table
from peftide.tasks import Task
from peftide.tasks.request import Request, read_request
from peftide.training.options import check_names, only_read, same_validation, unread_of

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

DATA_OPTIONS = {"validation_fraction", "validation_seed", "max_length", "class_map"}
"""Options by which trials may read other data."""
TRIALS, TABLE, BEST = "trials", "trials.tsv", "best.yaml"
DECIDING = ("method", "head", "sampler", "pooling", "layer")
"""Options that decide whether others are read."""
KEPT = ("config.yaml", "run.json", "metrics.json", "history.csv")
"""Files of a trial that stay; the model of the best values is trained anew, with its test part."""


@dataclass(frozen=True)
class SweepResult:
    """Results of a sweep.

    Attributes
    ----------
    path
        The folder.
    table
        One row per trial.
    record
        Content of `sweep.json`.
    """

    path: Path
    table: pd.DataFrame = field(repr=False)
    record: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class _Sweep:
    """All that the trials of a sweep share."""

    config: SweepConfig
    space: Space
    task: Task
    tables: TrainingTables
    files: tuple[Path, ...]
    folder: RunFolder


def sweep(config: SweepConfig, *, given: Names = NOTHING) -> SweepResult:
    """Train with many values of options, and score each training on validation.

    The test parts are neither scored nor looked at. A trial that fails does not stop the others.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If an option, the space or the data are wrong, or the database holds another study.
    TrainingError
        If no trial could be finished.
    """
    space = read_space(config.space)
    _check(config, space, given=given)
    load_optuna()
    files = [*data_files(config), config.space]
    check_run(config, files)
    begun = run_to_resume(config)
    if begun is not None and begun.is_finished() and config.trials <= _options(begun).trials:
        logger.info("%s is already finished", config.out)
        complete(config, files)
    else:
        with saying_once(), full_disk_errors(config.out):
            settled, task, tables = read_request(config)
            chosen = given | changed_options(config)
            check_space(settled, space, task)
            if not DATA_OPTIONS & space.keys():
                check_data(settled, task, tables)
            with open_run(settled, files, chosen=chosen) as folder:
                _note_trials(settled, folder)
                _fill(_Sweep(settled, space, task, without_tests(tables), tuple(files), folder))
    write_sweep_if_possible(config.out)
    record = read_summary(config.out, RECORD, SweepForm, command="sweep")
    table = read_frame(config.out / TABLE, columns=[*FIRST, *record["space"]])
    return SweepResult(config.out, table, record)


def _check(config: SweepConfig, space: Space, *, given: Names) -> None:
    if any(map(is_in_memory, vars(config).values())):
        raise InputError("tables in memory", fix="Save them to files: a sweep can be resumed")
    both = sorted(set(space) & given)
    if both:
        raise InputError(
            f"{', '.join(both)} is given and in the space", where="--space", fix="Leave one out"
        )
    check_names(as_training(config))


def check_space(config: SweepConfig, space: Space, task: Task) -> None:
    """Raise if no trial can read an option of the space.

    Raises
    ------
    InputError
        Names the options.
    """
    lists = [one for one in space.values() if isinstance(one, Choices) and one.name in DECIDING]
    combinations = product(*(one.words for one in lists))
    names = [one.name for one in lists]
    trials = [dict(zip(names, words, strict=True)) for words in combinations]
    unread = [unread_of(as_training(config, **option_values(one)), task) for one in trials]
    raise_problems(
        [
            f"--space: {name}: no trial reads it; {remedy(name)}"
            for name in sorted(frozenset.intersection(*unread) & space.keys())
        ]
    )


def check_data(config: SweepConfig, task: Task, tables: TrainingTables) -> None:
    """Raise if the data have a fault that every trial would meet.

    Raises
    ------
    InputError
        Names the fault.
    """
    # it loads torch, for which no refusal should wait
    from peftide.training.problem import read_problem

    training = same_validation(as_training(config), tables, seed=config.seed)
    read_problem(only_read(training, task), task, without_tests(tables))


def _options(folder: RunFolder) -> SweepConfig:
    return from_mapping(SweepConfig, read_yaml(folder.config))


def _note_trials(config: SweepConfig, folder: RunFolder) -> None:
    """Write that a sweep has more trials than before, maybe a finished one."""
    before = _options(folder)
    if config.trials == before.trials:
        return
    write_json(folder.record, read_record(folder.record) | {"status": "running"})
    write_text(folder.config, to_yaml(replace(before, trials=config.trials)))


def without_tests(tables: TrainingTables) -> TrainingTables:
    """Return the tables of train and validation alone."""
    kept = {name: tables.parts[name] for name in ("train", "validation") if name in tables.parts}
    return replace(tables, parts=kept)


def _fill(sweep: _Sweep) -> None:
    """Run the trials that are left, and write table, record and the best options."""
    optuna, config, folder = load_optuna(), sweep.config, sweep.folder
    study = open_study(config, sweep.space, folder=folder.path, data=data_hashes(list(sweep.files)))
    take_up(study, config, sweep.space)
    _optimize(study, sweep)
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if not complete:
        said = [one.user_attrs.get(REASON, "") for one in study.trials]
        raise TrainingError(
            f"no trial was finished ({'; '.join(dict.fromkeys(filter(None, said)))})"
        )
    found = summarise(study, sweep.space, metric=sweep.task.outcome.headline, seed=config.seed)
    best = best_options(sweep, found.best["values"])
    _write_trials(study, sweep)
    write_text(folder.path / BEST, best)
    write_json(folder.path / RECORD, found.record())
    write_json(folder.record, read_record(folder.record) | {"status": "finished"})


def _optimize(study: "optuna.Study", sweep: _Sweep) -> None:
    """Run trials until the study has all; other workers may add some."""
    config = sweep.config
    while len(finished(study)) < config.trials and (config.search != "grid" or has_queue(study)):
        study.sampler = next_sampler(study, config)
        before = len(finished(study))
        try:
            study.optimize(partial(_objective, sweep=sweep), n_trials=1)
        except SurplusTrial:
            continue
        except TRAINING_FAILURES as error:
            # no other trial has more room; every other failure has been noted as the end of a trial
            if isinstance(error, StorageError) or len(finished(study)) == before:
                raise
        _write_trials(study, sweep)


def _write_trials(study: "optuna.Study", sweep: _Sweep) -> None:
    write_table(trial_table(study, sweep.space), sweep.folder.path / TABLE)


def _objective(trial: "optuna.Trial", *, sweep: _Sweep) -> float:
    """Train one trial and return its validation score."""
    optuna, started = load_optuna(), time.monotonic()
    if sweep.config.search == "grid":
        require_queued(trial)
    trial.set_user_attr(FOLDER, str(sweep.config.out.resolve()))
    number = numbers_of(trial.study)[trial.number]
    words = {name: one.suggest(trial) for name, one in sweep.space.items()}
    shown = ", ".join(f"{name} {word}" for name, word in words.items())
    logger.info("\ntrial %d (%d of %d): %s", number, number + 1, sweep.config.trials, shown)
    run = RunFolder(sweep.folder.path / TRIALS / f"{number:04d}")
    remove(run.path)
    try:
        request = _request(sweep, words, run.path)
        # it loads torch, for which no refusal should wait
        from peftide.training.running import run_training

        run_training(request, started=started, on_epoch=partial(_report, trial, sweep))
    except optuna.TrialPruned:
        _keep(run)
        raise
    except StorageError:
        raise  # not the fault of its values: it is done again once there is room
    except TRAINING_FAILURES as error:
        trial.set_user_attr(REASON, f"{error}" or type(error).__name__)
        logger.warning("trial %d failed: %s", number, error)
        raise
    record = read_record(run.record)
    trial.set_user_attr("best_epoch", record["best_epoch"])
    trial.set_user_attr("trained_parameters", record["parameters"]["trained"])
    trial.set_user_attr("seconds", record["seconds"]["this_process"])
    metrics = read_record(run.metrics)
    _keep(run)
    return metrics["splits"]["validation"][metrics["headline"]]["value"]


def _request(sweep: _Sweep, words: Mapping[str, Any], out: Path) -> Request:
    config = sweep.config
    training = as_training(
        config,
        **option_values(words),
        out=out,
        test=(),
        baselines=("none",),
        resume=False,
        overwrite=False,
        embedding_cache=config.embedding_cache or sweep.folder.cache,
    )
    training = same_validation(training, sweep.tables, seed=config.seed)
    return Request(only_read(training, sweep.task), sweep.task, sweep.tables, sweep.files)


def _report(trial: "optuna.Trial", sweep: _Sweep, history: list[dict[str, Any]]) -> None:
    """Tell the study the score of an epoch, and stop a trial that it prunes."""
    trial.report(history[-1][sweep.task.outcome.headline], history[-1]["epoch"])
    if trial.should_prune():
        raise load_optuna().TrialPruned


def _keep(run: RunFolder) -> None:
    """Remove the large files of a trial."""
    with suppress(OSError):
        for path in run.path.iterdir():
            if path.name not in KEPT:
                remove(path)


def best_options(sweep: _Sweep, words: Mapping[str, Any]) -> str:
    """Return the options of the best trial as a file for `peftide train --config`."""
    training, task = as_training(sweep.config, **option_values(words)), sweep.task
    best = only_read(same_validation(training, sweep.tables, seed=sweep.config.seed), task)
    changed = changed_options(best) - {"out", "resume", "overwrite", "debug", "embedding_cache"}
    changed |= words.keys() - unread_of(best, task)  # searched values stand there, defaults too
    values = as_mapping(best)
    return yaml.safe_dump(
        {name: values[name] for name in values if name in changed}, sort_keys=False
    )
