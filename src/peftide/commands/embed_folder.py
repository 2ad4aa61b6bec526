"""`peftide embed --out FOLDER`: a FASTA file of any size in; a folder of shards out."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from peftide.config import EmbedConfig, RowOptions
from peftide.config.embedding import FolderOptions, MapOptions
from peftide.config.unread import Choice
from peftide.errors import InputError
from peftide.files import PARTIAL, alone_at, is_pipe, remove_partials, storage_errors
from peftide.on_demand import require_library
from peftide.outputs import refuse_inputs_inside, require_file
from peftide.process import prepare_process
from peftide.progress import meter
from peftide.quantities import count_of
from peftide.sequences.findings import say_findings
from peftide.shards.filling import Part, finish, read_part
from peftide.shards.folder import (
    FINISHED,
    FORMAT_VERSION,
    UNFINISHED,
    FolderRecord,
    ModelCard,
    ShardFolder,
    check_model,
    check_source,
    is_shard_folder,
    open_folder,
    write_record,
)
from peftide.shards.parquet import ShardForm
from peftide.shards.sorting import SortedSequences, read_sorted, sort_sequences
from peftide.types import FloatArray
from peftide.work_folder import Work, folder_work
from peftide.workers import WantedWorkers, Workers, connected

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
    run = _Run(_absolute(config), work, part)
    if config.prepare:
        run.sort()
        return {}
    with run.makers() as makers:
        return run.fill(makers)


def _check_place(config: EmbedConfig, work: Work) -> None:
    """Refuse a folder that holds something else, or is finished."""
    out = config.out
    with storage_errors(out):
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file", expected="a folder", where="--out")
        names = {path.name for path in out.iterdir()} if out.exists() else set()
    names = {name for name in names if not name.startswith(PARTIAL)} - {work.path.name}
    if not names:
        return
    if not is_shard_folder(out):
        raise InputError(
            f"{out} exists and was not written by `peftide embed`",
            where="--out",
            fix="Choose another --out",
        )
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


def _absolute(config: EmbedConfig) -> EmbedConfig:
    """Return the options with whole paths, because workers start in another folder."""
    paths = {name: getattr(config, name) for name in ("sequences", "out", "run")}
    whole: dict[str, Any] = {
        name: path.resolve() for name, path in paths.items() if path and not is_pipe(path)
    }
    if config.backbone is not None and Path(config.backbone).is_dir():
        whole["backbone"] = str(Path(config.backbone).resolve())
    return replace(config, **whole)


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

    @contextmanager
    def makers(self) -> Iterator["_Makers"]:
        """Yield what makes shards: this process, or the workers of a cluster."""
        config = self.config
        if config.ray is None:
            yield _Here(config, self.texts)
            return
        wanted = WantedWorkers(
            config.ray, config.workers, config.threads, gpus=config.device in ("auto", "cuda")
        )
        with connected(wanted) as cluster:
            threaded = replace(config, threads=cluster.threads)
            yield _There(cluster.workers(partial(_worker, threaded, self.texts)))

    def fill(self, makers: "_Makers") -> ShardFolder:
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

    def _opened(self, makers: "_Makers") -> ShardFolder:
        """Return the folder, whose record the first process writes."""
        model, form = makers.describe()
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

    def _make(self, folder: ShardFolder, makers: "_Makers") -> None:
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
                for number in makers.each(numbers):
                    done.advance(residues[number])


class _Makers(Protocol):
    """Makes shards."""

    def describe(self) -> tuple[ModelCard, ShardForm]:
        """Return the record of the model, and the form of its vectors."""
        ...

    def each(self, numbers: Sequence[int]) -> Iterator[int]:
        """Make shards and yield the number of each."""
        ...


class _Here:
    """Makes shards in the process that asks for them."""

    def __init__(self, config: EmbedConfig, texts: Path) -> None:
        self.maker = _maker(config, texts)

    def describe(self) -> tuple[ModelCard, ShardForm]:
        """Return the record of the model, and the form of its vectors."""
        return self.maker.describe()

    def each(self, numbers: Sequence[int]) -> Iterator[int]:
        """Make shards one after the other."""
        for number in numbers:
            self.maker.make(number)
            yield number


class _There:
    """The workers of a cluster."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers

    def describe(self) -> tuple[ModelCard, ShardForm]:
        """Return what a worker says about the model."""
        return self.workers.call("describe")

    def each(self, numbers: Sequence[int]) -> Iterator[int]:
        """Make shards on all workers."""
        return (item[0] for item, _ in self.workers.each("make", [(n,) for n in numbers]))


def _maker(config: EmbedConfig, texts: Path) -> "ShardMaker":
    # torch and all that stands on it: a refusal should not wait for them
    from peftide.predictor.shard_encoder import ShardMaker

    return ShardMaker(config, texts)


def _worker(config: EmbedConfig, texts: Path) -> "ShardMaker":
    prepare_process()  # a new process
    return _maker(config, texts)
