"""A map comes in; a file that ProtSpace opens goes out."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from peftide.maps.projections import Projection
from peftide.on_demand import require_library

EXTRA = "protspace"


def has_protspace() -> bool:
    """Return whether the library is installed, without importing it."""
    return importlib.util.find_spec("protspace") is not None


def write_bundle(table: pd.DataFrame, projections: Sequence[Projection], path: Path) -> None:
    """Write a `.parquetbundle`: the columns of the table as annotations, and all projections.

    Parameters
    ----------
    table
        `id` and other columns. Shape (N, ·).
    path
        A path that ends with `.parquetbundle`.

    Raises
    ------
    InputError
        If `protspace` is not installed.

    References
    ----------
    Senoner et al. 2025, doi:10.1016/j.jmb.2025.168940.
    """
    processors = require_library("protspace.data.processors.base_processor", extra=EXTRA)
    encoding = require_library("protspace.data.annotations.encoding", extra=EXTRA)
    annotations = table.rename(columns={"id": "identifier"})
    for name in annotations.columns.drop("identifier"):
        annotations[name] = [encoding.encode_field(str(value)) for value in annotations[name]]
    reductions = [
        {
            "name": f"{one.name.upper()}_2",
            "dimensions": 2,
            "info": dict(one.settings),
            "data": one.points,
        }
        for one in projections
    ]
    processor = processors.BaseProcessor({}, {})
    content = processor.create_output(annotations, reductions, table["id"].tolist())
    processor.save_output(content, path)
