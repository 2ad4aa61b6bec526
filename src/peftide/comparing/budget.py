"""The forecast of each contender → whether its next training fits into memory and time."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from peftide.comparing.cells import Contender
from peftide.planning.plan import Plan
from peftide.quantities import byte_size, duration
from peftide.run_decisions import decided
from peftide.run_folder import RunFolder

logger = logging.getLogger(__name__)

MINUTE = 60.0


class _NoRoomError(Exception):
    """A forecast that does not fit; it is not kept, because a later call may have more room."""


@dataclass
class Budget:
    """Decides, before each training, whether it fits.

    Attributes
    ----------
    folder
        Folder of the comparison, which keeps the forecasts for a resumed call.
    forecast
        Plans a training of a contender.
    minutes
        Time for this call; None for any time.
    """

    folder: RunFolder
    forecast: Callable[[Contender], Plan]
    minutes: float | None
    started: float = field(default_factory=time.monotonic)
    measured: dict[Contender, float] = field(default_factory=dict)

    def objection(self, contender: Contender) -> str:
        """Return why the next training of a contender does not fit; empty if it fits."""
        if self.left() <= 0:
            return f"the time of {self._limit()} has passed"
        try:
            plan: dict[str, Any] = decided(
                self.folder, f"plan of {contender.name}", partial(self._plan, contender)
            )
        except _NoRoomError as error:
            return str(error)
        needed: float = self.measured.get(contender, plan["seconds"] or 0.0)
        left = self.left()
        if needed <= left:
            return ""
        rest = duration(max(left, 0))
        return f"it needs about {duration(needed)}, and {rest} of {self._limit()} are left"

    def left(self) -> float:
        """Return the seconds that are left."""
        if self.minutes is None:
            return float("inf")
        return self.minutes * MINUTE - (time.monotonic() - self.started)

    def _limit(self) -> str:
        return f"--time-limit {self.minutes:g}"

    def learn(self, contender: Contender, seconds: float) -> None:
        """Take the time of a finished training as the forecast of the next one."""
        self.measured[contender] = seconds

    def _plan(self, contender: Contender) -> dict[str, Any]:
        logger.info("planning %s: memory and time are measured first", contender.name)
        plan = self.forecast(contender)
        if not plan.fits:
            needs = f"{byte_size(plan.memory['peak'])} of memory and "
            needs += f"{byte_size(plan.disk['peak'])} of disk"
            advice = plan.advice[0] if plan.advice else ""
            raise _NoRoomError(f"it needs {needs} on this machine. {advice}".strip())
        return {"seconds": plan.seconds["total"]}
