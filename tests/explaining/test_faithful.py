import numpy as np
import pytest
from scipy.stats import t

from peftide.explaining.deletion import Deletion
from peftide.explaining.faithful import Faithfulness, faithfulness
from peftide.explaining.subjects import Subject, Target
from peftide.tasks import TASKS, Labels

HIDDEN = np.array([0, 10])
TARGET = Target(TASKS["regression"], Labels(), np.array([0]))


def deletion(lead: float) -> Deletion:
    """A test whose random orders fall by 1, and the attributed one by `lead` more."""
    random = np.array([[2.0, 0.0]] * 3)
    return Deletion(HIDDEN, np.array([2.0, -2 * lead]), random)


def test_the_interval_is_that_of_a_mean() -> None:
    leads = np.random.default_rng(0).normal(0.5, 1.0, size=40)
    subjects = [Subject({"id": f"p{k}"}, "M" * (k + 1), (), TARGET) for k in range(40)]
    found = faithfulness(subjects, [deletion(lead) for lead in leads])
    assert found.lead == pytest.approx(leads.mean())
    assert found.random_area == pytest.approx(1.0)
    half = t.ppf(0.975, 39) * leads.std(ddof=1) / np.sqrt(40)
    assert found.low == pytest.approx(leads.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(leads.mean() + half, abs=0.15 * half)
    assert found.ahead == (leads > 0).sum()
    assert found.as_json()["verdict"] == found.verdict


def test_proteins_that_recur_widen_the_interval() -> None:
    leads = np.repeat(np.random.default_rng(0).normal(0.5, 1.0, size=20), 3)

    def of(names: list[str]) -> Faithfulness:
        subjects = [Subject({"id": name}, name, (), TARGET) for name in names]
        return faithfulness(subjects, [deletion(lead) for lead in leads])

    alone, recurring = of([f"M{k}" for k in range(60)]), of([f"M{k // 3}" for k in range(60)])
    assert recurring.low is not None
    assert alone.low is not None
    assert recurring.low < alone.low


def test_few_proteins_have_no_interval() -> None:
    subjects = [Subject({"id": "p"}, "MK", (), TARGET)] * 2
    good = faithfulness(subjects, [deletion(1.0), deletion(0.5)])
    assert good.low is None
    assert good.is_faithful
    assert "for 2 of 2 proteins" in good.verdict
    bad = faithfulness(subjects, [deletion(1.0), deletion(-0.5)])
    assert not bad.is_faithful
    assert bad.verdict.startswith("The contributions fail the deletion test")
    assert bad.verdict.endswith("for 1 of 2 proteins; with so few proteins, it must for every one.")


def test_one_protein_is_not_counted() -> None:
    (subject,) = [Subject({"id": "p"}, "MK", (), TARGET)]
    good, bad = (faithfulness([subject], [deletion(lead)]) for lead in (1.0, -0.5))
    assert good.verdict.endswith("The score falls faster than in all of 20 random orders.")
    assert bad.verdict.endswith("The score does not fall faster than in all of 20 random orders.")


def test_a_rising_score_is_said_to_rise() -> None:
    found = Faithfulness(1.0, -0.5, 0.5, 2.0, ahead=11, count=12)
    assert "contributions lowers the score by 1 on average" in found.verdict
    assert "random residues raises the score by 0.5" in found.verdict
