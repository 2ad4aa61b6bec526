"""The name of a mutant comes in (`A24G`, `p.Ala24Gly`, `WT`); its substitutions go out.

References: den Dunnen et al. 2016, doi 10.1002/humu.22981 (HGVS nomenclature).
"""

import re
from dataclasses import dataclass
from typing import Literal

from peftide.errors import LONGEST_NAME, InputError, cropped
from peftide.sequences.lookalikes import strange_letters

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
NAMES = (
    *("Ala", "Cys", "Asp", "Glu", "Phe", "Gly", "His", "Ile", "Lys", "Leu"),
    *("Met", "Asn", "Pro", "Gln", "Arg", "Ser", "Thr", "Val", "Trp", "Tyr"),
)
THREE_LETTERS = dict(zip(NAMES, LETTERS, strict=True))
STOPS = ("*", "Ter")
SAME = ("=", "~")
"""Written for an unchanged residue."""
WILD_TYPES = frozenset({"wt", "wildtype", "nochange", "parent", "reference"})
SYNONYMOUS = frozenset({"sy", "syn", "synonymous", "silent", "=", "(=)"})
FRAMESHIFT = re.compile(r"fs", re.IGNORECASE)
INSERTION = re.compile(r"ins|dup|ext", re.IGNORECASE)
DELETION = re.compile(r"del|Δ", re.IGNORECASE)
PREFIX = re.compile(r"^(.*?)(?:\b|_)p\.|^()p\.")
"""Everything before the change in HGVS: `NP_000537.3:p.`."""
UNKNOWN = re.compile(r"\?$")
"""At the end of a change whose effect on the protein is unknown: `p.Met1?`."""
SEPARATORS = re.compile(r"[:,;/+|&\s_]+")
ONE = re.compile(r"([A-Z*])(-?\d{1,9})([A-Z*=~-])", re.IGNORECASE)
THREE = re.compile(r"([A-Z]{3})(-?\d{1,9})([A-Z]{3}|[*=~-])", re.IGNORECASE)

Kind = Literal[
    "substitutions",
    "wild_type",
    "synonymous",
    "stop",
    "deletion",
    "insertion",
    "fs",
    "unknown",
]
"""What a mutant is; only the first three are whole proteins of the length of the wild type."""


@dataclass(frozen=True, order=True)
class Substitution:
    """One residue in place of another.

    Attributes
    ----------
    position
        Number of the residue, from 1. In `Mutant` it is as written; in `Variants` it is the
        place in the wild type.
    old, new
        Letters of the two residues.
    """

    position: int
    old: str
    new: str

    def __str__(self) -> str:
        """Return the usual notation."""
        return f"{self.old}{self.position}{self.new}"


@dataclass(frozen=True)
class Mutant:
    """What the name of a mutant says.

    Attributes
    ----------
    kind
        Kind of the mutant, such as "substitutions" or "stop".
    substitutions
        Changed residues in order of position; empty unless `kind` is "substitutions".
    unchanged
        Residues that are named but do not change (`A24A`, `p.Ala24=`).
    """

    kind: Kind
    substitutions: tuple[Substitution, ...] = ()
    unchanged: tuple[Substitution, ...] = ()


def parse_mutant(text: str) -> Mutant:
    """Return what the name of a mutant says; positions are as written.

    Several substitutions are separated by `:`, `,`, `;`, `/`, `+`, `|`, `&`, `_` or blanks.

    Raises
    ------
    InputError
        If the text is no known notation, or changes one residue twice.

    Examples
    --------
    >>> [str(each) for each in parse_mutant("p.[Ala24Gly;Thr30Ser]").substitutions]
    ['A24G', 'T30S']
    >>> [str(each) for each in parse_mutant("NP_1.2:p.Ala24Gly").substitutions]
    ['A24G']
    >>> [str(each) for each in parse_mutant("G7C:p.Asn8Arg").substitutions]
    ['G7C', 'N8R']
    >>> parse_mutant("_wt").kind, parse_mutant("A24A").kind, parse_mutant("p.Arg97fs").kind
    ('wild_type', 'synonymous', 'fs')
    >>> parse_mutant("p.Met1?").kind, parse_mutant("p.Ter92=").kind
    ('unknown', 'synonymous')
    >>> parse_mutant("p.Arg97fs*?").kind, parse_mutant("p.*92=").kind
    ('fs', 'synonymous')
    """
    bare = _without_prefix(text.strip()).strip("[]() ")
    word = re.sub(r"[\s_-]", "", bare).lower()
    if word in WILD_TYPES:
        return Mutant("wild_type")
    if word in SYNONYMOUS:
        return Mutant("synonymous")
    length_changes = _change_of_length(bare)
    if length_changes is not None:
        return length_changes
    if UNKNOWN.search(bare):
        return Mutant("unknown")
    pieces = [piece.strip("[]()") for piece in SEPARATORS.split(bare)]
    named = [_substitution(PREFIX.sub("", piece), text) for piece in pieces if piece]
    if not named:
        raise _unknown(text)
    return _mutant(named, text)


def _without_prefix(text: str) -> str:
    """Return the text without an accession of HGVS; a change before `p.` is none."""
    found = PREFIX.match(text)
    if found is None:
        return text
    before = SEPARATORS.split(found[1] or "")
    named = any(ONE.fullmatch(piece) or THREE.fullmatch(piece) for piece in before)
    return text if named else text[found.end() :]


def _change_of_length(text: str) -> Mutant | None:
    kinds: tuple[tuple[re.Pattern[str], Kind], ...]
    kinds = ((FRAMESHIFT, "fs"), (INSERTION, "insertion"), (DELETION, "deletion"))
    for pattern, kind in kinds:
        if pattern.search(text) and any(map(str.isdigit, text)):
            return Mutant(kind)
    return None


def _mutant(named: list[Substitution], text: str) -> Mutant:
    positions = [each.position for each in named]
    twice = sorted({place for place in positions if positions.count(place) > 1})
    if twice:
        raise InputError(
            f"the mutant {cropped(text, LONGEST_NAME)!r} names residue {twice[0]} more than once"
        )
    if any(each.new == "*" != each.old for each in named):
        return Mutant("stop")
    if any(each.old == "*" != each.new for each in named):
        return Mutant("insertion")  # the protein goes on
    if any(each.new == "-" for each in named):
        return Mutant("deletion")
    changed = tuple(sorted(each for each in named if each.new != each.old))
    unchanged = tuple(sorted(each for each in named if each.new == each.old != "*"))
    return Mutant("substitutions" if changed else "synonymous", changed, unchanged)


def _substitution(piece: str, text: str) -> Substitution:
    one, three = ONE.fullmatch(piece), THREE.fullmatch(piece)
    found = one or three
    if found is None:
        raise _unknown(text)
    old, position, new = found[1], int(found[2]), found[3]
    old = _letter(old, text)
    return Substitution(position, old, old if new in SAME else _letter(new, text))


def _letter(name: str, text: str) -> str:
    if name in ("-", *STOPS) or name.title() in STOPS:
        return name if name == "-" else "*"
    letter = THREE_LETTERS.get(name.title(), name.upper())
    if letter not in LETTERS:
        hint = "; a stop is written * or Ter" if letter == "X" else ""
        raise InputError(
            f"the mutant {cropped(text, LONGEST_NAME)!r} has {name!r}, which is no amino acid{hint}"
        )
    return letter


def _unknown(text: str) -> InputError:
    letters = strange_letters(text)
    strange = f" (with {letters})" if letters else ""
    return InputError(
        f"the mutant {cropped(text, LONGEST_NAME)!r}{strange} cannot be read",
        expected="a notation such as A24G, A24G:T30S, p.Ala24Gly or WT",
    )
