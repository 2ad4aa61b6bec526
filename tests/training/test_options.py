from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from peftide.adapters import ADAPTERS, READS
from peftide.config import MethodOptions, TrainConfig
from peftide.errors import InputError
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks import TASKS
from peftide.training.options import (
    ADAPTER,
    HEADS,
    LEVELS,
    METHODS,
    POOLINGS,
    SAMPLERS,
    check_options,
    choices,
    for_method,
    same_validation,
)

OUT = Path("run")
DEFAULTS = {field.name: field.default for field in fields(TrainConfig)}


def config(**options: Any) -> TrainConfig:
    return TrainConfig(**({"task": "ppi", "out": OUT} | options))


def refused(**options: Any) -> str:
    """Return the message of a refusal, or nothing."""
    request = config(**options)
    try:
        check_options(request, TASKS[request.task])
    except InputError as error:
        return str(error)
    return ""


UNREAD = [
    ({"method": "head"}, {"learning_rate": 1e-9, "blocks": 8, "trunk_gb": 3.0}),
    ({"method": "head"}, {"weight_decay": 0.1, "gradient_checkpointing": True, "lora_r": 4}),
    ({"method": "head", "pooling": "attention"}, {"learning_rate": 1e-9, "lora_alpha": 3}),
    ({"method": "full"}, {"trunk_gb": 3.0, "lora_layers": "all"}),
    ({"method": "vera"}, {"lora_r": 4, "weight_decay": 0.1}),
    ({"method": "last_k"}, {"lora_targets": ("query",), "lora_dropout": 0.2}),
    ({"method": "head", "backbone": "unirep"}, {"truncate": 9}),
    ({"head": "linear"}, {"head_width": 8, "head_dropout": 0.5}),
    ({"sampler": "pairs"}, {"blocks": 3}),
    (
        {"validation": Path("v.tsv")},
        {"validation_fraction": 0.2, "validation_kind": "random", "validation_seed": 3},
    ),
    ({"task": "ppi"}, {"class_map": Path("m.tsv"), "id_column": "x", "cluster_column": "c"}),
    ({"task": "ppi"}, {"mask_column": "m", "sequence_column": "s"}),
    ({"task": "regression"}, {"imbalance": "weights", "sampler": "blocks", "blocks": 2}),
    ({"task": "regression"}, {"pairing": "mean", "self_pairs": "keep", "id_a_column": "x"}),
    ({"task": "symmetry"}, {"mask_column": "m", "id_b_column": "x", "sequence_b_column": "y"}),
    ({"task": "ppi"}, {"missing": "drop"}),
    (
        {"task": "variants", "method": "head"},
        {"epochs": 3, "batch_size": 8, "patience": 2, "checkpoint_minutes": 1.0},
    ),
    ({"task": "residue"}, {"pooling": "cls", "class_map": Path("m.tsv")}),
]
READ = [
    {"method": "head", "head_learning_rate": 0.1, "epochs": 3, "sampler": "blocks", "blocks": 2},
    {"method": "head", "pooling": "attention", "trunk_gb": 3.0, "blocks": 3},
    {"method": "full", "learning_rate": 0.1, "weight_decay": 0.1, "gradient_checkpointing": True},
    {"method": "last_k", "lora_layers": "last:2", "weight_decay": 0.1, "trunk_gb": 0.0},
    {"method": "vera", "learning_rate": 0.1, "lora_targets": ("query",)},
    {"method": "lora", "backbone": "random:unirep_64", "truncate": 64},
    {"head": "linear", "head_weight_decay": 0.2},
    {"task": "symmetry", "class_map": Path("m.tsv"), "cluster_column": "fold"},
    {"task": "residue", "mask_column": "m", "id_column": "name", "imbalance": "weights"},
    {"sequences": Path("s.fasta"), "missing": "drop"},
    {"task": "variants", "method": "head", "head": "mlp", "epochs": 3, "patience": 2},
    {"validation_fraction": 0.2, "validation_kind": "none_seen", "pairing": "mean"},
]


@pytest.mark.parametrize(("choice", "unread"), UNREAD)
def test_every_option_that_a_choice_leaves_unread_is_refused(
    choice: dict[str, Any], unread: dict[str, Any]
) -> None:
    said = refused(**choice, **unread)
    for name in unread:
        assert f"--{name.replace('_', '-')}: " in said
    assert said.count("does not read it") == len(unread)


@pytest.mark.parametrize(("choice", "unread"), UNREAD)
def test_an_option_named_at_its_default_is_refused_too(
    choice: dict[str, Any], unread: dict[str, Any]
) -> None:
    request = config(**choice)
    check_options(request, TASKS[request.task])
    for name in unread:
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')}: "):
            check_options(request, TASKS[request.task], given=frozenset({name}))


@pytest.mark.parametrize("options", READ)
def test_options_that_are_read_are_taken(options: dict[str, Any]) -> None:
    assert refused(**options) == ""


def test_all_problems_are_one_error_that_names_the_choice() -> None:
    said = refused(
        method="head", lora_r=4, learning_rate=1e-9, trunk_gb=1.0, calibration="isotonic"
    )
    assert "3 problems" in said
    assert "--learning-rate: --method head does not read it" in said
    assert "--trunk-gb: --method head with --pooling mean does not read it" in said
    said = refused(task="regression", calibration="isotonic", baselines=("degree",), blocks=2)
    assert "3 problems" in said
    assert "--blocks: the task regression does not read it" in said


def test_only_a_recurrent_backbone_can_be_truncated() -> None:
    said = refused(truncate=64)
    assert "--truncate: received 64 with --backbone mini, which is not recurrent" in said
    assert "expected one of unirep, unirep_256, unirep_64" in said


def test_of_a_resumed_run_only_what_is_named_now_is_refused() -> None:
    request = config(method="head", lora_r=4, resume=True)
    check_options(request, TASKS["ppi"], given=frozenset({"out", "resume"}))
    with pytest.raises(InputError, match="--lora-r"):
        check_options(request, TASKS["ppi"], given=frozenset({"lora_r"}))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", ADAPTERS)
def test_choices_name_options_that_exist_and_never_one_another(task: str, method: str) -> None:
    deciding = {"task", "method", "head", "validation", "out"}
    for choice in choices(config(task=task, method=method), TASKS[task]):
        assert choice.unread <= DEFAULTS.keys() - deciding


def test_the_tables_name_values_that_exist() -> None:
    assert METHODS.keys() <= ADAPTERS.keys()
    assert LEVELS.keys() == {task.level for task in TASKS.values()}
    kinds = {name: TrainConfig.__dataclass_fields__[name].type for name in ("head", "pooling")}
    assert HEADS.keys() == set(kinds["head"].__args__)
    assert POOLINGS.keys() == set(kinds["pooling"].__args__)
    assert SAMPLERS.keys() == set(TrainConfig.__dataclass_fields__["sampler"].type.__args__)


@pytest.mark.parametrize("method", ADAPTERS)
def test_what_an_adapter_reads_are_options_of_the_method(method: str) -> None:
    assert READS.get(method, frozenset()) <= ADAPTER
    assert {field.name for field in fields(MethodOptions)} - {"method"} == ADAPTER


@pytest.mark.parametrize("method", ["full", "last_k", "bias", "layer_norm", "pissa", "ia3"])
def test_a_method_that_needs_the_backbone_whole_does_not_get_it_in_few_bits(method: str) -> None:
    said = refused(task="regression", method=method, base_bits=4, device="cpu")
    assert f"--base-bits: received 4, but --method {method} needs" in said
    assert "head, lora" in said
    assert "--base-bits: received 4 with --device cpu" in refused(base_bits=4, device="cpu")


@pytest.mark.parametrize("method", ADAPTERS)
def test_one_config_serves_every_method(method: str) -> None:
    given = {"lora_r": 4, "lora_layers": "all", "seed": 3, "learning_rate": 0.1, "trunk_gb": 1.0}
    other = for_method(config(**given), method)
    assert (other.method, other.seed) == (method, 3)
    check_options(other, TASKS["ppi"])
    assert other.lora_layers == ("last_quarter" if method in ("head", "full") else "all")
    assert other.learning_rate == (None if method == "head" else 0.1)


def test_trainings_with_other_seeds_keep_the_validation_part() -> None:
    tables, four = TrainingTables({}), config(method="head", seed=4)
    assert same_validation(four, tables, seed=0).validation_seed == 0
    assert same_validation(four, tables, seed=4) == four
    chosen = replace(four, validation_seed=9)
    assert same_validation(chosen, tables, seed=0) == chosen
    given = replace(four, validation=Path("v.tsv"))
    assert same_validation(given, tables, seed=0) == given


def test_only_the_out_folder_has_no_default() -> None:
    assert [name for name, default in DEFAULTS.items() if default is MISSING] == ["out"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "received with one process; start several with torchrun"),
        ({"layer": "auto"}, "received with --layer auto"),
        ({"max_tokens": "measured"}, "received with --max-tokens measured"),
        ({"method": "head"}, "does not read it"),
        ({"method": "full"}, "does not read it"),
    ],
)
def test_a_backbone_in_pieces_needs_several_processes_and_a_frozen_one(
    changes: dict[str, Any], said: str
) -> None:
    options = {"task": "regression", "method": "lora", "shard_backbone": True} | changes
    config = TrainConfig(out=Path("run"), **options)
    with pytest.raises(InputError, match="--shard-backbone: ") as error:
        check_options(config, TASKS[config.task])
    assert said in str(error.value)
