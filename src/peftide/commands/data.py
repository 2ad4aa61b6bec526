"""`peftide data`: an export of a database, or the name of a benchmark, in; tables out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from peftide.commands.data_get import DATA, earlier_files, get_benchmark
from peftide.config import DataConfig, as_mapping
from peftide.config.unread import NOTHING, Choice, Names, choice_of, unread_problems
from peftide.databases import PAIR_SOURCES, Counts
from peftide.databases.assemblies import structure_files, symmetry_table
from peftide.databases.pairs import merge_pairs
from peftide.environment import environment
from peftide.errors import InputError, raise_problems
from peftide.evaluation.tables import write_table
from peftide.files import file_hash, write_json, write_text
from peftide.on_demand import require_library
from peftide.outputs import making_folder
from peftide.run_folder import RunFolder

TABLE, IDS = "table.tsv", "ids.txt"
READS: dict[str, Names] = {
    "string": frozenset({"input", "taxon", "min_score", "channel", "self_pairs"}),
    "biogrid": frozenset({"input", "taxon", "evidence", "self_pairs"}),
    "mitab": frozenset({"input", "taxon", "min_score", "evidence", "isoforms", "self_pairs"}),
    "mmcif": frozenset({"input"}),
    "get": frozenset({"mirror"}),
}
"""Source → the options that only some readers use, and this one does."""


@dataclass(frozen=True)
class DataResult:
    """The written files.

    Attributes
    ----------
    path
        The table; of a benchmark, its first one.
    table
        Its content.
    left_out
        Reason → number of records (for mmCIF: files) that were left out.
    files
        All tables and FASTA files.
    """

    path: Path
    table: pd.DataFrame = field(repr=False)
    left_out: dict[str, int]
    files: tuple[Path, ...]


def data(config: DataConfig, *, given: Names = NOTHING) -> DataResult:
    """Write the pairs or homo-oligomers of an export as a table, or get a public benchmark.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If a file has another form, nothing is left, or the output exists.
    HubError
        If a benchmark cannot be downloaded, or has other content than expected.
    """
    raise_problems([*unread_problems(config, choices(config), given=given), *_problems(config)])
    if config.source == "get":
        written = get_benchmark(config)
        first, table = next(iter(written.items()))
        return DataResult(config.out / first, table, {}, tuple(config.out / n for n in written))
    if config.source == "mmcif":
        require_library("gemmi", extra="structures")
    inputs = list(config.input)
    with making_folder(config.out, command=DATA, overwrite=config.overwrite, inputs=inputs) as work:
        counts = Counts()
        table = read_table(config, inputs, counts)
        if table.empty:
            raise InputError(
                "no row is left; "
                + "; ".join(f"{n:,} left out: {why}" for why, n in counts.items()),
                where=", ".join(map(str, config.input)),
            )
        folder = RunFolder(work.new)
        write_table(table, folder.path / TABLE)
        if config.source != "mmcif":
            names = sorted({*table["id_a"], *table["id_b"]})
            write_text(folder.path / IDS, "".join(f"{name}\n" for name in names))
        left_out = dict(counts.most_common())
        hashes = {path.name: file_hash(path) for path in inputs if path.is_file()}
        record = environment(0, command=DATA) | {"status": "finished", "data": hashes}
        record |= {"rows": len(table), "left_out": left_out, "options": as_mapping(config)}
        write_json(folder.record, record)
        work.put(earlier_files(config.out))
    return DataResult(config.out / TABLE, table, left_out, (config.out / TABLE,))


def _problems(config: DataConfig) -> Iterator[str]:
    """Yield one problem if the source lacks its input, or has another one's."""
    if config.source == "get":
        return
    if not config.input:
        yield "--input is missing: file of the export; for mmcif also a folder"
    if config.name is not None:
        yield f"received {config.name!r} behind {config.source}; name files with --input"


def read_table(config: DataConfig, inputs: list[Path], counts: Counts) -> pd.DataFrame:
    """Return the rows of all files, and count what was left out."""
    if config.source == "mmcif":
        return symmetry_table(structure_files(inputs), counts)
    reader = PAIR_SOURCES[config.source]
    records = (record for path in inputs for record in reader(path, config, counts))
    table = merge_pairs(records, counts, keep_self=config.self_pairs == "keep")
    scored = table["score"].notna().to_numpy().any()
    return table if scored else table.drop(columns="score")


def choices(config: DataConfig) -> Iterator[Choice]:
    """Yield the choice that decides whether options are read."""
    yield choice_of(f"the source {config.source}", READS, config.source)
