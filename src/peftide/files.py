"""Atomic files: written to a temporary path in the same folder, then renamed; and locks."""

import errno
import fcntl
import hashlib
import json
import logging
import math
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from peftide.errors import InputError, StorageError

logger = logging.getLogger(__name__)

ENDLESS = {Path("/dev") / name for name in ("zero", "full", "random", "urandom")}
PARTIAL = ".peftide-partial-"
"""Beginning of the name of each temporary path; a killed process leaves such paths behind."""
FULL = ("os error 28", "No space left", "database or disk is full")
"""Words about a full disk: of safetensors, of the system, and of SQLite."""
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


@contextmanager
def written_whole(path: Path, *, tidy: bool = False) -> Iterator[Path]:
    """Yield a temporary path; rename it to `path` if the block succeeds, else delete it.

    `path` may become a file or a folder. An existing `path` stays until the end.

    Parameters
    ----------
    tidy
        Whether to delete first what killed processes left of this output. Outputs in a work folder
        need it not: the next call tidies the whole folder.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder) / "a.txt") as partial:
    ...         _ = partial.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    partial = path.with_name(f"{_partial_name(path)}{os.getpid()}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if tidy:
            _remove_leftovers(path)
        try:
            yield partial
            settle(partial)
            if partial.is_dir() and path.is_dir():
                remove(path)
            partial.replace(path)
        finally:
            remove(partial)


def _partial_name(path: Path) -> str:
    """Return the name of the temporary path of an output on this machine, without the process."""
    # short, because `path` may have the longest name that the file system takes
    return f"{PARTIAL}{text_hash(path.name)[:16]}-{text_hash(platform.node())[:8]}-"


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors about a full disk or a read-only folder into one clear `StorageError`."""
    with full_disk_errors(path):
        try:
            yield
        except OSError as error:
            if isinstance(error, shutil.Error) and _is_about_a_full_disk(error):
                raise  # it lists files without an error number
            raise StorageError(_explain(error, path)) from error


@contextmanager
def full_disk_errors(path: Path) -> Iterator[None]:
    """Turn the errors by which libraries report a full disk into one clear `StorageError`."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StorageError) or not _is_about_a_full_disk(error):
            raise
        raise StorageError(_explain(OSError(errno.ENOSPC, "full"), path)) from error


def _is_about_a_full_disk(error: BaseException | None) -> bool:
    """Return whether an error, or one that it followed, names a full disk."""
    while error is not None:
        if any(words in str(error) for words in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def _explain(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"no space left on the disk of {path}; nothing there was changed. "
            "Free some space and run the same command again (training: with --resume)"
        )
    return f"cannot write {path}: {error.strerror or error}. Choose another place"


def settle(path: Path) -> None:
    """Set the usual file permissions, and write all bytes to disk before the rename.

    safetensors writes files that only their owner may read, regardless of the umask.
    """
    umask = os.umask(0o077)  # it can only be read by setting it
    os.umask(umask)
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        file.chmod(file.stat().st_mode | (0o666 & ~umask))
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


@contextmanager
def alone_at(lock: Path, *, wait: bool, writes: Path | None = None) -> Iterator[bool]:
    """Hold a lock file until the block ends, or until the process ends in any way.

    Yields whether the folder of the lock existed before. On a file system without locks, the block
    runs without one, and a note says so.

    Parameters
    ----------
    lock
        Lock file, which protects its folder; it is created and not deleted.
    wait
        Whether to wait for another process that holds the lock.
    writes
        Name for the error message; default: the folder of the lock.

    Raises
    ------
    InputError
        If another process holds the lock and `wait` is false.
    StorageError
        If the folder cannot be written.
    """
    with storage_errors(writes or lock.parent):
        stream, existed = _open_lock(lock, wait=wait, writes=writes or lock.parent)
    with stream:
        yield existed


def _open_lock(lock: Path, *, wait: bool, writes: Path) -> tuple[IO[str], bool]:
    """Return the locked file, and whether its folder existed before."""
    while True:
        lock.parent.parent.mkdir(parents=True, exist_ok=True)
        existed = lock.parent.is_dir()
        try:
            lock.parent.mkdir(exist_ok=True)
            stream = lock.open("w")
        except FileNotFoundError:  # another process has just removed the folder
            continue
        try:
            _lock(stream, wait=wait, writes=writes)
            if _is_at(stream, lock):
                return stream, existed
        except BaseException:
            stream.close()
            raise
        stream.close()  # another process has just finished and removed the file


def _lock(stream: IO[str], *, wait: bool, writes: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise InputError(
                f"another process is writing {writes}",
                where="--out",
                fix="Wait until it ends, or choose another --out",
            ) from None
        logger.info("waiting for another run that writes %s", writes)
        fcntl.flock(stream, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        logger.warning(
            "note: the file system of %s has no locks: start no second command that writes there",
            writes,
        )


def _is_at(stream: IO[str], path: Path) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def remove(path: Path) -> None:
    """Delete a file, a link or a folder if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_partials(folder: Path) -> None:
    """Delete the temporary paths that killed processes left; the folder must be locked."""
    for path in folder.glob(f"{PARTIAL}*"):
        remove(path)


def _remove_leftovers(path: Path) -> None:
    """Delete the temporary paths of an output that killed processes of this machine left."""
    for partial in path.parent.glob(f"{_partial_name(path)}*"):
        if not _is_alive(partial.name.rpartition("-")[2]):
            remove(partial)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_text(path: Path, text: str, *, tidy: bool = False) -> None:
    """Write a text file atomically; for `tidy` see `written_whole`."""
    with written_whole(path, tidy=tidy) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically; numbers that are not finite become null."""
    write_text(path, json.dumps(finite(content), indent=2, ensure_ascii=False) + "\n")


def finite(content: Any) -> Any:
    """Return the content with NaN and infinities replaced by None, for strict JSON.

    Examples
    --------
    >>> finite({"auroc": float("nan"), "n": [1, 2]})
    {'auroc': None, 'n': [1, 2]}
    """
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


class _Pipes:
    """Copies of the pipes that one command reads, in a folder that the first pipe makes."""

    def __init__(self, until: ExitStack) -> None:
        self.until = until
        self.copies: dict[Path, Path] = {}

    @cached_property
    def folder(self) -> Path:
        """A temporary folder, until the command ends."""
        made = tempfile.TemporaryDirectory(prefix="peftide-pipes-")
        return Path(self.until.enter_context(made))

    def copy(self, path: Path) -> Path:
        """Return the copy of a pipe, which is read on the first call only."""
        if path not in self.copies:
            copied = self.folder / f"{len(self.copies)}-{path.name}"
            with storage_errors(copied), path.open("rb") as pipe, copied.open("wb") as stream:
                shutil.copyfileobj(pipe, stream)
            self.copies[path] = copied
        return self.copies[path]


_pipes: ContextVar[_Pipes | None] = ContextVar("pipes", default=None)


@contextmanager
def reading_pipes() -> Iterator[None]:
    """Let `as_file` read pipes until the block ends.

    The content of a pipe can be read only once, but files are read and hashed. So a pipe is copied
    into a temporary file.
    """
    with ExitStack() as until:
        token = _pipes.set(_Pipes(until))
        try:
            yield
        finally:
            _pipes.reset(token)


def is_pipe(path: Path) -> bool:
    """Return whether a path is a pipe, such as `/dev/stdin` or the shell's `<(…)`."""
    return path.exists() and not path.is_file() and not path.is_dir()


def is_readable(path: Path) -> bool:
    """Return whether a path is a file or a pipe; a text too long for a path is none."""
    return os.path.exists(path) and not os.path.isdir(path)


def missing_file(path: Path) -> str:
    """Return why a path cannot be read as a file.

    Examples
    --------
    >>> missing_file(Path(".")), missing_file(Path("no_such.tsv"))
    ('.: this is a folder; expected a file', 'no_such.tsv: no such file')
    """
    return f"{path}: " + ("this is a folder; expected a file" if path.is_dir() else "no such file")


def as_file(path: Path) -> Path:
    """Return the path itself, or the copy of a pipe.

    Raises
    ------
    InputError
        If the path is a pipe outside `reading_pipes`, or a device without end.
    """
    if not is_pipe(path):
        return path
    pipes = _pipes.get()
    if pipes is None:
        raise InputError(
            "this is a pipe",
            expected="a file (only the command line reads pipes)",
            where=path,
            fix="Read the data first, and pass a DataFrame, a list or a mapping",
        )
    if path.is_block_device() or path.resolve() in ENDLESS:
        raise InputError("this is a device", expected="a file or a pipe", where=path)
    return pipes.copy(path)


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with as_file(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def free_bytes(path: Path) -> int:
    """Return the free space on the disk of an existing or future path."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def size_on_disk(folder: Path) -> int:
    """Return the disk space that the files of a folder take; 0 if it does not exist."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def reserve_space(path: Path) -> None:
    """Reserve the disk space of a file that is mapped into memory, where the system can.

    Otherwise a disk that fills up later would kill the process.

    Raises
    ------
    OSError
        If there is too little space.
    """
    if sys.platform == "linux":
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
