from peftide.report.markup import element
from peftide.report.tables import facts, section, table
from tests.report.conftest import NASTY, Outline


def test_header_cells_say_what_they_head() -> None:
    outline = Outline(table(["", "test"], [["AUROC", 0.5], ["F1", "–"]], label="Scores"))
    assert [head["scope"] for head in outline.all("th")] == ["col", "row", "row"]
    assert outline.text("td") == "0.5–"


def test_a_wide_table_scrolls_in_a_frame_that_the_keyboard_reaches() -> None:
    (frame,) = Outline(table(["a"], [["b"]], label=NASTY)).all("div")
    assert frame["role"] == "region"
    assert frame["tabindex"] == "0"
    assert str(frame["aria-label"]).startswith("<script>")


def test_facts_leave_out_what_is_unknown() -> None:
    shown = facts([("a", None), ("b", ""), ("c", 0)], label="F")
    assert shown is not None
    assert Outline(shown).text() == "Fc0"
    assert facts([("a", None)], label="F") is None


def test_a_section_without_content_is_none() -> None:
    assert section("Empty", None, [], intro="Unread.") is None
    shown = section("Full", element("p", "x"), None, intro="Read.")
    assert shown is not None
    assert Outline(shown).text() == "FullRead.x"
