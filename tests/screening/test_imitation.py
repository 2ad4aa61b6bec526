"""A dot head learns the ranks of a trained head, and is found again."""

from pathlib import Path

import numpy as np
import torch

from peftide.heads import build_head
from peftide.pairing import OrderFree
from peftide.screening.imitation import imitate
from peftide.screening.pair_head import PairScorer, pair_scorer

WIDTH = 8


def trained(rows: torch.Tensor) -> PairScorer:
    torch.manual_seed(0)
    head = build_head("mlp", features=3 * WIDTH, outputs=1, width=16, dropout=0.0).eval()
    for parameter in head.parameters():
        parameter.data *= 3
    return pair_scorer(rows, scaling=torch.nn.Identity(), pairing=OrderFree(), head=head)


def test_the_imitation_ranks_pairs_as_the_trained_head_does(tmp_path: Path) -> None:
    rows = torch.randn(400, WIDTH, generator=torch.Generator().manual_seed(1))
    everyone = slice(0, 400)
    with torch.inference_mode():
        scorer = trained(rows)
        fast = imitate(scorer, rows, path=tmp_path / "i.safetensors", key="k")
        expected, found = scorer.scores(everyone, everyone), fast.scores(everyone, everyone)
    upper = np.triu_indices(400, 1)
    wanted, given = expected.numpy()[upper], found.numpy()[upper]
    best = np.argsort(-wanted)[: len(wanted) // 100]
    tenth = np.argsort(-given)[: len(given) // 10]
    assert np.isin(best, tenth).mean() > 0.9


def test_a_saved_imitation_is_read_under_its_key_alone(tmp_path: Path) -> None:
    rows = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(1))
    path, everyone = tmp_path / "i.safetensors", slice(0, 40)
    with torch.inference_mode():
        scorer = trained(rows)
        first = imitate(scorer, rows, path=path, key="k").scores(everyone, everyone)
        written = path.stat().st_mtime_ns
        again = imitate(scorer, rows, path=path, key="k").scores(everyone, everyone)
        assert path.stat().st_mtime_ns == written
        assert torch.equal(first, again)
        imitate(scorer, rows, path=path, key="other")
    assert path.stat().st_mtime_ns > written
