"""Every option of every command: frozen dataclasses, one doc string per field, no torch."""

from peftide.config.commands import (
    AuditConfig,
    DemoConfig,
    EvaluateConfig,
    PlanConfig,
    PredictConfig,
    PretrainConfig,
    ReportConfig,
    SplitConfig,
    TrainConfig,
)
from peftide.config.comparing import CompareConfig
from peftide.config.embedding import EmbedConfig
from peftide.config.explaining import ExplainConfig
from peftide.config.gathering import DataConfig
from peftide.config.groups import (
    DataOptions,
    EngineOptions,
    EvaluationOptions,
    MethodOptions,
    ModelOptions,
    OptimizerOptions,
)
from peftide.config.mutating import MutateConfig
from peftide.config.options import JoinOptions, RowOptions, RunOptions, TableOptions
from peftide.config.reading import as_mapping, from_mapping, to_yaml, typed_mapping
from peftide.config.screening import ScreenConfig
from peftide.config.serving import AppConfig
from peftide.config.sharing import ExportConfig, MergeConfig, PullConfig, PushConfig
from peftide.config.starting import CompletionConfig, DoctorConfig, InitConfig
from peftide.config.sweeping import SweepConfig
from peftide.config.yaml_files import read_yaml

__all__ = [
    "AppConfig",
    "AuditConfig",
    "CompareConfig",
    "CompletionConfig",
    "DataConfig",
    "DataOptions",
    "DemoConfig",
    "DoctorConfig",
    "EmbedConfig",
    "EngineOptions",
    "EvaluateConfig",
    "EvaluationOptions",
    "ExplainConfig",
    "ExportConfig",
    "InitConfig",
    "JoinOptions",
    "MergeConfig",
    "MethodOptions",
    "ModelOptions",
    "MutateConfig",
    "OptimizerOptions",
    "PlanConfig",
    "PredictConfig",
    "PretrainConfig",
    "PullConfig",
    "PushConfig",
    "ReportConfig",
    "RowOptions",
    "RunOptions",
    "ScreenConfig",
    "SplitConfig",
    "SweepConfig",
    "TableOptions",
    "TrainConfig",
    "as_mapping",
    "from_mapping",
    "read_yaml",
    "to_yaml",
    "typed_mapping",
]
