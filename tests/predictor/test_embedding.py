from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from peftide.backbones.loading import load_backbone
from peftide.config import RunOptions
from peftide.errors import InputError
from peftide.hardware import choose_hardware
from peftide.predictor import load
from peftide.predictor.embedding import backbone_encoder, run_encoder
from peftide.tasks import TASKS
from tests.conftest import TINY

Trained = Callable[[str, str], Path]
SEQUENCES = ["MKV", "WWAD"]
HARDWARE = choose_hardware(RunOptions(device="cpu", precision="fp32"))


def test_the_mean_of_residues_is_the_vector_of_a_sequence() -> None:
    backbone = load_backbone(TINY)
    mean, residues = (
        backbone_encoder(backbone, HARDWARE, max_length=None, per_residue=each).embed(
            SEQUENCES, exact=True
        )
        for each in (False, True)
    )
    assert residues.offsets.tolist() == [0, 3, 7]
    np.testing.assert_allclose(mean.rows[1], residues.rows[3:].mean(dim=0), atol=1e-6)


def test_a_run_keeps_its_pooling_unless_another_is_asked_for(trained: Trained) -> None:
    predictor = load(trained("ppi", "lora"), device="cpu", precision="fp32")
    own, first = (run_encoder(predictor, pooling=name).embed(SEQUENCES) for name in (None, "cls"))
    np.testing.assert_allclose(own.rows, predictor.embed(SEQUENCES), atol=1e-6)
    assert not np.allclose(own.rows, first.rows)


@pytest.mark.parametrize("task", TASKS)
def test_a_run_of_any_task_embeds_sequences_and_residues(task: str, trained: Trained) -> None:
    predictor = load(trained(task, "head"), device="cpu", precision="fp32")
    assert run_encoder(predictor).embed(SEQUENCES).rows.shape[0] == 2
    assert run_encoder(predictor, per_residue=True).embed(SEQUENCES).rows.shape[0] == 7


def test_a_crop_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="--max-length"):
        backbone_encoder(load_backbone(TINY), HARDWARE, max_length=0)
