"""A text file, plain or compressed, comes in; its text with Unix line ends goes out."""

import difflib
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import Any

from peftide.errors import InputError
from peftide.files import as_file
from peftide.quantities import byte_size

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
ZIP_MAGIC = b"PK\x03\x04"
KNOWN_BINARY = {
    ZIP_MAGIC: "a ZIP archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
}
ZIPPED = {
    b"xl/work": "an Excel workbook (.xlsx)",
    b"opendocument.spreadsheet": "an OpenDocument spreadsheet (.ods)",
    b"word/document": "a Word document (.docx)",
}
"""Name inside a ZIP archive, and what the archive is then."""
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""First bytes of UTF-16 text, which Excel calls Unicode text."""
BYTE_ORDER_MARK = "\ufeff"
WIDE_BYTES = 200
"""Bytes at the start of a file; in UTF-16 without a mark, and in UTF-32, half of them are zero."""
ENDS_OF_FILES = "\x1a\x0c"
"""Characters that old programs write behind the last line."""
TAR_MAGIC = slice(257, 262)
EXPANDED_BYTES = 10**9
EXPANSION = 100
"""A compressed file may expand to `EXPANDED_BYTES`, or to this many times its size if larger."""
LONGEST_LINE = 2**26
CHUNK_BYTES = 2**20


def open_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a plain, .gz or .xz file as they are read, without their line ends.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, truncated, not UTF-8 text, expands beyond the
        limit, or has a line of more than `LONGEST_LINE` characters.
    """
    try:
        with _open_expanded(path) as stream:
            text = TextIOWrapper(stream, _encoding(stream.peek(2)))
            for line in iter(lambda: text.readline(LONGEST_LINE + 1), ""):
                yield _without_end(line, path)
    except UnicodeDecodeError as error:
        raise _not_text(path, "binary data") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"cannot read the file: {error}", where=path) from error


def count_records(path: Path) -> int:
    """Return the number of lines that begin with `>` in a FASTA file, much faster than reading it.

    A count for progress and sizes: 0 for UTF-16 text.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, truncated, or expands beyond the limit.
    """
    found, before = 0, b"\n"
    with _reading(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            found += (before + chunk).count(b"\n>")
            before = chunk[-1:]
    return found


def _without_end(line: str, path: Path) -> str:
    if len(line) > LONGEST_LINE:
        raise InputError(f"a line of more than {LONGEST_LINE:,} characters", where=path)
    return line.rstrip("\r\n")


def read_text(path: Path) -> str:
    r"""Text of a plain, .gz or .xz file, without byte-order marks and with `\n` line ends.

    The first bytes decide how the file is read, so a compressed file may have any name.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, empty, truncated, not UTF-8 text, or expands
        beyond the limit.
    """
    text = _decode(path, _read_bytes(path))
    if not text.strip():
        raise InputError("the file is empty", where=path)
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip(ENDS_OF_FILES)


def _read_bytes(path: Path) -> bytes:
    """Return all bytes, or those up to the first that is no text."""
    with _reading(path) as stream:
        return b"".join(_text_chunks(stream))


@contextmanager
def _reading(path: Path) -> Iterator[BufferedReader]:
    """Open a file or pipe, and turn the errors of reading it into messages."""
    if path.is_dir():
        raise InputError("this is a folder", expected="a file", where=path)
    try:
        with _open_expanded(path) as stream:
            yield stream
    except FileNotFoundError as error:
        raise InputError("no such file", where=path, fix=_similar_name(path)) from error
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"the compressed file is cut off or damaged ({error})",
            where=path,
            fix="Copy or download it again",
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from error


def _text_chunks(stream: BufferedReader) -> Iterator[bytes]:
    is_wide = stream.peek(2).startswith(BYTE_ORDER_MARKS)
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk
        if b"\0" in chunk and not is_wide:
            return


def _open_expanded(path: Path) -> BufferedReader:
    """Open a file or pipe for reading; a compressed one yields its expanded content."""
    file = as_file(path)
    with file.open("rb") as start:
        magic = start.read(len(XZ_MAGIC))
    if magic.startswith(GZIP_MAGIC):
        return BufferedReader(_Expanded(gzip.open(file), path, file.stat().st_size))
    if magic == XZ_MAGIC:
        return BufferedReader(_Expanded(lzma.open(file), path, file.stat().st_size))
    return file.open("rb")


class _Expanded(RawIOBase):
    """The content of a compressed file, up to a limit.

    A file of a few kilobytes can expand to more than any memory. Real sequences and tables expand
    to less than `EXPANSION` times their compressed size.
    """

    def __init__(
        self, stream: gzip.GzipFile | lzma.LZMAFile, path: Path, compressed_bytes: int
    ) -> None:
        self._stream, self._path, self._read = stream, path, 0
        self._limit = max(EXPANDED_BYTES, EXPANSION * compressed_bytes)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer and return the number of bytes."""
        content = self._stream.read(len(buffer))
        self._read += len(content)
        if self._read > self._limit:
            raise InputError(
                f"the compressed file expands to more than {byte_size(self._limit)}",
                expected=f"at most {byte_size(EXPANDED_BYTES)}, or {EXPANSION} times the "
                "compressed size",
                where=self._path,
                fix="If this is no mistake, unpack the file and pass the unpacked one",
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close the compressed file too."""
        self._stream.close()
        super().close()


def _similar_name(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either"
    close = difflib.get_close_matches(path.name, [found.name for found in folder.iterdir()], n=1)
    return f"Did you mean {folder / close[0]}?" if close else ""


def _decode(path: Path, data: bytes) -> str:
    encoding = _encoding(data)
    if b"\0" in data and encoding != "utf-16":
        raise _not_text(path, _looks_like(data))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        known = _looks_like(data)
        if known != "binary data":
            raise _not_text(path, known) from error
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not {encoding.removesuffix('-sig').upper()} text",
            where=f"{path}:{line}",
            fix="Save the file as UTF-8 (in Excel: 'CSV UTF-8')",
        ) from error
    if "\0" in text:
        raise _not_text(path, _looks_like(data))
    return text.replace(BYTE_ORDER_MARK, "")  # files put end to end have further marks


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith(BYTE_ORDER_MARKS) else "utf-8-sig"


def _not_text(path: Path, looks_like: str) -> InputError:
    return InputError(
        f"not a text file: it looks like {looks_like}",
        expected="plain text (CSV, TSV or FASTA), also compressed as .gz or .xz",
        where=path,
        fix=(
            "In a spreadsheet program, save it as CSV (UTF-8)"
            if "(.xlsx)" in looks_like or "(.ods)" in looks_like
            else "Unpack it, or save it as text (in a spreadsheet program: as CSV, UTF-8)"
        ),
    )


def _looks_like(data: bytes) -> str:
    if data[TAR_MAGIC] == b"ustar":
        return "a tar archive"
    if data.startswith(ZIP_MAGIC):
        names = (name for mark, name in ZIPPED.items() if mark in data)
        return next(names, KNOWN_BINARY[ZIP_MAGIC])
    for magic, name in KNOWN_BINARY.items():
        if data.startswith(magic):
            return name
    start = data[:WIDE_BYTES]
    start = start[2:] if start.startswith(BYTE_ORDER_MARKS) else start
    letters = start.decode("latin-1").replace("\0", "")
    if 2 * start.count(0) >= len(start) - 1 and len(letters) > 3 and letters.isascii():
        return "UTF-16 text without a byte-order mark, or UTF-32 text: save it as UTF-8"
    return "binary data"
