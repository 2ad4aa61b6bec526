from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.hardware import choose_hardware
from peftide.run_folder import RunFolder
from peftide.tasks.detecting import find_task
from peftide.training.results import score
from peftide.training.setting import Setting, build_setting, prepare
from tests.conftest import small_config


def untrained(folder: Path, task: str, **changes: object) -> Setting:
    config = small_config(folder, task, "head", **changes)
    problem, backbone = prepare(config, find_task(task))
    hardware = choose_hardware(config)
    return build_setting(
        config, problem, backbone, hardware=hardware, folder=RunFolder(folder / "run")
    )


def test_metrics_have_the_form_of_the_design(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi")
    metrics = score(setting, RunFolder(tmp_path / "run"))[1].metrics
    assert (metrics["format_version"], metrics["outcome"]) == (2, "binary")
    assert metrics["headline"] == "average_precision"
    entry = metrics["splits"]["test"]["average_precision"]
    ends = {"low", "high", "conservative_low", "conservative_high"}
    assert entry.keys() == {"value", "n"} | ends
    assert entry["n"] == 8
    lead = metrics["differences"]["composition"]["test"]["average_precision"]
    composition = metrics["baselines"]["composition"]["test"]["average_precision"]["value"]
    assert lead["value"] == pytest.approx(entry["value"] - composition)
    assert metrics["intervals"]["test"]["reason"] == "only 8 proteins: intervals need 10"
    threshold, *notes = sorted(metrics["notes"], key=lambda note: "intervals" in note)
    assert "was chosen on 4 positive and 4 negative labels" in threshold
    assert notes == [
        "validation: no intervals: only 8 proteins: intervals need 10",
        "test: no intervals: only 8 proteins: intervals need 10",
    ]
    assert sum(found["n"] for found in metrics["reliability"]["test"]) == 8
    table = pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t")
    assert len(table) == 8


def test_without_baselines_none_are_scored_or_kept(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi", baselines=("none",))
    folder = RunFolder(tmp_path / "run")
    metrics = score(setting, folder)[1].metrics
    assert metrics["baselines"] == metrics["differences"] == {}
    assert not folder.baselines.exists()


def test_what_the_baselines_know_is_kept_as_numbers(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _, found = score(untrained(tmp_path, "ppi", baselines=("kmer", "degree")), folder)
    assert list(found.metrics["baselines"]) == ["kmer", "degree"]
    assert sorted(path.name for path in folder.baselines.iterdir()) == [
        "baselines.json",
        "degree.safetensors",
        "kmer.safetensors",
    ]


def test_probabilities_are_those_that_validation_asks_for(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi", calibration="temperature")
    predictor, results = score(setting, RunFolder(tmp_path / "run"))
    calibration = predictor.answering.decisions.calibration
    table = pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t")
    np.testing.assert_allclose(table["score"], setting.logits("test")[:, 0], rtol=1e-4)
    warmed = table["score"] / calibration.temperature
    np.testing.assert_allclose(table["probability"], 1 / (1 + np.exp(-warmed)), rtol=1e-4)
    assert results.metrics["calibration"]["method"] == "temperature"
    assert calibration.prior == (0.5, 0.5)  # half of the training pairs


def test_a_test_part_of_one_class_is_scored_as_far_as_it_can_be(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head")
    path = tmp_path / "test.tsv"
    path.write_text(path.read_text().replace("\t0\n", "\t1\n"))
    problem, backbone = prepare(config, find_task("ppi"))
    setting = build_setting(
        config,
        problem,
        backbone,
        hardware=choose_hardware(config),
        folder=RunFolder(tmp_path / "run"),
    )
    metrics = score(setting, RunFolder(tmp_path / "run"))[1].metrics
    assert metrics["splits"]["test"]["auroc"]["value"] is None or np.isnan(
        metrics["splits"]["test"]["auroc"]["value"]
    )
    assert 0 <= metrics["splits"]["test"]["accuracy"]["value"] <= 1
    (note,) = [note for note in metrics["notes"] if "undefined" in note]
    assert "AUROC" in note
    assert "all 8 labels are the same" in note
