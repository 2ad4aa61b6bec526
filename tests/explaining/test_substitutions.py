import numpy as np

from peftide.explaining.subjects import read_subjects
from peftide.explaining.substitutions import substitution_table
from tests.explaining.conftest import Opened


def test_each_substitution_has_the_score_of_its_mutant(opened: Opened) -> None:
    predictor, subjects = opened("ppi", partner="b")
    one = subjects[0]
    table = substitution_table(predictor, one, {2, 5})
    assert len(table) == 38
    assert table["position"].tolist() == [2] * 19 + [5] * 19
    mutants = [
        one.sequence[: place - 1] + new + one.sequence[place:]
        for place, new in zip(table["position"], table["new"], strict=True)
    ]
    expected = predictor.predict([(one.others[0], text) for text in mutants])["score"]
    whole = predictor.predict([(one.others[0], one.sequence)])["score"].to_numpy()
    np.testing.assert_allclose(table["score"], expected, rtol=1e-5)
    np.testing.assert_allclose(table["change"], expected - whole, rtol=1e-3, atol=1e-5)
    first = table["mutant"].tolist()[0]
    assert first == f"{one.sequence[1]}2{table['new'].tolist()[0]}"


def test_residues_without_a_letter_are_not_substituted(opened: Opened) -> None:
    predictor, _ = opened("regression")
    (one,) = read_subjects(predictor, predictor.read(["MKXV"]))
    table = substitution_table(predictor, one, {1, 2, 3, 4})
    assert set(table["position"].tolist()) == {1, 2, 4}
