"""Tables of pairs come in; they go out with unique ids for distinct sequences."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from peftide.sequences import Finding, Table
from peftide.sequences.tallies import Tally


def rename_reused_ids(tables: Mapping[str, Table]) -> tuple[dict[str, Table], tuple[Finding, ...]]:
    """Rename ids that are reused for another sequence, and count them.

    Training refuses such tables; an audit continues and reports them. Tables of single sequences
    stay unchanged, because training renames their ids too. Tables without sequences also stay
    unchanged.
    """
    tally = Tally("renamed_ids", "an id is reused for another sequence; read as another protein")
    names: dict[tuple[str, str], str] = {}
    first: dict[str, str] = {}
    renamed = dict(tables)
    for part, table in tables.items():
        if table.ids is None or table.sequences is None or table.ids.shape[1] == 1:
            continue
        ids = table.ids.copy()
        for cell, (name, sequence) in enumerate(
            zip(ids.ravel().tolist(), table.sequences.ravel().tolist(), strict=True)
        ):
            if first.setdefault(name, sequence) == sequence:
                continue
            row = cell // ids.shape[1]
            if (name, sequence) not in names:
                names[name, sequence] = f"{name}_row_{table.lines[row]}"
                tally.add(f"{table.where(row)} {name}")
            ids[np.unravel_index(cell, ids.shape)] = names[name, sequence]
        renamed[part] = replace(table, ids=ids)
    return renamed, tally.findings("sequences")
