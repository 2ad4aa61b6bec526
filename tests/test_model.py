"""The chain in one piece equals its two halves; parameters are counted as by hand."""

import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones import BACKBONES, Backbone, Origin, TransformerBackbone
from peftide.backbones.esm import esm_tokenizer
from peftide.backbones.loading import load_backbone
from peftide.backbones.names import ALIASES
from peftide.config import MethodOptions
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel, count_parameters
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.tokens import read_vocabulary
from tests.conftest import TINY

SEQUENCES = ["MKVLLA", "WYW", "ACDEFG"]


def model_of(backbone: Backbone, *, pairs: bool = True, per_residue: bool = False) -> ProteinModel:
    pairing = build_pairing("order_free", pairs=pairs)
    features = pairing.features(backbone.width)
    return ProteinModel(
        Parts(
            backbone=backbone,
            pooling=build_pooling("mean", width=backbone.width, per_residue=per_residue),
            scaling=Scaling(backbone.width),
            pairing=pairing,
            head=build_head("mlp", features=features, outputs=1, width=256, dropout=0.1),
        )
    ).eval()


@pytest.fixture
def model() -> ProteinModel:
    model = model_of(load_backbone(TINY))
    model.scaling.fit(torch.randn(9, 32) * 3 + 1)
    return model


def test_forward_is_encode_then_answer(model: ProteinModel):
    batch = model.backbone.pack(SEQUENCES, max_length=None)
    members = torch.tensor([[0, 1], [2, 0], [1, 1], [0, 2]])
    rows = model.encode(batch)
    assert rows.shape == (3, 32)
    assert model(batch, members).shape == (4, 1)
    assert torch.equal(model(batch, members), model.answer(rows, members))


def test_the_answer_is_scaled_paired_and_passed_to_the_head(model: ProteinModel):
    rows = torch.randn(3, 32)
    a, b = ((rows[[k]] - model.scaling.mean) / model.scaling.deviation for k in (0, 2))
    features = torch.cat([(a + b) / 2, (a - b).abs(), a * b], dim=1)
    torch.testing.assert_close(
        model.answer(rows, torch.tensor([[0, 2]])), model.head(features), rtol=1e-5, atol=1e-6
    )


def test_order_within_a_pair_changes_no_bit(model: ProteinModel):
    batch = model.backbone.pack(SEQUENCES, max_length=None)
    members = torch.tensor([[0, 1], [2, 0], [1, 2]])
    assert torch.equal(model(batch, members), model(batch, members.flip(1)))


def test_residue_tasks_have_one_row_per_residue():
    model = model_of(load_backbone(TINY), pairs=False, per_residue=True)
    batch = model.backbone.pack(SEQUENCES, max_length=4)
    assert model.encode(batch).shape == (4 + 3 + 4, 32)
    members = torch.arange(11)[:, None]
    assert model(batch, members).shape == (11, 1)


def test_parts_keep_their_names_in_the_state(model: ProteinModel):
    parts = {name.partition(".")[0] for name in model.state_dict()}
    assert parts == {"backbone", "scaling", "head"}


def test_counts_are_those_of_the_parameters_that_train(model: ProteinModel):
    assert count_parameters(model)["trained"] == 3 * 32 * 256 + 256 + 256 + 1
    model.head.requires_grad_(False)
    assert count_parameters(model)["trained"] == 0
    assert trained_parameters(model) == {}


# A hand count of the 650M architecture: D = 1,280, 33 layers, 33 tokens.
D = 1280
HEAD = (3 * D * 256 + 256) + (256 + 1)  # [mean, |a−b|, a∘b] → 256 → 1
LORA = 9 * 2 * 8 * (D + D)  # last quarter of 33 layers, key and value, r 8: A (r×D) and B (D×r)
ATTENTION = 4 * (D * D + D)  # query, key, value, output, each with its bias
FEED_FORWARD = (D * 4 * D + 4 * D) + (4 * D * D + D)
NORMS = 2 * 2 * D  # two layer norms, each with scale and bias
FULL = 33 * D + 33 * (ATTENTION + FEED_FORWARD + NORMS) + 2 * D  # tokens, layers, last norm
CONTACT_HEAD = 33 * 20 + 1  # one weight per attention head, and a bias; never trained


def on_no_device(alias: str) -> Backbone:
    """Return an architecture whose weights take no memory."""
    config = ALIASES[alias][1]()
    with torch.device("meta"):
        model = BACKBONES["esm"].random_model(config)
    return TransformerBackbone(
        model.requires_grad_(False),
        architecture=BACKBONES["esm"],
        vocabulary=read_vocabulary(esm_tokenizer(None)),
        origin=Origin(f"random:{alias}", "esm", None, ""),
    )


@pytest.mark.parametrize(
    ("method", "trained"), [("head", HEAD), ("lora", HEAD + LORA), ("full", HEAD + FULL)]
)
def test_trained_parameters_of_650m_are_those_counted_by_hand(method: str, trained: int):
    backbone = on_no_device("esm2_t33_650M")
    ADAPTERS[method].apply(backbone, MethodOptions())
    added = LORA if method == "lora" else 0
    assert count_parameters(model_of(backbone)) == {
        "trained": trained,
        "total": HEAD + FULL + CONTACT_HEAD + added,
    }


def test_the_hand_count_is_as_published():
    assert LORA == 368_640
    assert FULL == 649_400_320
    assert round(FULL / LORA) == 1762
