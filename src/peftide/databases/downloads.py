"""Download a file over HTTP: it is complete on disk, or one clear error says why not."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from peftide.errors import HubError
from peftide.files import written_whole
from peftide.quantities import byte_size

TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 1 << 16
LARGEST_BYTES = 200_000_000
NO_SUCH_FILE = (404, 410)
GZIP_WINDOW = 16 + zlib.MAX_WBITS
HTML = (b"<!doctype html", b"<html")
AGAIN = "Run the same command again; files that are complete are not downloaded twice"
MIRROR = "Check the network, or name a copy of the files with --mirror"


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects, but never away from HTTP, and never from HTTPS to HTTP."""

    # urllib passes all by position
    def redirect_request(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, req: Request, *rest: Any
    ) -> Request | None:
        """Return the request to the new address.

        Raises
        ------
        HubError
            If the new address is less safe than the old one.
        """
        new = rest[-1]
        if urlsplit(new).scheme not in {"https", urlsplit(req.full_url).scheme}:
            raise HubError(f"{req.full_url} redirects to {new}, which is not safe", fix=MIRROR)
        return super().redirect_request(req, *rest)


def download(
    url: str,
    path: Path,
    advance: Callable[[int], None],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> None:
    """Download a file, and put it in its place when it is complete.

    Parameters
    ----------
    advance
        Is called with the number of received bytes.
    timeout_seconds
        Longest wait for the next bytes.

    Raises
    ------
    HubError
        If the server cannot be reached, refuses, sends a web page, or breaks off.
    StorageError
        If the file cannot be written.
    """
    request = Request(url, headers={"Accept-Encoding": "identity", "User-Agent": "peftide"})
    with server_errors(url):
        response = build_opener(_SafeRedirects).open(request, timeout=timeout_seconds)
    with response, written_whole(path) as partial, partial.open("wb") as stream:
        for chunk in _content(response, url, advance):
            stream.write(chunk)


def _content(response: Any, url: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the unpacked content of a response.

    Raises
    ------
    HubError
        If the server sent a web page, too many bytes, or too few.
    """
    chunks = _unpacked(response, url, advance)
    first = next(chunks, b"")
    is_page = response.headers.get_content_type() == "text/html"
    if is_page or first.lstrip()[:14].lower().startswith(HTML):
        raise HubError(
            f"{url} is a web page, not the file. Networks with a login page send it for every "
            "address",
            fix=MIRROR,
        )
    size = 0
    for chunk in chain([first], chunks):
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise HubError(f"{url} is larger than {byte_size(LARGEST_BYTES)}", fix=MIRROR)
        yield chunk


def _unpacked(response: Any, url: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the content of a response, which some servers compress without being asked.

    Raises
    ------
    HubError
        If the compression is unknown or damaged.
    """
    packing = response.headers.get("Content-Encoding", "identity").lower()
    received = _received(response, url, advance)
    if packing == "identity":
        yield from received
        return
    if packing != "gzip":
        raise HubError(f"{url} came in the unknown encoding {packing}", fix=MIRROR)
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        for chunk in received:
            yield unpacker.decompress(chunk)
    except zlib.error as error:
        raise HubError(f"{url} came damaged ({error})", fix=AGAIN) from error
    if not unpacker.eof:
        raise HubError(f"{url} broke off inside its compressed content", fix=AGAIN)


def _received(response: Any, url: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the bytes of a response, and make sure that all came.

    Raises
    ------
    HubError
        If the connection breaks off.
    """
    expected = response.headers.get("Content-Length", "")
    count = 0
    while True:
        with server_errors(url):
            chunk = response.read(CHUNK_BYTES)
        if not chunk:
            break
        count += len(chunk)
        advance(len(chunk))
        yield chunk
    if expected.isdigit() and count != int(expected):
        raise HubError(f"{url} broke off after {count:,} of {int(expected):,} bytes", fix=AGAIN)


@contextmanager
def server_errors(url: str) -> Iterator[None]:
    """Turn errors of a connection into one clear error.

    Raises
    ------
    HubError
        Names the address and a remedy.
    """
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code in NO_SUCH_FILE:
            raise HubError(
                f"there is no file {url} ({error.code} {error.reason})",
                fix="If you passed --mirror, check its address; else the source has moved",
            ) from error
        raise HubError(
            f"the server refused {url} ({error.code} {error.reason})",
            fix="Try again later, or name a copy of the files with --mirror",
        ) from error
    except URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise HubError(f"cannot reach {url} ({reason})", fix=MIRROR) from error
    except (OSError, HTTPException, UnicodeError) as error:
        reason = str(error) or type(error).__name__
        raise HubError(f"{url} broke off ({reason})", fix=AGAIN) from error
