import numpy as np
import pytest

from peftide.similarity import reference as module
from peftide.similarity.reference import (
    DELETED,
    INSERTED,
    changes,
    consensus,
    identical,
    reference_of,
)
from tests.conftest import random_sequences

WILD = "MKVLAAGIVGLCAWLDEHTRSPNQFY" * 2


def differences(sequence: str, reference: str = WILD) -> list[tuple[int, int]]:
    found = changes([sequence], reference)
    return sorted(zip(found.site.tolist(), found.letter.tolist(), strict=True))


def test_variants_of_equal_length_are_compared_site_by_site() -> None:
    mutant = WILD[:3] + "W" + WILD[4:9] + "P" + WILD[10:]
    assert differences(mutant) == [(3, ord("W")), (9, ord("P"))]
    assert differences(WILD) == []


def test_other_lengths_are_aligned_with_gaps() -> None:
    assert differences(WILD[:20] + WILD[21:]) == [(20, DELETED)]
    assert differences(WILD[:20] + "WW" + WILD[20:]) == [(19, INSERTED)]
    both = WILD[:5] + "P" + WILD[6:20] + WILD[22:]
    assert differences(both) == [(5, ord("P")), (20, DELETED), (21, DELETED)]


def test_a_gap_and_an_insertion_that_keep_the_length_are_seen() -> None:
    """Compared site by site, nothing between them would agree."""
    moved = WILD[:2] + WILD[3:50] + "W" + WILD[50:]
    assert len(moved) == len(WILD)
    found = differences(moved)
    assert len(found) < 6
    assert (2, DELETED) in found


def test_the_reference_is_the_commonest_residue_of_each_site() -> None:
    singles = [WILD[:k] + "W" + WILD[k + 1 :] for k in range(len(WILD))]
    assert consensus(singles) == WILD == reference_of(singles)
    assert reference_of([*singles, WILD[:-3]]) == WILD


@pytest.mark.parametrize("lengths", [(50, 51), (40, 60)])
def test_other_proteins_are_no_variants(lengths: tuple[int, int]) -> None:
    assert reference_of(random_sequences(40, lengths=lengths)) is None
    assert reference_of([WILD] * 5) is None  # too few to tell


def test_a_few_strangers_do_not_matter_and_a_fifth_does() -> None:
    strangers = random_sequences(25, lengths=(52, 53))
    assert reference_of([WILD] * 95 + strangers[:5]) == WILD
    assert reference_of([WILD] * 75 + strangers) is None


def test_lengths_too_large_to_align_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", 100)
    assert reference_of([WILD] * 20) is None
    assert identical([WILD], WILD).tolist() == [len(WILD)]


def test_lower_case_and_unknown_letters() -> None:
    assert differences(WILD.lower()) == []
    assert differences("X" + WILD[1:]) == [(0, ord("X"))]
    assert np.isfinite(changes(["U" + WILD], WILD).letter).all()
