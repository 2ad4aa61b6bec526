"""`peftide explain`: from a trained run to tables and a page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import peftide
from peftide.config import ExplainConfig
from peftide.errors import InputError
from tests.conftest import labelled_rows, write_proteins, write_rows

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """A table of two pairs by id, and their sequences."""
    texts = [str(row[0]) for row in labelled_rows("ppi", "test", 3)]
    fasta = write_proteins(tmp_path / "p.fasta", texts)
    table = write_rows(tmp_path / "t.tsv", "id_a id_b", [("p0", "p1"), ("p1", "p2")])
    return {"input": table, "sequences": fasta, "out": tmp_path / "out", **QUICK}


def test_tables_and_page_are_written(trained: Trained, inputs: dict[str, Any]) -> None:
    config = ExplainConfig(run=trained("ppi", "lora"), sites=("1-2",), ids=("p0", "p1"), **inputs)
    found = peftide.explain(config)
    out = config.out
    for name in ("proteins", "residues", "substitutions", "deletion"):
        written = pd.read_csv(out / f"{name}.tsv", sep="\t", keep_default_na=False)
        pd.testing.assert_frame_equal(
            written, getattr(found, name).reset_index(drop=True), check_dtype=False, rtol=1e-4
        )
    assert found.proteins["partner"].tolist() == ["a", "b"]
    scores = peftide.predict(
        peftide.PredictConfig(
            run=config.run, input=config.input, sequences=config.sequences, **QUICK
        )
    )["score"]
    assert found.proteins["score"].tolist() == pytest.approx([scores[0]] * 2, rel=1e-5)
    record = json.loads((out / "run.json").read_text())
    assert record["command"] == "explain"
    assert record["faithfulness"]["verdict"] == found.faithfulness.verdict
    page = (out / "report.html").read_text()
    assert found.faithfulness.verdict in page
    assert page.count("<svg") >= 4


def test_tables_as_parquet(trained: Trained, inputs: dict[str, Any]) -> None:
    run = trained("ppi", "head")
    config = ExplainConfig(run=run, format="parquet", substitutions=False, partner="a", **inputs)
    found = peftide.explain(config)
    residues = pd.read_parquet(config.out / "residues.parquet")
    pd.testing.assert_frame_equal(residues, found.residues)
    assert not (config.out / "substitutions.parquet").exists()
    assert not (config.out / "residues.tsv").exists()


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("ppi", {"ids": ("p7",)}, "--ids: no row has the protein 'p7'"),
        ("ppi", {"target": "1"}, "--target: the task ppi does not read it"),
        ("ppi", {"position": 1}, "--position: the task ppi does not read it"),
        ("ppi", {"sites": ("1",), "substitutions": False}, "--sites: --no-substitutions"),
        ("variants", {}, "`peftide mutate .*` scores all substitutions"),
        ("ppi", {"input": "missing.tsv"}, r"--input: missing\.tsv: no such file"),
        ("ppi", {"backbone": "no/such"}, "no/such"),
    ],
)
def test_what_cannot_be_explained_is_one_error(
    trained: Trained, inputs: dict[str, Any], task: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        peftide.explain(ExplainConfig(run=trained(task, "head"), **inputs | options))
    assert not inputs["out"].exists()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([("p0", "p9")], "p9"),
        ([("p0", "")], "t.tsv:2"),
    ],
)
def test_a_wrong_table_is_one_error(
    trained: Trained, inputs: dict[str, Any], table: list[tuple[str, str]], message: str
) -> None:
    write_rows(inputs["input"], "id_a id_b", table)
    with pytest.raises(InputError, match=message):
        peftide.explain(ExplainConfig(run=trained("ppi", "head"), **inputs))


def test_letters_that_are_no_residues_are_one_error(
    trained: Trained, inputs: dict[str, Any], tmp_path: Path
) -> None:
    write_proteins(tmp_path / "p.fasta", ["MK1V", "MKVL", "MKVA"])
    with pytest.raises(InputError, match=r"p\.fasta:\d: .*1"):
        peftide.explain(ExplainConfig(run=trained("ppi", "head"), **inputs))
