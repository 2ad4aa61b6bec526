from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.config import ScreenConfig
from peftide.predictor import Predictor
from peftide.screening.proteins import read_proteins
from peftide.screening.selection import lowest_logit, pairs_of, wanted_of


def columns(logits: Any, *, prevalence: float | None) -> pd.DataFrame:
    assert prevalence is None
    return pd.DataFrame({"probability": 1 / (1 + np.exp(-logits[:, 0]))})


PREDICTOR = object.__new__(Predictor)
object.__setattr__(PREDICTOR, "answering", SimpleNamespace(columns=columns))


@pytest.fixture
def config(tmp_path: Path) -> ScreenConfig:
    path = tmp_path / "p.fasta"
    path.write_text(">a\nACD\n>b\nMKV\n>c\nWWF\n")
    return ScreenConfig(run=tmp_path, sequences=path, out=tmp_path / "h.parquet")


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.99])
def test_the_lowest_logit_has_the_probability_of_the_threshold(threshold: float) -> None:
    expected = np.log(threshold / (1 - threshold))
    assert lowest_logit(PREDICTOR, threshold, prevalence=None) == pytest.approx(expected, abs=1e-5)


def test_no_protein_has_more_partners_than_there_are(config: ScreenConfig) -> None:
    proteins = read_proteins(config)
    assert pairs_of(config, proteins)[0].count() == 3
    wanted = wanted_of(config, proteins, PREDICTOR)
    assert (wanted.top_k, wanted.lowest) == (2, -np.inf)
