"""The heat map is SVG with one square per single substitution."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from peftide.report.heat_map import (
    BAND_HEIGHT,
    LETTERS,
    UNSCORED,
    WILD_TYPE,
    Bands,
    colour_of,
    heat_map,
)
from peftide.sequences.mutants import LETTERS as KNOWN

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_every_amino_acid_has_a_row() -> None:
    assert sorted(LETTERS) == sorted(KNOWN)


def test_one_square_per_single_substitution() -> None:
    text = heat_map(
        ["M11A", "K12R", "M11A:K12R"], [1.0, -2.0, 3.0], "MK", offset=10, answer="A & B"
    )
    root = ElementTree.fromstring(text)
    titles = [found.text for found in root.iter(f"{NAMESPACE}title")]
    assert titles == ["M11A: 1", "K12R: -2"]
    assert len(list(root.iter(f"{NAMESPACE}circle"))) == 2 + 1  # the wild type's letters, the key
    said = [found.text for found in root.iter(f"{NAMESPACE}text")]
    assert said[0] == "A & B of each substitution"
    assert {"residue of the wild type", "not scored", "≤ −1.94", "≥ 0.94"} <= set(said)


def test_a_site_without_scores_is_grey_except_for_its_own_residue() -> None:
    root = ElementTree.fromstring(heat_map([], [], "AC", offset=0, answer="x"))
    fills = [found.get("fill") for found in root.iter(f"{NAMESPACE}rect")]
    assert fills.count(UNSCORED) == 2 * 19 + 1  # and the key
    assert fills.count(WILD_TYPE) == 1 + 2 + 1  # the paper, the residues, the key


def test_a_long_protein_has_bands_of_about_equal_length() -> None:
    bands = Bands("M" * 101, 0)
    assert (bands.count, bands.sites) == (2, 60)
    (left, top), (lower_left, lower) = bands.place(1), bands.place(61)
    assert (left, lower - top) == (lower_left, BAND_HEIGHT)


def test_colours_run_from_the_lowest_to_the_highest() -> None:
    limits = np.array([-1.0, 0.0, 2.0])
    assert colour_of(-5.0, limits) == "#b2182b"
    assert colour_of(2.0, limits) == "#2166ac"
    assert colour_of(0.0, np.zeros(3)) == "#f7f7f7"
