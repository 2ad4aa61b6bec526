"""Downloads from a server on this machine: whole, or one clear error and no file."""

import socket
from pathlib import Path
from urllib.request import Request

import pytest

from peftide.databases import downloads
from peftide.databases.downloads import download
from peftide.errors import HubError
from tests.databases.conftest import Files

TEXT = b"P07251 Q12250\n" * 10_000


def get(files: Files, wrong: str = "", *, timeout_seconds: float = 20.0) -> Path:
    files.content["a/pairs.txt"] = TEXT
    files.wrong["a/pairs.txt"] = wrong
    path, received = Path("raw/a.txt"), list[int]()
    address = f"{files.address}/a/pairs.txt"
    download(address, path, received.append, timeout_seconds=timeout_seconds)
    assert sum(received) == len(TEXT) or wrong == "gzip"
    return path


def test_a_file_is_downloaded_whole(files: Files) -> None:
    assert get(files).read_bytes() == TEXT


def test_a_server_may_compress(files: Files) -> None:
    assert get(files, "gzip").read_bytes() == TEXT


def test_a_redirect_is_followed(files: Files) -> None:
    files.content["b"] = TEXT
    assert get(files, "to /b").read_bytes() == TEXT
    assert files.asked == ["a/pairs.txt", "b"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("half", f"broke off after {len(TEXT) // 2:,} of {len(TEXT):,} bytes"),
        ("chunks", "broke off .*IncompleteRead"),
        ("half gzip", "broke off inside its compressed content"),
        ("no gzip", "came damaged .*incorrect header"),
        ("brotli", "unknown encoding br"),
        ("page", "is a web page, not the file"),
        ("page by its type", "is a web page, not the file"),
        ("busy", "the server refused .*503"),
        ("to ftp://example.org/x", "redirects to ftp://example.org/x, which is not safe"),
        ("to file:///etc/passwd", "is not allowed"),
    ],
)
def test_what_goes_wrong_is_said_and_leaves_no_file(files: Files, wrong: str, said: str) -> None:
    with pytest.raises(HubError, match=said):
        get(files, wrong)
    assert [path for path in Path("raw").rglob("*") if path.is_file()] == []


def test_a_missing_file_is_named_with_its_address(files: Files) -> None:
    with pytest.raises(HubError, match=rf"there is no file {files.address}/gone \(404 Not Found\)"):
        download(f"{files.address}/gone", Path("x"), lambda _: None)


def test_a_server_that_hangs_is_left(files: Files) -> None:
    with pytest.raises(HubError, match=r"broke off \(timed out\)"):
        get(files, "hangs", timeout_seconds=0.3)


def test_an_endless_file_is_left(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "LARGEST_BYTES", len(TEXT) - 1)
    with pytest.raises(HubError, match="is larger than 140 kB"):
        get(files)


def test_an_absent_server_is_an_error_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(HubError, match=rf"cannot reach {address} \(Connection refused\)"):
            download(address, Path("x"), lambda _: None)


@pytest.mark.parametrize("address", ["http://127.0.0.1:x/a", "http://.example/a"])
def test_an_address_that_is_none_is_an_error(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(HubError, match=address):
        download(address, Path("x"), lambda _: None)


def test_a_redirect_never_gives_up_the_encryption() -> None:
    with pytest.raises(HubError, match="redirects to http://b/x, which is not safe"):
        downloads._SafeRedirects().redirect_request(
            Request("https://a/x"), None, 302, "Found", {}, "http://b/x"
        )
