from html import unescape

import pytest

from peftide.report.markup import Markup, element, joined, printable
from tests.report.conftest import NASTY, Outline


@pytest.mark.parametrize("text", [NASTY, "a < b & c > d", '"quoted"', "–é漢"])
def test_text_comes_out_of_a_parser_as_it_went_in(text: str) -> None:
    outline = Outline(element("p", text, title=text))
    assert outline.text() == printable(text)
    assert outline.all("p")[0]["title"] == printable(text)
    assert [tag for tag, _ in outline.tags] == ["p"]


def test_markup_is_kept_and_plain_text_is_not() -> None:
    assert joined([Markup("<b>x</b>"), "<b>"]) == "<b>x</b>&lt;b&gt;"
    assert unescape(joined(["a", None, 3, ["b", "c"]])) == "a3bc"


def test_attributes_are_left_out_bare_or_rounded() -> None:
    shown = element("td", class_="a", hidden=True, title=None, x=1 / 3, aria_label="say")
    assert shown == '<td class="a" hidden x="0.333333" aria-label="say"></td>'


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\x85", "\ud800", "\ufffe"])
def test_what_html_forbids_is_replaced(letter: str) -> None:
    assert printable(f"a{letter}b") == "a\ufffdb"
    assert printable("tab\tline\n") == "tab\tline\n"
