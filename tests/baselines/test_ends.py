import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from peftide.baselines import ends
from peftide.baselines.composition import fit_composition
from peftide.baselines.ends import (
    COMPOSITIONS,
    fit_ends,
    load_ends,
    window_compositions,
    window_residues,
)
from peftide.baselines.letters import STANDARD_RESIDUES
from tests.conftest import random_sequences


def test_places_are_counted_from_both_ends() -> None:
    """Short sequences fill a part of each window; the second one is read from the end."""
    sequence = random_sequences(1, lengths=(100, 101))[0]
    found = window_residues([sequence, "ACX"]).toarray()
    for place in range(40):
        assert found[0, place * 20 + STANDARD_RESIDUES.index(sequence[place])] == 1
        last = STANDARD_RESIDUES.index(sequence[-1 - place])
        assert found[0, (40 + place) * 20 + last] == 1
    assert found[0].sum() == 80
    assert np.flatnonzero(found[1]).tolist() == [0, 21, 821, 840]


def test_compositions_equal_plain_counting() -> None:
    sequence = random_sequences(1, lengths=(70, 71))[0]
    found = window_compositions([sequence, "AC"]).reshape(2, 2, 3, 20)
    for end, read in enumerate((sequence, sequence[::-1])):
        for place, (start, stop) in enumerate(((0, 10), (10, 20), (20, 40))):
            stretch = read[start:stop]
            wanted = [stretch.count(letter) / len(stretch) for letter in STANDARD_RESIDUES]
            np.testing.assert_allclose(found[0, end, place], wanted)
    assert found[1, :, 0, :2].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert not found[1, :, 1:].any()


def with_signals(count: int) -> tuple[list[str], np.ndarray]:
    """Return proteins with a hydrophobic stretch near the start (1), or elsewhere (0)."""
    generator = np.random.default_rng(0)
    sequences, labels = [], generator.integers(0, 2, count)
    for label, sequence in zip(
        labels, random_sequences(count, lengths=(90, 140), seed=7), strict=True
    ):
        start = int(generator.integers(3, 8)) if label else int(generator.integers(45, 60))
        stretch = "".join(generator.choice([*"LAVIL"], 9))
        sequences.append(sequence[:start] + stretch + sequence[start + 9 :])
    return sequences, labels.astype(np.int64)


def test_a_signal_at_one_end_is_found_that_composition_cannot_see() -> None:
    sequences, labels = with_signals(400)
    rows = np.arange(400)[:, None]
    scores = []
    for fit in (fit_ends, fit_composition):
        fitted = fit(sequences, rows[:250], labels[:250], kind="binary")
        answers = fitted.predict(sequences, rows[250:])
        scores.append(average_precision_score(labels[250:], answers))
    assert scores[0] > 0.95
    assert scores[1] < 0.7


@pytest.mark.parametrize("kind", ["binary", "continuous"])
def test_places_are_used_only_if_they_help(kind: str) -> None:
    """A residue at a place decides, or the composition of the first ten does."""
    generator = np.random.default_rng(4)
    sequences = ["".join(generator.choice([*"ACDEFGHIKL"], 60)) for _ in range(300)]
    rows = np.arange(300)[:, None]
    place = np.array([text[4] in "ACDEF" for text in sequences], dtype=np.int64)
    share = np.array([sum(letter in "ACDEF" for letter in text[:10]) for text in sequences])
    for decisive, wanted in ((place, True), (share, False)):
        labels = decisive if wanted else (share > 5).astype(np.int64)
        given = labels if kind == "binary" else decisive.astype(np.float64)
        fitted = fit_ends(sequences, rows, given, kind=kind)
        assert bool(np.abs(fitted.model.weights[:, COMPOSITIONS:]).sum() > 0) == wanted


def test_numbers_come_back() -> None:
    sequences, labels = with_signals(30)
    rows = np.arange(30)[:, None]
    fitted = fit_ends(sequences, rows, labels, kind="binary")
    again = load_ends(fitted.arrays(), kind="binary", proteins_per_example=1)
    assert ends.WINDOW == 40
    np.testing.assert_array_equal(fitted.predict(sequences, rows), again.predict(sequences, rows))
