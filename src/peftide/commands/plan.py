"""`peftide plan`: the options of a training in; its forecast needs on this machine out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from peftide.config import PlanConfig
from peftide.config.reading import is_in_memory
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError
from peftide.files import as_file
from peftide.planning.child import run_child
from peftide.planning.plan import Plan
from peftide.planning.tables import check_request
from peftide.training.options import check_names


def plan(config: PlanConfig, *, given: Names = NOTHING) -> Plan:
    """Forecast parameters, memory, time and disk of a training, from a short measurement.

    The measurement runs in a separate process; it downloads and writes nothing.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If `train` would refuse the same options.
    """
    if any(map(is_in_memory, vars(config).values())):
        raise InputError(
            "tables in memory", fix="Save them to files: a plan is measured in another process"
        )
    check_names(config)
    check_request(config, given=given)
    answer = run_child(_with_files(config), given=given)
    lists: dict[str, Any] = {name: tuple(answer[name]) for name in ("advice", "notes")}
    return Plan(**answer | lists)


def _with_files(config: PlanConfig) -> PlanConfig:
    """Return the options with copies of pipes, because another process cannot read those."""
    paths = {k: as_file(v) for k, v in vars(config).items() if isinstance(v, Path)}
    tests = tuple(
        f"{name}{equals}{as_file(Path(path))}"
        for name, equals, path in (text.rpartition("=") for text in config.test)
    )
    return replace(config, test=tests, **paths)
