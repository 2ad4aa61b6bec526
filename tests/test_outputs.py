import json
from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.errors import InputError, StorageError
from peftide.outputs import (
    WRITTEN_BY,
    check_file,
    check_folder,
    clear_folder,
    making_file,
    making_folder,
    read_record,
    refuse_inputs_inside,
    table_form,
)
from peftide.work_folder import RECORD, folder_work


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
    kept = {"thesis.tex", WRITTEN_BY[command][-1]}
    assert {path.name for path in tmp_path.iterdir()} == kept


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_damaged_record_is_named_and_a_missing_one_is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / RECORD).write_text(content)
    with pytest.raises(InputError, match=RECORD) as caught:
        read_record(tmp_path / RECORD)
    assert caught.value.fix
    assert read_record(tmp_path / "absent") == {}


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("mine")
    with pytest.raises(InputError, match="is also an input"):
        check_any(tmp_path / "." / "pairs.tsv", overwrite=True, inputs=(table, None))


def check_any(path: Path, *, overwrite: bool, inputs: tuple[Path | None, ...] = ()) -> None:
    """Check a file of a command that recognises its output by the word `scores`."""
    check_file(
        path,
        command="predict",
        overwrite=overwrite,
        inputs=inputs,
        is_ours=lambda found: found.read_text().startswith("scores"),
    )


def test_a_file_that_exists_stays_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "old.tsv").write_text("scores")
    with pytest.raises(InputError, match="exists"):
        check_any(tmp_path / "old.tsv", overwrite=False)
    check_any(tmp_path / "old.tsv", overwrite=True)
    (tmp_path / "empty.tsv").touch()
    check_any(tmp_path / "empty.tsv", overwrite=True)
    with pytest.raises(InputError, match="is a folder"):
        check_any(tmp_path, overwrite=True)


def test_overwrite_leaves_files_of_another_kind_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tsv").write_text("mine")
    with pytest.raises(InputError, match="not written by `peftide predict`"):
        check_any(tmp_path / "thesis.tsv", overwrite=True)
    with pytest.raises(InputError, match="pipe or a device"):
        check_any(Path("/dev/null"), overwrite=True)


def test_overwrite_leaves_a_file_of_a_run_alone(tmp_path: Path) -> None:
    put_record(tmp_path / "run", "train")
    (tmp_path / "run" / "model").mkdir()
    for inside in ("predictions.tsv", "model/bundle.json"):
        (tmp_path / "run" / inside).write_text("scores")
        with pytest.raises(InputError, match="part of the output of `peftide train`"):
            check_any(tmp_path / "run" / inside, overwrite=True)
    (tmp_path / "run" / "mine.tsv").write_text("scores")
    check_any(tmp_path / "run" / "mine.tsv", overwrite=True)


def make_folder(out: Path, files: dict[str, str], *, overwrite: bool = False) -> None:
    with making_folder(out, command="split", overwrite=overwrite) as work:
        for name, text in files.items():
            (work.new / name).write_text(text)
        work.put(WRITTEN_BY["split"])


OLD = {"split.json": '{"command": "split"}', "split.tsv": "old", "dropped.tsv": "old"}
NEW = {"split.json": '{"command": "split", "seed": 1}', "split.tsv": "new"}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_a_folder_is_replaced_when_the_new_one_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_folder(out, OLD)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        make_folder(out, NEW)
    with pytest.raises(FileNotFoundError):
        make_folder(out, NEW | {"absent/dropped.tsv": "half"}, overwrite=True)
    assert contents(out) == OLD | {"notes.txt": "mine"}
    make_folder(out, NEW, overwrite=True)
    assert contents(out) == NEW | {"notes.txt": "mine"}
    assert sorted(path.name for path in out.iterdir()) == ["notes.txt", "split.json", "split.tsv"]


def test_a_folder_made_for_nothing_goes(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        making_folder(tmp_path / "out", command="split", overwrite=False),
    ):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_command_left_needs_no_overwrite(tmp_path: Path) -> None:
    work = folder_work(tmp_path / "out", "split")
    (work.path / "new").mkdir(parents=True)
    (work.path / "new" / "split.tsv").write_text("half")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    make_folder(tmp_path / "out", NEW)
    assert contents(tmp_path / "out") == NEW | {"notes.txt": "mine"}
    assert not work.path.exists()


def test_what_was_on_its_way_arrives(tmp_path: Path) -> None:
    """Killed between the moves of two files: both ends of the way are kept."""
    work = folder_work(tmp_path / "out", "split")
    work.ready.mkdir(parents=True)
    (work.ready / "split.json").write_text(NEW["split.json"])
    (tmp_path / "out" / "split.tsv").write_text("new")
    with (
        pytest.raises(ZeroDivisionError),
        making_folder(tmp_path / "out", command="split", overwrite=False),
    ):
        raise ZeroDivisionError
    assert contents(tmp_path / "out") == NEW


def test_files_of_the_user_in_a_folder_left_behind_are_refused(tmp_path: Path) -> None:
    folder_work(tmp_path / "out", "split").path.mkdir(parents=True)
    (tmp_path / "out" / "split.tsv").write_text("mine")
    with pytest.raises(InputError, match="not written by"):
        make_folder(tmp_path / "out", NEW)
    assert (tmp_path / "out" / "split.tsv").read_text() == "mine"


def make_file(out: Path, text: str, *, overwrite: bool = False) -> None:
    with making_file(
        out,
        command="predict",
        overwrite=overwrite,
        inputs=(),
        is_ours=lambda found: found.read_text().startswith("scores"),
    ) as work:
        (work.new / work.out.name).write_text(text)
        work.put()


def test_two_commands_on_one_output_are_one_too_many(tmp_path: Path) -> None:
    with (
        making_folder(tmp_path / "out", command="split", overwrite=False),
        pytest.raises(InputError, match=r"another process is writing .*out"),
    ):
        make_folder(tmp_path / "out", NEW, overwrite=True)
    with (
        making_file(
            tmp_path / "s.tsv", command="predict", overwrite=False, inputs=(), is_ours=bool
        ),
        pytest.raises(InputError, match=r"another process is writing .*s\.tsv"),
    ):
        make_file(tmp_path / "s.tsv", "scores")
    assert contents(tmp_path) == contents(tmp_path / "out") == {}


def test_a_file_is_written_where_its_link_leads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "s.tsv").write_text("scores 1")
    (tmp_path / "s.tsv").symlink_to("far/s.tsv")
    make_file(tmp_path / "s.tsv", "scores 2", overwrite=True)
    assert (tmp_path / "s.tsv").is_symlink()
    assert (tmp_path / "far" / "s.tsv").read_text() == "scores 2"
    assert "is a symbolic link; writing" in caplog.text


def test_a_link_to_nowhere_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("nowhere")
    with pytest.raises(InputError, match="symbolic link to .*nowhere, which does not exist"):
        make_folder(tmp_path / "out", NEW)


@pytest.mark.parametrize("length", [100, 199, 255])
def test_names_may_be_as_long_as_the_file_system_takes(tmp_path: Path, length: int) -> None:
    name = "s" * (length - 4) + ".tsv"
    make_file(tmp_path / name, "scores")
    make_folder(tmp_path / name[:-4], NEW)
    assert {path.name for path in tmp_path.iterdir()} == {name, name[:-4]}


@pytest.mark.parametrize("make", [make_file, make_folder])
def test_a_name_that_is_too_long_is_one_error(tmp_path: Path, make: Callable[..., None]) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*: File name too long"):
        make(tmp_path / ("s" * 256), NEW)
    assert not list(tmp_path.iterdir())


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
        check_any(Path("/dev/null"), overwrite=True, inputs=())
