"""Amino acids that are alike have a large kernel."""

import numpy as np

from peftide.sequences.mutants import LETTERS
from peftide.variants.letters import amino_acid_properties, letter_kernel


def test_properties_are_standardised_in_the_order_of_the_letters() -> None:
    values = amino_acid_properties()
    assert len(values) == len(LETTERS)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(values.std(axis=0), 1)


def test_the_kernel_is_one_for_itself_and_positive() -> None:
    kernel = letter_kernel()
    np.testing.assert_allclose(kernel.diagonal(), 1)
    np.testing.assert_allclose(kernel, kernel.T)
    assert np.linalg.eigvalsh(kernel).min() > 0
    row = dict(zip(LETTERS, kernel[LETTERS.index("K")], strict=True))
    assert row["R"] > row["E"] > row["F"]
