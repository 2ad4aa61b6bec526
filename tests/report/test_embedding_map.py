import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.report import embedding_map
from peftide.report.embedding_map import (
    COLOURS,
    MOST_DRAWN,
    OTHERS,
    as_file,
    colour,
    map_page,
    pictures,
)
from tests.report.conftest import NASTY, Outline

PCA: dict[str, Any] = {"name": "pca", "title": "Principal components", "axes": ["one", "two"]}

KNOWN = {"label": "label", "split": "part"}


def points(count: int, **columns: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    places = {f"pca_{axis}": random.normal(size=count) for axis in (1, 2)}
    return pd.DataFrame({"id": [f"P{k}" for k in range(count)], **columns, **places})


def record(**more: Any) -> dict[str, Any]:
    return {
        "embedded_with": "mini",
        "date": "2026-11-29T12:59:19+00:00",
        "of_pairs": False,
        "options": {"data": "t.tsv", "map": "my_map", "label_column": "label"},
        "projections": [PCA],
    } | more


def words(table: pd.DataFrame, **more: Any) -> str:
    return " ".join(text for _, text in Outline(map_page(table, record(**more), title="T")).words)


def circles(picture: str) -> list[ET.Element]:
    return ET.fromstring(picture).findall(".//circle")


def test_the_page_has_a_picture_for_each_column() -> None:
    table = points(6, label=["C1", "C2"] * 3, split=["train"] * 5 + ["test"])
    found = words(table)
    assert "By label" in found
    assert "By part" in found
    assert "C1 (3)" in found
    assert "train (5)" in found
    assert len(list(pictures(table, PCA, KNOWN))) == 2


def test_without_a_table_all_points_have_one_colour() -> None:
    ((name, picture),) = pictures(points(5), PCA, KNOWN)
    assert name == ""
    assert {one.get("fill") for one in circles(picture)} == {COLOURS[0]}
    assert "By " not in words(points(5))
    options = {"data": None, "map": "my_map", "label_column": "label"}
    assert "give a table as" in " ".join(words(points(5), options=options).split())
    assert "give a table as" not in " ".join(words(points(5)).split())


def test_a_point_says_its_id_and_value() -> None:
    table = points(4, label=["C1", "", "C2", "C2"])
    titles = {one.findtext("title") for one in circles(next(pictures(table, PCA, KNOWN))[1])}
    assert {"P0: C1", "P1: unknown", "P2: C2"} <= titles


def test_text_of_a_user_never_becomes_markup() -> None:
    page = map_page(points(4, label=[NASTY, "b", "c", "d"]), record(), title=NASTY)
    assert "<script>" not in page


def test_the_rarest_of_many_classes_are_grey() -> None:
    values = [f"c{k}" for k in range(12) for _ in range(20 - k)] + [""]
    found = colour(values, title="label")
    assert found.colours[0] == COLOURS[0]
    assert found.colours[values.index("c11")] == OTHERS
    assert "5 others (" in found.key
    assert "no label (1)" in found.key


def test_parts_stand_in_the_order_of_a_training() -> None:
    found = colour(["test", "validation", "test", "train"], title="part")
    assert [found.colours[k] for k in (3, 1, 0)] == list(COLOURS[:3])


def test_many_numbers_have_a_scale() -> None:
    values = [str(k / 10) for k in range(40)] + [""]
    found = colour(values, title="label")
    assert len(set(found.colours)) > 30
    assert found.colours[-1] == embedding_map.UNKNOWN
    assert "≤ " in found.key


def test_another_column_is_called_by_its_name() -> None:
    options = {"data": "t.tsv", "map": "my_map", "label_column": "organism"}
    found = words(points(4, label=["yeast"] * 3 + [""]), options=options)
    assert "By organism" in found
    assert "no organism (1)" in found


def test_few_numbers_are_classes() -> None:
    assert "0 (2)" in colour(["0", "1", "0"], title="label").key


def test_labels_of_pairs_are_explained() -> None:
    table = points(4, label=["0.5"] * 4)
    assert "mean over all pairs" in words(table, of_pairs=True)
    assert "mean over all pairs" not in words(table)


def test_of_large_maps_a_sample_is_drawn() -> None:
    table = points(MOST_DRAWN + 10, label=["C1"] * (MOST_DRAWN + 10))
    assert "A random sample of 4,000 is drawn" in words(table)
    drawn = circles(next(pictures(table, PCA, KNOWN))[1])
    assert len(drawn) == MOST_DRAWN + 1  # and that of the key


@pytest.mark.parametrize("count", [4, 400])
def test_a_picture_is_a_file_of_its_own(count: int) -> None:
    """With colours that need no page, and a style for dark screens."""
    table = points(count, label=["C1", "<b>&"] * (count // 2))
    text = as_file(next(pictures(table, PCA, KNOWN))[1])
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert int(root.get("width", "0")) == 640
    assert "prefers-color-scheme: dark" in text
    assert "var(--" not in text
