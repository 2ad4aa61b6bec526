from pathlib import Path

import numpy as np
import pytest

from peftide.backbones.loading import load_backbone
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.sequences import Proteins
from peftide.tasks import TASKS
from peftide.workflows.reading import (
    backbone_findings,
    data_files,
    member_proteins,
    named_tests,
    read_labels,
    read_training_data,
    reading_options,
    say_findings,
)
from tests.conftest import TINY, random_sequences, small_config, write_rows


def test_tests_are_named_by_the_user_or_test() -> None:
    assert named_tests(("a.tsv", "x=b.tsv")) == [("test", Path("a.tsv")), ("x", Path("b.tsv"))]


@pytest.mark.parametrize("name", ["train", "validation"])
def test_a_test_part_cannot_be_called_train(name: str) -> None:
    with pytest.raises(InputError, match=f"a test part named {name}"):
        named_tests((f"{name}=a.tsv",))


def test_data_files_are_all_that_is_read(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head")
    assert {path.name for path in data_files(config)} == {
        "train.tsv",
        "validation.tsv",
        "test.tsv",
    }


def test_all_absent_files_are_named_together(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", train=Path("a.tsv"), sequences=Path("b.fa"))
    with pytest.raises(InputError, match=r"(?s)a\.tsv: no such file.*b\.fa: no such file"):
        data_files(config)


def test_data_beside_train_is_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", data=tmp_path / "train.tsv")
    with pytest.raises(InputError, match="--data together with --train"):
        read_training_data(config, TASKS["ppi"])


def test_a_split_column_without_train_is_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "head", train=None, validation=None, test=())
    table = write_rows(tmp_path / "all.tsv", "sequence label split", [("MKV", 1, "test")])
    from dataclasses import replace

    with pytest.raises(InputError, match=r"no row of the part train \(parts: test\)"):
        read_training_data(replace(config, data=table), TASKS["regression"])


def test_residues_are_counted_after_and_before_the_crop(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "residue", "head"), TASKS["residue"])
    examples = dataset.parts["test"]
    lengths = [len(dataset.proteins.sequences[p]) for p in examples.members[:, 0]]
    options = reading_options(dataset, "test", max_length=10, class_map=None)
    assert options.lengths.tolist() == lengths
    assert options.residues.tolist() == [min(length, 10) for length in lengths]
    uncropped = reading_options(dataset, "test", max_length=None, class_map=None)
    assert uncropped.residues.tolist() == lengths


def test_what_the_model_does_not_see_is_counted() -> None:
    backbone = load_backbone(TINY)
    proteins = Proteins(("a", "b", "c"), ("MKVLA", "MJ", "MKV"))
    found = {f.kind: f for f in backbone_findings(proteins, backbone, max_length=4)}
    assert (found["over_long_sequences"].count, found["over_long_sequences"].examples) == (
        1,
        ("a",),
    )
    assert found["sequences_with_unknown_residues"].examples == ("b",)
    assert backbone_findings(Proteins(("c",), ("MKV",)), backbone, max_length=None) == ()


def test_labels_are_those_of_train_for_every_part(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "regression", "head"), TASKS["regression"])
    labels, targets = read_labels(dataset, TASKS["regression"], max_length=None, class_map=None)
    values = targets["train"].values
    assert (labels.centre, labels.spread) == (values.mean(), values.std())
    assert targets.keys() == {"train", "validation", "test"}


def test_equal_validation_labels_are_refused(tmp_path: Path) -> None:
    rows = [("v1", "MKV", 2), ("v2", "MKL", 2)]
    table = write_rows(tmp_path / "v.tsv", "id sequence label", rows)
    config = small_config(tmp_path, "regression", "head", validation=table)
    dataset = read_training_data(config, TASKS["regression"])
    with pytest.raises(InputError, match=r"v\.tsv: the validation rows that count \(2\) all have"):
        read_labels(dataset, TASKS["regression"], max_length=None, class_map=None)


def test_proteins_of_some_examples_are_renumbered(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "ppi", "head"), TASKS["ppi"])
    examples = dataset.parts["test"]
    proteins, members = member_proteins(examples, dataset.proteins)
    assert len(proteins) == 8
    before = np.array(dataset.proteins.sequences)[examples.members]
    assert (np.array(proteins.sequences)[members] == before).all()


def test_findings_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = write_rows(tmp_path / "t.tsv", "sequence label", [("mkv", 1), ("MKL*", 2), ("WW", 3)])
    config = small_config(tmp_path, "regression", "head", train=table)
    say_findings(read_training_data(config, TASKS["regression"]).findings)
    assert "lower case" in caplog.text
    assert "trailing stops" in caplog.text


def test_proteins_that_a_random_validation_shares_with_train_are_counted(tmp_path: Path) -> None:
    sequences = random_sequences(6, seed=3)
    rows = [(a, b, (i + j) % 2) for i, a in enumerate(sequences) for j, b in enumerate(sequences)]
    table = write_rows(tmp_path / "t.tsv", "sequence_a sequence_b label", rows)
    config = TrainConfig(task="ppi", train=table, out=tmp_path / "run", validation_fraction=0.2)
    dataset = read_training_data(config, TASKS["ppi"])
    inside = [
        {dataset.proteins.sequences[p] for p in dataset.parts[part].members.ravel()}
        for part in ("train", "validation")
    ]
    found = [f for f in dataset.findings if (f.part, f.kind) == ("validation", "shared_proteins")]
    assert [finding.count for finding in found] == [len(inside[0] & inside[1])]
    assert found[0].count > 0
