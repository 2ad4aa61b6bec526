"""The forms of the files that a report reads; other keys are allowed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from peftide.outcomes import OUTCOMES
from peftide.saved import OTHER_KEYS_ALLOWED
from peftide.sequences.records import Finding

Count = int | None
Number = float | None
Text = str | None


def iso_date(text: str) -> str:
    """Return a text that is a date and time.

    Raises
    ------
    ValueError
        If it is not.
    """
    datetime.fromisoformat(text)
    return text


@dataclass(frozen=True)
class Score:
    """One score, or a difference between two."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    value: Number
    low: Number = None
    high: Number = None
    n: Count = None
    conservative_low: Number = None
    conservative_high: Number = None
    spans_zero: bool | None = None


class Scores(BaseModel):
    """Scores by name."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Score]  # type: ignore[reportIncompatibleVariableOverride]


class ClassScores(Scores):
    """Scores of one class by name."""

    average_precision: Score


class PartScores(Scores):
    """Scores of a part by name, and the scores of each class."""

    per_class: dict[str, ClassScores] = {}


Beside = dict[str, dict[str, PartScores]]
"""Name of a baseline or tool → part → its scores there."""


@dataclass(frozen=True)
class IntervalForm:
    """How the intervals of a part were computed."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    unit: str = "row"
    units: Count = None
    replicates: Count = None


@dataclass(frozen=True)
class CalibrationForm:
    """The method by which probabilities were calibrated."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    method: Text = None


@dataclass(frozen=True)
class MetricsForm:
    """`metrics.json`."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    outcome: Literal[*OUTCOMES]  # type: ignore[valid-type]
    headline: str
    splits: dict[str, PartScores]
    threshold: Number = None
    calibration: CalibrationForm | None = None
    baselines: Beside = field(default_factory=dict)
    peers: Beside = field(default_factory=dict)
    differences: Beside = field(default_factory=dict)
    intervals: dict[str, IntervalForm] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class HardwareForm:
    """The machine of a run."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    device: Text = None
    device_name: Text = None
    precision: Text = None
    platform: str = ""
    threads: Count = None


@dataclass(frozen=True)
class RowsForm:
    """Rows of a part, and the rows that count."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    rows: int
    counted: int


@dataclass(frozen=True)
class LayerForm:
    """The score of one layer on validation."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    layer: int
    value: Number
    low: Number = None
    high: Number = None


@dataclass(frozen=True)
class LayersForm:
    """The scores from which `--layer auto` chose."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    chosen: int
    metric: str
    said: str
    scores: tuple[LayerForm, ...]


@dataclass(frozen=True)
class RunForm:
    """`run.json`."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    command: str = "train"
    task: Text = None
    method: Text = None
    backbone: Text = None
    model: Text = None
    input: Text = None
    date: Annotated[str, AfterValidator(iso_date)] | None = None
    seed: int = 0
    best_epoch: Count = None
    epochs: Count = None
    steps: Count = None
    training_residues_per_second: Number = None
    peak_memory_bytes: Count = None
    memory_before_bytes: Count = None
    weights_sha256: Text = None
    backbone_hub_id: Text = None
    weights_licence: Text = None
    hardware: HardwareForm = field(default_factory=HardwareForm)
    parameters: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, Number] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    examples: dict[str, RowsForm] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    layers: LayersForm | None = None
    chosen: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VerdictForm:
    """A finding of an audit."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    severity: Literal["leak", "warning", "note", "ok"]
    part: str
    text: str
    advice: Text = None


@dataclass(frozen=True)
class AuditedPart:
    """A part that was audited."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    file: Text = None


@dataclass(frozen=True)
class AuditForm:
    """`audit.json`."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    verdicts: tuple[VerdictForm, ...]
    similarity: Any = None
    conclusion: Text = None
    parts: dict[str, AuditedPart] = field(default_factory=dict)
