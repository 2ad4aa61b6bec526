"""What every method of `ADAPTERS` promises."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from peftide.adapters import ADAPTER_FOLDER, ADAPTERS, READS
from peftide.adapters.adapter import Adapter
from peftide.adapters.delta import DELTA_FILE
from peftide.backbones import LayeredBackbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions, TrainConfig
from peftide.errors import InputError
from peftide.training.modes import set_training_mode
from tests.conftest import TINY, padded_forward, plain_model, random_sequences, save_checkpoint

SEQUENCES = random_sequences(6)
OPTIONS = MethodOptions(
    lora_r=4, lora_dropout=0.0, lora_layers="last:1", lora_targets=("query", "output")
)
TRAINS: dict[str, Callable[[str], bool]] = {
    "head": lambda _name: False,
    "lora": lambda name: "lora_" in name,
    "rslora": lambda name: "lora_" in name,
    "lora_fa": lambda name: "lora_B" in name,
    "dora": lambda name: "lora_" in name,
    "pissa": lambda name: "lora_" in name and ".start." not in name,
    "adalora": lambda name: "lora_" in name,
    "vera": lambda name: "vera_lambda_" in name,
    "ia3": lambda name: "ia3_l" in name,
    "bias": lambda name: name.startswith("encoder.layer.1.") and name.endswith(".bias"),
    "layer_norm": lambda name: name.startswith("encoder.layer.1.") and "LayerNorm" in name,
    "last_k": lambda name: name.startswith("encoder.layer.1."),
    "full": lambda name: "contact_head" not in name,
}
"""Which parameters of the backbone train under each method."""
UP_TO_ROUNDING = {"pissa"}
"""Methods that start as the frozen backbone within rounding; all others do to the bit."""
TRAINS_WHOLE_MODULES = {"full", "last_k"}
"""Methods under which modules of the backbone itself are in training mode."""
RANDOM = {"vera": ("vera_A", "vera_B"), "lora_fa": ("lora_A.weight",)}
"""How the names end of random matrices that stay as they are, and that the file must hold."""
OWN_FORM = {"bias": DELTA_FILE, "layer_norm": DELTA_FILE, "last_k": DELTA_FILE}
OWN_FORM |= {"full": "backbone.safetensors"}
CHOOSES_LAYERS = [name for name in ADAPTERS if name not in ("head", "full")]
CHOOSES_TARGETS = [name for name, options in READS.items() if "lora_targets" in options]
IN_PEFT_FORM = sorted(ADAPTERS.keys() - OWN_FORM.keys() - {"head"})


@pytest.fixture(params=sorted(ADAPTERS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def adapter(method: str) -> Adapter:
    return ADAPTERS[method]


@pytest.fixture(params=["esm2_folder", "esm1b_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def adapted(adapter: Adapter, folder: Path) -> LayeredBackbone:
    backbone = load_backbone(str(folder))
    adapter.apply(backbone, OPTIONS)
    return backbone.eval()


def finished(adapter: Adapter, folder: Path) -> LayeredBackbone:
    """Return a backbone as training leaves it."""
    backbone = adapted(adapter, folder)
    step(backbone)
    adapter.finish(backbone)
    return backbone.eval()


def trained(backbone: LayeredBackbone) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in backbone.model.named_parameters() if p.requires_grad}


def forward(backbone: LayeredBackbone) -> torch.Tensor:
    return backbone(backbone.pack(SEQUENCES, max_length=None))


def vectors(backbone: LayeredBackbone) -> torch.Tensor:
    with torch.no_grad():
        return forward(backbone)


def step(backbone: LayeredBackbone) -> None:
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
    frozen, found = vectors(load_backbone(str(folder))), vectors(adapted(adapter, folder))
    torch.testing.assert_close(found, frozen, atol=2e-5, rtol=0)
    assert torch.equal(found, frozen) or method in UP_TO_ROUNDING


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


def states(backbone: LayeredBackbone) -> list[torch.Tensor]:
    """Return what enters each layer, and what leaves the last."""
    found: list[torch.Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _module, inputs: found.append(inputs[0].clone()))
        for name, module in backbone.model.named_modules()
        if re.search(rf"(^|\.){re.escape(backbone.layer_prefix)}\.\d+$", name)
    ]
    found.append(vectors(backbone))
    for hook in hooks:
        hook.remove()
    return found


def test_the_trunk_ends_below_the_lowest_layer_that_trains(
    method: str, adapter: Adapter, folder: Path
):
    """What enters the first layer that is not of the trunk stays bit for bit; what leaves, not."""
    frozen = states(load_backbone(str(folder)).eval())
    backbone = adapted(adapter, folder)
    assert backbone.frozen_layers == {"head": 2, "full": 0}.get(method, 1)
    step(backbone)
    now = states(backbone)
    assert len(now) == 3
    same = [torch.equal(one, other) for one, other in zip(frozen, now, strict=True)]
    wanted = {"head": [True, True, True], "full": [False] * 3}
    assert same == wanted.get(method, [True, True, False])


def test_a_step_changes_the_output_if_the_backbone_trains(adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    before = vectors(backbone)
    step(backbone)
    assert torch.equal(vectors(backbone), before) != (adapter is not ADAPTERS["head"])


def test_finishing_keeps_the_output(adapter: Adapter, folder: Path):
    backbone = adapted(adapter, folder)
    step(backbone)
    before = vectors(backbone)
    adapter.finish(backbone)
    torch.testing.assert_close(vectors(backbone.eval()), before, atol=2e-5, rtol=0)


def test_saved_and_loaded_gives_the_same_bits(adapter: Adapter, folder: Path, tmp_path: Path):
    backbone = finished(adapter, folder)
    adapter.save(backbone, tmp_path)
    fresh = load_backbone(str(folder))
    adapter.load(fresh, tmp_path)
    assert torch.equal(vectors(fresh.eval()), vectors(backbone))


def test_loading_into_the_model_that_was_saved_restores_it(
    adapter: Adapter, folder: Path, tmp_path: Path
):
    backbone = finished(adapter, folder)
    expected = vectors(backbone)
    adapter.save(backbone, tmp_path)
    step(backbone)
    adapter.load(backbone, tmp_path)
    assert torch.equal(vectors(backbone.eval()), expected)


def test_files_are_safetensors_and_json_only(adapter: Adapter, esm2_folder: Path, tmp_path: Path):
    adapter.save(finished(adapter, esm2_folder), tmp_path)
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".json"}


@pytest.mark.parametrize("method", IN_PEFT_FORM, indirect=True)
def test_plain_peft_opens_what_was_saved(adapter: Adapter, folder: Path, tmp_path: Path):
    """Independent reference: `transformers` and `peft` alone, on the untouched checkpoint."""
    backbone = finished(adapter, folder)
    adapter.save(backbone, tmp_path)
    # peft says this of its own AdaLoRA files
    warnings.filterwarnings("ignore", "The following rank_pattern keys", RuntimeWarning)
    model = PeftModel.from_pretrained(plain_model(folder), str(tmp_path / ADAPTER_FOLDER))
    found = torch.cat(padded_forward(model.eval(), SEQUENCES))
    torch.testing.assert_close(found, vectors(backbone), atol=2e-5, rtol=0)
    without = torch.cat(padded_forward(plain_model(folder), SEQUENCES))
    assert (found - without).abs().max() > 1e-4


@pytest.mark.parametrize("method", IN_PEFT_FORM, indirect=True)
def test_merging_keeps_the_output(adapter: Adapter, folder: Path):
    backbone = finished(adapter, folder)
    before = vectors(backbone)
    backbone.model = backbone.model.merge_and_unload()
    torch.testing.assert_close(vectors(backbone), before, atol=2e-5, rtol=0)
    assert (vectors(load_backbone(str(folder))) - before).abs().max() > 1e-4


def test_the_files_hold_what_trained_and_nothing_of_the_rest(
    method: str, adapter: Adapter, esm2_folder: Path, tmp_path: Path
):
    base = dict(load_backbone(str(esm2_folder)).model.named_parameters())
    wanted = {name for name in base if TRAINS[method](name)}
    backbone = finished(adapter, esm2_folder)
    adapter.save(backbone, tmp_path)
    if method in IN_PEFT_FORM:
        saved = load_file(tmp_path / ADAPTER_FOLDER / "adapter_model.safetensors")
        random = {name for name in saved if name.endswith(RANDOM.get(method, ()))}
        assert random if method in RANDOM else not random
        assert all(TRAINS[method](name) for name in saved.keys() - random)
        assert not {name.removeprefix("base_model.model.") for name in saved} & base.keys()
    elif method in OWN_FORM:
        saved = load_file(tmp_path / OWN_FORM[method])
        whole = load_backbone(str(esm2_folder)).model.state_dict().keys()
        assert saved.keys() == (whole if method == "full" else wanted)
    else:
        assert list(tmp_path.iterdir()) == []


def test_what_is_frozen_stays_in_evaluation_mode(method: str, adapter: Adapter, tmp_path: Path):
    """On a checkpoint that drops half of its own values while training."""
    changes = {"hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.5}
    backbone = adapted(adapter, save_checkpoint(tmp_path / "leaky", **changes))
    set_training_mode(backbone)
    assert torch.equal(vectors(backbone), vectors(backbone)) != (method in TRAINS_WHOLE_MODULES)


def test_the_options_that_it_reads_exist():
    options = {name for name in TrainConfig.__dataclass_fields__ if name.startswith("lora_")}
    assert READS.keys() <= ADAPTERS.keys()
    assert frozenset().union(*READS.values()) <= options
    assert [name for name in ADAPTERS if "lora_layers" in READS.get(name, ())] == CHOOSES_LAYERS


@pytest.mark.parametrize("layers", ["2", "0,5", "last:3"])
@pytest.mark.parametrize("method", CHOOSES_LAYERS, indirect=True)
def test_layers_that_are_not_there_are_an_error(adapter: Adapter, layers: str):
    with pytest.raises(InputError, match="the backbone has the layers 0 to 1"):
        adapter.apply(load_backbone(TINY), MethodOptions(lora_layers=layers))


@pytest.mark.parametrize("method", CHOOSES_TARGETS, indirect=True)
def test_targets_that_are_not_there_are_an_error(adapter: Adapter):
    with pytest.raises(InputError, match="received keys. Did you mean key"):
        adapter.apply(load_backbone(TINY), MethodOptions(lora_targets=("keys",)))


@pytest.mark.parametrize("family", ["protbert_folder", "prott5_folder", "ankh_folder"])
def test_other_families_take_it_or_say_why_not(
    method: str, adapter: Adapter, family: str, request: pytest.FixtureRequest, tmp_path: Path
):
    folder = request.getfixturevalue(family)
    if method == "bias" and family != "protbert_folder":  # T5 has none
        with pytest.raises(InputError, match="no biases. Choose another method"):
            adapted(adapter, folder)
        return
    backbone = adapted(adapter, folder)
    torch.testing.assert_close(vectors(backbone), vectors(load_backbone(str(folder)).eval()))
    step(backbone)
    adapter.finish(backbone)
    adapter.save(backbone, tmp_path)
    fresh = load_backbone(str(folder))
    adapter.load(fresh, tmp_path)
    assert torch.equal(vectors(fresh.eval()), vectors(backbone.eval()))
    changed = not torch.allclose(vectors(fresh), vectors(load_backbone(str(folder)).eval()))
    assert changed == (method != "head")
