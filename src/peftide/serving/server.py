"""A page → a server on a port, without any connection to other machines."""

import asyncio
import logging
import math
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from peftide.config import AppConfig
from peftide.errors import InputError
from peftide.on_demand import require_library
from peftide.predictor import load
from peftide.serving.neighbours import neighbours_of
from peftide.serving.page import Page
from peftide.serving.service import Service

logger = logging.getLogger(__name__)

EXTRA = "app"
HIGHEST_PORT = 65_535
SECONDS_TO_CLOSE = 2
"""Seconds that open connections have to end."""
FONT = ("system-ui", "Liberation Sans", "sans-serif")
MONOSPACE = ("ui-monospace", "Liberation Mono", "monospace")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'self'"
)
"""The browser loads nothing from elsewhere, whatever a library asks for."""
STREAM, BEGINNING, LAST_MESSAGE = "/queue/data", "/queue/join", b"close_stream"
SECONDS_TO_NOTICE = 2
"""Seconds in which a page notices that its stream has ended."""
UNTRANSLATED = {"common.complete": "Done"}
"""What gradio 6.31 says to screen readers without having words for it."""


@contextmanager
def serving(config: AppConfig) -> Iterator[str]:
    """Serve the page of a run in the background; yield its address.

    Raises
    ------
    InputError
        If the run has no model, the extra is not installed, or the port is taken.
    """
    for library in ("gradio", "fastapi", "uvicorn"):
        require_library(library, extra=EXTRA)
    listening = listen(config)
    with listening, quiet_readers(), tempfile.TemporaryDirectory(prefix="peftide-app-") as folder:
        predictor = load(
            config.run,
            device=config.device,
            precision=config.precision,
            threads=config.threads,
            allow_bin=config.allow_bin,
            backbone=config.backbone,
        )
        known = neighbours_of(config.run, predictor.answering.labels.class_names)
        page = Page(Service(predictor, config), known, files=Path(folder))
        server = _server(application(page, config))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://{config.host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@contextmanager
def quiet_readers() -> Iterator[None]:
    """Keep what is read, in each request, out of the log of the server."""
    log = logging.getLogger("peftide.sequences")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def listen(config: AppConfig) -> socket.socket:
    """Return a socket that listens on the port.

    Raises
    ------
    InputError
        If the port is taken or the address is not one of this machine.
    """
    if config.port > HIGHEST_PORT:
        raise InputError(
            f"received {config.port}", expected=f"at most {HIGHEST_PORT}", where="--port"
        )
    try:
        return socket.create_server((config.host, config.port), backlog=128)
    except OSError as error:
        raise InputError(
            f"cannot listen on {config.host}:{config.port} ({error.strerror})",
            where="--port",
            fix="Choose another --port (0 takes a free one) or --host",
        ) from error


class Streams:
    """The streams by which pages read the progress of long work.

    gradio ends the stream of a page with its last work. A page that begins new work in this moment
    takes the stream for open, and would wait for ever. So work begins after the page has noticed.
    Programs, such as gradio's client for Python, are not held up.
    """

    def __init__(self) -> None:
        self.ended = -math.inf

    async def watched(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks of a stream, and note when it ends."""
        async for chunk in chunks:
            if LAST_MESSAGE in chunk:
                self.ended = time.monotonic()
            yield chunk

    async def noticed(self) -> None:
        """Wait until pages have noticed the end of the last stream."""
        await asyncio.sleep(max(0.0, self.ended + SECONDS_TO_NOTICE - time.monotonic()))


def application(page: Page, config: AppConfig) -> Any:
    """Return the web application: the page, its looks, its limits and its policy."""
    import fastapi
    import gradio

    streams = Streams()
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def add_policy(request: Any, following: Any) -> Any:
        response = await following(request)
        if request.url.path.endswith(STREAM):
            response.body_iterator = streams.watched(response.body_iterator)
        if request.url.path.endswith(BEGINNING) and "origin" in request.headers:  # a browser
            await streams.noticed()
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return gradio.mount_gradio_app(
        app,
        page.build(),
        path="/",
        server_name=config.host,
        server_port=config.port,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        max_file_size=int(config.upload_mb * 1e6),
        allowed_paths=[str(page.files)],
        theme=gradio.themes.Base(font=[*FONT], font_mono=[*MONOSPACE]),
        i18n=gradio.I18n(en=UNTRANSLATED),
        css=(files("peftide.serving") / "page.css").read_text(encoding="utf-8"),
    )


def _server(app: Any) -> Any:
    import uvicorn

    class Quiet(uvicorn.Server):
        """A server in a thread, which must not touch the signals of the process."""

        def install_signal_handlers(self) -> None:
            """Install none."""

    return Quiet(
        uvicorn.Config(
            app, log_level="error", access_log=False, timeout_graceful_shutdown=SECONDS_TO_CLOSE
        )
    )
