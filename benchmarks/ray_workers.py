"""Speed of `peftide embed --ray local` with one and with two workers, on real proteins.

    chrt -r 1 python benchmarks/ray_workers.py --proteins FILE.fasta [--record FILE]

Each worker has one thread, so it is one core against two. Workers start at different times, so the
rate is taken between shards while all workers are at work: the first two shards of each worker and
the last one are left out. On a machine with other work, `chrt -r 1` gives the workers their cores.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from recording import add_record_option, write_record

from peftide.sequences import read_fasta
from peftide.shards.folder import open_folder
from peftide.shards.parquet import read_rows

SHARD_SIZE = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--proteins", type=Path, required=True)
    parser.add_argument("--every", type=int, default=4, help="take every so many-th protein")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    add_record_option(parser)
    options = parser.parse_args()
    proteins, _ = read_fasta(options.proteins)
    some = list(zip(proteins.ids, proteins.sequences, strict=True))[:: options.every]
    rates: list[float] = []
    contents: list[list[bytes]] = []
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        fasta = Path(name) / "p.fasta"
        fasta.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in some))
        for workers in options.workers:
            out = Path(name) / f"{workers}"
            run(fasta, out, workers)
            rates.append(rate(out, workers))
            contents.append([path.read_bytes() for path in sorted(out.glob("*.parquet"))])
            rows.append([workers, f"{rates[-1]:,.0f}", f"{rates[-1] / rates[0]:.2f}"])
    assert all(content == contents[0] for content in contents)
    columns = ["Workers", "Residues per second", "Times one worker"]
    for row in [columns, *rows]:
        print("  ".join(str(cell).ljust(22) for cell in row))
    notes = [f"{len(some):,} proteins in shards of {SHARD_SIZE}; both folders have the same bytes."]
    write_record(options.record, columns, rows, notes=notes)


def run(fasta: Path, out: Path, workers: int) -> None:
    words = f"embed --sequences {fasta} --out {out} --shard-size {SHARD_SIZE} --threads 1"
    words += f" --ray local --workers {workers}"
    subprocess.run([sys.executable, "-m", "peftide", *words.split()], check=True)


def rate(out: Path, workers: int) -> float:
    """Return residues per second while all workers are at work."""
    folder = open_folder(out)
    paths = sorted(out.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    inside = paths[2 * workers : -workers]
    times = [path.stat().st_mtime for path in inside]
    residues = 0
    for path in inside[1:]:
        lengths = read_rows(path, folder.record.form, columns=("length",))
        residues += sum(min(length, 1022) for length, _ in lengths)
    return residues / (times[-1] - times[0])


if __name__ == "__main__":
    main()
