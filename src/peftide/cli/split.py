"""`peftide split`."""

import shlex
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from peftide.cli.printing import aligned
from peftide.commands.split import split
from peftide.config import SplitConfig
from peftide.config.options import TableOptions
from peftide.config.reading import flag

MOST_LABELS = 4
KINDS = {
    "none_seen": "none_seen: the parts share no protein, and no group of similar ones",
    "cluster": "cluster: the parts share no group of similar sequences",
    "random": "random: rows at random, repeats of one example together",
}


def run(config: SplitConfig) -> None:
    """Split, then print sizes, what was dropped, and what to do next."""
    result = split(config)
    print("\n".join(split_lines(result.record)))
    print(f"table: {result.path}")
    table = shlex.join(["--data", str(result.path), *reading_words(config)])
    print(f"next: peftide audit {table}")
    print(f"      peftide train {table} --out RUN")


def reading_words(config: SplitConfig) -> list[str]:
    """Return the options with which the written table is read as the given one was."""
    words = [] if config.sequences is None else ["--sequences", str(config.sequences)]
    for field in fields(TableOptions):
        value = getattr(config, field.name)
        if field.name.endswith("_column") and value != field.default:
            words += [flag(field.name), value]
    return words


def split_lines(record: dict[str, Any]) -> Iterator[str]:
    """Yield the record as text."""
    yield KINDS[record["kind"]]
    if groups := record["groups"]:
        yield f"groups: {groups['groups']:,}, the largest of {groups['largest']:,}; {groups['by']}"
    yield from aligned(list(table_rows(record["parts"])))
    if "kept_share" in record:
        yield (
            f"pairs kept: {record['kept_share']:.1%} (random parts of the same groups: "
            f"{record['kept_share_at_random']:.1%})"
        )
    yield from (f"dropped: {count:,} rows, {why}" for why, count in record["dropped"].items())
    for finding in record["findings"]:
        yield f"note: {finding['part']}: {finding['count']:,} {finding['decision']}"


def table_rows(parts: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Yield header and one row per part; labels only where they are few."""
    labels = list(next(iter(parts.values()))["labels"])
    labels = labels if len(labels) <= MOST_LABELS else []
    yield ["", "rows", "share", "proteins", *(f"label {name}" for name in labels)]
    for name, part in parts.items():
        shares = [f"{part['labels'].get(label, 0):.1%}" for label in labels]
        yield [name, f"{part['rows']:,}", f"{part['share']:.1%}", f"{part['proteins']:,}", *shares]
