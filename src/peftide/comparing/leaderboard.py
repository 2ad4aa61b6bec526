"""The answers of all contenders → a leaderboard, a choice made on validation, and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from peftide.comparing.cells import Contender
from peftide.comparing.verdict import verdict
from peftide.evaluation.comparison import compare_answers
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.evaluation.rows import ScoredPart
from peftide.metrics import NO_EVIDENCE, difference_verdict
from peftide.report.summary_forms import BASELINE, TRAINED
from peftide.report.verdict import few_rows

FORMAT_VERSION = 1
MUCH_CHEAPER = 2.0
"""A cheaper contender is preferred to an equal one if it costs less than the other by this."""
LEAST_SAVING = 1.0
"""Seconds; shorter differences are noise of the clock."""
COLUMNS = (
    *("method", "backbone", "layer", "seeds", "score", "low", "high", "spread", "validation"),
    *("difference", "difference_low", "difference_high", "verdict", "trained_parameters"),
    *("memory_mb", "seconds", "size_mb", "status"),
)


@dataclass(frozen=True)
class Cost:
    """The cost of one training, as the mean over its seeds.

    Attributes
    ----------
    seconds
        Wall time of training and validation, without what trainings share: encodings by frozen
        layers, baselines.
    trained
        Trained parameters.
    memory_bytes
        Peak memory less the memory in use when the training began.
    size_bytes
        Size of the saved model.
    """

    seconds: float
    trained: int
    memory_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class Trained:
    """A contender that was trained at least once.

    Attributes
    ----------
    answers
        Part → answers of each seed.
    """

    contender: Contender
    answers: Mapping[str, Sequence[Answers]]
    cost: Cost
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Untrained:
    """A contender without a result, and the reason."""

    contender: Contender
    status: str
    reason: str


@dataclass(frozen=True)
class Leaderboard:
    """Content of `comparison.json`.

    Attributes
    ----------
    rows
        One mapping per contender and baseline, the best first.
    chosen
        Name of the contender in `best/`.
    verdict
        Sentences.
    """

    part: str
    metric: str
    rows: tuple[dict[str, Any], ...]
    chosen: str
    verdict: tuple[str, ...]
    scores: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return plain values."""
        return {"format_version": FORMAT_VERSION} | {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    def table(self) -> pd.DataFrame:
        """Return the rows of `leaderboard.tsv`."""
        return pd.DataFrame(list(self.rows)).reindex(columns=list(COLUMNS))


def rank(
    trained: Sequence[Trained],
    untrained: Sequence[Untrained],
    baselines: Mapping[str, Mapping[str, Answers]],
    *,
    parts: Sequence[ScoredPart],
    resampling: Resampling,
) -> Leaderboard:
    """Rank contenders and baselines on the first part after validation.

    Parameters
    ----------
    baselines
        Name → part → answers.
    parts
        Validation, then the parts to report; validation is reported if it stands alone.
    """
    validation, reported = parts[0], parts[-1] if len(parts) == 1 else parts[1]
    metric = reported.task.outcome.headline
    compared = {
        part.name: _compared(trained, baselines, part, resampling=resampling) for part in parts
    }
    choice = choose(trained, compared[validation.name], metric)
    leader = choice.contender.name
    found = compared[reported.name]
    rows = [
        _row(one, found, compared[validation.name], metric=metric, beside=leader) for one in trained
    ]
    rows += [_baseline_row(name, found, metric=metric, beside=leader) for name in baselines]
    rows.sort(key=lambda row: -1e9 if row["score"] is None else row["score"], reverse=True)
    rows += [_empty_row(one) for one in untrained]
    return Leaderboard(
        reported.name,
        metric,
        tuple(rows),
        leader,
        (*verdict(leader, rows), *few_rows(found["scores"][leader][metric]["n"])),
        compared,
        notes=tuple(f"{one.contender.name}: {one.status}: {one.reason}" for one in untrained),
    )


def _compared(
    trained: Sequence[Trained],
    baselines: Mapping[str, Mapping[str, Answers]],
    part: ScoredPart,
    *,
    resampling: Resampling,
) -> dict[str, Any]:
    everyone = {one.contender.name: one.answers[part.name] for one in trained}
    everyone |= {name: [answers[part.name]] for name, answers in baselines.items()}
    return compare_answers(part.rows(), everyone, resampling=resampling)


def choose(trained: Sequence[Trained], compared: Mapping[str, Any], metric: str) -> Trained:
    """Return the contender that validation chooses.

    It is the cheapest among the contenders on the same backbone that validation cannot tell from
    the best, if it costs less than half as much as the best, and a second less; else the best.

    Parameters
    ----------
    compared
        Scores and differences on validation, as `compare_answers` returns them.
    """

    def name(one: Trained) -> str:
        return one.contender.name

    def score(one: Trained) -> float:
        value = compared["scores"][name(one)][metric]["value"]
        return float("-inf") if value is None else value

    best = max(trained, key=score)
    equal = [
        one
        for one in trained
        if one is not best
        and one.contender.backbone == best.contender.backbone  # others encode at other costs
        and one.cost.seconds * MUCH_CHEAPER <= best.cost.seconds
        and best.cost.seconds - one.cost.seconds >= LEAST_SAVING
        and NO_EVIDENCE in difference(compared, name(best), name(one), metric=metric)["verdict"]
    ]
    return min(equal, key=lambda one: one.cost.seconds, default=best)


def difference(
    compared: Mapping[str, Any], first: str, second: str, *, metric: str
) -> dict[str, Any]:
    """Return the first score minus the second score, with interval and verdict.

    Parameters
    ----------
    compared
        As `compare_answers` returns it, which has each pair in one direction.
    """
    known = compared["differences"]
    if (forward := f"{first} − {second}") in known:
        return known[forward][metric]
    found = known[f"{second} − {first}"][metric]
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    turned = {
        **found,
        "value": None if value is None else -value,
        "low": None if high is None else -high,
        "high": None if low is None else -low,
    }
    return turned | {"verdict": difference_verdict(turned)}


def _row(
    one: Trained,
    found: Mapping[str, Any],
    validated: Mapping[str, Any],
    *,
    metric: str,
    beside: str,
) -> dict[str, Any]:
    name = one.contender.name
    spread = found["seeds"].get(name, {}).get(metric, {}).get("spread")
    return {
        "name": name,
        "method": one.contender.method,
        "backbone": one.contender.backbone,
        "layer": one.contender.layer,
        "seeds": len(one.seeds),
        **_scores(name, found, metric=metric, beside=beside),
        "spread": spread,
        "validation": validated["scores"][name][metric]["value"],
        "trained_parameters": one.cost.trained,
        "memory_mb": round(one.cost.memory_bytes / 1e6),
        "seconds": round(one.cost.seconds, 1),
        "size_mb": round(one.cost.size_bytes / 1e6, 2),
        "status": TRAINED,
    }


def _baseline_row(
    name: str, found: Mapping[str, Any], *, metric: str, beside: str
) -> dict[str, Any]:
    return {
        "name": name,
        "method": name,
        "backbone": "none",
        "status": BASELINE,
        **_scores(name, found, metric=metric, beside=beside),
    }


def _scores(name: str, found: Mapping[str, Any], *, metric: str, beside: str) -> dict[str, Any]:
    entry = found["scores"][name][metric]
    scores = {"score": entry["value"], "low": entry.get("low"), "high": entry.get("high")}
    if name == beside:
        return scores
    gap = difference(found, name, beside, metric=metric)
    return scores | {
        "difference": gap["value"],
        "difference_low": gap.get("low"),
        "difference_high": gap.get("high"),
        "verdict": gap["verdict"],
    }


def _empty_row(one: Untrained) -> dict[str, Any]:
    return {
        "name": one.contender.name,
        "method": one.contender.method,
        "backbone": one.contender.backbone,
        "layer": one.contender.layer,
        "seeds": 0,
        "score": None,
        "status": one.status,
    }
