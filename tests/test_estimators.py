"""The estimators keep the contract of scikit-learn, and answer as a training by hand does."""

import copy
import gc
import pickle
import re
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import peftide
from peftide import PairClassifier, ProteinClassifier, ProteinRegressor
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.estimators import ProteinEstimator
from tests.conftest import TINY, random_sequences

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "scikit-learn.md"
ESTIMATORS = [ProteinClassifier, PairClassifier, ProteinRegressor]
SEQUENCES = random_sequences(40, seed=3)
PAIRS = list(zip(SEQUENCES[:20], SEQUENCES[20:], strict=True))
YES_NO = np.array(["yes", "no"] * 20)
QUICK: dict[str, Any] = {"validation_fraction": 0.3, "device": "cpu", "threads": 1}
SMALL: dict[str, Any] = {"backbone": TINY, "epochs": 1, "options": QUICK}


@pytest.fixture(scope="module")
def fitted() -> ProteinClassifier:
    return ProteinClassifier(**SMALL).fit(SEQUENCES, YES_NO)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_scikit_learn_accepts_it(estimator: type[ProteinEstimator]) -> None:
    """Its other checks fit arrays of numbers, and are skipped for estimators of texts."""
    with pytest.warns(UserWarning, match="Can't test estimator"):
        found = check_estimator(estimator())
    assert {check["status"] for check in found} == {"passed"}


def checks_of(estimator: type[ProteinEstimator]) -> dict[str, list[Callable[..., None]]]:
    """Return the checks that scikit-learn has for an estimator of numbers, by name."""

    class OfNumbers(estimator):
        def __sklearn_tags__(self) -> Tags:
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array, tags.input_tags.string = True, False
            return tags

    found: dict[str, list[Callable[..., None]]] = {}
    pairs: Any = estimator_checks_generator(OfNumbers())
    for _, check in pairs:  # a check is bound to the name of the class
        found.setdefault(check.func.__name__, []).append(check)
    return found


def passes(estimator: type[ProteinEstimator], check: Callable[..., None]) -> bool:
    """Return whether an estimator passes a check; a check that skips itself does not apply."""
    try:
        check(estimator(options={"device": "cpu", "threads": 1}))
    except (AssertionError, IndexError, TypeError, ValueError, unittest.SkipTest):
        return False
    return True


def checks_on_the_page() -> list[set[str]]:
    """Return the checks that the page calls passed, and those that it calls left out."""
    text = PAGE.read_text(encoding="utf-8").split("## Passed")[1]
    return [set(re.findall(r"`(check_\w+)`", part)) for part in text.split("## Left out")]


@pytest.mark.filterwarnings("ignore")  # the checks fit what they have to
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_page_lists_the_checks_that_are_passed(estimator: type[ProteinEstimator]) -> None:
    if f"scikit-learn {'.'.join(sklearn.__version__.split('.')[:2])} " not in PAGE.read_text():
        pytest.skip(f"the page is about another scikit-learn than {sklearn.__version__}")
    checks = checks_of(estimator)
    passed = {
        name for name, found in checks.items() if all(passes(estimator, each) for each in found)
    }
    on_page, left_out = checks_on_the_page()
    assert passed == on_page & set(checks)
    assert set(checks) - passed == left_out & set(checks)


def test_the_page_lists_no_other_checks() -> None:
    known = {name for estimator in ESTIMATORS for name in checks_of(estimator)}
    on_page, left_out = checks_on_the_page()
    assert not on_page & left_out
    if f"scikit-learn {'.'.join(sklearn.__version__.split('.')[:2])} " in PAGE.read_text():
        assert on_page | left_out == known


def test_a_fit_keeps_its_parameters_and_repeats_itself(fitted: ProteinClassifier) -> None:
    """What scikit-learn checks with numbers."""
    model: Any = clone(fitted)
    before = copy.deepcopy(model.get_params())
    assert model.fit(SEQUENCES, YES_NO) is model
    assert model.get_params() == before
    known = set(vars(model))
    expected = fitted.predict_proba(SEQUENCES)
    np.testing.assert_array_equal(model.predict_proba(SEQUENCES), expected)
    assert set(vars(model)) == known
    np.testing.assert_allclose(model.predict_proba(SEQUENCES[::-1]), expected[::-1], atol=1e-6)
    alone = [model.predict_proba([text])[0] for text in SEQUENCES[:4]]
    np.testing.assert_allclose(alone, expected[:4], atol=1e-6)
    assert not hasattr(model, "decision_function")


def test_the_answers_are_those_of_the_run(fitted: ProteinClassifier, tmp_path: Path) -> None:
    run = peftide.train(
        TrainConfig(
            task="binary",
            train=pd.DataFrame({"sequence": SEQUENCES, "label": (YES_NO == "yes").astype(int)}),
            out=tmp_path / "run",
            method="head",
            baselines=("none",),
            backbone=TINY,
            epochs=1,
            **QUICK,
        )
    ).path
    expected = peftide.load(run, device="cpu", threads=1).predict(SEQUENCES)
    found = fitted.predict_proba(SEQUENCES)
    assert fitted.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(found[:, 1], expected["probability"])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (fitted.predict(SEQUENCES) == "yes").tolist() == (expected["prediction"] == 1).tolist()


@pytest.mark.parametrize(
    "shaped",
    [pd.Series, np.array, lambda x: np.array(x)[:, None], lambda x: pd.DataFrame({"sequence": x})],
)
def test_every_form_of_input_is_the_same(fitted: ProteinClassifier, shaped: Any) -> None:
    found = fitted.predict_proba(shaped(SEQUENCES[:3]))
    np.testing.assert_array_equal(found, fitted.predict_proba(SEQUENCES[:3]))


@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_a_pickle_holds_the_model_and_outlives_the_run(
    fitted: ProteinClassifier, again: Any, tmp_path: Path
) -> None:
    found = again(fitted)
    assert found.run_ != fitted.run_
    np.testing.assert_array_equal(found.predict_proba(SEQUENCES), fitted.predict_proba(SEQUENCES))
    saved = found.save(tmp_path / "saved")
    kept = found.run_
    del found
    gc.collect()
    assert not kept.exists()
    answers = peftide.load(saved, device="cpu", threads=1).predict(SEQUENCES)
    np.testing.assert_array_equal(answers["probability"], fitted.predict_proba(SEQUENCES)[:, 1])


def test_cross_validation_searches_and_pipelines(tmp_path: Path) -> None:
    model = ProteinClassifier(**SMALL, embedding_cache=tmp_path / "cache")
    found = cross_val_score(clone(model), SEQUENCES, YES_NO, cv=2)
    assert np.isfinite(found).all()
    search = GridSearchCV(
        make_pipeline("passthrough", model),
        {"proteinclassifier__options": [QUICK | {"head_width": n} for n in (4, 8)]},
        cv=2,
    ).fit(np.array(SEQUENCES), YES_NO)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert any((tmp_path / "cache").iterdir())


def test_more_than_two_classes_have_a_column_each() -> None:
    labels = np.array([7, 3, 5, 3] * 10)
    model = ProteinClassifier(**SMALL).fit(SEQUENCES, labels)
    found = model.predict_proba(SEQUENCES)
    assert model.classes_.tolist() == [3, 5, 7]
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert (model.predict(SEQUENCES) == model.classes_[found.argmax(axis=1)]).all()


def test_pairs_have_no_order() -> None:
    model = PairClassifier(**SMALL).fit(PAIRS, [0, 1] * 10)
    swapped = pd.DataFrame({"sequence_b": SEQUENCES[:20], "sequence_a": SEQUENCES[20:]})
    np.testing.assert_array_equal(model.predict_proba(PAIRS), model.predict_proba(swapped))


def test_values() -> None:
    model = ProteinRegressor(**SMALL, random_state=np.random.RandomState(4))
    assert model.fit(SEQUENCES, np.arange(40.0)).predict(SEQUENCES).shape == (40,)
    assert np.isfinite(model.score(SEQUENCES, np.arange(40.0)))


@pytest.mark.parametrize(
    ("texts", "labels", "error", "message"),
    [
        (PAIRS, [0, 1] * 10, InputError, "X: received an array of shape"),
        ([], [], InputError, "y: received the class"),
        (SEQUENCES, ["a"] * 40, InputError, "expected two classes"),
        (SEQUENCES, np.linspace(0, 1, 40), InputError, "continuous values; expected a class"),
        (SEQUENCES, [0, 1, None] + [1] * 37, InputError, "row 2 of y: y has missing values"),
        (SEQUENCES, [0.0, float("nan")] * 20, InputError, "y has missing values"),
        ("MKV", [0, 1, 1], InputError, "expected a list of texts"),
        (SEQUENCES, [0, 1], ValueError, "inconsistent numbers of samples"),
        ([*SEQUENCES[:39], "M1"], YES_NO, InputError, "M1|'1'"),
    ],
)
def test_wrong_input_is_refused(texts: Any, labels: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        ProteinClassifier(**SMALL).fit(texts, labels)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(InputError, match="unknown option 'lora_rank'.*lora_r"):
        ProteinClassifier(options={"lora_rank": 4}).fit(SEQUENCES, YES_NO)


def test_nothing_is_answered_before_the_training() -> None:
    with pytest.raises(NotFittedError):
        ProteinClassifier().predict(SEQUENCES)


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (["nucleus", "cell wall", "ER"], ["ER", "cell wall", "nucleus"]),
        ([3, 1, 2], ["1", "2", "3"]),
        (["a;b", "none", " x"], ["class_0", "class_1", "class_2"]),
        (["x", "X", "y"], ["class_0", "class_1", "class_2"]),
    ],
)
def test_a_saved_model_answers_with_the_names_of_classes(
    labels: list[Any], shown: list[str], tmp_path: Path
) -> None:
    given = np.array(labels * 13 + labels[:1], dtype=object)
    model = ProteinClassifier(**SMALL).fit(SEQUENCES, given)
    found = peftide.load(model.save(tmp_path / "kept")).predict(SEQUENCES[:3])
    assert sorted(name.removeprefix("p_") for name in found if name.startswith("p_")) == shown
    assert set(model.predict(SEQUENCES)) <= set(labels)
    np.testing.assert_allclose(model.predict_proba(SEQUENCES).sum(axis=1), 1, atol=1e-5)
