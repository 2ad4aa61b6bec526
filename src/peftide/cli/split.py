"""`peftide split`."""

from collections.abc import Iterator
from typing import Any

from peftide.cli.closing import reading_words, say_next_training, say_written
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.split import split
from peftide.config import SplitConfig, TrainConfig
from peftide.config.unread import Names
from peftide.quantities import count_of

MOST_LABELS = 4
FEWEST_OF_LABEL = 5
"""Rows of a label that its score needs for an interval."""
MOST_WARNED = 24
KINDS = {
    "none_seen": "none_seen: the parts share no protein and no cluster of similar proteins",
    "cluster": "cluster: the parts share no cluster of similar sequences",
    "position": "position: no site changes in two parts",
    "order": "order: train and validation have single changes, test has two or more",
    "random": "random: rows are split at random, repeats of an example stay together",
}


def run(config: SplitConfig, given: Names) -> None:
    """Split, then print sizes, dropped rows, and the next command."""
    result = split(config, given=given)
    say("\n".join(split_lines(result.record)))
    say_written(table=result.path)
    words = ["--data", str(result.path), *reading_words(config, TrainConfig)]
    say_next_training(words, result.tasks)


def split_lines(record: dict[str, Any]) -> Iterator[str]:
    """Yield the record as text."""
    yield KINDS[record["kind"]]
    yield f"this split answers: {record['asks']}"
    if groups := record["groups"]:
        sizes = f"{groups['groups']:,}, the largest of {groups['largest']:,}"
        yield f"clusters: {sizes}; {groups['by']}"
    yield from aligned(list(table_rows(record["parts"])))
    yield from few_of_a_label(record["parts"])
    if "kept_share" in record:
        yield (
            f"pairs kept: {record['kept_share']:.1%} (random parts of the same clusters: "
            f"{record['kept_share_at_random']:.1%})"
        )
    for why, count in record["dropped"].items():
        yield f"dropped: {count_of(count, 'row')}: {why}"
    for finding in record["findings"]:
        yield f"note: {finding['part']}: {finding['count']:,} {finding['decision']}"


def few_of_a_label(parts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield a warning for each later part with very few rows of a label.

    Examples
    --------
    >>> list(few_of_a_label({"test": {"rows": 46, "labels": {"A": 45 / 46, "B": 1 / 46}}}))
    ['warning: test has only 1 row of B: its score is uncertain, and counts fully in macro scores']
    """
    for name, part in parts.items():
        counts = {label: round(share * part["rows"]) for label, share in part["labels"].items()}
        few = {label: count for label, count in counts.items() if 0 < count < FEWEST_OF_LABEL}
        if name == "train" or not few or len(counts) > MOST_WARNED:
            continue
        said = ", ".join(f"{count_of(count, 'row')} of {label}" for label, count in few.items())
        its = (
            "its score is uncertain, and counts"
            if len(few) == 1
            else "their scores are uncertain, and count"
        )
        yield f"warning: {name} has only {said}: {its} fully in macro scores"


def table_rows(parts: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Yield a header and one row per part; labels only if there are few."""
    labels = list(next(iter(parts.values()))["labels"])
    labels = labels if len(labels) <= MOST_LABELS else []
    yield ["", "rows", "share", "proteins", *(f"label {name}" for name in labels)]
    for name, part in parts.items():
        shares = [f"{part['labels'].get(label, 0):.1%}" for label in labels]
        yield [name, f"{part['rows']:,}", f"{part['share']:.1%}", f"{part['proteins']:,}", *shares]
