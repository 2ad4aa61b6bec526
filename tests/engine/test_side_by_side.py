"""Results come in order, whoever is first; threads of torch are as before, whatever happens."""

import signal
import threading
import time
from collections.abc import Iterator

import pytest
import torch

from peftide.engine.side_by_side import FEWEST_BATCHES, MOST_AT_A_TIME, side_by_side


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


class Work:
    """Squares numbers, the first ones slowest, and remembers who did it with how many threads."""

    def __init__(self) -> None:
        self.workers: set[int] = set()
        self.shared_by: set[int] = set()
        self.inside, self.most, self.begun = 0, 0, 0
        self.lock = threading.Lock()

    def __call__(self, number: int) -> int:
        with self.lock:
            self.inside, self.begun = self.inside + 1, self.begun + 1
            self.most = max(self.most, self.inside)
            self.workers.add(threading.get_ident())
            self.shared_by.add(torch.get_num_threads())
        try:
            time.sleep(0.02 if number < 3 else 0.001)
        finally:
            with self.lock:
                self.inside -= 1
        return number**2


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_results_are_in_the_order_of_the_items(count: int, threads: int) -> None:
    found = list(side_by_side(Work(), range(count), threads=threads))
    assert found == [number**2 for number in range(count)]


@pytest.mark.parametrize(
    ("threads", "at_a_time", "shares"),
    [(2, 2, {1}), (3, 3, {1}), (2 * MOST_AT_A_TIME + 3, MOST_AT_A_TIME, {2, 3})],
)
def test_the_threads_are_divided(threads: int, at_a_time: int, shares: set[int]) -> None:
    work = Work()
    list(side_by_side(work, range(10 * at_a_time), threads=threads))
    assert work.most == len(work.workers) == at_a_time
    assert work.shared_by == shares
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("count", [1, 3 * FEWEST_BATCHES - 1])
def test_few_items_are_shared_by_all_threads(count: int) -> None:
    work = Work()
    list(side_by_side(work, range(count), threads=3))
    assert work.workers == {threading.get_ident()}
    assert work.shared_by == {3}


def test_an_error_is_the_callers_and_ends_the_work() -> None:
    started = []

    def work(number: int) -> int:
        started.append(number)
        if number == 5:
            raise KeyboardInterrupt
        time.sleep(0.001)
        return number

    found = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(side_by_side(work, range(1_000), threads=2))
    assert len(started) <= 5 + 2 + 1 + 2  # before it, ahead, and those that began meanwhile
    assert torch.get_num_threads() == 3


def test_a_caller_that_stops_early_ends_the_work() -> None:
    work = Work()
    results = side_by_side(work, range(1_000), threads=2)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert work.inside == 0
    assert work.begun <= 2 + 2 + 1
    assert torch.get_num_threads() == 3


def test_ctrl_c_stops_running_work() -> None:
    """Work of a minute, in many steps, ends at once; the workers get the interruption too."""
    reached = threading.Barrier(3)

    def work(_number: int) -> None:
        reached.wait(10)
        for _ in range(6_000):
            time.sleep(0.01)

    def interrupt() -> None:
        reached.wait(10)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    # a process in the background ignores the signal
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    pressing.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(side_by_side(work, range(40), threads=2))
    finally:
        signal.signal(signal.SIGINT, before)
    pressing.join()
    assert time.monotonic() - started < 5
    assert torch.get_num_threads() == 3
