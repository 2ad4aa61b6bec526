"""The heat map is SVG with one square per single substitution."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from peftide.report.heat_map import (
    LETTERS,
    UNSCORED,
    WILD_TYPE,
    Bands,
    as_file,
    colour_of,
    heat_map,
)
from peftide.sequences.mutants import LETTERS as KNOWN

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_every_amino_acid_has_a_row() -> None:
    assert sorted(LETTERS) == sorted(KNOWN)


def test_one_square_per_single_substitution() -> None:
    text = heat_map(
        ["M11A", "K12R", "M11A:K12R"], [1.0, -2.0, 3.0], Bands("MK", 10), answer="A & B"
    )
    root = ElementTree.fromstring(as_file(text))
    titles = [found.text for found in root.iter(f"{NAMESPACE}title")]
    assert titles == ["M11A: 1", "K12R: -2"]
    assert len(list(root.iter(f"{NAMESPACE}circle"))) == 2 + 1  # the wild type's letters, the key
    said = [found.text for found in root.iter(f"{NAMESPACE}text")]
    assert said[0] == "A & B"
    assert {"residue of the wild type", "not scored", "≤ −1.94", "≥ 0.94"} <= set(said)


def test_a_site_without_scores_is_grey_except_for_its_own_residue() -> None:
    root = ElementTree.fromstring(heat_map([], [], Bands("AC"), answer="x"))
    fills = [found.get("fill") for found in root.iter(f"{NAMESPACE}rect")]
    assert fills.count(UNSCORED) == 2 * 19 + 1  # and the key
    assert fills.count(WILD_TYPE) == 1 + 2 + 1  # the paper, the residues, the key


def test_a_long_protein_has_bands_of_about_equal_length() -> None:
    bands = Bands("M" * 101, 0)
    assert (bands.count, bands.sites) == (2, 60)
    (left, top), (lower_left, lower) = bands.place(1), bands.place(61)
    assert (left, lower - top) == (lower_left, bands.height)


def test_colours_run_from_the_lowest_to_the_highest() -> None:
    limits = np.array([-1.0, 0.0, 2.0])
    assert colour_of(-5.0, limits) == "#b2182b"
    assert colour_of(2.0, limits) == "#2166ac"
    assert colour_of(0.0, np.zeros(3)) == "#f7f7f7"


def test_bars_stand_above_the_squares_of_their_site() -> None:
    bands = Bands("MKV", has_bars=True)
    text = heat_map(["M1A", "V3A"], [0.5, -0.5], bands, answer="x", middle=0.0, bars=[1, -2, 0.5])
    root = ElementTree.fromstring(text)
    found = {
        str(rect[0].text): {key: float(rect.get(key) or 0) for key in ("x", "y", "height")}
        for rect in root.iter(f"{NAMESPACE}rect")
        if len(rect)
    }
    assert {*found} == {"M1A: 0.5", "V3A: -0.5", "M1: 1", "K2: -2", "V3: 0.5"}
    assert found["M1: 1"]["x"] == found["M1A: 0.5"]["x"]
    assert found["V3: 0.5"]["x"] == found["V3A: -0.5"]["x"]
    heights = [found[name]["height"] for name in ("M1: 1", "K2: -2", "V3: 0.5")]
    np.testing.assert_allclose(heights, [20, 40, 10])
    assert found["M1: 1"]["y"] + 20 == found["K2: -2"]["y"]  # up and down from one line
    assert found["K2: -2"]["y"] + 40 <= found["M1A: 0.5"]["y"]
    said = [one.text for one in root.iter(f"{NAMESPACE}text")]
    assert "unchanged 0" in said


def test_bars_may_stand_alone() -> None:
    bands = Bands("MK", has_bars=True, has_squares=False)
    root = ElementTree.fromstring(heat_map([], [], bands, answer="x", bars=[1.0, 2.0]))
    assert len(list(root.iter(f"{NAMESPACE}rect"))) == 1 + 2  # the paper and the bars
