"""Plain lines where there is no terminal, a bar where there is one."""

import io
import logging
import os
import pty
import re
import select
import sys
import time

import pytest
from rich.console import Console
from rich.progress import Progress

from peftide import progress
from peftide.progress import Meter, bar_columns, is_saying_once, meter, saying_once, working


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO")
    return caplog


def test_a_line_says_share_rate_and_time_left(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=10_000, unit="tokens") as done:
        clock.now += 40
        done.advance(4_000)
    assert lines.messages == ["embedding: 40 % · 100 tokens/s · 1 min 0 s left"]
    assert lines.records[0].levelname == "INFO"


def test_work_of_an_earlier_call_counts_for_the_share_alone(
    clock: Clock, lines: pytest.LogCaptureFixture
):
    with meter("embedding", total=10_000, unit="tokens") as done:
        done.begin_at(6_000)
        clock.now += 20
        done.advance(2_000)
    assert lines.messages == ["embedding: 80 % · 100 tokens/s · 20 s left"]


def test_the_first_line_comes_after_5_seconds_and_others_30_seconds_apart(
    clock: Clock, lines: pytest.LogCaptureFixture
):
    with meter("embedding", total=100, unit="tokens") as done:
        for _ in range(100):
            clock.now += 1
            done.advance(1)
    assert [text.split(" · ")[0] for text in lines.messages] == [
        "embedding: 5 %",
        "embedding: 35 %",
        "embedding: 65 %",
        "embedding: 95 %",
    ]


def test_short_work_says_nothing(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 1
        done.advance(10)
    assert lines.messages == []


def test_work_that_is_about_to_end_says_nothing(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("epoch 1/20", total=100, unit="examples") as done:
        for _ in range(9):
            clock.now += 1
            done.advance(11)
    assert lines.messages == []


def test_little_work_done_yet_forecasts_no_time(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 31
        done.advance(0)
    assert lines.messages == ["embedding: 0 % · 0 tokens/s"]


def test_a_line_ends_with_the_text_beside_it(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("epoch 2/3", total=10, unit="examples", beside="validation 0.5") as done:
        clock.now += 40
        done.advance(5)
    assert lines.messages[0].endswith(" left · validation 0.5")


def test_a_dumb_terminal_gets_lines(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, lines: pytest.LogCaptureFixture
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for name in ("dumb", ""):
        monkeypatch.setenv("TERM", name)
        with meter("embedding", total=10, unit="tokens") as done:
            assert type(done) is Meter


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_bar_is_one_line(width: int):
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    title, beside = "epoch 12/20", "validation 0.512 · ≤ 3 min 54 s left"
    with Progress(*bar_columns(width, title), console=console) as shown:
        shown.add_task(title, total=10, completed=5, unit="examples", beside=beside)
    drawn = [
        line for line in re.split(r"[\r\n]+|\x1b\[[?\d]*\w", stream.getvalue()) if line.strip()
    ]
    assert {line[:11] for line in drawn} == {title}
    assert max(map(len, drawn)) <= width
    assert "validation 0.5" in drawn[-1]
    assert (beside in drawn[-1]) == (width > 40)


def test_a_log_line_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch):
    reader, writer = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    with open(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with meter("embedding", total=10, unit="tokens") as done:
            done.advance(5)
            sys.stderr.write("note: 3 rows\n")
            with meter("inner", total=1, unit="rows") as inner:
                assert type(inner) is Meter  # one bar at a time
        stream.flush()
        found = b""
        while select.select([reader], [], [], 0.05)[0]:
            found += os.read(reader, 100_000)
    written = found.decode()
    assert re.search(r"(^|\n|\x1b\[2K)note: 3 rows\r\n", written)
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0  # the cursor comes back


def test_a_terminal_gets_a_bar_and_no_lines(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, lines: pytest.LogCaptureFixture
):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 100
        done.advance(5)
        assert type(done) is not Meter
    assert lines.messages == []


def test_nothing_goes_to_standard_output(capsys: pytest.CaptureFixture[str], clock: Clock):
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 100
        done.advance(5)
    assert capsys.readouterr().out == ""


def test_a_long_step_says_that_it_runs(
    monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BEFORE_FIRST", 0.01)
    with working("baseline kmer"):
        while not lines.messages:
            time.sleep(0.01)
    assert lines.messages[0].startswith("baseline kmer: ")
    assert lines.messages[0].endswith(" so far")


def test_a_short_step_says_nothing_and_an_error_passes(lines: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="wrong"), working("baseline kmer"):
        raise ValueError("wrong")
    assert lines.messages == []


def test_lines_about_the_data_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="peftide")
    tables, training = (logging.getLogger(f"peftide.{name}") for name in ("sequences", "training"))
    assert not is_saying_once()
    with saying_once():
        assert is_saying_once()
        for _ in range(2):
            tables.info("a.tsv: read %d rows", 3)
            training.info("note: the weights are random")
            training.info("epoch 1")
    tables.info("a.tsv: read 3 rows")
    assert caplog.messages == [
        "a.tsv: read 3 rows",
        "note: the weights are random",
        "epoch 1",
        "epoch 1",
        "a.tsv: read 3 rows",
    ]
