import dataclasses
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from peftide.baselines import BASELINES, NearestHomologue, fit_composition
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.evaluation import beside
from peftide.evaluation.beside import (
    Beside,
    check_baselines,
    fitted_beside,
    pairs_in_train,
    stored_beside,
    suitable,
)
from peftide.evaluation.rows import ScoredPart
from peftide.sequences import Dataset
from peftide.splitting.training_data import read_training_data
from peftide.tasks import TASKS, Labels, Targets
from peftide.tasks.reading import read_labels
from tests.conftest import small_config


def parts_of(config: TrainConfig) -> dict[str, ScoredPart]:
    task = TASKS[config.task]
    dataset = read_training_data(config, task.level)
    labels, targets = read_labels(dataset, task, max_length=config.max_length, class_map=None)
    return {name: ScoredPart(task, labels, dataset, name, targets[name]) for name in targets}


def answers_of(
    tmp_path: Path, task: str, **changes: object
) -> tuple[Dataset, dict[str, Targets], Beside]:
    parts = parts_of(small_config(tmp_path, task, "head", **changes))
    targets = {name: part.targets for name, part in parts.items()}
    return parts["train"].dataset, targets, fitted_beside(parts, suitable(TASKS[task]))


@pytest.mark.parametrize("task", TASKS)
def test_every_part_but_train_gets_one_answer_per_row(tmp_path: Path, task: str) -> None:
    _, targets, found = answers_of(tmp_path, task)
    variants = {"ends", "site_pairs", "nearest_homologue", "zero_shot"}
    of_sites = {"sites", "site_pairs", "neighbours"}
    left_out = variants if task.startswith("variants") else of_sites
    wanted = [name for name in suitable(TASKS[task]) if name not in left_out]
    assert list(found.answers) == wanted == list(found.fitted)
    assert ("residue_letter" in found.answers) == (TASKS[task].level == "residue")
    assert ("composition" in found.answers) == (TASKS[task].level != "residue")
    assert ("degree" in found.answers) == (TASKS[task].level == "pair")
    assert found.notes == []
    for name, answers in found.answers.items():
        assert answers.keys() == {"validation", "test"}
        for part, given in answers.items():
            assert len(given) == len(targets[part].values)
            if TASKS[task].outcome.kind == "categorical":
                assert given.shape == targets[part].values.shape
                np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5, err_msg=name)


def test_baselines_are_fitted_on_training_rows_that_count(tmp_path: Path) -> None:
    dataset, targets, found = answers_of(tmp_path, "ppi")
    train = dataset.parts["train"]
    alone = fit_composition(
        dataset.proteins.sequences, train.members, targets["train"].values[:, 0], kind="binary"
    )
    expected = alone.predict(dataset.proteins.sequences, dataset.parts["test"].members)
    np.testing.assert_allclose(found.answers["composition"]["test"], expected)


def test_other_sequences_than_variants_get_a_note_if_baselines_of_sites_are_named(
    tmp_path: Path,
) -> None:
    parts = parts_of(small_config(tmp_path, "regression", "head"))
    found = fitted_beside(parts, ["sites"], named=["sites"])
    assert found.answers == {}
    assert found.notes == [
        "no baseline sites: the training sequences are not variants of one sequence"
    ]


def test_variants_get_baselines_of_their_sites(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "head")
    wild, letters = "MKVLAAGIVGLCAWLDEHTR", "ACDE"
    variants = [
        f"{wild[:3]}{a}{wild[4:9]}{b}{wild[10:]}\t{letters.index(a) + letters.index(b)}\n"
        for a, b in product(letters, repeat=2)
    ]
    for path, rows in ((config.train, variants[:12]), (config.validation, variants[12:])):
        assert isinstance(path, Path)
        path.write_text("sequence\tlabel\n" + "".join(rows))
    found = fitted_beside(
        parts_of(dataclasses.replace(config, test=())), suitable(TASKS["regression"])
    )
    assert {"sites", "site_pairs", "neighbours"} <= found.answers.keys()
    assert found.notes == []


def test_cropped_residues_are_left_out_of_the_letters(tmp_path: Path) -> None:
    _, targets, found = answers_of(tmp_path, "residue", max_length=5)
    answers = found.answers["residue_letter"]["test"]
    assert len(answers) == len(targets["test"].values) == 8 * 5
    truth = targets["test"].values.argmax(axis=1)
    assert (answers.argmax(axis=1) == truth).mean() > 0.9


def test_one_that_cannot_be_had_is_left_out_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise InputError("no luck")

    monkeypatch.setattr(beside, "answers_of", fail)
    _, _, found = answers_of(tmp_path, "regression")
    assert found.answers == {}
    assert found.fitted == {}
    assert "no baseline composition: no luck" in found.notes


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("kmr",), "received 'kmr'. Did you mean kmer"),
        (("degree", "composition"), "received degree; this task can have: auto, none, composition"),
        (("auto", "kmer"), "received auto,kmer; auto and none stand alone"),
    ],
)
def test_a_choice_must_fit_the_task(option: tuple[str, ...], message: str) -> None:
    (problem,) = check_baselines(option, TASKS["regression"])
    assert message in problem


def test_the_similarity_to_train_comes_from_the_one_search(tmp_path: Path) -> None:
    dataset, _, found = answers_of(tmp_path, "regression")
    nearest = found.fitted["nearest_homologue"]
    assert isinstance(nearest, NearestHomologue)
    known = [nearest.sequences[0], "W" * 30]
    assert nearest.homologues(known).highest().tolist() == [1, 0]
    assert found.similarity is not None
    in_train = dataset.parts["train"].members
    assert np.isnan(found.similarity[in_train]).all()
    elsewhere = np.concatenate([dataset.parts[p].members for p in ("validation", "test")])
    assert np.isfinite(found.similarity[elsewhere]).all()


def test_a_folder_without_baselines_is_noted(tmp_path: Path) -> None:
    dataset, targets, _ = answers_of(tmp_path, "ppi")
    part = ScoredPart(TASKS["ppi"], Labels(), dataset, "test", targets["test"])
    found = stored_beside(tmp_path / "nowhere", {part.name: part}, option=("auto",))
    assert found.answers == {}
    assert "--baselines none" in found.notes[0]


def test_the_degrees_of_train_are_known_again(tmp_path: Path) -> None:
    dataset, _, found = answers_of(tmp_path, "ppi")
    pairs = pairs_in_train(found, dataset.proteins.sequences)
    assert pairs is not None
    train = dataset.parts["train"].members
    assert pairs.sum() == train.size
    assert pairs[train].min() == 2
    assert pairs_in_train(Beside(), dataset.proteins.sequences) is None


def test_every_baseline_suits_some_task() -> None:
    assert {name for task in TASKS.values() for name in suitable(task)} == set(BASELINES)
