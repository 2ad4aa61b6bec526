"""C source → a loaded library: compiled once per machine with the C compiler at hand, and kept.

Nothing here is required. Without a compiler, or if anything goes wrong, there is no library, and
the callers compute with torch alone.
"""

import ctypes
import hashlib
import logging
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

logger = logging.getLogger(__name__)

SWITCH = "PEFTIDE_COMPILE"
"""Environment variable; 0 leaves the compiler alone."""
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-fPIC", "-shared")
LONGEST_BUILD = 120
"""Seconds after which a compiler is stopped."""


def build(sources: Sequence[str], *, has_bf16: bool) -> ctypes.CDLL | None:
    """Return the library of some C files of this package, or None if it cannot be had.

    The files are one source, in this order, after a definition of HAS_BF16. The library is kept in
    the cache folder of the user, under a name that contains the hash of the source and the
    compiler. A library that another user could have written is not loaded.
    """
    compiler = find_compiler()
    if compiler is None:
        return None
    folder = files("peftide.native")
    text = b"#define HAS_BF16 %d\n" % has_bf16
    text += b"\n".join(folder.joinpath(source).read_bytes() for source in sources)
    version = _version(compiler)
    key = hashlib.sha256(b"\0".join([text, version, " ".join(FLAGS).encode()])).hexdigest()
    kept = cache_folder() / f"{Path(sources[-1]).stem}-{key[:16]}.so"
    try:
        if not _is_ours(kept):
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _compile(compiler, text, kept)
        return ctypes.CDLL(str(kept))
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("%s: %s", kept, error)
    return _build_for_this_process(compiler, text)


def find_compiler() -> str | None:
    """Return the C compiler: `$CC`, or the first of `COMPILERS` on the path."""
    if os.environ.get(SWITCH) == "0":
        return None
    chosen = os.environ.get("CC")
    return (
        shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, COMPILERS)), None)
    )


def cache_folder() -> Path:
    """Return where libraries are kept: `$XDG_CACHE_HOME/peftide`, or `~/.cache/peftide`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peftide"


def _build_for_this_process(compiler: str, text: bytes) -> ctypes.CDLL | None:
    """Build in a temporary folder, for a cache folder that cannot be written."""
    try:
        with tempfile.TemporaryDirectory(prefix="peftide-") as folder:
            library = Path(folder) / "library.so"
            _compile(compiler, text, library)
            return ctypes.CDLL(str(library))
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("no compiled kernels: %s", error)
        return None


def _is_ours(library: Path) -> bool:
    """Return whether a library exists that only this user can have written."""
    try:
        state = library.stat()
    except FileNotFoundError:
        return False
    others_write = stat.S_IWGRP | stat.S_IWOTH
    return state.st_uid == os.getuid() and not state.st_mode & others_write


def _compile(compiler: str, text: bytes, library: Path) -> None:
    """Compile into a file beside the library, then rename it: it is whole, or it is not there."""
    handle, partial = tempfile.mkstemp(suffix=".so", prefix=".", dir=library.parent)
    os.close(handle)
    try:
        command = [compiler, *FLAGS, "-x", "c", "-", "-o", partial]
        subprocess.run(command, input=text, check=True, capture_output=True, timeout=LONGEST_BUILD)
        Path(partial).chmod(0o700)
        Path(partial).replace(library)
    finally:
        Path(partial).unlink(missing_ok=True)


@cache
def _version(compiler: str) -> bytes:
    """Return what tells a compiler from another: its path, size and date."""
    state = Path(compiler).resolve().stat()
    return f"{compiler} {state.st_size} {state.st_mtime_ns}".encode()
