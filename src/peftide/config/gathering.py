"""The options of `peftide data`: which source is read, and which of its records are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.options import DEBUG_DOC, OVERWRITE_DOC, Options, option


@dataclass(frozen=True, kw_only=True)
class DataConfig(Options):
    """Make a labelled table from a database export or mmCIF files, or get a public benchmark."""

    heading: ClassVar[str] = "options"

    source: Literal["string", "biogrid", "mitab", "mmcif", "get"] = option(
        doc="string, biogrid (TAB3), mitab (PSI-MITAB, as of IntAct), mmcif, or get (download a "
        "benchmark)",
        positional=True,
    )
    name: str | None = option(
        None, doc="for get: the benchmark; `peftide data get` lists them", positional=True
    )
    input: tuple[Path, ...] = option(
        (),
        doc="file of the export (.gz and .xz are read); for mmcif also a folder",
        repeated="FILE",
        main=True,
    )
    out: Path = option(Path("data"), doc="folder to write", main=True)
    mirror: str | None = option(
        None, doc="for get: address of a copy of raw.githubusercontent.com, with the same paths"
    )
    taxon: int | None = option(
        None,
        doc="only pairs of this organism, by its NCBI number, such as 9606",
        limit="1 or more",
        main=True,
    )
    min_score: float | None = option(
        None,
        doc="lowest score of a pair, in the units of the source; default: 700 of 1,000 for string",
        limit="0 or more",
        main=True,
    )
    channel: str | None = option(
        None,
        doc="column of the score in protein.links.detailed of STRING, such as experimental; "
        "default: combined_score",
        main=True,
    )
    evidence: Literal["physical", "all"] = option(
        "physical",
        doc="physical: binary physical interactions alone; all: also genetic ones, "
        "colocalization, and complexes that were expanded into pairs",
        main=True,
    )
    isoforms: Literal["merge", "keep"] = option(
        "merge", doc="isoforms and chains of mitab (P04637-2): as their protein, or on their own"
    )
    self_pairs: Literal["exclude", "keep"] = option(
        "exclude", doc="pairs of a protein with itself: left out, or kept"
    )
    overwrite: bool = option(False, doc=OVERWRITE_DOC)
    debug: bool = option(False, doc=DEBUG_DOC)
