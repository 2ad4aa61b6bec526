import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from peftide.adapters import ADAPTERS
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.engine.two_pass import two_pass
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.training.modes import set_training_mode
from tests.conftest import TINY, random_sequences, randomise

SEQUENCES = random_sequences(9, lengths=(5, 40))
PIECES = [[0], [1, 2, 3], [4, 5], [6, 7, 8]]
MEMBERS = torch.from_numpy(np.random.default_rng(0).integers(0, 9, size=(50, 2)))
LABELS = torch.arange(50, dtype=torch.float64)[:, None] % 2


@pytest.fixture
def model(request: pytest.FixtureRequest) -> ProteinModel:
    """A pair model in double precision whose adapter is not at its start."""
    method, dropout = request.param
    backbone = load_backbone(TINY)
    ADAPTERS[method].apply(backbone, MethodOptions(lora_dropout=dropout, lora_layers="all"))
    pairing = build_pairing("order_free", pairs=True)
    features = pairing.features(backbone.width)
    parts = Parts(
        backbone=backbone,
        pooling=build_pooling("attention", width=backbone.width, per_residue=False),
        scaling=Scaling(backbone.width),
        pairing=pairing,
        head=build_head("mlp", features=features, outputs=1, width=16, dropout=dropout),
    )
    model = ProteinModel(parts).double()
    randomise(model)
    set_training_mode(model)
    return model


def encode(model: ProteinModel, piece: list[int]) -> Tensor:
    return model.encode(model.backbone.pack([SEQUENCES[k] for k in piece], max_length=None))


def loss_of(model: ProteinModel, rows: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(model.answer(rows, MEMBERS), LABELS)


def gradients(model: torch.nn.Module) -> dict[str, Tensor]:
    """Return the gradients of all trained parameters, and forget them in the model."""
    found = {}
    for name, parameter in trained_parameters(model).items():
        assert parameter.grad is not None, name
        found[name], parameter.grad = parameter.grad, None
    return found


def in_two_passes(model: ProteinModel) -> float:
    def push(rows: Tensor) -> float:
        loss = loss_of(model, rows)
        loss.backward()
        return loss.item()

    return two_pass(lambda piece: encode(model, piece), PIECES, push)


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("model", [("lora", 0.0), ("full", 0.0)], indirect=True)
def test_the_gradients_are_those_of_all_proteins_in_one_batch(model: ProteinModel) -> None:
    expected_loss = loss_of(model, encode(model, list(range(9))))
    expected_loss.backward()
    expected = gradients(model)
    assert in_two_passes(model) == pytest.approx(expected_loss.item(), rel=1e-12)
    assert_equal(gradients(model), expected)


@pytest.mark.parametrize("model", [("lora", 0.4)], indirect=True)
def test_dropout_draws_the_same_numbers_in_both_passes(model: ProteinModel) -> None:
    """The reference holds all graphs at once, each piece drawn with the same seed."""
    torch.manual_seed(3)
    *seeds, last = torch.randint(2**62, (len(PIECES) + 1,)).tolist()
    rows = []
    for piece, seed in zip(PIECES, seeds, strict=True):
        torch.manual_seed(seed)
        rows.append(encode(model, piece))
    torch.manual_seed(last)
    loss_of(model, torch.cat(rows)).backward()
    expected = gradients(model)
    torch.manual_seed(3)
    in_two_passes(model)
    assert_equal(gradients(model), expected)
    torch.manual_seed(4)
    in_two_passes(model)
    other = gradients(model)
    assert any(not torch.allclose(other[name], expected[name]) for name in expected)


@pytest.mark.parametrize("model", [("lora", 0.0)], indirect=True)
def test_only_one_piece_has_a_graph_at_a_time(model: ProteinModel) -> None:
    alive: list[bool] = []

    def watched(piece: list[int]) -> Tensor:
        rows = encode(model, piece)
        alive.append(rows.requires_grad)
        return rows

    def push(rows: Tensor) -> float:
        assert rows.is_leaf
        loss = loss_of(model, rows)
        loss.backward()
        return loss.item()

    two_pass(watched, PIECES, push)
    assert alive == [False] * len(PIECES) + [True] * len(PIECES)


def test_a_loss_without_the_rows_is_an_error() -> None:
    weight = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="does not depend"):
        two_pass(lambda _piece: weight[None], [0], lambda _rows: 0.0)
