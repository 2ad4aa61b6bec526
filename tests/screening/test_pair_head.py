import pytest
import torch
from torch import nn

from peftide.heads import build_heads
from peftide.pairing import build_pairing
from peftide.scaling import Scaling
from peftide.screening.pair_head import Dot, Folded, Mean, Plain, pair_scorer

WIDTH = 6


class Model(nn.Module):
    """The right half of a model, whose rows are ready."""

    def __init__(self, pairing: str, head: str, count: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.scaling = Scaling(WIDTH)
        self.scaling.fit(torch.randn(20, WIDTH) * 3 + 1)
        self.pairing = build_pairing(pairing, pairs=True, head=head)
        features = self.pairing.features(WIDTH)
        sizes = {"features": features, "outputs": 1, "width": 5, "dropout": 0.5}
        self.head = build_heads(count, head, pairing=pairing, **sizes)


@pytest.mark.parametrize(
    ("pairing", "head", "count", "kind"),
    [
        ("order_free", "mlp", 1, Folded),
        ("order_free", "mlp", 3, Mean),
        ("order_free", "linear", 1, Plain),
        ("mean", "mlp", 1, Plain),
        ("order_free", "dot", 1, Dot),
        ("order_free", "dot", 2, Mean),
        ("order_free", "mlp,dot", 2, Mean),
        ("mean", "mlp,dot", 1, Mean),
    ],
)
def test_scores_are_those_of_the_model(
    pairing: str, head: str, count: int, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.screening.pair_head.PARTNERS_PER_PRODUCT", 4)
    model = Model(pairing, head, count).eval()
    rows = torch.randn(11, WIDTH)
    with torch.inference_mode():
        scorer = pair_scorer(rows, scaling=model.scaling, pairing=model.pairing, head=model.head)
        assert isinstance(scorer, kind)
        found = scorer.scores(torch.tensor([3, 0]), slice(1, 11))
        members = torch.tensor([[one, other] for one in (3, 0) for other in range(1, 11)])
        expected = model.head(model.pairing(model.scaling(rows), members)).view(2, 10)
        chosen = scorer.scores(slice(3, 4), torch.tensor([7, 2]))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(chosen, expected[:1, [6, 1]], atol=1e-5, rtol=0)
