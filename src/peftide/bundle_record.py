"""`bundle.json` → how a model is built and how it answers, checked; its weights are not read."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le

from peftide.adapters import ADAPTER_FOLDER, ADAPTERS
from peftide.backbones.origin import Origin
from peftide.errors import InputError, closest, did_you_mean
from peftide.evaluation.answering import Answering
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.conformal import Conformal
from peftide.evaluation.decisions import Decisions
from peftide.files import file_hash
from peftide.outputs import read_record
from peftide.saved import OTHER_KEYS_ALLOWED, read_json, read_object, shown
from peftide.tasks import TASKS, Labels

FORMAT_VERSION = 6
"""1 had no calibration, 2 no base_bits, 3 no hashes of validation sequences, 4 no vocabulary and no
configuration of the backbone, 5 no wild type."""
BUNDLE_FILE = "bundle.json"
MODEL = "model"
"""The folder of the model in a run folder."""
MOST_RUNS = 3
FINISHED = {"compare": "best", "sweep": "best.yaml", "pretrain": "model.safetensors"}
"""Command whose folder holds no model of a run → what leads to one once it is finished."""
HEAD_FILE = "head.safetensors"
STORED_AS = (".safetensors", ".json")
COPY_AGAIN = "Copy the model folder again from where it was trained, or train again"


@dataclass(frozen=True)
class Recipe:
    """The architecture of a model, without its weights.

    Attributes
    ----------
    task, method
        Keys of `TASKS` and `ADAPTERS`.
    backbone
        Name, id or folder from which the backbone is loaded.
    pooling, pairing, head, head_width, head_dropout, max_length, base_bits
        As in `TrainConfig`; `head` is the chosen one. Without `head_dropout`, each form of head has
        its default.
    layer
        0-based layer after which the backbone ends; None: the last.
    seeds
        Number of heads of each form; their mean is the answer.
    wild_type, offset
        The protein whose variants the model reads, and the number subtracted from positions.
    """

    task: str
    method: str
    backbone: str
    pooling: str
    pairing: str
    head: str
    head_width: Annotated[int, Ge(1), Le(65_536)]
    head_dropout: Annotated[float, Ge(0), Le(1)] | None
    max_length: int | None
    base_bits: int | None = None
    layer: int | None = None
    seeds: Annotated[int, Ge(1), Le(1_000)] = 1
    wild_type: str | None = None
    offset: int = 0


@dataclass(frozen=True)
class Identified:
    """The keys of `bundle.json` by which a newer format or a changed file is noticed."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    digest: str


@dataclass(frozen=True)
class Record:
    """The content of `bundle.json`; formats before the present one lack the keys with defaults."""

    format_version: int
    peftide_version: str
    recipe: Recipe
    origin: Origin
    labels: Labels
    threshold: float
    trained_on: frozenset[str]
    files: dict[str, str]
    digest: str
    calibration: Calibration | None = None
    conformal: Conformal | None = None
    validated_on: frozenset[str] = frozenset()


def digest_of(record: Mapping[str, Any]) -> str:
    """Return the hash of all other keys of a record."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def read_bundle_record(folder: Path) -> Record:
    """Read `bundle.json` of a model folder.

    Raises
    ------
    InputError
        If there is none, it was changed, or a newer peftide wrote it.
    """
    path = folder / BUNDLE_FILE
    if not folder.exists() and not (folder.name == MODEL and folder.parent.exists()):
        missing = folder.parent if folder.name == MODEL else folder
        raise InputError("no such folder", where=missing, fix=_similar_folder(missing))
    if not path.exists():
        raise InputError(
            f"{folder} holds no {BUNDLE_FILE}",
            expected="the run folder of a finished `peftide train`",
            fix=_runs_inside(folder),
        )
    content = read_object(path, Identified, fix=COPY_AGAIN)
    if content["format_version"] > FORMAT_VERSION:
        raise InputError(
            f"model format {content['format_version']}",
            expected=f"at most {FORMAT_VERSION}",
            where=path,
            fix="Install a newer peftide",
        )
    if content["digest"] != digest_of({k: v for k, v in content.items() if k != "digest"}):
        raise changed(path)
    record = read_json(path, Record, fix=COPY_AGAIN)
    _check_names(record, path)
    return record


def _runs_inside(folder: Path) -> str:
    """Return what to do with a folder that holds no model."""
    top = folder.parent if folder.name == MODEL else folder
    if (top / "run.json").exists() and (top / "config.yaml").exists():
        record = read_record(top / "run.json")
        command = record.get("command", "train")
        if command in FINISHED and record.get("status") == "finished":
            return f"It is the folder of `peftide {command}`: {_next_step(command, top)}"
        again = shlex.join(["peftide", command, "--resume", "--out", str(top)])
        return f"If that run was interrupted, finish it with `{again}`"
    found = [path.parent.parent for path in sorted(top.glob(f"*/{MODEL}/{BUNDLE_FILE}"))]
    found += [path.parent.parent for path in sorted(top.glob(f"*/*/{MODEL}/{BUNDLE_FILE}"))]
    if not found:
        return "Name the run folder that `peftide train` has written (--out)"
    more = " and others" if len(found) > MOST_RUNS else ""
    return f"It has runs: name {' or '.join(map(str, found[:MOST_RUNS]))}{more}"


def _next_step(command: str, folder: Path) -> str:
    """Return how a finished folder that holds no model itself leads to one."""
    place = folder / FINISHED[command]
    if command == "compare":
        return f"name its best run, {place}"
    words = ["--config", str(place)] if command == "sweep" else ["--backbone", str(folder)]
    return f"train a model with `{shlex.join(['peftide', 'train', *words])}` and an --out"


def read_answering(run: str | Path) -> tuple[Recipe, Answering]:
    """Return how the model of a run (or of a model folder) answers, without its weights.

    Raises
    ------
    InputError
        If the folder holds no model, or its record was changed.
    """
    record = read_bundle_record(model_folder(run))
    return record.recipe, answering_of(record)


def _similar_folder(path: Path) -> str:
    """Return a hint at a folder beside a missing one whose name is spelled alike; or nothing."""
    beside = path.absolute().parent
    names = [one.name for one in beside.iterdir() if one.is_dir()] if beside.is_dir() else []
    close = closest(path.name, names)
    return f"Did you mean {path.parent / close}?" if close else ""


def model_folder(run: str | Path) -> Path:
    """Return the model folder of a run folder, or the folder itself."""
    path = Path(run)
    return path / MODEL if (path / MODEL).is_dir() else path


def answering_of(record: Record) -> Answering:
    """Return how a recorded model answers."""
    calibration = record.calibration or Calibration()
    decisions = Decisions(calibration, record.threshold, record.conformal)
    return Answering(TASKS[record.recipe.task], record.labels, decisions)


def _check_names(record: Record, path: Path) -> None:
    """Make sure that this peftide knows all parts of the model, and that its numbers agree."""
    recipe, classes = record.recipe, len(record.labels.class_names)
    for key, known in {"task": TASKS, "method": ADAPTERS}.items():
        if (name := getattr(recipe, key)) not in known:
            raise InputError(
                f"recipe.{key}: received {shown(name)}", where=path, fix=did_you_mean(name, known)
            )
    calibration, limits = record.calibration, record.conformal
    agree = {
        "labels.class_counts": len(record.labels.class_counts) in (0, classes),
        "calibration.levels": calibration is None
        or len(calibration.levels) == len(calibration.knots),
        "conformal": limits is None
        or len(limits.counts) == len(limits.ranks) == len(limits.strangeness),
        "files": {HEAD_FILE, *_stored_files(path.parent)} <= set(record.files),
    }
    for key, is_right in agree.items():
        if not is_right:
            raise InputError(f"{key} does not fit the rest", where=path, fix=COPY_AGAIN)


def _stored_files(folder: Path) -> set[str]:
    """Return the files of the adapter, which must all be in the record."""
    files = (path for path in (folder / ADAPTER_FOLDER).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files}


def check_files(record: Record, folder: Path) -> None:
    """Make sure that every file of a model is there and has its hash.

    Raises
    ------
    InputError
        Names the first file that was changed, or is of a kind that no model holds.
    """
    for name, expected in record.files.items():
        path = folder / name
        if ".." in Path(name).parts or Path(name).is_absolute() or path.suffix not in STORED_AS:
            raise InputError(
                f"files: received {shown(name)}",
                expected=f"a file in this folder that ends in {' or '.join(STORED_AS)}",
                where=folder / BUNDLE_FILE,
                fix="Do not open a model from an unknown source",
            )
        if not path.is_file() or file_hash(path) != expected:
            raise changed(path)


def changed(path: Path) -> InputError:
    """Return the error about a file that was changed."""
    return InputError(
        "this file of the model is missing or was changed since it was saved",
        where=path,
        fix=COPY_AGAIN,
    )
