"""A model embeds each protein as its own packed forward does, and counts what it sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions, RunOptions
from peftide.encoding import ModelEncoder, backbone_findings, checked_max_length, expand_members
from peftide.errors import InputError
from peftide.hardware import choose_hardware
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.sequences import Proteins
from tests.conftest import TINY, random_sequences

SEQUENCES = [*random_sequences(6), "MKVLLA", "MKVLLA"]


def encoder_of(
    *,
    pooling: str = "mean",
    per_residue: bool = False,
    max_length: int | None = 10,
    max_tokens: int = 40,
) -> ModelEncoder:
    backbone = load_backbone(TINY)
    parts = Parts(
        backbone=backbone,
        pooling=build_pooling(pooling, width=backbone.width, per_residue=per_residue),
        scaling=Scaling(backbone.width),
        pairing=build_pairing("order_free", pairs=not per_residue),
        head=build_head("linear", features=3 * backbone.width, outputs=1, width=1, dropout=0.0),
    )
    options = RunOptions(device="cpu", precision="fp32", threads=1, max_tokens=max_tokens)
    return ModelEncoder(ProteinModel(parts), choose_hardware(options), max_length=max_length)


def encoded_alone(encoder: ModelEncoder, sequence: str) -> torch.Tensor:
    with torch.no_grad():
        return encoder.model.encode(encoder.pack([sequence[: encoder.max_length]]))


@pytest.mark.parametrize("pooling", ["mean", "cls", "attention", "ends", "window"])
def test_one_vector_per_protein_in_order(pooling: str):
    encoder = encoder_of(pooling=pooling)
    found = encoder.embed(SEQUENCES)
    expected = torch.cat([encoded_alone(encoder, sequence) for sequence in SEQUENCES])
    torch.testing.assert_close(found.rows, expected, atol=1e-5, rtol=0)
    assert found.offsets.tolist() == list(range(len(SEQUENCES) + 1))


def test_frozen_layers_are_stored_if_there_is_room_with_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resumed run finds less free disk, because its own store takes some."""

    def keeps(limit: float, free: int) -> bool:
        encoder = encoder_of()
        ADAPTERS["lora"].apply(encoder.model.backbone, MethodOptions(lora_layers="1"))
        monkeypatch.setattr("peftide.encoding.free_bytes", lambda _path: free)
        encoder.keep_trunk(SEQUENCES, store=tmp_path, limit=limit)
        return encoder.trunk is not None

    assert not keeps(1e9, free=0)
    assert not keeps(1.0, free=10**9)
    assert keeps(1e9, free=10**9)
    assert keeps(1e9, free=4096)


@pytest.mark.parametrize("per_residue", [False, True])
def test_batches_have_the_rows_of_an_embedding(per_residue: bool) -> None:
    encoder, sequences = encoder_of(per_residue=per_residue), SEQUENCES[:-1]
    expected = encoder.embed(sequences, exact=True)
    seen: list[int] = []
    for batch, rows in encoder.batches(sequences, row_type=torch.float16):
        wanted = [expected.rows[expected.offsets[k] : expected.offsets[k + 1]] for k in batch]
        torch.testing.assert_close(rows, torch.cat(wanted), atol=1e-6, rtol=0)
        assert encoder.tokens([sequences[k] for k in batch]).sum() <= 40
        seen += batch.tolist()
    assert sorted(seen) == list(range(len(sequences)))
    lengths = encoder.residues([sequences[k] for k in seen])
    assert lengths.tolist() == sorted(lengths)


def test_a_fingerprint_changes_with_the_weights_and_not_with_the_budget() -> None:
    encoder = encoder_of()
    before = encoder.fingerprint()
    assert encoder_of(max_tokens=99).fingerprint() == before
    assert encoder_of(max_length=9).fingerprint() != before
    next(encoder.model.backbone.parameters()).data[0, 0] += 1
    assert encoder.fingerprint() != before


@pytest.mark.parametrize("before", [False, True])
def test_an_earlier_decision_about_frozen_layers_stands(tmp_path: Path, before: bool) -> None:
    encoder = encoder_of()
    ADAPTERS["lora"].apply(encoder.model.backbone, MethodOptions(lora_layers="1"))
    limit = 1.0 if before else 1e9
    encoder.keep_trunk(SEQUENCES, store=tmp_path, limit=limit, decide=lambda _fits: before)
    assert (encoder.trunk is not None) == before


def test_residues_are_those_left_after_the_crop():
    encoder = encoder_of(per_residue=True)
    found = encoder.embed(SEQUENCES)
    sizes = [min(len(sequence), 10) for sequence in SEQUENCES]
    assert np.diff(found.offsets).tolist() == sizes
    expected = torch.cat([encoded_alone(encoder, sequence) for sequence in SEQUENCES])
    # rows of residues are kept in half precision: about three digits
    torch.testing.assert_close(found.rows.float(), expected, atol=2e-3, rtol=1e-3)


def test_counts_of_residues_tokens_and_rows():
    encoder = encoder_of(max_length=4)
    assert encoder.residues(["MK", "MKVLLA"]).tolist() == [2, 4]
    assert encoder.tokens(["MK", "MKVLLA"]).tolist() == [4, 6]
    assert encoder.rows(["MK", "MKVLLA"]).tolist() == [1, 1]
    per_residue = encoder_of(max_length=None, per_residue=True)
    assert per_residue.rows(["MK", "MKVLLA"]).tolist() == [2, 6]


def test_embedding_is_done_in_eval_mode():
    encoder = encoder_of()
    encoder.model.train()
    encoder.embed(["MK"])
    assert not encoder.model.training


def test_a_store_is_reused_by_the_same_model_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = encoder_of()
    first = encoder.embed(SEQUENCES, store=tmp_path).rows.clone()
    with monkeypatch.context() as patch:
        patch.setattr(encoder, "encode", lambda _batch: pytest.fail("computed again"))
        assert torch.equal(encoder.embed(SEQUENCES, store=tmp_path).rows, first)
        patch.setattr(ModelEncoder, "encode", lambda *_: pytest.fail("computed again"))
        other_budget = encoder_of(max_tokens=41)
        assert other_budget.has_stored(SEQUENCES, tmp_path)
        assert torch.equal(other_budget.embed(SEQUENCES, store=tmp_path).rows, first)
    others = [
        encoder_of(pooling="cls"),
        encoder_of(max_length=5),
        with_lora(encoder_of(), seed=1),
        with_lora(encoder_of(), seed=2),
    ]
    for other in others:
        assert not other.has_stored(SEQUENCES, tmp_path)
        expected = other.embed(SEQUENCES).rows
        assert torch.equal(other.embed(SEQUENCES, store=tmp_path).rows, expected)


def with_lora(encoder: ModelEncoder, *, seed: int) -> ModelEncoder:
    """Put random LoRA matrices on the backbone of an encoder, as a trained model has them."""
    backbone = encoder.model.backbone
    ADAPTERS["lora"].apply(backbone, MethodOptions())
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in trained_parameters(backbone).values():
            parameter.normal_(generator=generator)
    return encoder


@pytest.mark.parametrize(("limit", "wanted"), [(None, None), (None, 5000), (1022, 1022), (1022, 1)])
def test_a_crop_that_fits_is_taken(limit: int | None, wanted: int | None):
    assert checked_max_length(limit, wanted) == wanted


@pytest.mark.parametrize(
    ("limit", "wanted", "expected"),
    [
        (None, 0, "1 or more"),
        (1022, -3, "1 or more"),
        (1022, 1023, "at most 1022"),
        (1022, None, "at most 1022"),
    ],
)
def test_a_crop_that_does_not_fit_is_an_error(limit: int | None, wanted: int | None, expected: str):
    with pytest.raises(InputError, match=rf"--max-length: received {wanted}; expected {expected}"):
        checked_max_length(limit, wanted)


def test_pairs_are_expanded_to_the_rows_of_their_proteins():
    starts = np.array([0, 1, 2])
    members = np.array([[0, 2], [2, 1], [1, 1]])
    assert expand_members(members, starts, np.ones(3, dtype=np.int64)).tolist() == members.tolist()


def test_single_proteins_are_expanded_to_all_their_rows():
    starts, counts = np.array([0, 3, 5]), np.array([3, 2, 4])
    rows = expand_members(np.array([[2], [0], [2]]), starts, counts)
    assert rows.tolist() == [[5], [6], [7], [8], [0], [1], [2], [5], [6], [7], [8]]


def test_what_the_model_does_not_see_is_counted() -> None:
    backbone = load_backbone(TINY)
    proteins = Proteins(("a", "b", "c"), ("MKVLA", "MJ", "MKV"))
    found = {f.kind: f for f in backbone_findings(proteins, backbone, max_length=4)}
    assert (found["over_long_sequences"].count, found["over_long_sequences"].examples) == (
        1,
        ("a",),
    )
    assert found["sequences_with_unknown_residues"].examples == ("b",)
    assert backbone_findings(Proteins(("c",), ("MKV",)), backbone, max_length=None) == ()
