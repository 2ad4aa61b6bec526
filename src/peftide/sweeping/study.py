"""A database → the study of a sweep, made or opened again."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peftide.config import SweepConfig
from peftide.config.reading import flag
from peftide.errors import InputError, PeftideError
from peftide.sweeping.space import Choices, Space, as_text

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

PURPOSE, FOLDER, REASON, AGAIN = "peftide", "folder", "reason", "again"
"""Keys of what a study searches; of a trial's worker, its failure, and the trial it repeats."""
DATABASE = "study.db"


def load_optuna() -> Any:
    """Return optuna, which then logs warnings only.

    Raises
    ------
    PeftideError
        If it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise PeftideError(
            "a sweep needs optuna, which is not installed. Install it with "
            "`pip install 'peftide[sweep]'`"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
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
    optuna = load_optuna()
    purpose = {"task": config.task, "space": as_text(space), "data": sorted(data.values())}
    url = config.storage or f"sqlite:///{(folder / DATABASE).resolve()}"
    try:
        study = optuna.create_study(
            study_name=config.study,
            storage=url,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner() if config.prune else optuna.pruners.NopPruner(),
        )
        _check_purpose(study, config, purpose)
        study.sampler = _sampler(optuna, config, space, drawn=len(study.trials))
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


def _sampler(optuna: Any, config: SweepConfig, space: Space, *, drawn: int) -> Any:
    """Return the sampler; workers that share a study, and resumed ones, draw different values.

    Parameters
    ----------
    drawn
        Trials that the study already has.
    """
    seed = config.seed + drawn if config.storage is None else None
    if config.search == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if config.search == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    ranges = [name for name, one in space.items() if not isinstance(one, Choices)]
    if ranges:
        raise InputError(
            f"{', '.join(ranges)} is a range",
            expected="lists only",
            where=f"{flag('search')} grid",
        )
    grid = {name: list(one.words) for name, one in space.items() if isinstance(one, Choices)}
    return optuna.samplers.GridSampler(grid, seed=seed)


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


def take_up(study: "optuna.Study", folder: Path) -> None:
    """Queue again the trials that an earlier call in this folder left unfinished."""
    optuna = load_optuna()
    trials = study.get_trials(deepcopy=False)
    again = {trial.user_attrs.get(AGAIN) for trial in trials}
    for trial in interrupted(study):
        if trial.user_attrs.get(FOLDER) != str(folder) or trial.number in again:
            continue
        if trial.state == optuna.trial.TrialState.RUNNING:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs={AGAIN: trial.number})
        logger.info("trial %d was interrupted and is done again", trial.number + 1)


def interrupted(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Return the trials that were neither finished nor have failed for a reason."""
    state = load_optuna().trial.TrialState
    open_states = (state.RUNNING, state.FAIL)
    trials = study.get_trials(deepcopy=False, states=open_states)
    return [one for one in trials if REASON not in one.user_attrs]
