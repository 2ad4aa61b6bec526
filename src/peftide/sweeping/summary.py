"""The trials of a study → a table, the best values, and the importance of each option."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from peftide.sweeping.space import Choices, Space
from peftide.sweeping.study import finished, load_optuna, numbers_of

if TYPE_CHECKING:
    import optuna

FORMAT_VERSION = 1
FEWEST = 10
"""Finished trials from which importances are computed."""
FIRST = ("trial", "state", "score", "best_epoch", "trained_parameters", "seconds")


@dataclass(frozen=True)
class Summary:
    """Content of `sweep.json`.

    Attributes
    ----------
    metric
        The headline metric of the task, measured on validation.
    best
        Number and score of the best trial, and its values by option.
    importance
        Option → share of the variance of the scores that it explains (fANOVA, Hutter et al. 2014);
        empty for few trials.
    space
        Option → its values in order, or low and high.
    trials
        One mapping per trial.
    """

    metric: str
    best: dict[str, Any]
    importance: dict[str, float]
    space: dict[str, Any]
    trials: tuple[dict[str, Any], ...]

    def record(self) -> dict[str, Any]:
        """Return plain values."""
        found = {"format_version": FORMAT_VERSION, **vars(self)}
        return found | {"trials": list(self.trials)}


def summarise(study: "optuna.Study", space: Space, *, metric: str, seed: int) -> Summary:
    """Return the summary of a study with at least one finished trial."""
    optuna = load_optuna()
    state = optuna.trial.TrialState
    numbers, done = numbers_of(study), _in_order(study)
    complete = [one for one in done if one.state == state.COMPLETE]
    values = [float(one.value or 0.0) for one in complete]
    best = complete[values.index(max(values))]
    importance: dict[str, float] = {}
    varied = {one.value for one in complete}
    if len(complete) >= FEWEST and len(varied) > 1:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        importance = dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
    return Summary(
        metric,
        {"trial": numbers[best.number], "score": best.value, "values": dict(best.params)},
        importance,
        {name: _described(one) for name, one in space.items()},
        tuple(_rows(study, list(space))),
    )


def trial_table(study: "optuna.Study", space: Space) -> pd.DataFrame:
    """Return one row per trial that is over, for `trials.tsv`."""
    return pd.DataFrame(_rows(study, list(space)), columns=[*FIRST, *space])


def _in_order(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    numbers = numbers_of(study)
    return sorted(finished(study), key=lambda one: numbers[one.number])


def _rows(study: "optuna.Study", names: Sequence[str]) -> list[dict[str, Any]]:
    numbers = numbers_of(study)
    return [_row(one, names, number=numbers[one.number]) for one in _in_order(study)]


def _described(one: Any) -> Any:
    return list(one.words) if isinstance(one, Choices) else {"low": one.low, "high": one.high}


def _row(trial: "optuna.trial.FrozenTrial", names: Sequence[str], *, number: int) -> dict[str, Any]:
    score = trial.value
    if score is None and trial.intermediate_values:
        score = max(trial.intermediate_values.values())
    row = {"trial": number, "state": trial.state.name.lower(), "score": score}
    row |= {name: trial.user_attrs.get(name) for name in FIRST[3:]}
    return row | {name: trial.params.get(name) for name in names}
