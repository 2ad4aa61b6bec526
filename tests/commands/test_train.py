import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import spearmanr
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    matthews_corrcoef,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)

from peftide.bundle import load_bundle
from peftide.commands.predict import predict
from peftide.commands.train import train
from peftide.config import PredictConfig, TrainConfig
from peftide.errors import InputError
from peftide.tasks import TASKS
from tests.conftest import (
    FORMS,
    ONE_OF_A_LEVEL,
    RUNS,
    labelled_rows,
    random_sequences,
    small_config,
    write_proteins,
    write_rows,
)

Trained = Callable[[str, str], Path]
RUN_FILES = [
    "audit.json",
    *(
        "baselines",
        "config.yaml",
        "history.csv",
        "metrics.json",
        "model",
        "predictions.tsv",
        "report.html",
    ),
    *("run.json", "strata.tsv", "validation.tsv"),
]
COLUMNS = {
    "ppi": ["id_a", "id_b", "label", "counted", "score", "probability", "prediction", "split"],
    "regression": ["id", "label", "counted", "prediction", "split"],
}


def predictions(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.tsv", sep="\t", keep_default_na=False)


def scores(run: Path, part: str = "test") -> dict[str, float]:
    splits = json.loads((run / "metrics.json").read_text())["splits"][part]
    return {name: entry["value"] for name, entry in splits.items() if "value" in entry}


@pytest.mark.parametrize(("task", "method"), RUNS)
def test_a_run_leaves_the_files_of_the_design_and_no_other(
    trained: Trained, task: str, method: str
) -> None:
    run = trained(task, method)
    curves = ["curves.tsv"] if TASKS[task].outcome.kind == "binary" else []
    assert sorted(path.name for path in run.iterdir()) == sorted(RUN_FILES + curves)
    assert not [path for path in run.parent.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize(("task", "method"), RUNS)
def test_the_record_holds_what_a_reader_asks_for(trained: Trained, task: str, method: str) -> None:
    run = trained(task, method)
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert set(record["data"]) == {str(run.parent / f"{p}.tsv") for p in COLUMNS_OF_PARTS}
    assert all(len(digest) == 64 for digest in record["data"].values())
    assert 0 < record["parameters"]["trained"] < record["parameters"]["total"] or method == "full"
    assert record["peak_memory_bytes"] >= record["memory_before_bytes"] > 1e7
    assert record["seconds"]["training"] >= 0
    assert record["hardware"]["device"] == "cpu"
    assert record["examples"]["train"]["rows"] == 24
    assert yaml.safe_load((run / "config.yaml").read_text())["method"] == method
    history = pd.read_csv(run / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert TASKS[task].outcome.headline in history


COLUMNS_OF_PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("task", ONE_OF_A_LEVEL)
def test_methods_train_fewer_parameters_in_their_order(trained: Trained, task: str) -> None:
    counts = {
        method: json.loads((trained(task, method) / "run.json").read_text())["parameters"]
        for method in FORMS
    }
    trained_counts = [counts[method]["trained"] for method in ("head", "lora", "full")]
    assert trained_counts == sorted(trained_counts)
    # rank 8 on key and value of the last of two layers, width 32: 2 · 8 · (32 + 32)
    assert counts["lora"]["trained"] - counts["head"]["trained"] == 2 * 8 * 64


@pytest.mark.parametrize("method", FORMS)
def test_scores_of_pairs_follow_from_the_predictions(trained: Trained, method: str) -> None:
    """Reference: scikit-learn, on what the file says."""
    run = trained("ppi", method)
    table, found = predictions(run), scores(run)
    bundle = load_bundle(run / "model")
    threshold = json.loads((run / "metrics.json").read_text())["threshold"]
    truth, probability = table["label"], table["probability"]
    assert list(table) == COLUMNS["ppi"]
    assert found["average_precision"] == pytest.approx(
        average_precision_score(truth, table["score"])
    )
    assert found["auroc"] == pytest.approx(roc_auc_score(truth, table["score"]))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, table["prediction"]))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(truth, table["prediction"]))
    decisions = bundle.answering.decisions
    assert decisions.threshold == threshold
    calibrated = decisions.calibration.apply(table["score"].to_numpy())
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-calibrated)), rtol=1e-4)
    assert found["brier"] == pytest.approx(brier_score_loss(truth, probability), rel=1e-4)


@pytest.mark.parametrize("method", FORMS)
def test_scores_of_values_follow_from_the_predictions(trained: Trained, method: str) -> None:
    run = trained("regression", method)
    table, found = predictions(run), scores(run)
    assert list(table) == COLUMNS["regression"]
    truth, guess = table["label"], table["prediction"]
    assert found["spearman"] == pytest.approx(spearmanr(truth, guess)[0])
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, guess), rel=1e-4)
    assert found["r2"] == pytest.approx(r2_score(truth, guess), abs=1e-4)


@pytest.mark.parametrize("method", FORMS)
def test_scores_of_classes_follow_from_the_predictions(trained: Trained, method: str) -> None:
    run = trained("residue", method)
    table, found = predictions(run), scores(run)
    assert list(table) == [
        "id",
        "position",
        "residue",
        "label",
        "counted",
        "prediction",
        "p_E",
        "p_H",
        "split",
    ]
    assert found["accuracy"] == pytest.approx(accuracy_score(table["label"], table["prediction"]))
    helix = average_precision_score(table["label"] == "H", table["p_H"])
    sheet = average_precision_score(table["label"] == "E", table["p_E"])
    assert found["macro_average_precision"] == pytest.approx((helix + sheet) / 2, abs=2e-3)
    per_class = json.loads((run / "metrics.json").read_text())["splits"]["test"]["per_class"]
    assert per_class["H"]["average_precision"]["n"] == (table["label"] == "H").sum()
    np.testing.assert_allclose(table["p_E"] + table["p_H"], 1, atol=1e-5)


@pytest.mark.parametrize("method", FORMS)
def test_a_protein_with_two_groups_is_right_with_either(trained: Trained, method: str) -> None:
    run = trained("symmetry", method)
    table = predictions(run)
    names = [name.removeprefix("p_") for name in table if name.startswith("p_")]
    assert len(names) == 18
    merged = [str(label).replace("C8", "C7-C9").split(",") for label in table["label"]]
    right = [guess in groups for guess, groups in zip(table["prediction"], merged, strict=True)]
    assert scores(run)["accuracy"] == pytest.approx(np.mean(right))
    record = json.loads((run / "run.json").read_text())
    merges = [found for found in record["findings"] if found["kind"] == "merged_labels"]
    assert [found["count"] for found in merges] == [6, 2, 2]


@pytest.mark.parametrize("task", ["ppi", "symmetry", "residue"])
def test_the_audit_of_a_training_searches_for_similar_proteins(trained: Trained, task: str) -> None:
    run = trained(task, "head")
    audit = json.loads((run / "audit.json").read_text())
    assert audit["similarity"]["tool"].startswith("pyopal")
    assert "similar_proteins" in {verdict["kind"] for verdict in audit["verdicts"]}
    text = audit["conclusion"]
    assert "not searched" not in text
    assert f"{text[:1].upper()}{text[1:]}." in (run / "report.html").read_text()


@pytest.mark.parametrize("task", TASKS)
def test_a_baseline_stands_beside_every_part(trained: Trained, task: str) -> None:
    metrics = json.loads((trained(task, "head") / "metrics.json").read_text())
    name = "residue_letter" if TASKS[task].level == "residue" else "composition"
    headline = TASKS[task].outcome.headline
    assert metrics["splits"].keys() == metrics["baselines"][name].keys() == {"validation", "test"}
    for part in ("validation", "test"):
        ours, theirs = metrics["splits"][part], metrics["baselines"][name][part]
        assert theirs[headline]["n"] == ours[headline]["n"]
    if task == "residue":  # the labels follow from the letters
        assert metrics["baselines"][name]["test"]["accuracy"]["value"] == 1.0


def test_every_row_is_predicted_in_order_with_repeats_and_self_pairs(tmp_path: Path) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(34, seed=4))
    train_rows = [(f"p{k}", f"p{k + 1}", k % 2) for k in range(20)]
    test_rows = [("p32", "p31", 1), ("p31", "p32", 1), ("p33", "p33", 1), ("p32", "p31", 1)]
    test_rows += [("p30", "p31", 0), ("p33", "p30", 0)]
    header = "id_a id_b label"
    write_rows(tmp_path / "a.tsv", header, [*train_rows, ("p3", "p3", 1), train_rows[0]])
    write_rows(tmp_path / "b.tsv", header, test_rows)
    validation = [(f"p{k}", f"p{k + 1}", k % 2) for k in range(22, 29)]
    write_rows(tmp_path / "c.tsv", header, validation)
    result = train(
        small_config(
            tmp_path,
            "ppi",
            "head",
            train=tmp_path / "a.tsv",
            validation=tmp_path / "c.tsv",
            test=(str(tmp_path / "b.tsv"),),
            sequences=tmp_path / "p.fasta",
            epochs=1,
        )
    )
    table = predictions(result.path)
    assert list(zip(table["id_a"], table["id_b"], table["label"], strict=True)) == test_rows
    assert len(set(table["score"])) == 4
    found = table["score"].tolist()
    assert found[0] == found[1] == found[3]
    counted = table.iloc[[0, 4, 5]]
    expected = average_precision_score(counted["label"], counted["probability"])
    assert scores(result.path)["average_precision"] == pytest.approx(expected)
    assert result.metrics["splits"]["test"]["average_precision"]["n"] == 3
    assert result.record["examples"]["train"] == {"rows": 22, "counted": 20}
    kinds = {(found["part"], found["kind"]): found["count"] for found in result.record["findings"]}
    assert kinds["test", "self_pairs"] == 1
    assert kinds["test", "repeated_examples"] == 2
    assert kinds["train", "self_pairs"] == 1


def test_self_pairs_are_scored_when_asked_for(tmp_path: Path) -> None:
    rows = [("MKVA", "MKVA", 1), ("MKVA", "WWDE", 0), ("WWDE", "ACDK", 1)]
    table = write_rows(tmp_path / "x.tsv", "sequence_a sequence_b label", rows)
    config = small_config(tmp_path, "ppi", "head", test=(str(table),), self_pairs="keep", epochs=1)
    assert train(config).metrics["splits"]["test"]["average_precision"]["n"] == 3


def test_several_test_parts_are_scored_and_predicted_apart(tmp_path: Path) -> None:
    rows = labelled_rows("regression", "test", 8)
    first = write_rows(tmp_path / "a.tsv", "id sequence label", rows[:5])
    second = write_rows(tmp_path / "b.tsv", "id sequence label", rows[5:])
    tests = (str(first), f"other={second}")
    result = train(small_config(tmp_path, "regression", "head", test=tests, epochs=1))
    assert list(result.metrics["splits"]) == ["validation", "test", "other"]
    table = predictions(result.path)
    assert table["split"].tolist() == ["test"] * 5 + ["other"] * 3
    assert table["id"].tolist() == [row[0] for row in rows]


def test_without_test_part_validation_is_predicted(tmp_path: Path) -> None:
    result = train(small_config(tmp_path, "regression", "head", test=(), epochs=1))
    table = predictions(result.path)
    assert table["split"].unique().tolist() == ["validation"]
    assert len(table) == 8


def test_validation_is_held_out_and_recorded_when_none_is_given(tmp_path: Path) -> None:
    result = train(
        small_config(
            tmp_path, "regression", "head", validation=None, validation_fraction=0.25, epochs=1
        )
    )
    assert result.record["examples"]["train"]["rows"] == 18
    assert result.record["examples"]["validation"]["rows"] == 6
    (held,) = [f for f in result.record["findings"] if f["kind"] == "held_out_rows"]
    assert held["count"] == 6
    assert "seed 0" in held["decision"]


def test_one_table_with_a_split_column_serves_for_all_parts(tmp_path: Path) -> None:
    rows = [
        (*row, name)
        for part, name in (("test", "test"), ("train", "Train"), ("validation", "dev"))
        for row in labelled_rows("regression", part, 10)
    ]
    table = write_rows(tmp_path / "all.tsv", "id sequence label split", rows)
    config = small_config(
        tmp_path, "regression", "head", data=table, train=None, validation=None, test=(), epochs=1
    )
    result = train(config)
    assert {part: n["rows"] for part, n in result.record["examples"].items()} == {
        "train": 10,
        "validation": 10,
        "test": 10,
    }
    assert predictions(result.path)["id"].tolist() == [f"test{k}" for k in range(10)]


@pytest.mark.parametrize("imbalance", ["weights", "logit_adjustment"])
def test_rare_classes_change_the_model(trained: Trained, tmp_path: Path, imbalance: str) -> None:
    result = train(small_config(tmp_path, "symmetry", "head", imbalance=imbalance))
    plain = predictions(trained("symmetry", "head"))
    assert not np.allclose(predictions(result.path)["p_C1"], plain["p_C1"])


@pytest.mark.parametrize("pooling", ["cls", "attention"])
def test_every_pooling_trains_and_predicts(tmp_path: Path, pooling: str) -> None:
    result = train(small_config(tmp_path, "ppi", "head", pooling=pooling, epochs=1))
    assert np.isfinite(predictions(result.path)["score"]).all()


def test_bf16_trains_and_its_predictions_give_its_scores(tmp_path: Path) -> None:
    result = train(small_config(tmp_path, "ppi", "lora", precision="bf16", epochs=1))
    table = predictions(result.path)
    expected = average_precision_score(table["label"], table["probability"])
    assert scores(result.path)["average_precision"] == pytest.approx(expected)


def test_overwriting_replaces_the_whole_run(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora", epochs=1)
    train(config)
    with pytest.raises(InputError, match="exists"):
        train(config)
    head = small_config(tmp_path, "regression", "head", epochs=1, overwrite=True)
    assert not (train(head).path / "model" / "adapter").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", 0), ("batch_size", 0), ("patience", 0), ("lora_r", -1), ("seed", -1)]
    + [("weight_decay", -0.1), ("weight_decay", float("nan")), ("head_dropout", 1.0)]
    + [("learning_rate", 0.0), ("head_learning_rate", float("inf")), ("max_grad_norm", 0.0)],
)
def test_a_number_that_no_training_can_have_is_refused(option: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"--{option.replace('_', '-')}: received"):
        TrainConfig(task="ppi", out=Path("run"), **{option: value})


def test_an_option_that_is_not_read_is_refused_before_any_work(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", lora_r=4, learning_rate=1e-9, blocks=8)
    with pytest.raises(InputError, match="--lora-r: --method head does not read it") as caught:
        train(config)
    assert "--learning-rate: --method head" in str(caught.value)
    assert "--blocks: --sampler auto with --method head" in str(caught.value)
    with pytest.raises(InputError, match="--trunk-gb"):
        train(small_config(tmp_path, "ppi", "head"), given=frozenset({"trunk_gb"}))
    assert not config.out.exists()


def test_pissa_is_scored_as_it_is_saved(tmp_path: Path) -> None:
    """As plain LoRA of twice the rank: `predict` opens the very model that was scored."""
    config = small_config(tmp_path, "regression", "pissa", learning_rate=0.05)
    run = train(config).path
    saved = json.loads((run / "model" / "adapter" / "adapter_config.json").read_text())
    assert saved["r"] == 2 * config.lora_r
    same = {"threads": 1, "device": "cpu", "precision": "fp32"}
    answers = predict(PredictConfig(run=run, input=Path(config.test[0]), **same))
    np.testing.assert_allclose(answers["prediction"], predictions(run)["prediction"], rtol=1e-5)
