"""Every held-out residue is scored once, with the logits that `transformers` gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from peftide.hardware import Hardware
from peftide.pretraining.perplexity import PASSES, HeldOut, Surprise, model_surprise
from tests.pretraining.conftest import (
    MASK_ID,
    SEQUENCES,
    corpus_of,
    layout_of,
    plain_logits,
    tiny_model,
    token_ids,
)

CHOSEN = np.array([3, 8, 21, 40, 41, 59, 7])  # more than one batch of 4 rows, the last not full


def held_out_of(*, row_tokens: int = 96, **changes: Any) -> HeldOut:
    corpus, layout = corpus_of(SEQUENCES), layout_of(4, row_tokens)
    return HeldOut(corpus, CHOSEN, layout, mask_id=MASK_ID, seed=0, **changes)


@pytest.mark.parametrize("row_tokens", [96, 40])
def test_every_residue_is_scored_exactly_once(row_tokens: int) -> None:
    held_out = held_out_of(row_tokens=row_tokens)
    seen: dict[tuple[int, int], int] = {}
    for numbers, rows, masked in held_out.batches():
        places = zip(*divmod(masked.places, row_tokens), strict=True)
        for (row, column), target in zip(places, masked.targets, strict=True):
            key = int(numbers[row]), int(column) - 1  # <cls> stands before the residues
            seen[key] = seen.get(key, 0) + 1
            assert target == token_ids(SEQUENCES[CHOSEN[numbers[row]]])[column - 1]
            assert masked.input_ids[row, column] == MASK_ID
        assert (masked.input_ids == MASK_ID).sum() == len(masked.places)
        assert np.array_equal(rows.sequences, CHOSEN[numbers])
    lengths = [min(len(SEQUENCES[k]), row_tokens - 2) for k in CHOSEN]
    assert seen == {(k, place): 1 for k, n in enumerate(lengths) for place in range(n)}


def test_a_pass_hides_about_a_seventh() -> None:
    one = sum(len(masked.places) for _, _, masked in held_out_of(passes=1).batches())
    total = sum(len(SEQUENCES[k]) for k in CHOSEN)
    assert abs(one / total - 1 / PASSES) < 4 * np.sqrt(6 / 49 / total)


def test_uniform_logits_have_the_vocabulary_as_perplexity(hardware: Hardware) -> None:
    model = tiny_model()
    head: Any = model.language_model.model.lm_head
    with torch.no_grad():
        for parameter in (head.layer_norm.weight, head.layer_norm.bias, head.bias):
            parameter.zero_()
    surprise = model_surprise(model, held_out_of(), hardware)
    assert surprise.perplexity() == pytest.approx(33, abs=1e-3)
    assert surprise.mean_over_sequences() == pytest.approx(33, abs=1e-3)
    np.testing.assert_allclose(surprise.by_sequence(), 33, atol=1e-3)
    assert surprise.residues.tolist() == [len(SEQUENCES[k]) for k in CHOSEN]


def test_scores_are_those_of_transformers(hardware: Hardware, tmp_path: Path) -> None:
    model, held_out = tiny_model(), held_out_of()
    expected = np.zeros(len(CHOSEN))
    for numbers, rows, masked in held_out.batches():
        for row, number in enumerate(numbers):
            inside = rows.piece[row] == row
            tokens = torch.from_numpy(masked.input_ids[row, inside])
            truth = torch.from_numpy(rows.input_ids[row, inside])
            logits = plain_logits(model, tmp_path / "plain", tokens).log_softmax(dim=1)
            hidden = tokens == MASK_ID
            expected[number] -= float(logits[hidden, truth[hidden]].sum())
    surprise = model_surprise(model, held_out, hardware)
    np.testing.assert_allclose(surprise.nats, expected, rtol=1e-5)


def test_the_quick_look_scores_the_residues_of_one_pass(hardware: Hardware) -> None:
    surprise = model_surprise(tiny_model(), held_out_of(passes=1), hardware)
    total = sum(len(SEQUENCES[k]) for k in CHOSEN)
    assert 0 < surprise.residues.sum() < total / 3


def test_perplexities_by_hand() -> None:
    """Two residues of probability 1/4 each, one of 1/2."""
    surprise = Surprise(np.log([16.0, 2.0]), np.array([2, 1]))
    assert surprise.perplexity() == pytest.approx(32 ** (1 / 3))
    assert surprise.by_sequence().tolist() == pytest.approx([4, 2])
    assert surprise.mean_over_sequences() == pytest.approx(8**0.5)
