"""Crash each command just before its n-th change of the file system, for every n; run it again.

    python -m benchmarks.crash_points                 # every command, every point
    python -m benchmarks.crash_points train --points 5 # five points of one command

A process killed before a change leaves the files as they are then. So one process runs the command
and keeps a copy of its files before each change; then the command runs again in each copy. A point
is good if the same command, or else `--resume`, ends with the same result as an undisturbed one, if
nothing else is left, and if a file of the user is still there. Points with equal files are one
state, which is tried once.

An audit hook of Python sees the changes, and an event of SQLAlchemy the commits of a database.
Other native code (safetensors, HDF5, Parquet) writes unseen, so its unfinished files are cut in
half: one point stands for every place inside such a file. `fsync` does nothing here, because a
killed process loses no byte that the system has; a power cut is not tried.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.cases import CASES, cpu_seconds, differences, in_child, raw, run, state, warmed
from benchmarks.recording import add_record_option, write_record

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink")
CHANGES += ("os.truncate", "os.chmod", "shutil.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
USER_FILE = "notes.txt"


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


def copy_before_changes(folder: Path, copies: Path, *, database: bool) -> Callable[[], None]:
    """Keep a copy of a folder before each change in it, named by its number; return the end."""
    done, busy = 0, False

    def copy() -> None:
        nonlocal done
        done += 1
        shutil.copytree(folder, copies / str(done), symlinks=True)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or not (event == "open" or event.startswith(CHANGES)):
            return
        busy = True
        if is_change(event, arguments, str(folder)):
            copy()
        busy = False

    def before_commit(_: Any) -> None:
        nonlocal busy
        busy = True
        copy()
        busy = False

    def end() -> None:
        nonlocal busy
        busy = True

    if database:
        from sqlalchemy import Engine, event

        event.listen(Engine, "commit", before_commit)
    sys.addaudithook(hook)
    return end


def run_copied(words: str, folder: Path, copies: Path) -> None:
    """Run a command that must succeed; copy its folder before each change, and load its modules."""
    from peftide.cli import main

    log, modules = folder.with_suffix(".log"), folder.with_suffix(".modules")

    def work() -> int:
        end = copy_before_changes(folder, copies, database=words.startswith("sweep"))
        code = main(words.split())
        end()
        modules.write_text("\n".join(sys.modules))
        return code

    code, said = in_child(folder, log, work)
    assert code == 0, said
    load_modules(modules)


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
        parents = path.relative_to(folder).parts[:-1]
        unfinished = any(name.startswith(PARTIAL) for name in path.relative_to(folder).parts)
        unfinished |= "new" in parents and any(".peftide-" in name for name in parents)
        if unfinished and path.suffix in (".safetensors", ".h5", ".parquet"):
            os.truncate(path, path.stat().st_size // 2)


# ---- trials -------------------------------------------------------------------------------------


class Trial:
    """One command with its earlier output and its undisturbed result.

    Every process works in the folder `here`, for a run may know its own path.
    """

    def __init__(self, name: str, inputs: Path, root: Path) -> None:
        self.case = CASES[name].with_inputs(inputs)
        self.root = root / re.sub(r"\W+", "-", name)
        self.here, self.copies = self.root / "here", self.root / "copies"
        self.copies.mkdir(parents=True)
        self.here.mkdir()
        if self.case.before:
            code, said = self.run(self.case.before)
            assert code == 0, said
            if (self.here / "out").is_dir():
                (self.here / "out" / USER_FILE).write_text("mine")
        run_copied(self.case.words, self.here, self.copies)
        self.whole, self.points = state(self.here), len(list(self.copies.iterdir()))
        self.known: dict[str, str] = {}

    def run(self, words: str) -> tuple[int, str]:
        """Run a command; return its exit code and its output."""
        return run(words, self.here, log=self.root / "log")

    def fault(self, point: int) -> str:
        """Run the command again in the files before a change; return the fault, or nothing."""
        shutil.rmtree(self.here)
        (self.copies / str(point)).rename(self.here)
        cut_unfinished(self.here)
        paths = sorted(self.here.rglob("*"))
        key = repr([(path.relative_to(self.here), raw(path)) for path in paths])
        if key not in self.known:
            self.known[key] = self.fault_here()
            if self.known[key]:
                shutil.copytree(self.here, self.root / f"after-{point}", symlinks=True)
        return self.known[key]

    def fault_here(self) -> str:
        """Run the command again; return the fault, or nothing."""
        code, said = self.run(self.case.words)
        if code and self.case.resume:
            code, said = self.run(self.case.resume)
        if code:
            return f"exit code {code}: {said.splitlines()[-1]}"
        return differences(state(self.here), self.whole)


@dataclass(frozen=True)
class Found:
    """Results of the points of one command.

    Attributes
    ----------
    points, tried, states
        Number of changes, of tried points, and of different states among those.
    faults
        Tried point → fault.
    seconds
        CPU time of all processes.
    """

    points: int
    tried: int
    states: int
    faults: dict[int, str]
    seconds: float


def try_command(name: str, inputs: Path, root: Path, *, most: int | None = None) -> Found:
    """Try all points of a command, or so many."""
    begun = cpu_seconds()
    trial = Trial(name, inputs, root)
    count = min(most or trial.points, trial.points)
    # all, or some between the first change and the last
    edges = 0 if count == trial.points else 1
    spaced = np.linspace(1, trial.points, count + 2 * edges).round().astype(int)
    points = spaced[edges : len(spaced) - edges].tolist()
    faults = {point: fault for point in points if (fault := trial.fault(point))}
    shutil.rmtree(trial.copies)
    shutil.rmtree(trial.here)
    return Found(trial.points, count, len(trial.known), faults, cpu_seconds() - begun)


def main(words: Sequence[str] | None = None) -> int:
    """Try the points of some commands; print one line per command and each fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(CASES))
    parser.add_argument("--points", type=int, help="try so many points of each command; else all")
    parser.add_argument("--keep", type=Path, help="folder for what was left by faulty points")
    add_record_option(parser)
    chosen = parser.parse_args(words)
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as scratch:
        root = (chosen.keep or Path(scratch)).resolve()
        inputs = root / "inputs"
        names = chosen.commands or list(CASES)
        with warmed(inputs, names):
            for name in names:
                started = time.monotonic()
                one = found[name] = try_command(name, inputs, root, most=chosen.points)
                print(
                    f"{name:28} {one.points:4} points, {one.tried:4} tried ({one.states} different "
                    f"states), {len(one.faults)} bad; {one.seconds:.0f} s of CPU, "
                    f"{time.monotonic() - started:.0f} s"
                )
                for point, fault in one.faults.items():
                    print(f"    before change {point}: {fault}", flush=True)
    columns = ["Command", "Changes", "Tried", "Different states", "Bad"]
    rows = [[k, v.points, v.tried, v.states, len(v.faults)] for k, v in found.items()]
    write_record(chosen.record, columns, rows)
    return 1 if any(one.faults for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
