"""Pasted text and uploaded files → a data set within the limits of the app."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peftide.config import AppConfig
from peftide.errors import InputError
from peftide.predictor import Predictor
from peftide.predictor.predictor import PART
from peftide.quantities import count_of
from peftide.sequences import Dataset
from peftide.sequences.fasta import parse_fasta

TABLE, SEQUENCES = "your table", "your sequences"
"""Names of the inputs, for messages."""
NO_LIMIT = "`peftide predict` has no limit"


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
    if not found.strip():
        raise InputError("there is nothing to read", fix="Paste rows, or choose a file")
    known = sequences.content(config, named=SEQUENCES)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / TABLE, Path(folder) / SEQUENCES]
        for path, content in zip(paths, (found, known), strict=True):
            path.write_bytes(content)
        try:
            dataset = predictor.read(paths[0], paths[1] if known.strip() else None)
        except InputError as error:
            raise InputError(str(error).replace(f"{folder}/", "")) from error
    return within_limits(dataset, config)


def read_one(predictor: Predictor, texts: Sequence[str], config: AppConfig) -> Dataset:
    """Return one pair or one sequence as a data set; each text is residues, or one FASTA record.

    Raises
    ------
    InputError
        If a sequence is missing, wrong or too long.
    """
    known = [_sequence(text, number, config) for number, text in enumerate(texts, start=1)]
    inputs = [tuple(known)] if len(known) == 2 else known
    try:
        return within_limits(predictor.read(inputs), config)
    except InputError as error:
        raise InputError(str(error).replace("list: row 1: ", "")) from error


def _sequence(text: str, number: int, config: AppConfig) -> str:
    """Return the residues of a text."""
    name = f"sequence {number}"
    Source(text).content(config, named=name)
    if not text.strip():
        raise InputError(f"{name} is empty", fix="Paste residues, or a FASTA record")
    if not text.lstrip().startswith(">"):
        return "".join(text.split())
    proteins = parse_fasta(Path(name), text.lstrip()).proteins
    if len(proteins) != 1:
        raise InputError(
            f"{name} has {count_of(len(proteins), 'record')}",
            expected="one",
            fix="Ask about several on the page for many",
        )
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
        if len(text) > config.most_residues:
            raise InputError(
                f"{name} has {len(text):,} residues",
                expected=f"at most {config.most_residues:,}",
                fix="Cut out the domain of interest",
            )
    return dataset
