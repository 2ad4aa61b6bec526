"""Settings of a whole process, which only the command line makes.

A library call changes none of them, so it may be slower and take more memory: waiting threads spin,
oneDNN keeps the kernels of a thousand shapes, pretraining takes fresh memory in every step, and
only the calling thread treats denormal numbers as zero. Results agree down to these numbers.
"""

import contextlib
import ctypes
import os

SETTINGS = {
    # waiting threads sleep: on a shared machine spinning threads slow everybody down
    "OMP_WAIT_POLICY": "PASSIVE",
    # packed batches rarely repeat a shape, so oneDNN's default of 1,024 kept kernels wastes memory
    # and fragments it; the layers of one batch share a few kernels
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
}
"""Environment variable → value, unless the user sets one. Libraries read them when they load."""

_prepared = False


def prepare_process() -> None:
    """Make the settings; call this before torch is imported."""
    global _prepared
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    _prepared = True


def is_prepared() -> bool:
    """Return whether this process has the settings, as one of the command line."""
    return _prepared


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
