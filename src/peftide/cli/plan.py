"""`peftide plan`."""

import json
from collections.abc import Iterator

from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.plan import plan
from peftide.config import PlanConfig
from peftide.config.unread import Names
from peftide.planning.plan import Plan
from peftide.quantities import byte_size, duration

SUMS = ("per_epoch", "total")


def run(config: PlanConfig, given: Names) -> None:
    """Plan, then print the forecast."""
    found = plan(config, given=given)
    say(json.dumps(found.as_json(), indent=2) if config.json else "\n".join(plan_lines(found)))


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the plan as text."""
    request, machine = plan.request, plan.machine
    rows = ", ".join(f"{count:,} {part}" for part, count in request["rows"].items())
    yield f"{request['task']}, {request['method']} on {request['backbone']}"
    yield f"rows: {rows}; {request['proteins']:,} proteins"
    yield (
        f"on this machine: {machine['device']}, {machine['precision']}, "
        f"{machine['threads']} threads, token budget {machine['max_tokens']:,}"
    )
    yield ""
    yield from aligned(_summary(plan))
    yield ""
    yield from aligned(_pieces(plan))
    yield ""
    if not plan.fits:
        yield "DOES NOT FIT. These changes fit:" if plan.advice else "DOES NOT FIT"
    yield from (f"  {line}" for line in plan.advice)
    yield from (f"note: {line}" for line in plan.notes)


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
        + [f"{epochs} epochs of {duration(seconds['per_epoch'])}; fewer with early stopping"],
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
