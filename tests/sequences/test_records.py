"""How findings and rows are spelled for the log."""

from pathlib import Path

import numpy as np

from peftide.sequences.records import Examples, Finding, Proteins


def test_finding_is_one_line():
    plain = Finding("train", "self_pairs", 1_234, "left out")
    assert str(plain) == "train: 1,234 self pairs: left out"
    placed = Finding("train", "self_pairs", 2, "left out", ("a.tsv:2", "a.tsv:5"))
    assert str(placed) == "train: 2 self pairs: left out (for instance a.tsv:2, a.tsv:5)"


def test_lengths_and_places():
    rows = Examples(Path("a.tsv"), np.array([2, 5]), np.array([[0], [0]]), np.array([True, False]))
    assert (len(rows), rows.where(1)) == (2, "a.tsv:5")
    assert len(Proteins(("a", "b"), ("MA", "MB"))) == 2
