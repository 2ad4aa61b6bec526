"""Answers → HTML for the page; every text is escaped."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from peftide.evaluation.answering import CAVEATS
from peftide.explaining.explain import residue_table
from peftide.metrics import metric_name
from peftide.outcomes import PROBABILITY_OF
from peftide.quantities import count_of, count_of_kind
from peftide.report import wording
from peftide.report.explanation import UNFAITHFUL, how_to_read, picture, scored
from peftide.report.markup import Markup, element, prose
from peftide.report.tables import facts, table
from peftide.report.verdict import verdict
from peftide.sequences import Finding
from peftide.serving.neighbours import NONE_KEPT
from peftide.serving.service import Picture
from peftide.types import Level

MOST_CLASSES = 8
RESIDUES_PER_LINE = 60
NO_THRESHOLD = 0.5
FIRST_RESIDUES = 12
"""As many residues tell a reader which of the pasted proteins is meant."""


def problem(text: str) -> Markup:
    """Return one message, which is read aloud when it appears."""
    return element("div", prose(text), class_="problem", role="alert")


def asked(sequences: Iterable[str]) -> Markup:
    """Return which proteins an answer or explanation is about; the boxes may have changed since.

    Examples
    --------
    >>> print(asked(["MKTAYIAKQRQISF", "MK"]))
    <p class="quiet">About MKTAYIAKQRQI… (14 residues) and MK (2 residues).</p>
    """
    named = (
        f"{text[:FIRST_RESIDUES]}{'…' if len(text) > FIRST_RESIDUES else ''} "
        f"({count_of(len(text), 'residue')})"
        for text in sequences
    )
    return element("p", f"About {' and '.join(named)}.", class_="quiet")


def threshold(least: float) -> Markup:
    """Return from which probability on the answer is yes.

    Examples
    --------
    >>> "from a probability of 0.625 on" in threshold(0.6254)
    True
    """
    said = f"The answer is yes (1) from a probability of {least:.3f} on"
    chosen = "" if least == NO_THRESHOLD else ", the threshold chosen on validation"
    return element("p", f"{said}{chosen}.", class_="quiet")


def notes(findings: Iterable[Finding]) -> list[Markup]:
    """Return what was counted while reading, one line each."""
    said = (f"{count_of_kind(one.count, one.kind)}: {one.decision}" for one in findings)
    return [
        element("p", text if text.endswith("?") else f"{text}.", class_="quiet") for text in said
    ]


def standing(metrics: Mapping[str, Any]) -> list[str]:
    """Return the headline score of a run with the verdict on it; nothing without scores."""
    if not metrics:
        return []
    headline, parts = metrics["headline"], metrics["splits"]
    part = next((name for name in parts if name != "validation"), "validation")
    entry = parts[part][headline]
    span = wording.interval(entry.get("low"), entry.get("high"))
    value = wording.score(entry.get("value"))
    said = f"{metric_name(headline)} on {part}: {value} {span}".rstrip()
    return [f"Score: {said}.", *verdict(dict(metrics), part, headline)]


def answer(
    rows: pd.DataFrame, *, level: Level, error_rate: float, kept: Mapping[str, int] | None = None
) -> Markup:
    """Return the answer to one pair, one sequence, or the residues of one sequence.

    Parameters
    ----------
    kept
        Classes that are in every prediction set at this rate, and their validation rows.
    """
    if level == "residue":
        return _residues(rows)
    row: Mapping[str, Any] = rows.iloc[0].to_dict()
    prediction = row["prediction"]
    said: list[tuple[str, Any]] = [
        ("Prediction", prediction if isinstance(prediction, str) else f"{prediction:.4g}")
    ]
    if "probability" in row:
        said = [
            ("Probability of yes", f"{row['probability']:.3f}"),
            ("Prediction", "yes" if prediction else "no"),
        ]
    if "set" in row:
        said.append((f"Prediction set at error rate {error_rate:g}", _set(row, level, kept or {})))
    classes = {
        name.removeprefix(PROBABILITY_OF): float(value)
        for name, value in row.items()
        if name.startswith(PROBABILITY_OF)
    }
    best = sorted(classes.items(), key=lambda pair: -pair[1])[:MOST_CLASSES]
    listed = [(name, f"{value:.3f}") for name, value in best]
    return element(
        "div",
        facts(said, label="Answer"),
        table(["class", "probability"], listed, label="Classes", class_="numbers")
        if listed
        else None,
        class_="answer",
    )


def _set(row: Mapping[str, Any], level: Level, kept: Mapping[str, int]) -> list[Any]:
    """Return a prediction set, why it is wide, and the caveat about it."""
    is_binary, names = "probability" in row, str(row["set"])
    shown = names.replace(",", ", ") or "empty: this input is unlike all classes"
    if is_binary:
        shown = names.replace("0", "no").replace("1", "yes").replace(",", " or ") or shown
    notes = []
    if "," in names:
        notes.append(
            "These classes cannot be ruled out: each is in the set unless its probability is "
            "lower than for nearly all of its validation rows"
        )
    if kept:
        said = {"0": "no", "1": "yes"} if is_binary else {}
        listed = ", ".join(f"{said.get(name, name)} ({rows:,})" for name, rows in kept.items())
        notes.append(f"Always in the set at this rate, for too few validation rows: {listed}")
    notes.append(wording.capitalised(CAVEATS[level]).replace("--error-rate", "this rate"))
    return [shown, *(element("span", f"{note}.", class_="quiet under") for note in notes)]


def _residues(rows: pd.DataFrame) -> Markup:
    """Return residues with their classes below them, or a table of longer answers."""
    is_value = rows["prediction"].dtype.kind == "f"
    predictions = [f"{found:.4g}" if is_value else str(found) for found in rows["prediction"]]
    letters = rows["residue"].tolist()
    if max(map(len, predictions)) > 1:
        named = [f"{letter}{place}" for place, letter in enumerate(letters, start=1)]
        shown = zip(named, predictions, strict=True)
        return table(["residue", "prediction"], shown, label="Answer", class_="numbers")
    lines = []
    for start in range(0, len(letters), RESIDUES_PER_LINE):
        part = slice(start, start + RESIDUES_PER_LINE)
        lines += [f"{start + 1:>5} {''.join(letters[part])}"]
        lines += [f"{'':>5} {''.join(predictions[part])}", ""]
    return element("pre", "\n".join(lines))


def nearest(found: pd.DataFrame | None) -> Markup:
    """Return the table of the most similar training proteins, the most similar first."""
    if found is None:
        return element("p", NONE_KEPT, class_="quiet")
    if not len(found):
        said = "No training protein is similar: expect a less certain answer."
        return element("p", said, class_="quiet")
    is_pair = bool((found["query"] > 1).any())
    known = [name for name in ("id", "label") if name in found]
    ranks = found.groupby("query").cumcount() + 1
    rows = [
        [
            f"sequence {row['query']}, {rank}" if is_pair else rank,
            *(row[name] for name in known),
            f"{row['identity']:.0%}",
            f"{row['coverage']:.0%}",
            f"{row['residues']:,}",
            element("code", row["start"], "…"),
        ]
        for rank, row in zip(ranks.tolist(), found.to_dict("records"), strict=True)
    ]
    header = ["rank", *known, "identity", "coverage", "residues", "begins with"]
    return table(header, rows, label="Nearest training proteins", class_="numbers")


def explained(found: Picture) -> Markup:
    """Return the bars and the heat map of a protein, with the verdict of the deletion test."""
    residues = residue_table(found.subject, found.attribution)
    share = "" if found.share == 1 else f" {found.share:.0%} of the substitutions are done."
    target = wording.capitalised(scored(found.subject.target.name))
    return element(
        "div",
        asked([found.subject.sequence]),
        element("p", found.faithful.verdict, class_="verdict"),
        None if found.faithful.is_faithful else element("p", UNFAITHFUL),
        element("p", f"Score: {target}. {how_to_read()}{share}", class_="quiet"),
        element("div", picture(residues, found.substitutions), class_="picture"),
    )
