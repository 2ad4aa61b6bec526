"""The forms of `comparison.json` and `sweep.json`; other keys are allowed."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from peftide.report.forms import Count, Number, Text
from peftide.saved import OTHER_KEYS_ALLOWED

TRAINED, BASELINE = "trained", "baseline"
"""Status of the rows that have a score."""
COSTS = frozenset(
    {
        *("backbone", "validation", "seeds", "spread", "trained_parameters", "memory_mb"),
        *("seconds", "size_mb"),
    }
)
"""Keys that every row of a trained model has."""
MAYBE_EMPTY = frozenset({"validation", "spread"})


class _Row(BaseModel):
    """A row whose other keys are allowed."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class RankedForm(_Row):
    """A row of the leaderboard."""

    name: str
    method: str
    status: str
    score: Number
    low: Number = None
    high: Number = None
    difference: Number = None
    difference_low: Number = None
    difference_high: Number = None
    backbone: Text = None
    validation: Number = None
    seeds: Count = None
    spread: Number = None
    trained_parameters: Count = None
    memory_mb: Count = None
    seconds: Number = None
    size_mb: Number = None

    @model_validator(mode="after")
    def has_costs(self) -> "RankedForm":
        """Make sure that a trained model has its costs.

        Raises
        ------
        ValueError
            Names the missing keys.
        """
        empty = {name for name in COSTS - MAYBE_EMPTY if getattr(self, name) is None}
        missing = sorted((COSTS - self.model_fields_set) | empty)
        if self.status == TRAINED and missing:
            raise ValueError(f"a row with {', '.join(missing)}, as every trained model has")
        return self


@dataclass(frozen=True)
class ComparisonForm:
    """`comparison.json`."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    part: str
    metric: str
    rows: tuple[RankedForm, ...]
    chosen: str
    verdict: tuple[str, ...]


@dataclass(frozen=True)
class RangeForm:
    """The ends of an option's values."""

    low: float
    high: float


@dataclass(frozen=True)
class BestForm:
    """The best trial."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    trial: int
    score: float
    values: dict[str, Any]


class TrialForm(_Row):
    """A trial; its other keys are the values of the options."""

    trial: int
    state: str
    score: Number
    seconds: Number


@dataclass(frozen=True)
class SweepForm:
    """`sweep.json`."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    metric: str
    best: BestForm
    importance: dict[str, float]
    space: dict[str, tuple[Any, ...] | RangeForm]
    trials: tuple[TrialForm, ...]
