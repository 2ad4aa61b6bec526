"""Perplexities of the model and of counting, over the same held-out residues."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.config import PretrainConfig
from peftide.files import file_hash, write_json
from peftide.hardware import Hardware
from peftide.outputs import read_record
from peftide.pretraining import results
from peftide.pretraining.loop import Progress
from peftide.pretraining.perplexity import Surprise
from peftide.pretraining.results import perplexities, record_results, record_start
from peftide.pretraining.saving import save_backbone
from peftide.pretraining.set_up import build_model
from peftide.pretraining.setting import backbone_source
from peftide.run_folder import RunFolder
from tests.pretraining.conftest import setting_of

SURPRISE = Surprise(nats=np.log([2.0**3, 4.0**1]), residues=np.array([3, 1]))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "out")
    folder.path.mkdir(exist_ok=True)
    write_json(folder.record, {"status": "running"})
    return folder


def test_perplexities_by_hand() -> None:
    """Three residues at 2, one at 4: 2^(5/4) over residues, √8 over sequences."""
    found = perplexities(SURPRISE)
    assert found["perplexity"] == pytest.approx(2 ** (5 / 4))
    assert found["perplexity_by_sequence"] == pytest.approx(math.sqrt(8))
    assert (found["sequences"], found["residues"]) == (2, 4)


def test_the_start_is_measured_once(
    pretrain_config: PretrainConfig,
    hardware: Hardware,
    folder: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setting = setting_of(pretrain_config)
    model = build_model(setting, backbone_source(pretrain_config))
    monkeypatch.setattr(results, "model_surprise", lambda *_: SURPRISE)
    record_start(setting, model, hardware, folder=folder)
    first = read_record(folder.record)["start"]
    assert first == perplexities(SURPRISE)
    monkeypatch.setattr(results, "model_surprise", lambda *_: pytest.fail("measured again"))
    record_start(setting, model, hardware, folder=folder)
    assert read_record(folder.record) == {"status": "running", "start": first}


@pytest.mark.parametrize(("step", "status"), [(7, "stopped"), (8, "finished")])
def test_the_record_holds_scores_and_cost(
    pretrain_config: PretrainConfig, hardware: Hardware, folder: RunFolder, step: int, status: str
) -> None:
    setting = setting_of(replace(pretrain_config, steps=8))
    model = build_model(setting, backbone_source(pretrain_config))
    save_backbone(model, setting.tokenizer, folder.path, dtype="fp32")
    progress = Progress(step=step, tokens=900, seconds=3.0)
    record = record_results(setting, model, hardware, progress=progress, folder=folder)
    assert record == read_record(folder.record)
    assert record["status"] == status
    assert (record["steps"], record["tokens"], record["tokens_per_second"]) == (step, 900, 300)
    assert record["weights_sha256"] == file_hash(folder.path / "model.safetensors")
    scores = record["held_out"]
    assert list(scores) == ["model", "uniform", "residue_frequencies", "trigram", "neighbours"]
    assert len({(row["sequences"], row["residues"]) for row in scores.values()}) == 1
    assert scores["uniform"]["perplexity"] == pytest.approx(20)
    table = pd.read_csv(folder.path / "held_out.tsv", sep="\t")
    assert table["id"].tolist() == [setting.corpus.ids[k] for k in setting.parts[1]]
    assert table["residues"].sum() == scores["model"]["residues"]
