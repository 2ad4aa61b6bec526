"""Counting one at a time, and counting rows."""

import numpy as np

from peftide.sequences.records import Finding
from peftide.sequences.tallies import Tally, row_findings


def test_tally_counts_all_and_shows_three():
    tally = Tally("odd_things", "kept")
    for line in range(5):
        tally.add(f"a:{line}")
    assert tally.findings("test") == (
        Finding("test", "odd_things", 5, "kept", ("a:0", "a:1", "a:2")),
    )


def test_nothing_counted_is_no_finding():
    assert Tally("odd_things", "kept").findings("test") == ()
    rows = np.zeros(3, dtype=bool)
    assert row_findings("test", "odd", rows, where=str, decision="kept") == ()


def test_rows_are_counted_and_placed():
    rows = np.array([True, False, True])
    found = row_findings("test", "odd", rows, where=lambda row: f"a:{row}", decision="kept")
    assert found == (Finding("test", "odd", 2, "kept", ("a:0", "a:2")),)


def test_examples_are_of_different_places():
    rows = np.ones(6, dtype=bool)
    (found,) = row_findings("test", "odd", rows, where=lambda row: f"a:{row // 4}", decision="kept")
    assert (found.count, found.examples) == (6, ("a:0", "a:1"))
