"""Work is shared among threads; none is used where one share is enough."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from peftide.native import running
from peftide.native.running import has_units, in_threads


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_share_is_worked_on_once(count: int) -> None:
    shares = [(10 * i, 10 * i + 10) for i in range(count)]
    assert in_threads(lambda share: share[0] + share[1], shares) == [sum(one) for one in shares]


def test_the_first_share_is_the_callers() -> None:
    seen: dict[int, int] = {}

    def work(share: tuple[int, int]) -> int:
        seen[share[0]] = threading.get_ident()
        return 0

    in_threads(work, [(0, 1)])
    in_threads(work, [(1, 2), (2, 3)])
    mine = threading.get_ident()
    assert [seen[i] == mine for i in range(3)] == [True, True, False]


def test_an_error_in_a_thread_is_the_callers() -> None:
    def work(share: tuple[int, int]) -> int:
        return 1 // share[0]

    with pytest.raises(ZeroDivisionError):
        in_threads(work, [(1, 2), (0, 1)])


def test_units_are_those_that_torch_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"avx512_f": True, "amx_tile": False}
    monkeypatch.setattr(running.torch.cpu, "get_capabilities", lambda: there)
    assert has_units(["avx512_f"])
    assert not has_units(["avx512_f", "amx_tile"])
    assert not has_units(["amx_bf16"])
    assert not has_units()


def test_callers_in_several_threads_do_not_wait_for_each_other() -> None:
    """Each has its own thread beside it: sixteen shares of a fifth of a second take one fifth."""
    started = time.monotonic()
    with ThreadPoolExecutor(8) as callers:
        jobs = [callers.submit(in_threads, pause, [(0, 1), (1, 2)]) for _ in range(8)]
        assert [job.result() for job in jobs] == [[0, 0]] * 8
    assert time.monotonic() - started < 1.0


def pause(_share: tuple[int, int]) -> int:
    time.sleep(0.2)
    return 0


@pytest.mark.parametrize("works", [True, False])
def test_an_old_compiler_still_builds_for_fp32_units(
    works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def build(_sources: list[str], *, has_bf16: bool) -> object | None:
        asked.append(has_bf16)
        return None if has_bf16 or not works else object()

    monkeypatch.setattr(running, "build", build)
    monkeypatch.setattr(running, "has_units", lambda *_units: True)
    assert len(list(running.libraries(["any.c"]))) == works
    assert asked == [True, False]


@pytest.mark.parametrize("tried", [[], ["wrong"], ["wrong", "right"]])
def test_the_first_right_one_is_taken(tried: list[str], caplog: pytest.LogCaptureFixture) -> None:
    found = running.first_right(tried, "right".__eq__, warning="wrong numbers")
    assert found == ("right" if "right" in tried else None)
    assert ("wrong numbers" in caplog.text) == (tried == ["wrong"])
