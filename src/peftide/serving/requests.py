"""Pasted text and uploaded files → a data set within the limits of the app."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peftide.config import AppConfig
from peftide.config.limits import RANGES
from peftide.errors import InputError
from peftide.evaluation.answering import OPEN_INTERVAL
from peftide.predictor import Predictor
from peftide.predictor.predictor import PART
from peftide.quantities import count_of
from peftide.sequences import Dataset
from peftide.sequences.fasta import parse_fasta

TABLE, SEQUENCES = "your table", "your sequences"
"""Names of the inputs, for messages."""
NO_LIMIT = "`peftide predict` has no limit"
OF_THE_TERMINAL = re.compile(r" \(name another one with --[\w-]+\)")
OTHER_NAMES = re.compile(r"Other names are given with --.*")
"""Advice about options of the command line, which the page does not have."""
IN_THE_LIST = re.compile(r"list: row 1: |row_1: ")
OF_A_COLUMN = {
    "the sequence of column sequence_a": "sequence 1",
    "the sequence of column sequence_b": "sequence 2",
    "the sequence of column sequence": "the sequence",
}
"""Names of pasted sequences in messages of tables → on the page."""


@dataclass(frozen=True)
class Source:
    """An input: pasted text, or an uploaded file if there is one."""

    text: str = ""
    file: str | Path | None = None

    def content(self, config: AppConfig, *, named: str) -> bytes:
        """Return the bytes of the input.

        Raises
        ------
        InputError
            If there are too many.
        """
        size = len(self.text) if self.file is None else Path(self.file).stat().st_size
        if size > config.upload_mb * 1e6:
            raise InputError(
                f"{named} has {size / 1e6:,.1f} MB",
                expected=f"at most {config.upload_mb:g} MB",
                fix=NO_LIMIT,
            )
        return self.text.encode() if self.file is None else Path(self.file).read_bytes()


def read_rows(
    predictor: Predictor, table: Source, sequences: Source, *, config: AppConfig
) -> Dataset:
    """Return the rows of a table (or the records of a FASTA file) as a data set.

    Raises
    ------
    InputError
        If the input is empty, wrong, or beyond a limit; messages name no file of the server.
    """
    found = table.content(config, named=TABLE)
    known = sequences.content(config, named=SEQUENCES)
    if not found.strip():
        received = "there are sequences, but no table of pairs" if known.strip() else ""
        raise InputError(
            received or "there is nothing to read", fix="Paste rows, or choose a file with them"
        )
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / TABLE, Path(folder) / SEQUENCES]
        for path, content in zip(paths, (found, known), strict=True):
            path.write_bytes(content)
        try:
            dataset = predictor.read(paths[0], paths[1] if known.strip() else None)
        except InputError as error:
            raise InputError(without_options(str(error).replace(f"{folder}/", ""))) from error
    return within_limits(dataset, config)


def read_one(predictor: Predictor, texts: Sequence[str], config: AppConfig) -> Dataset:
    """Return one pair or one sequence as a data set; each text is residues, or one FASTA record.

    Raises
    ------
    InputError
        If a sequence is missing, wrong or too long.
    """
    names = ["sequence 1", "sequence 2"] if len(texts) == 2 else ["the sequence"]
    known = [_sequence(text, name, config) for text, name in zip(texts, names, strict=True)]
    inputs = [tuple(known)] if len(known) == 2 else known
    try:
        return predictor.read(inputs)
    except InputError as error:
        text = IN_THE_LIST.sub("", str(error))
        for column, name in OF_A_COLUMN.items():
            text = text.replace(f"{column} ", f"{name} ")
        raise InputError(text) from error


def without_options(text: str) -> str:
    """Return a message without the options of the command line.

    Examples
    --------
    >>> without_options("no column sequence. Other names are given with --sequence-column")
    'no column sequence. Rename the columns'
    """
    return OTHER_NAMES.sub("Rename the columns", OF_THE_TERMINAL.sub("", text))


def checked_rate(rate: float | None) -> float:
    """Return the error rate of prediction sets.

    Raises
    ------
    InputError
        If it is missing or no share.
    """
    if rate is None or not RANGES[OPEN_INTERVAL](rate):
        received = "is empty" if rate is None else f"is {rate:g}"
        raise InputError(
            f"the error rate {received}", expected="a number above 0 and below 1, such as 0.1"
        )
    return rate


def _sequence(text: str, name: str, config: AppConfig) -> str:
    """Return the residues of a text."""
    Source(text).content(config, named=name)
    if not text.strip():
        raise InputError(f"{name} is empty", fix="Paste residues, or a FASTA record")
    if not text.lstrip().startswith(">"):
        residues = "".join(text.split())
        check_length(name, residues, config)
        return residues
    proteins = parse_fasta(Path(name), text.lstrip()).proteins
    if len(proteins) != 1:
        raise InputError(
            f"{name} has {count_of(len(proteins), 'record')}",
            expected="one",
            fix="Ask about several on the page for many",
        )
    check_length(name, proteins.sequences[0], config)
    return proteins.sequences[0]


def within_limits(dataset: Dataset, config: AppConfig) -> Dataset:
    """Return a data set, unless it has too many rows or too long a sequence.

    Raises
    ------
    InputError
        Naming the limit.
    """
    rows = len(dataset.parts[PART])
    if rows > config.most_rows:
        raise InputError(
            f"there are {rows:,} rows", expected=f"at most {config.most_rows:,}", fix=NO_LIMIT
        )
    proteins = dataset.proteins
    for name, text in zip(proteins.ids, proteins.sequences, strict=True):
        check_length(name, text, config)
    return dataset


def check_length(name: str, sequence: str, config: AppConfig) -> None:
    """Raise if a sequence is too long.

    Raises
    ------
    InputError
        Naming the limit.
    """
    if len(sequence) > config.most_residues:
        raise InputError(
            f"{name} has {len(sequence):,} residues",
            expected=f"at most {config.most_residues:,}",
            fix="Cut out the domain of interest",
        )
