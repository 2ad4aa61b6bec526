"""The hits of some proteins with all partners → one shard of a folder of hits."""

from dataclasses import replace
from pathlib import Path

import torch

from peftide.config import ScreenConfig
from peftide.errors import InputError
from peftide.files import remove, written_whole
from peftide.screening.hits import count_hits, note_of
from peftide.screening.preparing import open_model, prepare_screen
from peftide.screening.progress import ScreenFolder
from peftide.screening.proteins import read_proteins
from peftide.screening.screen import Pairs, screen


def shard_path(out: Path, number: int) -> Path:
    """Return the file of a shard."""
    return out / f"hits-{number:05d}.parquet"


def has_shard(out: Path, number: int, *, key: str) -> bool:
    """Return whether a whole shard of this screen is there.

    Raises
    ------
    InputError
        If it is from another screen.
    """
    path = shard_path(out, number)
    note = note_of(path) if path.is_file() else None
    if note not in (None, key):
        raise InputError(
            "this shard is from another screen: other proteins, model or options",
            where=path,
            fix="Remove it to make it again, or choose another --out",
        )
    return note is not None


def own_pairs(pairs: Pairs, own: slice, *, keeps_best: bool) -> Pairs:
    """Return the pairs of some proteins, which another process need not share.

    With the best partners of each protein, its pairs with all others are scored here, so that a
    pair inside one set is scored for both of its proteins. Above a threshold, each pair counts for
    the first.
    """
    return replace(pairs, own=own, is_square=pairs.is_square and not keeps_best)


class HitsMaker:
    """Makes shards of hits in a separate process.

    Parameters
    ----------
    work
        Folder for encoded proteins, and for shards in progress.
    key
        Identifies the screen.
    """

    def __init__(self, config: ScreenConfig, work: Path, key: str) -> None:
        self.out, self.work, self.key = config.out, work, key
        self.size = config.proteins_per_shard
        self.proteins = read_proteins(config)
        predictor = open_model(config)
        ready = prepare_screen(config, self.proteins, predictor, store=work / "embedding")
        self.ready = replace(ready, hits=replace(ready.hits, note=key))

    def describe(self) -> tuple[int, int]:
        """Return the numbers of proteins and of partners."""
        return self.proteins.count, len(self.proteins.partners)

    def make(self, number: int) -> int:
        """Make a shard, unless it is there; return the number of scored pairs."""
        last = min((number + 1) * self.size, self.proteins.count)
        wanted = self.ready.wanted
        own = slice(number * self.size, last)
        pairs = own_pairs(self.ready.pairs, own, keeps_best=wanted.top_k is not None)
        if not has_shard(self.out, number, key=self.key):
            state = ScreenFolder(self.work / f"shard-{number:05d}")
            hardware = self.ready.predictor.encoder.hardware
            with hardware.computing(), torch.inference_mode():
                tables = screen(self.ready.scorer(), pairs, wanted, folder=state, key=self.key)
                with written_whole(shard_path(self.out, number), tidy=True) as partial:
                    self.ready.hits.write(tables, partial)
            remove(state.path)
        return pairs.count()


def count_all(out: Path, numbers: range) -> int:
    """Return the number of hits of some shards."""
    return sum(count_hits(shard_path(out, number)) for number in numbers)
