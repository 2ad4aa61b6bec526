"""The losses of packed, masked rows are those that `transformers` and numpy give piece by piece."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from peftide.pretraining.loop import BatchSource
from peftide.pretraining.network import (
    TEMPERATURE,
    Batch,
    PretrainingModel,
    first_piece_means,
    relatives_loss,
)
from tests.pretraining.conftest import (
    CLUSTERS,
    SEQUENCES,
    VOCABULARY,
    corpus_of,
    layout_of,
    masking_of,
    plain_logits,
    sampler_of,
    tiny_model,
)

KIN = [3, 3, 1, 1, 3, 3, 0, 0]


def source_of() -> BatchSource:
    corpus = corpus_of(SEQUENCES, CLUSTERS.tolist())
    return BatchSource(sampler_of(corpus, layout_of(rows=8, paired=True)), masking_of(), seed=0)


def batch_of(step: int = 0) -> Batch:
    return source_of().batch(step)


def losses(model: PretrainingModel, batch: Batch) -> tuple[float, float]:
    with torch.no_grad():
        masked_loss, relatives, _ = model(batch).tolist()
    return masked_loss, relatives


def plain_relatives_loss(means: np.ndarray, kin: list[int]) -> float:
    """Row by row: the relative against the rows of other clusters (NT-Xent, temperature 0.1)."""
    centred = means - means.mean(axis=0)
    total = 0.0
    for row, own in enumerate(centred):
        partner = row + 1 if row % 2 == 0 else row - 1
        compared = [partner, *(k for k, name in enumerate(kin) if name != kin[row])]
        lengths = np.linalg.norm(centred[compared], axis=1) * np.linalg.norm(own)
        scores = np.exp(centred[compared] @ own / lengths / 0.1)
        total -= np.log(scores[0] / scores.sum())
    return total / len(kin)


def random_means(rows: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32)


def found_loss(means: np.ndarray, kin: list[int]) -> float:
    return float(relatives_loss(torch.from_numpy(means), torch.tensor(kin)))


def test_the_masked_loss_is_that_of_each_piece_alone(tmp_path: Path) -> None:
    model, batch = tiny_model(), batch_of()
    logits = torch.zeros(batch.input_ids.numel(), 33)
    owner = batch.piece.flatten()
    for piece in owner[batch.places].unique():
        inside = owner == piece
        tokens = batch.input_ids.flatten()[inside]
        logits[inside] = plain_logits(model, tmp_path / "plain", tokens)
    expected = functional.cross_entropy(logits[batch.places], batch.targets)
    assert losses(model, batch)[0] == pytest.approx(float(expected), abs=1e-5)


def test_the_mean_of_a_row_is_over_the_residues_of_its_first_piece() -> None:
    rows, batch = source_of().sampler.rows(0), batch_of()
    hidden = torch.randn(*batch.input_ids.shape, 6, generator=torch.Generator().manual_seed(0))
    means = first_piece_means(hidden, batch)
    inside = np.zeros(batch.input_ids.shape, dtype=bool)
    for row, tokens in enumerate(rows.input_ids.tolist()):
        stop = tokens.index(*VOCABULARY.suffix)
        inside[row, len(VOCABULARY.prefix) : stop] = True
        expected = hidden[row].numpy()[inside[row]].mean(axis=0)
        np.testing.assert_allclose(means[row], expected, atol=1e-5)
    outside = torch.from_numpy(~inside)
    assert (batch.is_residue & outside).any()  # residues of later pieces
    assert (batch.input_ids == batch.input_ids[0, 0]).sum() > 8  # special tokens of later pieces
    assert (batch.piece == batch.piece.max()).any()  # padding
    changed = hidden + 100.0 * outside[..., None]
    torch.testing.assert_close(first_piece_means(changed, batch), means)


@pytest.mark.parametrize("kin", [[0, 0, 1, 1, 2, 2, 3, 3], KIN])
@pytest.mark.parametrize("seed", range(3))
def test_the_relatives_loss_is_that_of_a_plain_calculation(kin: list[int], seed: int) -> None:
    means = random_means(seed=seed)
    assert found_loss(means, kin) == pytest.approx(plain_relatives_loss(means, kin), rel=1e-5)


def test_the_relatives_loss_by_hand() -> None:
    """Relatives alike: ln(1 + 2 e^-20). As unlike as can be: ln(e^10 + 2 e^-10) + 10."""
    assert TEMPERATURE == 0.1
    right, left = [1.0, 0.0], [-1.0, 0.0]
    kin = [0, 0, 1, 1]
    alike, unlike = np.array([right, right, left, left]), np.array([right, left, right, left])
    assert found_loss(alike, kin) == pytest.approx(0.0, abs=1e-6)
    assert found_loss(unlike, kin) == pytest.approx(20.0, abs=1e-5)
    assert found_loss(unlike, [0, 0, 0, 0]) == 0.0  # no other cluster is there to confuse it with


def test_other_rows_of_the_same_cluster_are_no_wrong_answers() -> None:
    means = random_means()
    means[4:6] = means[0:2]  # of the same cluster, and just alike
    assert found_loss(means, KIN) < found_loss(means, [0, 0, 1, 1, 2, 2, 3, 3]) - 0.1


def test_what_all_rows_share_and_their_scale_do_not_count() -> None:
    means = random_means()
    assert found_loss(3.0 * means + 5.0, KIN) == pytest.approx(found_loss(means, KIN), rel=1e-4)


def test_the_relatives_loss_falls_as_relatives_come_to_agree() -> None:
    means = random_means()
    others = means.reshape(4, 2, 6)[:, ::-1].reshape(8, 6)
    found = [found_loss((1 - share) * means + share * others, KIN) for share in (0, 0.2, 0.35, 0.5)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.5 * found[0]


def test_a_step_down_the_gradient_lowers_the_relatives_loss() -> None:
    means = torch.from_numpy(random_means()).requires_grad_()
    before = relatives_loss(means, torch.tensor(KIN))
    (gradient,) = torch.autograd.grad(before, means)
    assert (gradient.abs().sum(dim=1) > 0).all()
    assert relatives_loss(means - 0.01 * gradient, torch.tensor(KIN)) < before


def test_the_models_relatives_loss_is_that_of_its_first_pieces() -> None:
    model, batch = tiny_model(relatives=True), batch_of()
    with torch.no_grad():
        means = first_piece_means(model.hidden(batch), batch).numpy()
    expected = plain_relatives_loss(means, batch.kin.tolist())
    found = losses(model, batch)
    assert found[1] == pytest.approx(expected, rel=1e-4)
    assert losses(tiny_model(), batch) == (found[0], 0.0)


def test_both_losses_reach_every_weight() -> None:
    model = tiny_model(relatives=True)
    masked_loss, relatives, _ = model(batch_of())
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    for loss, head_too in ((masked_loss, True), (relatives, False)):
        gradients = torch.autograd.grad(
            loss, list(trained.values()), retain_graph=True, allow_unused=True
        )
        idle = {name for name, g in zip(trained, gradients, strict=True) if g is None}
        assert all(not head_too and "lm_head" in name for name in idle), idle


def test_the_relatives_loss_has_no_weights_of_its_own() -> None:
    names = [set(tiny_model(relatives=flag).state_dict()) for flag in (True, False)]
    assert names[0] == names[1]


def test_shapes_are_the_same_in_every_step() -> None:
    first, *others = (
        {name: tuple(tensor.shape) for name, tensor in vars(batch_of(step)).items()}
        for step in range(6)
    )
    assert all(other == first for other in others)
    assert batch_of().to(torch.device("cpu")).input_ids.shape == first["input_ids"]
