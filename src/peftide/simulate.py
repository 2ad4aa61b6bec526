"""Seed → a simulated proteome of known truth: proteins, labelled pairs, symmetry classes.

Everything here is simulated: no sequence is, or is derived from, a natural protein. The model:

1. Each protein has an interface (basic or acidic) and a symmetry (C1, C2, C3 or D2), crossed and
   in equal numbers in each split, and a length uniform between `min_length` and `max_length`.
2. Each protein holds exactly 8 basic (K, R), 8 acidic (D, E), 6 donor (N, Q) and 6 acceptor (S, T)
   residues; the rest is background (A, C, F, G, H, I, L, M, P, V, W, Y). Within a set each residue
   is equally likely. So neither composition nor length tells anything: only the order does.
3. Symmetry decides where donors and acceptors stand. C1: on free positions anywhere. C2: one
   self-complementary patch of 12 in which they alternate, donor first. C3: head to tail, donors
   within the first 8 positions and acceptors within the last 8. D2: a block of 6 donors, then one
   of 6 acceptors. The patches of C2 and D2 start anywhere that leaves 8 positions at either end.
4. The interface decides which charge is clustered: its 8 residues fall on free positions of one
   window of 10, any that has 8 free ones. The opposite charge falls on free positions anywhere.
5. Two proteins interact exactly when one is basic and the other acidic. Within each split every
   protein has `partners` positive pairs (shifts of two random orders) and `partners` negative ones
   (on a ring of equal interfaces), so no protein's degree tells anything.
6. The splits train, validation, test and new share no protein; new is there to be predicted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from peftide.errors import raise_problems
from peftide.files import write_text

__all__ = [
    "INTERFACES",
    "SPLITS",
    "SYMMETRIES",
    "ProteomeSizes",
    "SimulatedPair",
    "SimulatedProtein",
    "SimulatedProteome",
    "interacts",
    "simulate_proteome",
    "write_proteome",
]

Interface = Literal["basic", "acidic"]
Symmetry = Literal["C1", "C2", "C3", "D2"]
Split = Literal["train", "validation", "test", "new"]

INTERFACES: tuple[Interface, ...] = ("basic", "acidic")
SYMMETRIES: tuple[Symmetry, ...] = ("C1", "C2", "C3", "D2")
SPLITS: tuple[Split, ...] = ("train", "validation", "test", "new")
KINDS = len(INTERFACES) * len(SYMMETRIES)

RESIDUE_SETS = {"basic": "KR", "acidic": "DE", "donor": "NQ", "acceptor": "ST"}
BACKGROUND = "ACFGHILMPVWY"
CHARGES = 8
POLARS = 6
CHARGE_WINDOW = 10
END_WINDOW = 8
SHORTEST_LENGTH = 50
"""Minimum length in residues; shorter proteins would consist mostly of planted residues."""

Positions = Sequence[int]


@dataclass(frozen=True)
class ProteomeSizes:
    """Sizes of a simulated proteome.

    Parameters
    ----------
    train, validation, test, new
        Proteins in each split; multiples of 8 (2 interfaces by 4 symmetries).
    partners
        Number of positive pairs of each protein, and of negative pairs; it must be even.
    min_length, max_length
        Shortest and longest sequence, in residues.

    Raises
    ------
    InputError
        If the sizes are impossible; it lists all problems.
    """

    train: int = 960
    validation: int = 80
    test: int = 240
    new: int = 40
    partners: int = 4
    min_length: int = 60
    max_length: int = 68

    def __post_init__(self) -> None:
        raise_problems(list(self._problems()), fix="Change ProteomeSizes")

    def _problems(self) -> Iterator[str]:
        for split in SPLITS:
            count = self.count(split)
            if count % KINDS or count <= 2 * self.partners:
                yield f"{split}={count}; expected a multiple of {KINDS} above 2 × partners"
        if self.partners < 2 or self.partners % 2:
            yield f"partners={self.partners}; expected an even number of at least 2"
        if not SHORTEST_LENGTH <= self.min_length <= self.max_length:
            yield (
                f"lengths {self.min_length} to {self.max_length}; "
                f"expected {SHORTEST_LENGTH} <= min_length <= max_length"
            )

    def count(self, split: Split) -> int:
        """Return the number of proteins in one split."""
        return getattr(self, split)


@dataclass(frozen=True)
class SimulatedProtein:
    """One protein with its true labels."""

    id: str
    sequence: str
    interface: Interface
    symmetry: Symmetry
    split: Split


@dataclass(frozen=True)
class SimulatedPair:
    """Two proteins of one split, and whether they interact (1) or not (0)."""

    id_a: str
    id_b: str
    label: int
    split: Split


@dataclass(frozen=True)
class SimulatedProteome:
    """Proteins and pairs of all splits, with their true labels.

    Examples
    --------
    >>> proteome = simulate_proteome(0)
    >>> len(proteome.proteins_of("test")), len(proteome.pairs_of("test"))
    (240, 960)
    """

    seed: int
    proteins: tuple[SimulatedProtein, ...]
    pairs: tuple[SimulatedPair, ...]
    sizes: ProteomeSizes

    def proteins_of(self, *splits: Split) -> list[SimulatedProtein]:
        """Return the proteins of the named splits, in order."""
        return [protein for protein in self.proteins if protein.split in splits]

    def pairs_of(self, *splits: Split) -> list[SimulatedPair]:
        """Return the pairs of the named splits, in order."""
        return [pair for pair in self.pairs if pair.split in splits]


def interacts(interface_a: Interface, interface_b: Interface) -> bool:
    """Return whether two proteins with these interfaces interact: opposite charges do.

    Examples
    --------
    >>> interacts("basic", "acidic"), interacts("basic", "basic")
    (True, False)
    """
    return interface_a != interface_b


def simulate_proteome(seed: int, sizes: ProteomeSizes | None = None) -> SimulatedProteome:
    """Return one simulated proteome, the same for the same seed and sizes.

    Parameters
    ----------
    seed
        Seed of the only source of randomness.
    sizes
        Sizes of the proteome; the defaults suit `peftide demo`.

    Examples
    --------
    >>> simulate_proteome(0) == simulate_proteome(0)
    True
    """
    sizes = sizes or ProteomeSizes()
    rng = np.random.default_rng(seed)
    proteins = tuple(protein for split in SPLITS for protein in _proteins(split, sizes, rng))
    pairs = tuple(
        pair for split in SPLITS for pair in _pairs(split, proteins, sizes.partners, rng=rng)
    )
    return SimulatedProteome(seed, proteins, pairs, sizes)


def _proteins(
    split: Split, sizes: ProteomeSizes, rng: np.random.Generator
) -> Iterator[SimulatedProtein]:
    kinds = list(product(INTERFACES, SYMMETRIES)) * (sizes.count(split) // KINDS)
    for number, kind in enumerate(rng.permutation(len(kinds)), start=1):
        interface, symmetry = kinds[kind]
        length = int(rng.integers(sizes.min_length, sizes.max_length + 1))
        sequence = _sequence(interface, symmetry, length=length, rng=rng)
        yield SimulatedProtein(f"sim_{split}_{number:04d}", sequence, interface, symmetry, split)


def _sequence(
    interface: Interface, symmetry: Symmetry, *, length: int, rng: np.random.Generator
) -> str:
    """One sequence: planted residues first, then scattered residues, then background."""
    residues = [""] * length
    opposite = INTERFACES[1 - INTERFACES.index(interface)]
    donors, acceptors = _symmetry_positions(symmetry, length, rng)
    _place(residues, "donor", donors, rng=rng)
    _place(residues, "acceptor", acceptors, rng=rng)
    _place(residues, interface, _charge_patch(residues, rng), rng=rng)
    _scatter(residues, opposite, CHARGES, rng=rng)
    if symmetry == "C1":
        _scatter(residues, "donor", POLARS, rng=rng)
        _scatter(residues, "acceptor", POLARS, rng=rng)
    return "".join(residue or _draw(BACKGROUND, rng) for residue in residues)


def _symmetry_positions(
    symmetry: Symmetry, length: int, rng: np.random.Generator
) -> tuple[Positions, Positions]:
    """Positions of donors and of acceptors; empty for C1, where they are scattered last."""
    start = int(rng.integers(END_WINDOW, length - END_WINDOW - 2 * POLARS + 1))
    patch = range(start, start + 2 * POLARS)
    if symmetry == "C2":
        return patch[::2], patch[1::2]
    if symmetry == "C3":
        first, last = (rng.choice(END_WINDOW, POLARS, replace=False) for _ in range(2))
        return first.tolist(), (length - 1 - last).tolist()
    if symmetry == "D2":
        return patch[:POLARS], patch[POLARS:]
    return (), ()


def _charge_patch(residues: Sequence[str], rng: np.random.Generator) -> Positions:
    """Free positions inside one window, as many as there are charges."""
    starts = range(len(residues) - CHARGE_WINDOW + 1)
    windows = [[p for p in range(s, s + CHARGE_WINDOW) if not residues[p]] for s in starts]
    roomy = [window for window in windows if len(window) >= CHARGES]
    window = roomy[rng.integers(len(roomy))]
    return rng.choice(window, CHARGES, replace=False).tolist()


def _scatter(residues: list[str], name: str, count: int, *, rng: np.random.Generator) -> None:
    """Put residues of one set on random free positions."""
    free = [position for position, residue in enumerate(residues) if not residue]
    _place(residues, name, rng.choice(free, count, replace=False).tolist(), rng=rng)


def _place(
    residues: list[str], name: str, positions: Positions, *, rng: np.random.Generator
) -> None:
    for position in positions:
        residues[position] = _draw(RESIDUE_SETS[name], rng)


def _draw(letters: str, rng: np.random.Generator) -> str:
    return letters[rng.integers(len(letters))]


def _pairs(
    split: Split, proteins: Sequence[SimulatedProtein], partners: int, *, rng: np.random.Generator
) -> list[SimulatedPair]:
    """Return all labelled pairs of one split, in random order and orientation."""
    basic, acidic = (
        rng.permutation([p.id for p in proteins if p.split == split and p.interface == interface])
        for interface in INTERFACES
    )
    positives = _shifted(basic, acidic, range(partners))
    negatives = [
        pair
        for ring in (basic, acidic)
        for pair in _shifted(ring, ring, range(1, partners // 2 + 1))
    ]
    labelled = [(pair, 1) for pair in positives] + [(pair, 0) for pair in negatives]
    order, flips = rng.permutation(len(labelled)), rng.integers(2, size=len(labelled))
    pairs = [
        SimulatedPair(b, a, label, split) if flip else SimulatedPair(a, b, label, split)
        for ((a, b), label), flip in zip(labelled, flips, strict=True)
    ]
    return [pairs[i] for i in order]


def _shifted(left: np.ndarray, right: np.ndarray, shifts: Iterable[int]) -> list[tuple[str, str]]:
    """Each left item with the right items at these shifts, on a ring."""
    return [
        (str(a), str(b))
        for shift in shifts
        for a, b in zip(left, np.roll(right, -shift), strict=True)
    ]


def write_proteome(proteome: SimulatedProteome, folder: str | Path) -> dict[str, Path]:
    """Write a proteome as the files that peftide's commands read; return their paths by name.

    Parameters
    ----------
    proteome
        The proteome to write.
    folder
        Output folder; it is created if it is missing. Files of the same names are replaced.

    Raises
    ------
    StorageError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> sorted(write_proteome(simulate_proteome(0), tempfile.mkdtemp()))[:3]
    ['README.txt', 'new_pairs.tsv', 'new_pairs_truth.tsv']
    """
    folder = Path(folder)
    texts = {"README.txt": _readme(proteome), "proteins.fasta": _fasta(proteome)}
    texts |= _tables(proteome)
    for name, text in texts.items():
        write_text(folder / name, text)
    return {name: folder / name for name in texts}


def _tables(proteome: SimulatedProteome) -> dict[str, str]:
    """Return the text of every table by file name."""
    known = SPLITS[:-1]
    pairs, new_pairs = proteome.pairs_of(*known), proteome.pairs_of("new")
    proteins, new = proteome.proteins_of(*known), proteome.proteins_of("new")
    return {
        "pairs.tsv": _tsv(pairs, id_a="id_a", id_b="id_b", label="label", split="split"),
        "symmetry.tsv": _tsv(
            proteins, id="id", sequence="sequence", label="symmetry", split="split"
        ),
        "new_pairs.tsv": _tsv(new_pairs, id_a="id_a", id_b="id_b"),
        "new_pairs_truth.tsv": _tsv(new_pairs, id_a="id_a", id_b="id_b", label="label"),
        "new_symmetry.tsv": _tsv(new, id="id", sequence="sequence"),
        "new_symmetry_truth.tsv": _tsv(new, id="id", sequence="sequence", label="symmetry"),
        "proteins_truth.tsv": _tsv(
            proteome.proteins, id="id", interface="interface", symmetry="symmetry", split="split"
        ),
    }


def _tsv(records: Sequence[SimulatedProtein] | Sequence[SimulatedPair], **columns: str) -> str:
    """Return a table with a header; `columns` maps column names to fields."""
    rows = [[str(getattr(record, field)) for field in columns.values()] for record in records]
    return "".join("\t".join(row) + "\n" for row in (columns, *rows))


def _fasta(proteome: SimulatedProteome) -> str:
    return "".join(f">{protein.id}\n{protein.sequence}\n" for protein in proteome.proteins)


def _readme(proteome: SimulatedProteome) -> str:
    return (
        f"SIMULATED DATA (seed {proteome.seed}, {proteome.sizes}).\n"
        "No natural protein is in this folder; scores on it say nothing about real proteins.\n\n"
        f"{__doc__}\n"
        "Files: proteins.fasta (all splits); pairs.tsv, symmetry.tsv (train, validation, test);\n"
        "new_pairs.tsv and new_symmetry.tsv (to predict), with *_truth.tsv beside them;\n"
        "proteins_truth.tsv (interface, symmetry and split of every protein).\n"
    )
