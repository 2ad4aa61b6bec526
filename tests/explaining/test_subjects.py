import numpy as np
import pandas as pd
import pytest
import torch

from peftide.errors import InputError
from peftide.explaining.subjects import Target, chosen_rows
from peftide.tasks import TASKS, Labels
from tests.conftest import labelled_rows
from tests.explaining.conftest import Opened

THREE = Labels(("H", "E", "C"), (1.0, 1.0, 1.0))


def test_a_pair_gives_both_partners_or_the_chosen_one(opened: Opened) -> None:
    _, both = opened("ppi")
    first, second, _ = labelled_rows("ppi", "test", 2)[0]
    assert [one.ids["partner"] for one in both] == ["a", "b", "a", "b"]
    assert [(one.sequence, one.others) for one in both[:2]] == [
        (first, (second,)),
        (second, (first,)),
    ]
    _, only = opened("ppi", partner="b")
    assert [one.sequence for one in only] == [one.sequence for one in both[1::2]]


def test_the_most_probable_class_is_explained_unless_one_is_named(opened: Opened) -> None:
    predictor, subjects = opened("multiclass")
    answers = predictor.predict([one.sequence for one in subjects])
    names = predictor.answering.labels.class_names
    for one, label in zip(subjects, answers["prediction"], strict=True):
        assert names[one.target.classes[0]] == label
        assert one.target.name == f"log odds of {label}"
    _, named = opened("multiclass", target="nucleus")
    assert {one.target.name for one in named} == {"log odds of nucleus"}


def test_the_score_of_residues_is_a_mean_or_one_of_them() -> None:
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    target = Target(TASKS["residue"], THREE, np.array([0, 1]))
    first, second = 2 - np.log(2), 1 - np.log(2)  # log odds against two classes of logit 0
    np.testing.assert_allclose(target.scores(logits)[0], (first + second) / 2, rtol=1e-6)
    one = Target(TASKS["residue"], THREE, np.array([0, 1]), position=2)
    np.testing.assert_allclose(one.scores(logits), [second, 3 - np.log(2)], rtol=1e-6)
    assert one.name == "log odds of the predicted classes, residue 2"


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("multiclass", {"target": "nucleos"}, "Did you mean nucleus"),
        ("regression", {"target": "nucleus"}, "the answers of this run are no classes"),
        ("regression", {"position": 2}, "not about residues"),
        ("residue", {"position": 99}, "received 99, but .* residues that the model sees"),
    ],
)
def test_what_the_model_lacks_is_refused(
    opened: Opened, task: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        opened(task, **options)


def test_rows_are_chosen_by_the_ids_of_their_proteins(opened: Opened) -> None:
    predictor, _ = opened("ppi")
    known = {"p1": "MKVLAW", "p2": "MKVLAY", "p3": "MKVLAF"}
    table = pd.DataFrame({"id_a": ["p1", "p2", "p3"], "id_b": ["p2", "p3", "p1"]})
    dataset = predictor.read(table, known)

    def lines(*ids: str) -> list[int]:
        return chosen_rows(dataset, ids).parts["input"].lines.tolist()

    assert len(lines()) == 3
    assert lines("p2", "p3") == lines("p3", "p2") == [dataset.parts["input"].lines[1]]
    assert len(lines("p1")) == 2
    with pytest.raises(InputError, match=r"--ids: no row has the protein 'p9'\. Known: p1, p2, p3"):
        chosen_rows(dataset, ["p9"])
