"""The last lines of a command: the written files, and the next command, which runs as printed."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from peftide.cli.streams import complain, say
from peftide.config import PredictConfig, TrainConfig, from_mapping, read_yaml
from peftide.config.options import Options
from peftide.config.reading import flag
from peftide.files import is_pipe
from peftide.run_folder import RunFolder
from peftide.tasks import TASKS, VARIANT_TASKS

TABLES = ("data", "train", "validation", "test")
READING = ("sequences", "missing", "allow_bin", "wild_type", "offset")
"""Options, beside those of columns, that another command needs to read the same table."""
UNLABELLED = {"missing": "error", "label_column": "label"}
"""Options of a training that a new table does not need."""


def say_written(**paths: Path) -> None:
    """Name the written files on standard output; an underscore in a name becomes a blank.

    A report that could not be written has its own message.
    """
    for name, path in paths.items():
        if name != "report" or path.exists():
            say(f"{name.replace('_', ' ')}: {path}", wrap=False)


def say_next(*commands: Sequence[str], hint: str = "") -> None:
    """Print the next commands to standard error, ready to be copied, with a hint above them."""
    if hint and commands:
        complain(hint)
    for words in commands:
        complain(f"next: {shlex.join(words)}", style="strong", wrap=False)


def say_next_training(words: Sequence[str], tasks: Sequence[str] | None) -> None:
    """Print the command that trains on a table.

    Parameters
    ----------
    words
        Its options, without task and folder.
    tasks
        Tasks to choose from, the likeliest first; none if the labels must be corrected, None if
        they show the task.
    """
    if tasks is not None and not tasks:
        complain("Correct the labels first: the note on them says how.")
        return
    named = ["--task", tasks[0]] if tasks else []
    others = " or ".join(f"--task {task}" for task in (tasks or ())[1:])
    hint = f"The labels fit several tasks. Another choice: {others}." if others else ""
    command = ["peftide", "train", *words, *named, "--out", str(free_path("my_run"))]
    say_next(command, hint=hint)


def option_words(
    config: Options, names: Iterable[str], *, reader: type[Options] | None = None
) -> list[str]:
    """Return options of a config as command-line words, if another command has them too.

    Parameters
    ----------
    reader
        Config class of the other command.

    Examples
    --------
    >>> config = TrainConfig(out=Path("run"), test=("a.tsv", "b.tsv"), max_length=None)
    >>> option_words(config, ["test", "max_length", "resume"])
    ['--test', 'a.tsv', '--test', 'b.tsv', '--max-length', 'none', '--no-resume']
    """
    known = {field.name: field for field in fields(reader or type(config))}
    words: list[str] = []
    for name in names:
        if name not in known:
            continue
        value, option = getattr(config, name), flag(name)
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        elif isinstance(value, tuple) and known[name].metadata.get("repeated"):
            words += [word for part in value for word in (option, str(part))]
        else:
            words += [option, _text(value)]
    return words


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def changed_words(
    config: Options, names: Iterable[str], *, reader: type[Options] | None = None
) -> list[str]:
    """Return the options of a config that differ from their defaults, as `option_words` does."""
    defaults = {field.name: field.default for field in fields(config)}
    changed = [name for name in names if name in defaults]
    changed = [name for name in changed if getattr(config, name) != defaults[name]]
    return option_words(config, changed, reader=reader)


def reading_words(config: Options, reader: type[Options]) -> list[str]:
    """Return the options with which another command reads a table as this one did."""
    columns = [field.name for field in fields(config) if field.name.endswith("_column")]
    return changed_words(config, [*READING, *columns], reader=reader)


def free_path(wanted: Path | str) -> Path:
    """Return a path that does not exist: the wanted one, or one with a number.

    Examples
    --------
    >>> free_path("no_such_folder/scores.tsv")
    PosixPath('no_such_folder/scores.tsv')
    """
    first = path = Path(wanted)
    number = 1
    while path.exists() or path.is_symlink():
        number += 1
        path = first.with_name(f"{first.stem}_{number}{first.suffix}")
    return path


def beside(path: Path, ending: str) -> Path:
    """Return a free path next to another one: its name with another ending.

    Examples
    --------
    >>> beside(Path("runs/my_run"), "_scores.tsv")
    PosixPath('runs/my_run_scores.tsv')
    """
    place = path.resolve() if path.name in ("", "..") else path
    return free_path(place.with_name(place.name + ending))


def say_next_prediction(run: Path, *, doubt: str = "") -> None:
    """Print the command that uses a model on new data.

    Parameters
    ----------
    doubt
        Sentence above it.
    """
    words, hint = next_prediction(run)
    say_next(words, hint=f"{doubt} {hint}".strip())


def next_prediction(run: Path) -> tuple[list[str], str]:
    """Return the command that uses a model on new data, and a sentence on the files in it.

    Examples
    --------
    >>> words, hint = next_prediction(Path("no_such_folder"))
    >>> " ".join(words)
    'peftide predict no_such_folder --input new.fasta --out no_such_folder_answers.tsv'
    >>> hint
    'new.fasta stands for a file of your own with new proteins.'
    """
    options = RunFolder(run).config
    config = from_mapping(TrainConfig, read_yaml(options)) if options.is_file() else None
    task = None if config is None else config.task
    if task in VARIANT_TASKS:
        return ["peftide", "mutate", str(run), "--out", str(beside(run, "_designs"))], ""
    words = ["peftide", "predict", str(run), "--input"]
    if config is None or TASKS[config.task].level != "pair":
        table, what = "new.fasta", "proteins"
        words.append(table)
    else:
        table, what = "new_pairs.tsv", "pairs"
        known = replace(config, sequences=_from_here(config.sequences), **UNLABELLED)
        words += [table, *reading_words(known, PredictConfig)]
    hint = f"{table} stands for a file of your own with new {what}."
    return [*words, "--out", str(beside(run, "_answers.tsv"))], hint


def _from_here(path: Any) -> Any:
    """Return a path as a user types it: relative if it is inside the working directory."""
    is_inside = isinstance(path, Path) and path.is_relative_to(Path.cwd())
    return path.relative_to(Path.cwd()) if is_inside else path


def predict_command(run: Path, table: Path, config: Options) -> list[list[str]]:
    """Return the command that predicts a table with a run; none if an input was a pipe."""
    sequences = getattr(config, "sequences", None)
    if any(isinstance(path, Path) and is_pipe(path) for path in (table, sequences)):
        return []
    words = ["peftide", "predict", str(run), "--input", str(table)]
    words += reading_words(config, PredictConfig)
    return [[*words, "--out", str(beside(run, "_predictions.tsv"))]]
