"""Ids that stand for two sequences."""

from pathlib import Path

from peftide.auditing.ids import rename_reused_ids
from peftide.config import AuditConfig
from peftide.sequences import read_table


def test_reused_ids_of_pairs_become_two_proteins(tmp_path: Path):
    path = tmp_path / "t.tsv"
    header = "id_a\tid_b\tsequence_a\tsequence_b\tlabel\n"
    path.write_text(header + "p\tq\tMA\tMC\t1\nr\tp\tMD\tMW\t0\np\tq\tMW\tMC\t1\n")
    table = read_table(path, AuditConfig(), level="pair", needs_labels=True)
    renamed, findings = rename_reused_ids({"train": table})
    assert renamed["train"].ids is not None
    assert renamed["train"].ids.tolist() == [["p", "q"], ["r", "p_row_3"], ["p_row_3", "q"]]
    assert [(found.kind, found.count) for found in findings] == [("renamed_ids", 1)]
    assert findings[0].examples == (f"{path}:3 p",)
    assert table.ids is not None
    assert table.ids[1, 1] == "p"  # the table given is untouched


def test_tables_without_sequences_stay(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_text("id_a\tid_b\tlabel\np\tq\t1\n")
    table = read_table(path, AuditConfig(), level="pair", needs_labels=True)
    renamed, findings = rename_reused_ids({"train": table})
    assert renamed["train"] is table
    assert not findings
