"""Every option of every command: frozen dataclasses, one doc string per field, no torch."""

from peftide.config.commands import (
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
from peftide.config.options import CommonOptions, RunOptions, TableOptions
from peftide.config.reading import as_mapping, from_mapping, read_yaml, to_yaml

__all__ = [
    "AuditConfig",
    "CommonOptions",
    "DemoConfig",
    "EmbedConfig",
    "EvaluateConfig",
    "PlanConfig",
    "PredictConfig",
    "PretrainConfig",
    "ReportConfig",
    "RunOptions",
    "SplitConfig",
    "TableOptions",
    "TrainConfig",
    "as_mapping",
    "from_mapping",
    "read_yaml",
    "to_yaml",
]
