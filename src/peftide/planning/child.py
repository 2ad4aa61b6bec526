"""The measurement in a child process: options in on standard input, a plan out as JSON.

The caller's memory is not counted, and an out-of-memory kill cannot take down the caller.
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
from peftide.progress import is_saying_once

logger = logging.getLogger(__name__)

RESULT = "peftide-plan:"
"""Prefix of the line with the plan; all other lines on standard output are ignored."""


def run_child(config: PlanConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Measure in a child process and return the plan.

    Raises
    ------
    InputError
        If `train` would refuse the same options.
    PeftideError
        If the measurement did not finish.
    """
    level = logging.getLogger("peftide").level
    if not is_saying_once():
        logger.info("measuring one step of this training in a process of its own")
    request = {
        "config": as_mapping(config),
        "given": sorted(given),
        "level": logging.ERROR if is_saying_once() else level,  # the training says them again
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
            "the operating system killed the measurement, most likely because memory ran out",
            fix="Plan with a smaller --max-tokens, fewer --lora-layers or a smaller --backbone",
        )
    if code == -signal.SIGINT:
        raise KeyboardInterrupt
    return PeftideError(
        f"the measurement ended with exit code {code} and without a result; "
        "see its error messages above"
    )


def main() -> None:
    """Read the request, measure, and write the answer."""
    request = json.loads(sys.stdin.read())
    prepare_process()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    level = request["level"] or logging.WARNING
    logging.getLogger("peftide").setLevel(level)
    for room in ("training", "evaluation"):  # hides epochs and scores of the measurement
        logging.getLogger(f"peftide.{room}").setLevel(max(level, logging.WARNING))
    from peftide.planning.planner import make_plan

    try:
        config = from_mapping(PlanConfig, request["config"])
        answer = make_plan(config, given=frozenset(request["given"])).as_json()
    except PeftideError as error:
        answer = {"error": str(error), "kind": type(error).__name__}
    sys.stdout.write(f"{RESULT}{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
