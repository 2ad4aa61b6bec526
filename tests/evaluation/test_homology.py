from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.baselines import Homologues
from peftide.evaluation import homology
from peftide.evaluation.homology import remembered_search


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The queries of each search that was really made."""
    made: list[tuple[str, ...]] = []

    def search(queries: Sequence[str], targets: Sequence[str], **_: Any) -> Homologues:
        made.append(tuple(queries))
        ends = np.arange(len(queries) + 1)
        half = np.full(len(queries), 0.5)
        return Homologues(ends, np.zeros(len(queries), dtype=np.int64), half, half, half)

    monkeypatch.setattr(homology, "find_homologues", search)
    return made


def test_the_same_sequences_are_looked_for_once(searched: list[tuple[str, ...]]) -> None:
    search = remembered_search()
    first, second = (search(["MK", "MV"], ["MA"]) for _ in range(2))
    assert first is second
    search(["MK"], ["MA"])
    search(["MK", "MV", "MA"], [])  # the same words, parted elsewhere
    assert searched == [("MK", "MV"), ("MK",), ("MK", "MV", "MA")]


def test_a_folder_serves_another_run(tmp_path: Path, searched: list[tuple[str, ...]]) -> None:
    first = remembered_search(tmp_path / "store")(["MK", "MV"], ["MA"])
    second = remembered_search(tmp_path / "store")(["MK", "MV"], ["MA"])
    assert len(searched) == 1
    for name in homology.NAMES:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_a_broken_file_is_looked_for_anew(tmp_path: Path, searched: list[tuple[str, ...]]) -> None:
    remembered_search(tmp_path)(["MK"], ["MA"])
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"cut off")
    found = remembered_search(tmp_path)(["MK"], ["MA"])
    assert len(searched) == 2
    assert found.identity_fraction.tolist() == [0.5]
