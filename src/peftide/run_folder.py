"""The folder of one run: its files, its record, and the checks before anything is written."""

import dataclasses
import importlib.metadata
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from peftide.config import PretrainConfig, TrainConfig, as_mapping, from_mapping, read_yaml, to_yaml
from peftide.config.reading import is_in_memory
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError
from peftide.files import alone_at, file_hash, is_pipe, remove, write_json, write_text
from peftide.outputs import check_folder, clear_folder, read_record, refuse_inputs_inside

FORMAT_VERSION = 1
VERSIONED = ("peftide", "torch", "transformers", "peft", "numpy", "scikit-learn")
RESUMED: dict[type, str] = {TrainConfig: "train", PretrainConfig: "pretrain"}
"""Config class of each resumable command → the name of the command."""
FREE_ON_RESUME = {
    *("out", "resume", "overwrite", "debug", "offline", "threads", "checkpoint_minutes"),
    *("embedding_cache", "baselines", "hours", "steps", "compile"),
}
SETTLED = {"max_tokens": ("auto", "measured"), "task": ("auto",), "precision": ("auto",)}
"""Option → the words that `config.yaml` replaces with the value chosen by the run."""
Resumable = TrainConfig | PretrainConfig
ResumableClass = TypeVar("ResumableClass", bound=TrainConfig | PretrainConfig)


def command_of(config: Resumable) -> str:
    """Return the command that a config belongs to."""
    return RESUMED[type(config)]


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
        """Date, versions, data, counts, cost."""
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
    def strata(self) -> Path:
        """One row per prediction: whether it counts, its label, its groups."""
        return self.path / "strata.tsv"

    @property
    def audit(self) -> Path:
        """The audit of the split."""
        return self.path / "audit.json"

    @property
    def report(self) -> Path:
        """All results on one page."""
        return self.path / "report.html"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.path / "history.csv"

    @property
    def model(self) -> Path:
        """The model bundle."""
        return self.path / "model"

    @property
    def baselines(self) -> Path:
        """The fitted baselines; some contain training sequences."""
        return self.path / "baselines"

    @property
    def checkpoints(self) -> Path:
        """Resume points and embeddings; removed when the run is finished."""
        return self.path / "checkpoints"

    @property
    def lock(self) -> Path:
        """Locked while a process works in the folder."""
        return self.path / ".lock"

    def is_finished(self) -> bool:
        """Return whether the run is finished."""
        return read_record(self.record).get("status") == "finished"


def absolute(config: ResumableClass) -> ResumableClass:
    """Return the options with absolute paths, so that a run can be resumed from any folder."""
    paths = {name: _absolute(name, value) for name, value in vars(config).items() if name != "out"}
    return dataclasses.replace(config, **paths)


def _absolute(name: str, value: Any) -> Any:
    if isinstance(value, Path):
        return _place(value)
    if not isinstance(value, tuple):
        return value
    if name != "test":
        return tuple(_absolute("", part) for part in value)
    split = [text.rpartition("=") for text in value]
    return tuple(f"{name}{equals}{_place(Path(path))}" for name, equals, path in split)


def _place(path: Path) -> Path:
    return path if is_pipe(path) else path.resolve()


def check_run(config: Resumable, data_files: list[Path]) -> None:
    """Check, before any work, that the run folder may be written.

    Raises
    ------
    InputError
        If the folder is in use, or options or data differ from the run to resume.
    """
    folder = RunFolder(config.out)
    if config.resume and any(map(is_in_memory, vars(config).values())):
        raise InputError(
            "a run with data in memory cannot be resumed", fix="Save the tables and give the files"
        )
    if can_resume(config):
        _refuse_pipes(data_files)
        _check_same_options(absolute(config), resumed_config(folder.path, type(config)))
        _check_same_data(read_record(folder.record)["data"], data_hashes(data_files))
        return
    check_folder(
        folder.path, command=command_of(config), overwrite=config.overwrite or config.resume
    )
    refuse_inputs_inside(folder.path, data_files)


def _refuse_pipes(data_files: list[Path]) -> None:
    pipes = [str(path) for path in data_files if is_pipe(path)]
    if pipes:
        raise InputError(
            f"{', '.join(pipes)} was a pipe, whose content is gone",
            where="--resume",
            fix="Save the data in files, and start again with --overwrite",
        )


def can_resume(config: Resumable) -> bool:
    """Return whether the options ask to resume a run and there is one."""
    folder = RunFolder(config.out)
    began = (
        read_record(folder.record).get("command") == command_of(config) and folder.config.is_file()
    )
    return config.resume and began


@contextmanager
def open_run(
    config: Resumable, data_files: list[Path], *, chosen: Names = NOTHING
) -> Iterator[RunFolder]:
    """Create the run folder of a training (see `check_run`), or reopen the one to resume.

    No other process can open the run until the block ends.

    Parameters
    ----------
    chosen
        Options that the user chose, for the record.

    Raises
    ------
    InputError
        If the folder is in use, or another process works in it.
    """
    check_run(config, data_files)
    folder = RunFolder(config.out)
    with alone_at(folder.lock, wait=False):
        try:
            if not can_resume(config):
                _begin(config, data_files, folder, chosen=chosen)
            elif isinstance(config, TrainConfig):
                _note_backbone(config, folder)
            yield folder
        finally:
            remove(folder.lock)


def _begin(config: Resumable, data_files: list[Path], folder: RunFolder, *, chosen: Names) -> None:
    clear_folder(folder.path, command=command_of(config))
    record = {"status": "running", "data": data_hashes(data_files), "chosen": sorted(chosen)}
    write_json(folder.record, record | environment(config.seed, command=command_of(config)))
    kept = dataclasses.replace(absolute(config), overwrite=False, resume=False)
    write_text(folder.config, to_yaml(kept))


def _note_backbone(config: TrainConfig, folder: RunFolder) -> None:
    """Write the new place of a backbone that has moved since the run began."""
    before = resumed_config(folder.path, TrainConfig)
    if before.backbone != config.backbone:
        moved = dataclasses.replace(before, backbone=config.backbone)
        write_text(folder.config, to_yaml(moved))


def data_hashes(files: list[Path]) -> dict[str, str]:
    """Return the hash of each file, by absolute path."""
    return {str(_place(path)): file_hash(path) for path in files}


def resumed_config(path: Path, config_class: type[ResumableClass]) -> ResumableClass:
    """Return the options with which a run began.

    Raises
    ------
    InputError
        If there is no run to resume.
    """
    folder = RunFolder(path)
    if not folder.config.is_file():
        raise InputError(
            f"{path} holds no run to resume", where="--resume", fix="Start it with all its options"
        )
    return from_mapping(config_class, read_yaml(folder.config))


def settled(config: TrainConfig) -> TrainConfig:
    """Return the options with the precision that a run to resume settled on."""
    if not can_resume(config) or config.precision != "auto":
        return config
    before = resumed_config(config.out, TrainConfig)
    return dataclasses.replace(config, precision=before.precision)


def settled_token_budget(folder: RunFolder, choose: Callable[[], int], *, precision: str) -> int:
    """Return the token budget of a training, and write the number into its `config.yaml`.

    A resumed run keeps the number, so its batches are the same.

    Parameters
    ----------
    choose
        Returns the budget of a run that has no number yet.
    precision
        Precision that the run computes in; `config.yaml` holds it too.
    """
    if not folder.config.is_file():
        return choose()
    config = resumed_config(folder.path, TrainConfig)
    if isinstance(config.max_tokens, int):
        return config.max_tokens
    chosen = choose()
    write_text(
        folder.config, to_yaml(dataclasses.replace(config, max_tokens=chosen, precision=precision))
    )
    return chosen


def _check_same_options(now: Resumable, before: Resumable) -> None:
    new, old = as_mapping(now), as_mapping(before)
    # a training compares the backbone itself, which may have moved
    free = FREE_ON_RESUME | ({"backbone"} if isinstance(now, TrainConfig) else set())
    changed = [
        f"--{key.replace('_', '-')} was {old[key]!r} and is {new[key]!r}"
        for key in new
        if new[key] != old[key] and key not in free and not _is_word(key, new[key])
    ]
    if changed:
        raise InputError(
            f"the options differ from the original run: {'; '.join(changed)}",
            where="--resume",
            fix="Resume with only `--out RUN --resume`, which reuses all options, "
            "or start again with --overwrite",
        )


def _is_word(key: str, value: Any) -> bool:
    """Return whether an option is a word that the run has replaced with a value."""
    return value in SETTLED.get(key, ())


def _check_same_data(before: dict[str, str], now: dict[str, str]) -> None:
    changed = [path for path in now if before.get(path) != now[path]]
    if changed:
        raise InputError(
            f"{', '.join(changed)} changed since the run began",
            where="--resume",
            fix="Start again with --overwrite",
        )


def environment(seed: int, *, command: str) -> dict[str, Any]:
    """Return the part of a record that names the command, the date and the software."""
    return {
        "command": command,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in VERSIONED},
    }
