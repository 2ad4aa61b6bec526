import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones import LayeredBackbone, TransformerBackbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions, RunOptions
from peftide.engine.trunk_cache import (
    TrunkCache,
    TrunkEncoder,
    fill_trunk_cache,
    lower_weights_sha256,
    trunk_plan,
)
from peftide.errors import StorageError
from peftide.hardware import choose_hardware
from peftide.packing import PackedBatch
from tests.conftest import random_sequences, randomise

SEQUENCES = random_sequences(12)
TOKENS = np.array([len(text) + 2 for text in SEQUENCES])
LAYERS = 2


def adapted(method: str = "lora", layers: str = "2,3") -> LayeredBackbone:
    backbone = load_backbone("random:esm2_t6_8M")
    randomise(backbone, std=0.1)
    ADAPTERS[method].apply(backbone, MethodOptions(lora_layers=layers))
    return backbone.eval()


def encoder_of(
    backbone: LayeredBackbone, *, precision: Literal["fp32", "bf16"] = "fp32"
) -> TrunkEncoder:
    hardware = choose_hardware(RunOptions(device="cpu", precision=precision, max_tokens=100))
    return TrunkEncoder(backbone, LAYERS, hardware, max_length=None)


def filled(encoder: TrunkEncoder, store: Path) -> TrunkCache:
    plan = trunk_plan(encoder, SEQUENCES, TOKENS)
    return fill_trunk_cache(encoder, SEQUENCES, plan, store=store)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_cached_states_give_the_embeddings_of_the_whole(tmp_path: Path, method: str) -> None:
    backbone = adapted(method)
    cache = filled(encoder_of(backbone), tmp_path)
    chosen = [SEQUENCES[k] for k in (7, 0, 3, 7)]
    batch = backbone.pack(chosen, max_length=None)
    with torch.no_grad():
        found = backbone(cache.add_to(batch, chosen))
        torch.testing.assert_close(found, backbone(batch), atol=1e-5, rtol=1e-5)


def test_the_states_are_read_not_computed(tmp_path: Path) -> None:
    backbone = adapted()
    cache = filled(encoder_of(backbone), tmp_path)
    cache.states.rows.zero_()
    batch = cache.add_to(backbone.pack(SEQUENCES, max_length=None), SEQUENCES)
    assert batch.layers_done == LAYERS
    with torch.no_grad():
        assert not torch.allclose(backbone(batch), backbone(replace(batch, hidden=None)))


def test_half_precision_takes_half_the_space_and_points_the_same_way(tmp_path: Path) -> None:
    backbone = adapted()
    whole, half = encoder_of(backbone), encoder_of(backbone, precision="bf16")
    sizes = [trunk_plan(e, SEQUENCES, TOKENS).stored_bytes for e in (whole, half)]
    assert sizes == [TOKENS.sum() * 320 * 4, TOKENS.sum() * 320 * 2]
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        found = backbone(filled(half, tmp_path).add_to(batch, SEQUENCES))
        cosine = torch.nn.functional.cosine_similarity(found, backbone(batch))
    assert cosine.min() > 0.999
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("rows.npy"))
    assert sizes[1] <= on_disk <= sizes[1] + 256


def test_a_batch_with_an_unknown_sequence_is_left_alone(tmp_path: Path) -> None:
    backbone = adapted()
    cache = filled(encoder_of(backbone), tmp_path)
    batch = backbone.pack([SEQUENCES[0], "MKV"], max_length=None)
    assert cache.add_to(batch, [SEQUENCES[0], "MKV"]).hidden is None


def test_what_is_stored_serves_every_method_with_the_same_frozen_layers(tmp_path: Path) -> None:
    """LoRA on layer 2, LoRA on layer 3, nothing adapted: their first two layers are the same."""
    keys = {
        trunk_plan(encoder_of(backbone), SEQUENCES, TOKENS).key
        for backbone in (adapted(), adapted(layers="3"), adapted("head"), adapted("full"))
    }
    assert len(keys) == 1


def test_the_key_holds_all_that_the_states_depend_on() -> None:
    backbone = adapted()
    encoder = encoder_of(backbone)
    others = [
        replace(encoder, layers=1),
        replace(encoder, max_length=5),
        encoder_of(backbone, precision="bf16"),
        encoder_of(adapted(layers="1")),
    ]
    changed = adapted("head")
    changed.model.encoder.layer[1].output.dense.bias.data += 1
    others.append(encoder_of(changed))
    wider = replace(encoder, hardware=replace(encoder.hardware, max_tokens=7))
    assert trunk_plan(wider, SEQUENCES, TOKENS).key == trunk_plan(encoder, SEQUENCES, TOKENS).key
    keys = [trunk_plan(e, SEQUENCES, TOKENS).key for e in (encoder, *others)]
    keys.append(trunk_plan(encoder, SEQUENCES[1:], TOKENS[1:]).key)
    assert len(set(keys)) == len(keys)


def test_weights_above_the_boundary_do_not_count() -> None:
    backbone = adapted("full")
    before = lower_weights_sha256(backbone, LAYERS)
    backbone.model.encoder.layer[LAYERS].output.dense.bias.data += 1
    assert lower_weights_sha256(backbone, LAYERS) == before
    assert lower_weights_sha256(backbone, LAYERS + 1) != lower_weights_sha256(adapted("full"), 3)


def test_a_filled_store_is_not_filled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled(encoder_of(adapted()), tmp_path).states.rows.clone()

    def refuse(*_: object) -> None:
        raise AssertionError("the frozen layers ran again")

    monkeypatch.setattr(TransformerBackbone, "hidden_states", refuse)
    again = filled(encoder_of(adapted(layers="3")), tmp_path)  # another run, the same layers
    assert torch.equal(again.states.rows, before)


@pytest.mark.parametrize("damage", ["rows cut off", "rows gone", "zeros", "progress cut off"])
def test_a_damaged_store_is_filled_anew(tmp_path: Path, damage: str) -> None:
    encoder = encoder_of(adapted())
    before = filled(encoder, tmp_path).states.rows.clone()
    (rows,), (progress,) = tmp_path.glob("*/rows.npy"), tmp_path.glob("*/progress.json")
    if damage == "rows gone":
        rows.unlink()
    elif damage == "zeros":
        np.load(rows, mmap_mode="r+")[-1] = 0
    else:
        hurt = rows if damage.startswith("rows") else progress
        hurt.write_bytes(hurt.read_bytes()[: hurt.stat().st_size // 2])
    assert torch.equal(filled(encoder, tmp_path).states.rows, before)


def test_a_folder_with_the_states_of_another_backbone_is_shared_not_mixed(tmp_path: Path) -> None:
    first, second = adapted(), adapted()
    with torch.no_grad():
        second.model.get_base_model().encoder.layer[0].output.dense.weight.mul_(2)
    mine = filled(encoder_of(first), tmp_path).states.rows.clone()
    other = filled(encoder_of(second), tmp_path).states.rows.clone()
    assert not torch.equal(mine, other)
    assert torch.equal(filled(encoder_of(second), tmp_path / "alone").states.rows, other)
    assert torch.equal(filled(encoder_of(first), tmp_path).states.rows, mine)


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    encoder = encoder_of(adapted())
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refuse)
        with pytest.raises(StorageError, match="no space left"):
            filled(encoder, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    filled(encoder, tmp_path / "cache")


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot write .*cache.* Choose another place"):
        filled(encoder_of(adapted()), tmp_path / "cache")


def test_two_runs_that_fill_one_cache_do_the_work_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = TrunkEncoder.encode

    def counting(encoder: TrunkEncoder, batch: PackedBatch) -> torch.Tensor:
        encoded.extend(batch.lengths)
        return encode(encoder, batch)

    monkeypatch.setattr(TrunkEncoder, "encode", counting)
    encoders = [encoder_of(adapted()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda encoder: filled(encoder, tmp_path), encoders)
    assert sorted(encoded) == sorted(TOKENS.tolist())
    assert torch.equal(first.states.rows, second.states.rows)
