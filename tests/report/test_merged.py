from pathlib import Path
from typing import Any

from peftide.report.merged import merged_classes
from peftide.report.read import Run, read_run
from tests.report.conftest import NASTY, Outline, entry, write_run


def run_of(folder: Path, *found: dict[str, Any], **record: Any) -> Run:
    metrics = {"headline": "auroc", "splits": {"test": {"auroc": entry(0.6)}}}
    return read_run(write_run(folder, metrics, findings=found, **record))


def merge(decision: str, part: str = "test", count: int = 3) -> dict[str, Any]:
    return {"part": part, "kind": "merged_labels", "count": count, "decision": decision}


def test_the_labels_of_the_class_other_are_listed_with_their_counts(tmp_path: Path) -> None:
    found = merge("read as other: D20 (2), C18 (1)"), merge("read as C7-C9: C8 (3)", "train")
    options = {"task": "symmetry", "class_map": None}
    shown = merged_classes(run_of(tmp_path, *found, options=options), "test")
    assert shown is not None
    outline = Outline(shown)
    assert outline.text("th", "td") == (
        "classinrowslabels" + "othertest3D20 (2), C18 (1)" + "C7-C9train3C8 (3)"
    )
    assert "cyclic groups above C17" in outline.text("figcaption")


def test_another_map_or_part_is_not_explained_by_the_default(tmp_path: Path) -> None:
    own = {"task": "symmetry", "class_map": "map.tsv"}
    run = run_of(tmp_path, merge(f"read as other: {NASTY} (3)"), options=own)
    shown = merged_classes(run, "test")
    assert shown is not None
    assert "above C17" not in shown
    assert not Outline(shown).all("script")
    assert merged_classes(run, "yeast") is None


def test_the_class_other_is_explained_without_any_of_its_rows(tmp_path: Path) -> None:
    options = {"task": "symmetry"}
    shown = merged_classes(run_of(tmp_path, options=options), "test")
    assert shown is not None
    assert "cyclic groups above C17" in Outline(shown).text()
    assert not Outline(shown).all("table")
