"""Interactions of BioGRID in its TAB3 format (Oughtred et al. 2021, doi 10.1002/pro.3978)."""

from collections.abc import Iterator
from pathlib import Path

from peftide.config import DataConfig
from peftide.databases.pairs import Counts, PairRecord
from peftide.errors import InputError
from peftide.sequences.text_files import open_lines

FIRST = "#BioGRID Interaction ID"
ACCESSIONS = ("SWISS-PROT Accessions Interactor {}", "TREMBL Accessions Interactor {}")
TAXON = "Organism ID Interactor {}"
KIND = "Experimental System Type"
NONE = "-"


def read_biogrid(path: Path, options: DataConfig, counts: Counts) -> Iterator[PairRecord]:
    """Yield interactions by UniProt accession; the first Swiss-Prot one if there are several.

    Raises
    ------
    InputError
        If the file is no TAB3, or a line has too few columns.
    """
    lines = enumerate(open_lines(path), start=1)
    _, header = next(lines, (1, ""))
    names = header.split("\t")
    wanted = [column.format(side) for column in (*ACCESSIONS, TAXON) for side in "AB"] + [KIND]
    if names[0] != FIRST or not {*wanted} <= {*names}:
        raise InputError(
            f"the header begins with {header[:60]!r}",
            expected="BioGRID's TAB3 format, with accessions of UniProt",
            where=path,
            fix="Download the file that ends in .tab3.txt; for PSI-MITAB use `peftide data mitab`",
        )
    places = {name: names.index(name) for name in wanted}
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) < len(names):
            raise InputError(
                f"{len(cells)} columns", expected=f"{len(names)}", where=f"{path}:{number}"
            )
        row = {name: cells[place] for name, place in places.items()}
        a, b = (accession(*(row[column.format(side)] for column in ACCESSIONS)) for side in "AB")
        taxa = {row[TAXON.format(side)] for side in "AB"}
        if options.evidence == "physical" and row[KIND] != "physical":
            counts["not physical"] += 1
        elif options.taxon is not None and taxa != {str(options.taxon)}:
            counts["another organism"] += 1
        elif not a or not b:
            counts["without an accession of UniProt"] += 1
        else:
            yield PairRecord(a, b)


def accession(*cells: str) -> str:
    """Return the first accession of the first cell that has one.

    Examples
    --------
    >>> accession("-", "Q9Y6K9|D3DXS7"), accession("P04637", "Q53GA5"), accession("-", "-")
    ('Q9Y6K9', 'P04637', '')
    """
    return next((cell.split("|")[0] for cell in cells if cell not in ("", NONE)), "")
