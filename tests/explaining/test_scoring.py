from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from peftide.explaining import scoring
from peftide.explaining.scoring import masked, scores
from tests.explaining.conftest import Opened


def test_scores_are_the_log_odds_of_the_predictions(opened: Opened) -> None:
    predictor, subjects = opened("ppi", partner="b")
    one = subjects[0]
    texts = [one.sequence, masked(one.sequence, [0, 3]), masked(one.sequence, [5])]
    expected = predictor.predict([(one.others[0], text) for text in texts])
    np.testing.assert_allclose(scores(predictor, one, texts), expected["score"], rtol=1e-5)


def test_scores_of_values_are_in_their_units(opened: Opened) -> None:
    predictor, subjects = opened("regression")
    text = masked(subjects[0].sequence, [1])
    expected = predictor.predict([text])["prediction"]
    np.testing.assert_allclose(scores(predictor, subjects[0], [text]), expected, rtol=1e-5)


def test_scores_of_residues_in_blocks(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor, subjects = opened("residue", position=4)
    one = subjects[0]
    texts = [masked(one.sequence, [place]) for place in range(5)]
    monkeypatch.setattr(scoring, "RESIDUES_PER_BLOCK", 2 * len(one.sequence))
    found = scores(predictor, one, texts)
    name = predictor.answering.labels.class_names[one.target.classes[3]]
    table = predictor.predict(texts)
    calibrated = logit(table.loc[table["position"] == 4, f"p_{name}"].to_numpy())
    ratio = calibrated / found  # calibration divides the logits by one temperature
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_encoded_sequences_are_kept_in_a_store(opened: Opened, tmp_path: Path) -> None:
    predictor, subjects = opened("regression")
    texts = [masked(subjects[0].sequence, [place]) for place in range(3)]
    found = scores(predictor, subjects[0], texts, store=tmp_path)
    assert predictor.encoder.has_stored(texts, tmp_path)
    assert scores(predictor, subjects[0], texts, store=tmp_path).tolist() == found.tolist()
