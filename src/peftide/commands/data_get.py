"""`peftide data get`: the name of a public benchmark in; its tables and sequences out."""

import logging
import re
import time
from pathlib import Path

import pandas as pd

from peftide.config import DataConfig, as_mapping
from peftide.databases.benchmarks import BENCHMARKS, FASTA, Benchmark, Tables, checked_tables
from peftide.databases.downloads import download
from peftide.environment import environment
from peftide.errors import HubError, InputError, did_you_mean
from peftide.evaluation.tables import write_table
from peftide.files import file_hash, remove, write_json, write_text
from peftide.outputs import making_folder, read_record
from peftide.progress import meter
from peftide.quantities import BYTES_PER_KB, BYTES_PER_MB, byte_size, duration
from peftide.run_folder import RunFolder
from peftide.work_folder import RECORD

logger = logging.getLogger(__name__)

DATA = "data"
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
KEPT = "progress.json"
"""Its presence in the store of a work folder keeps the store after an error."""


def find_benchmark(name: str | None) -> Benchmark:
    """Return the benchmark of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in BENCHMARKS:
        received = "is missing" if name is None else f"received {name!r}"
        raise InputError(f"NAME {received}", fix=did_you_mean(name or "", BENCHMARKS))
    return BENCHMARKS[name]


def check_mirror(mirror: str | None) -> None:
    """Raise if the address of a mirror is none of HTTP.

    Raises
    ------
    InputError
        With the address.
    """
    if mirror is not None and not ADDRESS.fullmatch(mirror):
        raise InputError(
            f"received {mirror!r}",
            expected="an address that begins with http:// or https://",
            where="--mirror",
        )


def get_benchmark(config: DataConfig) -> dict[str, pd.DataFrame]:
    """Download the files of a benchmark, check them, and write its tables and sequences.

    Returns
    -------
    Name of each written table → its content.

    Raises
    ------
    InputError
        If the benchmark is unknown, or the output exists.
    HubError
        If a file cannot be downloaded, or has other content than expected.
    """
    benchmark = find_benchmark(config.name)
    check_mirror(config.mirror)
    with making_folder(config.out, command=DATA, overwrite=config.overwrite) as work:
        raw = work.store / f"{config.name}-{benchmark.commit[:12]}"
        urls = {path: benchmark.url(path, config.mirror) for path in benchmark.paths}
        download_all(benchmark, urls, raw)
        try:
            tables = checked_tables(benchmark, {path: read(raw / path) for path in urls})
        except (HubError, InputError):
            remove(raw)
            raise
        folder = RunFolder(work.new)
        written = write_tables(tables, folder.path)
        record = environment(0, command=DATA) | {"status": "finished"}
        record |= {"data": {path: file_hash(raw / path) for path in urls}}
        record |= {"files": {name: len(table) for name, table in written.items()}}
        record |= {"urls": list(urls.values()), "commit": benchmark.commit}
        record |= {"licence": benchmark.licence, "options": as_mapping(config)}
        write_json(folder.record, record)
        work.put(earlier_files(config.out))
    return written


def download_all(benchmark: Benchmark, urls: dict[str, str], raw: Path) -> None:
    """Download the files that an earlier call has not downloaded.

    Raises
    ------
    HubError
        If one cannot be downloaded; those before it are kept.
    """
    missing = {path: url for path, url in urls.items() if not (raw / path).is_file()}
    if len(missing) < len(urls):
        logger.info("%d of %d files are here already", len(urls) - len(missing), len(urls))
    started, received = time.monotonic(), 0

    def advance(count: int) -> None:
        nonlocal received
        received += count
        progress.advance(count / BYTES_PER_KB)

    with meter("download", total=benchmark.size_bytes / BYTES_PER_KB, unit="kB") as progress:
        here = sum((raw / path).stat().st_size for path in urls.keys() - missing)
        progress.begin_at(here / BYTES_PER_KB)
        for path, url in missing.items():
            download(url, raw / path, advance)
            write_json(raw / KEPT, {"complete": True})
    seconds = time.monotonic() - started
    logger.info(
        "received %s in %s (%.1f MB/s)",
        byte_size(received),
        duration(seconds),
        received / BYTES_PER_MB / max(seconds, 1e-3),
    )


def read(path: Path) -> str:
    """Return the text of a downloaded file; bytes that are no text become visible marks."""
    return path.read_text(encoding="utf-8", errors="replace")


def write_tables(tables: Tables, folder: Path) -> dict[str, pd.DataFrame]:
    """Write all files of a benchmark, and return their content."""
    written = {}
    for name, rows in tables.items():
        if name.endswith(FASTA):
            written[name] = pd.DataFrame(rows, columns=["id", "sequence"])
            write_text(folder / name, "".join(f">{one}\n{text}\n" for one, text in rows))
        else:
            written[name] = pd.DataFrame(rows[1:], columns=list(rows[0]))
            write_table(written[name], folder / name)
    return written


def earlier_files(out: Path) -> set[str]:
    """Return the files that `peftide data` wrote into a folder before."""
    return {"table.tsv", "ids.txt", RECORD, *read_record(out / RECORD).get("files", {})}
