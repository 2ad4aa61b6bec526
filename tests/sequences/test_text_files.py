"""What can be read as text, and how everything else is refused."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences import text_files
from peftide.sequences.text_files import open_lines, read_text

TEXT = "id\tlabel\nP1\t1\n"


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.tsv.xz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_content_decides_whatever_the_name(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
):
    path = tmp_path / name
    path.write_bytes(pack(TEXT.encode()))
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfid\tlabel\nP1\t1\n",
        b"\xef\xbb\xbfid\tlabel\n\xef\xbb\xbfP1\t1\n",
        b"id\tlabel\r\nP1\t1\r\n",
        b"id\tlabel\rP1\t1\r",
        "\ufeffid\tlabel\r\nP1\t1\r\n".encode("utf-16-le"),
        "\ufeffid\tlabel\nP1\t1\n".encode("utf-16-be"),
    ],
)
def test_byte_order_mark_and_line_ends(tmp_path: Path, data: bytes):
    path = tmp_path / "a.tsv"
    path.write_bytes(data)
    assert read_text(path) == TEXT


def test_several_gzip_members_are_read_to_the_end(tmp_path: Path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert read_text(path) == "one\ntwo\n"


def test_missing_file_names_a_similar_one(tmp_path: Path):
    (tmp_path / "sequences.fasta").write_text(">a\nM\n")
    with pytest.raises(InputError, match=r"sequence\.fasta: no such file.*Did you mean.*sequences"):
        read_text(tmp_path / "sequence.fasta")


def test_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="There is no folder .*nowhere either"):
        read_text(tmp_path / "nowhere" / "a.tsv")


def test_folder(tmp_path: Path):
    with pytest.raises(InputError, match="this is a folder; expected a file"):
        read_text(tmp_path)


@pytest.mark.parametrize("data", [b"", b" \n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_empty(tmp_path: Path, data: bytes):
    path = tmp_path / "a.tsv"
    path.write_bytes(data)
    with pytest.raises(InputError, match="the file is empty"):
        read_text(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_cut_off_or_damaged(tmp_path: Path, pack: Callable[[bytes], bytes]):
    path = tmp_path / "a.packed"
    data = pack(TEXT.encode() * 100)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cut off or damaged.*download it again"):
        read_text(path)


def test_damaged_gzip_content(tmp_path: Path):
    path = tmp_path / "a.gz"
    data = bytearray(gzip.compress(TEXT.encode() * 100))
    data[12:30] = b"\xff" * 18
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cut off or damaged"):
        read_text(path)


@pytest.mark.parametrize(
    ("data", "looks_like"),
    [
        (b"PK\x03\x04\x14\0\0", "Excel workbook"),
        (b"PK\x03\x04\x14\0\0xl/workbook.xml", r"an Excel workbook \(\.xlsx\)"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet\0", "OpenDocument"),
        (b"\xff\xfe\0\0\0\0", "binary data"),
        (b"BZh91AY&SY\xff\0", "bzip2"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf", "PDF"),
        (b"\1\2\0\3", "binary data"),
    ],
)
def test_binary_says_what_it_looks_like(tmp_path: Path, data: bytes, looks_like: str):
    path = tmp_path / "a.tsv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"not a text file: it looks like .*{looks_like}"):
        read_text(path)


def test_tar_inside_gzip(tmp_path: Path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.tsv"), io.BytesIO())
    path = tmp_path / "a.tar.gz"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="looks like a tar archive"):
        read_text(path)


def test_other_encoding_names_the_line(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,name\nP1,Müller\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.csv:2: byte 0xfc is not UTF-8.*CSV UTF-8"):
        read_text(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_lines_are_those_of_the_text(tmp_path: Path, pack: Callable[[bytes], bytes]):
    path = tmp_path / "a.tsv"
    path.write_bytes(pack(b"\xef\xbb\xbfid\tlabel\r\nP1\t1 \n\nlast"))
    assert list(open_lines(path)) == ["id\tlabel", "P1\t1 ", "", "last"]
    path.write_bytes("\ufeffid\r\nP1\r\n".encode("utf-16-le"))
    assert list(open_lines(path)) == ["id", "P1"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(bytes(range(64, 91)) * 999)[:-20], "cannot read the file"),
        (lzma.compress(b"MKV\n" * 9999)[:-30], "cannot read the file"),
        (b"\x1f\x8bnothing", "cannot read the file"),
        (b"id\n\xd0\xcf\x11\xe0", "not a text file"),
    ],
)
def test_lines_that_cannot_be_read_are_one_error(tmp_path: Path, data: bytes, said: str):
    path = tmp_path / "a.tsv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"a\.tsv: {said}"):
        list(open_lines(path))


def test_lines_of_what_is_no_file_are_one_error(tmp_path: Path):
    for path in (tmp_path, tmp_path / "absent.tsv"):
        with pytest.raises(InputError, match="cannot read the file"):
            list(open_lines(path))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_compressed_file_may_expand_only_to_the_limit(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "EXPANDED_BYTES", 10_000_000)
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"MKVLAMKVLA\n" * 2_000_000))
    with pytest.raises(InputError, match=r"bomb: .*expands to more than 10 MB; .*unpack"):
        read_text(path)
    with pytest.raises(InputError, match=r"bomb: .*expands to more than 10 MB; .*unpack"):
        list(open_lines(path))


def test_a_large_file_that_is_compressed_as_usual_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "EXPANDED_BYTES", 10)
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert read_text(tmp_path / "a.gz") == TEXT


def test_zeros_are_refused_as_soon_as_they_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(InputError, match="not a text file"):
        read_text(tmp_path / "a.gz")


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "LONGEST_LINE", 100)
    (tmp_path / "a.fasta").write_text(">a\n" + "M" * 101)
    with pytest.raises(InputError, match=r"a\.fasta: a line of more than 100 characters"):
        list(open_lines(tmp_path / "a.fasta"))


def test_characters_behind_the_last_line_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id\r\nP1\r\n\x1a")
    assert read_text(tmp_path / "a.csv") == "id\nP1\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_wide_text_without_a_mark_is_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("id,label\nP1,1\n".encode(encoding))
    with pytest.raises(InputError, match="UTF-16 text without a byte-order mark, or UTF-32"):
        read_text(tmp_path / "a.csv")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("chunk", [1, 3, 2**20])
def test_records_are_counted_wherever_a_chunk_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes], chunk: int
) -> None:
    monkeypatch.setattr(text_files, "CHUNK_BYTES", chunk)
    (tmp_path / "p.fasta").write_bytes(pack(b">a x>y\nMKV\n>b\nMK\nWW\r\n>c\n\n>d\nM"))
    assert text_files.count_records(tmp_path / "p.fasta") == 4


def test_records_of_what_cannot_be_read_are_one_error(tmp_path: Path) -> None:
    whole = gzip.compress(b">a\nMKV\n" * 1_000)
    (tmp_path / "p.fasta.gz").write_bytes(whole[:-20])
    with pytest.raises(InputError, match="cut off or damaged"):
        text_files.count_records(tmp_path / "p.fasta.gz")
    with pytest.raises(InputError, match="no such file"):
        text_files.count_records(tmp_path / "absent")
