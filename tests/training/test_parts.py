import numpy as np
import pytest
import torch

from peftide.engine.embedding import Embeddings
from peftide.hardware import GRAPH_BATCHES
from peftide.tasks import Targets
from peftide.training import parts
from peftide.training.parts import LabelledPart, cached_rows, encoded_rows, micro_batches
from tests.training.conftest import Build


def test_examples_without_a_row_that_counts_are_not_trained_on() -> None:
    counted = np.array([True, False, False, False, True])
    targets = Targets(np.zeros((5, 1)), counted, np.array([0, 2, 4, 5]))
    part = LabelledPart(np.zeros((3, 1), dtype=np.int64), targets)
    assert part.trained_examples().tolist() == [0, 2]


def test_pieces_of_a_batch_stay_within_the_budget_and_keep_the_order() -> None:
    generator = np.random.default_rng(0)
    members = generator.integers(0, 20, size=(60, 2))
    costs = generator.integers(5, 30, size=20)
    examples = generator.permutation(60)[:40]
    pieces = micro_batches(examples, members, costs=costs, budget=100)
    assert np.concatenate(pieces).tolist() == examples.tolist()
    sums = [costs[np.unique(members[piece])].sum() for piece in pieces]
    assert max(sums) <= 100
    # as full as possible: the first example of each next piece would not have fitted
    for piece, following in zip(pieces[:-1], pieces[1:], strict=True):
        together = np.append(piece, following[0])
        assert costs[np.unique(members[together])].sum() > 100


def test_an_example_over_the_budget_stands_alone() -> None:
    members = np.array([[0], [1], [0]])
    pieces = micro_batches(np.arange(3), members, costs=np.array([500, 1]), budget=10)
    assert [piece.tolist() for piece in pieces] == [[0], [1], [2]]


def test_rows_computed_before_come_in_the_order_asked_for() -> None:
    embeddings = Embeddings(torch.arange(10.0).reshape(5, 2), np.array([0, 2, 3, 5]))
    source = cached_rows(embeddings, torch.device("cpu"))
    rows = source.rows(np.array([2, 0]))
    assert rows.tolist() == [[6, 7], [8, 9], [0, 1], [2, 3]]
    assert source.counts.tolist() == [2, 1, 2]
    assert micro_batches(
        np.arange(3), np.array([[0], [1], [2]]), costs=source.costs, budget=source.budget
    )[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("task", ["ppi", "residue"])
@pytest.mark.parametrize("max_tokens", [30, 4096])
def test_rows_encoded_anew_come_in_the_order_asked_for(
    build: Build, task: str, max_tokens: int
) -> None:
    """Each protein encoded alone is the reference; batches are sorted by length inside."""
    setting, model, _ = build(task, "lora", max_tokens=max_tokens)
    model.eval()
    sequences = setting.problem.dataset.proteins.sequences
    source = encoded_rows(setting.encoder, sequences)
    asked = np.array([7, 0, 12, 3, 9, 1])
    assert len({len(sequences[p]) for p in asked}) > 3
    with torch.no_grad():
        rows = source.rows(asked)
        alone = [model.encode(setting.encoder.pack([sequences[p]])) for p in asked]
    torch.testing.assert_close(rows, torch.cat(alone), atol=1e-5, rtol=1e-5)
    assert [len(one) for one in alone] == source.counts[asked].tolist()


def test_the_cost_of_a_protein_is_its_tokens_after_the_crop(build: Build) -> None:
    setting, _, _ = build("regression", "lora", max_length=10, max_tokens=64)
    sequences = setting.problem.dataset.proteins.sequences
    source = encoded_rows(setting.encoder, sequences)
    assert source.costs.tolist() == [min(len(text), 10) + 2 for text in sequences]
    assert source.budget == GRAPH_BATCHES * 64


def test_activations_of_a_wide_model_have_their_own_limit(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trained layers of width 32, at 40 bytes each: 100 tokens need 256,000 bytes."""
    monkeypatch.setattr(parts, "GRAPH_BYTES", 256_000)
    setting, _, _ = build("regression", "lora", lora_layers="all", max_tokens=64)
    sequences = setting.problem.dataset.proteins.sequences
    source = encoded_rows(setting.encoder, sequences)
    assert (source.batch_tokens, source.budget) == (64, 100)
    setting.encoder.layers_each = 2.0
    source = encoded_rows(setting.encoder, sequences)
    assert (source.batch_tokens, source.budget) == (50, 50)


def test_a_recurrent_backbone_keeps_states_and_a_share_of_a_segment(build: Build) -> None:
    setting, _, _ = build("regression", "lora", backbone="random:unirep_64", lora_layers="all")
    assert parts.graph_tokens(setting.encoder) == parts.GRAPH_BYTES // (12 * 64 * 4)
