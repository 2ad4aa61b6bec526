"""Families of sequences whose kinship is known, and both tools where they are."""

import shutil
from collections.abc import Sequence

import numpy as np
import pytest

from peftide.similarity import SimilaritySettings

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


@pytest.fixture(params=["pyopal", pytest.param("mmseqs", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest) -> SimilaritySettings:
    """The default rule with either tool; each call of MMseqs2 costs 3 s of CPU."""
    return with_mmseqs() if request.param == "mmseqs" else SimilaritySettings(tool="pyopal")


def with_mmseqs() -> SimilaritySettings:
    """Return the default rule with MMseqs2, or skip the test where it is not installed."""
    if shutil.which("mmseqs") is None:
        pytest.skip("MMseqs2 is not installed (Debian: apt-get install mmseqs2)")
    return SimilaritySettings(tool="mmseqs", threads=1)


def random_proteins(count: int, *, length: int = 200, seed: int = 0) -> list[str]:
    """Return unrelated random sequences."""
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list(RESIDUES), length)) for _ in range(count)]


def relatives(ancestors: Sequence[str], *, changed: float, seed: int = 1) -> list[str]:
    """Return each sequence with a share of its residues replaced by others."""
    generator = np.random.default_rng(seed)
    return ["".join(_mutate(list(text), changed, generator)) for text in ancestors]


def _mutate(residues: list[str], changed: float, generator: np.random.Generator) -> list[str]:
    places = generator.choice(len(residues), round(changed * len(residues)), replace=False)
    for place in places:
        others = [letter for letter in RESIDUES if letter != residues[place]]
        residues[place] = str(generator.choice(others))
    return residues
