"""`peftide plan`."""

import argparse
import json
import shlex
from collections.abc import Iterator
from dataclasses import fields

from peftide.cli.arguments import add_options
from peftide.cli.closing import changed_words, free_path, say_next
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.plan import plan
from peftide.config import PlanConfig, TrainConfig, as_mapping, from_mapping
from peftide.config.groups import DEFAULT_BACKBONE
from peftide.config.unread import Names
from peftide.planning.plan import Plan
from peftide.quantities import byte_size, count_of, duration
from peftide.training.options import for_method

BUSY = 2.0
"""Wall time per CPU time from which a plan says that the machine is busy."""
SUMS = ("per_epoch", "total")


def run(config: PlanConfig, given: Names) -> None:
    """Plan, then print the forecast and the next command."""
    found = plan(config, given=given)
    if config.json:
        say(json.dumps(found.as_json(), indent=2), wrap=False)
    else:
        print_plan(found)
    say_next(next_command(config, found, given=given))


def print_plan(plan: Plan) -> None:
    """Print a plan, and at the end whether it fits, highlighted."""
    say("\n".join(plan_lines(plan)))
    if plan.fits:
        say("\nverdict: fits on this machine", style="good")
        return
    say("\nverdict: DOES NOT FIT" + (". These changes fit:" if plan.advice else ""), style="bad")
    say("\n".join(f"  {line}" for line in plan.advice))


def next_command(config: PlanConfig, plan: Plan, *, given: Names) -> list[str]:
    """Return the training as it was planned, or if it does not fit, the plan of a smaller one."""
    known = [field.name for field in fields(config)]
    names = [name for name in known if name in given and name not in ("json", "out")]
    if plan.fits:
        words = changed_words(config, names, reader=TrainConfig)
        return ["peftide", "train", *words, "--out", str(free_path("my_run"))]
    changes = [line.partition(":")[0] for line in plan.advice if line.startswith("--")]
    changed = shlex.split(changes[0]) if changes else ["--backbone", DEFAULT_BACKBONE]
    smaller = with_words(config, changed)
    kept = [name for name in names if getattr(smaller, name) == getattr(config, name)]
    return ["peftide", "plan", *changed_words(config, kept), *changed]


def with_words(config: PlanConfig, words: list[str]) -> PlanConfig:
    """Return the options of a plan, changed by words of the command line."""
    parser = argparse.ArgumentParser(prog="peftide plan", add_help=False)
    add_options(parser, PlanConfig, everything=True)
    changes = vars(parser.parse_args(words))
    changes.pop("config")
    changed = from_mapping(PlanConfig, as_mapping(config) | changes)
    other = for_method(changed, changed.method)
    assert isinstance(other, PlanConfig)
    return other


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the plan as text."""
    request, machine = plan.request, plan.machine
    rows = ", ".join(f"{count:,} {part}" for part, count in request["rows"].items())
    yield f"{request['task']}, {request['method']} on {request['backbone']}"
    yield f"rows: {rows}; {count_of(request['proteins'], 'protein')}"
    yield (
        f"on this machine: {machine['device']}, {machine['precision']}, "
        f"{count_of(machine['threads'], 'thread')}, token budget {machine['max_tokens']:,}"
    )
    yield ""
    yield from aligned(_summary(plan))
    yield ""
    yield from aligned(_pieces(plan))
    yield from (f"note: {line}" for line in plan.notes)
    yield from _busy(plan)


def _busy(plan: Plan) -> Iterator[str]:
    """Yield a note if other work takes most of the time; a GPU works without the CPU."""
    wall, cpu = plan.seconds["total"], sum(plan.cpu_seconds.values())
    if plan.machine["device"] == "cpu" and cpu and wall > BUSY * cpu:
        yield (
            f"note: this machine is busy: an idle one takes about {duration(cpu)} with one thread"
        )


def _summary(plan: Plan) -> list[list[str]]:
    parameters, machine, seconds = plan.parameters, plan.machine, plan.seconds
    epochs, share = plan.request["epochs"], parameters["trained"] / parameters["total"]
    free, total = machine["memory_free_bytes"], machine["memory_bytes"]
    return [
        ["parameters trained", f"{parameters['trained']:,}"]
        + [f"{share:.3%} of {parameters['total']:,}"],
        ["peak memory", byte_size(plan.memory["peak"])]
        + [
            f"free: {byte_size(free)} of {byte_size(total)}; "
            "libraries and other mapped files not included"
        ],
        ["disk while it runs", byte_size(plan.disk["peak"])]
        + [
            f"free: {byte_size(machine['disk_free_bytes'])}; "
            f"afterwards {byte_size(plan.disk['kept'])}, predictions, baselines and report"
        ],
        ["time", duration(seconds["total"])]
        + [
            f"of it {duration(epochs * seconds['per_epoch'])} for {count_of(epochs, 'epoch')} of "
            f"{duration(seconds['per_epoch'])}, fewer with early stopping; the rest is below"
        ],
    ]


def _pieces(plan: Plan) -> list[list[str]]:
    """Return the time of each piece of work."""
    rows = [["", "time", "CPU time"]]
    rows += [
        [name, duration(seconds), duration(plan.cpu_seconds[name])]
        for name, seconds in plan.seconds.items()
        if name not in SUMS and seconds
    ]
    return rows
