"""Refusals and settings anywhere; where `bitsandbytes` is, its own CPU form stands for a GPU's."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones import loading, quantised
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.quantised import check_base_bits, quantised_settings, whole_size
from peftide.bundle import load_bundle
from peftide.commands.predict import predict
from peftide.commands.train import train
from peftide.config import PredictConfig
from peftide.errors import InputError
from peftide.model import count_parameters
from tests.conftest import TINY, small_config

CPU = torch.device("cpu")
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
TAKEN = [name for name, adapter in ADAPTERS.items() if adapter.takes_quantised]


def test_methods_that_need_the_backbone_whole_do_not_take_it() -> None:
    assert TAKEN == ["head", "lora", "rslora", "lora_fa", "vera"]


def test_four_bits_are_those_of_the_paper() -> None:
    settings = quantised_settings(4, CPU)
    config = settings["quantization_config"]
    assert (config.load_in_4bit, config.load_in_8bit) == (True, False)
    assert (config.bnb_4bit_quant_type, config.bnb_4bit_compute_dtype) == ("nf4", torch.bfloat16)
    assert settings["device_map"] == {"": "cpu"}


def test_eight_bits_are_those_of_the_library() -> None:
    config = quantised_settings(8, CPU)["quantization_config"]
    assert (config.load_in_4bit, config.load_in_8bit) == (False, True)


@pytest.mark.parametrize("bits", [0, 2, 16])
def test_another_number_of_bits_is_refused(bits: int) -> None:
    with pytest.raises(InputError, match=f"--base-bits: received {bits}; expected 4 or 8"):
        check_base_bits(bits)


@WITHOUT_GPU
def test_a_machine_without_gpu_is_told_so() -> None:
    check_base_bits(None)
    with pytest.raises(InputError, match="no CUDA GPU; expected a CUDA GPU") as caught:
        load_backbone("mini", options=LoadOptions(base_bits=4))
    assert "Leave it out" in str(caught.value)


@pytest.mark.skipif(bool(importlib.util.find_spec("bitsandbytes")), reason="it is installed")
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(InputError, match="pip install bitsandbytes"):
        check_base_bits(8)


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let weights be held in few bits without a GPU: slow, and the same numbers."""
    library = pytest.importorskip("bitsandbytes")
    monkeypatch.setattr(loading, "check_base_bits", lambda _bits: None)
    monkeypatch.setattr(quantised, "check_base_bits", lambda _bits: None)
    monkeypatch.setattr(loading, "QUANTISED_ON", CPU)
    make = library.nn.Linear4bit.__init__

    def init(layer: Any, *inputs: object, **options: object) -> None:
        make(layer, *inputs, **options)
        layer.support_avx512bf16_for_cpu = False  # a form of its own, without a way back

    monkeypatch.setattr(library.nn.Linear4bit, "__init__", init)


@pytest.mark.usefixtures("on_the_cpu")
def test_random_weights_are_not_rounded() -> None:
    with pytest.raises(InputError, match=f"received 4, but {TINY} has random weights"):
        load_backbone(TINY, options=LoadOptions(base_bits=4))


@pytest.mark.usefixtures("on_the_cpu")
@pytest.mark.parametrize(("bits", "distance"), [(4, 0.6), (8, 0.05)])
def test_vectors_are_near_those_of_the_whole_weights(
    esm2_folder: Path, bits: int, distance: float
) -> None:
    whole = load_backbone(str(esm2_folder))
    few = load_backbone(str(esm2_folder), options=LoadOptions(base_bits=bits))
    with torch.no_grad():
        expected, found = (b(b.pack(["MKVLLAWYW"], max_length=None)) for b in (whole, few))
    assert 0 < (found - expected).norm() / expected.norm() < distance
    assert count_parameters(few)["total"] == count_parameters(whole)["total"]
    assert sum(map(whole_size, few.parameters())) == count_parameters(whole)["total"]


@pytest.mark.usefixtures("on_the_cpu")
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("method", TAKEN)
def test_what_is_trained_on_few_bits_opens_on_few_bits(
    tmp_path: Path, esm2_folder: Path, method: str, bits: int
) -> None:
    config = small_config(tmp_path, "regression", method, backbone=str(esm2_folder), base_bits=bits)
    trained = train(replace(config, device="auto", epochs=1, baselines=("none",)))
    assert load_bundle(trained.path / "model").recipe.base_bits == bits
    out = tmp_path / "answers.tsv"
    options = {"threads": 1, "device": "cpu", "precision": "fp32"}
    predict(PredictConfig(run=trained.path, input=Path(config.test[0]), out=out, **options))
    scores = [
        [row.split("\t")[row_header.split("\t").index("prediction")] for row in rows]
        for row_header, *rows in (
            path.read_text().splitlines() for path in (out, trained.path / "predictions.tsv")
        )
    ]
    assert scores[0] == scores[1]


@pytest.mark.gpu
@pytest.mark.parametrize("bits", [4, 8])
def test_a_gpu_holds_a_backbone_in_few_bits(tmp_path: Path, esm2_folder: Path, bits: int) -> None:
    pytest.importorskip("bitsandbytes")
    config = small_config(tmp_path, "regression", "lora", backbone=str(esm2_folder), base_bits=bits)
    trained = train(replace(config, device="cuda", precision="auto", baselines=("none",)))
    model = load_bundle(trained.path / "model").model
    kinds = {parameter.dtype for parameter in model.backbone.parameters()}
    assert {4: torch.uint8, 8: torch.int8}[bits] in kinds
