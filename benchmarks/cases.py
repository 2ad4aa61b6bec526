"""Shared by `crash_points.py` and `full_disk.py`: commands on tiny inputs, run in forks, compared.

One process imports everything and trains the models that some commands need. Every command then
runs in a fork of it, which takes tenths of a second instead of the seconds of an import.
"""

import gc
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

BROKEN = 9
"""Exit code of a fork in which not the command failed, but the code around it."""
TIMES = {"date", "seconds", "peak_memory_bytes", "memory_before_bytes", "settings", "memory_mb"}
TIMES |= {"needs", "training_residues_per_second", "tokens_per_second"}
TIMES |= {"trunk_cache"}  # a run decides by the free disk whether it stores hidden states
TINY = "--backbone random:esm2_tiny --max-length 40"
QUICK = "--threads 1 --device cpu"

MODELS = {"run": "head.yaml", "ppi": "ppi.yaml", "variants": "variants.yaml"}
"""Model that commands of the cases use → options of its training."""


@dataclass(frozen=True)
class Case:
    """A command whose output is in `out`; `{inputs}` stands for the folder of its inputs.

    Attributes
    ----------
    before
        A command that makes an earlier output, if the case replaces one.
    resume
        A command to fall back on if the same one is refused. It is the one that the message
        names: `--resume`, or `report` if only the report is missing.
    """

    words: str
    before: str = ""
    resume: str = ""

    def with_inputs(self, folder: Path) -> "Case":
        """Return the case with the folder of its inputs in place of `{inputs}`."""
        return Case(*(words.format(inputs=folder) for words in astuple(self)))


def resumed(command: str) -> str:
    """Return the command that resumes another one."""
    return f"{command} --resume --out out {QUICK}"


TRAIN = f"train --config {{inputs}}/train.yaml --out out {QUICK}"
PRETRAIN = (
    "pretrain --sequences {inputs}/p.fasta --out out --layers 1 --width 16 --attention-heads 2 "
    "--rows 2 --row-tokens 64 --steps 3 --evaluate-every 2 --held-out 4 --min-length 5 "
    f"--checkpoint-minutes 0 --no-compile {QUICK}"
)
COMPARE = (
    f"compare --config {{inputs}}/many.yaml --methods head --seeds 2 --epochs 1 --out out {QUICK}"
)
SWEEP = (
    "sweep --config {inputs}/many.yaml --method lora --space {inputs}/space.yaml --search grid "
    f"--trials 2 --epochs 1 --out out {QUICK}"
)
SPLIT = "split --input {inputs}/all.tsv --out out --similarity none --kind cluster"
EVALUATE = f"evaluate {{inputs}}/run --input {{inputs}}/test.tsv --out out {QUICK}"
PREDICT = f"predict {{inputs}}/run --input {{inputs}}/test.tsv --out scores.tsv {QUICK}"
EMBED = f"embed {TINY} --sequences {{inputs}}/p.fasta {QUICK} --out"
AUDIT = "audit --data {inputs}/parts.tsv --similarity none --out audit.json"
SCREEN = f"screen {{inputs}}/ppi --sequences {{inputs}}/p.fasta --out hits.parquet {QUICK} --top-k"
MUTATE = f"mutate {{inputs}}/variants --out out {QUICK} --top"
EXPLAIN = f"explain {{inputs}}/run --input {{inputs}}/test.tsv --out out {QUICK} --sites"
CASES = {
    "split": Case(SPLIT),
    "split --overwrite": Case(f"{SPLIT} --overwrite", before=f"{SPLIT} --seed 5"),
    "audit --out": Case(AUDIT),
    "audit --overwrite": Case(f"{AUDIT} --overwrite", before=f"{AUDIT} --max-length 9"),
    "embed": Case(f"{EMBED} e.safetensors"),
    "embed .h5": Case(f"{EMBED} e.h5 --per-residue"),
    "embed .parquet --overwrite": Case(
        f"{EMBED} e.parquet --overwrite", before=f"{EMBED} e.parquet --pooling cls"
    ),
    "embed folder": Case(f"{EMBED} shards --shard-size 4"),
    "predict": Case(PREDICT),
    "predict .gz": Case(PREDICT.replace("scores.tsv", "scores.tsv.gz")),
    "predict --overwrite": Case(f"{PREDICT} --overwrite", before=PREDICT),
    "evaluate": Case(EVALUATE, resume="report out"),
    "evaluate --overwrite": Case(f"{EVALUATE} --overwrite", before=f"{EVALUATE} --seed 5"),
    "screen": Case(f"{SCREEN} 3"),
    "screen folder": Case(f"{SCREEN.replace('hits.parquet', 'hits')} 3 --proteins-per-shard 4"),
    "screen --shortlist": Case(f"{SCREEN} 2 --shortlist 3"),
    "screen --overwrite": Case(f"{SCREEN} 3 --overwrite", before=f"{SCREEN} 2"),
    "mutate": Case(f"{MUTATE} 9"),
    "mutate --overwrite": Case(f"{MUTATE} 9 --overwrite", before=f"{MUTATE} 5"),
    "explain": Case(f"{EXPLAIN} 1-2"),
    "explain --overwrite": Case(f"{EXPLAIN} 1-2 --overwrite", before=f"{EXPLAIN} 1"),
    "report": Case("report out", before=EVALUATE),
    "train": Case(TRAIN, resume=resumed("train")),
    "train full": Case(TRAIN.replace("train.yaml", "full.yaml"), resume=resumed("train")),
    "train --overwrite": Case(
        f"{TRAIN} --overwrite",
        before=TRAIN.replace("train.yaml", "head.yaml"),
        resume=resumed("train"),
    ),
    "pretrain": Case(PRETRAIN, resume=resumed("pretrain")),
    "pretrain --overwrite": Case(
        f"{PRETRAIN} --overwrite", before=f"{PRETRAIN} --seed 5", resume=resumed("pretrain")
    ),
    "compare": Case(COMPARE, resume=resumed("compare")),
    "compare --overwrite": Case(
        f"{COMPARE} --overwrite", before=f"{COMPARE} --seed 5", resume=resumed("compare")
    ),
    "sweep": Case(SWEEP, resume=resumed("sweep")),
    "sweep --overwrite": Case(
        f"{SWEEP} --overwrite", before=f"{SWEEP} --seed 5", resume=resumed("sweep")
    ),
}


# ---- processes ----------------------------------------------------------------------------------


def in_child(folder: Path, log: Path, work: Callable[[], int]) -> tuple[int, str]:
    """Run a function in a forked process inside a folder; return its exit code and its output."""
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, log.read_text(errors="replace")
    code = BROKEN
    try:
        os.chdir(folder)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(written, 1)
        os.dup2(written, 2)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 — of a fork
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        spare_the_time()
        code = work()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 — for the log
        traceback.print_exc()
    finally:
        os._exit(code)


def spare_the_time() -> None:
    """In a fork: leave out `fsync`, and plan a training without a new interpreter."""
    import peftide.commands.plan
    from peftide.planning.planner import make_plan

    os.fsync = lambda _: None
    peftide.commands.plan.run_child = lambda config, **given: make_plan(config, **given).as_json()


def run(words: str, folder: Path, *, log: Path) -> tuple[int, str]:
    """Run a command of peftide in a folder; return its exit code and its output."""
    from peftide.cli import main

    return in_child(folder, log, lambda: main(words.split()))


@contextmanager
def warmed(inputs: Path, names: Iterable[str]) -> Iterator[None]:
    """Write the inputs of cases and train their models in this process, to be forked.

    Frozen, its objects cost the collector of a forked process no time and no copied memory.
    """
    import torch

    from peftide.cli import main

    torch.set_num_threads(1)
    inputs.mkdir(parents=True)
    write_inputs(inputs)
    for model, config in MODELS.items():
        if any(f"{{inputs}}/{model} " in words for name in names for words in astuple(CASES[name])):
            words = f"train --config {inputs / config} --out {inputs / model} {QUICK}"
            assert main(words.split()) == 0, words
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended forks."""
    return sum(os.times()[:4])


# ---- what must be equal -------------------------------------------------------------------------


def timeless(content: Any) -> Any:
    """Return a record without times and memory."""
    if isinstance(content, dict):
        return {key: timeless(value) for key, value in content.items() if key not in TIMES}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def timeless_table(text: str, separator: str) -> list[list[str]]:
    """Return the cells of a table without times and memory."""
    header, *rows = [line.split(separator) for line in text.splitlines()]
    kept = [place for place, name in enumerate(header) if name not in TIMES]
    return [[row[place] for place in kept] for row in [header, *rows]]


def content(path: Path) -> Any:
    """Return the part of a file that is the same in every call."""
    if path.suffix == ".html":
        # numbers of seconds, bytes and dates differ
        return re.sub(r"[\d.,:+]+", "", path.read_text())[:200]
    if path.name in ("run.json", "split.json", "comparison.json", "sweep.json"):
        return timeless(json.loads(path.read_text()))
    if path.name in ("history.csv", "leaderboard.tsv", "trials.tsv"):
        return timeless_table(path.read_text(), "," if path.suffix == ".csv" else "\t")
    if path.suffix == ".db":
        return "database"  # its trials are those of trials.tsv
    return path.read_bytes()


def raw(path: Path) -> bytes:
    """Return the bytes of a file; nothing for a folder."""
    return path.read_bytes() if path.is_file() else b""


def state(folder: Path) -> dict[str, Any]:
    """Return every file and folder below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): content(path) if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def differences(found: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """Return the names of the files that differ between two states, or nothing."""
    names = found.keys() ^ whole.keys()
    names |= {name for name in found.keys() & whole.keys() if found[name] != whole[name]}
    return f"differs in {', '.join(sorted(names))}" if names else ""


# ---- inputs -------------------------------------------------------------------------------------


def write_inputs(folder: Path) -> None:
    """Write small tables and the options of trainings on them."""
    generator = np.random.default_rng(0)
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    texts = ["".join(generator.choice(letters, 12 + k)) for k in range(24)]
    names = ["train"] * 12 + ["validation"] * 6 + ["test"] * 6
    rows = [f"p{k}\t{text}\t{k % 2}" for k, text in enumerate(texts)]
    parts = [f"{row}\t{part}" for row, part in zip(rows, names, strict=True)]
    write_table(folder / "all.tsv", "id sequence label", rows)
    write_table(folder / "test.tsv", "id sequence label", rows[18:])
    write_table(folder / "parts.tsv", "id sequence label split", parts)
    (folder / "p.fasta").write_text("".join(f">p{k}\n{t}\n" for k, t in enumerate(texts)))
    others = [texts[k - k % 6 + (k + 1) % 6] for k in range(24)]
    pairs = [f"{texts[k]}\t{others[k]}\t{k % 2}\t{names[k]}" for k in range(24)]
    write_table(folder / "pairs.tsv", "sequence_a sequence_b label split", pairs)
    wild = texts[-1]
    changed = [f"{wild[k]}{k + 1}{letters[letters.index(wild[k]) - 1]}" for k in range(24)]
    mutants = [f"{mutant}\t{k % 5 / 7}\t{names[k]}" for k, mutant in enumerate(changed)]
    write_table(folder / "mutants.tsv", "mutant label split", mutants)
    single = {"data": f"{folder}/parts.tsv", "task": "binary", "epochs": 1, "batch_size": 6}
    single |= {"checkpoint_minutes": 0, "baselines": "[composition]"}
    several = {"data": f"{folder}/parts.tsv", "task": "binary", "batch_size": 6}
    options = {
        "train": single | {"method": "lora"},
        "head": single | {"method": "head"},
        "full": single | {"method": "full"},
        "many": several | {"baselines": "[composition]"},
        "ppi": single | {"data": f"{folder}/pairs.tsv", "task": "ppi", "method": "head"},
        "variants": {"data": f"{folder}/mutants.tsv", "task": "variants", "method": "head"}
        | {"wild_type": wild, "baselines": "[none]"},
    }
    common = {"backbone": "random:esm2_tiny", "precision": "fp32"}
    for name, chosen in options.items():
        lines = [f"{key}: {value}" for key, value in (chosen | common).items()]
        (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n")
    (folder / "space.yaml").write_text("lora_r: [1, 2]\n")


def write_table(path: Path, header: str, rows: Iterable[str]) -> None:
    """Write rows below a header."""
    path.write_text("\n".join(["\t".join(header.split()), *rows]) + "\n")
