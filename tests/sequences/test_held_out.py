"""Validation rows taken from train."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.dataset import read_dataset
from peftide.sequences.held_out import hold_out_validation
from peftide.sequences.records import Dataset, Examples, Proteins
from peftide.sequences.repeats import distinct_examples, distinct_sequences
from peftide.sequences.tables import read_table

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
needs_data = pytest.mark.skipif("PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA is not set")


def make_dataset(members: list[list[int]], n_proteins: int, counted: list[bool] | None = None):
    # every second id has the sequence of the one before it
    proteins = Proteins(
        tuple(f"P{index}" for index in range(n_proteins)),
        tuple("M" * (index // 2 + 1) for index in range(n_proteins)),
    )
    counts = np.array(counted or [True] * len(members))
    lines = np.arange(2, 2 + len(members))
    train = Examples(Path("train.tsv"), lines, np.array(members), counts)
    test = Examples(Path("test.tsv"), lines[:1], train.members[:1], counts[:1])
    return Dataset(proteins, {"train": train, "test": test}, ())


@pytest.fixture
def pairs():
    generator = np.random.default_rng(0)
    return make_dataset(generator.integers(0, 80, size=(2_000, 2)).tolist(), 80)


def sequences_of(dataset: Dataset, part: str) -> set[str]:
    members = np.unique(dataset.parts[part].members)
    return {dataset.proteins.sequences[member] for member in members}


def asked_in(dataset: Dataset, part: str):
    numbers = distinct_sequences(dataset.proteins)
    members = np.concatenate([rows.members for rows in dataset.parts.values()])
    asked = distinct_examples(members, numbers)
    start = 0
    for name, rows in dataset.parts.items():
        if name == part:
            return set(asked[start : start + len(rows)].tolist())
        start += len(rows)
    raise AssertionError(part)


def test_random_takes_the_share_and_keeps_repeats_together(pairs: Dataset):
    held = hold_out_validation(pairs, fraction=0.1, kind="random", seed=1)
    assert list(held.parts) == ["train", "validation", "test"]
    assert len(held.parts["train"]) + len(held.parts["validation"]) == 2_000
    # 2,000 rows ask about at most 820 pairs, so the last group may go over by a few rows
    assert 200 <= len(held.parts["validation"]) < 210
    assert not asked_in(held, "train") & asked_in(held, "validation")
    assert (np.diff(held.parts["validation"].lines) > 0).all()
    (finding,) = held.findings
    assert (finding.part, finding.kind) == ("validation", "held_out_validation")
    assert finding.count == len(held.parts["validation"])
    assert "random, fraction 0.1, seed 1" in finding.decision


def test_random_keeps_one_sequence_on_one_side():
    held = hold_out_validation(
        make_dataset([[index] for index in range(40)], 40), fraction=0.3, kind="random", seed=0
    )
    assert len(held.parts["validation"]) == 12
    assert not sequences_of(held, "train") & sequences_of(held, "validation")


def test_share_is_of_the_rows_that_count():
    counted = [True] * 10 + [False] * 30
    data = make_dataset([[2 * index] for index in range(40)], 80, counted)
    held = hold_out_validation(data, fraction=0.2, kind="random", seed=3)
    assert held.parts["validation"].counted.sum() == 2


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3, 0.5])
def test_none_seen_shares_no_protein_and_meets_the_share(pairs: Dataset, fraction: float):
    held = hold_out_validation(pairs, fraction=fraction, kind="none_seen", seed=2)
    assert not sequences_of(held, "train") & sequences_of(held, "validation")
    train, validation = len(held.parts["train"]), len(held.parts["validation"])
    assert validation / (train + validation) == pytest.approx(fraction, abs=0.03)
    counts = {finding.kind: finding.count for finding in held.findings}
    assert counts == {
        "held_out_validation": validation,
        "mixed_pairs_dropped": 2_000 - train - validation,
    }


@pytest.mark.parametrize("kind", ["random", "none_seen"])
def test_same_seed_same_rows(pairs: Dataset, kind: Literal["random", "none_seen"]):
    def lines(seed: int):
        held = hold_out_validation(pairs, fraction=0.1, kind=kind, seed=seed)
        return held.parts["validation"].lines.tolist()

    assert lines(5) == lines(5)
    assert lines(5) != lines(6)


def test_none_seen_is_for_pairs():
    data = make_dataset([[0], [2]], 4)
    with pytest.raises(InputError, match="none_seen is for pairs.*--validation-kind random"):
        hold_out_validation(data, fraction=0.1, kind="none_seen", seed=0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 10.0])
def test_fraction(pairs: Dataset, fraction: float):
    with pytest.raises(InputError, match="--validation-fraction: .*a share between 0 and 1"):
        hold_out_validation(pairs, fraction=fraction, kind="random", seed=0)


def test_there_is_one_already(pairs: Dataset):
    held = hold_out_validation(pairs, fraction=0.1, kind="random", seed=0)
    with pytest.raises(InputError, match="there is a validation part already"):
        hold_out_validation(held, fraction=0.1, kind="random", seed=0)


@pytest.mark.parametrize(
    ("members", "kind"),
    [([[0, 2]], "random"), ([[0, 2], [2, 0]], "random"), ([[0, 2], [2, 4]], "none_seen")],
)
def test_too_few(members: list[list[int]], kind: Literal["random", "none_seen"]):
    with pytest.raises(InputError, match=r"train\.tsv: .*too few to hold out.*--validation"):
        hold_out_validation(make_dataset(members, 6), fraction=0.5, kind=kind, seed=0)


def test_rows_that_do_not_count_are_no_validation():
    data = make_dataset([[0, 2], [4, 6]], 8, counted=[True, False])
    with pytest.raises(InputError, match="1 rows that count"):
        hold_out_validation(data, fraction=0.5, kind="none_seen", seed=0)


@needs_data
def test_yeast_none_seen():
    folder = DATA / "ppi_yeast"
    options = TableOptions(sequences=folder / "sequences.fasta")
    table = read_table(folder / "du_0_to_1.tsv", options, level="pair", needs_labels=True)
    train = table.select(table.splits == "train")
    data = read_dataset({"train": train}, options, level="pair")
    held = hold_out_validation(data, fraction=0.1, kind="none_seen", seed=0)
    counts = {part: int(rows.counted.sum()) for part, rows in held.parts.items()}
    assert counts["validation"] / sum(counts.values()) == pytest.approx(0.1, abs=0.005)
    assert not sequences_of(held, "train") & sequences_of(held, "validation")
