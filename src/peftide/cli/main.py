"""`peftide <command> …`: choose the command, print one message for an error, return its code."""

import argparse
import logging
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, NoReturn

from peftide.cli.arguments import ALL, HelpFormat, add_options, parse_config
from peftide.cli.streams import (
    complain,
    discard_output,
    hide_streams,
    prepare_streams,
    release_streams,
    show_errors,
)
from peftide.config import (
    AppConfig,
    AuditConfig,
    CompareConfig,
    CompletionConfig,
    DataConfig,
    DemoConfig,
    DoctorConfig,
    EmbedConfig,
    EvaluateConfig,
    ExplainConfig,
    ExportConfig,
    InitConfig,
    MergeConfig,
    MutateConfig,
    PlanConfig,
    PredictConfig,
    PretrainConfig,
    PullConfig,
    PushConfig,
    ReportConfig,
    ScreenConfig,
    SplitConfig,
    SweepConfig,
    TrainConfig,
)
from peftide.config.options import Options
from peftide.config.reading import QUOTES, flag
from peftide.distributed import process_count, process_rank, reports_failure
from peftide.errors import InputError, PeftideError, closest, did_you_mean
from peftide.files import reading_pipes
from peftide.process import interruptible, prepare_process
from peftide.run_folder import RESUMED, begun, command_of, resume_command
from peftide.saved import shown
from peftide.version import __version__

INTERRUPTED = 130
SHARED = "train"
"""The command whose work several processes share."""
MOST_OWNERS = 3
"""Commands that a message about an option of other commands names."""
COMMANDS: dict[str, type[Options]] = {
    "demo": DemoConfig,
    "doctor": DoctorConfig,
    "init": InitConfig,
    "data": DataConfig,
    "split": SplitConfig,
    "plan": PlanConfig,
    "train": TrainConfig,
    "compare": CompareConfig,
    "sweep": SweepConfig,
    "predict": PredictConfig,
    "screen": ScreenConfig,
    "mutate": MutateConfig,
    "explain": ExplainConfig,
    "app": AppConfig,
    "evaluate": EvaluateConfig,
    "audit": AuditConfig,
    "report": ReportConfig,
    "embed": EmbedConfig,
    "merge": MergeConfig,
    "export": ExportConfig,
    "push": PushConfig,
    "pull": PullConfig,
    "pretrain": PretrainConfig,
    "completion": CompletionConfig,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: done; 2: wrong input; 3: an audit found a leak; 130: interrupted; 1: any other error.
    """
    prepare_streams()
    try:
        return _run(words)
    finally:
        release_streams()


def _run(words: Sequence[str] | None) -> int:
    if process_rank():
        hide_streams()
    try:
        arguments = parse_words(words)
        refuse_processes(arguments.command)
    except PeftideError as error:
        return fail(f"error: {error}", error.exit_code, debug=False)
    debug = getattr(arguments, "debug", False)
    prepare_process()
    quiet_libraries(debug=debug, offline=getattr(arguments, "offline", False))
    config = None
    try:
        config, given = parse_config(COMMANDS[arguments.command], arguments)
        with reading_pipes(), interruptible():
            return find_command(arguments.command)(config, given) or 0
    except PeftideError as error:
        return fail(f"error: {error}", error.exit_code, debug=debug)
    except BrokenPipeError:
        discard_output()
        return 0
    except OSError as error:
        return fail(f"error: {named(error)}", 1, debug=debug)
    except KeyboardInterrupt:
        given_words = sys.argv[1:] if words is None else words
        hint = next_command(config, given_words)
        return fail(f"interrupted; go on with `{hint}`", INTERRUPTED, debug=debug)
    except Exception as error:  # noqa: BLE001 — the last stop: one line for the user
        text = f"unexpected error: {type(error).__name__}: {error} (--debug shows the trace)"
        return fail(text, 1, debug=debug)


def refuse_processes(command: str) -> None:
    """Raise if a command that cannot share its work was started as several processes.

    Raises
    ------
    InputError
        Names the number of processes.
    """
    if process_count() > 1 and command != SHARED:
        raise InputError(
            f"started as {process_count()} processes",
            expected=f"one process: only `peftide {SHARED}` shares its work among several",
            where=f"peftide {command}",
        )


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line instead of a page of options."""

    def error(self, message: str) -> NoReturn:
        """Raise the error as an input error with a hint."""
        raise InputError(
            message, fix=f"`{self.prog} {ALL if ' ' in self.prog else '--help'}` lists all"
        )


def parse_words(words: Sequence[str] | None) -> argparse.Namespace:
    """Return the command and its options.

    Raises
    ------
    InputError
        If a command or an option is unknown, or an option lacks its value.
    """
    given = list(sys.argv[1:] if words is None else words)
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        raise InputError(
            f"unknown command {shown(given[0]).strip(QUOTES)}", fix=did_you_mean(given[0], COMMANDS)
        )
    arguments, unknown = build_parser(given).parse_known_args(given)
    if unknown and not unknown[0].startswith("-"):
        take_late_word(arguments, unknown)
    if unknown:
        refuse_option(unknown[0].partition("=")[0], arguments.command)
    return arguments


def take_late_word(arguments: argparse.Namespace, unknown: list[str]) -> None:
    """Take a word that stands behind options: argparse does not, if it may be left out."""
    for field in fields(COMMANDS[arguments.command]):
        if field.metadata.get("positional") and not hasattr(arguments, field.name):
            setattr(arguments, field.name, unknown.pop(0))
            return


def refuse_option(name: str, command: str) -> NoReturn:
    """Refuse an unknown option of a command, and suggest the closest known option."""
    known = list(map(flag, names_of(COMMANDS[command])))
    close = closest(name, known) if name.startswith("-") else ""
    hint = f"Did you mean {close}? " if close else ""
    others = [one for one, config in COMMANDS.items() if name in map(flag, names_of(config))]
    if others:
        owners = " and ".join(f"`peftide {one}`" for one in others[:MOST_OWNERS])
        hint = f"It is an option of {owners}. "
    raise InputError(
        f"`peftide {command}` has no option {shown(name).strip(QUOTES)}",
        fix=f"{hint}`peftide {command} {ALL}` lists all",
    )


def names_of(config_class: type[Options]) -> list[str]:
    """Return the names of the options of a command, without its positional arguments."""
    named = fields(config_class)
    return [field.name for field in named if not field.metadata.get("positional")]


def build_parser(words: Sequence[str]) -> Parser:
    """Return the parser of all commands; only the requested command gets its options."""
    parser = Parser(
        prog="peftide",
        description="Adapt protein language models to your own labelled proteins.",
        epilog="`peftide COMMAND --help` shows the options of a command, with examples.",
        formatter_class=HelpFormat,
    )
    parser.add_argument("--version", action="version", version=f"peftide {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    for name, config_class in COMMANDS.items():
        summary = (config_class.__doc__ or "").splitlines()[0]
        command = commands.add_parser(
            name,
            help=summary,
            description=summary,
            allow_abbrev=False,
            add_help=False,
            formatter_class=HelpFormat,
        )
        if name in words:
            add_options(command, config_class, everything=ALL in words)
    return parser


def next_command(config: Any, words: Sequence[str]) -> str:
    """Return the command that goes on after an interruption: it resumes a run that has begun."""
    if type(config) in RESUMED and begun(config.out, command_of(config)) is not None:
        return resume_command(config)
    return shlex.join(["peftide", *words])


def named(error: OSError) -> str:
    """Return an error of the system with the file that it is about."""
    place = "" if error.filename is None else f"{error.filename}: "
    return f"{place}{error.strerror or error}"


def find_command(name: str) -> Callable[[Any, frozenset[str]], int | None]:
    """Load the module of a command on demand, so that `--help` stays instant."""
    return import_module(f"peftide.cli.{name}").run


class Notes(logging.Handler):
    """A log on standard error: its lines fit the terminal, and stand above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        # a progress bar puts another stream in the place of `sys.stderr`, so it is looked up here
        complain(self.format(record))


def quiet_libraries(*, debug: bool, offline: bool) -> None:
    """Send the log of peftide to standard error, and silence other libraries."""
    logging.basicConfig(handlers=[Notes()], level=logging.WARNING, format="%(message)s")
    logging.getLogger("peftide").setLevel(logging.DEBUG if debug else logging.INFO)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def fail(message: str, code: int, *, debug: bool) -> int:
    """Print one message to standard error and return the exit code.

    Of several processes, only the first that fails prints.
    """
    if not reports_failure():
        return code
    if process_rank():
        show_errors()
    if debug:
        traceback.print_exc()
    complain(message, style="bad" if code != INTERRUPTED else "")
    return code
