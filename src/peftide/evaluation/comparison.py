"""Answers of several tools for the same labelled rows → scores and all pairwise differences."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from peftide.evaluation.part_scores import Answers, Resampling, statistic
from peftide.evaluation.rows import LabelledRows
from peftide.metrics import (
    Replicates,
    as_record,
    difference_record,
    intervals,
    minus,
    no_interval_reason,
    resample,
    seed_average,
    seed_spread,
    unresampled,
)
from peftide.metrics.resampling import REPLICATES
from peftide.progress import meter


def compare_answers(
    rows: LabelledRows, trainings: Mapping[str, Sequence[Answers]], *, resampling: Resampling
) -> dict[str, Any]:
    """Return the scores of several tools on the same rows, and all pairwise differences.

    Parameters
    ----------
    trainings
        Name of a tool → its answers, one entry per training seed; seeds are averaged inside each
        resample.

    Returns
    -------
    dict
        `scores`, `differences`, `seeds` and `intervals`, as in `peftide.compare_scores`.
    """
    found = _resampled(rows, trainings, resampling)
    return {
        "scores": {name: _record(one, rows) for name, one in found.items()},
        "differences": {
            f"{first} − {second}": difference_record(
                minus(found[first], found[second]),
                rows.units,
                n=len(rows.values),
                support=rows.support(),
            )
            for first, second in combinations(found, 2)
        },
        "seeds": {
            name: _seeds(rows, answers) for name, answers in trainings.items() if len(answers) > 1
        },
        "intervals": {
            "unit": rows.units.kind,
            "units": rows.units.count,
            "rows": len(rows.values),
            "reason": no_interval_reason(rows.units),
        },
    }


def _resampled(
    rows: LabelledRows, trainings: Mapping[str, Sequence[Answers]], resampling: Resampling
) -> dict[str, Replicates]:
    """Return the scores of each tool, with resamples if there are enough units."""
    statistics = {
        name: seed_average([statistic(rows, one) for one in answers])
        for name, answers in trainings.items()
    }
    if no_interval_reason(rows.units) is not None:
        return {name: unresampled(of, len(rows.values)) for name, of in statistics.items()}
    draws = REPLICATES * rows.units.members.shape[1]
    with meter("intervals", total=draws, unit="resamples") as progress:
        return resample(
            statistics,
            rows.units,
            seed=resampling.seed,
            threads=resampling.threads,
            advance=progress.advance,
        )


def _record(found: Replicates, rows: LabelledRows) -> dict[str, Any]:
    plain = {name[0]: value for name, value in found.values.items() if len(name) == 1}
    known = intervals(found, rows.units, support=rows.support())
    return as_record(plain, len(rows.values), known, pairs=rows.units.are_pairs)


def _seeds(rows: LabelledRows, answers: Sequence[Answers]) -> dict[str, dict[str, Any]]:
    """Return the scores of each training, and their spread."""
    alone = [unresampled(statistic(rows, one), len(rows.values)).values for one in answers]
    scores = {key[0]: [of[key] for of in alone] for key in alone[0] if len(key) == 1}
    return {
        name: {"values": values, "spread": seed_spread(values)} for name, values in scores.items()
    }
