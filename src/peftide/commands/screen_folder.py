"""`peftide screen --out FOLDER`: a trained model and proteins in; shards of hits out."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peftide.bundle_record import model_folder, read_bundle_record
from peftide.config import ScreenConfig
from peftide.config.unread import Choice
from peftide.errors import InputError
from peftide.files import alone_at, file_hash, remove_partials, text_hash, write_json
from peftide.outputs import is_begun, refuse_inputs_inside
from peftide.progress import meter
from peftide.quantities import count_of
from peftide.saved import OTHER_KEYS_ALLOWED, read_json
from peftide.shards.filling import Part, read_part
from peftide.work_folder import Work, folder_work
from peftide.workers import Here, Workers, wanted_workers, whole_paths, working

if TYPE_CHECKING:
    from peftide.screening.shards import HitsMaker

logger = logging.getLogger(__name__)

SCREEN = "screen"
RECORD = "_screen.json"
FORMAT_VERSION = 1
UNFINISHED, FINISHED = "unfinished", "finished"


@dataclass(frozen=True)
class ScreenResult:
    """Results of a screen.

    Attributes
    ----------
    path
        The file or folder of hits.
    proteins, partners
        Numbers of screened proteins and of possible partners.
    pairs
        Number of scored pairs.
    hits
        Number of kept rows; in a dry run the most there can be.
    seconds
        Time for scoring; in a dry run the forecast.
    recall
        Share of the wanted pairs of some random proteins that are among the hits; None if the
        model scored all pairs.
    """

    path: Path
    proteins: int
    partners: int
    pairs: int
    hits: int
    seconds: float
    recall: float | None = None


@dataclass(frozen=True)
class ScreenRecord:
    """The content of `_screen.json`.

    Attributes
    ----------
    key
        Hash of model, files and options.
    hits
        Number of rows of a finished folder.
    """

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    command: str
    status: str
    key: str
    shards: int
    proteins: int
    partners: int
    hits: int | None


def screen_choices(config: ScreenConfig, is_folder: bool) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    if is_folder:
        yield Choice("a screen into a folder", frozenset({"shortlist", "overwrite"}))
    else:
        of_folders = {"shard", "ray", "workers", "proteins_per_shard"}
        yield Choice("a screen into a file", frozenset(of_folders))
    if config.known is None:
        yield Choice("a screen without --known", frozenset({"known_pairs"}))
    if config.shard is not None:
        yield Choice("--shard", frozenset({"ray", "workers"}))
    if config.ray is None:
        yield Choice("a screen without --ray", frozenset({"workers"}))


def identity(config: ScreenConfig) -> list[Any]:
    """Return model, files and options that determine the scores."""
    record = read_bundle_record(model_folder(config.run))
    files = [config.sequences, config.against, config.known]
    hashes = [None if path is None else file_hash(path) for path in files]
    return [str(record), *hashes, config.known_pairs]


def screen_folder(config: ScreenConfig) -> ScreenResult:
    """Score all pairs of proteins, shard after shard; several processes can fill one folder.

    Raises
    ------
    InputError
        If the folder holds something else, or another screen.
    """
    part = read_part(config.shard)
    files = [path for path in (config.sequences, config.against, config.known) if path]
    refuse_inputs_inside(config.out, files)
    kept = [config.top_k, config.threshold, config.prevalence, config.self_pairs]
    key = text_hash(str([*identity(config), *kept, config.proteins_per_shard]))
    work = folder_work(config.out, SCREEN)
    _check_place(config, work, key=key)
    make = partial(_maker, whole_paths(config), work.path.resolve(), key=key)
    with working(make, wanted_workers(config), threads=config.threads) as makers:
        return _fill(config, work, part, makers=makers, key=key)


def _check_place(config: ScreenConfig, work: Work, *, key: str) -> None:
    """Refuse a folder that holds something else, another screen, or a finished one."""
    if not is_begun(config.out, command=SCREEN, record=RECORD):
        return
    found = _read_record(config.out)
    fix = "Choose another --out, or remove the folder"
    if found.key != key:
        raise InputError(
            f"{config.out} holds another screen: of other proteins, or by another model or options",
            where="--out",
            fix=fix,
        )
    is_meant = config.resume or config.shard is not None or work.path.is_dir()
    if found.status == FINISHED and not is_meant:
        raise InputError(
            f"{config.out} holds this screen, finished",
            where="--out",
            fix=f"{fix}, or pass --resume to check it",
        )


def _read_record(out: Path) -> ScreenRecord:
    return read_json(out / RECORD, ScreenRecord, fix="Remove the folder")


def _maker(config: ScreenConfig, work: Path, threads: int | None, *, key: str) -> "HitsMaker":
    # torch and all that stands on it: a refusal should not wait for them
    from peftide.screening.shards import HitsMaker

    return HitsMaker(replace(config, threads=threads), work, key)


def _fill(
    config: ScreenConfig, work: Work, part: Part, *, makers: Here | Workers, key: str
) -> ScreenResult:
    """Make the missing shards of a part, and close the folder if all are there."""
    out, started = config.out, time.monotonic()
    proteins, partners = makers.call("describe")
    shards = math.ceil(proteins / config.proteins_per_shard)
    with alone_at(work.lock, wait=True, writes=out):
        if not (out / RECORD).is_file():
            new = (FORMAT_VERSION, SCREEN, UNFINISHED, key, shards, proteins, partners, None)
            write_json(out / RECORD, asdict(ScreenRecord(*new)))
    numbers = [(number,) for number in part.numbers(shards)]
    lock, scored = work.path / "parts" / str(part).replace("/", "-of-"), 0
    with (
        alone_at(lock, wait=False, writes=out),
        meter("screening", total=max(len(numbers), 1), unit="shards") as done,
    ):
        for _, pairs in makers.each("make", numbers):
            scored += pairs
            done.advance(1)
    hits = _close(out, work, part, key=key)
    return ScreenResult(out, proteins, partners, scored, hits, time.monotonic() - started)


def _close(out: Path, work: Work, part: Part, *, key: str) -> int:
    """Write the final record if all shards are there; return the number of hits in the part."""
    from peftide.screening.shards import count_all, has_shard

    found = _read_record(out)
    missing = [n for n in range(found.shards) if not has_shard(out, n, key=key)]
    if missing:
        logger.info(
            "part %s is done; %s of %s are still to be made by others",
            *(part, f"{len(missing):,}", count_of(found.shards, "shard")),
        )
    else:
        with alone_at(work.lock, wait=True, writes=out):
            hits = count_all(out, range(found.shards))
            write_json(out / RECORD, asdict(replace(found, status=FINISHED, hits=hits)))
            remove_partials(out)
            work.leave()
    return count_all(out, part.numbers(found.shards))
