"""mmCIF files that gemmi writes from known assemblies."""

from collections import Counter
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from peftide.databases.assemblies import structure_files, symmetry_table
from peftide.errors import InputError

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEV"


def structure(
    name: str, group: str, *, chains: str = "A", nucleic: bool = False
) -> gemmi.Structure:
    """Return an asymmetric unit, and an assembly that applies a group to it."""
    made = gemmi.Structure()
    made.name = name
    model = gemmi.Model(1)
    rng = np.random.default_rng(0)
    names = (
        ["DA"] * len(SEQUENCE)
        if nucleic
        else gemmi.expand_one_letter_sequence(SEQUENCE, gemmi.ResidueKind.AA)
    )
    for letter in chains:
        chain = gemmi.Chain(letter)
        places = rng.normal(size=(len(SEQUENCE), 3)) * 8 + np.array([50, 10, 20])
        for number, (residue_name, place) in enumerate(zip(names, places, strict=True), start=1):
            residue = gemmi.Residue()
            residue.name, residue.seqid = residue_name, gemmi.SeqId(str(number))
            residue.label_seq = number
            residue.entity_type, residue.subchain = gemmi.EntityType.Polymer, letter
            atom = gemmi.Atom()
            atom.name, atom.element = (
                ("P", gemmi.Element("P"))
                if nucleic
                else (
                    "CA",
                    gemmi.Element("C"),
                )
            )
            atom.pos = gemmi.Position(*place)
            residue.add_atom(atom)
            chain.add_residue(residue)
        model.add_chain(chain)
    made.add_model(model)
    made.setup_entities()
    for entity in made.entities:
        entity.full_sequence = list(names)
    made.deduplicate_entities()
    assembly = gemmi.Assembly("1")
    generator = gemmi.Assembly.Gen()
    generator.subchains = list(chains)
    for turn in Rotation.create_group(group):
        operator = gemmi.Assembly.Operator()
        operator.transform = gemmi.Transform(
            gemmi.Mat33(turn.as_matrix().tolist()), gemmi.Vec3(0, 0, 0)
        )
        generator.operators.append(operator)
    assembly.generators.append(generator)
    made.assemblies.append(assembly)
    return made


def write(made: gemmi.Structure, folder: Path) -> Path:
    path = folder / f"{made.name}.cif"
    made.make_mmcif_document().write_file(str(path))
    return path


@pytest.mark.parametrize(("group", "count"), [("C1", 1), ("C3", 3), ("D2", 4), ("T", 12)])
def test_sequence_label_and_size_are_read(group: str, count: int, tmp_path: Path) -> None:
    path = write(structure("1abc", group), tmp_path)
    table = symmetry_table([path], Counter())
    assert table.to_numpy().tolist() == [["1abc", SEQUENCE, group, count]]


def test_other_structures_are_counted(tmp_path: Path) -> None:
    bare = structure("2bar", "C2")
    del bare.assemblies[:]
    files = [
        write(bare, tmp_path),
        write(structure("3dna", "C2", nucleic=True), tmp_path),
        write(structure("4asy", "C1", chains="AB"), tmp_path),
        write(structure("5good", "C2"), tmp_path),
    ]
    counts: Counter[str] = Counter()
    assert symmetry_table(files, counts)["id"].tolist() == ["5good"]
    assert counts == {
        "no biological assembly": 1,
        "not protein alone": 1,
        "no exact point group": 1,
    }


def test_folders_are_searched_and_other_files_refused(tmp_path: Path) -> None:
    write(structure("1abc", "C1"), tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert [path.name for path in structure_files([tmp_path])] == ["1abc.cif"]
    with pytest.raises(InputError, match="no mmCIF file"):
        list(structure_files([tmp_path / "notes.txt"]))
    with pytest.raises(InputError, match="no such file"):
        list(structure_files([tmp_path / "absent.cif"]))
    broken = tmp_path / "broken.cif"
    broken.write_text("data_x\nloop_\n_a.b\n'")
    with pytest.raises(InputError, match=r"broken\.cif: cannot be read as mmCIF"):
        symmetry_table([broken], Counter())
