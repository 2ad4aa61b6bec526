"""Plain lines where there is no terminal, a bar where there is one."""

import sys
import time

import pytest

from peftide import progress
from peftide.progress import Meter, meter, working


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


def test_lines_are_30_seconds_apart(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=100, unit="tokens") as done:
        for _ in range(100):
            clock.now += 1
            done.advance(1)
    assert [text.split(" · ")[0] for text in lines.messages] == [
        "embedding: 30 %",
        "embedding: 60 %",
        "embedding: 90 %",
    ]


def test_short_work_says_nothing(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 1
        done.advance(10)
    assert lines.messages == []


def test_no_work_done_yet_leaves_an_unknown_time(clock: Clock, lines: pytest.LogCaptureFixture):
    with meter("embedding", total=10, unit="tokens") as done:
        clock.now += 31
        done.advance(0)
    assert lines.messages == ["embedding: 0 % · 0 tokens/s · unknown time left"]


def test_a_terminal_gets_a_bar_and_no_lines(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, lines: pytest.LogCaptureFixture
):
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
