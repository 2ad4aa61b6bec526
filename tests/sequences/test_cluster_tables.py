from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences.cluster_tables import cluster_numbers


def test_members_have_the_number_of_their_representative(tmp_path: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text("b\tb\nb\ta\nd\td\nd\te\n")
    numbers = cluster_numbers(["a", "b", "c", "e", "d"], path).tolist()
    assert numbers[0] == numbers[1]
    assert numbers[3] == numbers[4]
    assert len(set(numbers)) == 3  # c is not named: a cluster of its own


def test_without_a_table_everyone_is_alone() -> None:
    assert cluster_numbers(["a", "b"], None).tolist() == [0, 1]


def test_a_table_of_other_sequences_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text("x\ty\n")
    with pytest.raises(InputError, match=r"--clusters: .*contains none of the 2 sequence ids"):
        cluster_numbers(["a", "b"], path)


def test_uniprot_ids_may_stand_there_as_accessions(tmp_path: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text("P1\tP1\nP1\tP2\nP3\tsp|P3|C_X\n")
    numbers = cluster_numbers(["sp|P1|A_X", "tr|P2|B_X", "sp|P3|C_X"], path).tolist()
    assert numbers[0] == numbers[1] != numbers[2]
