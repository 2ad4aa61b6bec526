import numpy as np
import pytest
import torch

from peftide.errors import TrainingError
from peftide.predictor import answer_rows, rows
from tests.training.conftest import Build


def test_logits_are_those_of_the_whole_model(build: Build) -> None:
    """Reference: `forward` on one packed batch of all proteins of the examples."""
    setting, model, _ = build("ppi", "head")
    proteins = setting.problem.dataset.proteins.sequences[:6]
    members = np.array([[0, 1], [5, 2], [3, 3], [1, 0]])
    embeddings = setting.encoder.embed(proteins)
    logits = answer_rows(model, embeddings, members, device=setting.hardware.device)
    with torch.inference_mode():
        whole = model(setting.encoder.pack(proteins), torch.from_numpy(members))
    np.testing.assert_allclose(logits, whole.numpy(), atol=1e-5)
    assert logits[0] == logits[3]


def test_small_blocks_give_the_same(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    setting, model, _ = build("residue", "head")
    embeddings = setting.embeddings
    assert embeddings is not None
    members = np.arange(5)[::-1].copy()[:, None]
    whole = answer_rows(model, embeddings, members, device=setting.hardware.device)
    monkeypatch.setattr(rows, "ROWS_PER_BLOCK", 7)
    blocks = answer_rows(model, embeddings, members, device=setting.hardware.device)
    np.testing.assert_allclose(whole, blocks, atol=1e-6)
    assert len(whole) == np.diff(embeddings.offsets)[:5].sum()


def test_scoring_switches_dropout_off(build: Build) -> None:
    setting, model, _ = build("ppi", "head")
    model.train()
    assert setting.embeddings is not None
    members = np.array([[0, 1], [2, 3]])
    first = answer_rows(model, setting.embeddings, members, device=setting.hardware.device)
    assert np.array_equal(
        first, answer_rows(model, setting.embeddings, members, device=setting.hardware.device)
    )


def test_a_pair_has_one_answer_whatever_its_order_and_place(build: Build) -> None:
    setting, model, _ = build("ppi", "head")
    assert setting.embeddings is not None
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, len(setting.embeddings.offsets) - 1, size=(500, 2))
    table = generator.permutation(np.concatenate([pairs, pairs[:, ::-1]]))
    logits = answer_rows(model, setting.embeddings, table, device=setting.hardware.device)
    answers: dict[tuple[int, ...], set[float]] = {}
    for pair, logit in zip(table, logits[:, 0], strict=True):
        answers.setdefault(tuple(sorted(pair.tolist())), set()).add(float(logit))
    assert all(len(found) == 1 for found in answers.values())


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 513])
def test_an_answer_has_the_same_bits_in_any_table(build: Build, count: int) -> None:
    setting, model, _ = build("ppi", "head")
    assert setting.embeddings is not None
    generator = np.random.default_rng(1)
    proteins = len(setting.embeddings.offsets) - 1
    table = generator.integers(0, proteins, size=(1200, 2))
    device = setting.hardware.device
    whole = answer_rows(model, setting.embeddings, table, device=device)
    shuffled = generator.permutation(len(table))
    again = answer_rows(model, setting.embeddings, table[shuffled], device=device)
    assert np.array_equal(again, whole[shuffled])
    for start in range(0, len(table) - count, 97):
        part = answer_rows(model, setting.embeddings, table[start : start + count], device=device)
        assert np.array_equal(part, whole[start : start + count])


def test_answers_that_are_no_numbers_name_the_learning_rate(build: Build) -> None:
    setting, model, _ = build("ppi", "head")
    assert setting.embeddings is not None
    with torch.no_grad():
        next(model.head.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="lower --learning-rate"):
        answer_rows(model, setting.embeddings, np.array([[0, 1]]), device=setting.hardware.device)
