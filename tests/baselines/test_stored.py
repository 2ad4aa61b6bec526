import json
from pathlib import Path

import numpy as np
import pytest

from peftide.baselines import BASELINES, FittedOnProteins
from peftide.baselines.stored import INDEX, Stored, load_baselines, save_baselines
from peftide.errors import InputError
from tests.conftest import random_sequences

SEQUENCES = random_sequences(12, lengths=(40, 60))
PAIRS = np.random.default_rng(0).integers(0, 12, (40, 2))
NAMES = ("composition", "degree", "positive_degree")


def save(folder: Path) -> Stored:
    labels = np.random.default_rng(1).integers(0, 2, 40)
    fitted = {name: BASELINES[name].fit(SEQUENCES, PAIRS, labels, kind="binary") for name in NAMES}
    stored = Stored(
        fitted, {"composition": 0.4, "degree": None}, kind="binary", proteins_per_example=2
    )
    save_baselines(stored, folder)
    return stored


def test_what_is_read_back_answers_alike(tmp_path: Path) -> None:
    stored, found = save(tmp_path / "b"), load_baselines(tmp_path / "b", BASELINES)
    assert found is not None
    assert found.thresholds == {"composition": 0.4, "degree": None, "positive_degree": None}
    for name, fitted in found.fitted.items():
        before = stored.fitted[name]
        assert isinstance(fitted, FittedOnProteins)
        assert isinstance(before, FittedOnProteins)
        np.testing.assert_array_equal(
            fitted.predict(SEQUENCES, PAIRS), before.predict(SEQUENCES, PAIRS)
        )


def test_a_folder_without_baselines_has_none(tmp_path: Path) -> None:
    assert load_baselines(tmp_path, BASELINES) is None


def test_a_file_that_was_taken_out_is_one_baseline_less(tmp_path: Path) -> None:
    save(tmp_path / "b")
    (tmp_path / "b" / "degree.safetensors").unlink()
    found = load_baselines(tmp_path / "b", BASELINES)
    assert found is not None
    assert list(found.fitted) == ["composition", "positive_degree"]


def test_a_broken_file_is_said_with_what_to_do(tmp_path: Path) -> None:
    save(tmp_path / "b")
    (tmp_path / "b" / "degree.safetensors").write_bytes(b"cut off")
    with pytest.raises(InputError, match="cannot be read .* Take the folder away"):
        load_baselines(tmp_path / "b", BASELINES)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "b")
    index = json.loads((tmp_path / "b" / INDEX).read_text())
    (tmp_path / "b" / INDEX).write_text(json.dumps(index | {"format_version": 99}))
    with pytest.raises(InputError, match="baselines of format 99; expected up to 1"):
        load_baselines(tmp_path / "b", BASELINES)
