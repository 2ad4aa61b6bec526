"""Exports of interaction databases, structures, public benchmarks → labelled tables. No torch."""

from collections.abc import Callable, Iterator
from pathlib import Path

from peftide.config import DataConfig
from peftide.databases.biogrid import read_biogrid
from peftide.databases.mitab import read_mitab
from peftide.databases.pairs import Counts, PairRecord
from peftide.databases.string_links import read_string

PAIR_SOURCES: dict[str, Callable[[Path, DataConfig, Counts], Iterator[PairRecord]]] = {
    "string": read_string,
    "biogrid": read_biogrid,
    "mitab": read_mitab,
}
"""Source → the reader of its files: file, options, counts of left-out records → interactions."""

__all__ = ["PAIR_SOURCES", "Counts", "PairRecord"]
