"""A FASTA file comes in; its proteins go out, with findings on repairs and repeats."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from peftide.errors import InputError, raise_problems
from peftide.sequences.letters import SequenceCleaner
from peftide.sequences.records import Finding, Proteins
from peftide.sequences.tallies import Tally
from peftide.sequences.text_files import open_lines, read_text
from peftide.types import IntArray

SHOWN_TEXT = 40
PIR = re.compile(r"(P1|F1|D[LC]|R[LC]|N[13]|XX);\S*")
"""Ids of the PIR format, in which a line with a title follows."""


@dataclass(frozen=True)
class FastaRecords:
    """Proteins of a FASTA file and their line numbers.

    Attributes
    ----------
    proteins
        The proteins, each id once, in file order.
    lines
        Line of each header, from 1. Shape (P,).
    findings
        Repaired or repeated records.
    """

    proteins: Proteins
    lines: IntArray
    findings: tuple[Finding, ...]


def read_fasta(path: Path) -> tuple[Proteins, tuple[Finding, ...]]:
    """Proteins of a FASTA file, and findings on repaired or repeated records.

    The id is the first word after `>`. Lower case is read as upper case and a `*` at the end is
    removed; both are counted.

    Raises
    ------
    InputError
        If the file is not a FASTA file, a header has no id, a sequence is empty or has characters
        other than letters, or one id has two sequences.
    """
    records = read_fasta_records(path)
    return records.proteins, records.findings


def read_fasta_records(path: Path) -> FastaRecords:
    """Proteins of a FASTA file with their line numbers; see `read_fasta`.

    Raises
    ------
    InputError
        As `read_fasta`.
    """
    return parse_fasta(path, read_text(path))


def parse_fasta(path: Path, text: str) -> FastaRecords:
    """Proteins of the text of a FASTA file; `path` is for messages.

    Raises
    ------
    InputError
        As `read_fasta`.
    """
    cleaner = SequenceCleaner(path)
    repeated = Tally("repeated_ids", "the sequence is the same: read once")
    sequences: dict[str, str] = {}
    lines: dict[str, int] = {}
    halves: list[int] = []
    for line, name, body in _split_records(path, text):
        if not name:
            cleaner.problems.append(f"{path}:{line}: a '>' without an id behind it")
            continue
        if PIR.fullmatch(name):
            cleaner.problems.append(f"{path}:{line}: {name} is an id of the PIR format, not FASTA")
            continue
        sequence = cleaner.clean(body, line, name=name)
        if not sequence:
            continue
        halves.append(_half_length(body))
        if sequences.setdefault(name, sequence) != sequence:
            cleaner.problems.append(
                f"{path}:{line}: id {name} has a different sequence here than in line {lines[name]}"
            )
        elif name in lines:
            repeated.add(f"{path}:{line} {name}")
        lines.setdefault(name, line)
    raise_problems(cleaner.problems)
    if len(set(halves)) > 1 and all(halves):
        raise InputError(
            "every record has two lines of equal length: the second is no sequence",
            expected="the sequence alone below each '>' line",
            where=path,
            fix="Put labels of residues into the column label of a table",
        )
    return FastaRecords(
        proteins=Proteins(tuple(sequences), tuple(sequences.values())),
        lines=np.fromiter(lines.values(), np.int64, len(lines)),
        findings=cleaner.findings() + repeated.findings("sequences"),
    )


def _half_length(body: str) -> int:
    """Return the length of the two lines of a record if both are equally long, else 0."""
    lines = body.split()
    return len(lines[0]) if len(lines) == 2 and len(lines[0]) == len(lines[1]) else 0


def stream_fasta(path: Path) -> Generator[tuple[str, str], None, tuple[Finding, ...]]:
    """Yield id and sequence of each record as the file is read; return findings on repairs.

    This is for corpora that do not fit into memory. Ids may be repeated, and the first problem is
    raised at once.

    Raises
    ------
    InputError
        As `read_fasta`, except for repeated ids.
    """
    cleaner = SequenceCleaner(path)
    for line, name, body in _stream_records(path):
        sequence = cleaner.clean(body, line, name=name or "?")
        if not name:
            cleaner.problems.append(f"{path}:{line}: a '>' without an id behind it")
        raise_problems(cleaner.problems)
        yield name, sequence
    return cleaner.findings()


def _stream_records(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield header line, id (may be empty), and the lines below the header of each record."""
    header: tuple[int, str] | None = None
    body: list[str] = []
    number = 0
    for number, text in enumerate(open_lines(path), start=1):
        if text.startswith(">"):
            if header is not None:
                yield *header, "\n".join(["", *body])
            words = text[1:].split(maxsplit=1)
            header, body = (number, words[0] if words else ""), []
        elif header is not None:
            body.append(text)
        elif text.strip():
            _raise_no_header(path, "\n" * number + text, has_records=False)
    if header is None:
        raise InputError("the file is empty", expected="a FASTA file", where=path)
    yield *header, "\n".join(["", *body])


def _split_records(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """Yield header line, id (may be empty), and the lines below the header of each record."""
    before, *records = ("\n" + text).split("\n>")
    if before.strip():
        _raise_no_header(path, before, has_records=bool(records))
    line = 1 + before.count("\n")
    for record in records:
        header, _, body = record.partition("\n")
        name = header.split(maxsplit=1)
        # the "\n" replaces the header, so that line numbers count from it
        yield line, name[0] if name else "", "\n" + body
        line += 1 + record.count("\n")


def _raise_no_header(path: Path, before: str, *, has_records: bool) -> None:
    line = before[: len(before) - len(before.lstrip())].count("\n")
    received = before.strip().split("\n")[0][:SHOWN_TEXT]
    raise InputError(
        f"found {received!r} before the first '>'" if has_records else f"{received!r} is not FASTA",
        expected="a header line such as '>P12345' above each sequence",
        where=f"{path}:{line}",
        fix="" if has_records else "Is this the file with the sequences?",
    )
