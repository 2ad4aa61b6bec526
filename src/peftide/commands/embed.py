"""`peftide embed`: sequences in; one vector per sequence (or residue), and a map, out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from peftide.backbones.names import check_backbone
from peftide.bundle_record import model_folder, read_bundle_record
from peftide.commands.embed_folder import embed_folder, folder_choices, is_folder
from peftide.commands.embed_map import (
    check_map,
    input_files,
    making_map,
    map_choices,
    read_annotated,
    write_map,
)
from peftide.config import EmbedConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Choice, Names, unread_problems
from peftide.errors import InputError, did_you_mean, raise_problems
from peftide.files import storage_errors
from peftide.on_demand import require_library
from peftide.outputs import making_file
from peftide.quantities import byte_size
from peftide.types import FloatArray

RESERVED_ID = "__metadata__"
SAFETENSORS_HEADER_BYTES = 100_000_000
"""The library reads no file with a longer header."""
TENSOR_ENTRY_BYTES = 100
"""Size of a tensor's entry in the header, without its id."""
WRITTEN_BY, COMMAND = "written_by", "peftide embed"
"""Note in each file, by which a later call recognises it as its own output."""


def embed(config: EmbedConfig, *, given: Names = NOTHING) -> Mapping[str, FloatArray]:
    """Embed every sequence once and write the vectors; draw a map if `map` is given.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Returns
    -------
    Id → vector (D,), or with `per_residue` id → matrix (L, D). With `--layers all`, the layers are
    an axis before the last. Of a folder of shards, the mapping reads the files when it is used.

    Raises
    ------
    InputError
        If the sequences, the table, the backbone or the output format is wrong.
    """
    writer = None if is_folder(config.out) else find_writer(config)
    raise_problems(unread_problems(config, choices(config), given=given))
    if config.sequences is None and config.data is None:
        raise InputError("no sequences", expected="--sequences FILE.fasta")
    check_device(config.device)
    check_backbone(config.backbone)
    if config.run is not None:
        read_bundle_record(model_folder(config.run))
    if writer is None:
        return embed_folder(config)
    check_map(config)
    with (
        making_file(
            config.out,
            command="embed",
            overwrite=config.overwrite,
            inputs=input_files(config),
            is_ours=is_embedding_file,
        ) as work,
        making_map(config) as map_work,
    ):
        known = read_annotated(config)
        check_ids(known.proteins.ids, config.out)
        # torch and all that stands on it: a refusal above should not wait for them
        from peftide.predictor.embedding import embed_proteins

        vectors = embed_proteins(config, known.proteins, findings=known.findings, store=work.store)
        with storage_errors(config.out):
            writer(vectors, work.new / work.out.name)
        work.put()
        if map_work is not None:
            write_map(config, known, vectors, work=map_work)
    return vectors


def choices(config: EmbedConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    if config.run is not None:
        yield Choice("an embedding with --run", frozenset({"max_length", "offline", "layer"}))
    if config.layers == "all":
        yield Choice("--layers all", frozenset({"layer"}))
    if config.per_residue:
        yield Choice("--per-residue", frozenset({"pooling"}))
    yield from folder_choices(config)
    if not is_folder(config.out):
        yield from map_choices(config)


def find_writer(config: EmbedConfig) -> Callable[[Mapping[str, FloatArray], Path], None]:
    """Return the writer for the ending of the output file.

    Raises
    ------
    InputError
        If the ending is unknown, or the format's library is not installed.
    """
    writers = {".safetensors": write_safetensors, ".h5": write_h5, ".parquet": write_parquet}
    ending = config.out.suffix
    if ending not in writers:
        known = did_you_mean(ending, writers)
        raise InputError(
            f"received {config.out.name}",
            where="--out",
            fix=f"{known}; a name without ending is a folder of shards",
        )
    if ending == ".parquet" and config.per_residue:
        raise InputError(
            "--per-residue cannot write .parquet", expected=".safetensors or .h5", where="--out"
        )
    if ending == ".parquet" and config.layers == "all":
        raise InputError(
            "--layers all cannot write .parquet", expected=".safetensors or .h5", where="--out"
        )
    for library in {".h5": ["h5py"], ".parquet": ["pyarrow"]}.get(ending, []):
        require_library(library, extra="formats", where="--out")
    return writers[ending]


def check_ids(ids: Sequence[str], out: Path) -> None:
    """Refuse ids that the output format cannot hold, before anything is computed.

    Raises
    ------
    InputError
        If the format is .safetensors, and an id is reserved or all ids are too long together.
    """
    if out.suffix != ".safetensors":
        return
    if RESERVED_ID in ids:
        raise InputError(
            f"a sequence has the id {RESERVED_ID}, which .safetensors reserves",
            expected=".h5 or .parquet, or another id",
            where="--out",
        )
    header = sum(len(json.dumps(name)) + TENSOR_ENTRY_BYTES for name in ids)
    if header > SAFETENSORS_HEADER_BYTES:
        raise InputError(
            f"{len(ids):,} ids fill more than the {byte_size(SAFETENSORS_HEADER_BYTES)} that "
            ".safetensors has for names",
            expected=".h5 or .parquet",
            where="--out",
        )


def write_safetensors(vectors: Mapping[str, FloatArray], path: Path) -> None:
    """Write one tensor per id."""
    arrays = {name: np.ascontiguousarray(vector) for name, vector in vectors.items()}
    save_file(arrays, path, metadata={WRITTEN_BY: COMMAND})


def write_h5(vectors: Mapping[str, FloatArray], path: Path) -> None:
    """Write one data set per id, under the key `h5_key(id)`."""
    h5py = require_library("h5py", extra="formats")
    with path.open("w+b") as stream:
        steady = _SteadyFile(stream)
        with h5py.File(steady, "w") as file:
            file.attrs[WRITTEN_BY] = COMMAND
            for name in takewhile(lambda _: steady.error is None, vectors):
                file.create_dataset(h5_key(name), data=vectors[name])
    if steady.error is not None:
        raise steady.error


class _SteadyFile:
    """A file for HDF5 that notes the first failed write instead of reporting it.

    HDF5 ends the process when it cannot write a file that it is about to close.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.error: OSError | None = None

    def write(self, content: Any) -> int:
        """Write, and claim success."""
        try:
            self.stream.write(content)
            self.stream.flush()
        except OSError as error:
            self.error = self.error or error
        return len(memoryview(content))

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file, and claim success."""
        try:
            return self.stream.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def flush(self) -> None:
        """Do nothing: every write is flushed."""

    def readinto(self, content: Any) -> int:
        """Read, and claim a whole read of a file that could not be written whole."""
        read = self.stream.readinto(content)  # type: ignore[attr-defined]
        return len(memoryview(content)) if self.error else read

    def read(self, size: int = -1) -> bytes:
        """Read."""
        return self.stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self.stream.tell()


def h5_key(identifier: str) -> str:
    """Return the key of an id in an .h5 file; `urllib.parse.unquote` returns the id.

    HDF5 reads `/` as a path, `.` as the current group, and a name only up to a NUL.

    Examples
    --------
    >>> h5_key("P69905"), h5_key("chain/A/1"), h5_key("100%"), h5_key("..")
    ('P69905', 'chain%2FA%2F1', '100%25', '%2E%2E')
    """
    if not identifier.strip("."):
        return identifier.replace(".", "%2E")
    return identifier.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")


def write_parquet(vectors: Mapping[str, FloatArray], path: Path) -> None:
    """Write a table with the columns `id`, `d0`, `d1` and so on."""
    import pandas as pd

    matrix = np.stack(list(vectors.values()))
    table = pd.DataFrame(matrix, columns=[f"d{number}" for number in range(matrix.shape[1])])
    table.insert(0, "id", list(vectors))
    table.attrs = {WRITTEN_BY: COMMAND}
    table.to_parquet(path, index=False)


def is_embedding_file(path: Path) -> bool:
    """Return whether a file is an embedding that peftide wrote."""
    readers = {".safetensors": _safetensors_note, ".h5": _h5_note, ".parquet": _parquet_note}
    try:
        return readers[path.suffix](path).get(WRITTEN_BY) == COMMAND
    except (OSError, ValueError, SafetensorError):  # another format under this ending
        return False


def _safetensors_note(path: Path) -> Mapping[str, Any]:
    with safe_open(path, framework="numpy") as file:
        return file.metadata() or {}


def _h5_note(path: Path) -> Mapping[str, Any]:
    with require_library("h5py", extra="formats").File(path) as file:
        return dict(file.attrs)


def _parquet_note(path: Path) -> Mapping[str, Any]:
    require_library("pyarrow", extra="formats")
    from pyarrow.parquet import read_schema

    return json.loads((read_schema(path).metadata or {}).get(b"PANDAS_ATTRS", b"{}"))
