from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences.training_tables import data_files, named_tests, read_training_tables
from tests.conftest import small_config, write_rows


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
        read_training_tables(config, "pair")


def test_a_split_column_without_train_is_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "head", train=None, validation=None, test=())
    table = write_rows(tmp_path / "all.tsv", "sequence label split", [("MKV", 1, "test")])
    from dataclasses import replace

    with pytest.raises(InputError, match=r"no row of the part train \(parts: test\)"):
        read_training_tables(replace(config, data=table), "sequence")
