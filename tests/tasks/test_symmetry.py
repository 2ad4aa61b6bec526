from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions, Targets
from peftide.sequences import Examples
from peftide.tasks.symmetry import (
    DEFAULT_MAP,
    DEFAULT_ORDER,
    fit_symmetry,
    read_class_map,
    read_symmetry,
)

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
DEFAULT = Labels(class_names=tuple(DEFAULT_ORDER), class_map=DEFAULT_MAP)


def classes(targets: Targets, row: int = 0) -> set[str]:
    return {name for k, name in enumerate(DEFAULT_ORDER) if targets.values[row, k] > 0}


def test_the_classes_are_the_papers() -> None:
    """Sledzieski et al. 2024: 18 classes, three of them merged."""
    assert [
        *("C1", "C2", "C3", "C4", "C5", "C6", "C7-C9", "C10-C17"),
        *("D2", "D3", "D4", "D5", "D6-D12"),
        *("H", "O", "T", "I", "other"),
    ] == DEFAULT_ORDER
    assert set(DEFAULT_MAP.values()) == set(DEFAULT_ORDER)


@pytest.mark.parametrize(
    ("text", "name"),
    [(name, name) for name in DEFAULT_ORDER]
    + [("C7", "C7-C9"), ("C9", "C7-C9"), ("C10", "C10-C17"), ("C17", "C10-C17")]
    + [("D6", "D6-D12"), ("D12", "D6-D12"), ("D13", "other"), ("C18", "other"), ("D1", "other")]
    + [("c2", "C2"), ("Other", "other"), ("c7-c9", "C7-C9"), (" T ", "T")],
)
def test_groups_go_to_their_class(rows: Rows, reading: Reading, text: str, name: str) -> None:
    assert classes(read_symmetry(rows([text]), DEFAULT, reading())) == {name}


@pytest.mark.parametrize("text", ["C2,D2", "C2;D2", "C2|D2", "C2/D2", "C2 D2", "C2, D2", "C2 ; D2"])
def test_a_protein_may_have_several_groups(rows: Rows, reading: Reading, text: str) -> None:
    targets = read_symmetry(rows([text]), DEFAULT, reading())
    assert classes(targets) == {"C2", "D2"}
    assert targets.values.sum() == 1
    assert targets.values.max() == 0.5


def test_groups_that_merge_into_one_class_count_once(rows: Rows, reading: Reading) -> None:
    targets = read_symmetry(rows(["C7,C8"]), DEFAULT, reading())
    assert targets.values.max() == 1


def test_merges_are_counted(rows: Rows, reading: Reading) -> None:
    targets = read_symmetry(rows(["C8", "C8", "D20", "C2", "other"]), DEFAULT, reading())
    assert [(finding.kind, finding.count) for finding in targets.findings] == [
        ("merged_labels", 2),
        ("merged_labels", 1),
    ]
    assert [finding.decision for finding in targets.findings] == [
        "read as C7-C9: C8 (2)",
        "read as other: D20 (1)",
    ]


def test_every_group_of_a_wider_class_is_named_and_counted(rows: Rows, reading: Reading) -> None:
    groups = [f"C{order}" for order in range(18, 48)]
    (finding,) = read_symmetry(rows([*groups, "C20", "C47"]), DEFAULT, reading()).findings
    assert finding.count == 32
    assert finding.decision.startswith("read as other: C20 (2), C47 (2), C18 (1), ")
    assert finding.decision.endswith(", 10 other groups (10)")


def test_nothing_merged_is_no_finding(rows: Rows, reading: Reading) -> None:
    assert read_symmetry(rows(["C1", "c2", "C7-C9"]), DEFAULT, reading()).findings == ()


@pytest.mark.parametrize("text", ["maybe", "C0", "X3", "C2,Z", "3", "C2-D2"])
def test_an_unknown_group_is_refused_with_its_line(rows: Rows, reading: Reading, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_symmetry(rows(["C1", text]), DEFAULT, reading())
    assert str(caught.value).startswith("t.tsv:3: unknown symmetry ")
    assert "--class-map" in str(caught.value)


def test_an_almost_right_group_gets_a_suggestion(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="Did you mean C7-C9?"):
        read_symmetry(rows(["C7_C9"]), DEFAULT, reading())


@pytest.mark.parametrize("text", ["C2,", ",C2", "C2;;D2"])
def test_an_empty_place_between_separators_is_no_group(
    rows: Rows, reading: Reading, text: str
) -> None:
    assert "C2" in classes(read_symmetry(rows([text]), DEFAULT, reading()))


def test_class_counts_share_rows_with_several_classes(rows: Rows, reading: Reading) -> None:
    labels = fit_symmetry(rows(["C1", "C1", "C1,C2", "H"]), reading())
    counts = dict(zip(labels.class_names, labels.class_counts, strict=True))
    assert (counts["C1"], counts["C2"], counts["H"], counts["other"]) == (2.5, 0.5, 1.0, 0.0)


def test_one_class_only_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: .*one class only \(C7-C9\)"):
        fit_symmetry(rows(["C7", "C8"]), reading())


def write_map(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_class_map_by_file_replaces_the_default(
    rows: Rows, reading: Reading, tmp_path: Path
) -> None:
    path = write_map(tmp_path / "m.tsv", "label\tclass\nC1\tmono\nC2\tcyclic\nC3\tcyclic\n")
    labels = fit_symmetry(rows(["C1", "C3"]), reading(class_map=path))
    assert labels.class_names == ("mono", "cyclic")
    with pytest.raises(InputError, match="unknown symmetry 'D2'"):
        read_symmetry(rows(["D2"]), labels, reading())


def test_classes_stand_in_the_order_of_the_file(
    rows: Rows, reading: Reading, tmp_path: Path
) -> None:
    """The order is that of the logits: it must be the same in every process."""
    names = [f"class{number}" for number in range(30, 10, -1)]
    lines = [f"C{number}\t{name}" for number, name in enumerate(names, start=1)]
    path = write_map(tmp_path / "m.tsv", "\n".join(["label\tclass", *lines]) + "\n")
    labels = fit_symmetry(rows(["C1", "C3"]), reading(class_map=path))
    assert labels.class_names == tuple(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group\tclass\nC1\ta\n", "no columns"),
        ("label\tclass\n", "m.tsv"),
        ("label\tclass\nC1\ta\nC1\tb\n", "label C1 has two classes"),
        ("label\tclass\nC1\ta\nC2\n", "m.tsv"),
        ("label\tclass\nC1\ta\nC2\t\n", "m.tsv"),
        ("", "empty"),
    ],
    ids=["columns", "no-rows", "two-classes", "ragged", "empty-class", "empty"],
)
def test_a_wrong_class_map_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_class_map(write_map(tmp_path / "m.tsv", text))


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_class_map_is_read_as_any_table(tmp_path: Path, separator: str) -> None:
    text = f"label{separator}class\nC1{separator}a\nC2{separator}b\n"
    assert read_class_map(write_map(tmp_path / "m.csv", text)) == {"C1": "a", "C2": "b"}
