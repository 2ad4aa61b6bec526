from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.config import EmbedConfig
from peftide.errors import NotFiniteError
from peftide.predictor.embedding import build_encoder
from peftide.predictor.shard_encoder import ShardMaker, folder_encoder
from tests.conftest import TINY, random_sequences

QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32", "max_tokens": 40}
SEQUENCES = sorted(random_sequences(12), key=len)


def config(**options: Any) -> EmbedConfig:
    return EmbedConfig(out=Path("folder"), **{"backbone": TINY, **QUICK, **options})


@pytest.mark.parametrize("per_residue", [False, True])
def test_vectors_come_in_order_and_are_those_of_an_embedding(per_residue: bool) -> None:
    wanted = config(per_residue=per_residue, number_type="float32")
    found = list(folder_encoder(wanted).vectors(SEQUENCES, SEQUENCES))
    assert [place for place, _ in found] == list(range(12))
    expected = build_encoder(wanted).embed(SEQUENCES, exact=True)
    rows = np.concatenate([vectors for _, vectors in found])
    np.testing.assert_allclose(rows, expected.rows.numpy(), atol=1e-6)
    counts = [len(text) if per_residue else 1 for text in SEQUENCES]
    assert [len(vectors) for _, vectors in found] == counts


def test_numbers_too_large_for_half_precision_are_refused() -> None:
    encoder = folder_encoder(config(number_type="float16"))
    layer_norm = encoder.encoder.model.backbone.model.encoder.emb_layer_norm_after
    layer_norm.weight.data.fill_(1e6)
    with pytest.raises(NotFiniteError, match="first"):
        list(encoder.vectors(["MKV"], ["first"]))
    exact = folder_encoder(config(number_type="float32"))
    exact.encoder.model.backbone.model.encoder.emb_layer_norm_after.weight.data.fill_(1e6)
    assert len(list(exact.vectors(["MKV"], ["first"]))) == 1


@pytest.mark.parametrize(
    "change", [{"max_length": 9}, {"pooling": "cls"}, {"precision": "bf16"}, {"layer": 0}]
)
def test_a_model_is_known_by_all_that_changes_its_vectors(change: dict[str, Any]) -> None:
    card, form = ShardMaker(config(), Path("texts")).describe()
    same, _ = ShardMaker(config(max_tokens=99, number_type="float32"), Path("texts")).describe()
    assert card == same
    other, _ = ShardMaker(config(**change), Path("texts")).describe()
    assert card.fingerprint != other.fingerprint
    assert set(change) <= set(other.difference(card).split())
    assert (form.width, form.number_type, form.per_residue) == (32, "float16", False)
