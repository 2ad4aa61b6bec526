"""`peftide merge`: from a run to a backbone for others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import peftide
from peftide.config import EmbedConfig, MergeConfig
from peftide.errors import InputError
from tests.conftest import random_sequences, write_proteins

PLAIN = {"device": "cpu", "precision": "fp32", "threads": 1}


def test_the_folder_is_a_backbone_with_the_vectors_of_the_run(
    trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    run, out = trained("regression", "lora"), tmp_path / "merged"
    assert peftide.merge(MergeConfig(run=run, out=out, threads=1)) == out
    names = {path.name for path in out.iterdir()}
    assert names == {"config.json", "model.safetensors", "README.md", "run.json"} | {
        "vocab.txt",
        "tokenizer_config.json",
    }
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(4))
    common = {"sequences": fasta, "max_length": None, **PLAIN}
    merged = peftide.embed(EmbedConfig(backbone=str(out), out=tmp_path / "1.safetensors", **common))
    adapted = peftide.embed(
        EmbedConfig(run=run, out=tmp_path / "2.safetensors", sequences=fasta, **PLAIN)
    )
    for name, vector in adapted.items():
        np.testing.assert_allclose(merged[name], vector, atol=1e-5)


def test_an_earlier_folder_is_replaced_only_on_request(
    trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    run, out = trained("ppi", "head"), tmp_path / "merged"
    config = MergeConfig(run=run, out=out)
    peftide.merge(config)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        peftide.merge(config)
    peftide.merge(MergeConfig(run=run, out=out, overwrite=True))
    assert (out / "mine.txt").read_text() == "mine"


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bundle\.json"):
        peftide.merge(MergeConfig(run=tmp_path, out=tmp_path / "merged"))
    assert not (tmp_path / "merged").exists()
