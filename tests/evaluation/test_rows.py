from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.evaluation.rows import ScoredPart, first_sites
from peftide.sequences import Dataset, Examples, Proteins
from peftide.sequences.records import WildType
from peftide.tasks import TASKS, Labels, Targets

YES_NO = Labels(class_names=("0", "1"), class_counts=(1, 1))


def dataset(members: list[list[int]], **more: Any) -> tuple[Dataset, Targets]:
    count = len(members)
    examples = Examples(
        Path("x.tsv"), np.arange(count), np.array(members), np.ones(count, dtype=bool), **more
    )
    proteins = Proteins(("a", "b", "c", "d"), ("MK", "MK", "MV", "MA"))
    targets = Targets(np.zeros((count, 1)), np.ones(count, dtype=bool), np.arange(count + 1))
    return Dataset(proteins, {"test": examples}, ()), targets


def test_proteins_with_one_sequence_are_one_unit() -> None:
    data, targets = dataset([[0, 2], [1, 3]])
    rows = ScoredPart(TASKS["ppi"], YES_NO, data, "test", targets).rows()
    assert rows.units.kind == "protein"
    assert rows.units.members[0, 0] == rows.units.members[1, 0]
    assert rows.units.count == 3


def test_clusters_are_units_where_they_are_known() -> None:
    data, targets = dataset([[0], [2], [3]], clusters=("k1", "k1", ""))
    rows = ScoredPart(TASKS["regression"], Labels(), data, "test", targets).rows()
    assert rows.units.kind == "cluster"
    assert rows.units.members[0] == rows.units.members[1]
    assert rows.units.count == 2


def test_residues_belong_to_their_sequence() -> None:
    data, _ = dataset([[0], [2]])
    counted = np.array([True, False, True, True, True])
    targets = Targets(np.eye(2)[[0, 1, 0, 1, 1]], counted, np.array([0, 2, 5]))
    labels = Labels(class_names=("E", "H"))
    rows = ScoredPart(TASKS["residue"], labels, data, "test", targets).rows()
    assert rows.units.kind == "sequence"
    first, *others = rows.units.members[:, 0]
    assert first not in others
    assert len(set(others)) == 1
    assert len(rows.values) == 4


def test_single_substitutions_at_one_site_are_one_unit() -> None:
    data, targets = dataset([[0], [2], [3], [2]])
    data = replace(data, variants_of=WildType("MK"))
    units = ScoredPart(TASKS["variants"], Labels(), data, "test", targets).rows().units
    assert units.kind == "site"
    assert units.count == 2  # the wild type, and site 2
    wild, first, second, again = units.members[:, 0].tolist()
    assert wild != first == second == again


def test_combinations_are_units_by_themselves() -> None:
    data, targets = dataset([[0], [2], [3], [2]])
    data = replace(data, variants_of=WildType("WK"))  # all change site 1, two site 2 as well
    units = ScoredPart(TASKS["variants"], Labels(), data, "test", targets).rows().units
    assert (units.kind, units.count) == ("sequence", 3)


@pytest.mark.parametrize("singles", [17, 18])
def test_a_few_combinations_count_at_their_first_site(singles: int) -> None:
    data, _ = dataset([[1], [1], *[[2]] * singles])  # rows count, not sequences
    proteins = Proteins(data.proteins.ids, ("MKLA", "AVLA", "MVLA", "MALA"))
    data = replace(data, proteins=proteins, variants_of=WildType("MKLA"))
    found = first_sites(data, data.parts["test"])
    assert (found is None) == (singles == 17)  # more than a tenth are combinations
    assert found is None or found[:, 0].tolist() == [0, 0, *[1] * singles]
