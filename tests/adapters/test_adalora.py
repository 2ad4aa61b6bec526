"""AdaLoRA keeps its matrices orthogonal, cuts to its budget, and goes on after a kill."""

from pathlib import Path

import pytest
import torch

from peftide.adapters.adalora import ADALORA, LEAST_STEPS, RankSchedule
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.parameters import copy_trained, restore_trained, trained_parameters
from tests.conftest import random_sequences

OPTIONS = MethodOptions(lora_r=4, lora_dropout=0.0, lora_layers="all")
MATRICES = 4  # key and value of two layers
STEPS = 40


def adalora_backbone(folder: Path) -> Backbone:
    torch.manual_seed(0)
    backbone = load_backbone(str(folder))
    ADALORA.apply(backbone, OPTIONS)
    return backbone.eval()


def diagonals(backbone: Backbone) -> torch.Tensor:
    named = backbone.model.named_parameters()
    return torch.cat([p.detach().flatten() for name, p in named if "lora_E" in name])


def train(backbone: Backbone, schedule: RankSchedule, *, steps: range) -> None:
    """Plain gradient descent on an arbitrary loss, so that no optimizer has a state to save."""
    batch = backbone.pack(random_sequences(4), max_length=None)
    for step in steps:
        output = backbone(batch)
        weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(step))
        ((output * weights).mean() + schedule.penalty()).backward()
        with torch.no_grad():
            for parameter in trained_parameters(backbone).values():
                assert parameter.grad is not None
                parameter.sub_(parameter.grad, alpha=0.1)
        schedule.after_step(step)
        backbone.zero_grad()


def test_it_starts_with_half_as_much_rank_again(esm2_folder: Path):
    assert len(diagonals(adalora_backbone(esm2_folder))) == MATRICES * 6


def test_the_penalty_is_the_distance_from_orthogonal(esm2_folder: Path):
    """By hand, with the weight 0.5 of `peft`; matrices of orthogonal vectors cost nothing."""
    backbone = adalora_backbone(esm2_folder)
    schedule = RankSchedule(backbone, STEPS)
    p, q = [], []
    for name, parameter in backbone.model.named_parameters():
        p += [parameter.detach().double().numpy()] if "lora_B" in name else []
        q += [parameter.detach().double().numpy()] if "lora_A" in name else []
    norms = [((m.T @ m - torch.eye(6).numpy()) ** 2).sum() ** 0.5 for m in p]
    norms += [((m @ m.T - torch.eye(6).numpy()) ** 2).sum() ** 0.5 for m in q]
    assert schedule.penalty().item() == pytest.approx(0.5 * sum(norms) / len(norms), rel=1e-5)
    with torch.no_grad():
        for name, parameter in backbone.model.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                torch.nn.init.orthogonal_(parameter)
    assert schedule.penalty().item() == pytest.approx(0, abs=1e-5)


def test_the_budget_is_kept_at_the_end(esm2_folder: Path):
    backbone = adalora_backbone(esm2_folder)
    train(backbone, RankSchedule(backbone, STEPS), steps=range(STEPS))
    assert (diagonals(backbone) != 0).sum() == MATRICES * OPTIONS.lora_r


def test_nothing_is_cut_in_the_first_steps_or_in_a_training_of_a_few(esm2_folder: Path):
    backbone = adalora_backbone(esm2_folder)
    train(backbone, RankSchedule(backbone, STEPS), steps=range(4))
    assert (diagonals(backbone) != 0).all()
    short = adalora_backbone(esm2_folder)
    train(short, RankSchedule(short, LEAST_STEPS - 1), steps=range(LEAST_STEPS - 1))
    assert (diagonals(short) != 0).all()


@pytest.mark.parametrize("killed_at", [2, 15, 32])
def test_a_restored_schedule_goes_on_to_the_same_weights(esm2_folder: Path, killed_at: int):
    """Before the first cut, among the cuts, and after the last."""
    whole = adalora_backbone(esm2_folder)
    schedule = RankSchedule(whole, STEPS)
    train(whole, schedule, steps=range(killed_at))
    state = {name: tensor.clone() for name, tensor in schedule.state().items()}
    weights = copy_trained(whole)
    train(whole, schedule, steps=range(killed_at, STEPS))

    resumed = adalora_backbone(esm2_folder)
    again = RankSchedule(resumed, STEPS)
    restore_trained(resumed, weights)
    again.restore(state)
    train(resumed, again, steps=range(killed_at, STEPS))
    expected = copy_trained(whole)
    assert all(torch.equal(expected[name], t) for name, t in copy_trained(resumed).items())


def test_finishing_drops_what_was_cut(esm2_folder: Path):
    backbone = adalora_backbone(esm2_folder)
    train(backbone, RankSchedule(backbone, STEPS), steps=range(STEPS))
    kept = diagonals(backbone)
    ADALORA.finish(backbone)
    left = diagonals(backbone)
    assert torch.equal(left, kept[kept != 0])


def test_a_matrix_may_lose_all_its_ranks_but_for_an_idle_one(esm2_folder: Path, tmp_path: Path):
    backbone = adalora_backbone(esm2_folder)
    train(backbone, RankSchedule(backbone, STEPS), steps=range(3))
    with torch.no_grad():
        next(p for name, p in backbone.model.named_parameters() if "lora_E" in name).zero_()
    ADALORA.finish(backbone)
    ADALORA.save(backbone, tmp_path)
    other = load_backbone(str(esm2_folder))
    ADALORA.load(other, tmp_path)
    assert len(diagonals(other)) == (MATRICES - 1) * 6 + 1
    assert (diagonals(other) == 0).sum() == 1
    batch = other.pack(random_sequences(3), max_length=None)
    with torch.no_grad():
        assert torch.equal(other.eval()(batch), backbone.eval()(batch))
