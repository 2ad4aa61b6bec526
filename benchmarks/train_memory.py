"""Peak resident memory of `peftide train --method lora` with large architectures, as a table.

    python benchmarks/train_memory.py --out RUNS
    python benchmarks/train_memory.py --out RUNS --backbones random:esm2_t36_3B --pairs 4

Each backbone trains for one epoch on pairs of short human proteins and one protein of more than
1,022 residues, by the command line. Memory is the resident memory of the process (`VmHWM`, with the
libraries that it has mapped), read every 20 ms, with the last line of the log before the peak. The
numbers of `plan` are its forecast for the same command (without mapped files). Needs PEFTIDE_DATA
(docs/results/data.md) and Linux. Backbones that are finished in --out are read, not repeated.
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
COLUMNS = ("Backbone", "Precision", "Peak resident, GB", "Without mapped files, GB", "Plan, GB")
COLUMNS += ("CPU s", "Peak after the line")


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    table, fasta = write_pairs(options)
    rows = []
    for backbone in options.backbones:
        for precision in options.precisions:
            row = measured(backbone, precision, table, fasta, options)
            print(" · ".join(map(str, row)), flush=True)
            rows.append(row)
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", nargs="+", default=["random:esm2_t33_650M"])
    parser.add_argument("--precisions", nargs="+", default=["bf16"])
    parser.add_argument("--pairs", type=int, default=41)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plan", action="store_true", help="also forecast the memory")
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
            long = pairs[longest > LONGEST].assign(size=longest).nsmallest(1, "size")
            chosen = pd.concat([chosen, long[pairs.columns]])
        frames.append(chosen.assign(split=part))
    table = options.out / f"pairs_{options.pairs}.tsv"
    pd.concat(frames).to_csv(table, sep="\t", index=False)
    return table, folder / "sequences.fasta"


def measured(
    backbone: str, precision: str, table: Path, fasta: Path, options: argparse.Namespace
) -> list[str]:
    """Train once and return a row; a finished one is read."""
    changed = "".join(f"_{word.strip('-')}" for word in options.set)
    name = f"{Path(backbone).name}_{precision}_{options.pairs}{changed}".replace(":", "_")
    record = options.out / f"{name}.json"
    if record.is_file():
        return json.loads(record.read_text())
    words = ["--task=ppi", f"--data={table}", f"--sequences={fasta}", f"--backbone={backbone}"]
    words += ["--method=lora", "--epochs=1", f"--precision={precision}", "--baselines=none"]
    words += [f"--threads={options.threads}", *options.set, f"--out={options.out / name}"]
    planned = json.loads(run_command(["plan", *words, "--json"])["output"]) if options.plan else {}
    peak, anonymous, cpu, line = trained([*words, "--shared-proteins=allow", "--overwrite"])
    forecast = f"{planned['memory']['peak'] / 1e9:.2f}" if planned else ""
    row = [backbone, precision, f"{peak / 1e9:.2f}", f"{anonymous / 1e9:.2f}", forecast]
    row += [f"{cpu:.0f}", line]
    record.write_text(json.dumps(row))
    return row


def trained(words: list[str]) -> tuple[int, int, float, str]:
    """Return peak memory, peak without files, CPU seconds, and the line before the peak."""
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
        peak = anonymous = 0
        phases: dict[str, int] = {}
        status = Path(f"/proc/{process.pid}/status")
        while "VmHWM:" in (text := status.read_text()):
            now = {key: kilobytes(text, key) for key in ("VmRSS", "RssAnon", "VmHWM")}
            anonymous, peak = max(anonymous, now["RssAnon"]), max(peak, now["VmHWM"])
            line = next(line for line in reversed(lines) if line)[:60]
            phases[line] = max(phases.get(line, 0), now["VmRSS"])
            time.sleep(0.02)
        reader.join()
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = code
    if code:
        raise SystemExit("\n".join(lines[-5:]))
    for line, most in phases.items():
        print(f"  {most / 1e9:5.2f} GB  {line}")
    return peak, anonymous, usage.ru_utime + usage.ru_stime, max(phases, key=phases.__getitem__)


def kilobytes(status: str, key: str) -> int:
    """Return a size in /proc/PID/status, in bytes."""
    return int(status.split(f"{key}:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
