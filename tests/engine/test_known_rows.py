"""No protein is encoded twice by the same model, in whatever list it stands."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from peftide.engine.embedding import embed
from tests.conftest import random_sequences
from tests.engine.test_embedding import (
    CountingEncoder,
    plan_of,
    rows_by_hand,
    rows_of,
    vector_by_hand,
)


def fill(store: Path, name: str, sequences: list[str], *, shared: str = "m", **more: Any) -> Any:
    """Embed into a folder of a store; return the rows and what was encoded."""
    encoder = CountingEncoder(per_residue=more.get("per_residue", False))
    plan = plan_of(sequences, key=name, shared=shared, **more)
    return embed(encoder, sequences, plan, store=store / name), encoder.seen


@pytest.mark.parametrize("per_residue", [False, True])
def test_rows_are_taken_from_other_folders_of_the_store(tmp_path: Path, per_residue: bool):
    sequences = random_sequences(9)
    fill(tmp_path, "a", [*sequences[:4], sequences[0]], per_residue=per_residue)
    fill(tmp_path, "b", sequences[3:6], per_residue=per_residue)
    wanted = [sequences[8], *sequences[5:8], sequences[0], sequences[8]]
    found, seen = fill(tmp_path, "c", wanted, per_residue=per_residue)
    assert sorted(seen) == sorted(sequences[6:])
    by_hand = rows_by_hand if per_residue else lambda sequence: [vector_by_hand(sequence)]
    assert [rows_of(found, k) for k in range(6)] == [by_hand(sequence) for sequence in wanted]
    assert not (tmp_path / "c" / "known.npy").exists()


def test_rows_of_another_model_are_not_taken(tmp_path: Path):
    fill(tmp_path, "a", ["MK", "WY"], shared="other")
    _, seen = fill(tmp_path, "b", ["MK", "WYA"])
    assert sorted(seen) == ["MK", "WYA"]


@pytest.mark.parametrize("name", ["rows.npy", "sequences.npy", "progress.json"])
def test_rows_of_a_damaged_folder_are_not_taken(tmp_path: Path, name: str):
    fill(tmp_path, "a", ["MK", "WY"])
    path = tmp_path / "a" / name
    path.write_bytes(path.read_bytes()[:-9] + b"012345678")
    found, seen = fill(tmp_path, "b", ["MK", "WYA"])
    assert sorted(seen) == ["MK", "WYA"]
    assert found.rows.tolist() == [vector_by_hand("MK"), vector_by_hand("WYA")]


def test_an_interrupted_embedding_that_took_rows_goes_on(tmp_path: Path):
    sequences = random_sequences(12)
    fill(tmp_path, "a", sequences[::2])
    plan = plan_of(sequences, max_tokens=1, key="b", shared="m")
    first = CountingEncoder(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        embed(first, sequences, plan, store=tmp_path / "b")
    shutil.rmtree(tmp_path / "a")  # what was taken does not have to be there any more
    second = CountingEncoder()
    found = embed(second, sequences, plan, store=tmp_path / "b")
    assert first.seen + second.seen == sorted(sequences[1::2], key=len)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
