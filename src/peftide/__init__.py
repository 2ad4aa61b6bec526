"""Adapt protein language models to labelled proteins, on the hardware you have.

sequences → tokens → backbones (+ adapters) → pooling (→ pairing) → heads → metrics
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from peftide.version import __version__ as __version__

if TYPE_CHECKING:
    from peftide.auditing.result import AuditResult
    from peftide.backbones.loading import load_backbone
    from peftide.bundle import load_bundle
    from peftide.commands.app import app
    from peftide.commands.audit import audit
    from peftide.commands.compare import compare
    from peftide.commands.compare_scores import compare_scores
    from peftide.commands.data import data
    from peftide.commands.demo import demo
    from peftide.commands.doctor import doctor
    from peftide.commands.embed import embed
    from peftide.commands.evaluate import evaluate
    from peftide.commands.explain import explain
    from peftide.commands.export import export
    from peftide.commands.init import init
    from peftide.commands.merge import merge
    from peftide.commands.mutate import mutate
    from peftide.commands.plan import plan
    from peftide.commands.predict import predict
    from peftide.commands.pretrain import pretrain
    from peftide.commands.pull import pull
    from peftide.commands.push import push
    from peftide.commands.screen import screen
    from peftide.commands.split import split
    from peftide.commands.sweep import sweep
    from peftide.commands.train import train
    from peftide.config import (
        AppConfig,
        AuditConfig,
        CompareConfig,
        DataConfig,
        DemoConfig,
        DoctorConfig,
        EmbedConfig,
        EvaluateConfig,
        ExplainConfig,
        ExportConfig,
        InitConfig,
        MergeConfig,
        MutateConfig,
        PlanConfig,
        PredictConfig,
        PretrainConfig,
        PullConfig,
        PushConfig,
        ScreenConfig,
        SplitConfig,
        SweepConfig,
        TrainConfig,
    )
    from peftide.errors import PeftideError
    from peftide.estimators import PairClassifier, ProteinClassifier, ProteinRegressor
    from peftide.predictor import Predictor, load
    from peftide.report import write_report


__all__ = [
    "AppConfig",
    "AuditConfig",
    "AuditResult",
    "CompareConfig",
    "DataConfig",
    "DemoConfig",
    "DoctorConfig",
    "EmbedConfig",
    "EvaluateConfig",
    "ExplainConfig",
    "ExportConfig",
    "InitConfig",
    "MergeConfig",
    "MutateConfig",
    "PairClassifier",
    "PeftideError",
    "PlanConfig",
    "PredictConfig",
    "Predictor",
    "PretrainConfig",
    "ProteinClassifier",
    "ProteinRegressor",
    "PullConfig",
    "PushConfig",
    "ScreenConfig",
    "SplitConfig",
    "SweepConfig",
    "TrainConfig",
    "app",
    "audit",
    "compare",
    "compare_scores",
    "data",
    "demo",
    "doctor",
    "embed",
    "evaluate",
    "explain",
    "export",
    "init",
    "load",
    "load_backbone",
    "load_bundle",
    "merge",
    "mutate",
    "plan",
    "predict",
    "pretrain",
    "pull",
    "push",
    "screen",
    "split",
    "sweep",
    "train",
    "write_report",
]

_HOMES = {
    "AppConfig": "config",
    "AuditConfig": "config",
    "AuditResult": "auditing.result",
    "CompareConfig": "config",
    "DataConfig": "config",
    "DemoConfig": "config",
    "DoctorConfig": "config",
    "EmbedConfig": "config",
    "EvaluateConfig": "config",
    "ExportConfig": "config",
    "ExplainConfig": "config",
    "InitConfig": "config",
    "MergeConfig": "config",
    "MutateConfig": "config",
    "PairClassifier": "estimators",
    "PeftideError": "errors",
    "PlanConfig": "config",
    "PredictConfig": "config",
    "PretrainConfig": "config",
    "PullConfig": "config",
    "PushConfig": "config",
    "ProteinClassifier": "estimators",
    "ProteinRegressor": "estimators",
    "ScreenConfig": "config",
    "SplitConfig": "config",
    "SweepConfig": "config",
    "TrainConfig": "config",
    "app": "commands.app",
    "audit": "commands.audit",
    "compare": "commands.compare",
    "compare_scores": "commands.compare_scores",
    "data": "commands.data",
    "demo": "commands.demo",
    "doctor": "commands.doctor",
    "embed": "commands.embed",
    "evaluate": "commands.evaluate",
    "export": "commands.export",
    "explain": "commands.explain",
    "init": "commands.init",
    "load_backbone": "backbones.loading",
    "Predictor": "predictor",
    "load": "predictor",
    "load_bundle": "bundle",
    "merge": "commands.merge",
    "mutate": "commands.mutate",
    "plan": "commands.plan",
    "predict": "commands.predict",
    "pretrain": "commands.pretrain",
    "pull": "commands.pull",
    "push": "commands.push",
    "screen": "commands.screen",
    "split": "commands.split",
    "sweep": "commands.sweep",
    "train": "commands.train",
    "write_report": "report",
}


logging.getLogger("peftide").addHandler(logging.NullHandler())  # a library call prints nothing


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing peftide stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'peftide' has no attribute {name!r}")
    return getattr(import_module(f"peftide.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
