from collections.abc import Callable
from pathlib import Path

import torch

from peftide.config import ScreenConfig
from peftide.screening.preparing import open_model, prepare_screen
from peftide.screening.proteins import read_proteins
from tests.conftest import random_sequences, write_proteins


def test_a_prepared_screen_scores_like_the_model(
    trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    sequences = random_sequences(4, seed=2)
    fasta = write_proteins(tmp_path / "p.fasta", [*sequences, sequences[1]])
    config = ScreenConfig(
        run=trained("ppi", "head"),
        sequences=fasta,
        out=tmp_path / "h.parquet",
        top_k=2,
        threads=1,
        device="cpu",
        precision="fp32",
    )
    predictor = open_model(config)
    ready = prepare_screen(config, read_proteins(config), predictor, store=tmp_path / "store")
    assert ready.rows.shape == (4, predictor.encoder.model.width)
    assert ready.pairs.sequences.tolist() == [0, 1, 2, 3, 1]
    assert ready.wanted.top_k == 2
    with torch.inference_mode():
        scores = ready.scorer().scores(slice(0, 1), slice(0, 4))
    expected = predictor.predict([(sequences[0], other) for other in sequences])["score"]
    torch.testing.assert_close(
        scores[0], torch.tensor(expected.to_numpy(), dtype=torch.float32), atol=1e-4, rtol=0
    )
