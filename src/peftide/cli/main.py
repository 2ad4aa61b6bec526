"""`peftide <command> …`: choose the command, print one message for an error, return its code."""

import argparse
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from peftide import __version__
from peftide.cli.arguments import add_options, parse_config
from peftide.config import (
    AuditConfig,
    DemoConfig,
    EmbedConfig,
    EvaluateConfig,
    PlanConfig,
    PredictConfig,
    PretrainConfig,
    ReportConfig,
    SplitConfig,
    TrainConfig,
)
from peftide.errors import PeftideError
from peftide.run_folder import RESUMED, command_of

INTERRUPTED = 130
COMMANDS: dict[str, type] = {
    "demo": DemoConfig,
    "split": SplitConfig,
    "plan": PlanConfig,
    "train": TrainConfig,
    "predict": PredictConfig,
    "evaluate": EvaluateConfig,
    "audit": AuditConfig,
    "report": ReportConfig,
    "embed": EmbedConfig,
    "pretrain": PretrainConfig,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done; 2 the input is wrong; 3 an audit found a leak; 130 interrupted; 1 anything else.
    """
    arguments = build_parser().parse_args(words)
    debug = getattr(arguments, "debug", False)
    quiet_libraries(debug=debug, offline=getattr(arguments, "offline", False))
    config = None
    try:
        config = parse_config(COMMANDS[arguments.command], arguments)
        return find_command(arguments.command)(config) or 0
    except PeftideError as error:
        return fail(f"error: {error}", error.exit_code, debug=debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return fail(f"interrupted{resume_hint(config)}", INTERRUPTED, debug=debug)
    except Exception as error:  # noqa: BLE001 — the last stop: one line for the user
        text = f"unexpected error: {type(error).__name__}: {error} (--debug shows the trace)"
        return fail(text, 1, debug=debug)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="peftide",
        description="Adapt protein language models to your own labelled proteins.",
    )
    parser.add_argument("--version", action="version", version=f"peftide {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, config_class in COMMANDS.items():
        summary = (config_class.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        add_options(command, config_class)
    return parser


def resume_hint(config: Any) -> str:
    """Say how to go on with what has begun."""
    if type(config) in RESUMED and (config.out / "config.yaml").is_file():
        return f"; go on with `peftide {command_of(config)} --resume --out {config.out}`"
    return "; the same command goes on from here" if isinstance(config, EmbedConfig) else ""


def find_command(name: str) -> Callable[[Any], int | None]:
    """Load the module of a command only now, so that `--help` stays instant."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return import_module(f"peftide.cli.{name}").run


def quiet_libraries(*, debug: bool, offline: bool) -> None:
    """Send our log to standard error, and keep other libraries' chatter away."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("peftide").setLevel(logging.DEBUG if debug else logging.INFO)
    # threads that wait must sleep: on a shared machine spinning ones slow everybody down
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def fail(message: str, code: int, *, debug: bool) -> int:
    """Print one message to standard error and return the exit code."""
    if debug:
        traceback.print_exc()
    print(message, file=sys.stderr)
    return code
