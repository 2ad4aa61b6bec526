"""The name under which other tools' tables know a sequence: UniProt's accession, of its header."""

import re

UNIPROT = re.compile(r"(?:sp|tr)\|([^|\s]+)\|")


def accession(name: str) -> str:
    """Return the accession in a UniProt id; any other id as it is.

    MMseqs2 writes the accession alone into its tables.

    Examples
    --------
    >>> accession("sp|P69905|HBA_HUMAN"), accession("P69905"), accession("1abc|A")
    ('P69905', 'P69905', '1abc|A')
    """
    found = UNIPROT.match(name)
    return name if found is None else found[1]
