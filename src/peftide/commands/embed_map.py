"""`peftide embed --map`: embeddings and a table in; a folder with their map out."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from peftide.config import EmbedConfig, RowOptions, TableOptions, as_mapping
from peftide.config.groups import DEFAULT_BACKBONE
from peftide.config.unread import Choice
from peftide.environment import environment
from peftide.errors import InputError
from peftide.evaluation.tables import write_table
from peftide.files import write_json, write_text
from peftide.maps import (
    Annotated,
    Projection,
    annotate,
    has_protspace,
    projections_of,
    write_bundle,
)
from peftide.maps.projections import SEED, check_count, check_projection
from peftide.outputs import WRITTEN_BY, making_folder, require_file
from peftide.progress import working
from peftide.quantities import count_of
from peftide.report.embedding_map import as_file, map_page, pictures, titles
from peftide.run_folder import RunFolder
from peftide.sequences.findings import plain_findings
from peftide.sequences.lookup import sequence_lookup
from peftide.types import FloatArray
from peftide.work_folder import Work

logger = logging.getLogger(__name__)

EMBED = "embed"
TABLE, BUNDLE = "map.tsv", "map.parquetbundle"
OF_TABLES = {field.name for field in fields(RowOptions)} | {"split_column"}
OF_PROCESS = {"sequences", "threads", "overwrite", "debug"}


def map_choices(config: EmbedConfig) -> Iterator[Choice]:
    """Yield the choices about a map that decide whether options are read."""
    if config.data is None:
        yield Choice("an embedding without --data", frozenset(OF_TABLES - OF_PROCESS))
    if config.map is None:
        unread = {"projection", "label_column", "split_column", "self_pairs"}
        unread |= set() if config.sequences is None else {"data"}
        yield Choice("an embedding without --map", frozenset(unread))
    else:
        yield Choice("--map", frozenset({"per_residue", "layers"}))


def check_map(config: EmbedConfig) -> None:
    """Raise if a map cannot be made, before anything is computed.

    Raises
    ------
    InputError
        If a file or a library is missing, or the embeddings lie inside the folder of the map.
    """
    require_file(config.data, where="--data")
    if config.map is None:
        return
    if config.map.resolve() in config.out.resolve().parents:
        raise InputError(
            f"{config.out} lies inside the folder of the map {config.map}",
            expected="an --out next to it",
            where="--out",
        )
    check_projection(config.projection)


def input_files(config: EmbedConfig) -> list[Path]:
    """Return the files that an embedding reads."""
    return [path for path in (config.sequences, config.data) if isinstance(path, Path)]


@contextmanager
def making_map(config: EmbedConfig) -> Iterator[Work | None]:
    """Hold the folder of the map and yield its work folder; None if no map is asked for."""
    if config.map is None:
        yield None
        return
    with making_folder(
        config.map, command=EMBED, overwrite=config.overwrite, inputs=input_files(config)
    ) as work:
        yield work


def read_annotated(config: EmbedConfig) -> Annotated:
    """Return the proteins to embed, with labels and parts if there is a table.

    Raises
    ------
    InputError
        If the file or the table is wrong, or has too few sequences for a map.
    """
    lookup = None if config.sequences is None else sequence_lookup(config.sequences)
    known = {field.name for field in fields(TableOptions)} & {*as_mapping(config)}
    columns = TableOptions(missing="drop", **{name: getattr(config, name) for name in known})
    found = annotate(lookup, config.data, columns)
    if config.map is not None:
        check_count(len(found.proteins))
    return found


def write_map(
    config: EmbedConfig, known: Annotated, vectors: Mapping[str, FloatArray], *, work: Work
) -> None:
    """Write the page, the pictures, the table and the file for ProtSpace."""
    with working("drawing the map"):
        projections = projections_of(np.stack([*vectors.values()]), choice=config.projection)
    table = known.table.copy()
    for one in projections:
        table[f"{one.name}_1"], table[f"{one.name}_2"] = one.points.T
    record = environment(SEED, command=EMBED) | {
        "status": "finished",
        "options": as_mapping(config),
        "embedded_with": str(config.run or config.backbone or DEFAULT_BACKBONE),
        "of_pairs": known.of_pairs,
        "findings": plain_findings(known.findings),
        "projections": [_described(one) for one in projections],
    }
    folder = RunFolder(work.new)
    write_table(table, work.new / TABLE)
    for one in record["projections"]:
        for name, picture in pictures(table, one, titles(record)):
            file = f"{one['name']}_{name}.svg" if name else f"{one['name']}.svg"
            write_text(work.new / file, as_file(picture), tidy=True)
    if has_protspace():
        with working("writing the file for ProtSpace"):
            write_bundle(known.table, projections, work.new / BUNDLE)
    else:
        logger.warning(
            "note: no %s for ProtSpace was written: pip install 'peftide[protspace]'", BUNDLE
        )
    title = f"Map of {count_of(len(table), 'sequence')}"
    write_text(folder.report, map_page(table, record, title=title), tidy=True)
    write_json(folder.record, record)
    work.put(WRITTEN_BY[EMBED])


def _described(one: Projection) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "axes": [*one.axes], **one.settings}
