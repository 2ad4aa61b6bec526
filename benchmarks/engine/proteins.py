"""Real proteins and pairs to measure on, cropped to 1,022 residues; samples spread by length."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from peftide.sequences import read_fasta

CROP = 1022
SPECIAL_TOKENS = 2


@dataclass(frozen=True)
class Pairs:
    """Pairs as numbers of distinct proteins. Shapes: members (B, 2), labels (B,)."""

    sequences: list[str]
    members: np.ndarray
    labels: np.ndarray

    @property
    def tokens(self) -> np.ndarray:
        """Tokens of each protein."""
        return tokens_of(self.sequences)


def tokens_of(sequences: list[str]) -> np.ndarray:
    return np.array([len(text) + SPECIAL_TOKENS for text in sequences])


def gold(part: str) -> Pairs:
    """Return a part of the human gold standard: train, valid or test."""
    table = pd.read_csv(_folder("ppi_gold") / f"{part}.tsv", sep="\t")
    texts = _texts("ppi_gold")
    ids, members = np.unique(table[["id_a", "id_b"]].to_numpy(str), return_inverse=True)
    labels = table["label"].to_numpy(float)
    return Pairs([texts[i] for i in ids], members.reshape(-1, 2), labels)


def yeast() -> list[str]:
    """Return the yeast proteins, in the order of their file."""
    return list(_texts("ppi_yeast").values())


def yeast_by_id() -> tuple[dict[str, str], Path]:
    """Return the yeast proteins by id, and their file."""
    return _texts("ppi_yeast"), _folder("ppi_yeast") / "sequences.fasta"


def _folder(name: str) -> Path:
    return Path(os.environ["PEFTIDE_DATA"]) / name


def _texts(name: str) -> dict[str, str]:
    proteins, _ = read_fasta(_folder(name) / "sequences.fasta")
    return {i: text[:CROP] for i, text in zip(proteins.ids, proteins.sequences, strict=True)}


def evenly(values: np.ndarray, count: int) -> np.ndarray:
    """Return the places of `count` values that are spread like all of them, smallest first."""
    count = min(count, len(values))
    places = ((np.arange(count) + 0.5) / count * len(values)).astype(int)
    return np.argsort(values, kind="stable")[places]


def evenly_in_groups(values: np.ndarray, count: int, groups: int) -> list[np.ndarray]:
    """Return several such samples without a common place, each in random order."""
    chosen = evenly(values, count * groups)
    generator = np.random.default_rng(0)
    return [generator.permutation(chosen[start::groups]) for start in range(groups)]
