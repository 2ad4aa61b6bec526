"""Rates of an embedding into a folder, and their meaning for a billion sequences.

    python benchmarks/scale.py --proteins FILE.fasta [--sequences 100000] [--forecast FILE]

Random peptides are embedded twice: a tenth of them, and all. The forecast from the tenth stands
beside the measurement of all. Real proteins give the rate of encoding, random vectors that of a
screen with both pair heads. The second table multiplies these rates. All times are CPU seconds of
one thread, which other work on the machine changes little.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recording import add_record_option, write_record

from peftide.commands.embed import embed
from peftide.config import EmbedConfig
from peftide.heads import build_heads
from peftide.pairing import OrderFree, SideBySide
from peftide.predictor.shard_encoder import ShardMaker
from peftide.process import prepare_process
from peftide.quantities import byte_size, duration
from peftide.scaling import Scaling
from peftide.screening.pair_head import pair_scorer
from peftide.screening.progress import ScreenFolder
from peftide.screening.screen import Pairs, Wanted, screen
from peftide.sequences import read_fasta
from peftide.shards.folder import ShardFolder, open_folder
from peftide.shards.sorting import sort_sequences

LENGTHS = (20, 41)
SHARD_SIZE = WARM_UP = 1_000
SCREENED = {"mlp": 3_000, "dot": 12_000}
"""Head → proteins whose pairs are screened to measure its rate."""
WIDTH = 320
MEAN_LENGTH = 350
"""Residues of a protein in UniProtKB."""
BILLION, TRILLION = 10**9, 10**12
PROTEINS_OF_PAIRS = 10**6
"""Baits, and as many partners: a trillion pairs."""


@dataclass(frozen=True)
class Costs:
    """CPU seconds and bytes of an embedding of some sequences."""

    sequences: int
    residues: int
    shards: int
    sorting: float
    encoding: float
    opening: float
    stored: int
    sorted_text: int
    memory: int

    def forecast(self, sequences: int, residues: int) -> "Costs":
        """Return the costs of other sequences, in shards of the same size."""
        times, longer = sequences / self.sequences, residues / self.residues
        return replace(
            self,
            sequences=sequences,
            residues=residues,
            sorting=self.sorting * times,
            encoding=self.encoding * longer,
            shards=round(self.shards * times),
            opening=self.opening * times,
            stored=round(self.stored * times),
            sorted_text=round(self.sorted_text * times),
        )


@dataclass(frozen=True)
class Rates:
    """Encoded residues, sorted proteins, and pairs with either head, per CPU second."""

    residues: float
    sorted: float
    mlp: float
    dot: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sequences", type=int, default=100_000, help="of the larger simulation")
    parser.add_argument("--proteins", type=Path, help="FASTA file for the rate of encoding")
    parser.add_argument("--forecast", type=Path, metavar="FILE", help="write the second table")
    parser.add_argument("--core-hour", type=float, default=0.04, help="price of a core, in dollars")
    parser.add_argument("--tb-month", type=float, default=23.0, help="price of 1 TB, in dollars")
    add_record_option(parser)
    options = parser.parse_args()
    prepare_process()
    torch.set_num_threads(1)
    sizes = (options.sequences // 10, options.sequences)
    with tempfile.TemporaryDirectory() as name:
        measured(Path(name), WARM_UP)
        few, many = (measured(Path(name), count) for count in sizes)
    checked(few, many, options.record)
    residues, sorting = protein_rates(options.proteins)
    pairs = {head: pair_rate(head) for head in ("mlp", "dot")}
    predicted(many, Rates(residues, sorting, pairs["mlp"], pairs["dot"]), options)


def measured(folder: Path, count: int) -> Costs:
    """Return the costs of an embedding of random peptides."""
    fasta = folder / f"{count}.fasta"
    residues = write_peptides(fasta, count)
    shards = count // SHARD_SIZE
    out = folder / f"{count}"
    config = EmbedConfig(
        sequences=fasta, out=out, shard_size=SHARD_SIZE, threads=1, device="cpu", precision="fp32"
    )
    whole = seconds(lambda: embed(config))
    memory = peak_memory(fasta, folder / f"{count}-tiny")
    sorting = seconds(lambda: sort_sequences(fasta, folder / "again", size=SHARD_SIZE, most=None))
    opened: list[ShardFolder] = []
    opening = seconds(lambda: opened.append(open_folder(out)) or opened[0].missing(range(shards)))
    loading = seconds(lambda: ShardMaker(config, out).describe())
    text = sum(path.stat().st_size for path in (folder / "again").iterdir())
    stored = sum(path.stat().st_size for path in out.iterdir())
    assert len(opened[0]) == count
    assert opened[0].missing(range(shards)) == []
    encoding = whole - sorting - loading - 4 * opening
    return Costs(count, residues, shards, sorting, encoding, opening, stored, text, memory)


def peak_memory(fasta: Path, out: Path) -> int:
    """Return the peak memory of a process that embeds a file with a tiny backbone, in bytes."""
    words = f"embed --sequences {fasta} --out {out} --shard-size {SHARD_SIZE} --threads 1"
    words += " --backbone random:esm2_tiny --device cpu --precision fp32"
    process = subprocess.Popen(
        [sys.executable, "-m", "peftide", *words.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while process.poll() is None:
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            peak = peak if found is None else max(peak, int(found[1]) * 1024)
        time.sleep(0.02)
    assert process.returncode == 0
    return peak


def write_peptides(path: Path, count: int) -> int:
    """Write random peptides; return the number of their residues."""
    generator = np.random.default_rng(count)
    lengths = generator.integers(*LENGTHS, size=count)
    letters = np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", dtype=np.uint8)
    with path.open("w", encoding="utf-8") as stream:
        for number, length in enumerate(lengths.tolist()):
            text = generator.choice(letters, length).tobytes().decode()
            stream.write(f">p{number:09d}\n{text}\n")
    return int(lengths.sum())


def seconds(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def checked(few: Costs, many: Costs, record: Path | None) -> None:
    """Print the costs of both simulations beside the forecast from the smaller one."""
    forecast = few.forecast(many.sequences, many.residues)
    rows: list[list[object]] = []
    names = {"sorting": "Sort", "encoding": "Encode and write", "opening": "Open and check shards"}
    for name, label in names.items():
        values = [getattr(costs, name) for costs in (few, forecast, many)]
        rows.append([label, *(f"{value:.2f} s" for value in values), ratio(*values[1:])])
    for name, label in {"stored": "Shards on disk", "sorted_text": "Sorted sequences"}.items():
        values = [getattr(costs, name) for costs in (few, forecast, many)]
        rows.append([label, *map(byte_size, values), ratio(*values[1:])])
    memory = [few.memory, few.memory, many.memory]
    rows.append(
        [
            "Peak memory of a process (`random:esm2_tiny`)",
            *map(byte_size, memory),
            ratio(*memory[1:]),
        ]
    )
    columns = ["Cost", f"{few.sequences:,} peptides", f"Forecast for {many.sequences:,}"]
    columns += [f"{many.sequences:,} peptides", "Measured / forecast"]
    show(columns, rows)
    write_record(record, columns, rows)


def ratio(forecast: float, measured: float) -> str:
    return f"{measured / forecast:.2f}" if forecast else ""


def protein_rates(path: Path | None) -> tuple[float, float]:
    """Return residues that `mini` encodes, and proteins that are sorted, per CPU second."""
    if path is None:
        raise SystemExit("--proteins FILE.fasta is needed for the rate of encoding")
    proteins, _ = read_fasta(path)
    some = dict(list(zip(proteins.ids, proteins.sequences, strict=True))[::20])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "".join(f">{identifier}\n{sequence}\n" for identifier, sequence in some.items())
        (folder / "p.fasta").write_text(text)
        config = EmbedConfig(sequences=folder / "p.fasta", out=folder / "out", threads=1)
        loading = seconds(lambda: ShardMaker(config, folder).describe())
        spent = seconds(lambda: embed(config)) - loading
        sorting = seconds(lambda: sort_sequences(path, folder / "all", size=20_000, most=None))
    encoded = sum(min(len(sequence), 1022) for sequence in some.values())
    return encoded / spent, len(proteins) / sorting


def pair_rate(name: str) -> float:
    """Return pairs per CPU second of a whole screen that keeps ten partners of each protein."""
    count = SCREENED[name]
    rows = torch.randn(count, WIDTH)
    scaling = Scaling(WIDTH)
    scaling.fit(rows[:1000])
    features = (3 if name == "mlp" else 2) * WIDTH
    head = build_heads(1, name, features=features, outputs=1, width=256, dropout=0.1).eval()
    pairing = OrderFree() if name == "mlp" else SideBySide()
    places = np.arange(count)
    pairs = Pairs(places, places, is_square=True)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        scorer = pair_scorer(rows, scaling=scaling, pairing=pairing, head=head)
        state = ScreenFolder(Path(folder) / "screen")
        spent = seconds(lambda: list(screen(scorer, pairs, Wanted(10), folder=state, key="k")))
    return pairs.count() / spent


def predicted(costs: Costs, rates: "Rates", options: argparse.Namespace) -> None:
    """Print time, disk and money of a billion sequences and a trillion pairs."""
    per_row = costs.stored / costs.sequences
    extra = BILLION * (MEAN_LENGTH - sum(LENGTHS) / 2)  # text of real proteins is longer
    text = costs.sorted_text / costs.sequences * BILLION + extra
    shards = 4_096
    stored = per_row * BILLION
    works = {
        "Sort 10⁹ sequences (one process)": BILLION / rates.sorted,
        "Encode 10⁹ sequences": BILLION * MEAN_LENGTH / rates.residues,
        f"Open and check {shards:,} shards": costs.opening / costs.shards * shards,
        "Score 10¹² pairs, head dot": TRILLION / rates.dot,
        "Score 10¹² pairs, head mlp": TRILLION / rates.mlp,
        "Rank by dot, score 100 of 10⁶ by mlp": TRILLION / rates.dot
        + 100 * PROTEINS_OF_PAIRS / rates.mlp,
    }
    rows = [
        [label, f"{spent / 3600:,.1f}", time_on(spent, 1000), dollars(spent, options.core_hour)]
        for label, spent in works.items()
    ]
    rows[0][2] = duration(works["Sort 10⁹ sequences (one process)"])
    columns = ["Work", "Core hours", "On 1,000 cores", "Price of the cores"]
    show(columns, rows)
    month, each = stored / 1e12 * options.tb_month, byte_size(stored / shards)
    notes = [
        f"Measured on one core: {rates.sorted:,.0f} sorted proteins/s, {rates.residues:,.0f} "
        f"encoded residues/s, {rates.mlp / 1e6:.2f} million pairs/s with the head mlp and "
        f"{rates.dot / 1e6:.0f} million with the head dot.",
        f"Assumed: {MEAN_LENGTH} residues in a protein, ${options.core_hour} for an hour of a "
        f"core, ${options.tb_month:.0f} for 1 TB and a month.",
        f"Disk: {stored / 1e12:.2f} TB of shards ({shards:,} files of {each}, ${month:,.0f} a "
        f"month), and {text / 1e12:.2f} TB of sorted sequences until the folder is finished.",
        f"A screen holds its vectors in memory: {byte_size(PROTEINS_OF_PAIRS * WIDTH * 4)} for "
        f"10⁶ proteins, {BILLION * WIDTH * 4 / 1e12:.2f} TB for 10⁹.",
    ]
    print("\n".join(notes))
    write_record(options.forecast, columns, rows, notes=notes)


def time_on(spent: float, cores: int) -> str:
    return duration(spent / cores)


def dollars(spent: float, price: float) -> str:
    return f"${spent / 3600 * price:,.2f}"


def show(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    for row in [columns, *rows]:
        print("  ".join(str(cell).ljust(32) for cell in row))


if __name__ == "__main__":
    main()
