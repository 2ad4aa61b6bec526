"""A database → the study of a sweep, made or opened again."""

import logging
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peftide.config import SweepConfig
from peftide.config.reading import flag
from peftide.errors import InputError, PeftideError
from peftide.on_demand import require_library
from peftide.sweeping.space import Choices, Space, as_text

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

PURPOSE, FOLDER, REASON, AGAIN = "peftide", "folder", "reason", "again"
"""Keys of what a study searches; of a trial's worker, its failure, and the trial it repeats."""
SURPLUS = "surplus"
"""Key of a trial that found no combination of a grid left."""
READY = "ready"
"""Key of a study whose purpose is known and whose grid is queued."""
DATABASE = "study.db"
ATTEMPTS, WAITS, PAUSE = 5, 50, 0.2
"""Attempts to make a study, and waits for another worker that makes it, of so many seconds each."""
MADE_AT_ONCE = ("IntegrityError", "UniqueViolation", "DuplicateTable", "already exists", "locked")


def load_optuna() -> Any:
    """Return optuna, which then logs errors only: the sweep says itself which trial failed.

    Raises
    ------
    InputError
        If it is not installed.
    """
    optuna: Any = require_library("optuna", extra="sweep")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def open_study(
    config: SweepConfig, space: Space, *, folder: Path, data: Mapping[str, str]
) -> "optuna.Study":
    """Create the study of a sweep, or open it if it exists.

    Parameters
    ----------
    folder
        Folder of the sweep, which has the database unless `--storage` names another.
    data
        Hash of each data file.

    Raises
    ------
    InputError
        If the database cannot be opened, or its study has another space or other data.
    """
    purpose = {"task": config.task, "space": as_text(space), "data": sorted(data.values())}
    url = config.storage or f"sqlite:///{(folder / DATABASE).resolve()}"
    try:
        study, is_new = _made_or_found(config, url)
        if not is_new and config.storage is not None:
            _wait_until_ready(study)
        _check_purpose(study, config, purpose)
        if config.search == "grid":
            queue_grid(study, config, space)
        study.set_user_attr(READY, True)
    except PeftideError:
        raise
    except Exception as error:  # noqa: BLE001 — of sqlalchemy and of each database's own driver
        said = str(error).partition("\n")[0]
        raise InputError(
            f"{url} cannot be opened ({type(error).__name__}: {said})",
            expected="a database that exists, and its driver installed",
            where="--storage",
        ) from error
    return study


def _made_or_found(config: SweepConfig, url: str) -> "tuple[optuna.Study, bool]":
    """Return the study, and whether this process made it: of several workers, one did."""
    optuna = load_optuna()
    pruner = optuna.pruners.MedianPruner() if config.prune else optuna.pruners.NopPruner()
    settings = {"study_name": config.study, "storage": url, "pruner": pruner}
    for attempt in range(ATTEMPTS):
        try:
            return optuna.create_study(**settings, direction="maximize"), True
        except optuna.exceptions.DuplicatedStudyError:
            return optuna.load_study(**settings), False
        except Exception as error:  # noqa: BLE001 — of each database's own driver
            # another worker makes the tables at this moment
            text = f"{type(error).__name__}: {error}"
            if attempt == ATTEMPTS - 1 or not any(word in text for word in MADE_AT_ONCE):
                raise
        time.sleep(PAUSE)
    raise AssertionError  # the last attempt returns or raises


def _wait_until_ready(study: "optuna.Study") -> None:
    """Wait for the worker that made the study, so that two do not queue the same values."""
    for _ in range(WAITS):
        has_begun = len(study.get_trials(deepcopy=False)) > len(_queue(study))
        if READY in study.user_attrs or has_begun:
            return
        time.sleep(PAUSE)


def next_sampler(study: "optuna.Study", config: SweepConfig) -> Any:
    """Return the sampler of the next trial.

    A trial draws by its own number and the trials before it, so a resumed sweep draws what it would
    have drawn without the interruption. Workers that share a database draw different values.
    """
    optuna, seed = load_optuna(), None
    if config.storage is None:
        numbers, waiting = numbers_of(study), _queue(study)
        number = numbers[waiting[0].number] if waiting else len({*numbers.values()})
        seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    tpe = config.search == "tpe"
    return optuna.samplers.TPESampler(seed=seed) if tpe else optuna.samplers.RandomSampler(seed)


def queue_grid(study: "optuna.Study", config: SweepConfig, space: Space) -> None:
    """Queue the combinations of a grid that no trial has yet, at most `--trials`.

    Raises
    ------
    InputError
        If an option of the space is a range.
    """
    lists = [one for one in space.values() if isinstance(one, Choices)]
    if ranges := sorted(space.keys() - {one.name for one in lists}):
        raise InputError(
            f"{', '.join(ranges)} is a range",
            expected="lists only",
            where=f"{flag('search')} grid",
        )
    grid = list(product(*(one.words for one in lists)))
    order = np.random.default_rng(config.seed).permutation(len(grid))[: config.trials]
    names = [one.name for one in lists]
    known = [_values(trial) for trial in study.get_trials(deepcopy=False)]
    for place in order.tolist():
        values = dict(zip(names, grid[place], strict=True))
        if values not in known:
            study.enqueue_trial(values)


class SurplusTrial(Exception):  # noqa: N818 — no error: another worker took the last combination
    """Raised in a trial of a grid for which no combination was left."""


def require_queued(trial: "optuna.Trial") -> None:
    """Raise in a trial of a grid whose values are not queued; it then counts as if it never was.

    Between a look at the queue and the next trial, another worker may take the last combination;
    optuna then draws values.

    Raises
    ------
    SurplusTrial
        If the values of the trial would be drawn.
    """
    if not _values(trial.study.get_trials(deepcopy=False)[trial.number]):
        trial.set_user_attr(SURPLUS, True)
        raise SurplusTrial


def _values(trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    """Return the values of a trial, as far as they are fixed or drawn."""
    fixed: dict[str, Any] = trial.system_attrs.get("fixed_params") or {}
    return fixed | trial.params


def _check_purpose(study: "optuna.Study", config: SweepConfig, purpose: Mapping[str, Any]) -> None:
    """Raise if the study searches another space or other data; a new study takes this one's."""
    known = study.user_attrs.get(PURPOSE)
    if known is None:
        if study.trials:
            raise InputError(
                f"the study {config.study} has trials that are not of `peftide sweep`",
                where="--storage",
                fix="Choose another --study",
            )
        study.set_user_attr(PURPOSE, dict(purpose))
        return
    changed = [name for name in purpose if known.get(name) != purpose[name]]
    if changed:
        raise InputError(
            f"the study {config.study} has another {' and another '.join(changed)}",
            where="--storage" if config.storage else "--space",
            fix="Choose another --study, or start again with --overwrite",
        )


def take_up(study: "optuna.Study", config: SweepConfig, space: Space) -> None:
    """Queue again the trials that an earlier call in this folder left unfinished.

    In a shared database, a trial without a folder may be at work elsewhere and is left alone.
    """
    state = load_optuna().trial.TrialState
    trials = study.get_trials(deepcopy=False)
    again = {trial.user_attrs.get(AGAIN) for trial in trials}
    folder = str(config.out.resolve())
    for trial in (one for one in trials if one.state in (state.RUNNING, state.FAIL)):
        is_own = config.storage is None or trial.user_attrs.get(FOLDER) == folder
        if not is_own or trial.number in again or SURPLUS in trial.user_attrs:
            continue
        if trial.state == state.RUNNING:
            study.tell(trial.number, state=state.FAIL)
        if REASON in trial.user_attrs:
            continue
        values = _values(trial)
        # values that were only begun are drawn anew, by the same sampler
        values = values if values.keys() == space.keys() else {}
        study.enqueue_trial(values, user_attrs={AGAIN: trial.number})
        logger.info("trial %d was interrupted and is done again", numbers_of(study)[trial.number])


def finished(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Return the trials that are complete, were pruned, or have failed for a reason."""
    state = load_optuna().trial.TrialState
    over = (state.COMPLETE, state.PRUNED, state.FAIL)
    trials = study.get_trials(deepcopy=False, states=over)
    return [one for one in trials if one.state != state.FAIL or REASON in one.user_attrs]


def has_queue(study: "optuna.Study") -> bool:
    """Return whether the values of a trial are fixed and wait to be tried."""
    return bool(_queue(study))


def _queue(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    return study.get_trials(deepcopy=False, states=(load_optuna().trial.TrialState.WAITING,))


def numbers_of(study: "optuna.Study") -> dict[int, int]:
    """Return the number of each trial by its number in the database.

    A repeated trial keeps the number of the interrupted one, as if there had been none.
    """
    numbers: dict[int, int] = {}
    count = 0
    for trial in study.get_trials(deepcopy=False):
        if SURPLUS in trial.user_attrs:
            continue
        first = trial.user_attrs.get(AGAIN)
        numbers[trial.number] = count if first is None else numbers[first]
        count += first is None
    return numbers
