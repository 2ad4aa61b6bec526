"""The page in a real browser: fill in, click, read the answer."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from peftide.config import AppConfig
from peftide.errors import InputError
from peftide.serving.server import POLICY, Streams, listen
from tests.conftest import labelled_rows

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FIRST, SECOND = (str(text) for text in labelled_rows("ppi", "test", 2)[0][:2])
LONG = 3 * FIRST


def test_a_taken_port_and_a_foreign_address_are_one_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{port}.*another --port"):
            listen(AppConfig(run=tmp_path, port=port))
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1:0"):
        listen(AppConfig(run=tmp_path, port=0, host="192.0.2.1"))
    with pytest.raises(InputError, match="--port: received 70000; expected at most 65535"):
        listen(AppConfig(run=tmp_path, port=70_000))
    with listen(AppConfig(run=tmp_path, port=0)) as found:
        assert found.getsockname()[0] == "127.0.0.1"


def test_work_waits_until_a_page_knows_that_its_stream_has_ended() -> None:
    async def sent() -> AsyncIterator[bytes]:
        yield b'data: {"msg":"close_stream"}'

    async def seconds_of_wait(streams: Streams) -> float:
        started = time.monotonic()
        await streams.noticed()
        return time.monotonic() - started

    async def both() -> tuple[float, float]:
        streams = Streams()
        before = await seconds_of_wait(streams)
        assert [chunk async for chunk in streams.watched(sent())]
        return before, await seconds_of_wait(streams)

    before, after = asyncio.run(both())
    assert before < 1 < after


@pytest.fixture(scope="module")
def address(trained: Callable[[str, str], Path]) -> Iterator[str]:
    """Address of `peftide app`, in a process of its own."""
    pytest.importorskip("gradio", reason="the extra `app` is not installed")
    words = ["app", str(trained("ppi", "head")), "--port", "0", "--threads", "1"]
    words += ["--device", "cpu", "--precision", "fp32", "--most-rows", "50"]
    process = subprocess.Popen(
        [sys.executable, "-m", "peftide", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("open http://127.0.0.1:"), said
            yield said.split()[1]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with contextlib.closing(found):
            yield found


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page; at the end, nothing may have been asked of another machine."""
    with contextlib.closing(browser.new_page()) as found:
        asked: list[str] = []
        found.on("request", lambda request: asked.append(request.url))
        found.set_default_timeout(60_000)
        found.goto(address)
        yield found
        foreign = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
        assert not foreign


def test_the_browser_may_load_nothing_from_elsewhere(address: str) -> None:
    with urlopen(address) as answer:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert "https://fonts" not in answer.read().decode()


def test_a_pair_is_answered_by_mouse_and_by_keyboard(page: Any) -> None:
    page.get_by_role("textbox", name="First protein").fill(FIRST)
    page.get_by_role("button", name="Answer", exact=True).click()
    assert "sequence 2 is empty" in page.get_by_role("alert").inner_text()
    page.get_by_role("textbox", name="Second protein").fill(f">p2\n{SECOND}\n")
    page.get_by_role("textbox", name="Second protein").press("Tab")  # the error rate
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Probability of yes").wait_for()
    assert page.get_by_role("alert").count() == 0
    page.get_by_role("button", name="Explain by substitutions").click()
    page.get_by_role("img", name="change of the score").wait_for()
    assert f"{FIRST[0]}1" in page.locator(".picture svg").inner_html()


def ask(page: Any, first: str, second: str) -> None:
    page.get_by_role("textbox", name="First protein").fill(first)
    page.get_by_role("textbox", name="Second protein").fill(second)
    page.get_by_role("button", name="Answer", exact=True).click()


def answered(page: Any, first: str, second: str) -> None:
    """Wait for an answer about two proteins."""
    page.get_by_text(f"About {first[:12]}… ({len(first)} residues) and {second[:12]}").wait_for()


def test_the_last_of_quick_questions_is_answered(page: Any) -> None:
    texts = [LONG[:length] for length in range(40, 60)]
    for text in texts:
        ask(page, text, SECOND)
    answered(page, texts[-1], SECOND)
    for text in texts[:5]:  # as soon as the answer before is there
        ask(page, "MK1", SECOND)
        page.get_by_role("alert").wait_for()
        ask(page, text, SECOND)
        answered(page, text, SECOND)


def test_a_new_question_ends_the_old_explanation(page: Any) -> None:
    picture, explain = page.locator(".picture svg"), "Explain by substitutions"
    ask(page, LONG, SECOND)
    answered(page, LONG, SECOND)
    page.get_by_role("button", name=explain).click()
    picture.wait_for()  # partly done
    ask(page, SECOND, LONG)
    answered(page, SECOND, LONG)
    picture.wait_for(state="detached")
    page.wait_for_timeout(500)
    assert picture.count() == 0
    page.get_by_role("button", name=explain).click()
    page.get_by_role("radio", name="Second protein").check()
    page.get_by_role("button", name=explain).click()  # the first one is still at work
    page.get_by_text(f"About {LONG[:12]}… ({len(LONG)} residues).").wait_for()


def test_an_odd_error_rate_is_one_message(page: Any) -> None:
    ask(page, FIRST, SECOND)
    for text in ("", "0", "5"):
        page.get_by_role("spinbutton").first.fill(text)
        page.get_by_role("button", name="Answer", exact=True).click()
        page.get_by_text(f"the error rate is {text or 'empty'}").wait_for()
    assert "common." not in page.locator("body").text_content()  # a word that gradio lacks


def test_many_are_answered_and_downloaded(page: Any) -> None:
    page.get_by_role("tab", name="Many").click()
    table = page.get_by_role("textbox", name="Table")
    table.fill("sequence_a\tsequence_b\n" + f"{FIRST}\t{SECOND}\n" * 51)
    page.get_by_role("button", name="Answer all").click()
    page.get_by_text("there are 51 rows; expected at most 50").wait_for()
    table.fill(f"sequence_a\tsequence_b\n{FIRST}\t{SECOND}\n")
    page.get_by_role("button", name="Answer all").click()
    page.get_by_text("1 of 1 rows", exact=True).wait_for()
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    text = Path(download.value.path()).read_text()
    assert text.startswith("id_a\tid_b\tscore\tprobability\tprediction")
    assert len(text.splitlines()) == 2


def test_the_page_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("textbox", name="First protein").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
