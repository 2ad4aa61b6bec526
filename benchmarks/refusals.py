"""CPU time of refusals, beside `import torch`: a refusal that needs no model should cost no more.

    PEFTIDE_DATA=… python benchmarks/refusals.py [--only method backbone]

Each command line is wrong in one way. Prints CPU seconds, exit code and message.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

DATA = Path(os.environ.get("PEFTIDE_DATA", "."))
YEAST = DATA / "ppi_yeast"
TRAIN = ("train", "--data", str(YEAST / "du_0_to_1.tsv"), "--out", "OUT")
TRAIN += ("--sequences", str(YEAST / "sequences.fasta"))
EMBED = ("embed", "--sequences", str(YEAST / "sequences.fasta"), "--out", "OUT.safetensors")

REFUSALS: dict[str, tuple[str, ...]] = {
    "method": (*TRAIN, "--method", "lorra"),
    "backbone": (*TRAIN, "--backbone", "esm2_t6_8m"),
    "random backbone": (*TRAIN, "--backbone", "random:esm2_t6_8m"),
    "task": (*TRAIN, "--task", "pppi"),
    "precision": (*TRAIN, "--precision", "fp8"),
    "device": (*TRAIN, "--device", "gpu"),
    "pooling": (*TRAIN, "--pooling", "max"),
    "head": (*TRAIN, "--head", "mpl"),
    "baselines": (*TRAIN, "--baselines", "kmers"),
    "calibration": (*TRAIN, "--calibration", "plat"),
    "lora layers": (*TRAIN, "--lora-layers", "lsat:2"),
    "lora targets": (*TRAIN, "--lora-targets", "query,vlaue"),
    "missing file": ("train", "--data", "no.tsv", "--out", "OUT"),
    "bad number": (*TRAIN, "--epochs", "many"),
    "range": (*TRAIN, "--validation-fraction", "7"),
    "unread option": (*TRAIN, "--method", "head", "--lora-r", "4"),
    "unknown option": (*TRAIN, "--lora-rank", "4"),
    "embed backbone": (*EMBED, "--backbone", "esm2_t6_8m"),
    "embed device": (*EMBED, "--device", "gpu"),
    "plan method": ("plan", *TRAIN[1:3], *TRAIN[5:], "--method", "lorra"),
    "plan table": ("plan", "--data", "no.tsv", "--out", "OUT"),
    "pretrain file": ("pretrain", "--sequences", "no.fasta", "--out", "OUT"),
    "pretrain backbone": (
        *("pretrain", "--sequences", str(YEAST / "sequences.fasta"), "--out", "OUT"),
        *("--backbone", "minni"),
    ),
    "predict run": ("predict", "no_run", "--input", str(YEAST / "du_0_to_1.tsv")),
    "evaluate run": ("evaluate", "no_run", "--input", str(YEAST / "du_0_to_1.tsv"), "--out", "OUT"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", default=list(REFUSALS), choices=list(REFUSALS))
    chosen = parser.parse_args().only
    torch, *_ = run([sys.executable, "-c", "import torch"])
    print(f"{'import torch':16} {torch:5.2f} CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            words = [word.replace("OUT", f"{folder}/out") for word in REFUSALS[name]]
            seconds, code, said = run([sys.executable, "-m", "peftide", *words])
            print(
                f"{name:16} {seconds:5.2f} CPU s  {seconds / torch:4.1f} x  exit {code}  "
                f"{said[said.find('error:') :].strip()[:90]!r}",
                flush=True,
            )


def run(words: Sequence[str]) -> tuple[float, int, str]:
    """Return CPU seconds, exit code and messages of a command."""
    before = cpu_seconds()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return cpu_seconds() - before, done.returncode, done.stderr


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
