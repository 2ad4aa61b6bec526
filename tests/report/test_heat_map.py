"""The heat map is SVG with one square per single substitution."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from peftide.report.heat_map import LETTERS, colour_of, heat_map
from peftide.sequences.mutants import LETTERS as KNOWN

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_every_amino_acid_has_a_row() -> None:
    assert sorted(LETTERS) == sorted(KNOWN)


def test_one_square_per_single_substitution() -> None:
    text = heat_map(["M11A", "K12R", "M11A:K12R"], [1.0, -2.0, 3.0], "MK", offset=10)
    root = ElementTree.fromstring(text)
    titles = [found.text for found in root.iter(f"{NAMESPACE}title")]
    assert titles == ["M11A: 1", "K12R: -2"]
    assert len(list(root.iter(f"{NAMESPACE}circle"))) == 2  # the wild type's own letters


def test_colours_run_from_the_lowest_to_the_highest() -> None:
    limits = np.array([-1.0, 0.0, 2.0])
    assert colour_of(-5.0, limits) == "#b2182b"
    assert colour_of(2.0, limits) == "#2166ac"
    assert colour_of(0.0, np.zeros(3)) == "#f7f7f7"
