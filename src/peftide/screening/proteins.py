"""The FASTA files of a screen → its proteins, their possible partners, and distinct sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from peftide.config import ScreenConfig
from peftide.errors import InputError
from peftide.sequences import Finding, Proteins, read_fasta
from peftide.sequences.findings import say_findings
from peftide.sequences.tallies import Tally
from peftide.types import IntArray


@dataclass(frozen=True)
class ScreenedProteins:
    """The proteins of a screen, and the distinct sequences behind them.

    Attributes
    ----------
    named
        Screened proteins, then their possible partners if they are others.
    sequences
        Distinct sequences, in the order of their first protein.
    """

    named: Proteins
    count: int
    sequences: tuple[str, ...]
    numbers: IntArray

    @property
    def is_square(self) -> bool:
        """Whether all pairs inside one set are screened."""
        return self.count == len(self.named)

    @property
    def names(self) -> Sequence[str]:
        """Ids of the screened proteins."""
        return self.named.ids[: self.count]

    @property
    def partners(self) -> Sequence[str]:
        """Ids of the possible partners."""
        return self.named.ids if self.is_square else self.named.ids[self.count :]

    @property
    def partners_of_each(self) -> int:
        """The number of possible partners of one protein."""
        return len(self.partners) - self.is_square


def read_proteins(config: ScreenConfig) -> ScreenedProteins:
    """Read the proteins, and their possible partners if they are others.

    Raises
    ------
    InputError
        If a file is wrong, or there is no pair.
    """
    first, findings = read_fasta(config.sequences)
    say_findings(findings)
    ids, sequences = list(first.ids), list(first.sequences)
    if config.against is not None:
        second, findings = read_fasta(config.against)
        say_findings(findings + _shared_ids(first, second, config.against))
        ids += second.ids
        sequences += second.sequences
    elif len(ids) < 2:
        raise InputError(
            "one protein has no partner",
            expected="two proteins, or partners in --against",
            where=config.sequences,
        )
    places = {text: number for number, text in enumerate(dict.fromkeys(sequences))}
    numbers = np.array([places[text] for text in sequences], dtype=np.int64)
    return ScreenedProteins(
        Proteins(tuple(ids), tuple(sequences)), len(first), tuple(places), numbers
    )


def _shared_ids(first: Proteins, second: Proteins, path: Path) -> tuple[Finding, ...]:
    """Count the ids that stand for other proteins in the file of partners."""
    known = dict(zip(first.ids, first.sequences, strict=True))
    decision = "the id is another protein in --sequences; `id_a` and `id_b` tell them apart"
    shared = Tally("ids_of_two_proteins", decision)
    for name, sequence in zip(second.ids, second.sequences, strict=True):
        if known.get(name, sequence) != sequence:
            shared.add(f"{path} {name}")
    return shared.findings("partners")
