"""Each distinct protein is encoded once, in any order of batches, and never again."""

import contextlib
import fcntl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.engine import embedding
from peftide.engine.embedding import Embeddings, Encoder, embed, is_stored
from peftide.engine.store import EmbeddingPlan
from peftide.hardware import Hardware
from peftide.packing import PackedBatch, pack
from tests.conftest import AMINO_ACIDS, random_sequences

WIDTH = 3


class KilledError(Exception):
    """The process ends with nothing done after it, as when it is killed."""


class CountingEncoder:
    """Encodes a residue as (its number, its place, 1), and remembers what it was given."""

    hardware = Hardware(torch.device("cpu"), "fp32", 40)

    def __init__(
        self,
        *,
        per_residue: bool = False,
        fails_at: int | None = None,
        error: type[BaseException] = KeyboardInterrupt,
    ) -> None:
        self.per_residue, self.fails_at, self.error = per_residue, fails_at, error
        self.batches: list[list[str]] = []
        self.lock = threading.Lock()

    @property
    def seen(self) -> list[str]:
        return [sequence for batch in self.batches for sequence in batch]

    def pack(self, sequences: Sequence[str]) -> PackedBatch:
        with self.lock:
            if len(self.batches) == self.fails_at:
                raise self.error
            self.batches.append(list(sequences))
        ids = [np.array([AMINO_ACIDS.index(letter) for letter in text]) for text in sequences]
        return pack(ids, first_position=0, prefix=0, suffix=0)

    def encode(self, batch: PackedBatch) -> torch.Tensor:
        columns = [batch.input_ids, batch.position_ids, torch.ones_like(batch.input_ids)]
        residues = torch.stack(columns, dim=1).float()
        if self.per_residue:
            return residues
        return torch.stack([part.sum(dim=0) for part in residues.split(batch.lengths)])

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def plan_of(
    sequences: list[str],
    *,
    max_tokens: int = 40,
    per_residue: bool = False,
    key: str = "k",
    shared: str = "",
) -> EmbeddingPlan:
    lengths = np.array([len(sequence) for sequence in sequences])
    rows = lengths if per_residue else np.ones_like(lengths)
    return EmbeddingPlan(
        *(WIDTH, max_tokens),
        tokens=lengths,
        rows=rows,
        row_type=torch.float32,
        key=key,
        shared=shared,
    )


def rows_by_hand(sequence: str) -> list[list[int]]:
    return [[AMINO_ACIDS.index(letter), place, 1] for place, letter in enumerate(sequence)]


def vector_by_hand(sequence: str) -> list[int]:
    return np.array(rows_by_hand(sequence)).sum(axis=0).tolist()


def rows_of(found: Embeddings, protein: int) -> list[list[float]]:
    return found.rows[found.offsets[protein] : found.offsets[protein + 1]].tolist()


def test_the_fake_is_an_encoder():
    assert isinstance(CountingEncoder(), Encoder)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("max_tokens", [1, 17, 40, 10_000])
def test_rows_are_in_the_order_of_the_sequences(tmp_path: Path, max_tokens: int, stored: bool):
    sequences = random_sequences(30)
    store = tmp_path / "store" if stored else None
    plan = plan_of(sequences, max_tokens=max_tokens)
    found = embed(CountingEncoder(), sequences, plan, store=store)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
    assert found.offsets.tolist() == list(range(31))


def test_an_interrupted_call_of_several_threads_goes_on(tmp_path: Path):
    """Rows that were finished in order stay, although other threads were further."""
    sequences, before = random_sequences(60), torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        plan = plan_of(sequences, max_tokens=1)
        with pytest.raises(KeyboardInterrupt):
            embed(CountingEncoder(fails_at=55), sequences, plan, store=tmp_path)
        again = CountingEncoder()
        found = embed(again, sequences, plan, store=tmp_path)
    finally:
        torch.set_num_threads(before)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
    assert 5 <= len(again.batches) <= 8  # 55 were begun, three at a time


def test_sequences_above_the_budget_come_last_and_alone():
    """One after the other, so that all threads share the work on each."""
    sequences, before = (
        [*random_sequences(40), "ACDEFGHIKL" * 9, "MKV" * 40],
        torch.get_num_threads(),
    )
    callers: dict[int, int] = {}
    encoder = CountingEncoder()
    encode = encoder.encode

    def noting(batch: PackedBatch) -> torch.Tensor:
        callers[batch.lengths[-1]] = threading.get_ident()
        return encode(batch)

    encoder.encode = noting
    torch.set_num_threads(2)
    try:
        found = embed(encoder, sequences, plan_of(sequences, max_tokens=80))
    finally:
        torch.set_num_threads(before)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
    assert callers[90] == callers[120] == threading.get_ident()
    assert len(set(callers.values())) > 1


def test_a_failing_consumer_ends_the_threads(monkeypatch: pytest.MonkeyPatch):
    sequences, before = random_sequences(60), torch.get_num_threads()
    monkeypatch.setattr(embedding, "_scatter", lambda *_, **__: 1 / 0)
    torch.set_num_threads(3)
    try:
        with pytest.raises(ZeroDivisionError) as kept:
            embed(CountingEncoder(), sequences, plan_of(sequences, max_tokens=1))
        assert torch.get_num_threads() == 3
        assert not [one for one in threading.enumerate() if one.name.startswith("batches")]
    finally:
        torch.set_num_threads(before)
    assert kept.value is not None  # as a notebook keeps the last error, with its frames


def test_equal_sequences_are_encoded_once():
    distinct = random_sequences(10)
    sequences = [*distinct, *distinct[::-1], distinct[0]]
    encoder = CountingEncoder()
    found = embed(encoder, sequences, plan_of(sequences))
    assert sorted(encoder.seen) == sorted(distinct)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]


def test_a_budget_of_one_token_gives_each_sequence_a_batch():
    sequences = random_sequences(5)
    encoder = CountingEncoder()
    embed(encoder, sequences, plan_of(sequences, max_tokens=1))
    assert sorted(map(len, encoder.batches)) == [1] * 5


def test_residue_rows_lie_between_the_offsets_of_their_protein():
    sequences = ["MKVLLA", "M", "WYW", "MKVLLA"]
    encoder = CountingEncoder(per_residue=True)
    found = embed(encoder, sequences, plan_of(sequences, per_residue=True, max_tokens=5))
    assert found.offsets.tolist() == [0, 6, 7, 10, 16]
    for protein, sequence in enumerate(sequences):
        assert rows_of(found, protein) == rows_by_hand(sequence)
    assert sorted(encoder.seen) == ["M", "MKVLLA", "WYW"]


def stopped(
    store: Path, sequences: list[str], *, after: int, error: type[BaseException] = KeyboardInterrupt
) -> CountingEncoder:
    """Embed one sequence per batch until the encoder is stopped."""
    encoder = CountingEncoder(fails_at=after, error=error)
    with pytest.raises(error):
        embed(encoder, sequences, plan_of(sequences, max_tokens=1), store=store)
    return encoder


@pytest.mark.parametrize(("error", "kept"), [(KeyboardInterrupt, 6), (KilledError, 4)])
def test_a_stopped_embedding_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], kept: int
):
    """After an interrupt nothing is lost; after a kill, what came after the last save."""
    monkeypatch.setattr(embedding, "BATCHES_BETWEEN_SAVES", 4)
    sequences = random_sequences(12)
    first = stopped(tmp_path, sequences, after=6, error=error)
    second = CountingEncoder()
    found = embed(second, sequences, plan_of(sequences, max_tokens=1), store=tmp_path)
    assert first.seen[:kept] + second.seen == sorted(sequences, key=len)
    whole = embed(CountingEncoder(), sequences, plan_of(sequences, max_tokens=1))
    assert torch.equal(found.rows, whole.rows)


def test_a_stopped_embedding_goes_on_under_another_budget(tmp_path: Path):
    sequences = [*random_sequences(12), "MKVLLA", "MKVLLA"]
    first = stopped(tmp_path, sequences, after=6)
    plan = plan_of(sequences, max_tokens=40)
    assert not is_stored(sequences, plan, store=tmp_path)
    second = CountingEncoder()
    found = embed(second, sequences, plan, store=tmp_path)
    assert len(second.batches) < len(second.seen)
    assert sorted(first.seen + second.seen) == sorted(set(sequences))
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
    assert is_stored(sequences, plan, store=tmp_path)


def test_repeats_are_filled_in_after_an_interruption(tmp_path: Path):
    sequences = ["MK", "MKV", "MK", "MKVL", "MKVL"]
    stopped(tmp_path, sequences, after=2)
    found = embed(CountingEncoder(), sequences, plan_of(sequences, max_tokens=1), store=tmp_path)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]


def test_a_finished_store_is_only_read(tmp_path: Path):
    sequences = random_sequences(8)
    first = embed(CountingEncoder(), sequences, plan_of(sequences), store=tmp_path)
    again = CountingEncoder()
    second = embed(again, sequences, plan_of(sequences), store=tmp_path)
    assert again.seen == []
    assert torch.equal(first.rows, second.rows)


def test_a_finished_store_that_was_changed_is_filled_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    sequences = ["MK", "MKV", "MK"]
    embed(CountingEncoder(), sequences, plan_of(sequences), store=tmp_path)
    np.load(tmp_path / "rows.npy", mmap_mode="r+")[2] = 0  # a repeat, too
    found = embed(CountingEncoder(), sequences, plan_of(sequences), store=tmp_path)
    assert "has changed since it was written" in caplog.text
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]


def test_a_store_with_another_key_is_computed_afresh(tmp_path: Path):
    embed(CountingEncoder(), ["MK", "WY"], plan_of(["MK", "WY"]), store=tmp_path)
    sequences = ["ACD", "MK", "LL"]
    encoder = CountingEncoder()
    found = embed(encoder, sequences, plan_of(sequences, key="other"), store=tmp_path)
    assert sorted(encoder.seen) == sorted(sequences)
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]


def test_stored_rows_are_mapped_from_the_disk(tmp_path: Path):
    sequences = random_sequences(8)
    found = embed(CountingEncoder(), sequences, plan_of(sequences), store=tmp_path)
    assert np.array_equal(np.load(tmp_path / "rows.npy"), found.rows.numpy())


def test_no_gradient_is_recorded():
    class Recorder(CountingEncoder):
        def encode(self, batch: PackedBatch) -> torch.Tensor:
            assert torch.is_inference_mode_enabled()
            return super().encode(batch)

    embed(Recorder(), ["MK"], plan_of(["MK"]))


def test_a_second_run_waits_until_the_first_has_filled_a_store(tmp_path: Path):
    sequences = ["MK", "WYW"]
    second = CountingEncoder()
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(embed, second, sequences, plan_of(sequences), store=tmp_path)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            assert second.seen == []
            fcntl.flock(held, fcntl.LOCK_UN)
            found = waiting.result(timeout=10)
    assert [rows_of(found, place)[0] for place in range(2)] == [
        vector_by_hand(sequence) for sequence in sequences
    ]


class SmallGpu(CountingEncoder):
    """Has room for some tokens at a time only."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def encode(self, batch: PackedBatch) -> torch.Tensor:
        if len(batch.input_ids) > self.room:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return super().encode(batch)


def test_a_batch_that_a_gpu_cannot_hold_is_encoded_in_parts(caplog: pytest.LogCaptureFixture):
    sequences = random_sequences(40)  # of 8 to 29 residues
    encoder = SmallGpu(room=60)
    found = embed(encoder, sequences, plan_of(sequences, max_tokens=100))
    assert found.rows.tolist() == [vector_by_hand(sequence) for sequence in sequences]
    assert len(caplog.records) == 1, "said once: later batches are small from the start"
    assert "tokens: further batches have at most 4" in caplog.text


def test_a_sequence_that_a_gpu_cannot_hold_is_an_error():
    with pytest.raises(torch.cuda.OutOfMemoryError):
        embed(SmallGpu(room=5), ["MKVLLA", "MKV"], plan_of(["MKVLLA", "MKV"], max_tokens=100))
