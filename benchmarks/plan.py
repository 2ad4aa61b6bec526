"""What `peftide plan` forecasts beside what `peftide train` then needs, as a table.

    python benchmarks/plan.py --out RUNS
    python benchmarks/plan.py --out RUNS --settings gb1_full_mini yeast_lora_8M

Each setting is planned and trained back to back, by the command line. Time is CPU seconds of the
whole command, for other work on the machine changes those least; memory is the highest of the
process without the files it has mapped, looked at every 10 ms. Needs PEFTIDE_DATA
(docs/results/data.md) and Linux. Settings that are finished in --out are read, not repeated.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from recording import add_record_option, write_record


@dataclass(frozen=True)
class Data:
    """Where a task's rows are, and how they are read."""

    file: str
    split: str
    options: tuple[str, ...]


DATA = {
    "gb1": Data(
        "tasks/gb1/data.tsv.xz",
        "three_vs_rest",
        ("--task=regression", "--label-column=target", "--max-length=56", "--batch-size=32"),
    ),
    "gb1auto": Data(
        "tasks/gb1/data.tsv.xz",
        "three_vs_rest",
        ("--task=regression", "--label-column=target", "--max-length=56", "--batch-size=32")
        + ("--layer=auto",),
    ),
    "stability": Data(
        "tasks/stability/data.tsv.xz",
        "split",
        ("--task=regression", "--label-column=target", "--batch-size=32"),
    ),
    "structure": Data(
        "tasks/secondary_structure/data.tsv.xz",
        "split",
        ("--task=residue", "--max-length=256", "--batch-size=16"),
    ),
    "yeast": Data("ppi_yeast/du_0_to_1.tsv", "split", ("--task=ppi", "--max-length=400")),
}
BACKBONES = {"mini": "mini", "8M": "random:esm2_t6_8M", "unirep": "unirep"}
# rows of train, validation and test; epochs
SETTINGS = {
    "gb1_head_mini": (1500, 299, 1500, 20),
    "gb1_head_8M": (1500, 299, 1500, 20),
    "gb1_lora_mini": (900, 200, 500, 4),
    "gb1_lora_8M": (900, 200, 500, 4),
    "gb1_full_mini": (800, 200, 300, 6),
    "gb1_full_8M": (400, 100, 200, 3),
    "gb1_head_unirep": (300, 60, 200, 10),
    "gb1_lora_unirep": (150, 30, 60, 2),
    "yeast_lora_unirep": (300, 100, 100, 1),
    "yeast_full_unirep": (300, 100, 100, 1),
    "gb1auto_head_mini": (900, 200, 500, 10),
    "gb1auto_lora_8M": (300, 100, 200, 2),
    "stability_ia3_mini": (900, 150, 200, 5),
    "stability_last_k_8M": (800, 200, 300, 4),
    "structure_head_8M": (350, 50, 100, 6),
    "structure_lora_mini": (100, 25, 30, 4),
    "yeast_head_mini": (3000, 600, 1000, 20),
    "yeast_lora_mini": (300, 60, 80, 3),
    "yeast_full_8M": (150, 40, 60, 1),
}
PARTS = ("train", "validation", "test")


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    print(f"{'':<21} {'CPU seconds':^24} {'memory, MB':^24} {'plan took':>10}")
    print(f"{'setting':<21}" + f" {'plan':>7} {'run':>7} {'':>8}" * 2)
    for name in options.settings:
        found = measured(name, options)
        rows.append([name, *cells(found)])
        print(line(name, found), flush=True)
    columns = ["Setting", "CPU s: plan", "Run", "Error", "Peak memory, MB: plan", "Run", "Error"]
    write_record(options.record, columns, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Plan and train one setting; a finished one is read."""
    record = options.out / f"{name}.json"
    if record.is_file():
        return json.loads(record.read_text())
    command = command_of(name, options)
    plan = run(["plan", *command, "--json"])
    ran = run(["train", *command, "--overwrite"])
    found = {"plan": json.loads(plan.pop("output")), "planning": plan, "run": ran}
    record.write_text(json.dumps(found, indent=2))
    return found


def command_of(name: str, options: argparse.Namespace) -> list[str]:
    task, _, rest = name.partition("_")
    method, _, backbone = rest.rpartition("_")
    data, epochs = DATA[task], SETTINGS[name][-1]
    table = write_rows(name, data, options.out)
    fasta = Path(os.environ["PEFTIDE_DATA"]) / "ppi_yeast" / "sequences.fasta"
    return [
        *data.options,
        f"--data={table}",
        f"--method={method}",
        f"--backbone={BACKBONES[backbone]}",
        f"--epochs={epochs}",
        f"--patience={epochs}",  # so that all epochs are run: they are what a plan is for
        f"--threads={options.threads}",
        f"--out={options.out / name}",
        *([f"--sequences={fasta}"] if task == "yeast" else []),
    ]


def write_rows(name: str, data: Data, out: Path) -> Path:
    """Write the rows of a setting, drawn with a fixed seed."""
    rows = pd.read_csv(Path(os.environ["PEFTIDE_DATA"]) / data.file, sep="\t", dtype=str)
    split = rows.pop(data.split).replace({"valid": "validation"})
    if "validation" not in set(split):
        split = split.mask((split == "train") & (rows.index % 8 == 0), "validation")
    parts = [
        rows[split == part].sample(count, random_state=0).assign(split=part)
        for part, count in zip(PARTS, SETTINGS[name], strict=False)
    ]
    path = out / f"{name}.tsv"
    pd.concat(parts).to_csv(path, sep="\t", index=False)
    return path


def run(words: list[str]) -> dict[str, Any]:
    """Run a command; return CPU seconds, seconds, peak memory and what it printed."""
    extra = ["--shared-proteins=allow"] if "--task=ppi" in words else []
    started = time.monotonic()
    with (
        open(os.devnull, "w") as silent,
        subprocess.Popen(
            [sys.executable, "-m", "peftide", *words, *extra],
            stdout=subprocess.PIPE,
            stderr=silent,
            text=True,
        ) as process,
    ):
        peak = watched(process)
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        raise SystemExit(f"peftide {' '.join(words)} ended with {status}")
    cpu, seconds = usage.ru_utime + usage.ru_stime, time.monotonic() - started
    return {"cpu_seconds": cpu, "seconds": seconds, "peak_bytes": peak, "output": output}


def watched(process: subprocess.Popen[str]) -> int:
    """Return the most memory that a process held until it ended."""
    peak, status = 0, Path(f"/proc/{process.pid}/status")
    while "RssAnon:" in (text := status.read_text()):
        peak = max(peak, int(text.split("RssAnon:")[1].split()[0]) * 1024)
        time.sleep(0.01)
    return peak


def cells(found: dict[str, Any]) -> list[str]:
    """Return CPU seconds and memory, each as forecast, as measured, and the error."""
    plan, ran = found["plan"], found["run"]
    pairs = [
        (plan["cpu_seconds"]["total"], ran["cpu_seconds"]),
        (plan["memory"]["peak"] / 1e6, ran["peak_bytes"] / 1e6),
    ]
    return [
        c for said, was in pairs for c in (f"{said:.0f}", f"{was:.0f}", f"{said / was - 1:+.0%}")
    ]


def line(name: str, found: dict[str, Any]) -> str:
    shown = "".join(f" {cell:>{w}}" for cell, w in zip(cells(found), (7, 7, 8) * 2, strict=True))
    return f"{name:<21}{shown} {found['planning']['seconds']:>8.0f} s"


if __name__ == "__main__":
    main()
