"""What every outcome promises, over the table of outcomes."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logit

from peftide.metrics import as_record
from peftide.outcomes import OUTCOMES, Labels

ROWS = 30
GENERATOR = np.random.default_rng(0)
PACKAGE = Path(__file__).resolve().parents[2] / "src" / "peftide"


def case(kind: str) -> tuple[Labels, np.ndarray, np.ndarray]:
    """Return labels, values (R, K) and logits (R, K)."""
    outcome = OUTCOMES[kind]
    labels = Labels(("a", "b", "c"), (9.0, 9.0, 9.0)) if outcome.has_classes else Labels()
    outputs = outcome.outputs(labels)
    classes = np.eye(outputs)[GENERATOR.integers(0, outputs, ROWS)]
    values = classes if outcome.has_classes else GENERATOR.integers(0, 2, (ROWS, outputs))
    return labels, values.astype(np.float32), GENERATOR.normal(size=(ROWS, outputs))


@pytest.mark.parametrize("kind", OUTCOMES)
def test_weights_of_one_give_the_metrics(kind: str) -> None:
    labels, values, logits = case(kind)
    outcome = OUTCOMES[kind]
    answers = outcome.answers(logits, labels)
    metrics = outcome.metrics(values, answers, labels, threshold=0.5)
    assert outcome.headline in metrics
    assert set(outcome.ranking) <= metrics.keys()
    assert outcome.shown.group_metric in metrics
    assert as_record(metrics, ROWS)
    if outcome.statistic is None:
        return
    statistic = outcome.statistic(values, answers, labels.class_names, threshold=0.5)
    found = statistic(np.ones((1, ROWS)))
    assert (outcome.headline,) in found
    for name, scores in found.items():
        plain = metrics
        for key in name:
            plain = plain[key]
        assert scores[0] == pytest.approx(plain, nan_ok=True), name


@pytest.mark.parametrize("kind", OUTCOMES)
def test_tables_hold_the_answer_where_the_outcome_says(kind: str) -> None:
    labels, values, logits = case(kind)
    outcome = OUTCOMES[kind]
    columns = outcome.columns(logits, labels, threshold=0.5)
    assert outcome.answer_column in columns or (outcome.has_classes and not outcome.answer_column)
    assert all(set(choice) for choice in outcome.score_columns(labels))
    if outcome.has_classes:
        assert set(outcome.score_columns(labels)[0]) <= columns.keys()
    assert len(outcome.truth(values, labels)) == ROWS


@pytest.mark.parametrize("kind", OUTCOMES)
def test_evidence_is_the_log_odds_or_the_value(kind: str) -> None:
    labels, _, logits = case(kind)
    outcome = OUTCOMES[kind]
    answers = outcome.answers(logits, labels).reshape(ROWS, -1)
    for k in range(answers.shape[1]):
        found = outcome.evidence(torch.from_numpy(logits), labels, k).numpy()
        expected = answers[:, k] if kind == "continuous" else logit(answers[:, k])
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_calibration_can_always_be_left_out(kind: str) -> None:
    assert OUTCOMES[kind].calibrations[0] == "none"
    assert OUTCOMES[kind].kind == kind


@pytest.mark.parametrize("room", ["baselines", "metrics", "report", "tasks"])
def test_no_other_room_asks_for_the_kind(room: str) -> None:
    asking = [
        f"{path.name}:{node.lineno}"
        for path in sorted((PACKAGE / room).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(n, ast.Constant) and n.value in OUTCOMES for n in ast.walk(node))
    ]
    assert asking == []
