from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.splitting.training_data import read_training_data
from peftide.tasks import TASKS
from peftide.tasks.reading import read_class_names, read_labels, reading_options
from tests.conftest import small_config, write_rows


def test_residues_are_counted_after_and_before_the_crop(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "residue", "head"), "residue")
    examples = dataset.parts["test"]
    lengths = [len(dataset.proteins.sequences[p]) for p in examples.members[:, 0]]
    options = reading_options(dataset, "test", max_length=10, class_map=None)
    assert options.lengths.tolist() == lengths
    assert options.residues.tolist() == [min(length, 10) for length in lengths]
    uncropped = reading_options(dataset, "test", max_length=None, class_map=None)
    assert uncropped.residues.tolist() == lengths


def test_labels_are_those_of_train_for_every_part(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "regression", "head"), "sequence")
    labels, targets = read_labels(dataset, TASKS["regression"], max_length=None, class_map=None)
    values = targets["train"].values
    assert (labels.centre, labels.spread) == (values.mean(), values.std())
    assert targets.keys() == {"train", "validation", "test"}


def test_equal_validation_labels_are_refused(tmp_path: Path) -> None:
    rows = [("v1", "MKV", 2), ("v2", "MKL", 2)]
    table = write_rows(tmp_path / "v.tsv", "id sequence label", rows)
    config = small_config(tmp_path, "regression", "head", validation=table)
    dataset = read_training_data(config, "sequence")
    with pytest.raises(InputError, match=r"v\.tsv: the validation rows that count \(2\) all have"):
        read_labels(dataset, TASKS["regression"], max_length=None, class_map=None)


@pytest.mark.parametrize("task", ["ppi", "pair-regression"])
def test_self_pairs_alone_are_refused_with_the_option_that_keeps_them(
    tmp_path: Path, task: str
) -> None:
    rows = [(sequence, sequence, label) for sequence, label in (("MKV", 0), ("MKL", 1))]
    table = write_rows(tmp_path / "t.tsv", "sequence_a sequence_b label", rows)
    config = small_config(tmp_path, task, "head", train=table, sequences=None)
    dataset = read_training_data(config, "pair")
    with pytest.raises(InputError, match=r"t\.tsv: all training pairs(.|\n)*--self-pairs keep"):
        read_labels(dataset, TASKS[task], max_length=None)


def test_class_names_are_several_or_the_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("nucleus\ncell membrane\n\n")
    assert read_class_names(()) == ()
    assert read_class_names(("a", " b")) == ("a", "b")
    assert read_class_names((str(tmp_path / "names.txt"),)) == ("nucleus", "cell membrane")


@pytest.mark.parametrize("given", [("a", "a"), ("a", ""), ("names.txt",)])
def test_class_names_that_are_not_clear_are_refused(tmp_path: Path, given: tuple[str, ...]) -> None:
    Path("names.txt").write_text("one\n")
    with pytest.raises(InputError, match="a different name for each column"):
        read_class_names(given)


def test_a_file_of_class_names_must_exist() -> None:
    with pytest.raises(InputError, match=r"nowhere\.txt"):
        read_class_names(("nowhere.txt",))


def test_removed_stops_are_known_to_the_readers(tmp_path: Path) -> None:
    rows = [(f"p{k}", "MKVL"[: k + 2] + "*", "0110"[: k + 2]) for k in range(3)]
    table = write_rows(tmp_path / "t.tsv", "id sequence label", rows)
    config = small_config(tmp_path, "residue", "head", train=table)
    dataset = read_training_data(config, "residue")
    assert reading_options(dataset, "train", max_length=None).stops == 3
