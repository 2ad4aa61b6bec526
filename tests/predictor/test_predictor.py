from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch

import peftide
from peftide.bundle import load_bundle
from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.predictor import Predictor, load
from peftide.sequences import read_table
from peftide.tasks import TASKS
from tests.conftest import labelled_rows, random_sequences, write_proteins

Trained = Callable[[str, str], Path]
OPTIONS: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.fixture
def pairs(trained: Trained) -> Predictor:
    return load(trained("ppi", "lora"), **OPTIONS)


def sequence_pairs() -> list[tuple[str, str]]:
    return [(str(a), str(b)) for a, b, _ in labelled_rows("ppi", "test", 8)]


def written(run: Path) -> pd.DataFrame:
    table = pd.read_csv(run / "predictions.tsv", sep="\t", keep_default_na=False)
    return table.drop(columns=["split", "counted"])


def test_a_run_folder_or_its_model_folder_opens_from_text_or_path(trained: Trained) -> None:
    run = trained("ppi", "lora")
    found = [load_bundle(path) for path in (run, run / "model", str(run))]
    assert found[0].recipe == found[1].recipe == found[2].recipe
    assert isinstance(peftide.load(str(run)), Predictor)


def test_logits_are_those_of_the_whole_model(pairs: Predictor, trained: Trained) -> None:
    """Reference: `forward` on one packed batch of all proteins."""
    path = trained("ppi", "lora").parent / "test.tsv"
    dataset = pairs.read(path)
    model = pairs.encoder.model
    with torch.inference_mode():
        batch = model.backbone.pack(list(dataset.proteins.sequences), max_length=None)
        expected = model(batch, torch.from_numpy(dataset.parts["input"].members))
    np.testing.assert_allclose(pairs.logits(dataset), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_every_form_of_input_gives_the_predictions_of_training(
    trained: Trained, task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(task, "head")
    path = run.parent / "test.tsv"
    predictor = load(run, **OPTIONS)
    expected = written(run)
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    forms: list[Any] = [path, str(path), frame]
    table = read_table(path, TableOptions(), level=TASKS[task].level, needs_labels=False)
    assert table.sequences is not None
    bare = table.sequences.tolist()
    forms.append(
        [tuple(row) for row in bare] if TASKS[task].level == "pair" else [r[0] for r in bare]
    )
    numbers = [c for c in expected if expected[c].dtype == float and c != "label"]
    for form in forms:
        found = predictor.predict(form)
        assert len(found) == len(expected)
        for column in numbers:
            np.testing.assert_allclose(found[column], expected[column], rtol=2e-4, atol=1e-5)
    assert capsys.readouterr().out == ""


def test_ids_find_their_sequences_in_a_mapping_or_a_fasta_file(
    pairs: Predictor, tmp_path: Path
) -> None:
    rows = sequence_pairs()
    texts = [text for row in rows for text in row]
    names = {text: f"p{number}" for number, text in enumerate(dict.fromkeys(texts))}
    frame = pd.DataFrame([(names[a], names[b]) for a, b in rows], columns=["id_a", "id_b"])
    by_id = {name: text for text, name in names.items()}
    fasta = write_proteins(tmp_path / "p.fasta", list(names))
    expected = pairs.predict(rows)["score"]
    for sequences in (by_id, pd.Series(by_id), fasta, str(fasta)):
        found = pairs.predict(frame, sequences)
        np.testing.assert_allclose(found["score"], expected, rtol=1e-5)
    assert found["id_a"].tolist() == frame["id_a"].tolist()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("task", ["ppi", "binary", "residue"])
def test_a_row_has_the_same_bits_in_any_table(
    trained: Trained, precision: Literal["fp32", "bf16"], task: str
) -> None:
    """Each row alone, and in another order, from the encoding of its proteins to its score."""
    options: dict[str, Any] = OPTIONS | {"precision": precision}
    predictor = load(trained(task, "lora"), **options)
    sequences = random_sequences(12, lengths=(5, 120), seed=8)
    rows: list[Any] = [(a, b) for a, b in zip(sequences, sequences[5:], strict=False)]
    rows = rows if task == "ppi" else sequences
    whole = predictor.predict(rows).select_dtypes(float)
    again = [predictor.predict([row]).select_dtypes(float) for row in rows]
    np.testing.assert_array_equal(whole, pd.concat(again))
    if task != "residue":
        np.testing.assert_array_equal(whole[::-1], predictor.predict(rows[::-1])[whole.columns])


def test_answers_of_a_frame_keep_its_index_and_its_ids(pairs: Predictor) -> None:
    rows = sequence_pairs()
    numbers = {text: number for number, text in enumerate(dict.fromkeys(sum(rows, ())))}
    by_id = {str(number): text for text, number in numbers.items()}
    index = pd.Index([f"row {n}" for n in range(len(rows))], name="complex")
    frame = pd.DataFrame(
        [(numbers[a], numbers[b]) for a, b in rows], columns=["id_a", "id_b"], index=index
    )
    found = pairs.predict(frame, by_id)
    pd.testing.assert_frame_equal(found.loc[:, ["id_a", "id_b"]], frame)
    (block,) = pairs.predict_blocks([frame[3:5]], by_id)
    assert block.index.tolist() == ["row 3", "row 4"]
    assert block.index.name == "complex"
    without = {key: text for key, text in by_id.items() if key != "0"}
    kept = pairs.predict(frame, without, columns=TableOptions(missing="drop"))
    expected = frame.loc[(frame != 0).all(axis=1)]
    pd.testing.assert_frame_equal(kept.loc[:, ["id_a", "id_b"]], expected)


def test_answers_of_residues_and_of_a_series_keep_the_index(trained: Trained) -> None:
    predictor = load(trained("residue", "lora"), **OPTIONS)
    series = pd.Series(["MKV", "WWAD"], index=[30, 10])
    found = predictor.predict(series)
    assert found.index.tolist() == [30] * 3 + [10] * 4
    frame = pd.DataFrame({"id": [1.5, 2.5], "sequence": ["MK", "WWA"]}, index=list("ab"))
    found = predictor.predict(frame)
    assert found["id"].tolist() == [1.5] * 2 + [2.5] * 3
    assert found.index.tolist() == ["a"] * 2 + ["b"] * 3


@pytest.mark.parametrize("task", ["ppi", "symmetry", "residue"])
def test_blocks_give_the_same_answers(trained: Trained, task: str) -> None:
    run = trained(task, "lora")
    frame = pd.read_csv(run.parent / "test.tsv", sep="\t", dtype=str, keep_default_na=False)
    predictor = load(run, **OPTIONS)
    whole = predictor.predict(frame)
    blocks = list(predictor.predict_blocks(frame[start : start + 3] for start in range(0, 8, 3)))
    assert [len(block) for block in blocks][:1] != [len(whole)]
    joined = pd.concat(blocks, ignore_index=True)
    for column in whole:
        if whole[column].dtype == float:
            np.testing.assert_allclose(joined[column], whole[column], rtol=1e-4, atol=1e-6)


def test_blocks_encode_each_protein_once(pairs: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    embed = type(pairs.encoder).embed

    def counting(encoder: object, sequences: list[str], **options: object) -> object:
        encoded.extend(sequences)
        return embed(pairs.encoder, sequences, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(pairs.encoder), "embed", counting)
    rows = sequence_pairs()
    assert len(list(pairs.predict_blocks([rows[:4], rows, rows[4:]]))) == 3
    assert sorted(encoded) == sorted({text for row in rows for text in row})


def test_vectors_of_sequences_are_an_array(pairs: Predictor) -> None:
    vectors = pairs.embed(["MKV", "WWAD", "MKV"])
    assert vectors.shape == (3, pairs.encoder.model.backbone.width)
    assert (vectors[0] == vectors[2]).all()


def test_residues_are_counted_after_the_crop(trained: Trained) -> None:
    run = trained("residue", "head")
    predictor = load(run, **OPTIONS)
    dataset = predictor.read(run.parent / "test.tsv")
    lengths = [len(dataset.proteins.sequences[p]) for p in dataset.parts["input"].members[:, 0]]
    assert (
        len(predictor.logits(dataset))
        == sum(lengths)
        == len(predictor.predict(run.parent / "test.tsv"))
    )


def test_vectors_are_of_cleaned_sequences(pairs: Predictor) -> None:
    np.testing.assert_array_equal(pairs.embed(["mkv LLA*"]), pairs.embed(["MKVLLA"]))
    assert pairs.embed([]).shape == (0, pairs.encoder.model.backbone.width)


@pytest.mark.parametrize("wrong", [["MK1"], [""]])
def test_what_is_no_sequence_has_no_vector(pairs: Predictor, wrong: list[str]) -> None:
    with pytest.raises(InputError):
        pairs.embed(wrong)


def test_opening_a_model_draws_no_random_numbers(trained: Trained) -> None:
    path = trained("ppi", "lora")
    before = torch.random.get_rng_state()
    load(path, **OPTIONS)
    assert torch.equal(torch.random.get_rng_state(), before)
