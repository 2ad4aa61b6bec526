from collections import Counter

import numpy as np
import pytest
from scipy.stats import spearmanr

from peftide.baselines import kmer
from peftide.baselines.kmer import WORDS, fit_kmers, kmer_features
from peftide.baselines.letters import STANDARD_RESIDUES
from tests.conftest import random_sequences


def counted(sequence: str) -> np.ndarray:
    """Return the square roots of 3-mer frequencies by plain counting. Shape (8000,)."""
    words = [sequence[k : k + 3] for k in range(len(sequence) - 2)]
    words = [word for word in words if set(word) <= set(STANDARD_RESIDUES)]
    found = np.zeros(WORDS)
    for word, count in Counter(words).items():
        a, b, c = (STANDARD_RESIDUES.index(letter) for letter in word)
        found[a * 400 + b * 20 + c] = np.sqrt(count / len(words))
    return found


def test_features_equal_plain_counting() -> None:
    """Words end with their protein; other letters and proteins below three residues have none."""
    sequences = [*random_sequences(20), "AC", "", "ACXDEFGACD", "W", "aaac"]
    wanted = np.array([counted(sequence.upper()) for sequence in sequences])
    np.testing.assert_allclose(kmer_features(sequences).toarray(), wanted, rtol=1e-6)


def test_a_motif_is_found_that_composition_cannot_see() -> None:
    """Every sequence has the same residues; only their order differs with the value."""
    generator, letters = np.random.default_rng(0), list("ACDEFGHIKLWW")
    sequences = ["".join(generator.permutation(letters * 3)) for _ in range(300)]
    values = np.array([text.count("WW") for text in sequences], dtype=np.float64)
    rows = np.arange(300)[:, None]
    fitted = fit_kmers(sequences, rows[:200], values[:200], kind="continuous")
    found = spearmanr(fitted.predict(sequences, rows[200:]), values[200:])[0]
    assert float(np.asarray(found)) > 0.5


def test_the_same_rows_give_the_same_numbers() -> None:
    sequences, rows = random_sequences(30), np.arange(30)[:, None]
    values = np.arange(30.0)
    first, second = (fit_kmers(sequences, rows, values, kind="continuous") for _ in range(2))
    for name, numbers in first.arrays().items():
        np.testing.assert_array_equal(numbers, second.arrays()[name])


def test_directions_come_from_a_part_of_many_proteins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kmer, "MOST_PROTEINS", 10)
    rows = np.arange(30)[:, None]
    fitted = fit_kmers(random_sequences(30), rows, np.arange(30.0), kind="continuous")
    assert fitted.components.shape == (WORDS, 10)
    assert np.isfinite(fitted.predict(random_sequences(30), rows)).all()


def test_proteins_without_any_word_are_answered() -> None:
    rows, labels = np.arange(4)[:, None], np.array([0, 1, 0, 1])
    fitted = fit_kmers(["A", "C", "XX", "AC"], rows, labels, kind="binary")
    np.testing.assert_allclose(fitted.predict(["A"], np.array([[0]])), 0.5, atol=1e-6)
