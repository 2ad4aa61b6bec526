"""What every method of `ADAPTERS` promises."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from peftide.adapters import ADAPTERS, Adapter, AdapterOptions
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from tests.conftest import random_sequences

SEQUENCES = random_sequences(6)
OPTIONS = AdapterOptions(lora_r=4, lora_dropout=0.0, layers="last:1", targets=("query", "output"))
TRAINS: dict[str, Callable[[str], bool]] = {
    "head": lambda _name: False,
    "lora": lambda name: "lora_" in name,
    "full": lambda name: "contact_head" not in name,
}
"""Which parameters of the backbone train under each method."""
STARTS_AS_THE_FROZEN_BACKBONE = {"head", "lora", "full"}


@pytest.fixture(params=sorted(ADAPTERS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def adapter(method: str) -> Adapter:
    return ADAPTERS[method]


@pytest.fixture(params=["esm2_folder", "esm1b_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def adapted(adapter: Adapter, folder: Path) -> Backbone:
    backbone = load_backbone(str(folder))
    adapter.apply(backbone, OPTIONS)
    return backbone.eval()


def trained(backbone: Backbone) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in backbone.model.named_parameters() if p.requires_grad}


def forward(backbone: Backbone) -> torch.Tensor:
    return backbone(backbone.pack(SEQUENCES, max_length=None))


def vectors(backbone: Backbone) -> torch.Tensor:
    with torch.no_grad():
        return forward(backbone)


def step(backbone: Backbone) -> None:
    """Take one optimizer step on an arbitrary loss."""
    parameters = list(trained(backbone).values())
    if not parameters:
        return
    weights = torch.randn(forward(backbone).shape, generator=torch.Generator().manual_seed(0))
    (forward(backbone) * weights).sum().backward()
    torch.optim.AdamW(parameters, lr=0.01).step()


def test_every_method_says_what_it_trains():
    assert TRAINS.keys() == ADAPTERS.keys()


def test_only_what_should_train_does(method: str, adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    wanted = {name for name, _ in backbone.model.named_parameters() if TRAINS[method](name)}
    assert set(trained(backbone)) == wanted
    assert bool(wanted) == (adapter is not ADAPTERS["head"])


def test_output_at_the_start_is_that_of_the_frozen_backbone(
    method: str, adapter: Adapter, folder: Path
):
    if method not in STARTS_AS_THE_FROZEN_BACKBONE:
        pytest.skip("this method does not promise it")
    frozen = vectors(load_backbone(str(folder)))
    assert torch.equal(vectors(adapted(adapter, folder)), frozen)


def test_every_trained_parameter_gets_a_gradient(adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    step(backbone)
    missing = [name for name, parameter in trained(backbone).items() if parameter.grad is None]
    assert missing == []


def test_every_trained_parameter_matters_after_one_step(adapter: Adapter, esm2_folder: Path):
    backbone = adapted(adapter, esm2_folder)
    step(backbone)
    backbone.zero_grad()
    step(backbone)
    still = [
        name
        for name, parameter in trained(backbone).items()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert still == []


def test_frozen_weights_stay_bit_for_bit(adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    names = set(dict(backbone.model.named_parameters())) - set(trained(backbone))
    before = {name: t.clone() for name, t in backbone.model.state_dict().items() if name in names}
    step(backbone)
    after = backbone.model.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_step_changes_the_output_if_the_backbone_trains(adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    before = vectors(backbone)
    step(backbone)
    assert torch.equal(vectors(backbone), before) != (adapter is not ADAPTERS["head"])


def test_saved_and_loaded_gives_the_same_bits(adapter: Adapter, folder: Path, tmp_path: Path):
    backbone = adapted(adapter, folder)
    step(backbone)
    adapter.save(backbone, tmp_path)
    fresh = load_backbone(str(folder))
    adapter.load(fresh, tmp_path)
    assert torch.equal(vectors(fresh.eval()), vectors(backbone))


def test_loading_into_the_model_that_was_saved_restores_it(
    adapter: Adapter, folder: Path, tmp_path: Path
):
    backbone = adapted(adapter, folder)
    step(backbone)
    expected = vectors(backbone)
    adapter.save(backbone, tmp_path)
    step(backbone)
    adapter.load(backbone, tmp_path)
    assert torch.equal(vectors(backbone.eval()), expected)


def test_files_are_safetensors_and_json_only(adapter: Adapter, esm2_folder: Path, tmp_path: Path):
    adapter.save(adapted(adapter, esm2_folder), tmp_path)
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".json"}
