"""Peak memory of `peftide train` with small to large architectures, and the machine that has it.

    python benchmarks/train_memory.py --out RUNS --measured random:esm2_t33_650M \\
        --computed random:esm2_t36_3B

Measured backbones train for one epoch on pairs of short human proteins and one protein of more than
1,022 residues, by the command line. Memory is the resident memory of the process (`VmHWM`, with the
libraries that it has mapped), read every 20 ms; the last line of the log before each peak is
printed. Computed ones are the forecast of `peftide plan` for the same command, and the libraries. A
machine fits if a third of its memory stays free. Needs PEFTIDE_DATA (docs/results/data.md) and
Linux. What is finished in --out is read, not repeated.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
from plan import run as run_command
from recording import add_record_option, write_record

from peftide.sequences.fasta import read_fasta

LONGEST = 1022
LIBRARIES = 0.3e9
"""Memory that the libraries map from their files."""
MACHINES = (2, 4, 8, 16, 24, 32, 64, 128)
"""Memory of machines in GB."""
ROOM = 2 / 3
COLUMNS = (
    "Backbone",
    "Method",
    "Precision",
    "Peak memory, GB",
    "How",
    "CPU s",
    "Fits a machine of",
)


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    table, fasta = write_pairs(options)
    rows = []
    for how in ("measured", "computed"):
        for backbone in getattr(options, how):
            row = found(backbone, how, table, fasta, options)
            print(" · ".join(row), flush=True)
            rows.append(row)
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", nargs="*", default=[], metavar="BACKBONE")
    parser.add_argument("--computed", nargs="*", default=[], metavar="BACKBONE")
    parser.add_argument("--method", default="lora")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--pairs", type=int, default=41)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="--OPTION=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def write_pairs(options: argparse.Namespace) -> tuple[Path, Path]:
    """Write pairs of the shortest proteins, one of them with the first long protein."""
    folder = Path(os.environ["PEFTIDE_DATA"]) / "ppi_gold"
    proteins, _ = read_fasta(folder / "sequences.fasta")
    lengths = dict(zip(proteins.ids, map(len, proteins.sequences), strict=True))
    frames = []
    for part, count in {"train": options.pairs, "valid": 6, "test": 6}.items():
        pairs = pd.read_csv(folder / f"{part}.tsv", sep="\t")
        longest = pairs[["id_a", "id_b"]].map(lengths.__getitem__).max(axis=1)
        short = pairs.loc[longest.sort_values(kind="stable").index].groupby("label")
        chosen = pd.concat([short.head(-(-count // 2))])[:count]
        if part == "train":
            sizes = pairs[["id_a", "id_b"]].map(lengths.__getitem__)
            long = sizes[(longest > LONGEST) & (sizes.min(axis=1) > 100)].min(axis=1).idxmin()
            chosen = pd.concat([chosen, pairs.loc[[long]]])
        frames.append(chosen.assign(split=part))
    table = options.out / f"pairs_{options.pairs}.tsv"
    pd.concat(frames).to_csv(table, sep="\t", index=False)
    return table, folder / "sequences.fasta"


def found(
    backbone: str, how: str, table: Path, fasta: Path, options: argparse.Namespace
) -> list[str]:
    """Return the row of a backbone; a finished one is read."""
    method, precision = options.method, options.precision
    changed = "".join(f"_{word.strip('-')}" for word in options.set)
    name = f"{Path(backbone).name}_{method}_{precision}_{options.pairs}{changed}".replace(":", "_")
    record = options.out / f"{name}_{how}.json"
    if record.is_file():
        return json.loads(record.read_text())
    words = ["--task=ppi", f"--data={table}", f"--sequences={fasta}", f"--backbone={backbone}"]
    words += [f"--method={method}", "--epochs=1", f"--precision={precision}", "--baselines=none"]
    words += [f"--threads={options.threads}", *options.set, f"--out={options.out / name}"]
    if how == "measured":
        peak, seconds = trained([*words, "--shared-proteins=allow", "--overwrite"])
    else:
        plan = json.loads(run_command(["plan", *words, "--json"])["output"])
        peak, seconds = plan["memory"]["peak"] + LIBRARIES, plan["cpu_seconds"]["total"]
    machine = next(size for size in MACHINES if peak <= ROOM * size * 1e9)
    row = [backbone.removeprefix("random:"), method, precision, f"{peak / 1e9:.2f}", how]
    row += [f"{seconds:.0f}", f"{machine} GB"]
    record.write_text(json.dumps(row))
    return row


def trained(words: list[str]) -> tuple[int, float]:
    """Return the peak memory and the CPU seconds of a training; print the peaks of its phases."""
    lines = ["(start)"]
    with subprocess.Popen(
        [sys.executable, "-m", "peftide", "train", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stderr = process.stderr
        assert stderr is not None
        reader = threading.Thread(target=lambda: lines.extend(each.strip() for each in stderr))
        reader.start()
        peak = 0
        phases: dict[str, int] = {}
        status = Path(f"/proc/{process.pid}/status")
        while "VmHWM:" in (text := status.read_text()):
            peak = max(peak, size_of(text, "VmHWM"))
            line = next(line for line in reversed(lines) if line)[:60]
            phases[line] = max(phases.get(line, 0), size_of(text, "VmRSS"))
            time.sleep(0.02)
        reader.join()
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = code
    if code:
        raise SystemExit("\n".join(lines[-5:]))
    for line, most in phases.items():
        print(f"  {most / 1e9:5.2f} GB  {line}")
    return peak, usage.ru_utime + usage.ru_stime


def size_of(status: str, key: str) -> int:
    """Return a size in /proc/PID/status, in bytes."""
    return int(status.split(f"{key}:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
