"""The steps of a work folder; `test_outputs.py` shows them as commands take them."""

from pathlib import Path

from peftide.work_folder import LONG_NAME, Work, file_work, folder_work


def new_files(work: Work, files: dict[str, str]) -> None:
    work.new.mkdir(parents=True)
    for name, text in files.items():
        (work.new / name).write_text(text)


def test_new_files_take_their_places_and_old_ones_go(tmp_path: Path) -> None:
    for name in ("split.tsv", "dropped.tsv", "notes.txt"):
        (tmp_path / name).write_text("old")
    work = folder_work(tmp_path, "split")
    new_files(work, {"split.tsv": "new", "split.json": "{}"})
    work.put(["split.tsv", "dropped.tsv", "split.json"])
    work.leave()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"split.tsv": "new", "split.json": "{}", "notes.txt": "old"}


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    work = folder_work(tmp_path, "train")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    (work.new / "model").mkdir(parents=True)
    (work.new / "model" / "new").touch()
    work.put(["model"])
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new"]


def test_moving_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    work = folder_work(tmp_path, "split")
    work.ready.mkdir(parents=True)
    (work.ready / "split.json").write_text("{}")
    work.finish_moving()
    work.finish_moving()
    assert (tmp_path / "split.json").read_text() == "{}"
    assert not work.ready.exists()


def test_a_work_folder_that_somebody_else_uses_stays(tmp_path: Path) -> None:
    work = file_work(tmp_path / "s.tsv", "predict")
    work.path.mkdir()
    work.leave()
    work.leave()
    assert not list(tmp_path.iterdir())


def test_long_names_are_shortened_and_differ(tmp_path: Path) -> None:
    names = {file_work(tmp_path / ("é" * 120 + end), "predict").path.name for end in ("a", "b")}
    assert len(names) == 2
    assert all(len(name.encode()) < LONG_NAME for name in names)
