"""A table comes in; the label and the part of each protein go out, to colour a map."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from peftide.config import TableOptions
from peftide.sequences import (
    Dataset,
    Examples,
    Proteins,
    SequenceLookup,
    Table,
    TableSource,
    part_name,
    read_dataset,
    read_table,
)
from peftide.sequences.label_kinds import are_per_residue, is_number
from peftide.sequences.parts import PARTS
from peftide.sequences.records import Finding
from peftide.sequences.yes_no import is_yes
from peftide.types import BoolArray

MOST_JOINED = 3
"""Values of one protein that are listed; more are called `SEVERAL`."""
SEVERAL = "several"
ONLY = "all"


@dataclass(frozen=True, eq=False)
class Annotated:
    """The proteins of a map.

    Attributes
    ----------
    proteins
        The proteins.
    table
        `id` and `length` of each protein, and as text `label` and `split` if the table has them;
        empty cells where nothing is known. Shape (P, ·).
    findings
        Findings of reading.
    of_pairs
        Whether labels belong to pairs; a protein then has one label for all its pairs.
    """

    proteins: Proteins
    table: pd.DataFrame
    findings: tuple[Finding, ...]
    of_pairs: bool = False


def annotate(
    lookup: SequenceLookup | None, source: TableSource | None, options: TableOptions
) -> Annotated:
    """Return the proteins of a map with their labels and parts.

    Parameters
    ----------
    lookup
        All sequences of the map; None: the sequences of the table.
    source
        The table; None: proteins have no labels and parts.
    options
        Columns of the table. Rows without a sequence are dropped and counted.

    Raises
    ------
    InputError
        If the table is wrong, or no row has a sequence.
    """
    if source is None:
        assert lookup is not None
        return Annotated(lookup.proteins, _first_columns(lookup.proteins), lookup.findings)
    table = read_table(source, options, needs_labels=False)
    level = "pair" if table.has_pairs else "residue"  # which keeps labels as they are written
    dataset = read_dataset({ONLY: table}, options, level=level, sequences=lookup)
    proteins = dataset.proteins if lookup is None else lookup.proteins
    places = _places(dataset, lookup)
    columns = _first_columns(proteins)
    for name, found in _columns(table, dataset).items():
        named = zip(places, found, strict=True)
        columns[name] = _merged(named, len(proteins), merged=MERGED[name])
    findings = dataset.findings if lookup is None else lookup.findings + dataset.findings
    return Annotated(proteins, columns, findings, of_pairs=table.has_pairs)


def _first_columns(proteins: Proteins) -> pd.DataFrame:
    lengths = [len(sequence) for sequence in proteins.sequences]
    return pd.DataFrame({"id": list(proteins.ids), "length": lengths})


def _places(dataset: Dataset, lookup: SequenceLookup | None) -> list[list[int]]:
    """Return the places on the map of each protein of the table: by id, else by sequence."""
    if lookup is None:
        return [[index] for index in range(len(dataset.proteins))]
    by_sequence: dict[str, list[int]] = {}
    for index, sequence in enumerate(lookup.proteins.sequences):
        by_sequence.setdefault(sequence, []).append(index)
    named = zip(dataset.proteins.ids, dataset.proteins.sequences, strict=True)
    return [lookup.candidates(name)[:1] or by_sequence.get(text, []) for name, text in named]


def _columns(table: Table, dataset: Dataset) -> dict[str, list[str]]:
    """Return label and part of each protein of the data set, as far as the table has them."""
    examples, found = dataset.parts[ONLY], {}
    every = np.ones(len(examples), dtype=bool)
    labels = _labels(examples, dataset.proteins)
    if labels is not None:
        counted = examples.counted if examples.counted.any() else every
        found["label"] = _of_proteins(examples, labels, counted, name="label")
    if table.splits is not None:
        by_line = dict(zip(table.lines.tolist(), table.splits.tolist(), strict=True))
        cells = [by_line[line] for line in examples.lines.tolist()]
        parts = [part_name(cell) or cell for cell in cells]
        found["split"] = _of_proteins(examples, parts, every, name="split")
    return found


def _labels(examples: Examples, proteins: Proteins) -> list[str] | None:
    """Return one label per row; None if there is none, or one for each residue."""
    if examples.labels is None:
        return None
    labels = [label.strip() for label in examples.labels]
    if examples.members.shape[1] == 1:
        lengths = [len(proteins.sequences[index]) for index in examples.members[:, 0].tolist()]
        if are_per_residue(examples.labels, lengths):
            return None
    binary = [is_yes(label) for label in labels]
    if all(answer is not None for answer in binary):
        return [str(int(bool(answer))) for answer in binary]
    return labels


def _of_proteins(
    examples: Examples,
    values: Iterable[str],
    counted: BoolArray,
    *,
    name: str,
) -> list[str]:
    """Return one value per protein, from all rows that name it."""
    rows = zip(examples.members.tolist(), values, counted.tolist(), strict=True)
    return _merged(
        ((set(members), value) for members, value, counts in rows if counts),
        int(examples.members.max(initial=-1)) + 1,
        merged=MERGED[name],
    )


def merged_label(values: list[str]) -> str:
    """Return the label of a protein from its rows: the mean of numbers, else all classes.

    Examples
    --------
    >>> merged_label(["C2"]), merged_label(["1", "0", "0", "0"]), merged_label(["C2", "C1", "C2"])
    ('C2', '0.25', 'C1 + C2')
    """
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return distinct[0]
    if all(map(is_number, distinct)):
        return f"{np.mean([float(value) for value in values]):.4g}"
    return " + ".join(distinct) if len(distinct) <= MOST_JOINED else SEVERAL


def merged_part(values: list[str]) -> str:
    """Return the parts of a protein, in the order of a training.

    Examples
    --------
    >>> merged_part(["test", "train", "test"])
    'train + test'
    """
    order: Mapping[str, int] = {name: number for number, name in enumerate(PARTS)}
    distinct = sorted(set(values), key=lambda name: (order.get(name, len(order)), name))
    return " + ".join(distinct) if len(distinct) <= MOST_JOINED else SEVERAL


MERGED: dict[str, Callable[[list[str]], str]] = {"label": merged_label, "split": merged_part}
"""Column → how the values of one protein become one."""


def _merged(
    named: Iterable[tuple[Iterable[int], str]],
    count: int,
    *,
    merged: Callable[[list[str]], str],
) -> list[str]:
    """Return one value at each of so many places, from all values there that are not empty."""
    found: dict[int, list[str]] = {}
    for places, value in named:
        for place in places if value else ():
            found.setdefault(place, []).append(value)
    return [merged(found[place]) if place in found else "" for place in range(count)]
