"""PSI-MITAB 2.5 to 2.8, as IntAct, MINT, DIP and BioGRID write it.

Perfetto et al. 2019, doi 10.1093/bioinformatics/btz132.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from peftide.config import DataConfig
from peftide.databases.pairs import Counts, PairRecord
from peftide.errors import InputError
from peftide.quantities import count_of
from peftide.sequences.text_files import open_lines

COLUMNS = 15
"""Of MITAB 2.5; later versions have more."""
IDS, OTHER_IDS, TAXA = (0, 1), (2, 3), (9, 10)
KIND, SCORES, EXPANSION, NEGATIVE = 11, 14, 15, 35
UNIPROT = ("uniprotkb", "uniprot/swiss-prot", "uniprot/trembl")
NOT_PHYSICAL = {"MI:0403": "colocalization", "MI:0208": "genetic interaction"}
ENTRY = re.compile(r'(?:[^|"]|"(?:\\.|[^"\\])*")+')
"""One entry of a cell; a bar inside quotes does not divide."""
ISOFORM = re.compile(r"-(?:\d+|PRO_\d+)$")
TERM = re.compile(r"MI:\d{4}")
NONE = "-"


def read_mitab(path: Path, options: DataConfig, counts: Counts) -> Iterator[PairRecord]:
    """Yield binary interactions by UniProt accession.

    Raises
    ------
    InputError
        If a line has fewer than 15 columns, or a score is no number.
    """
    for number, line in enumerate(open_lines(path), start=1):
        if line.startswith("#") or not line.strip():
            continue
        cells = line.split("\t")
        where = f"{path}:{number}"
        if len(cells) < COLUMNS:
            raise InputError(
                count_of(len(cells), "column"),
                expected=f"PSI-MITAB, which has at least {COLUMNS} columns divided by tabs",
                where=where,
            )
        ids = [
            accession(cells[first], cells[other])
            for first, other in zip(IDS, OTHER_IDS, strict=True)
        ]
        score = confidence(cells[SCORES], where=where)
        reason = left_out(cells, options)
        if reason:
            counts[reason] += 1
        elif not all(ids):
            counts["without an accession of UniProt"] += 1
        elif options.min_score is not None and (score is None or score < options.min_score):
            counts[f"score below {options.min_score:g}, or none"] += 1
        else:
            a, b = (plain(each) if options.isoforms == "merge" else each for each in ids)
            yield PairRecord(a, b, score, interacts=_cell(cells, NEGATIVE).lower() != "true")


def left_out(cells: list[str], options: DataConfig) -> str:
    """Return why a line is no binary interaction of the wanted kind; empty if it is one."""
    terms = TERM.findall(cells[KIND])
    if options.evidence == "physical":
        if terms and all(term in NOT_PHYSICAL for term in terms):
            return NOT_PHYSICAL[terms[0]]
        if _cell(cells, EXPANSION) not in ("", NONE):
            return "a complex, expanded into pairs"
    wanted = options.taxon
    if wanted is not None and any(wanted not in taxa(cells[place]) for place in TAXA):
        return "another organism"
    return ""


def accession(*cells: str) -> str:
    r"""Return the first accession of UniProt in an id cell, or else in the cell of other ids.

    Examples
    --------
    >>> accession("uniprotkb:P12345-2|intact:EBI-1|uniprotkb:Q99999", "-")
    'P12345-2'
    >>> accession("entrez gene/locuslink:856255", "biogrid:36724|uniprot/swiss-prot:P32790")
    'P32790'
    >>> accession("chebi:\"CHEBI:15422\"", "-")
    ''
    """
    for cell in cells:
        entries = [entry.partition(":") for entry in ENTRY.findall(cell)]
        found = [(UNIPROT.index(name), value) for name, _, value in entries if name in UNIPROT]
        if found:
            _, value = min(found, key=lambda each: each[0])
            return value.partition("(")[0].strip('"')
    return ""


def plain(name: str) -> str:
    """Return an accession without isoform and chain.

    Examples
    --------
    >>> plain("P04637-2"), plain("P0DTD1-PRO_0000449619"), plain("P04637")
    ('P04637', 'P0DTD1', 'P04637')
    """
    return ISOFORM.sub("", name)


def confidence(cell: str, *, where: str) -> float | None:
    """Return the highest confidence in a cell; None without any.

    Examples
    --------
    >>> confidence("author score:A|intact-miscore:0.56", where="line 1")
    0.56
    """
    found = [entry.partition(":")[2] for entry in ENTRY.findall(cell) if "miscore:" in entry]
    try:
        return max((float(text) for text in found), default=None)
    except ValueError as error:
        raise InputError(f"received {cell[:60]!r}", expected="a number", where=where) from error


def taxa(cell: str) -> set[int]:
    """Return the organisms in a cell.

    Examples
    --------
    >>> taxa("taxid:9606(human)|taxid:9606(Homo sapiens)"), taxa("-")
    ({9606}, set())
    """
    return {int(number) for number in re.findall(r"taxid:(-?\d+)", cell)}


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
