"""Fill the disk under each command, at every page from nothing to enough; make room; run it again.

    python -m benchmarks.full_disk                    # every command, every page
    python -m benchmarks.full_disk train --sizes 5    # about five sizes of one command

The folder of the output is a disk of a limited size (a tmpfs; to mount it needs root on Linux). A
size is good if the command ends well, or with one error that says that no space is left. Then an
earlier output must be whole, and once there is room the same command, or else `--resume`, must end
with the same result as on an empty disk.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, cpu_seconds, differences, raw, run, state, warmed
from benchmarks.recording import add_record_option, write_record

PAGE, MOST = 4, 65_536
"""KiB of the smallest step and of a disk with room."""
SAID = ("error: no space left on the disk of ", " of disk on this machine")
"""What a command says: that the disk is full, or that a comparison forecasts more than there is."""


class NoDiskError(Exception):
    """This process may not mount a disk."""


class SmallDisk:
    """A disk at a folder, whose size can change while it holds files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._mount("", MOST)

    def resize(self, kibibytes: int) -> None:
        """Give the disk another size."""
        self._mount("remount,", kibibytes)

    def _mount(self, how: str, kibibytes: int) -> None:
        options = f"{how}size={kibibytes}k"
        words = ["mount", "-t", "tmpfs", "-o", options, "peftide-test", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoDiskError(f"a small disk needs the right to mount one (root): {done.stderr}")

    def used(self) -> int:
        """Return the KiB in use."""
        return shutil.disk_usage(self.folder).used // 1024

    def fill(self, source: Path) -> None:
        """Hold a copy of a folder, and nothing else."""
        self.resize(MOST)
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(source, self.folder, symlinks=True, dirs_exist_ok=True)

    def remove(self) -> None:
        """Remove the disk."""
        subprocess.run(["umount", str(self.folder)], check=True)


@dataclass(frozen=True)
class Found:
    """Results of the sizes of one command.

    Attributes
    ----------
    tried, refused
        Number of tried sizes, and of sizes that were too small.
    faults
        Size in KiB → fault.
    seconds
        CPU time of all processes.
    """

    tried: int
    refused: int
    faults: dict[int, str]
    seconds: float


class Trial:
    """One command on a small disk, with its earlier output and its undisturbed result."""

    def __init__(self, name: str, inputs: Path, disk: SmallDisk, root: Path) -> None:
        self.case, self.disk = CASES[name].with_inputs(inputs), disk
        self.start, self.log = root / "start", root / "log"
        if self.case.before:
            code, said = self.run(self.case.before)
            assert code == 0, said
        shutil.copytree(disk.folder, self.start)
        self.used = disk.used()
        code, said = self.run(self.case.words)
        assert code == 0, said
        self.whole, self.final = state(disk.folder), disk.used()

    def run(self, words: str) -> tuple[int, str]:
        """Run a command; return its exit code and its output."""
        return run(words, self.disk.folder, log=self.log)

    def fault(self, size: int) -> tuple[bool, str]:
        """Return whether a size is too small, and the fault, or nothing."""
        self.disk.fill(self.start)
        self.disk.resize(size)
        code, said = self.run(self.case.words)
        if code:
            errors = [line for line in said.splitlines() if "error" in line.lower()]
            if code != 1 or len(errors) != 1 or not any(words in errors[0] for words in SAID):
                return True, f"exit code {code}: {' | '.join(errors or said.splitlines()[-1:])}"
            if lost := self.lost():
                return True, f"the full disk changed {', '.join(lost)}"
        self.disk.resize(MOST)
        return bool(code), self.fault_with_room(code)

    def lost(self) -> list[str]:
        """Return the files of the earlier output that are no longer as they were."""
        return [
            str(path.relative_to(self.start))
            for path in sorted(self.start.rglob("*"))
            if path.is_file() and raw(self.disk.folder / path.relative_to(self.start)) != raw(path)
        ]

    def fault_with_room(self, code: int) -> str:
        """Run the command again if its result is not whole; return the fault, or nothing."""
        again = code or differences(state(self.disk.folder), self.whole)
        for words in filter(None, (self.case.words, self.case.resume)) if again else ():
            code, said = self.run(words)
            if not code:
                break
        if code:
            return f"with room, exit code {code}: {said.splitlines()[-1]} ({again})"
        return differences(state(self.disk.folder), self.whole)


def try_command(name: str, inputs: Path, root: Path, *, sizes: int | None = None) -> Found:
    """Try all sizes of a command, or about so many, until one is enough.

    Raises
    ------
    NoDiskError
        If no disk can be mounted.
    """
    begun, faults = cpu_seconds(), {}
    own = root / re.sub(r"\W+", "-", name)
    disk = SmallDisk(own / "disk")
    try:
        trial = Trial(name, inputs, disk, own)
        step = PAGE if sizes is None else max(PAGE, (trial.final - trial.used) // sizes)
        tried, size, refused = 0, trial.used + PAGE, True
        while refused and size < MOST:
            refused, fault = trial.fault(size)
            faults |= {size: fault} if fault else {}
            tried += 1
            size += step
    finally:
        disk.remove()
    return Found(tried, tried - 1, faults, cpu_seconds() - begun)


def main(words: Sequence[str] | None = None) -> int:
    """Try the sizes of some commands; print one line per command and each fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(CASES))
    parser.add_argument("--sizes", type=int, help="try about so many sizes; else every page")
    add_record_option(parser)
    chosen = parser.parse_args(words)
    found: dict[str, Found] = {}
    names = chosen.commands or list(CASES)
    with tempfile.TemporaryDirectory() as scratch, warmed(Path(scratch) / "inputs", names):
        for name in names:
            started = time.monotonic()
            one = found[name] = try_command(
                name, Path(scratch) / "inputs", Path(scratch), sizes=chosen.sizes
            )
            print(
                f"{name:28} {one.tried:4} sizes, {one.refused:4} too small, {len(one.faults)} bad; "
                f"{one.seconds:.0f} s of CPU, {time.monotonic() - started:.0f} s"
            )
            for size, fault in one.faults.items():
                print(f"    with {size} KiB: {fault}", flush=True)
    columns = ["Command", "Sizes", "Too small", "Bad"]
    rows: list[list[Any]] = [[k, v.tried, v.refused, len(v.faults)] for k, v in found.items()]
    write_record(chosen.record, columns, rows)
    return 1 if any(one.faults for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
