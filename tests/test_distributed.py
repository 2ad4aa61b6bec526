"""Shares of work, and what a process says that is alone or starts wrongly."""

import numpy as np
import pytest
import torch

from peftide.distributed import (
    ALONE,
    FAILED,
    Processes,
    joined,
    process_count,
    process_rank,
    reports_failure,
)
from peftide.errors import InputError


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shares_hold_every_piece_once_and_cost_about_the_same(count: int) -> None:
    costs = np.random.default_rng(0).integers(1, 1000, 200)
    shares = [Processes(rank, count).share(costs) for rank in range(count)]
    np.testing.assert_array_equal(np.sort(np.concatenate(shares)), np.arange(200))
    sums = [costs[share].sum() for share in shares]
    assert max(sums) < 1.02 * min(sums)


def test_more_processes_than_pieces_leave_some_without() -> None:
    sizes = [len(Processes(rank, 4).share(np.ones(2, dtype=np.int64))) for rank in range(4)]
    assert sizes == [1, 1, 0, 0]


def test_one_process_exchanges_nothing() -> None:
    with joined() as processes:
        assert processes is ALONE
        assert processes.first(lambda: 5) == 5
        tensor = torch.ones(2)
        processes.sum(tensor)
        assert tensor.tolist() == [1, 1]
        assert processes.sum_gradients([], 0.5) == 0.5
        processes.require_same({"a": 1})
        processes.wait()
    assert reports_failure()


def test_without_torchrun_there_is_one_process() -> None:
    assert (process_rank(), process_count()) == (0, 1)


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of one process, as `torchrun` sets it up, that takes itself for one of two."""
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("group")
def test_a_missing_address_is_an_error() -> None:
    with (
        pytest.raises(InputError, match=r"2 processes \(WORLD_SIZE\) without MASTER_PORT; .*torch"),
        joined(),
    ):
        pass


@pytest.mark.usefixtures("group")
def test_the_first_process_that_fails_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    store = torch.distributed.HashStore()
    monkeypatch.setattr("peftide.distributed._store", store)
    assert reports_failure()
    assert reports_failure()
    monkeypatch.setenv("RANK", "0")
    assert not reports_failure()
    assert store.get(FAILED) == b"1"


@pytest.mark.usefixtures("group")
def test_without_a_store_the_first_process_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.distributed._store", None)
    assert not reports_failure()
    monkeypatch.setenv("RANK", "0")
    assert reports_failure()


def test_facts_that_differ_name_process_and_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(found: list[object], own: tuple[str, dict[str, str]]) -> None:
        found[:] = [own, ("node2", own[1] | {"version of torch": "1.0"})]

    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    match = r"process 1 \(on node2\) has version of torch 1\.0; expected 2\.0, as process 0 \(on "
    with pytest.raises(InputError, match=match):
        Processes(0, 2).require_same({"a": "b", "version of torch": "2.0"})
    Processes(0, 1).require_same({"version of torch": "2.0"})


def test_gradients_are_summed_in_one_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process has ones for the second parameter, and no gradient for the others."""
    first, second, third = (torch.nn.Parameter(torch.zeros(2, 2)) for _ in range(3))
    first.grad = torch.full((2, 2), 3.0)
    exchanges: list[int] = []

    def reduce(tensor: torch.Tensor) -> None:
        exchanges.append(tensor.numel())
        tensor[4:8] += 1.0
        tensor[13] += 1.0
        tensor[-1] += 0.25

    monkeypatch.setattr("torch.distributed.all_reduce", reduce)
    assert Processes(0, 2).sum_gradients([first, second, third], 0.5) == 0.75
    assert exchanges == [16]
    assert first.grad.tolist() == [[3, 3], [3, 3]]
    assert second.grad is not None
    assert second.grad.tolist() == [[1, 1], [1, 1]]
    assert third.grad is None
