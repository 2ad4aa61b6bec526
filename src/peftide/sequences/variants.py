"""Names of mutants and the wild type come in; the sequence and the changes of each go out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from peftide.errors import InputError, raise_problems
from peftide.quantities import count_of
from peftide.sequences.missing import looks_missing
from peftide.sequences.mutants import LETTERS, Mutant, Substitution, parse_mutant
from peftide.sequences.records import Finding
from peftide.sequences.tallies import Tally
from peftide.types import IntArray

LEFT_OUT = {
    "stop": ("stop_variants", "left out: a stop codon gives no whole protein"),
    "deletion": ("deletion_variants", "left out: the task reads substitutions only"),
    "insertion": ("insertion_variants", "left out: the task reads substitutions only"),
    "fs": ("frameshift_variants", "left out: the task reads substitutions only"),
    "unknown": ("unknown_effects", "left out: the change of the protein is unknown"),
    "missing": ("unnamed_variants", "left out: the name of the mutant is missing"),
}
"""Kind of a mutant → kind and decision of the finding about its rows."""
READ_AS_WILD_TYPE = {
    "wild_type": ("wild_type_rows", "read as the wild type, a variant without changes"),
    "synonymous": ("synonymous_rows", "read as the wild type: the protein does not change"),
}
WHOLE = ("substitutions", *READ_AS_WILD_TYPE)
"""Kinds that have a sequence as long as the wild type."""
SECOND_OFFSET_SHARE = 0.9
"""Share of the disagreeing residues that must fit a second offset for the message to name it."""
SHOWN = 3
NUCLEOTIDES = frozenset("ACGTUN")
FIX = "Check the wild type (--wild-type) and the numbering"

Changes = tuple[Substitution, ...]


@dataclass(frozen=True, eq=False)
class Variants:
    """Variants of one protein.

    Attributes
    ----------
    rows
        Index of each variant among the given names; rows without a whole protein are left out.
        Shape (B,).
    sequences
        The sequence of each variant, as long as the wild type.
    changes
        Its substitutions, in order of position; empty for the wild type. Positions count the
        residues of the wild type from 1.
    offset
        Number that was subtracted from the positions as written.
    findings
        Counts of the rows by kind.
    """

    rows: IntArray
    sequences: tuple[str, ...]
    changes: tuple[Changes, ...]
    offset: int
    findings: tuple[Finding, ...]


def read_variants(
    names: Sequence[str],
    wild_type: str,
    *,
    where: Callable[[int], str] = "row {}".format,
    offset: int | None = None,
    part: str = "variants",
    fix: str = FIX,
) -> Variants:
    """Return the sequences of mutants; all residues are checked against the wild type.

    Parameters
    ----------
    names
        Name of each mutant: `A24G`, `A24G:T30S`, `p.Ala24Gly`, `WT`, …
    wild_type
        Sequence of the wild type.
    where
        Place of a row by its index, with the column, for messages.
    offset
        Number to subtract from all positions. None: 0 if all residues agree with the wild type,
        else the only offset with which they all agree.
    part
        Part of the data, for the findings.
    fix
        Advice if residues differ from the wild type.

    Raises
    ------
    InputError
        If a name cannot be read, a site is outside the wild type or changed twice, or a residue
        differs from the wild type under every offset.

    Examples
    --------
    >>> found = read_variants(["A101G", "wt", "K102*", "K102R:L103V"], "AKL")
    >>> found.sequences, found.offset, found.rows.tolist()
    (('GKL', 'AKL', 'ARV'), 100, [0, 1, 3])
    """
    mutants, problems = _parse(names, where)
    named = {row: (*one.substitutions, *one.unchanged) for row, one in mutants.items()}
    if problems:  # together with the residues that do not fit, if the numbering is known
        wrong = [] if offset is None else _wrong(named, wild_type, offset)
        said = [
            f"{where(row)}: {_mismatch(change, wild_type, offset or 0)}" for row, change in wrong
        ]
        raise_problems([*problems, *said])
    if offset is None:
        offset = _find_offset(named, wild_type, where)
    _check(named, wild_type, where, offset=offset, fix=fix)
    kept = [row for row in range(len(names)) if row in mutants and mutants[row].kind in WHOLE]
    moved = [
        tuple(replace(each, position=each.position - offset) for each in mutants[row].substitutions)
        for row in kept
    ]
    sequences = tuple(apply_changes(wild_type, changes) for changes in moved)
    findings = _findings(names, mutants, where, part=part) + _offset_finding(offset, part, named)
    return Variants(np.array(kept, dtype=np.int64), sequences, tuple(moved), offset, findings)


def apply_changes(wild_type: str, changes: Iterable[Substitution]) -> str:
    """Return the sequence of a variant.

    Examples
    --------
    >>> apply_changes("AKL", [Substitution(2, "K", "R")])
    'ARL'
    """
    residues = list(wild_type)
    for change in changes:
        residues[change.position - 1] = change.new
    return "".join(residues)


def changes_between(wild_type: str, sequence: str) -> Changes:
    """Return the substitutions that make a sequence of the wild type's length.

    Raises
    ------
    InputError
        If the lengths differ, or another residue is none of the 20 amino acids.

    Examples
    --------
    >>> [str(change) for change in changes_between("AKL", "ARV")]
    ['K2R', 'L3V']
    """
    if len(sequence) != len(wild_type):
        raise InputError(
            f"a sequence of {count_of(len(sequence), 'residue')}",
            expected=f"a variant of the wild type, with its {len(wild_type):,} residues",
        )
    differing = [
        place for place, (a, b) in enumerate(zip(wild_type, sequence, strict=True)) if a != b
    ]
    for site in differing:
        if sequence[site] not in LETTERS:
            raise InputError(
                f"a sequence with {sequence[site]!r} at residue {site + 1}",
                expected="an amino acid at each residue that differs from the wild type",
            )
    return tuple(Substitution(p + 1, wild_type[p], sequence[p]) for p in differing)


def mutant_name(changes: Iterable[Substitution], *, offset: int = 0) -> str:
    """Return the usual name of a variant; `WT` if nothing changes.

    Examples
    --------
    >>> mutant_name([Substitution(2, "K", "R"), Substitution(3, "L", "V")])
    'K2R:L3V'
    """
    named = [str(replace(each, position=each.position + offset)) for each in changes]
    return ":".join(named) or "WT"


def _parse(
    names: Sequence[str], where: Callable[[int], str]
) -> tuple[dict[int, Mutant], list[str]]:
    """Return the mutants that can be read, by row, and the faults of the others."""
    mutants: dict[int, Mutant] = {}
    problems: list[str] = []
    known: dict[str, Mutant] = {}
    for row, name in enumerate(names):
        if looks_missing(name) and name.strip() not in ("=", "-"):
            continue
        try:
            mutants[row] = known[name] = known.get(name) or parse_mutant(name)
        except InputError as error:
            problems.append(f"{where(row)}: {error}")
    return mutants, problems


def _find_offset(named: Mapping[int, Changes], wild_type: str, where: Callable[[int], str]) -> int:
    """Return 0 if it fits all residues, else the only offset that does, else 0."""
    residues = {(each.position, each.old) for changes in named.values() for each in changes}
    if _all_fit(residues, wild_type, 0):
        return 0
    lowest = min(position for position, _ in residues)
    highest = max(position for position, _ in residues)
    possible = range(highest - len(wild_type), lowest)
    fitting = [offset for offset in possible if _all_fit(residues, wild_type, offset)]
    if len(fitting) > 1:
        first = min(named)
        raise InputError(
            f"the positions do not fit the wild type as they are, but with several offsets "
            f"({', '.join(map(str, fitting[:SHOWN]))}{' …' if len(fitting) > SHOWN else ''})",
            where=where(first),
            fix="Name the right one with --offset",
        )
    return fitting[0] if fitting else 0


def shared_offset(pairs: Sequence[tuple[Changes, str]]) -> int:
    """Return the offset with which most sequences have the new residues; 0 if it is one of several.

    Examples
    --------
    >>> shared_offset([(parse_mutant("L103V").substitutions, "MKVW")])
    100
    """
    counts = Counter(
        offset for changes, sequence in pairs for offset in offsets_of(changes, sequence)
    )
    most = max(counts.values(), default=0)
    best = [offset for offset, count in counts.items() if count == most]
    return best[0] if len(best) == 1 else 0


def offsets_of(changes: Changes, sequence: str) -> set[int]:
    """Return the offsets with which a sequence has all new residues of a mutant."""
    possible = [
        {
            one.position - place
            for place, letter in enumerate(sequence, start=1)
            if letter == one.new
        }
        for one in changes
    ]
    return set.intersection(*possible)


def _all_fit(residues: Iterable[tuple[int, str]], wild_type: str, offset: int) -> bool:
    return all(_fits(wild_type, position - offset, old) for position, old in residues)


def _fits(wild_type: str, position: int, old: str) -> bool:
    return 0 < position <= len(wild_type) and wild_type[position - 1] == old


def _check(
    named: Mapping[int, Changes],
    wild_type: str,
    where: Callable[[int], str],
    *,
    offset: int,
    fix: str,
) -> None:
    wrong = _wrong(named, wild_type, offset)
    if wrong:
        problems = [f"{where(row)}: {_mismatch(one, wild_type, offset)}" for row, one in wrong]
        advice = _second_offset(named, wrong, wild_type, where=where, offset=offset)
        if advice and fix is FIX and offset != 0:
            advice += " (--offset)"
        if set(wild_type) <= NUCLEOTIDES:
            advice = "The wild type looks like DNA: give the protein"
        raise_problems(problems, fix=advice or fix)


def _wrong(
    named: Mapping[int, Changes], wild_type: str, offset: int
) -> list[tuple[int, Substitution]]:
    """Return row and change of each residue that differs from the wild type."""
    return [
        (row, change)
        for row, changes in named.items()
        for change in changes
        if not _fits(wild_type, change.position - offset, change.old)
    ]


def _mismatch(change: Substitution, wild_type: str, offset: int) -> str:
    place = change.position - offset
    moved = f" (position {place} with the offset {offset})" if offset else ""
    if not 0 < place <= len(wild_type):
        return (
            f"{change}: site {change.position}{moved} is outside the wild type, which has "
            f"{len(wild_type):,} residues"
        )
    found = wild_type[place - 1]
    return f"{change}: the wild type has {found} at site {change.position}{moved}, not {change.old}"


def _second_offset(
    named: Mapping[int, Changes],
    wrong: Sequence[tuple[int, Substitution]],
    wild_type: str,
    *,
    where: Callable[[int], str],
    offset: int,
) -> str:
    """Return advice if the residues that do not fit do so with another offset."""
    residues = {(change.position, change.old) for _, change in wrong}
    counts: Counter[int] = Counter()
    for position, old in residues:
        counts.update(
            position - place for place, letter in enumerate(wild_type, start=1) if letter == old
        )
    (best, fitting), *_ = counts.most_common(1) or [(0, 0)]
    total = sum(len(changes) for changes in named.values())
    if best == offset or fitting < max(2, SECOND_OFFSET_SHARE * len(residues)):
        return ""
    row = wrong[0][0]
    if len(wrong) < total:
        return (
            f"The file seems to have two offsets: {total - len(wrong):,} residues fit the offset "
            f"{offset}, and {where(row)} and others fit {best}. Number all rows in one way"
        )
    if fitting == len(residues):
        return f"All residues fit the offset {best}, not {offset}"
    return f"{fitting} of {len(residues)} residues fit the offset {best}: check the others"


def _findings(
    names: Sequence[str], mutants: Mapping[int, Mutant], where: Callable[[int], str], *, part: str
) -> tuple[Finding, ...]:
    kinds = {**LEFT_OUT, **READ_AS_WILD_TYPE}
    tallies = {kind: Tally(*said) for kind, said in kinds.items()}
    for row, name in enumerate(names):
        kind = mutants[row].kind if row in mutants else "missing"
        if kind in tallies:
            tallies[kind].add(f"{where(row)} {name}".rstrip())
    return tuple(found for tally in tallies.values() for found in tally.findings(part))


def _offset_finding(offset: int, part: str, named: Mapping[int, Changes]) -> tuple[Finding, ...]:
    if not offset:
        return ()
    count = sum(bool(changes) for changes in named.values())
    decision = f"position {1 + offset} as written is residue 1 of the wild type (offset {offset})"
    return (Finding(part, "renumbered_mutants", count, decision),)
