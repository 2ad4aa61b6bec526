"""A text file, plain or compressed, comes in; its text with Unix line ends goes out."""

import difflib
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path

from peftide.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
KNOWN_BINARY = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\xff\xfe": "UTF-16 text (Excel's 'Unicode Text')",
    b"\xfe\xff": "UTF-16 text (Excel's 'Unicode Text')",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
}
TAR_MAGIC = slice(257, 262)


def open_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a plain, .gz or .xz file as they are read, without their line ends.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, truncated, or not UTF-8 text.
    """
    try:
        with path.open("rb") as start:
            magic = start.read(len(XZ_MAGIC))
        opener = gzip.open if magic.startswith(GZIP_MAGIC) else open
        opener = lzma.open if magic == XZ_MAGIC else opener
        with opener(path, "rt", encoding="utf-8-sig") as stream:
            for line in stream:
                yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _not_text(path, "binary data") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"cannot read the file: {error}", where=path) from error


def read_text(path: Path) -> str:
    r"""Text of a plain, .gz or .xz file, without byte-order mark and with `\n` line ends.

    The first bytes decide how the file is read, so a compressed file may have any name.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, empty, truncated, or not UTF-8 text.
    """
    data = _decompress(path, _read_bytes(path))
    text = _decode(path, data)
    if not text.strip():
        raise InputError("the file is empty", where=path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError("this is a folder", expected="a file", where=path)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("no such file", where=path, fix=_similar_name(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from error


def _similar_name(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either"
    close = difflib.get_close_matches(path.name, [found.name for found in folder.iterdir()], n=1)
    return f"Did you mean {folder / close[0]}?" if close else ""


def _decompress(path: Path, data: bytes) -> bytes:
    try:
        if data.startswith(GZIP_MAGIC):
            return gzip.decompress(data)
        if data.startswith(XZ_MAGIC):
            return lzma.decompress(data)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"the compressed file is cut off or damaged ({error})",
            where=path,
            fix="Copy or download it again",
        ) from error
    return data


def _decode(path: Path, data: bytes) -> str:
    if b"\0" in data:
        raise _not_text(path, _looks_like(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        known = _looks_like(data)
        if known != "binary data":
            raise _not_text(path, known) from error
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not UTF-8 text",
            where=f"{path}:{line}",
            fix="Save the file as UTF-8 (in Excel: 'CSV UTF-8')",
        ) from error


def _not_text(path: Path, looks_like: str) -> InputError:
    return InputError(
        f"not a text file: it looks like {looks_like}",
        expected="plain text (CSV, TSV or FASTA), also compressed as .gz or .xz",
        where=path,
        fix="Unpack it, or export it as text",
    )


def _looks_like(data: bytes) -> str:
    if data[TAR_MAGIC] == b"ustar":
        return "a tar archive"
    for magic, name in KNOWN_BINARY.items():
        if data.startswith(magic):
            return name
    return "binary data"
