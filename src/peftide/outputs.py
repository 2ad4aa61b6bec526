"""Checks of output paths: a command replaces only files that peftide wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peftide.errors import InputError
from peftide.files import is_pipe, is_readable, remove
from peftide.saved import OTHER_KEYS_ALLOWED, read_object

RECORD = "run.json"
SPLIT_RECORD = "split.json"
WRITTEN_BY = {
    "train": ("config.yaml", "metrics.json", "predictions.tsv", "history.csv", "model")
    + ("baselines", "checkpoints", "strata.tsv", "audit.json", "report.html", RECORD),
    "pretrain": ("config.json", "model.safetensors", "vocab.txt", "tokenizer.json")
    + ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
    + ("config.yaml", "history.csv", "held_out.tsv", "checkpoints", RECORD),
    "evaluate": (
        "metrics.json",
        "predictions.tsv",
        "strata.tsv",
        "audit.json",
        "report.html",
        RECORD,
    ),
    "split": ("split.tsv", "dropped.tsv", "clusters.tsv", SPLIT_RECORD),
    "demo": ("data", "runs", "table.tsv", "new_pairs_scores.tsv", RECORD),
}
"""Command → the files in its folder; the last one is the record that identifies the command."""

SEPARATORS = {".tsv": "\t", ".csv": ",", ".txt": "\t", "": "\t"}
COMPRESSIONS = {".gz": "gzip", ".xz": "xz"}


@dataclass(frozen=True)
class RecordForm:
    """The keys of a record that identify a command and its data; others may stand beside them."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    command: str | None = None
    status: str | None = None
    seed: int | None = None
    format_version: int | None = None
    data: dict[str, str] | None = None


def read_record(path: Path, form: type = RecordForm) -> dict[str, Any]:
    """Return the content of a record, or an empty one if there is no such file.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    return read_object(path, form) if path.exists() else {}


def check_folder(path: Path, *, command: str, overwrite: bool) -> None:
    """Make sure that a command may write a folder, or replace its earlier output there.

    Raises
    ------
    InputError
        If the folder exists and must not be replaced.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise InputError(
            f"{path} exists", where="--out", fix="Choose another --out, or pass --overwrite"
        )
    if read_record(path / WRITTEN_BY[command][-1]).get("command") != command:
        raise InputError(
            f"{path} was not written by `peftide {command}`, so --overwrite leaves it alone",
            where="--out",
        )


def clear_folder(path: Path, *, command: str) -> None:
    """Remove only the files that a command wrote into a folder."""
    for name in WRITTEN_BY[command]:
        remove(path / name)


def check_file(path: Path, *, overwrite: bool, inputs: Iterable[Path | None]) -> None:
    """Make sure that a command may write a file.

    Raises
    ------
    InputError
        If the file exists and must not be replaced, or is an input of the command.
    """
    if path.resolve() in {source.resolve() for source in inputs if isinstance(source, Path)}:
        raise InputError(f"{path} is also an input", where="--out", fix="Choose another --out")
    if path.is_dir():
        raise InputError(f"{path} is a folder", expected="a file", where="--out")
    if is_pipe(path):
        raise InputError(f"{path} is a pipe or a device", expected="a file", where="--out")
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists", where="--out", fix="Choose another --out, or pass --overwrite"
        )


def table_form(path: Path) -> tuple[str, str | None]:
    r"""Return the separator and the compression of a table, from the ending of its name.

    Examples
    --------
    >>> table_form(Path("a.csv")), table_form(Path("a.tsv.gz")), table_form(Path("scores"))
    ((',', None), ('\t', 'gzip'), ('\t', None))

    Raises
    ------
    InputError
        If the ending stands for another format.
    """
    packed = COMPRESSIONS.get(path.suffix)
    ending = Path(path.stem).suffix if packed else path.suffix
    if ending not in SEPARATORS:
        raise InputError(
            f"received {path.name}",
            expected=f"a name that ends in {', '.join(filter(None, SEPARATORS))}, also with "
            f"{' or '.join(COMPRESSIONS)} behind it",
            where="--out",
        )
    return SEPARATORS[ending], packed


def require_file(path: Any, *, where: str) -> None:
    """Raise if a file to read is not there; data in memory always is.

    Raises
    ------
    InputError
        Naming it.
    """
    if isinstance(path, Path) and not is_readable(path):
        raise InputError(f"{path}: no such file", where=where)


def unfinished(out: Path) -> Path:
    """Return the folder next to an output that keeps encoded proteins until it is written.

    Examples
    --------
    >>> unfinished(Path("a/scores.tsv")).name
    '.scores.tsv.embedding'
    """
    whole = out.resolve()
    return whole.with_name(f".{whole.name}.embedding")


def refuse_inputs_inside(path: Path, inputs: Iterable[Path]) -> None:
    """Raise if an input file is in the folder that a run would replace.

    Raises
    ------
    InputError
        Names the files.
    """
    inside = [str(source) for source in inputs if source.resolve().is_relative_to(path.resolve())]
    if inside:
        raise InputError(
            f"{', '.join(inside)} lies in the output folder",
            where="--out",
            fix="Choose another --out",
        )
