"""A UniProt header id → its accession, which other tools use in their tables."""

import re

UNIPROT = re.compile(r"(?:sp|tr)\|([^|\s]+)\|")


def accession(name: str) -> str:
    """Return the accession in a UniProt id; other ids are returned unchanged.

    MMseqs2 writes only the accession into its tables.

    Examples
    --------
    >>> accession("sp|P69905|HBA_HUMAN"), accession("P69905"), accession("1abc|A")
    ('P69905', 'P69905', '1abc|A')
    """
    found = UNIPROT.match(name)
    return name if found is None else found[1]
