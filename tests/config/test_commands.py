import dataclasses
from pathlib import Path

import pytest

from peftide import config as config_package
from peftide.config import (
    AppConfig,
    AuditConfig,
    CompareConfig,
    CompletionConfig,
    DataConfig,
    DataOptions,
    DemoConfig,
    DoctorConfig,
    EmbedConfig,
    EngineOptions,
    EvaluateConfig,
    EvaluationOptions,
    ExplainConfig,
    ExportConfig,
    InitConfig,
    JoinOptions,
    MergeConfig,
    MethodOptions,
    ModelOptions,
    MutateConfig,
    OptimizerOptions,
    PlanConfig,
    PredictConfig,
    PretrainConfig,
    PullConfig,
    PushConfig,
    ReportConfig,
    RowOptions,
    RunOptions,
    ScreenConfig,
    SplitConfig,
    SweepConfig,
    TableOptions,
    TrainConfig,
    as_mapping,
    from_mapping,
    read_yaml,
    to_yaml,
)

CONFIGS = [
    DataConfig,
    ExportConfig,
    MergeConfig,
    PullConfig,
    PushConfig,
    AppConfig,
    TrainConfig,
    PredictConfig,
    EvaluateConfig,
    ExplainConfig,
    EmbedConfig,
    PretrainConfig,
    DemoConfig,
    ReportConfig,
    AuditConfig,
    SplitConfig,
    PlanConfig,
    CompareConfig,
    SweepConfig,
    ScreenConfig,
    InitConfig,
    CompletionConfig,
    DoctorConfig,
    MutateConfig,
]
GROUPS = [
    DataOptions,
    ModelOptions,
    MethodOptions,
    OptimizerOptions,
    EngineOptions,
    EvaluationOptions,
]
REQUIRED = {
    TrainConfig: {"task": "ppi", "out": Path("run")},
    PredictConfig: {"run": Path("run"), "input": Path("a.tsv")},
    EvaluateConfig: {"run": Path("run"), "input": Path("a.tsv"), "out": Path("scores")},
    EmbedConfig: {"out": Path("e.h5")},
    PretrainConfig: {"sequences": (Path("p.fasta"), Path("q.fasta.xz")), "out": Path("backbone")},
    DemoConfig: {},
    CompareConfig: {"task": "ppi", "out": Path("compared"), "layers": (2, "last")},
    SweepConfig: {"task": "ppi", "out": Path("swept"), "space": Path("space.yaml")},
    ScreenConfig: {"run": Path("run"), "sequences": Path("p.fasta"), "out": Path("h.parquet")},
    InitConfig: {"out": Path("ppi.yaml")},
    DoctorConfig: {},
    CompletionConfig: {"shell": "bash"},
    MutateConfig: {"run": Path("run"), "out": Path("designs")},
    AppConfig: {"run": Path("run")},
    DataConfig: {"source": "string", "input": (Path("a.txt"), Path("b.txt")), "out": Path("t")},
    ExportConfig: {"run": Path("run"), "out": Path("onnx")},
    MergeConfig: {"run": Path("run"), "out": Path("merged")},
    PullConfig: {"repository": "me/model", "out": Path("pulled")},
    PushConfig: {"run": Path("run"), "repository": "me/model"},
    ReportConfig: {"run": Path("run")},
    AuditConfig: {"train": Path("a.tsv")},
    ExplainConfig: {"run": Path("run"), "input": Path("a.tsv"), "out": Path("explained")},
    SplitConfig: {"input": (Path("a.tsv"), Path("b.tsv")), "out": Path("parts")},
    PlanConfig: {"task": "ppi"},
}


def test_every_config_class_is_tested_here() -> None:
    public = {getattr(config_package, name) for name in config_package.__all__}
    classes = {found for found in public if isinstance(found, type)}
    assert classes == {*CONFIGS, *GROUPS, JoinOptions, RowOptions, RunOptions, TableOptions}


@pytest.mark.parametrize("group", GROUPS)
def test_a_training_is_made_of_groups_that_stand_alone(group: type) -> None:
    config = TrainConfig(out=Path("run"))
    alone = group()
    assert isinstance(config, group)
    assert as_mapping(alone).items() <= as_mapping(config).items()


@pytest.mark.parametrize("config_class", CONFIGS)
def test_every_field_has_a_line_of_documentation(config_class: type) -> None:
    for field in dataclasses.fields(config_class):
        text = field.metadata["doc"]
        assert text, field.name
        assert "\n" not in text
        assert not text.endswith(".")


@pytest.mark.parametrize("config_class", CONFIGS)
def test_a_config_cannot_be_changed(config_class: type) -> None:
    config = config_class(**REQUIRED[config_class])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


@pytest.mark.parametrize("config_class", CONFIGS)
def test_defaults_survive_yaml(config_class: type, tmp_path: Path) -> None:
    config = config_class(**REQUIRED[config_class])
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert from_mapping(config_class, read_yaml(tmp_path / "c.yaml")) == config


@pytest.mark.parametrize("config_class", CONFIGS)
def test_changed_values_survive_yaml(config_class: type, tmp_path: Path) -> None:
    config = config_class(**REQUIRED[config_class])
    changed = dataclasses.replace(config, **changed_values(config))
    assert all(getattr(changed, name) != getattr(config, name) for name in as_mapping(config))
    (tmp_path / "c.yaml").write_text(to_yaml(changed))
    assert from_mapping(config_class, read_yaml(tmp_path / "c.yaml")) == changed


def changed_values(config: object) -> dict[str, object]:
    """Return another value for every field."""
    return {name: other_value(name, value) for name, value in vars(config).items()}


def other_value(name: str, value: object) -> object:
    special: dict[str, object] = {
        "precision": "bf16",
        "missing": "drop",
        "self_pairs": "keep",
        "validation_kind": "none_seen",
        "shared_proteins": "allow",
        "pooling": "cls",
        "projection": "umap",
        "pairing": "mean",
        "head": "linear",
        "imbalance": "weights",
        "calibration": "isotonic",
        "error_rate": 0.2,
        "prevalence": 0.001,
        "max_length": None,
        **{name: f"x_{name}" for name in ("id_b_column", "label_column", "sequence_b_column")},
        "threads": 3,
        "truncate": 64,
        "sampler": "pairs",
        "blocks": 5,
        "shard_size": 100,
        "number_type": "float32",
        "workers": 2,
        "max_tokens": 99,
        "layer": 1,
        "layers": {str: "all", int: 7, tuple: (1, "auto")}.get(type(value)),
        "seeds": 3,
        "validation_seed": 3,
        "wild_type": "wild.fasta",
        "offset": 3,
        "preset": "good",
        "time_limit": 5.0,
        "search": "random",
        "storage": "sqlite:///a.db",
        "top_k": 4,
        "shortlist": 9,
        "head_dropout": 0.2,
        "threshold": 0.5,
        "known_pairs": "drop",
        "shell": "zsh",
        "base_bits": 8,
        "learning_rate": 1e-5,
        "part": "test",
        "hours": 0.5,
        "weights_dtype": "bf16",
        "relatives_weight": 0.5,
        "mask_span": 2.0,
        "backbone": "0123: other",
        "title": "2026: a title",
        "kind": "cluster",
        "similarity": "none",
        "negatives": "sample",
        "partner": "a",
        "position": 3,
        "attribution": "occlusion",
        "format": "parquet",
        "source": "biogrid",
        "taxon": 9606,
        "min_score": 0.7,
        "evidence": "all",
        "isoforms": "keep",
        "fractions": (0.5, 0.25, 0.25),
    }
    if name in special:
        return special[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value / 2
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple) and value and isinstance(value[0], Path):
        return (Path("folder with blanks"), Path("a = b, c"))
    if isinstance(value, tuple):
        return ("query", "a = b, c")
    if isinstance(value, str):
        return "0123: other"
    return Path("folder with blanks") / "ä.tsv"


def test_the_defaults_are_the_advice_of_the_paper() -> None:
    """Sledzieski et al. 2024: rank of at least 4 on key and value."""
    config = TrainConfig(task="ppi", out=Path("run"))
    assert (config.lora_r, config.lora_targets) == (8, ("auto",))
    assert config.lora_layers == "last_quarter"
