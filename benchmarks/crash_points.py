"""Crash each command just before its n-th change of the file system, for every n; run it again.

    python -m benchmarks.crash_points                  # every command, every point
    python -m benchmarks.crash_points train --points 5 # five points of one command

A process killed before a change leaves the files as they are then. So one process runs the command
and keeps a copy of its files before each change; then the command runs again in each copy. A point
is good if the same command, or else `--resume`, ends with the same files as an undisturbed one, if
nothing else is left, and if a file of the user is still there. An audit hook of Python sees the
changes; native code (safetensors, HDF5) writes unseen, so its unfinished files are cut in half.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

MARK = 9
"""Exit code of a process in which the audit hook itself failed."""
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink")
CHANGES += ("os.truncate", "os.chmod", "shutil.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TIMES = {"date", "seconds", "peak_memory_bytes", "memory_before_bytes", "settings"}
TIMES |= {"training_residues_per_second", "tokens_per_second"}
TINY = "--backbone random:esm2_tiny --max-length 40"
QUICK = "--threads 1 --device cpu"
USER_FILE = "notes.txt"


@dataclass(frozen=True)
class Case:
    """A command whose output is `out`; `{inputs}` stands for the folder of its inputs.

    Attributes
    ----------
    before
        A command that makes an earlier output, if the case replaces one.
    resume
        A command to fall back on if the same one is refused.
    """

    words: str
    before: str = ""
    resume: str = ""


TRAIN = f"train --config {{inputs}}/train.yaml --out out {QUICK}"
PRETRAIN = (
    "pretrain --sequences {inputs}/p.fasta --out out --layers 1 --width 16 --attention-heads 2 "
    "--rows 2 --row-tokens 64 --steps 3 --evaluate-every 2 --held-out 4 --min-length 5 "
    f"--checkpoint-minutes 0 --no-compile {QUICK}"
)
SPLIT = "split --input {inputs}/all.tsv --out out --similarity none --kind cluster"
EVALUATE = f"evaluate {{inputs}}/run --input {{inputs}}/test.tsv --out out {QUICK}"
PREDICT = f"predict {{inputs}}/run --input {{inputs}}/test.tsv --out scores.tsv {QUICK}"
EMBED = f"embed {TINY} --sequences {{inputs}}/p.fasta {QUICK} --out"
AUDIT = "audit --data {inputs}/parts.tsv --similarity none --out audit.json"
CASES = {
    "split": Case(SPLIT),
    "split --overwrite": Case(f"{SPLIT} --overwrite", before=f"{SPLIT} --seed 5"),
    "audit --out": Case(AUDIT),
    "audit --overwrite": Case(f"{AUDIT} --overwrite", before=f"{AUDIT} --max-length 9"),
    "embed": Case(f"{EMBED} e.safetensors"),
    "embed .h5": Case(f"{EMBED} e.h5"),
    "embed .parquet --overwrite": Case(
        f"{EMBED} e.parquet --overwrite", before=f"{EMBED} e.parquet --pooling cls"
    ),
    "predict": Case(PREDICT),
    "predict --overwrite": Case(f"{PREDICT} --overwrite", before=PREDICT),
    "evaluate": Case(EVALUATE),
    "evaluate --overwrite": Case(f"{EVALUATE} --overwrite", before=f"{EVALUATE} --seed 5"),
    "train": Case(TRAIN, resume="train --resume --out out"),
    "train --overwrite": Case(
        f"{TRAIN} --overwrite",
        before=TRAIN.replace("train.yaml", "head.yaml"),
        resume="train --resume --out out",
    ),
    "pretrain": Case(PRETRAIN, resume="pretrain --resume --out out"),
    "pretrain --overwrite": Case(
        f"{PRETRAIN} --overwrite",
        before=f"{PRETRAIN} --seed 5",
        resume="pretrain --resume --out out",
    ),
}


def in_child(folder: Path, work: Callable[[], int]) -> int:
    """Run a function in a forked process inside a folder; return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = MARK
    try:
        os.chdir(folder)
        log = os.open(folder.parent / f"{folder.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = work()
    finally:
        os._exit(code)


def is_change(event: str, arguments: Sequence[Any], folder: str) -> bool:
    """Return whether an event changes the file system below a folder."""
    if event == "open":
        path, _, flags = arguments
        changes = isinstance(flags, int) and bool(flags & WRITING)
        places = [path]
    else:
        changes, places = event.startswith(CHANGES), arguments[:2]
    texts = [os.fspath(p) for p in places if isinstance(p, (str, os.PathLike))]
    return changes and any(os.path.abspath(text).startswith(folder) for text in texts)


def run(
    words: str, folder: Path, *, copies: Path | None = None, modules: Path | None = None
) -> int:
    """Run a command in a folder; return its exit code.

    Parameters
    ----------
    copies
        Folder for a copy of the files before each change, named by its number.
    modules
        File for the names of all modules that the command has loaded.
    """

    def work() -> int:
        from peftide.cli import main

        done, busy = [0], [copies is None]

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if busy[0] or not (event == "open" or event.startswith(CHANGES)):
                return
            busy[0] = True
            if is_change(event, arguments, str(folder)):
                done[0] += 1
                shutil.copytree(folder, f"{copies}/{done[0]}", symlinks=True)
            busy[0] = False

        sys.addaudithook(hook)
        code = main(words.split())
        sys.stdout.flush()
        busy[0] = True
        if modules is not None:
            modules.write_text("\n".join(sys.modules))
        return code

    return in_child(folder, work)


def load_modules(names: Path) -> None:
    """Import modules once, so that processes forked later need not."""
    for name in names.read_text().splitlines():
        if name not in sys.modules and not name.startswith(("_", "torch.")):
            with suppress(Exception):
                import_module(name)


def cut_unfinished(folder: Path) -> None:
    """Cut the files that native code was writing in half."""
    from peftide.files import PARTIAL

    for path in folder.rglob("*"):
        unfinished = any(name.startswith(PARTIAL) for name in path.relative_to(folder).parts)
        unfinished |= path.parent.name == "new" and ".peftide-embed" in path.parent.parent.name
        if unfinished and path.suffix in (".safetensors", ".h5", ".parquet"):
            os.truncate(path, path.stat().st_size // 2)


def timeless(content: Any) -> Any:
    """Return a record without times and memory."""
    if isinstance(content, dict):
        return {key: timeless(value) for key, value in content.items() if key not in TIMES}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def content(path: Path) -> Any:
    """Return what of a file must be the same in every call."""
    if path.suffix == ".html":
        # numbers of seconds, bytes and dates differ
        return re.sub(r"[\d.,:+]+", "", path.read_text())[:200]
    if path.name in ("run.json", "split.json"):
        return timeless(json.loads(path.read_text()))
    if path.name == "history.csv":
        header, *rows = [line.split(",") for line in path.read_text().splitlines()]
        column = header.index("seconds")
        return [row[:column] + row[column + 1 :] for row in rows]
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


def write_inputs(folder: Path) -> None:
    """Write small tables."""
    generator = np.random.default_rng(0)
    texts = ["".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), 12 + k)) for k in range(24)]
    rows = [f"p{k}\t{text}\t{k % 2}" for k, text in enumerate(texts)]
    parts = {"train": rows[:12], "validation": rows[12:18], "test": rows[18:]}
    for name, chosen in (parts | {"all": rows}).items():
        (folder / f"{name}.tsv").write_text("\n".join(["id\tsequence\tlabel", *chosen]) + "\n")
    marked = [f"{row}\t{part}" for part, chosen in parts.items() for row in chosen]
    (folder / "parts.tsv").write_text("\n".join(["id\tsequence\tlabel\tsplit", *marked]) + "\n")
    (folder / "p.fasta").write_text("".join(f">p{k}\n{t}\n" for k, t in enumerate(texts)))
    for method in ("lora", "head"):
        lines = [
            *(f"{part}: {folder / part}.tsv" for part in ("train", "validation")),
            *(f"test: [{folder / 'test'}.tsv]", "task: binary", f"method: {method}"),
            *("backbone: random:esm2_tiny", "epochs: 1", "batch_size: 6", "precision: fp32"),
            *("checkpoint_minutes: 0", "baselines: [composition]"),
        ]
        name = {"lora": "train", "head": "head"}[method]
        (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n")


def train_model(folder: Path) -> None:
    """Train the model that predictions need."""
    modules = folder.parent / "modules.txt"
    done = run(f"train --config head.yaml --out run {QUICK}", folder, modules=modules)
    assert done == 0, (folder.parent / f"{folder.name}.log").read_text()
    load_modules(modules)


class Trial:
    """One command with its inputs, its earlier output and its undisturbed result."""

    def __init__(self, name: str, inputs: Path, root: Path) -> None:
        self.case, self.root = CASES[name], root / re.sub(r"\W+", "-", name)
        self.root.mkdir()
        self.words = self.case.words.format(inputs=inputs)
        self.start = self.root / "start"
        self.start.mkdir()
        if self.case.before:
            done = run(self.case.before.format(inputs=inputs), self.start)
            assert done == 0, (self.root / "start.log").read_text()
            if (self.start / "out").is_dir():
                (self.start / "out" / USER_FILE).write_text("mine")
        whole, self.copies = self.root / "whole", self.root / "copies"
        shutil.copytree(self.start, whole)
        self.copies.mkdir()
        modules = self.root / "modules.txt"
        done = run(self.words, whole, copies=self.copies, modules=modules)
        assert done == 0, (self.root / "whole.log").read_text()
        load_modules(modules)
        self.whole, self.points = state(whole), len(list(self.copies.iterdir()))
        self.known: dict[str, str] = {}

    def fault(self, point: int) -> str:
        """Run the command again in the files before a change; return what is wrong, or nothing."""
        folder = self.copies / str(point)
        cut_unfinished(folder)
        paths = sorted(folder.rglob("*"))
        key = repr([(path.relative_to(folder), raw(path)) for path in paths])
        if key not in self.known:
            self.known[key] = self.fault_in(folder)
        return self.known[key]

    def fault_in(self, folder: Path) -> str:
        """Run the command again in a folder; return what is wrong, or nothing."""
        code = run(self.words, folder)
        if code and self.case.resume:
            code = run(f"{self.case.resume} {QUICK}", folder)
        if code:
            log = self.copies / f"{folder.name}.log"
            return f"exit code {code}: {log.read_text().splitlines()[-1]}"
        found, whole = state(folder), self.whole
        names = found.keys() ^ whole.keys()
        names |= {name for name in found.keys() & whole.keys() if found[name] != whole[name]}
        return f"differs in {', '.join(sorted(names))}" if names else ""


def main() -> int:
    """Try the points of some commands; print one line per command and each fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(CASES))
    parser.add_argument("--points", type=int, help="try so many points of each command; else all")
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--keep", type=Path, help="folder for what was left by faulty points")
    chosen = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    for name in ("train", "pretrain", "embed", "split", "evaluate", "predict", "audit"):
        import_module(f"peftide.cli.{name}")
    import_module("peftide.training.running")
    import_module("peftide.pretraining.loop")
    with tempfile.TemporaryDirectory() as scratch:
        root = chosen.keep or Path(scratch)
        inputs = root.resolve() / "inputs"
        inputs.mkdir(parents=True)
        write_inputs(inputs)
        if any("{inputs}/run" in CASES[name].words for name in chosen.commands or CASES):
            train_model(inputs)
        result = {}
        for name in chosen.commands or CASES:
            trial = Trial(name, inputs, root.resolve())
            count = min(chosen.points or trial.points, trial.points)
            points = np.linspace(1, trial.points, count).round().astype(int).tolist()
            faults = {point: fault for point in points if (fault := trial.fault(point))}
            tried, states = len(points), len(trial.known)
            result[name] = {"points": trial.points, "tried": tried, "faults": faults}
            print(
                f"{name:28} {trial.points:4} points, {tried:4} tried ({states} different states), "
                f"{len(faults)} bad"
            )
            for point, fault in faults.items():
                print(f"    before change {point}: {fault}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=2))
    return 1 if any(found["faults"] for found in result.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
