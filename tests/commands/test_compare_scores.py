from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from peftide import compare_scores
from peftide.config import TableOptions
from peftide.errors import InputError
from tests.conftest import write_rows

GENERATOR = np.random.default_rng(0)
PAIRS = [(f"p{a}", f"p{b}") for a in range(30) for b in range(a)]
LABELS = GENERATOR.integers(0, 2, len(PAIRS))


def table(folder: Path) -> Path:
    rows = [(*pair, label) for pair, label in zip(PAIRS, LABELS, strict=True)]
    return write_rows(folder / "labels.tsv", "id_a id_b label", [*rows, ("p0", "p0", 1)])


def scored(path: Path, noise: float, *, seed: int = 0) -> tuple[Path, np.ndarray]:
    """Write a score file in another order; return it with its scores in the order of `PAIRS`."""
    scores = LABELS + noise * np.random.default_rng(seed).normal(size=len(PAIRS))
    rows: list[tuple[Any, ...]] = [
        (b, a, score) for (a, b), score in zip(PAIRS, scores, strict=True)
    ]
    return write_rows(path, "id_a id_b score", rows[::-1]), scores


def test_two_tools_are_scored_and_compared(tmp_path: Path) -> None:
    first, good = scored(tmp_path / "a.tsv", 0.5)
    second, _ = scored(tmp_path / "b.tsv", 3.0, seed=1)
    found = compare_scores(table(tmp_path), {"A": first, "B": second})
    own = found["scores"]["A"]
    assert set(own) == {"average_precision", "auroc"}
    reference = average_precision_score(LABELS, good)
    assert own["average_precision"]["value"] == pytest.approx(reference)
    assert own["average_precision"]["low"] < reference < own["average_precision"]["high"]
    lead = found["differences"]["A − B"]["average_precision"]
    assert lead["spans_zero"] is False
    assert lead["conservative_low"] < lead["value"]
    assert found["intervals"] == {
        "unit": "protein",
        "units": 30,
        "rows": len(PAIRS),
        "reason": None,
    }
    assert found["seeds"] == {}


def test_trainings_are_averaged_and_their_spread_stands_apart(tmp_path: Path) -> None:
    files = [scored(tmp_path / f"{seed}.tsv", 1.0, seed=seed) for seed in (1, 2, 3)]
    found = compare_scores(table(tmp_path), {"A": [path for path, _ in files]})
    reference = [roc_auc_score(LABELS, scores) for _, scores in files]
    assert found["scores"]["A"]["auroc"]["value"] == pytest.approx(np.mean(reference))
    spread = found["seeds"]["A"]["auroc"]
    assert spread["values"] == pytest.approx(reference)
    assert spread["spread"] == pytest.approx(np.std(reference, ddof=1))


def test_of_few_proteins_there_are_scores_and_a_reason(tmp_path: Path) -> None:
    rows = [("p0", "p1", 1), ("p1", "p2", 0), ("p2", "p3", 1)]
    path = write_rows(tmp_path / "labels.tsv", "id_a id_b label", rows)
    peer = write_rows(tmp_path / "a.tsv", "id_a id_b score", rows)
    found = compare_scores(path, {"A": peer})
    assert found["scores"]["A"]["auroc"]["value"] == 1
    assert found["scores"]["A"]["auroc"]["low"] is None
    assert found["intervals"]["reason"] == "only 4 proteins: intervals need 10"


def test_labels_of_one_class_have_no_score(tmp_path: Path) -> None:
    rows = [(f"p{k}", f"p{k + 1}", 1) for k in range(20)]
    path = write_rows(tmp_path / "labels.tsv", "id_a id_b label", rows)
    found = compare_scores(path, {"A": write_rows(tmp_path / "a.tsv", "id_a id_b score", rows)})
    assert found["scores"]["A"]["auroc"]["value"] is None


def test_self_pairs_count_where_they_are_kept(tmp_path: Path) -> None:
    first, _ = scored(tmp_path / "a.tsv", 0.5)
    kept = TableOptions(self_pairs="keep")
    with pytest.raises(InputError, match="1 missing .for instance p0–p0"):
        compare_scores(table(tmp_path), {"A": first}, columns=kept)


def test_numbers_are_compared_too(tmp_path: Path) -> None:
    rows = [(f"s{k}", float(k % 11)) for k in range(30)]
    path = write_rows(tmp_path / "labels.tsv", "id label", rows)
    peer = write_rows(tmp_path / "a.tsv", "id score", [(name, value + 1) for name, value in rows])
    found = compare_scores(path, {"A": peer}, task="regression")["scores"]["A"]
    assert found["mae"]["value"] == pytest.approx(1)
    assert found["spearman"]["value"] == pytest.approx(1)


def test_a_table_without_ids_cannot_be_compared(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "x.tsv", "sequence_a sequence_b label", [("MK", "MV", 1)])
    with pytest.raises(InputError, match="the table has no ids"):
        compare_scores(path, {})
