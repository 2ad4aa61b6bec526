"""Settings of a whole process, for processes that belong to peftide: those of the command line.

A library call changes none of them. It loses speed and memory by that, but no result changes:
threads that wait for work spin, oneDNN keeps the kernels of a thousand shapes, pretraining takes
fresh memory in every step, and only the calling thread treats denormal numbers as zero.
"""

import contextlib
import ctypes
import os

SETTINGS = {
    # threads that wait must sleep: on a shared machine spinning ones slow everybody down
    "OMP_WAIT_POLICY": "PASSIVE",
    # packed batches rarely repeat a shape, so kept kernels (oneDNN's default: 1,024) cost memory
    # and tear holes into it; the layers of one batch share the few that are enough
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
}
"""Environment variable → value, unless the user set one. Libraries read them when they load."""

_prepared = False


def prepare_process() -> None:
    """Take over the process: call it first, before torch is imported."""
    global _prepared
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    _prepared = True


def is_prepared() -> bool:
    """Return whether the process belongs to peftide."""
    return _prepared


def keep_freed_memory() -> None:
    """Let this process reuse memory that it frees instead of giving it back (glibc only).

    Pretraining frees and takes the same large blocks in every step; zeroing fresh pages each time
    costs a quarter of the time of a small model on a CPU.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 2**31 - 1)
        library.mallopt(top_pad, 2**28)
        library.mallopt(mmap_max, 0)
