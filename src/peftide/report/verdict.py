"""Scores of a part → a verdict in words."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from peftide.baselines import BASELINES
from peftide.metrics import NO_EVIDENCE, difference_verdict, metric_name
from peftide.report import wording

FEW_ROWS = 50
NO_BREAK_HYPHEN = "\u2011"
NO_SKILL = {"auroc": 0.5, "macro_auroc": 0.5, "mcc": 0.0, "spearman": 0.0, "pearson": 0.0}
"""Metric → the score of guessing, if it is one number."""


@dataclass(frozen=True)
class Standing:
    """The score of the model, a baseline or a peer.

    Attributes
    ----------
    entry
        `value`, `low`, `high` and `n` of `metrics.json`; bounds may be missing or None.
    difference
        The model's score minus this one, in the same form with `spans_zero`; empty if unknown.
    """

    name: str
    entry: dict[str, Any]
    difference: dict[str, Any]

    @property
    def value(self) -> float | None:
        """The score itself."""
        return self.entry.get("value")


def others(
    metrics: dict[str, Any], part: str, metric: str, *, among: Collection[str] | None = None
) -> list[Standing]:
    """Return baselines and peers with this score, the best first; `among` names a selection."""
    answered = {**metrics.get("baselines", {}), **metrics.get("peers", {})}
    answered = {name: answered[name] for name in answered if among is None or name in among}
    differences = metrics.get("differences", {})
    found = [
        Standing(
            name,
            parts[part][metric],
            differences.get(name, {}).get(part, {}).get(metric, {}),
        )
        for name, parts in answered.items()
        if parts.get(part, {}).get(metric, {}).get("value") is not None
    ]
    worst_first = metric in wording.LOWER_IS_BETTER
    return sorted(found, key=lambda one: one.entry["value"], reverse=not worst_first)


def no_skill(metrics: dict[str, Any], part: str, metric: str) -> float | None:
    """Return the score of guessing; None if it is not one known number.

    Average precision: the share of positives; macro average precision: the mean of the shares of
    the classes that enter it.
    """
    scores = metrics["splits"][part]
    if metric == "average_precision":
        return scores.get("prevalence", {}).get("value")
    if metric == "macro_average_precision":
        return _mean_share(scores.get("per_class", {}), scores[metric]["n"])
    return NO_SKILL.get(metric)


def _mean_share(per_class: dict[str, Any], rows: int) -> float | None:
    counts = [scores["average_precision"]["n"] for scores in per_class.values()]
    entering = [count for count in counts if 0 < count < rows]
    return sum(entering) / len(entering) / rows if entering else None


def verdict(metrics: dict[str, Any], part: str, metric: str) -> list[str]:
    """Return one to three sentences on the headline score of a part."""
    entry = metrics["splits"][part].get(metric, {})
    if entry.get("value") is None:
        return [undefined(metrics["splits"][part], part, metric)]
    said = [
        comparison(beside[0], entry["value"], metric)
        for kind in ("baselines", "peers")
        if (beside := others(metrics, part, metric, among=metrics.get(kind, {})))
    ]
    guessing = no_skill(metrics, part, metric)
    if not said and guessing is not None:
        said = [beside_guessing(entry, guessing)]
    if part == "validation":
        said.append(
            "There is no test part. Validation chose the best epoch, so this score is too good."
        )
    return [*said, *few_rows(entry["n"])]


def few_rows(count: int) -> list[str]:
    """Return a warning if a score comes from few rows.

    Examples
    --------
    >>> few_rows(46), few_rows(500)
    (['The score comes from only 46 rows, too few to conclude anything.'], [])
    """
    if count >= FEW_ROWS:
        return []
    rows = "row" if count == 1 else "rows"
    return [f"The score comes from only {count} {rows}, too few to conclude anything."]


def undefined(scores: dict[str, Any], part: str, metric: str) -> str:
    """Return a sentence on a score without a value.

    Examples
    --------
    >>> undefined({"prevalence": {"value": 1.0}}, "test", "auroc")
    'All rows of test have the same label, so the AUROC is undefined.'
    >>> undefined({"macro_classes": {"value": 0}}, "test", "macro_f1")
    'All rows of test have the same label, so the macro F1 is undefined.'
    >>> undefined({}, "test", "spearman")
    'The Spearman correlation of test is undefined.'
    """
    one_label = scores.get("prevalence", {}).get("value") in (0, 1)
    if one_label or scores.get("macro_classes", {}).get("value") == 0:
        return f"All rows of {part} have the same label, so the {metric_name(metric)} is undefined."
    return f"The {metric_name(metric)} of {part} is undefined."


def pooling_advice(
    metrics: dict[str, Any], part: str, metric: str, *, pooling: str | None
) -> list[str]:
    """Return advice to pool both ends, if the baseline that reads only them beats the model.

    The baseline must be clearly better than the model, and no worse than the other baselines of
    whole sequences.
    """
    beside = others(metrics, part, metric, among={"ends", "composition", "kmer"})
    if pooling != "mean" or not beside or beside[0].name != "ends":
        return []
    gap = beside[0].difference.get("value")
    decided = difference_verdict(beside[0].difference) if gap is not None else ""
    if decided != ("above" if metric in wording.LOWER_IS_BETTER else "below"):
        return []
    return [
        "The first and last 40 residues alone predict better than this model, so the signal sits "
        "at the ends of the sequences, and the mean over all residues hides it: try "
        "`--pooling ends`."
    ]


def comparison(other: Standing, value: float, metric: str) -> str:
    """Return one sentence that compares the model with another.

    Examples
    --------
    >>> difference = {"value": 0.02, "low": -0.01, "high": 0.05, "spans_zero": True}
    >>> comparison(Standing("composition", {"value": 0.6}, difference), 0.62, "auroc")
    'The model scores 0.020 higher than the baseline composition (residue composition and
    length). The 95 % interval of the difference, −0.010 to +0.050, spans 0: no evidence of a
    difference.'
    """
    gap = other.difference.get("value")
    gap = value - other.entry["value"] if gap is None else gap
    decided = difference_verdict({**other.difference, "value": gap})
    who, reads = other.name, described(other.name)
    who = f"the baseline {who} ({reads})" if reads else who
    if decided.startswith("equal"):
        return f"The model and {who} have the same score to three digits: {NO_EVIDENCE}."
    start = (
        f"The model scores {wording.score(abs(gap))} {'higher' if gap > 0 else 'lower'} than {who}"
    )
    if decided.startswith("no interval"):
        return f"{start}. The difference has no interval: {NO_EVIDENCE}."
    low, high = other.difference["low"], other.difference["high"]
    between = f"95 % interval of the difference, {wording.signed(low)} to {wording.signed(high)}"
    if decided not in ("above", "below"):
        return f"{start}. The {between}, spans 0: {NO_EVIDENCE}."
    better = (gap > 0) != (metric in wording.LOWER_IS_BETTER)
    return f"{start}. The {between}, excludes 0: the model is {_word(better)}."


def beside_guessing(entry: dict[str, Any], guessing: float) -> str:
    """Return one sentence that compares the model with guessing.

    Examples
    --------
    >>> beside_guessing({"value": 0.62, "low": 0.58, "high": 0.66}, 0.5)
    'Guessing scores 0.500, which is below the interval. The report of the training
    has the scores of the baselines.'
    """
    low, high = entry.get("low"), entry.get("high")
    where = f"{wording.score(abs(entry['value'] - guessing))} "
    where += "below this" if entry["value"] > guessing else "above this"
    if low is not None and high is not None:
        where = "within the interval: no evidence that the model knows anything"
        where = "below the interval" if guessing < low else where
        where = "above the interval" if guessing > high else where
    baselines = "The report of the training has the scores of the baselines."
    return f"Guessing scores {wording.score(guessing)}, which is {where}. {baselines}"


def _word(better: bool) -> str:
    return "better" if better else "worse"


def described(name: str) -> str:
    """Return what a baseline reads, in a few words; empty for a model or another tool.

    Examples
    --------
    >>> described("sites"), described("TUnA")
    ('residues at each site', '')
    """
    return BASELINES[name].title.replace("-", NO_BREAK_HYPHEN) if name in BASELINES else ""
