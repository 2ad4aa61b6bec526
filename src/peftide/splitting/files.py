"""A plan → `split.tsv`, `dropped.tsv`, `clusters.tsv`, `split.json`."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from peftide.config import SplitConfig, as_mapping
from peftide.environment import environment
from peftide.errors import InputError
from peftide.files import file_hash, storage_errors, write_json
from peftide.outputs import WRITTEN_BY
from peftide.sequences.parts import PARTS
from peftide.sequences.yes_no import is_yes, opposite
from peftide.splitting.plan import SplitPlan
from peftide.splitting.rows import Cells, SplitRows, input_files
from peftide.work_folder import Work

TABLE, DROPPED, CLUSTERS, RECORD = WRITTEN_BY["split"]
PREVIOUS = "previous_"


def write_split(
    rows: SplitRows, plan: SplitPlan, record: dict[str, Any], *, config: SplitConfig, work: Work
) -> dict[str, Any]:
    """Write all files, or none; return the content of `split.json`.

    The files of an earlier split stay until all new files are complete.

    Raises
    ------
    InputError
        If a column of the table has a name that the result needs.
    StorageError
        If the disk is full or the folder cannot be written.
    """
    layout = _Layout(rows, plan, config)
    content = {
        **environment(config.seed, command="split"),
        **record,
        "files": {str(path): file_hash(path) for path in input_files(config)},
        "settings": as_mapping(config),
    }
    with storage_errors(config.out):
        _write_tables(layout, work.new)
        write_json(work.new / RECORD, content)
    work.put(WRITTEN_BY["split"])
    return content


def _write_tables(layout: "_Layout", folder: Path) -> None:
    rows, groups = layout.rows, layout.plan.groups
    _write_tsv(folder / TABLE, layout.header, layout.divided())
    if dropped := list(layout.dropped()):
        _write_tsv(folder / DROPPED, (*rows.header, "reason"), dropped)
    if groups is not None:
        ids = np.array(rows.proteins.ids, dtype=object)
        pairs = zip(ids[groups.representatives()], ids, strict=True)
        _write_tsv(folder / CLUSTERS, (), pairs)


def _write_tsv(path: Path, header: Cells, rows: Iterable[Cells]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        if header:
            writer.writerow(header)
        writer.writerows(rows)


class _Layout:
    """The mapping from input rows to output rows."""

    def __init__(self, rows: SplitRows, plan: SplitPlan, config: SplitConfig) -> None:
        self.rows, self.plan, self.config = rows, plan, config
        self.added = self._added_columns()
        renamed = [self._renamed(name) for name in rows.header]
        self.header = (*renamed, *self.added)
        twice = {name for name in self.header if name and self.header.count(name) > 1}
        if twice:
            raise InputError(
                f"the table already has a column {', '.join(sorted(twice))}",
                where=config.input[0],
                fix="Rename it, or choose another --split-column",
            )

    def _added_columns(self) -> tuple[str, ...]:
        """Return the columns that the input lacks: label of sampled negatives, cluster, part."""
        config, rows = self.config, self.rows
        label = (config.label_column,) if self.plan.drawn and rows.labels is None else ()
        clustered = self.plan.kind == "cluster" and rows.clusters is None
        return (*label, *((config.cluster_column,) if clustered else ()), config.split_column)

    def _renamed(self, name: str) -> str:
        return PREVIOUS + name if name == self.config.split_column else name

    def divided(self) -> Iterator[Cells]:
        """Yield the rows that have a part, in input order, then the sampled negatives."""
        kept = self.plan.part >= 0
        ids, groups = self.rows.proteins.ids, self.plan.groups
        first = None if groups is None else groups.representatives()
        for row in np.flatnonzero(kept).tolist():
            known = {
                self.config.label_column: "1",
                self.config.cluster_column: ""
                if first is None
                else ids[first[self.rows.members[row, 0]]],
                self.config.split_column: PARTS[self.plan.part[row]],
            }
            cells = self.rows.cells[self.rows.known[row]]
            yield (*cells, *(known[name] for name in self.added))
        yield from self.drawn()

    def drawn(self) -> Iterator[Cells]:
        """Yield the sampled negatives; columns without a value for them are empty."""
        config, proteins = self.config, self.rows.proteins
        first = np.unique(self.rows.numbers, return_index=True)[1]
        label = self.negative_label() if self.plan.drawn else ""
        for number, found in enumerate(self.plan.drawn):
            for left, right in first[found.members].tolist():
                known = {
                    config.id_a_column: proteins.ids[left],
                    config.id_b_column: proteins.ids[right],
                    config.sequence_a_column: proteins.sequences[left],
                    config.sequence_b_column: proteins.sequences[right],
                    config.label_column: label,
                    config.split_column: PARTS[number],
                }
                row = [
                    "" if name == config.split_column else known.get(name, "")
                    for name in self.rows.header
                ]
                yield (*row, *(known.get(name, "") for name in self.added))

    def negative_label(self) -> str:
        """Return the negative label of the table, or the opposite of its positive label."""
        labels = self.rows.labels or ("1",)
        no = next((label for label in labels if is_yes(label) is False), None)
        return opposite(labels[0]) if no is None else no

    def dropped(self) -> Iterator[Cells]:
        """Yield the rows without a part, in input order, with the reason."""
        why = np.full(len(self.rows.cells), self.rows.why_unknown, dtype=object)
        why[self.rows.known] = ""
        for reason, marked in self.plan.reasons().items():
            why[self.rows.known[marked]] = reason
        for row in np.flatnonzero(why != "").tolist():
            yield (*self.rows.cells[row], why[row])
