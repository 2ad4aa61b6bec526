"""A web server on this machine, which can do everything that goes wrong with a download."""

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

PAGE = b"\n<!DOCTYPE html>\n<html><body>Please log in to the network</body></html>"


@dataclass
class Files:
    """The files of a web server.

    Attributes
    ----------
    address
        Address of the server.
    content
        Path below the address → content.
    wrong
        Path → what goes wrong with it.
    asked
        Paths in the order of the requests.
    """

    address: str
    content: dict[str, bytes] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)


@dataclass
class Answer:
    """An answer of the server: `sent` is the body."""

    sent: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


def cut(content: bytes) -> Answer:
    return Answer(content[: len(content) // 2], {"Content-Length": str(len(content))})


def packed(sent: bytes, by: str = "gzip") -> Answer:
    return Answer(sent, {"Content-Encoding": by})


WRONG: dict[str, Callable[[bytes], Answer]] = {
    "": Answer,
    "half": cut,
    "hangs": cut,
    "busy": lambda _: Answer(b"later", status=503),
    "page": lambda _: Answer(PAGE, {"Content-Type": "text/plain"}),
    "page by its type": lambda _: Answer(b"Log in", {"Content-Type": "text/html; charset=utf-8"}),
    "gzip": lambda content: packed(gzip.compress(content)),
    "half gzip": lambda content: packed(gzip.compress(content)[:-9]),
    "no gzip": packed,
    "brotli": lambda content: packed(content, "br"),
    "chunks": lambda content: Answer(b"fff\r\n" + content[:5], {"Transfer-Encoding": "chunked"}),
}
"""What goes wrong → the answer with it."""


class Handler(BaseHTTPRequestHandler):
    """Answers every request by the files of its server."""

    files: ClassVar[Files]

    def log_message(self, format: str, *args: Any) -> None:
        """Keep silent."""

    def do_GET(self) -> None:
        """Send a file, or what is to go wrong."""
        path = self.path.removeprefix("/")
        self.files.asked.append(path)
        wrong = self.files.wrong.get(path, "")
        if path not in self.files.content:
            self.send_error(404)
            return
        answer = self.answer(wrong, self.files.content[path])
        # only in version 1.1 a body may come in chunks
        self.protocol_version = "HTTP/1.1" if wrong == "chunks" else "HTTP/1.0"
        self.close_connection = True
        self.send_response(answer.status)
        size = {} if wrong == "chunks" else {"Content-Length": str(len(answer.sent))}
        for header, value in (size | answer.headers).items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(answer.sent)
        if wrong == "hangs":
            self.files.goes_on.wait(30)

    def answer(self, wrong: str, content: bytes) -> Answer:
        """Return the answer with what is to go wrong."""
        if wrong.startswith("to "):
            return Answer(b"", {"Location": wrong.removeprefix("to ")}, status=302)
        return WRONG[wrong](content)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """The files of a server that runs until the test ends."""
    monkeypatch.setenv("no_proxy", "*")
    served = Files("")
    handler = type("Own", (Handler,), {"files": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        served.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.goes_on.set()
        server.shutdown()
        thread.join()
