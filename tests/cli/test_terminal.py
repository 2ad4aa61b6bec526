"""The bytes that a pseudo-terminal, a pipe and a dumb terminal get."""

import os
import pty
import select
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from peftide.cli.streams import complain, say
from peftide.cli.terminal import has_colours, is_plain, styled, width_of, wrapped

NOTE = "note: 12 rows of the table are repeats of others; run `peftide audit --data t.tsv` to see"
Terminal = tuple[TextIO, Callable[[], str]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Yield a stream to a pseudo-terminal of 40 columns, and a function that reads its bytes."""
    reader, writer = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def read() -> str:
        stream.flush()
        found = b""
        while select.select([reader], [], [], 0.05)[0]:
            found += os.read(reader, 10_000)
        return found.decode().replace("\r\n", "\n")

    with open(writer, "w", encoding="utf-8") as stream:
        yield stream, read
    os.close(reader)


def test_a_terminal_gets_wrapped_lines_and_colours(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, read = terminal
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    say("verdict: above the best baseline, kmer, by 0.1", style="good")
    complain("error: t.tsv: no such file", style="bad")
    complain("next: peftide predict my_run --input new.tsv --out x.tsv", style="strong", wrap=False)
    assert read() == (
        "\x1b[1;32mverdict: above the best baseline, kmer,\x1b[0m\n"
        "\x1b[1;32m  by 0.1\x1b[0m\n"
        "\x1b[1;31merror:\x1b[0m t.tsv: no such file\n"
        "\x1b[1mnext:\x1b[0m peftide predict my_run --input new.tsv --out x.tsv\n"
    )


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")])
def test_a_user_or_a_dumb_terminal_refuses_colours(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    stream, read = terminal
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    say("verdict: no leak", style="good")
    assert read() == "verdict: no leak\n"
    assert not has_colours(stream)
    assert is_plain(stream) == (name == "TERM")


def test_a_pipe_gets_whole_lines_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    say(NOTE, style="good")
    complain(NOTE, style="bad")
    captured = capsys.readouterr()
    assert captured.out == captured.err == f"{NOTE}\n"
    assert width_of(sys.stdout) is None


def test_the_width_is_that_of_the_terminal_unless_the_user_names_one(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = terminal
    assert width_of(stream) == 40
    monkeypatch.setenv("COLUMNS", "3")
    assert width_of(stream) == 20
    monkeypatch.setenv("COLUMNS", "wide")
    assert width_of(stream) == 80  # a new pseudo-terminal has no size


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_fit_the_width_and_commands_stay_whole(width: int) -> None:
    lines = wrapped(f"first\n    {NOTE}\n\nlast", width).split("\n")
    assert [lines[0], *lines[-2:]] == ["first", "", "last"]
    assert max(map(len, lines)) <= width
    assert any("`peftide audit --data t.tsv`" in line for line in lines)
    assert all(line.startswith("    ") for line in lines[1:-2])
    assert " ".join(" ".join(lines[1:-2]).split()) == NOTE


def test_a_word_longer_than_the_width_is_not_broken() -> None:
    path = "folder/" * 10 + "table.tsv"
    assert wrapped(f"table: {path}", 40) == f"table:\n  {path}"
    assert styled("", "good", sys.stdout) == ""
