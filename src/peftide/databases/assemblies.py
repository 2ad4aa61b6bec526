"""mmCIF files of the Protein Data Bank → one row per homo-oligomer, with its symmetry.

A file gives a row if its first biological assembly has protein only, of one entity, and its copies
have a point group (or there is one copy: C1).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.databases.pairs import Counts
from peftide.databases.point_groups import point_group
from peftide.errors import InputError
from peftide.on_demand import require_library
from peftide.types import FloatArray

ENDINGS = (".cif", ".mmcif", ".cif.gz", ".mmcif.gz")
FEWEST_ATOMS = 10
MOST_COPIES = 120


def structure_files(inputs: Iterable[Path]) -> Iterator[Path]:
    """Yield the mmCIF files among inputs, and those in folders, sorted.

    Raises
    ------
    InputError
        If an input is missing or holds none.
    """
    for path in inputs:
        if not path.exists():
            raise InputError("no such file", where=path)
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [each for each in inside if each.name.lower().endswith(ENDINGS)]
        if not found:
            raise InputError("no mmCIF file", expected=f"*{' or *'.join(ENDINGS)}", where=path)
        yield from found


def symmetry_table(files: Iterable[Path], counts: Counts) -> pd.DataFrame:
    """Return `id`, `sequence`, `label` and `n_subunits` of each homo-oligomer.

    Parameters
    ----------
    counts
        Gets the reasons for which files give no row.
    """
    gemmi = require_library("gemmi", extra="structures")
    rows = []
    for path in files:
        try:
            structure = gemmi.read_structure(str(path))
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(f"cannot be read as mmCIF ({error})", where=path) from error
        row = homo_oligomer(structure, counts)
        if row is not None:
            rows.append(row)
    return pd.DataFrame(rows, columns=["id", "sequence", "label", "n_subunits"])


def homo_oligomer(structure: Any, counts: Counts) -> tuple[str, str, str, int] | None:
    """Return the row of a structure of gemmi, or count why it has none."""
    import gemmi

    if not len(structure) or not len(structure.assemblies):
        counts["no biological assembly"] += 1
        return None
    structure.setup_entities()
    entities = {each.name: each for each in structure.entities if each.polymer_type != 0}
    model = gemmi.make_assembly(
        structure.assemblies[0], structure[0], gemmi.HowToNameCopiedChain.AddNumber
    )
    names: set[str] = set()
    copies: list[dict[int, FloatArray]] = []
    for chain in model:
        polymer = chain.get_polymer()
        if not len(polymer):
            continue
        if polymer.check_polymer_type() != gemmi.PolymerType.PeptideL:
            counts["not protein alone"] += 1
            return None
        names.add(polymer[0].entity_id)
        copies.append(_alpha_carbons(polymer))
    if len(names) != 1:
        counts["several proteins" if names else "no protein"] += 1
        return None
    shared = sorted(set.intersection(*({*copy} for copy in copies)))
    if len(shared) < FEWEST_ATOMS or len(copies) > MOST_COPIES:
        counts["too few common residues, or too many copies"] += 1
        return None
    group = point_group(np.array([[copy[place] for place in shared] for copy in copies]))
    if group is None:
        counts["no exact point group"] += 1
        return None
    sequence = gemmi.one_letter_code(
        [gemmi.Entity.first_mon(each) for each in entities[names.pop()].full_sequence]
    ).upper()
    return structure.name.lower(), sequence, group, len(copies)


def _alpha_carbons(polymer: Any) -> dict[int, FloatArray]:
    """Return the coordinates of each residue's CA, by its place in the sequence."""
    found = {}
    for residue in polymer.first_conformer():
        atom = residue.find_atom("CA", "*")
        if atom is not None and residue.label_seq is not None:
            found[residue.label_seq] = np.array([atom.pos.x, atom.pos.y, atom.pos.z])
    return found
