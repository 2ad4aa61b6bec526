import threading

import numpy as np
import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.serving import service as module
from peftide.serving.requests import Source, read_one, read_rows
from peftide.serving.service import Service
from tests.conftest import labelled_rows, random_sequences
from tests.serving.conftest import Serviced

TEXTS = random_sequences(40, lengths=(8, 12))


def fasta(count: int) -> str:
    return "".join(f">p{k}\n{text}\n" for k, text in enumerate(TEXTS[:count]))


def all_rows(service: Service, count: int) -> pd.DataFrame:
    dataset = read_rows(service.predictor, Source(fasta(count)), Source(), config=service.config)
    return pd.concat([rows for _, rows in service.answer_all(dataset)], ignore_index=True)


def test_one_answer_is_that_of_predict(serviced: Serviced) -> None:
    service = serviced("ppi")
    first, second, _ = labelled_rows("ppi", "test", 2)[0]
    dataset = read_one(service.predictor, [str(first), str(second)], service.config)
    found = service.answer(dataset, error_rate=0.2)
    expected = service.predictor.predict([(str(first), str(second))], error_rate=0.2)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("task", ["regression", "residue"])
def test_many_rows_are_answered_in_pieces(serviced: Serviced, task: str) -> None:
    service = serviced(task)
    found = all_rows(service, 40)
    expected = service.predictor.predict(TEXTS)
    assert found["id"].drop_duplicates().tolist() == [f"p{k}" for k in range(40)]
    columns = expected.select_dtypes("number").columns
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-4, atol=1e-5)


def test_a_request_ends_when_its_time_is_over(serviced: Serviced) -> None:
    service = serviced("regression", most_seconds=1e-6)
    assert len(all_rows(service, 40)) == module.ROWS_PER_PIECE


def test_ten_people_at_once_get_their_own_answers(serviced: Serviced) -> None:
    service = serviced("regression")
    expected = service.predictor.predict(TEXTS[:10])["prediction"].to_numpy()
    found = np.zeros(10)

    def ask(place: int) -> None:
        dataset = read_one(service.predictor, [TEXTS[place]], service.config)
        for _ in range(3):
            found[place] = service.answer(dataset)["prediction"].iloc[0]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_explanation_grows_to_all_substitutions(
    serviced: Serviced, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serviced("ppi")
    monkeypatch.setattr(module, "RESIDUES_PER_PIECE", 19 * 8 * 3)
    dataset = read_one(service.predictor, ["MKVLAWGH", "MKVLAYGHKL"], service.config)
    found = list(service.explain(dataset, partner="a"))
    assert [round(one.share, 3) for one in found] == [0.375, 0.75, 1.0]
    last = found[-1].substitutions
    assert last["mutant"].is_unique
    assert len(last) == 19 * 8
    mutant = service.predictor.predict([("MKVLAWGA", "MKVLAYGHKL")])["score"][0]
    named = dict(zip(last["mutant"].tolist(), last["score"].tolist(), strict=True))
    assert named["H8A"] == pytest.approx(mutant, rel=1e-5)
    second = next(service.explain(dataset, partner="b"))
    assert second.subject.sequence == "MKVLAYGHKL"


def test_an_explanation_that_takes_too_long_is_stopped(
    serviced: Serviced, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serviced("regression", most_seconds=1e-6)
    monkeypatch.setattr(module, "RESIDUES_PER_PIECE", 100)
    dataset = read_one(service.predictor, ["MKVLAWGH"], service.config)
    with pytest.raises(InputError, match=r"stopped after .* of the substitutions"):
        list(service.explain(dataset))


def test_a_class_with_too_few_validation_rows_is_in_every_set(serviced: Serviced) -> None:
    service = serviced("multiclass")
    conformal = service.predictor.answering.decisions.conformal
    assert conformal is not None
    names = service.predictor.answering.labels.class_names
    # rank ⌈(n + 1) · 0.9⌉ is above n for every n below 9
    few = {name: n for name, n in zip(names, conformal.counts, strict=True) if n < 9}
    assert few
    assert service.always_in_sets(0.1) == few
    assert service.always_in_sets(0.999) == {name: n for name, n in few.items() if n < 1}
    assert serviced("regression").always_in_sets(0.1) == {}
