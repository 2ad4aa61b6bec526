from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from peftide.commands.using import answer, join, open_model
from peftide.config import PredictConfig
from peftide.sequences import read_table

Trained = Callable[[str, str], Path]


def options(run: Path) -> PredictConfig:
    table = run.parent / "test.tsv"
    return PredictConfig(run=run, input=table, threads=1, device="cpu", precision="fp32")


def test_a_run_folder_or_its_model_folder_opens(trained: Trained) -> None:
    run = trained("ppi", "lora")
    found = [open_model(path, allow_bin=False) for path in (run, run / "model")]
    assert found[0].recipe == found[1].recipe


def test_answers_are_those_of_the_whole_model(trained: Trained) -> None:
    """Reference: `forward` on one packed batch of all proteins."""
    run = trained("ppi", "lora")
    config = options(run)
    bundle = open_model(run, allow_bin=False)
    table = read_table(config.input, config, level="pair", needs_labels=False)
    answered = answer(bundle, join(table, bundle, config), config)
    sequences = list(answered.dataset.proteins.sequences)
    with torch.inference_mode():
        batch = bundle.model.backbone.pack(sequences, max_length=None)
        expected = bundle.model(batch, torch.from_numpy(answered.examples.members))
    np.testing.assert_allclose(answered.logits, expected.numpy(), atol=1e-5)


def test_residues_are_counted_after_the_crop(trained: Trained) -> None:
    run = trained("residue", "head")
    config = options(run)
    bundle = open_model(run, allow_bin=False)
    table = read_table(config.input, config, level="residue", needs_labels=True)
    answered = answer(bundle, join(table, bundle, config), config)
    assert answered.residues.tolist() == [
        len(answered.dataset.proteins.sequences[p]) for p in answered.examples.members[:, 0]
    ]
    assert len(answered.logits) == answered.residues.sum()
