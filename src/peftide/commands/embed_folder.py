"""`peftide embed --out FOLDER`: a FASTA file of any size in; a folder of shards out."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from peftide.config import EmbedConfig, RowOptions
from peftide.config.embedding import FolderOptions, MapOptions
from peftide.config.unread import Choice
from peftide.errors import InputError
from peftide.files import alone_at, remove_partials
from peftide.on_demand import require_library
from peftide.outputs import is_begun, refuse_inputs_inside, require_file
from peftide.progress import meter
from peftide.quantities import count_of
from peftide.sequences.findings import say_findings
from peftide.shards.filling import Part, finish, read_part
from peftide.shards.folder import (
    FINISHED,
    FORMAT_VERSION,
    RECORD,
    UNFINISHED,
    FolderRecord,
    ShardFolder,
    check_model,
    check_source,
    is_shard_folder,
    open_folder,
    write_record,
)
from peftide.shards.sorting import SortedSequences, read_sorted, sort_sequences
from peftide.types import FloatArray
from peftide.work_folder import Work, folder_work
from peftide.workers import Here, Workers, wanted_workers, whole_paths, working

if TYPE_CHECKING:
    from peftide.predictor.shard_encoder import ShardMaker

logger = logging.getLogger(__name__)

EMBED = "embed"
SHARD_SIZE, RESIDUE_SHARD_SIZE = 20_000, 2_000
MOST_SHARDS = 4_096
"""Most shards unless `--shard-size` is given: a folder with more files is slow to list."""
OF_FOLDERS = {field.name for field in fields(FolderOptions)}
OF_TABLES = {field.name for field in fields(RowOptions)} | {
    field.name for field in fields(MapOptions)
}
KEPT = {"sequences", "threads", "debug"}


def is_folder(out: Path) -> bool:
    """Return whether an output is a folder of shards: a name without ending, or a folder."""
    return not out.suffix or out.is_dir()


def folder_choices(config: EmbedConfig) -> Iterator[Choice]:
    """Yield the choices about a folder of shards that decide whether options are read."""
    if not is_folder(config.out):
        yield Choice("an embedding into a file", frozenset(OF_FOLDERS))
        return
    yield Choice("an embedding into a folder", frozenset(OF_TABLES - KEPT | {"layers"}))
    if config.shard is not None or config.prepare:
        said = "--prepare" if config.prepare else "--shard"
        yield Choice(said, frozenset({"ray", "workers", *(["shard"] if config.prepare else [])}))
    if config.ray is None:
        yield Choice("an embedding without --ray", frozenset({"workers"}))


def embed_folder(config: EmbedConfig) -> Mapping[str, FloatArray]:
    """Embed every distinct sequence of a FASTA file once, and write a folder of shards.

    Memory stays flat whatever the number of sequences. A repeated call goes on with an unfinished
    folder, and several processes can fill one folder.

    Returns
    -------
    The folder; nothing if `prepare` only sorted the sequences.

    Raises
    ------
    InputError
        If the sequences, the model or the folder is wrong.
    """
    part = read_part(config.shard)
    require_library("pyarrow", extra="formats", where="--out")
    assert config.sequences is not None  # `--data` alone is refused
    require_file(config.sequences, where="--sequences")
    refuse_inputs_inside(config.out, [config.sequences])
    work = folder_work(config.out, EMBED)
    _check_place(config, work)
    run = _Run(whole_paths(config), work, part)
    if config.prepare:
        run.sort()
        return {}
    with run.makers() as makers:
        return run.fill(makers)


def _check_place(config: EmbedConfig, work: Work) -> None:
    """Refuse a folder that holds something else, or is finished."""
    out = config.out
    if not is_begun(out, command=EMBED, record=RECORD):
        return
    folder = open_folder(out)
    assert config.sequences is not None
    check_source(folder, config.sequences, size=_shard_size(config))
    is_meant = config.resume or config.shard or config.prepare or work.path.is_dir()
    if folder.record.status == FINISHED and not is_meant:
        raise InputError(
            f"{out} holds finished embeddings of these sequences",
            where="--out",
            fix="Choose another --out, remove the folder, or pass --resume to check it",
        )


def _shard_size(config: EmbedConfig) -> int:
    return config.shard_size or (RESIDUE_SHARD_SIZE if config.per_residue else SHARD_SIZE)


class _Run:
    """An embedding into a folder.

    Attributes
    ----------
    texts
        Folder of the sorted sequences.
    """

    def __init__(self, config: EmbedConfig, work: Work, part: Part) -> None:
        self.config, self.work, self.part = config, work, part
        self.texts = work.path / "sequences"

    def sort(self) -> SortedSequences:
        """Sort the sequences into shards, unless that is done; another process may be at it."""
        path, size = self.config.sequences, _shard_size(self.config)
        assert path is not None
        with self._alone():
            found = read_sorted(self.texts)
            if found is not None and found.size == size and found.source.is_at(path):
                return found
            remove_partials(self.work.path)
            try:
                found = sort_sequences(
                    path,
                    self.texts,
                    size=size,
                    most=None if self.config.shard_size else MOST_SHARDS,
                )
            except BaseException:
                self._leave_if_new()
                raise
        say_findings(found.findings)
        logger.info(
            "%s sorted into %s",
            count_of(found.records, "sequence"),
            count_of(found.shards, "shard"),
        )
        return found

    def _alone(self) -> AbstractContextManager[bool]:
        return alone_at(self.work.lock, wait=True, writes=self.work.out)

    def _leave_if_new(self) -> None:
        """Remove the work folder, and an output folder that holds nothing else."""
        self.work.leave()
        with suppress(OSError):
            self.work.out.rmdir()

    def makers(self) -> AbstractContextManager[Here | Workers]:
        """Return what makes shards: this process, or the workers of a cluster."""
        make = partial(_maker, self.config, self.texts)
        return working(make, wanted_workers(self.config), threads=self.config.threads)

    def fill(self, makers: Here | Workers) -> ShardFolder:
        """Make the missing shards of the part, and close the folder if all are there."""
        folder = self._opened(makers)
        if folder.missing(range(folder.record.shards)):
            self._make(folder, makers)
        elif folder.record.status == FINISHED:
            logger.info("%s is finished", self.work.out)
        missing = folder.missing(range(folder.record.shards))
        if missing:
            logger.info(
                "part %s is done; %s of %s are still to be made by others",
                *(self.part, f"{len(missing):,}", count_of(folder.record.shards, "shard")),
            )
            return folder
        if folder.record.status == FINISHED and not self.work.path.is_dir():
            return folder
        with self._alone():
            closed = finish(folder)
            remove_partials(folder.path)
            self.work.leave()
        known = {finding.kind for finding in folder.record.findings}
        say_findings(tuple(one for one in closed.record.findings if one.kind not in known))
        return closed

    def _opened(self, makers: Here | Workers) -> ShardFolder:
        """Return the folder, whose record the first process writes."""
        model, form = makers.call("describe")
        if not is_shard_folder(self.work.out):
            found = self.sort()
            record = FolderRecord(
                *(FORMAT_VERSION, EMBED, UNFINISHED, model, form, found.source, found.size),
                *(found.shards, found.records, None, found.findings),
            )
            with self._alone():
                if not is_shard_folder(self.work.out):
                    write_record(ShardFolder(self.work.out, record))
        folder = open_folder(self.work.out)
        check_model(folder, model, form)
        return folder

    def _make(self, folder: ShardFolder, makers: Here | Workers) -> None:
        """Make the missing shards of the part."""
        residues = self.sort().residues
        lock = self.work.path / "parts" / str(self.part).replace("/", "-of-")
        with alone_at(lock, wait=False, writes=self.work.out):
            mine = self.part.numbers(folder.record.shards)
            numbers = folder.missing(mine)
            if len(numbers) < len(mine):
                there = f"{len(mine) - len(numbers):,}"
                logger.info("%s of %s are there", there, count_of(len(mine), "shard"))
            total = sum(residues[number] for number in mine)
            with meter("encoding the proteins", total=max(total, 1), unit="residues") as done:
                done.begin_at(total - sum(residues[number] for number in numbers))
                for (number,), _ in makers.each("make", [(number,) for number in numbers]):
                    done.advance(residues[number])


def _maker(config: EmbedConfig, texts: Path, threads: int | None) -> "ShardMaker":
    # torch and all that stands on it: a refusal should not wait for them
    from peftide.predictor.shard_encoder import ShardMaker

    return ShardMaker(replace(config, threads=threads), texts)
