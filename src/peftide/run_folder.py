"""The folder of one run: its files, its record, and the checks before anything is written."""

import dataclasses
import logging
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from peftide.config import (
    CompareConfig,
    PretrainConfig,
    SweepConfig,
    TrainConfig,
    as_mapping,
    from_mapping,
    read_yaml,
    to_yaml,
)
from peftide.config.reading import is_in_memory
from peftide.config.unread import NOTHING, Names
from peftide.environment import environment
from peftide.errors import InputError
from peftide.files import (
    alone_at,
    file_hash,
    is_pipe,
    remove,
    remove_partials,
    write_json,
    write_text,
    written_whole,
)
from peftide.outputs import WRITTEN_BY, check_folder, read_record, say_link
from peftide.work_folder import folder_work

logger = logging.getLogger(__name__)

RESUMED: dict[type, str] = {
    TrainConfig: "train",
    PretrainConfig: "pretrain",
    CompareConfig: "compare",
    SweepConfig: "sweep",
}
"""Config class of each resumable command → the name of the command."""
FREE_ON_RESUME = {
    *("out", "resume", "overwrite", "debug", "offline", "threads", "checkpoint_minutes"),
    *("shard_backbone", "embedding_cache", "baselines", "hours", "steps", "compile", "title"),
    *("time_limit", "trials"),
}
SETTLED = ("max_tokens", "task", "precision")
"""Options for which `config.yaml` replaces the word auto with the value chosen by the run."""
MEASURED = ("max_tokens",)
"""Options that may be another word, which the record keeps."""
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
    def validation(self) -> Path:
        """The answers for validation, where `predictions.tsv` has those for the test parts."""
        return self.path / "validation.tsv"

    @property
    def strata(self) -> Path:
        """One row per prediction: whether it counts, its label, its groups."""
        return self.path / "strata.tsv"

    @property
    def curves(self) -> Path:
        """Points of the curves of baselines and other tools, for positive and negative labels."""
        return self.path / "curves.tsv"

    @property
    def audit(self) -> Path:
        """The audit of the split."""
        return self.path / "audit.json"

    @property
    def report(self) -> Path:
        """All results on one page."""
        return self.path / "report.html"

    @property
    def card(self) -> Path:
        """The model card: use, data, scores and limits of the model."""
        return self.model / "README.md"

    @property
    def history(self) -> Path:
        """One row per epoch."""
        return self.path / "history.csv"

    @property
    def model(self) -> Path:
        """The model bundle."""
        return self.path / "model"

    @property
    def cache(self) -> Path:
        """Embeddings that the runs of a comparison or a sweep share while it is unfinished."""
        return self.path / "cache"

    @property
    def baselines(self) -> Path:
        """The fitted baselines; some contain training sequences."""
        return self.path / "baselines"

    @property
    def checkpoints(self) -> Path:
        """Resume points and embeddings; removed when the run is finished."""
        return self.path / "checkpoints"

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


def begun(out: Path, command: str) -> RunFolder | None:
    """Return the folder of the run that has begun in an output folder, or None.

    A run that replaces an earlier one grows in the work folder until it is finished.
    """
    work = folder_work(out, command)
    if work.ready.is_dir():
        with alone_at(work.lock, wait=False, writes=out):
            work.finish_moving()
    for folder in (RunFolder(work.new), RunFolder(out)):
        if read_record(folder.record).get("command") == command and folder.config.is_file():
            return folder
    return None


def run_to_resume(config: Resumable) -> RunFolder | None:
    """Return the folder of the run to resume; None if none is asked for, or none has begun."""
    return begun(config.out, command_of(config)) if config.resume else None


def check_run(config: Resumable, data_files: list[Path]) -> None:
    """Check, before any work, that the run folder may be written.

    Raises
    ------
    InputError
        If the folder is in use, or options or data differ from the run to resume.
    """
    command = command_of(config)
    if config.resume and any(map(is_in_memory, vars(config).values())):
        raise InputError(
            "a run with data in memory cannot be resumed", fix="Save the tables and give the files"
        )
    folder = begun(config.out, command)
    if config.resume and folder is not None:
        _refuse_pipes(data_files)
        before = from_mapping(type(config), read_yaml(folder.config))
        record = read_record(folder.record)
        _check_same_options(absolute(config), before, asked=record.get("asked", {}))
        _check_same_data(record["data"], data_hashes(data_files), out=config.out)
        return
    if folder is not None and not folder.is_finished() and not config.overwrite:
        raise InputError(
            f"{config.out} exists and holds an unfinished run",
            where="--out",
            fix=f"Go on with `{resume_command(config)}`, choose another --out, or start again "
            "with --overwrite",
        )
    overwrite = config.overwrite or config.resume
    if folder is not None and not overwrite:
        raise InputError(
            f"{config.out} exists", where="--out", fix="Choose another --out, or pass --overwrite"
        )
    check_folder(config.out, command=command, overwrite=overwrite, inputs=data_files)


def _refuse_pipes(data_files: list[Path]) -> None:
    if pipes := [str(path) for path in data_files if is_pipe(path)]:
        raise InputError(
            f"{', '.join(pipes)} was a pipe, whose content is gone",
            where="--resume",
            fix="Save the data in files, and start again with --overwrite",
        )


def resume_command(config: Resumable) -> str:
    """Return the words that resume a run."""
    return f"peftide {command_of(config)} --resume --out {shlex.quote(str(config.out))}"


@contextmanager
def open_run(
    config: Resumable, data_files: list[Path], *, chosen: Names = NOTHING
) -> Iterator[RunFolder]:
    """Create the run folder of a training (see `check_run`), or reopen the one to resume.

    When the block ends without an error, a finished run loses what only an unfinished one needs,
    and a run that replaces an earlier one is put in its place. No other process can open the run
    until the block ends.

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
    say_link(config.out)
    command = command_of(config)
    work, before = folder_work(config.out, command), _record_in(config)
    with alone_at(work.lock, wait=False, writes=config.out):
        if _record_in(config) != before:
            raise InputError(f"another process has just written {config.out}", where="--out")
        folder = run_to_resume(config) or _begin(config, data_files, chosen)
        if type(config) is TrainConfig:
            _note_backbone(config, folder)
        remove_partials(folder.path)
        remove_partials(folder.checkpoints)
        yield folder
        if folder.is_finished():
            for path in _left_over(config, folder):
                remove(path)
        if folder.path == work.new:
            work.put(WRITTEN_BY[command])
        work.leave()


def complete(config: Resumable, data_files: list[Path]) -> None:
    """Complete a finished run that was killed: put it in its place, without what it left over."""
    if folder_work(config.out, command_of(config)).path.exists() or any(
        path.exists() for path in _left_over(config, RunFolder(config.out))
    ):
        with open_run(config, data_files):
            pass


def _left_over(config: Resumable, folder: RunFolder) -> list[Path]:
    """Return what only an unfinished run needs."""
    has_own_cache = isinstance(config, CompareConfig | SweepConfig) and not config.embedding_cache
    return [folder.checkpoints, *([folder.cache] if has_own_cache else [])]


def _record_in(config: Resumable) -> dict[str, Any]:
    folder = begun(config.out, command_of(config))
    return {} if folder is None else read_record(folder.record)


def _begin(config: Resumable, data_files: list[Path], chosen: Names) -> RunFolder:
    """Write record and options of a new run; an earlier run stays until the new one is finished."""
    command = command_of(config)
    new, folder = folder_work(config.out, command).new, RunFolder(config.out)
    remove(new)
    if begun(config.out, command) is not None:
        logger.info("the earlier run stays in %s until the new one is finished", config.out)
        with written_whole(new) as partial:
            _write_start(config, data_files, RunFolder(partial), chosen=chosen)
        return RunFolder(new)
    _write_start(config, data_files, folder, chosen=chosen)
    return folder


def _write_start(
    config: Resumable, data_files: list[Path], folder: RunFolder, *, chosen: Names
) -> None:
    asked = {name: getattr(config, name) for name in MEASURED if hasattr(config, name)}
    record = {"status": "running", "data": data_hashes(data_files), "asked": asked}
    record["chosen"] = sorted(chosen)
    write_json(folder.record, record | environment(config.seed, command=command_of(config)))
    kept = dataclasses.replace(absolute(config), overwrite=False, resume=False)
    write_text(folder.config, to_yaml(kept))


def _note_backbone(config: TrainConfig, folder: RunFolder) -> None:
    """Write the new place of a backbone that has moved since the run began."""
    before = from_mapping(TrainConfig, read_yaml(folder.config))
    if before.backbone != config.backbone:
        write_text(folder.config, to_yaml(dataclasses.replace(before, backbone=config.backbone)))


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
    folder = begun(path, RESUMED[config_class])
    if folder is None:
        wrote = read_record(RunFolder(path).record).get("command")
        other = wrote in set(RESUMED.values()) - {RESUMED[config_class]}
        fix = f"It is of `peftide {wrote}`" if other else "Start it with all its options"
        raise InputError(f"{path} holds no run to resume", where="--resume", fix=fix)
    return from_mapping(config_class, read_yaml(folder.config))


def _check_same_options(now: Resumable, before: Resumable, *, asked: Mapping[str, Any]) -> None:
    """Raise if options differ from a run; a word that the run replaced by a value stays the same.

    Parameters
    ----------
    asked
        The options in `MEASURED` as the user gave them.
    """
    new, old = as_mapping(now), as_mapping(before)
    # a training compares the backbone itself, which may have moved
    free = FREE_ON_RESUME | ({"backbone"} if type(now) is TrainConfig else set())
    first = {**old, **asked}
    changed = [
        f"--{key.replace('_', '-')} was {first[key]!r} and is {new[key]!r}"
        for key in new
        if key not in free
        and new[key] not in (old[key], first[key])
        and not (key in SETTLED and new[key] == "auto")
    ]
    if changed:
        raise InputError(
            f"the options differ from the original run: {'; '.join(changed)}",
            where="--resume",
            fix="Resume with only `--out RUN --resume`, which reuses all options, "
            "or start again with --overwrite",
        )


def _check_same_data(before: dict[str, str], now: dict[str, str], *, out: Path) -> None:
    if changed := [path for path in now if before.get(path) != now[path]]:
        raise InputError(
            f"{', '.join(changed)} changed since the run in {out} began",
            where="--resume",
            fix="Choose another --out, or start again with --overwrite",
        )
