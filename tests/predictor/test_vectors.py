import numpy as np
import torch

from peftide.predictor import vectors as module
from peftide.predictor.vectors import Vectors
from tests.conftest import random_sequences
from tests.training.conftest import Build


def test_vectors_grow_with_new_sequences_only(build: Build, monkeypatch: object) -> None:
    setting, _, _ = build("ppi", "head")
    module_capacity, module.FIRST_CAPACITY = module.FIRST_CAPACITY, 2
    try:
        vectors, sequences = Vectors(setting.encoder), random_sequences(9, seed=5)
        first = vectors.add(sequences[:3])
        again = vectors.add([sequences[1], *sequences[3:], sequences[1]])
    finally:
        module.FIRST_CAPACITY = module_capacity
    assert first.tolist() == [0, 1, 2]
    assert again.tolist() == [1, 3, 4, 5, 6, 7, 8, 1]
    expected = setting.encoder.embed(sequences).rows
    torch.testing.assert_close(vectors.embeddings().rows, expected, atol=1e-5, rtol=1e-5)
    assert np.array_equal(vectors.embeddings().offsets, np.arange(10))
