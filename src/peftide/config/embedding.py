"""The options of `peftide embed`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.groups import BACKBONES_DOC, DEFAULT_BACKBONE
from peftide.config.options import (
    AnswerOptions,
    LoadingOptions,
    Options,
    RowOptions,
    WorkerOptions,
    option,
)


@dataclass(frozen=True, kw_only=True)
class MapOptions(Options):
    """Options that draw a map from embeddings."""

    heading: ClassVar[str] = "map"

    map: Path | None = option(
        None,
        doc="folder to write: the embeddings in two dimensions, as a page, pictures and a table",
        main=True,
    )
    data: Path | Any | None = option(
        None,
        doc="table whose labels and split column colour the map; without --sequences, its "
        "sequences are embedded",
        main=True,
        in_memory=True,
    )
    projection: Literal["pca", "umap"] = option(
        "pca",
        doc="pca: the first two principal components; umap: UMAP as well "
        "(pip install 'peftide[map]')",
        main=True,
    )
    split_column: str = option("split", doc="column with the part of each row")


@dataclass(frozen=True, kw_only=True)
class FolderOptions(WorkerOptions):
    """Options of a folder of shards, for millions of sequences and for several machines."""

    heading: ClassVar[str] = "folder of shards"

    resume: bool = option(
        False, doc="go on with an unfinished folder, as the same command does; leave a finished one"
    )
    shard_size: int | None = option(
        None,
        doc="sequences in a shard, about; default: 20,000 (2,000 with --per-residue), and more if "
        "there would be more than 4,096 shards",
        limit="1 or more",
    )
    number_type: Literal["float16", "float32"] = option(
        "float16", doc="number type of the stored vectors"
    )
    prepare: bool = option(
        False, doc="only sort the sequences into shards, before several processes start"
    )


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(FolderOptions, MapOptions, RowOptions, AnswerOptions, LoadingOptions):
    """Write one embedding per sequence, and draw all embeddings on a map."""

    heading: ClassVar[str] = "options"

    sequences: Path | None = option(
        None, doc="FASTA file to embed (.gz and .xz are read)", main=True
    )
    backbone: str | None = option(
        None,
        doc=f"{BACKBONES_DOC}; default: {DEFAULT_BACKBONE}; with --run: the new location of the "
        "run's backbone, if it has moved",
        main=True,
    )
    run: Path | None = option(
        None, doc="run folder: embed with its adapted backbone instead", main=True
    )
    out: Path = option(
        doc="file to write: .safetensors, .h5 or .parquet; a name without ending is a folder of "
        "shards, for millions of sequences",
        main=True,
    )
    per_residue: bool = option(
        False, doc="one vector per residue instead of one per sequence", main=True
    )
    pooling: Literal["mean", "cls", "ends", "window"] | None = option(
        None,
        doc="how residues become one vector; default: mean, or with --run the trained pooling",
        main=True,
    )
    layer: int | Literal["last"] = option(
        "last", doc="0-based layer whose output is embedded", limit="0 or more", main=True
    )
    layers: Literal["one", "all"] = option(
        "one", doc="all: one vector for each layer instead of one, in one pass", main=True
    )
    max_length: int | None = option(
        1022, doc="length to which sequences are cropped, or `none`", limit="1 or more", main=True
    )
