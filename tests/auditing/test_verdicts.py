"""All verdicts together."""

from pathlib import Path

from peftide.auditing import SEVERITIES, Subject, judge
from peftide.auditing.verdicts import several_ids
from peftide.config import TableOptions
from peftide.sequences import read_dataset, read_table
from tests.auditing.conftest import Make, one


def test_the_worst_come_first_and_every_part_is_judged(make: Make):
    rows = [("MA", "MC", 1, "train"), ("MA", "MD", 0, "train"), ("MC", "MD", 1, "validation")]
    rows += [("ME", "MF", 1, "test"), ("ME", "MG", 0, "test"), ("ME", "MF", 0, "test")]
    verdicts = judge(make(rows), None)
    order = [SEVERITIES.index(verdict.severity) for verdict in verdicts]
    assert order == sorted(order)
    assert {verdict.part for verdict in verdicts} == {"train", "validation", "test", "sequences"}
    worst = verdicts[0]
    assert (worst.part, worst.kind, worst.severity) == ("validation", "shared_proteins", "leak")
    kinds = [(verdict.part, verdict.kind) for verdict in verdicts]
    assert len(kinds) == len(set(kinds))
    assert ("test", "contradictory_labels") in kinds


def test_what_reading_counted_is_told_once(make: Make):
    rows = [("ma", "MC", 1, "train"), ("MA", "MC", 1, "train"), ("MD", "ME", 0, "train")]
    verdicts = {verdict.kind: verdict for verdict in judge(make(rows), None)}
    assert verdicts["lower_case_sequences"].severity == "note"
    assert verdicts["repeated_rows"].numbers["count"] == 1
    assert "repeated_examples" not in verdicts


def test_sequences_under_several_ids(tmp_path: Path):
    path = tmp_path / "t.tsv"
    header = "id_a\tid_b\tsequence_a\tsequence_b\tlabel\n"
    path.write_text(header + "p\tq\tMA\tMC\t1\np2\tq\tMA\tMC\t0\n")
    config = TableOptions()
    table = read_table(path, config, level="pair", needs_labels=True)
    subject = Subject(read_dataset({"train": table}, config, level="pair"), pairs=True)
    found = one(several_ids(subject))
    assert found.severity == "note"
    assert found.numbers == {"count": 1}
    assert "1 of 2 sequences (50.0%)" in found.text
    assert found.examples == ("p",)


def test_made_up_ids_are_not_judged(make: Make):
    table = [("MA", 1, "train"), ("MC", 0, "train"), ("MA", 1, "test")]
    assert several_ids(make(table, pairs=False)) is None
