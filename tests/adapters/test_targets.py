"""Layer options in all their forms, and the exact names of the modules they mean."""

import pytest
from torch import nn

from peftide.adapters.layers import TARGETS, check_targets
from peftide.adapters.targets import (
    feedforward_outputs,
    layer_paths,
    module_names,
)
from peftide.backbones import BACKBONES
from peftide.backbones.loading import load_backbone
from peftide.backbones.unirep import MATRICES
from peftide.errors import InputError
from tests.backbones.conftest import Recurrent
from tests.conftest import TINY


def test_module_names_are_full_paths():
    names = module_names(load_backbone(TINY), targets=["query", "output"], layers="all")
    assert names == [
        "encoder.layer.0.attention.self.query",
        "encoder.layer.0.attention.output.dense",
        "encoder.layer.1.attention.self.query",
        "encoder.layer.1.attention.output.dense",
    ]


def test_every_named_module_exists():
    backbone = load_backbone("random:esm2_t6_8M")
    targets = list(backbone.attention_modules)
    names = module_names(backbone, targets=targets, layers="all")
    assert len(names) == len(set(names)) == 6 * 4
    for name in names:
        backbone.model.get_submodule(name)


@pytest.mark.parametrize(
    ("targets", "said"),
    [(["keys"], "received keys. Did you mean key?"), ([], "received nothing")],
)
def test_unknown_targets(targets: list[str], said: str):
    with pytest.raises(InputError) as caught:
        module_names(load_backbone(TINY), targets=targets, layers="all")
    assert str(caught.value).startswith(f"--lora-targets: {said}")


def test_the_names_that_need_no_backbone_are_those_of_all_backbones() -> None:
    families = [family.attention_modules for family in BACKBONES.values()]
    assert {*TARGETS} == {name for modules in [*families, MATRICES] for name in modules}
    check_targets(("auto",))
    check_targets(("key", "wmh"))
    with pytest.raises(InputError, match=r"--lora-targets: received keys\. Did you mean key"):
        check_targets(("query", "keys"))


def test_paths_end_so_that_layer_1_is_not_layer_11():
    assert layer_paths(load_backbone(TINY), layers="1") == ("encoder.layer.1.",)


def test_feed_forward_outputs_are_one_matrix_per_layer():
    names = feedforward_outputs(load_backbone("random:esm2_t6_8M"), layers="last:2")
    assert names == ["encoder.layer.4.output.dense", "encoder.layer.5.output.dense"]


def test_a_layer_without_feed_forward_block_is_refused():
    backbone = load_backbone(TINY)
    backbone.model.get_submodule("encoder.layer.0.output").dense = nn.Identity()
    with pytest.raises(InputError, match="no feed-forward block"):
        feedforward_outputs(backbone, layers="all")


def test_a_backbone_without_layers_is_one_error_that_names_other_methods():
    for find in (
        lambda: module_names(Recurrent(), targets=["query"], layers="all"),
        lambda: layer_paths(Recurrent(), layers="all"),
        lambda: feedforward_outputs(Recurrent(), layers="all"),
    ):
        with pytest.raises(InputError, match="lab/recurrent has no layers") as caught:
            find()
        assert caught.value.where == "--method"
        assert "--method head" in caught.value.fix


def test_a_backbone_without_attention_is_one_error_that_names_other_methods():
    backbone = load_backbone(TINY)
    backbone.attention_modules = {}
    with pytest.raises(InputError, match="has no matrices with names") as caught:
        module_names(backbone, targets=["query"], layers="all")
    assert (caught.value.where, "--method head" in caught.value.fix) == ("--method", True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (TINY, ["encoder.layer.1.attention.self.key", "encoder.layer.1.attention.self.value"]),
        ("random:unirep_64", ["cells.3.wmh", "cells.3.wh"]),
    ],
)
def test_the_usual_targets_fit_the_backbone(name: str, expected: list[str]):
    """The paper advises key and value; a recurrent network has neither."""
    assert module_names(load_backbone(name), targets=("auto",), layers="last:1") == expected
