from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.commands.predict import predict
from peftide.config import PredictConfig
from peftide.encoding import ModelEncoder
from peftide.engine import embedding
from peftide.errors import InputError
from tests.conftest import FORMS, RUNS, labelled_rows, write_rows

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False)


@pytest.mark.parametrize(("task", "method"), RUNS)
def test_prediction_gives_what_training_wrote(
    trained: Trained, tmp_path: Path, task: str, method: str
) -> None:
    run = trained(task, method)
    out = tmp_path / "p.tsv"
    predict(PredictConfig(run=run, input=run.parent / "test.tsv", out=out, **QUICK))
    written = read(run / "predictions.tsv").drop(columns=["split", "counted"])
    found = read(out)
    assert list(found) == list(written)
    for column in written:
        if written[column].dtype == float:
            np.testing.assert_allclose(found[column], written[column], rtol=2e-4, atol=1e-5)
        elif not column.startswith(("prediction", "id_")):  # rows without ids get new names
            assert found[column].tolist() == written[column].tolist()


@pytest.mark.parametrize("method", FORMS)
def test_swapped_pairs_have_identical_scores(trained: Trained, tmp_path: Path, method: str) -> None:
    rows = [(a, b) for a, b, _ in labelled_rows("ppi", "test", 8)]
    run, header = trained("ppi", method), "sequence_a sequence_b"
    forward = write_rows(tmp_path / "f.tsv", header, rows)
    backward = write_rows(tmp_path / "b.tsv", header, [(b, a) for a, b in rows])
    found = [
        predict(PredictConfig(run=run, input=path, out=tmp_path / f"{path.stem}_out.tsv", **QUICK))
        for path in (forward, backward)
    ]
    assert len(set(found[0]["score"])) == 8
    assert found[0]["score"].tolist() == found[1]["score"].tolist()
    assert "label" not in found[0]


def test_fasta_is_read_for_single_sequences(trained: Trained, tmp_path: Path) -> None:
    rows = labelled_rows("regression", "test", 8)
    fasta = tmp_path / "x.fa"
    fasta.write_text("".join(f">{name} some words\n{text}\n" for name, text, _ in rows))
    run = trained("regression", "lora")
    found = predict(PredictConfig(run=run, input=fasta, out=tmp_path / "p.tsv", **QUICK))
    written = read(run / "predictions.tsv")
    assert list(found) == ["id", "prediction"]
    assert found["id"].tolist() == written["id"].tolist()
    np.testing.assert_allclose(found["prediction"], written["prediction"], rtol=1e-4, atol=1e-5)


def test_one_answer_per_residue(trained: Trained, tmp_path: Path) -> None:
    fasta = tmp_path / "x.fa"
    fasta.write_text(">a\nMKV\n>b\nWWAD\n")
    run = trained("residue", "head")
    found = predict(PredictConfig(run=run, input=fasta, out=tmp_path / "p.tsv", **QUICK))
    assert found["id"].tolist() == ["a"] * 3 + ["b"] * 4
    assert found["position"].tolist() == [1, 2, 3, 1, 2, 3, 4]
    assert "".join(found["residue"]) == "MKVWWAD"


def test_residue_labels_that_do_not_fit_are_named(trained: Trained, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "x.tsv", "id sequence label", [("a", "MKV", "HH")])
    config = PredictConfig(run=trained("residue", "head"), input=table, **QUICK)
    with pytest.raises(InputError, match=r"x\.tsv:2: label of 2 characters"):
        predict(config)


def test_a_library_call_prints_and_writes_nothing(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("ppi", "head")
    found = predict(PredictConfig(run=run, input=run.parent / "test.tsv", **QUICK))
    assert len(found) == 8
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".tsv.gz", ".tsv.xz"])
def test_compressed_output_is_read_back(trained: Trained, tmp_path: Path, ending: str) -> None:
    run, out = trained("regression", "head"), tmp_path / f"p{ending}"
    found = predict(PredictConfig(run=run, input=run.parent / "test.tsv", out=out, **QUICK))
    assert read(out)["id"].tolist() == found["id"].tolist()


def test_an_output_that_exists_stays(trained: Trained, tmp_path: Path) -> None:
    run, out = trained("regression", "head"), tmp_path / "p.tsv"
    out.write_text("mine")
    table = run.parent / "test.tsv"
    with pytest.raises(InputError, match="exists"):
        predict(PredictConfig(run=run, input=table, out=out, **QUICK))
    with pytest.raises(InputError, match="not written by `peftide predict`"):
        predict(PredictConfig(run=run, input=table, out=out, overwrite=True, **QUICK))
    assert out.read_text() == "mine"
    out.unlink()
    for _ in range(2):
        predict(PredictConfig(run=run, input=table, out=out, overwrite=True, **QUICK))
    assert out.read_text().startswith("id\t")


def test_sets_and_another_prevalence_are_asked_for(
    trained: Trained, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = trained("ppi", "head")
    usual = predict(
        PredictConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "a.tsv", **QUICK)
    )
    options: dict[str, Any] = {"error_rate": 0.3, "prevalence": 0.001, **QUICK}
    rare = predict(
        PredictConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "b.tsv", **options)
    )
    assert set(rare["set"]) <= {"", "0", "1", "0,1"}
    assert "pairs that share proteins are not exchangeable" in caplog.text
    assert "set" not in usual
    assert max(rare["probability"]) < 0.05
    assert rare["score"].tolist() == usual["score"].tolist()
    assert rare["prediction"].tolist() == usual["prediction"].tolist()


def test_an_impossible_share_is_refused_before_any_work(trained: Trained, tmp_path: Path) -> None:
    options = {"input": tmp_path / "no.tsv", "out": tmp_path / "a.tsv", "prevalence": 1.0}
    with pytest.raises(InputError, match="--prevalence: received 1.0"):
        PredictConfig(run=trained("ppi", "head"), **options, **QUICK)


class Killed(BaseException):
    """Stands for a kill while proteins are encoded."""


def killed_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let encoding die at a batch; return a list that grows by the sequences of each batch."""
    encoded: list[int] = []
    encode = ModelEncoder.encode

    def dying(encoder: ModelEncoder, batch: Any) -> Any:
        encoded.append(len(batch.lengths))
        if len(encoded) == count:
            raise Killed
        return encode(encoder, batch)

    monkeypatch.setattr(ModelEncoder, "encode", dying)
    monkeypatch.setattr(embedding, "BATCHES_BETWEEN_SAVES", 1)
    return encoded


def test_a_killed_prediction_goes_on_from_its_last_save(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out = trained("ppi", "lora"), tmp_path / "p.tsv"
    table = run.parent / "test.tsv"
    options: dict[str, Any] = {"run": run, "input": table, "max_tokens": 40, **QUICK}
    whole = predict(PredictConfig(out=tmp_path / "whole.tsv", **options))
    with monkeypatch.context() as patch:
        killed_after(4, patch)
        with pytest.raises(Killed):
            predict(PredictConfig(out=out, **options))
    assert not out.exists()
    with monkeypatch.context() as patch:
        encoded = killed_after(0, patch)
        found = predict(PredictConfig(out=out, **options))
    total = len({text for column in ("sequence_a", "sequence_b") for text in read(table)[column]})
    assert 0 < sum(encoded) < total
    assert found.equals(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.tsv", "whole.tsv"]


def test_encoded_proteins_are_kept_for_later_runs_where_asked(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained("ppi", "lora")
    options: dict[str, Any] = {"run": run, "input": run.parent / "test.tsv", **QUICK}
    options["embedding_cache"] = tmp_path / "cache"
    first = predict(PredictConfig(**options))
    encoded = killed_after(0, monkeypatch)
    assert predict(PredictConfig(**options)).equals(first)
    assert encoded == []
