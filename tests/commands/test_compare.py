import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import peftide
from peftide.commands import compare as command
from peftide.commands.compare import CompareResult, compare
from peftide.config import CompareConfig, PlanConfig, TrainConfig
from peftide.errors import InputError, StorageError, TrainingError
from peftide.files import write_json
from peftide.outputs import read_record
from peftide.planning.plan import Plan
from tests.conftest import TINY, give_one_label, small_config


def planned(fits: bool = True, seconds: float = 1.0) -> Plan:
    sizes = {"peak": 10}
    return Plan({}, {}, {}, {"total": seconds}, {}, sizes, sizes, fits, ("Take less",))


@pytest.fixture(autouse=True)
def plans_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan takes seconds: the snippets of the documentation run it."""

    def plan(config: PlanConfig) -> Plan:
        return planned()

    monkeypatch.setattr(command, "plan", plan)


def config_in(folder: Path, task: str = "regression", **changes: Any) -> CompareConfig:
    options = vars(small_config(folder, task, "head"))
    known = {name: value for name, value in options.items() if name not in ("method", "out")}
    settings: dict[str, Any] = {"methods": ("head", "last_k"), "epochs": 1, "baselines": ("none",)}
    settings |= changes
    return CompareConfig(out=folder / "compared", **known | settings)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> CompareResult:
    """Two methods with two seeds. Not to be written to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "plan", lambda _config: planned())
        return compare(
            config_in(
                tmp_path_factory.mktemp("compare"), seeds=2, baselines=("composition", "kmer")
            )
        )


def runs_of(result: CompareResult, method: str) -> list[Path]:
    return sorted((result.path / "cells").glob(f"{method}_*"))


def headline(run: Path, part: str) -> float:
    metrics = json.loads((run / "metrics.json").read_text())
    return metrics["splits"][part][metrics["headline"]]["value"]


@pytest.mark.parametrize("method", ["head", "last_k"])
def test_a_score_is_the_mean_over_the_seeds(compared: CompareResult, method: str) -> None:
    row = compared.table.set_index("method").loc[method]
    runs = runs_of(compared, method)
    assert row["seeds"] == len(runs) == 2
    for column, part in (("score", "test"), ("validation", "validation")):
        expected = np.mean([headline(run, part) for run in runs])
        assert row[column] == pytest.approx(expected, abs=1e-5)
    scores = [headline(run, "test") for run in runs]
    assert row["spread"] == pytest.approx(np.std(scores, ddof=1), abs=1e-5)


def test_all_seeds_have_the_same_held_out_validation_part(tmp_path: Path) -> None:
    result = compare(config_in(tmp_path, "ppi", validation=None, validation_fraction=0.3, seeds=2))
    parts = []
    for run in sorted((result.path / "cells").iterdir()):
        rows = pd.read_csv(run / "validation.tsv", sep="\t")
        parts.append(rows[["id_a", "id_b", "label"]].to_numpy().tolist())
    assert len(parts) == 4
    assert parts[0]
    assert all(part == parts[0] for part in parts)


def test_the_leaderboard_is_sorted_and_has_the_baselines(compared: CompareResult) -> None:
    table = compared.table
    assert list(table.columns[:7]) == [
        *("method", "backbone", "layer", "seeds", "score", "low", "high")
    ]
    assert table["score"].dropna().is_monotonic_decreasing
    assert {"composition", "kmer"} <= set(table.loc[table["status"] == "baseline", "method"])


def test_differences_are_to_the_chosen_contender(compared: CompareResult) -> None:
    table = compared.table.assign(name=[row["name"] for row in compared.record["rows"]])
    chosen = table[table["name"] == compared.record["chosen"]].iloc[0]
    assert pd.isna(chosen["difference"])
    others = table[table["name"] != compared.record["chosen"]]
    np.testing.assert_allclose(others["difference"], others["score"] - chosen["score"], atol=1e-6)


def test_best_is_a_run_folder_that_predicts(compared: CompareResult) -> None:
    answers = peftide.load(compared.path / "best").predict(["MKTAYIAKQR", "GSHMKK"])
    assert len(answers) == 2
    own = {path.name for path in (compared.path / "best").iterdir()}
    method = compared.record["chosen"].partition("_")[0]
    assert own == {path.name for path in runs_of(compared, method)[0].iterdir()}


def test_the_folder_holds_what_is_promised_and_no_more(compared: CompareResult) -> None:
    assert sorted(path.name for path in compared.path.iterdir()) == [
        *("best", "cells", "comparison.json", "config.yaml"),
        *("leaderboard.tsv", "report.html", "run.json"),
    ]


def test_a_finished_comparison_trains_nothing_again(
    compared: CompareResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "train", None)
    before = sorted(compared.path.iterdir())
    for left in ("cache", ".peftide-compare"):  # as a process leaves them that is killed at its end
        (compared.path / left).mkdir()
    again = compare(
        config_in(compared.path.parent, seeds=2, resume=True, baselines=("composition", "kmer"))
    )
    pd.testing.assert_frame_equal(again.table, compared.table)
    assert sorted(compared.path.iterdir()) == before


def test_an_interrupted_cell_is_trained_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    real = command.train

    def train(config: TrainConfig) -> Any:
        trained.append(config.method)
        if trained == ["head", "last_k"]:
            raise KeyboardInterrupt
        return real(config)

    monkeypatch.setattr(command, "train", train)
    with pytest.raises(KeyboardInterrupt):
        compare(config_in(tmp_path))
    (finished,) = (tmp_path / "compared" / "cells").glob("head_*")
    (finished / "report.html").unlink()  # as if killed between the end of a training and its report
    (finished / ".peftide-train").mkdir()
    result = compare(config_in(tmp_path, resume=True))
    assert trained == ["head", "last_k", "last_k"]
    assert (finished / "report.html").is_file()
    assert not (finished / ".peftide-train").exists()
    assert set(result.table.loc[result.table["status"] == "trained", "method"]) == {
        *("head", "last_k"),
    }


def test_a_full_disk_ends_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(_: TrainConfig) -> Any:
        raise StorageError("no space left on the disk")

    monkeypatch.setattr(command, "train", train)
    with pytest.raises(StorageError, match="no space left"):
        compare(config_in(tmp_path))


def test_a_cell_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.train

    def train(config: TrainConfig) -> Any:
        if config.method == "head":
            raise MemoryError("no memory left")
        return real(config)

    monkeypatch.setattr(command, "train", train)
    result = compare(config_in(tmp_path))
    status = dict(zip(result.table["method"], result.table["status"], strict=True))
    assert status["head"] == "failed"
    assert status["last_k"] == "trained"
    assert any("no memory left" in note for note in result.record["notes"])


def test_a_cell_with_changed_options_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.train

    def interrupted(config: TrainConfig) -> Any:
        (config.out).mkdir(parents=True)
        changed = small_config(tmp_path, "regression", config.method, epochs=7, out=config.out)
        command.RunFolder(config.out).record.write_text('{"command": "train", "data": {}}')
        command.RunFolder(config.out).config.write_text(peftide.config.to_yaml(changed))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(config_in(tmp_path, methods=("head",)))
    monkeypatch.setattr(command, "train", real)
    result = compare(config_in(tmp_path, methods=("head",), resume=True))
    assert result.table["status"].tolist().count("trained") == 1


@pytest.mark.parametrize(
    ("plan", "changes"),
    [(planned(fits=False), {}), (planned(seconds=1e6), {"time_limit": 1.0})],
    ids=["memory", "time"],
)
def test_cells_that_do_not_fit_are_skipped_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(
        command, "plan", lambda config: plan if config.method == "last_k" else planned()
    )
    result = compare(config_in(tmp_path, **changes))
    status = dict(zip(result.table["method"], result.table["status"], strict=True))
    assert (status["head"], status["last_k"]) == ("trained", "skipped")


def test_a_time_limit_below_every_training_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "plan", lambda _config: planned(seconds=1e6))
    with pytest.raises(TrainingError, match=r"--time-limit 1 are left.*Raise --time-limit"):
        compare(config_in(tmp_path, time_limit=1.0))


def test_a_fault_of_the_data_comes_before_all_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "train", pytest.fail)
    config = config_in(tmp_path)
    give_one_label(config)
    with pytest.raises(InputError, match="same label"):
        compare(config)
    assert not config.out.exists()


def test_the_order_of_the_methods_changes_no_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What trainings share is in the time of the first command, not in the cost of its row."""
    real = command.train

    def train(config: TrainConfig) -> None:
        real(config)
        record = read_record(config.out / "run.json")
        is_first = config.method == methods[0]
        seconds = {"training": 2.0, "this_process": 100.0 if is_first else 3.0}
        write_json(config.out / "run.json", record | {"seconds": seconds})

    monkeypatch.setattr(command, "train", train)
    methods: tuple[str, ...]
    for methods in (("head", "last_k"), ("last_k", "head")):
        result = compare(config_in(tmp_path, methods=methods, overwrite=True))
        assert result.table["seconds"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"methods": ("head", "head")}, "--methods"),
        ({"methods": ()}, "--methods"),
        ({"methods": ("haed",)}, "head"),
        ({"backbones": (TINY, TINY)}, "--backbones"),
        ({"method": "head"}, "--method"),
        ({"methods": ("head",), "lora_r": 4}, "--lora-r"),
    ],
)
def test_a_wrong_list_is_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        compare(config_in(tmp_path, **changes))
    assert not (tmp_path / "compared").exists()


def test_a_changed_run_is_named(compared: CompareResult, tmp_path: Path) -> None:
    part = compared.record["part"]
    assert part == "test"
    run = command.RunFolder(runs_of(compared, "head")[0])
    text = run.predictions.read_text().splitlines()
    copy = command.RunFolder(tmp_path)
    copy.predictions.write_text("\n".join(text[:-1]) + "\n")
    copy.metrics.write_bytes(run.metrics.read_bytes())
    settled = config_in(compared.path.parent)
    request = command._Request(*command.read_request(settled))
    scored = {one.name: one for one in command._scored_parts(request)}
    with pytest.raises(InputError, match="--resume"):
        command._answers(copy, scored[part])
