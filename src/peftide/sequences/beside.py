"""Tables and FASTA files that both have sequences come in; their differences go out."""

from collections.abc import Iterable, Iterator

from peftide.sequences.lookup import SequenceLookup
from peftide.sequences.records import Finding
from peftide.sequences.tables import Table

RESOLVE = (
    "Correct the table or the file. Without --sequences the table's sequences are used; "
    "without the table's column of sequences, the file's"
)


def compare_sequences(
    tables: Iterable[Table], lookup: SequenceLookup, problems: list[str]
) -> tuple[Finding, ...]:
    """Compare the sequences of tables with a FASTA file by id.

    Parameters
    ----------
    tables
        The tables with ids as they were read. Tables without sequences are not compared.
    lookup
        The sequences of the FASTA file.
    problems
        Gets one sentence for every id that has another sequence in the file than in a table.

    Returns
    -------
    tuple of Finding
        A finding that counts the rows whose sequence is the table's; none if no table has one.
    """
    # the sequences of mutants come from the file, as its wild type
    given = [table for table in tables if table.variants_of is None]
    whole = [table for table in given if table.sequences is not None]
    if not whole:
        return ()
    shared: set[str] = set()
    differing: dict[tuple[str, str], str] = {}
    for table in whole:
        for row, name, sequence in _named_sequences(table):
            known = [lookup.proteins.sequences[index] for index in lookup.candidates(name)]
            if known:
                shared.add(name)
            if known and sequence not in known:
                differing.setdefault((name, sequence), table.where(row))
    problems += [
        f"{where}: id {name} has a different sequence here than in {lookup.path}"
        for (name, _), where in differing.items()
    ]
    decision = (
        f"rows use the sequence in the table, not the one in {lookup.path} "
        f"({len(shared):,} of the table's ids are in both, with the same sequences)"
    )
    return (Finding("sequences", "own_sequences", sum(map(len, whole)), decision),)


def _named_sequences(table: Table) -> Iterator[tuple[int, str, str]]:
    """Yield row, id and sequence of each cell; nothing for a table without ids."""
    if table.ids is None or table.sequences is None:
        return
    width = table.ids.shape[1]
    cells = zip(table.ids.ravel().tolist(), table.sequences.ravel().tolist(), strict=True)
    for cell, (name, sequence) in enumerate(cells):
        yield cell // width, name, sequence
