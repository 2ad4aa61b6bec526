from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.baselines import Homologues
from peftide.evaluation import homology
from peftide.evaluation.homology import remembered_kinship, remembered_search
from peftide.similarity import SimilaritySettings
from tests.similarity.conftest import random_proteins, relatives


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


def test_the_search_of_an_audit_is_remembered_by_sequences_and_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, best_hits = [], homology.best_hits

    def search(*given: Any) -> Any:
        made.append(given)
        return best_hits(*given)

    monkeypatch.setattr(homology, "best_hits", search)
    settings = SimilaritySettings(threads=1)
    old = random_proteins(3)
    queries = [*random_proteins(1, seed=9), *relatives(old[:1], changed=0.5)]
    first = remembered_kinship(tmp_path)(queries, old, settings)
    again = remembered_kinship(tmp_path)
    for _ in range(2):
        second = again(queries, old, settings)
        assert second.tool == first.tool
        for name in homology.HITS:
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert len(made) == len(first) == 1
    assert len(again(queries, old, replace(settings, identity_fraction=0.9))) == 0
    assert len(again([], old, settings)) == 0
    assert len(made) == 3
    for path in tmp_path.iterdir():
        path.write_bytes(b"cut off")
    assert len(remembered_kinship(tmp_path)(queries, old, settings)) == 1
    assert len(made) == 4
