"""Outputs: a command makes them in a work folder, and replaces only its earlier output."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peftide.errors import InputError
from peftide.files import (
    PARTIAL,
    alone_at,
    is_pipe,
    is_readable,
    missing_file,
    remove,
    remove_partials,
    storage_errors,
)
from peftide.saved import OTHER_KEYS_ALLOWED, read_object
from peftide.work_folder import RECORD, RECORDS, SPLIT_RECORD, Work, file_work, folder_work

logger = logging.getLogger(__name__)

CHECKPOINT = (
    *("config.json", "model.safetensors", "vocab.txt", "tokenizer.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
)
"""Files of a backbone, as transformers writes them."""
WRITTEN_BY = {
    "train": ("config.yaml", "metrics.json", "predictions.tsv", "validation.tsv", "history.csv")
    + ("model", "baselines", "checkpoints", "strata.tsv", "curves.tsv", "audit.json")
    + ("report.html", RECORD),
    "compare": ("config.yaml", "leaderboard.tsv", "comparison.json", "report.html", "best")
    + ("cells", "cache", RECORD),
    "sweep": ("config.yaml", "trials.tsv", "sweep.json", "best.yaml", "report.html", "study.db")
    + ("trials", "cache", RECORD),
    "pretrain": (*CHECKPOINT, "config.yaml", "history.csv", "held_out.tsv", "checkpoints", RECORD),
    "evaluate": (
        "metrics.json",
        "predictions.tsv",
        "strata.tsv",
        "curves.tsv",
        "audit.json",
        "report.html",
        RECORD,
    ),
    "mutate": ("variants.tsv", "order.tsv", "heat_map.svg", RECORD),
    "merge": (*CHECKPOINT, "spiece.model", "README.md", RECORD),
    "export": ("encoder.onnx", "head.onnx", "model.json", "README.md", RECORD),
    "pull": ("model", RECORD),
    "data": ("table.tsv", "ids.txt", "sequences.fasta", "train.tsv", "valid.tsv", "test.tsv")
    + ("du_0_to_1.tsv", "du_both_to_0.tsv", "du_both_to_1.tsv", "data.tsv.xz", RECORD),
    "explain": ("proteins.tsv", "residues.tsv", "substitutions.tsv", "deletion.tsv")
    + ("proteins.parquet", "residues.parquet", "substitutions.parquet", "deletion.parquet")
    + ("report.html", RECORD),
    "embed": ("report.html", "map.tsv", "map.parquetbundle", "pca.svg", "umap.svg")
    + ("pca_label.svg", "pca_split.svg", "umap_label.svg", "umap_split.svg", RECORD),
    "split": ("split.tsv", "dropped.tsv", "clusters.tsv", SPLIT_RECORD),
    "demo": ("data", "runs", "table.tsv", "new_pairs_scores.tsv", RECORD),
}
"""Command → the files in its folder; the last one is the record that identifies the command."""

SEPARATORS = {".tsv": "\t", ".csv": ",", ".txt": "\t", "": "\t"}
COMPRESSIONS = {".gz": "gzip", ".xz": "xz"}


@dataclass(frozen=True)
class RecordForm:
    """The keys of a record that identify a command and its data; other keys are allowed."""

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
    try:
        return read_object(path, form) if path.exists() else {}
    except InputError as error:
        raise InputError(
            error.received,
            expected=error.expected,
            where=error.where,
            fix=error.fix or f"Restore it from a copy, or remove {path.parent} yourself",
        ) from error


@contextmanager
def making_folder(
    out: Path, *, command: str, overwrite: bool, inputs: Iterable[Path] = ()
) -> Iterator[Work]:
    """Hold an output folder and yield its work folder, which goes when the block ends.

    After an error, the work folder stays if it holds encoded proteins.

    Raises
    ------
    InputError
        If the folder must not be replaced, or another process is writing it.
    StorageError
        If the folder cannot be written.
    """
    check_folder(out, command=command, overwrite=overwrite, inputs=inputs)
    say_link(out)
    work = folder_work(out, command)
    there = out.exists()
    with alone_at(work.lock, wait=False, writes=out) as interrupted:
        work.finish_moving()
        check_folder(out, command=command, overwrite=overwrite or interrupted)
        remove_partials(out)
        with _left_in_the_end(work, made=None if there else out):
            yield work


@contextmanager
def making_file(
    out: Path,
    *,
    command: str,
    overwrite: bool,
    inputs: Iterable[Path | None],
    is_ours: Callable[[Path], bool],
) -> Iterator[Work]:
    """Hold an output file and yield its work folder, which goes when the block ends.

    After an error, the work folder stays if it holds encoded proteins.

    Parameters
    ----------
    is_ours
        Whether a file is an earlier output of the command.

    Raises
    ------
    InputError
        If the file must not be replaced, or another process is writing it.
    StorageError
        If the file cannot be written.
    """

    def check(overwrite: bool) -> None:
        check_file(out, command=command, overwrite=overwrite, inputs=inputs, is_ours=is_ours)

    work = file_work(out.resolve(), command)
    with storage_errors(out):
        check(overwrite or work.path.is_dir())
        there = work.into.exists()
    say_link(out)
    with alone_at(work.lock, wait=False, writes=out) as interrupted:
        check(overwrite or interrupted)
        work.finish_moving()
        with _left_in_the_end(work, made=None if there else work.into):
            yield work


@contextmanager
def _left_in_the_end(work: Work, *, made: Path | None) -> Iterator[None]:
    """Leave the work folder when the block ends; after an error, also the folder made for it."""
    with storage_errors(work.out):
        remove(work.new)
        work.new.mkdir()
    try:
        yield
    except BaseException:
        if not any(work.store.glob("*/progress.json")):
            work.leave()
            _remove_if_empty(made)
        raise
    work.leave()


def _remove_if_empty(folder: Path | None) -> None:
    if folder is not None and not any(folder.iterdir()):
        folder.rmdir()


def say_link(out: Path) -> None:
    """Tell the user if the output is a symbolic link, and where it leads."""
    if out.is_symlink():
        logger.warning("note: %s is a symbolic link; writing %s", out, out.resolve())


def check_folder(path: Path, *, command: str, overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Make sure that a command may write a folder, or replace its earlier output there.

    Raises
    ------
    InputError
        If the folder exists and must not be replaced.
    """
    refuse_inputs_inside(path, inputs)
    work = folder_work(path, command)
    with storage_errors(path):
        names = _names_in(path)
    interrupted = work.path.name in names
    if not names - {work.path.name}:
        return
    ours = read_record(path / WRITTEN_BY[command][-1]).get("command") == command
    nothing_yet = interrupted and names.isdisjoint(WRITTEN_BY[command])
    if not (ours or nothing_yet or work.ready.is_dir()):
        raise InputError(
            f"{path} exists and was not written by `peftide {command}`, so --overwrite leaves it "
            "alone",
            where="--out",
            fix="Choose another --out",
        )
    if not (overwrite or interrupted):
        raise InputError(
            f"{path} exists", where="--out", fix="Choose another --out, or pass --overwrite"
        )


def is_begun(out: Path, *, command: str, record: str) -> bool:
    """Return whether a folder that several processes fill has its record.

    Raises
    ------
    InputError
        If the folder holds something else.
    """
    with storage_errors(out):
        names = _names_in(out) - {folder_work(out, command).path.name}
    if names and not (out / record).is_file():
        raise InputError(
            f"{out} exists and was not written by `peftide {command}`",
            where="--out",
            fix="Choose another --out",
        )
    return bool(names)


def _names_in(folder: Path) -> set[str]:
    """Return the names in a folder; none if it does not exist.

    Raises
    ------
    InputError
        If it is no folder.
    """
    if folder.is_symlink() and not folder.exists():
        raise InputError(
            f"{folder} is a symbolic link to {folder.resolve()}, which does not exist",
            where="--out",
        )
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise InputError(f"{folder} is a file", expected="a folder", where="--out")
    return {path.name for path in folder.iterdir() if not path.name.startswith(PARTIAL)}


def clear_folder(path: Path, *, command: str) -> None:
    """Remove only the files that a command wrote into a folder, but not its record."""
    for name in WRITTEN_BY[command][:-1]:
        remove(path / name)


def check_file(
    path: Path,
    *,
    command: str,
    overwrite: bool,
    inputs: Iterable[Path | None],
    is_ours: Callable[[Path], bool],
) -> None:
    """Make sure that a command may write a file.

    Parameters
    ----------
    is_ours
        Whether a file is an earlier output of the command.

    Raises
    ------
    InputError
        If the file exists and must not be replaced, or is an input of the command.
    """
    if path.resolve() in {source.resolve() for source in inputs if isinstance(source, Path)}:
        raise InputError(f"{path} is also an input", where="--out", fix="Choose another --out")
    with storage_errors(path):
        if not path.exists():
            return
        if path.is_dir():
            raise InputError(f"{path} is a folder", expected="a file", where="--out")
        if is_pipe(path):
            raise InputError(f"{path} is a pipe or a device", expected="a file", where="--out")
        size = path.stat().st_size
    if not overwrite:
        raise InputError(
            f"{path} exists", where="--out", fix="Choose another --out, or pass --overwrite"
        )
    owner = _owner(path)
    if not path.is_file() or owner or (size and not is_ours(path)):
        whose = f"is part of the output of `peftide {owner}`" if owner else ""
        raise InputError(
            f"{path} {whose or f'was not written by `peftide {command}`'}, "
            "so --overwrite leaves it alone",
            where="--out",
            fix="Choose another --out",
        )


def _owner(path: Path) -> str:
    """Return the command whose output folder a file belongs to, or nothing."""
    for folder in path.resolve().parents[:2]:  # a file of a run, or of its model
        for record in RECORDS:
            owner = command_in(folder / record)
            inside = path.resolve().relative_to(folder).parts[0]
            if inside in WRITTEN_BY.get(owner, ()):
                return owner
    return ""


def command_in(record: Path) -> str:
    """Return the command that a record names; nothing for any other file."""
    try:
        return read_record(record).get("command") or ""
    except InputError:
        return ""


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
        raise InputError(missing_file(path), where=where)


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
