import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score

from peftide.baselines import Composition, fit_composition
from peftide.baselines.composition import composition_features
from peftide.baselines.letters import STANDARD_RESIDUES
from peftide.errors import InputError
from peftide.metrics import categorical_metrics

needs_data = pytest.mark.skipif(
    "PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA names no folder of real data"
)
SINGLES = np.arange(60)[:, None]


def random_sequences(n: int = 60) -> list[str]:
    """Return sequences of 5-60 residues, each with its own taste."""
    rng = np.random.default_rng(0)
    taste = rng.dirichlet(np.full(20, 0.3), n)
    return ["".join(rng.choice(list(STANDARD_RESIDUES), rng.integers(5, 60), p=p)) for p in taste]


def random_pairs(n: int = 200) -> np.ndarray:
    """Return pairs of the first 40 proteins, self-pairs among them. Shape (B, 2)."""
    return np.random.default_rng(1).integers(0, 40, (n, 2))


def counted_features(sequences: list[str]) -> np.ndarray:
    """Return composition and log length by plain counting. Shape (P, 21)."""
    shares = [[s.count(letter) / len(s) for letter in STANDARD_RESIDUES] for s in sequences]
    return np.column_stack([shares, [np.log(len(s)) for s in sequences]])


def paired(features: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return [mean, |a - b|, a * b], row by row. Shape (B, 3 D)."""
    rows = [(features[a], features[b]) for a, b in members]
    return np.array(
        [np.r_[(x + y) / 2, np.maximum(x, y) - np.minimum(x, y), x * y] for x, y in rows]
    )


def train_means(baseline: Composition) -> np.ndarray:
    """Return the mean of each feature over the train proteins. Shape (21,)."""
    return baseline.model.mean


def test_features_equal_plain_counting_and_other_letters_count_as_length():
    sequences = [*random_sequences(), "AAUUXX", "W"]
    np.testing.assert_allclose(composition_features(sequences), counted_features(sequences))
    assert composition_features(["AAUUXX"])[0, :20].sum() == pytest.approx(1 / 3)


def test_a_binary_pair_fit_equals_sklearn_on_train_standardised_features():
    sequences, members = random_sequences(), random_pairs()
    labels = np.random.default_rng(3).integers(0, 2, len(members))
    features = counted_features(sequences)
    seen = features[sorted(set(members.ravel().tolist()))]
    features = (features - seen.mean(axis=0)) / seen.std(axis=0)
    reference = LogisticRegression(max_iter=2_000).fit(paired(features, members), labels)
    fitted = fit_composition(sequences, members, labels, kind="binary")
    unseen = np.array([[50, 3], [59, 41]])
    np.testing.assert_allclose(
        fitted.predict(sequences, unseen),
        reference.predict_proba(paired(features, unseen))[:, 1],
        rtol=1e-4,
    )


def test_proteins_outside_train_have_no_influence():
    sequences, members = random_sequences(), random_pairs()
    labels = np.random.default_rng(3).integers(0, 2, len(members))
    changed = [*sequences[:40], *["W" * 500] * 20]
    first = fit_composition(sequences, members, labels, kind="binary")
    second = fit_composition(changed, members, labels, kind="binary")
    assert np.array_equal(train_means(first), train_means(second))
    assert np.array_equal(first.predict(sequences, members), second.predict(sequences, members))


def test_a_protein_in_many_pairs_weighs_once_in_the_standardisation():
    members = np.array([[0, 1], [0, 2], [0, 3], [0, 0]])
    fitted = fit_composition(random_sequences(), members, np.array([0, 1, 0, 1]), kind="binary")
    np.testing.assert_allclose(
        train_means(fitted), counted_features(random_sequences()[:4]).mean(axis=0)
    )


@pytest.mark.parametrize("kind", ["binary", "categorical", "continuous"])
def test_the_order_of_a_pair_changes_no_bit(kind: str):
    sequences, members = random_sequences(), random_pairs()
    rng = np.random.default_rng(4)
    targets = {
        "binary": rng.integers(0, 2, len(members)),
        "categorical": np.eye(3, dtype=np.int64)[rng.integers(0, 3, len(members))],
        "continuous": rng.normal(size=len(members)),
    }[kind]
    swapped = np.ascontiguousarray(members[:, ::-1])
    first = fit_composition(sequences, members, targets, kind=kind)
    second = fit_composition(sequences, swapped, targets, kind=kind)
    predictions = first.predict(sequences, members)
    assert np.array_equal(predictions, first.predict(sequences, swapped))
    assert np.array_equal(predictions, second.predict(sequences, members))


def test_classes_absent_from_train_get_zero():
    membership = np.zeros((60, 4), dtype=np.int64)
    membership[np.arange(60), np.arange(60) % 2 * 2] = 1  # classes 0 and 2 only
    fitted = fit_composition(random_sequences(), SINGLES, membership, kind="categorical")
    probabilities = fitted.predict(random_sequences(), SINGLES)
    assert probabilities.shape == (60, 4)
    assert not probabilities[:, [1, 3]].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_row_with_two_classes_enters_twice_with_half_weight():
    rng = np.random.default_rng(5)
    membership = np.eye(3, dtype=np.int64)[rng.integers(0, 3, 60)]
    membership[:10] = [1, 1, 0]
    features = counted_features(random_sequences())
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    rows = [(i, k, 1 / m.sum()) for i, m in enumerate(membership) for k in range(3) if m[k]]
    examples, classes, weights = (np.array(column) for column in zip(*rows, strict=True))
    reference = LogisticRegression(max_iter=2_000)
    reference.fit(features[examples], classes, sample_weight=weights)
    fitted = fit_composition(random_sequences(), SINGLES, membership, kind="categorical")
    np.testing.assert_allclose(
        fitted.predict(random_sequences(), SINGLES), reference.predict_proba(features), rtol=1e-3
    )


def test_sets_of_classes_equal_one_fit_per_class():
    rng = np.random.default_rng(5)
    sequences = random_sequences(40)
    members, truth = np.arange(40)[:, None], rng.integers(0, 2, (40, 2))
    truth = np.column_stack([truth, np.zeros(40, dtype=np.int64)])  # and one that train lacks
    both = fit_composition(sequences, members, truth, kind="multilabel").predict(sequences, members)
    for k in range(2):
        alone = fit_composition(sequences, members, truth[:, k], kind="binary")
        np.testing.assert_allclose(both[:, k], alone.predict(sequences, members), rtol=1e-12)
    assert not both[:, 2].any()


def test_values_equal_a_ridge_with_the_penalty_of_least_leave_one_out_error():
    sequences, rng = random_sequences(), np.random.default_rng(6)
    features = counted_features(sequences)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    values = features[:, 0] - features[:, 20] + rng.normal(size=60)
    fitted = fit_composition(sequences, SINGLES, values, kind="continuous")

    def left_out_error(penalty: float) -> float:
        kept = [np.delete(np.arange(60), i) for i in range(60)]
        models = [Ridge(penalty).fit(features[rows], values[rows]) for rows in kept]
        return sum((m.predict(features[[i]])[0] - values[i]) ** 2 for i, m in enumerate(models))

    best = min(np.logspace(-3, 5, 17), key=left_out_error)
    np.testing.assert_allclose(
        fitted.predict(sequences, SINGLES), Ridge(best).fit(features, values).predict(features)
    )


def test_constant_columns_stay_finite():
    variants = ["ACDEF", "ACDEG", "ACDEH", "ACDEI"]  # one length, most letters constant
    members, values = np.arange(4)[:, None], np.array([0.0, 1.0, 2.0, 3.0])
    fitted = fit_composition(variants, members, values, kind="continuous")
    assert np.isfinite(fitted.predict([*variants, "WWWWWWWW"], np.array([[4], [0]]))).all()


def test_one_class_in_train_is_predicted_for_all():
    labels = np.ones(60, dtype=np.int64)
    fitted = fit_composition(random_sequences(), SINGLES, labels, kind="binary")
    assert fitted.predict(["ACD"], np.array([[0]])).tolist() == [1.0]


def test_one_row_of_values_is_predicted_for_all():
    fitted = fit_composition(["ACD"], np.array([[0]]), np.array([2.5]), kind="continuous")
    assert fitted.predict(["WW", "ACD"], np.array([[0], [1]])).tolist() == [2.5, 2.5]


def test_an_empty_sequence_is_refused():
    with pytest.raises(InputError, match=r"protein 1 \(from 0\): an empty sequence"):
        fit_composition(["A", ""], np.array([[0], [1]]), np.array([0, 1]), kind="binary")


def test_a_baseline_of_single_proteins_refuses_pairs():
    fitted = fit_composition(["A", "C"], np.array([[0], [1]]), np.array([0, 1]), kind="binary")
    with pytest.raises(InputError, match="2 protein.s. per example; expected 1"):
        fitted.predict(["A", "C"], np.array([[0, 1]]))


def read_real_fasta(name: str) -> dict[str, str]:
    """Return id → sequence of a FASTA file of the data folder."""
    text = Path(os.environ["PEFTIDE_DATA"], name).read_text()
    records = (record.partition("\n") for record in text.split(">")[1:])
    return {head.split()[0]: body.replace("\n", "") for head, _, body in records}


def read_real_table(name: str) -> pd.DataFrame:
    """Return a table of the data folder."""
    return pd.read_csv(Path(os.environ["PEFTIDE_DATA"], name), sep="\t", keep_default_na=False)


def pair_average_precision(
    train: pd.DataFrame, test: pd.DataFrame, sequences: dict[str, str]
) -> float:
    """Return the test average precision of the baseline fitted on `train`."""
    position = {name: index for index, name in enumerate(sequences)}
    proteins = list(sequences.values())

    def members(table: pd.DataFrame) -> np.ndarray:
        columns = [table[c].map(position.get).to_numpy(np.int64) for c in ("id_a", "id_b")]
        return np.stack(columns, axis=1)

    fitted = fit_composition(proteins, members(train), train.label.to_numpy(), kind="binary")
    scores = fitted.predict(proteins, members(test))
    return float(average_precision_score(test.label, scores))


@needs_data
def test_gold_standard_pairs_reach_the_known_average_precision():
    sequences = read_real_fasta("ppi_gold/sequences.fasta")
    train, test = (read_real_table(f"ppi_gold/{part}.tsv") for part in ("train", "test"))
    assert (len(train), len(test)) == (163_192, 52_048)
    assert pair_average_precision(train, test, sequences) == pytest.approx(0.613, abs=0.002)


@needs_data
@pytest.mark.parametrize(("keep_self_pairs", "known"), [(True, 0.664), (False, 0.626)])
def test_yeast_pairs_reach_the_known_average_precision(keep_self_pairs: bool, known: float):
    table = read_real_table("ppi_yeast/du_0_to_1.tsv")
    table = table if keep_self_pairs else table.loc[table.id_a != table.id_b]
    train, test = (table.loc[table.split == part] for part in ("train", "test"))
    sequences = read_real_fasta("ppi_yeast/sequences.fasta")
    assert pair_average_precision(train, test, sequences) == pytest.approx(known, abs=0.002)


def fit_symmetry(table: pd.DataFrame, names: list[str]) -> tuple[Composition, np.ndarray]:
    """Return the baseline of the train part, and all memberships (B, K)."""
    membership = (table.label.to_numpy()[:, None] == np.array(names)).astype(np.int64)
    rows = np.flatnonzero(table.split == "train")
    fitted = fit_composition(
        table.sequence.tolist(),
        rows[:, None],
        membership[rows],
        kind="categorical",
    )
    return fitted, membership


@needs_data
def test_symmetry_reaches_the_known_macro_average_precision():
    table = read_real_table("symmetry/symmetry.tsv")
    names = table.label.value_counts().index[:8].tolist()
    table = table.loc[table.label.isin(names)]
    fitted, membership = fit_symmetry(table, names)
    rows = np.flatnonzero(table.split == "test")
    probabilities = fitted.predict(table.sequence.tolist(), rows[:, None])
    scores = categorical_metrics(membership[rows], probabilities, names)
    assert scores["macro_classes"] == 8
    assert scores["macro_average_precision"] == pytest.approx(0.209, abs=0.005)
