import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.config import ExplainConfig
from peftide.errors import InputError
from peftide.explaining import explain
from peftide.explaining.explain import explain_subjects
from tests.explaining.conftest import Opened


def config(**options: Any) -> ExplainConfig:
    return ExplainConfig(run=Path("run"), input=Path("t.tsv"), out=Path("o"), **options)


@pytest.mark.parametrize("task", ["ppi", "residue", "multilabel"])
def test_all_tables_belong_together(opened: Opened, task: str) -> None:
    predictor, subjects = opened(task)
    found = explain_subjects(predictor, subjects, config(sites=("1-2",)))
    keys = list(subjects[0].ids)
    lengths = [len(one.sequence) for one in subjects]
    assert len(found.proteins) == len(subjects)
    assert len(found.residues) == sum(lengths)
    assert found.substitutions is not None
    assert len(found.substitutions) == 2 * 19 * len(subjects)
    for table in (found.proteins, found.residues, found.substitutions, found.deletion):
        assert table.columns[: len(keys)].tolist() == keys
    starts = found.deletion.groupby(keys, sort=False).first()["attributed"]
    np.testing.assert_allclose(starts, found.proteins["score"], rtol=1e-6)
    first = found.substitutions.iloc[0]
    assert first["score"] - first["change"] == pytest.approx(found.proteins["score"][0], abs=1e-6)


def test_without_substitutions_there_is_no_table(opened: Opened) -> None:
    predictor, subjects = opened("regression")
    found = explain_subjects(predictor, subjects, config(substitutions=False))
    assert found.substitutions is None
    occluded = explain_subjects(
        predictor, subjects, config(substitutions=False, attribution="occlusion")
    )
    with pytest.raises(AssertionError):
        pd.testing.assert_frame_equal(found.residues, occluded.residues)


def test_a_long_protein_and_a_site_outside_are_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, subjects = opened("regression")
    monkeypatch.setattr(explain, "MOST_RESIDUES", 5)
    with pytest.raises(InputError, match="has .* residues; expected at most 5.*--no-substitutions"):
        explain_subjects(predictor, subjects, config())
    assert explain_subjects(predictor, subjects, config(substitutions=False))
    with pytest.raises(InputError, match="--sites of .*: received '99'"):
        explain_subjects(predictor, subjects, config(sites=("99",)))


def test_long_work_says_its_time_first(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    predictor, subjects = opened("regression")
    monkeypatch.setattr(explain, "TOKENS_TO_TIME", 10)
    with caplog.at_level(logging.INFO, logger="peftide"):
        explain.say_time(predictor, subjects, [len(one.sequence) for one in subjects])
    total = 19 * sum(len(one.sequence) for one in subjects)
    assert f"explaining 2 proteins with {total:,} substitutions: about" in caplog.text


def test_an_interrupted_call_resumes(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, subjects = opened("regression")
    whole = explain_subjects(predictor, subjects, config(), store=tmp_path)
    encoded: list[int] = []
    pack = predictor.encoder.pack
    monkeypatch.setattr(
        predictor.encoder, "pack", lambda texts: (encoded.append(len(texts)), pack(texts))[1]
    )
    again = explain_subjects(predictor, subjects, config(), store=tmp_path)
    assert whole.substitutions is not None
    assert again.substitutions is not None
    pd.testing.assert_frame_equal(again.substitutions, whole.substitutions)
    assert sum(encoded) < len(whole.substitutions) / 2  # only the deletion test ran again
