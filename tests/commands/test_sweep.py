import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.commands import sweep as command
from peftide.commands.sweep import SweepResult, sweep
from peftide.commands.train import train
from peftide.config import SweepConfig, TrainConfig, from_mapping, read_yaml
from peftide.errors import InputError, StorageError, TrainingError
from peftide.run_folder import RunFolder
from peftide.training import running
from tests.conftest import give_one_label, small_config


def config_in(folder: Path, space: str = "head_width: [4, 8]\n", **changes: Any) -> SweepConfig:
    options = vars(small_config(folder, "regression", "head"))
    known = {name: value for name, value in options.items() if name != "out"}
    path = folder / "space.yaml"
    path.write_text(space)
    settings: dict[str, Any] = {"epochs": 1, "trials": 2, "search": "grid"} | changes
    return SweepConfig(out=folder / "swept", space=path, **known | settings)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    """A grid of two. Not to be written to."""
    return sweep(config_in(tmp_path_factory.mktemp("sweep")))


def test_every_combination_has_a_score_of_validation(swept: SweepResult) -> None:
    assert sorted(swept.table["head_width"]) == [4, 8]
    for row in swept.table.to_dict("records"):
        run = swept.path / "trials" / f"{row['trial']:04d}"
        metrics = json.loads((run / "metrics.json").read_text())
        assert set(metrics["splits"]) == {"validation"}
        value = metrics["splits"]["validation"][metrics["headline"]]["value"]
        assert row["score"] == pytest.approx(value, abs=1e-6)
        assert sorted(path.name for path in run.iterdir()) == sorted(command.KEPT)


def test_the_best_options_train_a_model_with_its_test_part(swept: SweepResult) -> None:
    values = read_yaml(swept.path / "best.yaml")
    config = from_mapping(TrainConfig, values | {"out": str(swept.path.parent / "run")})
    best = swept.table.nlargest(1, "score").iloc[0]
    assert config.head_width == best["head_width"]
    assert "head_width" in values
    assert config.test
    metrics = train(config).metrics
    assert metrics["splits"]["validation"][metrics["headline"]]["value"] == pytest.approx(
        best["score"], abs=1e-6
    )


def test_all_seeds_have_the_same_held_out_validation_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "KEPT", (*command.KEPT, "predictions.tsv"))
    held_out = {"validation": None, "validation_fraction": 0.3}
    result = sweep(config_in(tmp_path, "seed: [1, 2]\n", **held_out))
    one, other = ((run / "predictions.tsv") for run in (result.path / "trials").iterdir())
    assert ids_of(one) == ids_of(other)
    values = read_yaml(result.path / "best.yaml")
    run = tmp_path / "run"
    train(from_mapping(TrainConfig, values | {"out": str(run)}))
    assert ids_of(run / "validation.tsv") == ids_of(one)


def ids_of(table: Path) -> list[str]:
    return [line.split("\t")[0] for line in table.read_text().splitlines()]


def test_the_folder_holds_what_is_promised(swept: SweepResult) -> None:
    assert sorted(path.name for path in swept.path.iterdir()) == [
        *("best.yaml", "config.yaml", "report.html", "run.json"),
        *("study.db", "sweep.json", "trials", "trials.tsv"),
    ]


def test_a_finished_sweep_runs_nothing_again(swept: SweepResult) -> None:
    before = sorted(swept.path.iterdir())
    for left in ("cache", ".peftide-sweep"):  # as a process leaves them that is killed at its end
        (swept.path / left).mkdir()
    again = sweep(config_in(swept.path.parent, resume=True))
    assert len(again.table) == len(swept.table)
    assert sorted(swept.path.iterdir()) == before


def test_a_finished_sweep_gets_more_trials(tmp_path: Path) -> None:
    space = "head_learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}\n"
    changes: dict[str, Any] = {"space": space, "search": "random"}
    first = sweep(config_in(tmp_path, **changes, trials=1)).table
    more = config_in(tmp_path, **changes, trials=2, resume=True)
    longer = sweep(more)
    assert len(longer.table) == 2
    pd.testing.assert_frame_equal(longer.table.head(1), first)
    assert from_mapping(SweepConfig, read_yaml(longer.path / "config.yaml")).trials == 2
    assert len(sweep(replace(more, trials=1)).table) == 2


def test_a_fault_of_the_data_comes_before_all_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "run_training", pytest.fail)
    config = config_in(tmp_path)
    give_one_label(config)
    with pytest.raises(InputError, match="same label"):
        sweep(config)
    assert not config.out.exists()


@pytest.mark.loses_report
@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("trials.tsv", ("state", "stat"), r"trials\.tsv: no column state"),
        ("sweep.json", ('"trials"', '"trialx"'), r"sweep\.json.*trials"),
    ],
)
def test_a_damaged_result_is_one_clear_error(
    swept: SweepResult, tmp_path: Path, name: str, damage: tuple[str, str], said: str
) -> None:
    shutil.copytree(swept.path.parent, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "swept" / name
    path.write_text(path.read_text().replace(*damage))
    with pytest.raises(InputError, match=f"(?s){said}"):
        sweep(replace(config_in(swept.path.parent, resume=True), out=tmp_path / "swept"))


def test_an_interrupted_trial_is_done_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths: list[int] = []
    real = running.run_training

    def run(request: Any, **more: Any) -> None:
        widths.append(request.config.head_width)
        if len(widths) == 2:
            raise KeyboardInterrupt
        real(request, **more)

    monkeypatch.setattr(running, "run_training", run)
    with pytest.raises(KeyboardInterrupt):
        sweep(config_in(tmp_path))
    so_far = pd.read_csv(next(tmp_path.rglob("trials.tsv")), sep="\t")
    assert so_far["head_width"].tolist() == widths[:1]
    result = sweep(config_in(tmp_path, resume=True))
    assert len(widths) == 3
    assert widths[1] == widths[2]
    done = result.table[result.table["state"] == "complete"]
    assert sorted(done["head_width"]) == [4, 8]


def test_a_trial_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running.run_training

    def run(request: Any, **more: Any) -> None:
        if request.config.head_width == 4:
            raise MemoryError("no memory left")
        real(request, **more)

    monkeypatch.setattr(running, "run_training", run)
    table = sweep(config_in(tmp_path)).table.set_index("head_width")
    assert table["state"].to_dict() == {4: "fail", 8: "complete"}


def test_a_full_disk_is_not_the_fault_of_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_request: Any, **_more: Any) -> None:
        raise StorageError("no space left on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(running, "run_training", run)
        with pytest.raises(StorageError, match="no space left"):
            sweep(config_in(tmp_path))
    table = sweep(config_in(tmp_path, resume=True)).table
    assert table["state"].tolist() == ["complete", "complete"]
    assert table["trial"].tolist() == [0, 1]


def test_no_finished_trial_is_an_error_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_request: Any, **_more: Any) -> None:
        raise MemoryError("no memory left")

    monkeypatch.setattr(running, "run_training", run)
    with pytest.raises(TrainingError, match="no memory left"):
        sweep(config_in(tmp_path))


def test_a_bad_trial_is_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[float] = []

    def run(request: Any, *, on_epoch: Any, **_more: Any) -> None:
        """Pretend to train: each training is worse than the one before, from the first epoch on."""
        trained.append(-float(len(trained)))
        history = []
        for epoch in (1, 2):
            history.append({"epoch": epoch, "spearman": trained[-1]})
            on_epoch(history)
        folder = RunFolder(request.config.out)
        folder.path.mkdir(parents=True)
        score = {"splits": {"validation": {"spearman": {"value": trained[-1]}}}}
        folder.metrics.write_text(json.dumps({"headline": "spearman", **score}))
        cost = {"parameters": {"trained": 1}, "seconds": {"this_process": 1.0}, "best_epoch": 1}
        folder.record.write_text(json.dumps(cost))

    monkeypatch.setattr(running, "run_training", run)
    space = "head_dropout: {low: 0.0, high: 0.5}\n"
    table = sweep(config_in(tmp_path, space, search="random", prune=True, trials=8)).table
    assert table["state"].tolist() == ["complete"] * 5 + ["pruned"] * 3
    assert table["score"].tolist() == trained


def test_two_workers_share_the_trials_of_a_study(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first = config_in(tmp_path, storage=url, search="random", trials=2)
    sweep(first)
    second = sweep(replace(first, out=tmp_path / "worker2", trials=3))
    assert len(second.table) == 3
    assert len(list((tmp_path / "worker2" / "trials").iterdir())) == 1


@pytest.mark.parametrize(
    ("space", "changes", "said"),
    [
        ("nonsense: [1]\n", {}, "nonsense"),
        ("seed: [0, 1]\nbackbone: [mimi]\n", {}, "mimi"),
    ],
)
def test_a_wrong_space_is_refused_or_fails_by_name(
    tmp_path: Path, space: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises((InputError, TrainingError), match=said):
        sweep(config_in(tmp_path, space, **changes))


def test_an_option_that_no_trial_reads_is_refused(tmp_path: Path) -> None:
    space = "learning_rate: {low: 1e-4, high: 1e-2}\nmethod: [head]\n"
    with pytest.raises(InputError, match="learning_rate"):
        sweep(config_in(tmp_path, space))
    assert not (tmp_path / "swept").exists()


def test_an_option_is_given_or_searched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="head_width"):
        sweep(config_in(tmp_path), given=frozenset({"head_width"}))


def test_a_worker_that_finds_the_last_combination_taken_trains_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its look at the queue was right, but another worker was faster."""
    looks, has_queue = iter([True] * 3), command.has_queue
    monkeypatch.setattr(command, "has_queue", lambda study: next(looks, None) or has_queue(study))
    found = sweep(config_in(tmp_path, trials=3))
    assert sorted(found.table["head_width"]) == [4, 8]
    assert sorted(path.name for path in (found.path / "trials").iterdir()) == ["0000", "0001"]
