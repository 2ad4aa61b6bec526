"""The settings of a process that belongs to peftide; nobody else's is touched."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from peftide.process import (
    SETTINGS,
    SIGNALS,
    interruptible,
    is_prepared,
    keep_freed_memory,
    prepare_process,
    return_large_blocks,
    reuse_freed_memory,
    undisturbed,
)


def test_a_prepared_process_has_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.process._prepared", False)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    assert not is_prepared()
    prepare_process()
    assert is_prepared()
    assert {name: os.environ[name] for name in SETTINGS} == SETTINGS


def test_the_user_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.process._prepared", False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_it_comes_before_torch() -> None:
    """Libraries read the settings when they load."""
    code = "import sys, peftide.process; print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("change", "thresholds"),
    [(reuse_freed_memory, {-1: 2**28, -3: 2**25}), (return_large_blocks, {-1: 2**17, -3: 2**22})],
)
def test_only_a_prepared_process_changes_how_memory_is_freed(
    change: Callable[[], None], thresholds: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[int, int] = {}
    library = SimpleNamespace(mallopt=said.__setitem__)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    monkeypatch.setattr("peftide.process._prepared", False)
    change()
    assert not said
    monkeypatch.setattr("peftide.process._prepared", True)
    change()
    assert said == thresholds


def test_freed_memory_is_kept_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are glibc's, of malloc.h."""
    said: dict[int, int] = {}
    library = SimpleNamespace(mallopt=said.__setitem__)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    keep_freed_memory()
    assert said == {-1: 2**31 - 1, -2: 2**28, -4: 0}


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    keep_freed_memory()


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Handlers as a command finds them in a terminal; afterwards as they were."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_interrupts_and_a_second_one_ends(number: signal.Signals) -> None:
    def work() -> None:
        try:
            signal.raise_signal(number)
        finally:
            inside.extend(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM)))

    inside: list[object] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        work()
    assert inside == [signal.SIG_DFL, signal.SIG_DFL]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("default_signals")
def test_ignored_signals_stay_ignored() -> None:
    with interruptible(), undisturbed():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.usefixtures("default_signals")
def test_a_signal_waits_for_the_end_of_what_must_not_be_divided() -> None:
    def work() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)
            done.append("whole")
        done.append("never")

    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        work()
    assert done == ["whole"]


@pytest.mark.usefixtures("default_signals")
def test_other_threads_have_no_signals() -> None:
    def work() -> None:
        with interruptible(), undisturbed():
            done.append(signal.getsignal(signal.SIGTERM))

    done: list[object] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.SIG_DFL]
