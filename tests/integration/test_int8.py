"""`--precision int8` by the commands: the scores of bf16 on real pairs, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import peftide
from peftide.commands.train import train
from peftide.errors import InputError
from peftide.native.int8 import library
from peftide.outputs import read_record
from tests.conftest import small_config

pytestmark = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX512-VNNI and a C compiler"
)


def test_a_head_scores_as_in_bf16(tmp_path: Path) -> None:
    """The promise of a precision: a metric changes by .002 at most."""
    config = small_config(tmp_path, "ppi", "head", backbone="mini", precision="bf16", epochs=5)
    scores = []
    for precision in ("bf16", "int8"):
        run = replace(config, precision=precision, out=tmp_path / precision)
        train(run)
        table = peftide.load(run.out, precision=precision).predict(config.test[0])
        scores.append(average_precision_score(table["label"].astype(float), table["score"]))
    exact, rounded = scores
    assert rounded == pytest.approx(exact, abs=0.002)


def test_lora_trains_above_layers_in_8_bits(tmp_path: Path) -> None:
    config = small_config(
        *(tmp_path, "ppi", "lora"), backbone="random:esm2_t6_8M", precision="int8"
    )
    train(config)
    assert read_record(config.out / "run.json")["hardware"]["precision"] == "int8"
    tables = [
        peftide.load(config.out, precision=p).predict(config.test[0]) for p in ("int8", "bf16")
    ]
    rounded, exact = (np.asarray(table["probability"]) for table in tables)
    np.testing.assert_allclose(rounded, exact, atol=0.01)


def test_full_fine_tuning_has_nothing_to_round(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "full", precision="int8")
    with pytest.raises(InputError, match="no frozen layers"):
        train(config)
    assert not config.out.exists()
