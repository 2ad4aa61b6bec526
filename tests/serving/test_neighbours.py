import shutil
from pathlib import Path

import numpy as np
import pytest

import peftide
from peftide.baselines.nearest import fit_nearest
from peftide.serving.neighbours import Neighbours, neighbours_of
from tests.conftest import TINY, random_sequences, write_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("near")
    texts = random_sequences(16, lengths=(40, 60))
    rows = [(f"p{k}", text, k / 7) for k, text in enumerate(texts)]
    train = write_rows(folder / "t.tsv", "id sequence label", rows[:12])
    validation = write_rows(folder / "v.tsv", "id sequence label", rows[12:])
    config = peftide.TrainConfig(
        task="regression", train=train, validation=validation, method="head", backbone=TINY,
        epochs=1, threads=1, device="cpu", baselines=("nearest_homologue",), out=folder / "run",
    )  # fmt: skip
    return peftide.train(config).path


def test_the_most_similar_training_protein_comes_first(run: Path) -> None:
    known = random_sequences(16, lengths=(40, 60))
    changed = known[3][:20] + ("A" if known[3][20] == "W" else "W") + known[3][21:]
    found = neighbours_of(run).of([changed, "W" * 40])
    assert found is not None
    first = found.to_dict("records")[0]
    assert (first["query"], first["id"], first["residues"]) == (1, "p3", len(known[3]))
    assert first["label"] == f"{3 / 7:.4g}"
    assert first["start"] == known[3][:24]
    assert 0.9 < first["identity"] < 1
    assert 2 not in found["query"].tolist()  # nothing is similar


def test_labels_are_names_of_classes_and_repeats_have_all() -> None:
    texts = random_sequences(3, lengths=(40, 60))
    rows = np.array([[0], [1], [2], [2]])
    one_hot = np.eye(2)[[0, 1, 0, 1]]
    found = Neighbours(fit_nearest(texts, rows, one_hot, kind="categorical"), ("a", "b")).of(texts)
    assert found is not None
    assert found["label"].tolist() == ["a", "b", "a, b"]
    assert "id" not in found  # a run of the first peftide kept none
    yes = Neighbours(fit_nearest(texts, rows, np.array([0, 1, 1, 1]), kind="binary"), ("0", "1"))
    found = yes.of(texts)
    assert found is not None
    assert found["label"].tolist() == ["0", "1", "1"]
    pairs = np.array([[0, 1], [1, 2]])
    found = Neighbours(fit_nearest(texts, pairs, np.array([0, 1]), kind="binary")).of(texts)
    assert found is not None
    assert "label" not in found


def test_a_run_may_keep_no_training_sequences(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "baselines" / "nearest_homologue.safetensors").unlink()
    assert neighbours_of(tmp_path / "run").of(["MKV"]) is None
    shutil.rmtree(tmp_path / "run" / "baselines")
    assert neighbours_of(tmp_path / "run").of(["MKV"]) is None
