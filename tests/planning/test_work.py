from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.backbones import TransformerBackbone
from peftide.commands.train import train
from peftide.encoding import ModelEncoder
from peftide.planning.work import Storage, epoch_work, once_work, storage_of
from tests.planning.conftest import Begin

EPOCHS = 2


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Tokens that a training really sends through the layers, by what it does with them."""
    counts: Counter[str] = Counter()
    hidden_states, forward = TransformerBackbone.hidden_states, ModelEncoder.encode

    def below(self: TransformerBackbone, batch: Any, layers: int) -> Any:
        counts["below"] += sum(batch.lengths)
        return hidden_states(self, batch, layers)

    def above(self: ModelEncoder, batch: Any) -> Any:
        rows = forward(self, batch)
        counts["graph" if rows.requires_grad else "forward"] += sum(batch.lengths)
        return rows

    monkeypatch.setattr(TransformerBackbone, "hidden_states", below)
    monkeypatch.setattr(ModelEncoder, "encode", above)
    return counts


@pytest.mark.parametrize(
    ("task", "method", "sampler"),
    [
        *(("regression", method, "auto") for method in ("head", "lora", "full")),
        *(("ppi", "full", sampler) for sampler in ("pairs", "blocks")),
        ("residue", "lora", "auto"),
    ],
)
def test_the_work_is_what_a_training_does(
    begin: Begin, encoded: Counter[str], task: str, method: str, sampler: str
) -> None:
    """The training itself, watched, is the reference."""
    begun = begin(
        task, method, sampler=sampler, blocks=2 if sampler == "blocks" else None, max_tokens=256
    )
    setting = begun.setting
    storage = storage_of(setting, cut=begun.stands.cuts()[0], store=Path.cwd())
    epoch, once = epoch_work(begun.fitting), once_work(setting, storage)
    train(begun.config)
    if method == "head":
        # besides, a few examples are encoded before and after the model is saved
        assert 0 <= encoded["forward"] - once.stored.tokens < 400
        return
    # blocks are drawn anew in every epoch
    assert encoded["graph"] == pytest.approx(EPOCHS * epoch.graph.tokens, rel=0.15)
    forward = once.sample + once.scored + (once.validation + epoch.first_pass) * EPOCHS
    assert 0 <= encoded["forward"] - forward.tokens < 400
    assert encoded["below"] == (once.stored.tokens if begun.stands.cuts()[0] else 0)


def test_steps_and_rows_are_counted(begin: Begin) -> None:
    work = epoch_work(begin("residue", "lora", batch_size=7).fitting)
    assert (work.steps, work.examples) == (4, 24)  # 24 training rows


def test_large_epochs_are_judged_by_some_of_their_batches(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting = begin("regression", "lora", batch_size=4).fitting
    exact = epoch_work(fitting)
    monkeypatch.setattr("peftide.planning.work.MOST_BATCHES", 3)
    few = epoch_work(fitting)
    assert (few.steps, few.examples, len(few.batches)) == (6, 24, 3)
    assert few.graph.tokens == pytest.approx(exact.graph.tokens, rel=0.3)


def test_hidden_states_that_are_too_large_are_not_kept(begin: Begin) -> None:
    begun = begin("regression", "lora", trunk_gb=0.0)
    storage = storage_of(begun.setting, cut=1, store=Path.cwd())
    sequences = {
        begun.setting.problem.dataset.proteins.sequences[p]
        for part in ("train", "validation")
        for p in np.unique(begun.setting.problem.dataset.parts[part].members)
    }
    assert storage.size_bytes == sum(len(text) + 2 for text in sequences) * 32 * 4
    assert not storage.is_kept
    assert Storage("hidden states", 10, 10).is_kept
    assert not Storage("nothing").is_kept
