import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from peftide.commands import embed_map
from peftide.commands.embed import embed
from peftide.config import EmbedConfig
from peftide.errors import InputError
from peftide.maps.projections import pca
from peftide.outputs import WRITTEN_BY
from tests.conftest import TINY, random_sequences, write_proteins, write_rows

QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32", "backbone": TINY}
SEQUENCES = random_sequences(8, seed=3)


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write_proteins(tmp_path / "p.fasta", SEQUENCES)


def mapped(folder: Path, **options: Any) -> EmbedConfig:
    config = EmbedConfig(out=folder / "v.safetensors", map=folder / "my_map", **QUICK | options)
    embed(config)
    return config


def table_of(config: EmbedConfig) -> pd.DataFrame:
    assert config.map is not None
    return pd.read_csv(config.map / "map.tsv", sep="\t", keep_default_na=False)


def test_the_map_is_that_of_the_written_embeddings(fasta: Path, tmp_path: Path) -> None:
    config = mapped(tmp_path, sequences=fasta)
    vectors, table = load_file(config.out), table_of(config)
    assert list(table) == ["id", "length", "pca_1", "pca_2"]
    points = pca(np.stack([vectors[name] for name in table["id"]])).points
    np.testing.assert_allclose(table[["pca_1", "pca_2"]].to_numpy(), points, rtol=1e-4)


def test_pairs_colour_proteins(fasta: Path, tmp_path: Path) -> None:
    rows = [("p0", "p1", 1, "train"), ("p0", "p2", 0, "test")]
    pairs = write_rows(tmp_path / "t.tsv", "id_a id_b label split", rows)
    config = mapped(tmp_path, sequences=fasta, data=pairs)
    assert config.map is not None
    table = table_of(config).set_index("id")
    assert table.loc["p0", ["label", "split"]].tolist() == ["0.5", "train + test"]
    written = {path.name for path in config.map.iterdir()}
    assert {"report.html", "map.tsv", "pca_label.svg", "pca_split.svg", "run.json"} <= written
    assert written <= {*WRITTEN_BY["embed"]}
    record = json.loads((config.map / "run.json").read_text())
    assert (record["command"], record["status"]) == ("embed", "finished")
    assert record["of_pairs"]
    assert record["projections"][0]["name"] == "pca"


def test_a_table_with_sequences_is_enough(tmp_path: Path) -> None:
    rows = [(text, k % 2) for k, text in enumerate(SEQUENCES)]
    config = mapped(tmp_path, data=write_rows(tmp_path / "t.tsv", "sequence label", rows))
    assert table_of(config)["label"].astype(str).tolist() == ["0", "1"] * 4
    assert len(load_file(config.out)) == len(SEQUENCES)


def test_a_table_with_sequences_can_be_embedded_without_a_map(tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.tsv", "id sequence", [("a", "MKVLA"), ("b", "GGHKL")])
    assert list(embed(EmbedConfig(out=tmp_path / "v.h5", data=table, **QUICK))) == ["a", "b"]


def test_without_protspace_its_file_is_left_out_and_that_is_said(
    fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embed_map, "has_protspace", lambda: False)
    with caplog.at_level(logging.WARNING):
        config = mapped(tmp_path, sequences=fasta)
    assert config.map is not None
    assert not (config.map / "map.parquetbundle").exists()
    assert "pip install 'peftide[protspace]'" in caplog.text


def test_with_protspace_its_file_is_there(fasta: Path, tmp_path: Path) -> None:
    pytest.importorskip("protspace", reason="pip install 'peftide[protspace]'")
    config = mapped(tmp_path, sequences=fasta)
    assert config.map is not None
    assert (config.map / "map.parquetbundle").read_bytes().count(b"---PARQUET_DELIMITER---") == 2


def test_a_map_is_replaced_only_on_request(fasta: Path, tmp_path: Path) -> None:
    mapped(tmp_path, sequences=fasta)
    (tmp_path / "v.safetensors").unlink()
    with pytest.raises(InputError, match="my_map exists"):
        mapped(tmp_path, sequences=fasta)
    assert not (tmp_path / "v.safetensors").exists()
    mapped(tmp_path, sequences=fasta, overwrite=True)


def test_another_folder_is_left_alone(fasta: Path, tmp_path: Path) -> None:
    (tmp_path / "my_map").mkdir()
    (tmp_path / "my_map" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not written by `peftide embed`"):
        mapped(tmp_path, sequences=fasta, overwrite=True)


def test_embeddings_inside_the_folder_of_the_map_are_refused(fasta: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"sequences": fasta, "map": tmp_path / "m", **QUICK}
    with pytest.raises(InputError, match="inside the folder of the map"):
        embed(EmbedConfig(out=tmp_path / "m" / "v.h5", **options))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"map": "m", "per_residue": True}, "--per-residue: --map does not read it"),
        ({"map": "m", "layers": "all"}, "--layers: --map does not read it"),
        ({"projection": "umap"}, "--projection: an embedding without --map"),
        ({"map": "m", "label_column": "x"}, "--label-column: an embedding without --data"),
        ({"data": "t.tsv"}, "--data: an embedding without --map"),
    ],
)
def test_options_that_are_not_read_are_refused(
    fasta: Path, tmp_path: Path, options: dict[str, Any], named: str
) -> None:
    given: dict[str, Any] = {
        key: Path(text) if key in ("map", "data") else text for key, text in options.items()
    }
    with pytest.raises(InputError, match=named):
        embed(EmbedConfig(sequences=fasta, out=tmp_path / "v.h5", **QUICK, **given))


def test_a_table_that_is_not_there_is_said(fasta: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--data: .*no\.tsv: no such file"):
        mapped(tmp_path, sequences=fasta, data=tmp_path / "no.tsv")


def test_neither_sequences_nor_a_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sequences"):
        embed(EmbedConfig(out=tmp_path / "v.h5", **QUICK))


def test_too_few_sequences_are_refused_before_they_are_embedded(tmp_path: Path) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", SEQUENCES[:2])
    with pytest.raises(InputError, match="a map of 2 sequences"):
        mapped(tmp_path, sequences=fasta)
    assert not (tmp_path / "v.safetensors").exists()
