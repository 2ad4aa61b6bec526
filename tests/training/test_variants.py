"""A training on variants of one protein, from tables of mutants to predictions."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

import peftide
from peftide.backbones.loading import load_backbone
from peftide.backbones.unirep import Output, UniRepBackbone
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.predictor import load
from peftide.sequences import Dataset, Examples, Proteins
from peftide.sequences.records import WildType
from peftide.training.variants import has_new_sites, zero_shot_scores
from tests.conftest import AMINO_ACIDS, STEPLESS, random_sequences, small_config

(WILD_TYPE,) = random_sequences(1, lengths=(24, 25), seed=4)


def scan(folder: Path, *, offset: int = 0) -> Path:
    """Write a scan whose sites have effects of their own; the last third of each site is test."""
    sites = np.random.default_rng(0).normal(size=len(WILD_TYPE))
    rows = ["mutant\tlabel\tsplit"]
    for place, old in enumerate(WILD_TYPE):
        letters = [letter for letter in AMINO_ACIDS if letter != old][:9]
        for number, new in enumerate(letters):
            part = ("train", "train", "validation", "test")[(number + place) % 4]
            rows.append(f"{old}{place + 1 + offset}{new}\t{sites[place] + number / 50}\t{part}")
    path = folder / "scan.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def config(folder: Path, method: str, **changes: object) -> TrainConfig:
    plain = {"train": None, "validation": None, "test": (), "head": "auto", "head_width": 256}
    plain |= STEPLESS if method == "head" else {}
    options = replace(small_config(folder, "variants", method), **plain)
    return replace(options, wild_type=WILD_TYPE, baselines=("none",), **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variants")
    return peftide.train(config(folder, "head", data=scan(folder, offset=100))).path


def test_ridge_learns_the_effects_of_sites(run: Path) -> None:
    scores = pd.read_csv(run / "predictions.tsv", sep="\t")
    found: Any = spearmanr(scores["label"], scores["prediction"])
    assert found.statistic > 0.97
    assert len(pd.read_csv(run / "history.csv")) == 1


def test_predictions_need_the_mutants_alone(run: Path, tmp_path: Path) -> None:
    predictor = load(run, device="cpu", precision="fp32", threads=1)
    written = pd.read_csv(run / "predictions.tsv", sep="\t")
    mutants = written["id"].tolist()
    found = predictor.predict(mutants)
    np.testing.assert_allclose(found["prediction"], written["prediction"], rtol=1e-4, atol=1e-5)
    (tmp_path / "m.tsv").write_text("mutant\n" + "\n".join(mutants) + "\nWT\n", encoding="utf-8")
    assert predictor.predict(tmp_path / "m.tsv")["id"].tolist() == [*mutants, "WT"]
    changed = "W" if WILD_TYPE[0] != "W" else "Y"
    (whole,) = predictor.predict([changed + WILD_TYPE[1:]])["prediction"]
    (named,) = predictor.predict([f"{WILD_TYPE[0]}101{changed}"])["prediction"]
    assert whole == named


def test_other_proteins_are_refused(run: Path) -> None:
    predictor = load(run, device="cpu", precision="fp32", threads=1)
    with pytest.raises(InputError, match=r"site 150 .* is outside the wild type"):
        predictor.predict(["A150G"])
    with pytest.raises(InputError, match="a sequence of 12 residues"):
        predictor.predict([WILD_TYPE[:12]])


def test_an_adapter_starts_at_the_ridge_regression(tmp_path: Path, run: Path) -> None:
    shutil.copy(run.parent / "scan.tsv", tmp_path / "scan.tsv")
    result = peftide.train(config(tmp_path, "lora", data=tmp_path / "scan.tsv", epochs=1))
    ridge = pd.read_csv(run / "predictions.tsv", sep="\t")
    lora = pd.read_csv(result.path / "predictions.tsv", sep="\t")
    assert np.corrcoef(ridge["prediction"], lora["prediction"])[0, 1] > 0.99
    predictor = load(result.path, device="cpu", precision="fp32", threads=1)
    np.testing.assert_allclose(
        predictor.predict(lora["id"].tolist())["prediction"], lora["prediction"], atol=1e-4
    )


def test_a_table_without_mutants_is_refused(tmp_path: Path) -> None:
    options = small_config(tmp_path, "regression", "head")
    with pytest.raises(InputError, match="the wild type of its variants is unknown"):
        peftide.train(replace(options, task="variants", head="auto", head_width=256, **STEPLESS))


def test_scores_compare_each_letter_with_the_residue_after_what_stands_before() -> None:
    backbone = load_backbone("random:unirep_64")
    assert isinstance(backbone, UniRepBackbone)
    batch = backbone.pack(["MKV"], max_length=None)
    tokens = torch.eye(4, 64)  # <start>, M, K, V
    assert zero_shot_scores(backbone, tokens, batch) is None
    weight = torch.from_numpy(np.random.default_rng(0).normal(size=(64, 25))).float()
    backbone.output = Output(weight, torch.zeros(25))
    found = zero_shot_scores(backbone, tokens, batch)
    assert found is not None
    ids = backbone.vocabulary.letter_ids
    for place, residue in enumerate("MKV"):
        for column, letter in enumerate(AMINO_ACIDS):
            new, old = (int(ids[ord(each)]) - 1 for each in (letter, residue))
            expected = float(weight[place, new] - weight[place, old])
            np.testing.assert_allclose(found[place, column], expected, rtol=1e-6)


def data_of(members: dict[str, list[int]], make: Callable[..., Examples] = Examples) -> Dataset:
    sequences = ("MKV", "AKV", "MAV", "MKA", "MKL")
    parts = {
        part: make(
            Path("t"), np.arange(len(rows)), np.array(rows)[:, None], np.ones(len(rows), bool)
        )
        for part, rows in members.items()
    }
    return Dataset(Proteins(tuple("abcde"), sequences), parts, (), WildType("MKV"))


def test_sites_that_train_lacks_are_new() -> None:
    assert has_new_sites(data_of({"train": [1, 2], "validation": [2], "test": [3, 4]}))
    assert not has_new_sites(data_of({"train": [1, 3], "validation": [2], "test": [4]}))
    assert has_new_sites(data_of({"train": [1, 3], "validation": [2]}))
