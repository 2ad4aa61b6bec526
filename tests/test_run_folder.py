import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.files import write_json
from peftide.outputs import read_record
from peftide.run_decisions import settled_token_budget
from peftide.run_folder import (
    RunFolder,
    open_run,
    resumed_config,
)
from peftide.sequences import Finding
from peftide.sequences.findings import plain_findings
from peftide.work_folder import folder_work


def claim(config: TrainConfig, files: list[Path]) -> RunFolder:
    with open_run(config, files) as folder:
        return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "train.tsv"
    path.write_text("sequence\tlabel\nMK\t1\n")
    return path


@pytest.fixture
def config(tmp_path: Path, table: Path) -> TrainConfig:
    return TrainConfig(task="regression", out=tmp_path / "run", train=table)


def finish(config: TrainConfig, files: list[Path], text: str = "{}") -> RunFolder:
    """Begin a run, or go on with it, and finish it."""
    with open_run(config, files) as folder:
        folder.metrics.write_text(text)
        write_json(folder.record, read_record(folder.record) | {"status": "finished"})
    return RunFolder(config.out)


def test_a_new_run_takes_the_place_of_the_earlier_one_when_it_is_finished(
    config: TrainConfig, table: Path
) -> None:
    folder = finish(config, [table], "old")
    (folder.path / "strata.tsv").write_text("old")
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        claim(config, [table])
    again = replace(config, overwrite=True, epochs=7)
    with pytest.raises(FileNotFoundError), open_run(again, [table]) as new:
        (new.path / "absent" / "half").write_text("")
    assert folder.metrics.read_text() == "old"
    assert folder.is_finished()
    assert resumed_config(config.out, TrainConfig).epochs == 7
    finish(replace(again, overwrite=False, resume=True), [table], "new")
    assert folder.metrics.read_text() == "new"
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == ["config.yaml", "metrics.json", "notes.txt", "run.json"]


def test_an_unfinished_run_names_resume_first(config: TrainConfig, table: Path) -> None:
    claim(config, [table])
    with pytest.raises(InputError, match="unfinished run.*`peftide train --resume --out .*run`"):
        claim(config, [table])


def test_a_run_killed_before_it_began_starts_by_the_same_command(
    config: TrainConfig, table: Path
) -> None:
    folder_work(config.out, "train").path.mkdir(parents=True)
    write_json(RunFolder(config.out).record, {"command": "train", "status": "running"})
    assert claim(config, [table]).config.is_file()


@pytest.mark.parametrize(
    ("first", "then", "fits"),
    [
        ("measured", "measured", True),
        ("measured", "auto", True),
        ("auto", "measured", False),
        ("auto", "auto", True),
        ("auto", 64, True),
        (64, "measured", False),
        (64, 65, False),
    ],
)
def test_a_word_is_the_same_only_if_the_run_began_with_it(
    config: TrainConfig, table: Path, first: int | str, then: int | str, fits: bool
) -> None:
    config = replace(config, max_tokens=first)
    folder = claim(config, [table])
    settled_token_budget(folder, lambda: 64, precision="fp32")
    again = replace(config, resume=True, max_tokens=then)
    if fits:
        claim(again, [table])
        return
    with pytest.raises(InputError, match=f"--max-tokens was .*{first}.* and is .*{then}"):
        claim(again, [table])


def test_a_new_run_records_options_data_and_versions(config: TrainConfig, table: Path) -> None:
    folder = claim(config, [table])
    record = read_record(folder.record)
    assert resumed_config(folder.path, TrainConfig) == config
    assert list(record["data"]) == [str(table)]
    assert record["seed"] == 0
    assert record["status"] == "running"
    assert record["versions"].keys() >= {"python", "torch", "peftide"}
    assert not folder.is_finished()


def test_a_record_has_the_date_when_the_run_began(config: TrainConfig, table: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    folder = claim(config, [table])
    date = read_record(folder.record)["date"]
    began = datetime.fromisoformat(date)
    assert before <= began <= datetime.now(UTC)
    write_json(folder.record, read_record(folder.record) | {"date": "2001-02-03T04:05:06+01:00"})
    claim(replace(config, resume=True), [table])
    assert read_record(folder.record)["date"] == "2001-02-03T04:05:06+01:00"


def test_a_run_is_finished_when_its_record_says_so(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.is_finished()
    folder.record.write_text(json.dumps({"status": "finished"}))
    assert folder.is_finished()


def test_a_project_folder_with_a_config_of_its_own_is_left_alone(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("config.yaml", "thesis.txt"):
        (project / name).write_text("task: regression\n")
    table = tmp_path / "train.tsv"
    table.write_text("sequence\tlabel\nMK\t1\n")
    config = TrainConfig(task="regression", out=project, train=table)
    for asked in (replace(config, overwrite=True), replace(config, resume=True)):
        with pytest.raises(InputError, match="not written by `peftide train`"):
            claim(asked, [table])
    assert sorted(path.name for path in project.iterdir()) == ["config.yaml", "thesis.txt"]


def test_data_inside_the_run_folder_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "train.tsv"
    config = TrainConfig(task="regression", out=tmp_path / "run", train=table)
    table.write_text("sequence\tlabel\nMK\t1\n")
    claim(config, [table])
    inside = config.out / "more.tsv"
    inside.write_text("sequence\tlabel\nMK\t1\n")
    with pytest.raises(InputError, match="lies in the output folder"):
        claim(replace(config, train=inside, overwrite=True), [inside])


def test_a_run_resumes_under_another_spelling_of_its_place(
    config: TrainConfig, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(config, [table])
    monkeypatch.chdir(config.out)
    path = Path("../train.tsv")
    again = replace(config, resume=True, out=Path("."), train=path)
    assert claim(again, [path]).record.is_file()


def test_resuming_with_the_same_options_is_fine(config: TrainConfig, table: Path) -> None:
    claim(config, [table])
    again = replace(config, resume=True, threads=2, checkpoint_minutes=1.0)
    assert claim(again, [table]).path == config.out


def test_resuming_with_other_options_names_each(config: TrainConfig, table: Path) -> None:
    claim(config, [table])
    other = replace(config, resume=True, epochs=7, lora_r=2)
    with pytest.raises(InputError) as caught:
        claim(other, [table])
    for said in ("--lora-r was 8 and is 2", "--epochs was 20 and is 7"):
        assert said in str(caught.value)


def test_resuming_with_changed_data_names_the_file(config: TrainConfig, table: Path) -> None:
    claim(config, [table])
    table.write_text("sequence\tlabel\nMKV\t1\n")
    with pytest.raises(InputError, match=r"train\.tsv changed since"):
        claim(replace(config, resume=True), [table])


def test_a_run_at_work_cannot_be_taken_up_by_another(config: TrainConfig, table: Path) -> None:
    with open_run(config, [table]) as folder:
        for asked in (replace(config, resume=True), replace(config, overwrite=True)):
            with pytest.raises(InputError, match="another process is writing"):
                claim(asked, [table])
        assert read_record(folder.record)["status"] == "running"  # and it is as it was
    assert claim(replace(config, resume=True), [table]).path == config.out


def test_the_lock_of_a_killed_process_holds_nobody_up(config: TrainConfig, table: Path) -> None:
    folder, work = claim(config, [table]), folder_work(config.out, "train")
    work.path.mkdir()
    work.lock.touch()
    assert claim(replace(config, resume=True), [table]) == folder
    assert not work.path.exists()


def test_there_is_nothing_to_resume_in_an_empty_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        resumed_config(tmp_path / "run", TrainConfig)


def test_the_command_that_wrote_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"command": "sweep"}')
    with pytest.raises(InputError, match="holds no run.*`peftide sweep`"):
        resumed_config(tmp_path, TrainConfig)


def test_records_are_plain_json() -> None:
    finding = Finding("train", "self_pairs", 2, "left out", ("a.tsv:3",))
    assert plain_findings((finding,)) == [
        {
            "part": "train",
            "kind": "self_pairs",
            "count": 2,
            "decision": "left out",
            "examples": ("a.tsv:3",),
        }
    ]
