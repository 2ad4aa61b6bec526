"""The measurement as a process of its own: options in by standard input, a plan out as JSON.

What it holds, and the memory that it measures, are then its own; and a measurement that the
system stops takes nobody with it.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from typing import Any

import peftide.errors
from peftide.config import PlanConfig, as_mapping, from_mapping
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError, PeftideError
from peftide.process import prepare_process

RESULT = "peftide-plan:"
"""How the line begins that holds the plan; anything else on standard output is not ours."""


def run_child(config: PlanConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Measure in a process of its own and return the plan.

    Raises
    ------
    InputError
        For whatever is wrong with the request, as `train` would say it.
    PeftideError
        If the measurement came to no end.
    """
    request = {
        "config": as_mapping(config),
        "given": sorted(given),
        "level": logging.getLogger("peftide").level,
    }
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    child = subprocess.run(
        [sys.executable, "-m", "peftide.planning.child"],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    lines = [line for line in child.stdout.splitlines() if line.startswith(RESULT)]
    if not lines:
        raise _ended(child.returncode)
    answer = json.loads(lines[-1].removeprefix(RESULT))
    if "error" in answer:
        raise getattr(peftide.errors, answer["kind"])(answer["error"])
    return answer


def _ended(code: int) -> PeftideError:
    if code == -signal.SIGKILL:
        return InputError(
            "the measurement was stopped by the system, most likely for want of memory",
            fix="Plan with a smaller --max-tokens, fewer --lora-layers or a smaller --backbone",
        )
    if code == -signal.SIGINT:
        raise KeyboardInterrupt
    return PeftideError(f"the measurement ended with code {code} and no result (see above)")


def main() -> None:
    """Read the request, measure, and write the answer."""
    request = json.loads(sys.stdin.read())
    prepare_process()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("peftide").setLevel(request["level"] or logging.WARNING)
    from peftide.planning.planner import make_plan

    try:
        config = from_mapping(PlanConfig, request["config"])
        answer = make_plan(config, given=frozenset(request["given"])).as_json()
    except PeftideError as error:
        answer = {"error": str(error), "kind": type(error).__name__}
    sys.stdout.write(f"{RESULT}{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
