import json
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.outputs import (
    RECORD,
    WRITTEN_BY,
    check_file,
    check_folder,
    clear_folder,
    read_record,
    refuse_inputs_inside,
    table_form,
)


def put_record(folder: Path, command: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / RECORD).write_text(json.dumps({"command": command}))


def test_a_free_place_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        check_folder(tmp_path / name, command="train", overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("content", ["thesis.tex", ".hidden", "config.yaml", "metrics.json"])
def test_a_folder_of_the_user_is_refused(tmp_path: Path, overwrite: bool, content: str) -> None:
    (tmp_path / content).write_text("precious")
    with pytest.raises(InputError, match="exists|not written by"):
        check_folder(tmp_path, command="train", overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_folder_to_write(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError):
        check_folder(tmp_path / "file", command="train", overwrite=overwrite)


def test_a_command_replaces_only_what_it_wrote_itself(tmp_path: Path) -> None:
    put_record(tmp_path / "run", "train")
    check_folder(tmp_path / "run", command="train", overwrite=True)
    with pytest.raises(InputError, match="not written by `peftide evaluate`"):
        check_folder(tmp_path / "run", command="evaluate", overwrite=True)


@pytest.mark.parametrize("command", WRITTEN_BY)
def test_clearing_leaves_files_of_the_user(tmp_path: Path, command: str) -> None:
    for name in (*WRITTEN_BY[command], "thesis.tex"):
        (tmp_path / name).write_text("x")
    clear_folder(tmp_path, command=command)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_damaged_record_is_named_and_a_missing_one_is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / RECORD).write_text(content)
    with pytest.raises(InputError, match=RECORD):
        read_record(tmp_path / RECORD)
    assert read_record(tmp_path / "absent") == {}


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("mine")
    with pytest.raises(InputError, match="is also an input"):
        check_file(tmp_path / "." / "pairs.tsv", overwrite=True, inputs=(table, None))


def test_a_file_that_exists_stays_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "old.tsv").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        check_file(tmp_path / "old.tsv", overwrite=False, inputs=())
    check_file(tmp_path / "old.tsv", overwrite=True, inputs=())
    with pytest.raises(InputError, match="is a folder"):
        check_file(tmp_path, overwrite=True, inputs=())


def test_inputs_inside_the_output_are_refused(tmp_path: Path) -> None:
    inside, beside = tmp_path / "run" / "a.tsv", tmp_path / "b.tsv"
    refuse_inputs_inside(tmp_path / "run", [beside])
    with pytest.raises(InputError, match="a.tsv lies in the output folder"):
        refuse_inputs_inside(tmp_path / "run", [beside, inside])


@pytest.mark.parametrize("name", ["scores.xlsx", "scores.parquet", "scores.csv.zip", "a.json.gz"])
def test_a_table_in_another_format_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"--out: received {name}"):
        table_form(Path(name))


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(InputError, match="/dev/null is a pipe or a device"):
        check_file(Path("/dev/null"), overwrite=True, inputs=())
