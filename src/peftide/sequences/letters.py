"""Sequence text of a file comes in; upper-case residues A-Z go out, or a problem."""

import re
from pathlib import Path

from peftide.sequences.lookalikes import letter_name
from peftide.sequences.missing import looks_missing_sequence
from peftide.sequences.records import Finding, place
from peftide.sequences.tallies import Tally

NUCLEOTIDES = "ACGTUN"
NUCLEOTIDE_RUN = 20
"""Shorter peptides of these six letters are common, so they do not indicate DNA."""

THREE_LETTERS = re.compile(
    r"(?:(?:ala|arg|asn|asp|cys|gln|glu|gly|his|ile|leu|lys|met|phe|pro|ser|thr|trp|tyr|val)"
    r"[\s-]*){4,}",
    re.IGNORECASE,
)
"""A whole sequence in three-letter codes; by chance one in 10^10 sequences of 12 residues."""
ACCESSION = re.compile(
    r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-[0-9]+)?"
)
"""An accession of UniProt (https://www.uniprot.org/help/accession_numbers), with its isoform."""
NOT_RESIDUES = re.compile(f"(?:{THREE_LETTERS.pattern})|{ACCESSION.pattern}", re.IGNORECASE)
PHOSPHORYLATED = re.compile(r"(?<![a-z])p[STY](?![a-z])")
"""A `p` before S, T or Y stands for a phosphate, not for a proline; in runs of small letters it
is a masked residue."""
CELL_LIMIT = 32_767
"""Characters in a cell of a spreadsheet program, which cuts longer ones."""
NOT_A_LETTER = re.compile(r"[^A-Za-z\s]")
SHOWN_CHARACTERS = 5


class SequenceCleaner:
    """Cleans the sequences of one file; counts changes and collects problems.

    Parameters
    ----------
    path
        The file, for messages.

    Attributes
    ----------
    problems
        One sentence per sequence that cannot be used.

    Examples
    --------
    >>> cleaner = SequenceCleaner(Path("a.fasta"))
    >>> cleaner.clean("mkv LLA*", 2, name="P1")
    'MKVLLA'
    >>> [finding.kind for finding in cleaner.findings()]
    ['lower_case_sequences', 'blanks_in_sequences', 'trailing_stops']
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._lower_case = Tally("lower_case_sequences", "read as upper case")
        self._blanks = Tally("blanks_in_sequences", "the blanks between residues were removed")
        self._stops = Tally("trailing_stops", "the '*' at the end was removed")
        self._unknown = Tally(
            "sequences_of_unknown_residues", "kept, but all their residues are X, which is unknown"
        )
        self._nucleotides = Tally(
            "nucleotide_like_sequences",
            f"kept, but all their letters are in {NUCLEOTIDES}: is this DNA or RNA?",
        )

    def clean(self, text: str, line: int, *, name: str) -> str:
        """Residues of one sequence; an empty string if there is a problem.

        Parameters
        ----------
        text
            The text of the sequence in the file, including line breaks.
        line
            Line of the file, from 1, on which `text` begins.
        name
            Id of the sequence, for messages.
        """
        if text.strip() and looks_missing_sequence(text):
            self.problems.append(_missing(text.strip(), place(self.path, line), name=name))
            return ""
        if NOT_RESIDUES.fullmatch(text.strip()) or len(text) == CELL_LIMIT:
            self.problems.append(_not_one_letter(text, place(self.path, line), name=name))
            return ""
        words = text.split()
        joined = "".join(words)
        body = joined.rstrip("*")
        if not (body.isascii() and body.isalpha()) or PHOSPHORYLATED.search(body):
            self.problems.append(_problem(text, line, path=self.path, name=name))
            return ""
        where = place(self.path, line)
        sequence = body.upper()
        if len(words) > 1 and len(words) > sum(map(bool, map(str.strip, text.splitlines()))):
            self._blanks.add(where)
        if len(body) < len(joined):
            self._stops.add(where)
        if sequence != body:
            self._lower_case.add(where)
        self._count_odd(sequence, where)
        return sequence

    def _count_odd(self, sequence: str, where: str) -> None:
        # strip() stops at the first other letter, so this is fast for proteins
        if len(sequence) >= NUCLEOTIDE_RUN and not sequence.strip(NUCLEOTIDES):
            self._nucleotides.add(where)
        if not sequence.strip("X"):
            self._unknown.add(where)

    def findings(self) -> tuple[Finding, ...]:
        """Return the changes and oddities, one finding per kind."""
        tallies = (self._lower_case, self._blanks, self._stops, self._nucleotides, self._unknown)
        return tuple(finding for tally in tallies for finding in tally.findings("sequences"))


def _missing(text: str, where: str, *, name: str) -> str:
    peptide = f" (the peptide {text.upper()} is written {text}*)" if text.isalpha() else ""
    return (
        f"{where}: the sequence of {name} is {text!r}, which looks like a missing value: "
        f"fill it in, or leave out the row or record{peptide}"
    )


def _not_one_letter(text: str, where: str, *, name: str) -> str:
    if len(text) == CELL_LIMIT:
        return (
            f"{where}: the sequence of {name} has exactly {CELL_LIMIT:,} characters: a spreadsheet "
            "program has probably cut it"
        )
    shown = " ".join(text.split())[:20]
    if ACCESSION.fullmatch(shown.upper()):
        return (
            f"{where}: the sequence of {name} is {shown}, which looks like an accession of "
            "UniProt: write its residues"
        )
    return (
        f"{where}: the sequence of {name} is written in three-letter codes ({shown} …): write one "
        "letter per residue"
    )


def _problem(text: str, line: int, *, path: Path, name: str) -> str:
    body = text.rstrip().rstrip("*")
    first = NOT_A_LETTER.search(body)
    if first is None and (phosphate := PHOSPHORYLATED.search(body)):
        return (
            f"{place(path, line)}: the sequence of {name} has {phosphate[0]!r} at position "
            f"{_position(body, phosphate.start()):,}, which looks like a phosphorylated residue: "
            "write one capital letter per residue"
        )
    if first is None:
        return f"{place(path, line)}: the sequence of {name} is empty: add it, or delete the record"
    line += body.count("\n", 0, first.start())
    places: dict[str, int] = {}
    for found in NOT_A_LETTER.finditer(body):
        places.setdefault(found[0], found.start())
    shown = ", ".join(
        f"{_shown(character)} at position {_position(body, start):,}"
        for character, start in list(places.items())[:SHOWN_CHARACTERS]
    )
    more = ", …" if len(places) > SHOWN_CHARACTERS else ""
    advice = _advice("".join(places))
    return f"{place(path, line)}: the sequence of {name} has {shown}{more}: {advice}"


def _shown(character: str) -> str:
    name = letter_name(character)
    return f"{character!r} ({name})" if name else repr(character)


def _position(text: str, start: int) -> int:
    """Return the position of a character in a sequence, from 1; blanks do not count."""
    return len("".join(text[:start].split())) + 1


def _advice(characters: str) -> str:
    if ">" in characters:
        return "a line break is missing before the '>'"
    if set(characters) & set("-."):
        return "this looks like an alignment: remove the gaps"
    if "*" in characters:
        stop = "a stop inside the protein: cut it there, or check the reading frame"
        others = characters.replace("*", "")
        return f"'*' is {stop}; of the others: {_advice(others)}" if others else stop
    if any(character.isdigit() for character in characters):
        return "remove the numbers"
    if not characters.isascii():
        return "residues are letters from A to Z; retype the letters of other scripts"
    return "only letters are residues; write an unknown one as X"
