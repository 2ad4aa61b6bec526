"""Settings of a whole process, which only the command line makes; and interruptions.

A library call leaves the settings alone, so it may be slower and take more memory: waiting threads
spin, oneDNN and torch keep the kernels of a thousand shapes, pretraining takes fresh memory in
every step, and only the calling thread treats denormal numbers as zero. Results agree down to these
numbers.
"""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SETTINGS = {
    # waiting threads sleep: on a shared machine spinning threads slow everybody down
    "OMP_WAIT_POLICY": "PASSIVE",
    # packed batches rarely repeat a shape, so oneDNN's default of 1,024 kept kernels wastes memory
    # and fragments it; the layers of one batch share a few kernels
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
    "LRU_CACHE_CAPACITY": "16",  # torch keeps the same kernels a second time
}
"""Environment variable → value, unless the user sets one. Libraries read them when they load."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the end of a job's time, and the end of a connection; all three interrupt."""

_prepared = False


def prepare_process() -> None:
    """Make the settings; call this before torch is imported."""
    global _prepared
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    _prepared = True
    reuse_freed_memory()


def is_prepared() -> bool:
    """Return whether this process has the settings, as one of the command line."""
    return _prepared


def reuse_freed_memory() -> None:
    """Let a process of the command line reuse the memory it frees, up to 256 MB (glibc only).

    Each batch frees and takes the same large blocks. With fresh pages for each batch, encoding
    with ESM-2 150M takes a third longer on a CPU with AMX.
    """
    _set_memory(trim_threshold=2**28, mmap_threshold=2**25)


def return_large_blocks() -> None:
    """Let a process of the command line return each freed block of 4 MB or more (glibc only).

    Steps of a training differ in size, so blocks that are kept for reuse leave holes: a third of
    the memory of a large model. Fresh pages cost less than its matrix products.
    """
    _set_memory(trim_threshold=2**17, mmap_threshold=2**22)


def _set_memory(*, trim_threshold: int, mmap_threshold: int) -> None:
    if not _prepared:
        return
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(-1, trim_threshold)  # the numbers are those of malloc.h
        library.mallopt(-3, mmap_threshold)


def keep_freed_memory() -> None:
    """Let this process reuse the memory it frees instead of returning it (glibc only).

    Pretraining frees and takes the same large blocks in every step; zeroing fresh pages each time
    costs a quarter of the time of a small model on a CPU.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 2**31 - 1)
        library.mallopt(top_pad, 2**28)
        library.mallopt(mmap_max, 0)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal to end into a `KeyboardInterrupt`; a second signal ends at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    with _handled_by(interrupt, default=True) as handled:
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Delay signals to end until the block ends, so that it happens as a whole or not at all."""
    waiting: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        waiting.append(number)

    with _handled_by(note, default=False) as handled:
        yield
    if waiting:
        handled[waiting[0]](waiting[0], None)


@contextlib.contextmanager
def _handled_by(
    handler: Callable[[int, FrameType | None], None], *, default: bool
) -> Iterator[dict[int, Any]]:
    """Yield the handlers that another one replaces inside; ignored signals stay ignored.

    Parameters
    ----------
    default
        Whether it also replaces the default handlers, which end the process.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in SIGNALS}
        before = {
            number: old
            for number, old in found.items()
            if callable(old) or (default and old is signal.SIG_DFL)
        }
    for number in before:
        signal.signal(number, handler)
    try:
        yield before
    finally:
        for number, old in before.items():
            signal.signal(number, old)
