"""The folder of one run: what is in it, and whether it may be written."""

import dataclasses
import importlib.metadata
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peftide.config import TrainConfig, as_mapping, from_mapping, read_yaml, to_yaml
from peftide.errors import InputError
from peftide.files import file_hash, remove, write_json, write_text

FORMAT_VERSION = 1
VERSIONED = ("peftide", "torch", "transformers", "peft", "accelerate", "numpy", "scikit-learn")
FREE_ON_RESUME = {"resume", "overwrite", "debug", "offline", "threads", "checkpoint_minutes"}


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run folder."""

    path: Path

    @property
    def config(self) -> Path:
        """Every option of the run, resolved."""
        return self.path / "config.yaml"

    @property
    def record(self) -> Path:
        """Versions, data, what was counted, cost."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """Scores of each part and of the baselines."""
        return self.path / "metrics.json"

    @property
    def predictions(self) -> Path:
        """One row per row of the test parts (or of validation, if there is no test)."""
        return self.path / "predictions.tsv"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.path / "history.csv"

    @property
    def model(self) -> Path:
        """The model bundle."""
        return self.path / "model"

    @property
    def checkpoints(self) -> Path:
        """Resume points and embeddings; removed when the run is done."""
        return self.path / "checkpoints"

    def is_finished(self) -> bool:
        """Return whether the run came to its end."""
        return self.record.is_file() and read_record(self.record).get("status") == "finished"


def read_record(path: Path) -> dict[str, Any]:
    """Return the content of a run record."""
    return json.loads(path.read_text(encoding="utf-8"))


def check_output(path: Path, *, overwrite: bool, marker: str) -> None:
    """Make sure that an output folder may be written, or replaced.

    Parameters
    ----------
    marker
        File by which a folder that peftide wrote is recognised; no other folder is overwritten.

    Raises
    ------
    InputError
        If something stands there and may not be replaced.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise InputError(
            f"{path} exists",
            where="--out",
            fix="Choose another --out, or replace it with --overwrite",
        )
    if not (path / marker).is_file():
        raise InputError(
            f"{path} was not written by peftide, so --overwrite leaves it alone", where="--out"
        )


def open_run(config: TrainConfig, data_files: list[Path]) -> RunFolder:
    """Claim the run folder of a training, or check that the run in it may be resumed.

    Raises
    ------
    InputError
        If the folder is taken, or options or data differ from those the run began with.
    """
    folder = RunFolder(config.out)
    hashes = {str(path): file_hash(path) for path in data_files}
    if config.resume and folder.config.is_file() and folder.record.is_file():
        _check_same_options(config, resumed_config(folder.path))
        _check_same_data(read_record(folder.record)["data"], hashes)
        return folder
    begun = config.resume and folder.config.is_file()
    check_output(folder.path, overwrite=config.overwrite or begun, marker=folder.config.name)
    remove(folder.path)
    write_text(folder.config, to_yaml(config))
    write_json(folder.record, {"status": "running", "data": hashes} | environment(config.seed))
    return folder


def resumed_config(path: Path) -> TrainConfig:
    """Return the options a run began with.

    Raises
    ------
    InputError
        If there is no run to resume.
    """
    folder = RunFolder(path)
    if not folder.config.is_file():
        raise InputError(f"{path} holds no run", where="--resume", fix="Start it without --resume")
    return from_mapping(TrainConfig, read_yaml(folder.config))


def _check_same_options(now: TrainConfig, before: TrainConfig) -> None:
    new, old = as_mapping(now), as_mapping(before)
    changed = [
        f"--{key.replace('_', '-')} was {old[key]!r} and is {new[key]!r}"
        for key in new
        if new[key] != old[key] and key not in FREE_ON_RESUME
    ]
    if changed:
        raise InputError(
            f"other options than the run began with: {'; '.join(changed)}",
            where="--resume",
            fix="Resume with the same options (`--out RUN --resume` alone takes them all), "
            "or start anew with --overwrite",
        )


def _check_same_data(before: dict[str, str], now: dict[str, str]) -> None:
    changed = [path for path in now if before.get(path) != now[path]]
    if changed:
        raise InputError(
            f"{', '.join(changed)} changed since the run began",
            where="--resume",
            fix="Start anew with --overwrite",
        )


def environment(seed: int) -> dict[str, Any]:
    """Return what a record says of the software."""
    return {
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in VERSIONED},
    }


def plain_findings(findings: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return findings as they stand in a record."""
    return [dataclasses.asdict(finding) for finding in findings]
