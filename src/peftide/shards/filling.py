"""Sorted sequences and an encoder → the missing shards of a folder, each written whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from peftide.errors import InputError
from peftide.files import written_whole
from peftide.sequences import Finding, Proteins
from peftide.shards.folder import FINISHED, ShardFolder, write_record
from peftide.shards.parquet import ShardWriter
from peftide.shards.sorting import read_shard
from peftide.types import FloatArray


class ShardEncoder(Protocol):
    """Makes the vectors of a shard."""

    def vectors(
        self, sequences: Sequence[str], ids: Sequence[str]
    ) -> Iterator[tuple[int, FloatArray]]:
        """Yield place and vectors of each sequence, in order; they come sorted by length."""
        ...

    def findings(self, proteins: Proteins) -> tuple[Finding, ...]:
        """Count the sequences that the model does not see in full."""
        ...


@dataclass(frozen=True)
class Part:
    """Some of the shards: every `count`-th shard from shard `index` on."""

    index: int = 0
    count: int = 1

    def numbers(self, shards: int) -> range:
        """Return the numbers of these shards."""
        return range(self.index, shards, self.count)

    def __str__(self) -> str:
        """Return the part as in `--shard`."""
        return f"{self.index}/{self.count}"


def read_part(text: str | None) -> Part:
    """Read `--shard i/n`.

    Examples
    --------
    >>> read_part("3/8"), read_part(None)
    (Part(index=3, count=8), Part(index=0, count=1))

    Raises
    ------
    InputError
        If it is no such part.
    """
    if text is None:
        return Part()
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        last = f" to {int(count) - 1}/{count}" if count.isdecimal() and int(count) else ""
        raise InputError(
            f"received {text}",
            expected=f"a part such as 0/{count}{last}" if last else "a part such as 0/8",
            where="--shard",
            fix="Parts count from 0: in a Slurm array, $SLURM_ARRAY_TASK_ID of --array=0-7",
        )
    return Part(int(index), int(count))


def fill_shard(number: int, folder: ShardFolder, encoder: ShardEncoder, *, texts: Path) -> None:
    """Encode the sequences of a shard and write it, unless it is there.

    Parameters
    ----------
    texts
        Folder of the sorted sequences.
    """
    if not folder.missing([number]):
        return
    named = read_shard(texts, number)
    sequences, ids = list(named), [names[0] for names in named.values()]
    everyone = [(name, sequence) for sequence, names in named.items() for name in names]
    proteins = Proteins(tuple(n for n, _ in everyone), tuple(s for _, s in everyone))
    note = folder.note(number, encoder.findings(proteins))
    with (
        written_whole(folder.shard(number), tidy=True) as partial,
        ShardWriter(partial, folder.record.form, note) as writer,
    ):
        for place, vectors in encoder.vectors(sequences, ids):
            sequence = sequences[place]
            writer.add(named[sequence], sequence, vectors)


def finish(folder: ShardFolder) -> ShardFolder:
    """Return a folder whose shards are all there with its final record, and write that.

    Raises
    ------
    InputError
        If a shard is damaged, or foreign.
    """
    rows, found = 0, list(folder.record.findings)
    for number in range(folder.record.shards):
        footer = folder.footer(number)
        if footer is None:
            raise InputError(
                "the file is damaged",
                where=folder.shard(number),
                fix="Run the same command again: it makes this shard again",
            )
        rows += footer.rows
        found += [_finding(values) for values in footer.note["findings"]]
    record = replace(folder.record, status=FINISHED, rows=rows, findings=_summed(found))
    done = replace(folder, record=record)
    write_record(done)
    return done


def _finding(values: Mapping[str, Any]) -> Finding:
    return Finding(**{**values, "examples": tuple(values["examples"])})


def _summed(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return one finding of each kind."""
    kinds: dict[str, Finding] = {}
    for one in findings:
        before = kinds.get(one.kind, replace(one, count=0))
        kinds[one.kind] = replace(before, count=before.count + one.count)
    return tuple(kinds.values())
