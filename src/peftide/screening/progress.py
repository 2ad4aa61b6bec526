"""The state of a screen on disk, so that an interrupted one goes on after its last block."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from peftide.files import remove, write_json, written_whole
from peftide.saved import read_json, tensor_errors
from peftide.screening.best import BestPartners

HITS = "hits"


@dataclass(frozen=True)
class Done:
    """How far a screen has come.

    Attributes
    ----------
    key
        Model, proteins and options; another key starts again.
    proteins
        Number of proteins that have met all their partners.
    shards
        Number of written files of hits.
    """

    key: str
    proteins: int = 0
    shards: int = 0


class ScreenFolder:
    """The folder of a screen in progress."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record(self) -> Path:
        """How far the screen has come; written after everything that it counts."""
        return self.path / "progress.json"

    @property
    def best(self) -> Path:
        """The best partners so far."""
        return self.path / "best.safetensors"

    def shard(self, number: int) -> Path:
        """Return a file of hits."""
        return self.path / f"{HITS}-{number:05d}.parquet"

    def done(self, key: str) -> Done:
        """Return how far an earlier call came; a screen with another key is removed."""
        if self.record.is_file():
            found = read_json(self.record, Done)
            if found.key == key:
                return found
        remove(self.path)
        return Done(key)

    def load(self) -> BestPartners:
        """Return the saved best partners."""
        with tensor_errors(self.best, fix=f"Remove {self.path}"):
            return BestPartners(**load_file(self.best))

    def save(self, done: Done, best: BestPartners | None) -> None:
        """Save how far the screen has come."""
        self.path.mkdir(parents=True, exist_ok=True)
        if best is not None:
            with written_whole(self.best) as partial:
                save_file({name: value.contiguous() for name, value in vars(best).items()}, partial)
        write_json(self.record, asdict(done))

    def write_shard(self, number: int, hits: pd.DataFrame) -> None:
        """Write a file of hits: places of both proteins, and the logit."""
        self.path.mkdir(parents=True, exist_ok=True)
        with written_whole(self.shard(number)) as partial:
            hits.to_parquet(partial, index=False)

    def shards(self, count: int) -> Iterator[pd.DataFrame]:
        """Yield the first files of hits."""
        for number in range(count):
            yield pd.read_parquet(self.shard(number))


def key_of(parts: Sequence[object]) -> str:
    """Return a text that is equal for equal screens.

    Examples
    --------
    >>> key_of(["model", 10, None])
    '["model", 10, null]'
    """
    return json.dumps(list(parts))


def as_hits(one: int, partners: np.ndarray, scores: torch.Tensor) -> pd.DataFrame:
    """Return the hits of a protein as rows."""
    return pd.DataFrame({"a": one, "b": partners, "score": scores.numpy()})
