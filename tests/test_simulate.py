"""The simulated proteome: its truth holds, and nothing but the order of residues gives it away."""

import csv
import math
from collections import Counter, defaultdict
from dataclasses import fields
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from peftide import simulate
from peftide.errors import InputError, StorageError
from peftide.simulate import (
    INTERFACES,
    SPLITS,
    SYMMETRIES,
    ProteomeSizes,
    SimulatedProtein,
    SimulatedProteome,
    interacts,
    simulate_proteome,
    write_proteome,
)

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
SMALL = ProteomeSizes(train=64, validation=16, test=32, new=24, partners=4)


@pytest.fixture(scope="module")
def proteome() -> SimulatedProteome:
    return simulate_proteome(0)


@pytest.fixture(scope="module")
def by_id(proteome: SimulatedProteome) -> dict[str, SimulatedProtein]:
    return {protein.id: protein for protein in proteome.proteins}


def longest_run(sequence: str, letters: str) -> int:
    """Return the longest stretch of residues that are all among the letters."""
    marks = "".join("x" if residue in letters else " " for residue in sequence)
    return max(map(len, marks.split()), default=0)


def densest_window(sequence: str, letters: str, width: int = simulate.CHARGE_WINDOW) -> int:
    windows = (sequence[i : i + width] for i in range(len(sequence) - width + 1))
    return max(sum(residue in letters for residue in window) for window in windows)


def composition(proteins: list[SimulatedProtein]) -> np.ndarray:
    return np.array(
        [
            [
                *(p.sequence.count(a) / len(p.sequence) for a in AMINO_ACIDS),
                math.log(len(p.sequence)),
            ]
            for p in proteins
        ]
    )


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_the_same_seed_yields_the_same_proteome() -> None:
    assert simulate_proteome(3, SMALL) == simulate_proteome(3, SMALL)


def test_another_seed_yields_other_sequences() -> None:
    first, second = (
        {p.sequence for p in simulate_proteome(seed, SMALL).proteins} for seed in (0, 1)
    )
    assert not first & second


def test_sizes_are_met(proteome: SimulatedProteome) -> None:
    sizes = proteome.sizes
    for split in SPLITS:
        assert len(proteome.proteins_of(split)) == sizes.count(split)
        assert len(proteome.pairs_of(split)) == sizes.count(split) * sizes.partners
    lengths = {len(protein.sequence) for protein in proteome.proteins}
    assert (min(lengths), max(lengths)) == (sizes.min_length, sizes.max_length)


def test_interface_and_symmetry_are_crossed_in_every_split(proteome: SimulatedProteome) -> None:
    for split in SPLITS:
        kinds = Counter((p.interface, p.symmetry) for p in proteome.proteins_of(split))
        assert set(kinds) == set(product(INTERFACES, SYMMETRIES))
        assert len(set(kinds.values())) == 1


def test_splits_share_neither_proteins_nor_sequences(
    proteome: SimulatedProteome, by_id: dict[str, SimulatedProtein]
) -> None:
    assert len(by_id) == len(proteome.proteins)
    assert len({protein.sequence for protein in proteome.proteins}) == len(proteome.proteins)
    for pair in proteome.pairs:
        assert by_id[pair.id_a].split == by_id[pair.id_b].split == pair.split


def test_every_protein_holds_the_same_count_of_each_residue_set(
    proteome: SimulatedProteome,
) -> None:
    expected = {"KR": 8, "DE": 8, "NQ": 6, "ST": 6}
    for protein in proteome.proteins:
        assert set(protein.sequence) <= set(AMINO_ACIDS)
        counts = {s: sum(map(protein.sequence.count, s)) for s in expected}
        assert counts == expected


def test_residue_sets_and_background_are_the_twenty_amino_acids() -> None:
    letters = "".join(simulate.RESIDUE_SETS.values()) + simulate.BACKGROUND
    assert sorted(letters) == sorted(AMINO_ACIDS)


def test_the_charge_of_the_interface_is_clustered(proteome: SimulatedProteome) -> None:
    opposite = {"basic": "acidic", "acidic": "basic"}
    scattered = []
    for protein in proteome.proteins:
        sets = simulate.RESIDUE_SETS
        assert densest_window(protein.sequence, sets[protein.interface]) == simulate.CHARGES
        other = densest_window(protein.sequence, sets[opposite[protein.interface]])
        scattered.append(other == simulate.CHARGES)
    assert np.mean(scattered) < 0.01


def test_symmetry_is_where_donors_and_acceptors_stand(proteome: SimulatedProteome) -> None:
    blocks = Counter()
    for protein in proteome.proteins:
        sequence, polar = protein.sequence, "NQST"
        if protein.symmetry == "C2":
            assert longest_run(sequence, polar) == 12
            patch = "".join(residue for residue in sequence if residue in polar)
            assert all((a in "NQ") != (b in "NQ") for a, b in pairwise(patch))
        elif protein.symmetry == "C3":
            assert sum(residue in "NQ" for residue in sequence[:8]) == 6
            assert sum(residue in "ST" for residue in sequence[-8:]) == 6
        elif protein.symmetry == "D2":
            assert longest_run(sequence, "NQ") == longest_run(sequence, "ST") == 6
            assert longest_run(sequence, polar) == 12
        else:
            blocks[longest_run(sequence, polar) >= 8] += 1
    assert blocks[True] < 0.01 * blocks.total()


def test_the_truth_of_pairs_is_symmetric() -> None:
    for a, b in product(INTERFACES, repeat=2):
        assert interacts(a, b) == interacts(b, a) == (a != b)


def test_pair_labels_follow_the_interfaces(
    proteome: SimulatedProteome, by_id: dict[str, SimulatedProtein]
) -> None:
    for pair in proteome.pairs:
        truth = interacts(by_id[pair.id_a].interface, by_id[pair.id_b].interface)
        assert pair.label == truth


@pytest.mark.parametrize("sizes", [ProteomeSizes(), SMALL], ids=["demo", "small"])
def test_every_protein_has_as_many_positive_as_negative_pairs(sizes: ProteomeSizes) -> None:
    proteome = simulate_proteome(0, sizes)
    degrees: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for pair in proteome.pairs:
        degrees[pair.id_a][pair.label] += 1
        degrees[pair.id_b][pair.label] += 1
    assert degrees.keys() == {protein.id for protein in proteome.proteins}
    assert all(degree == {0: sizes.partners, 1: sizes.partners} for degree in degrees.values())


def test_no_pair_is_repeated_or_of_one_protein(proteome: SimulatedProteome) -> None:
    pairs = {frozenset((pair.id_a, pair.id_b)) for pair in proteome.pairs}
    assert len(pairs) == len(proteome.pairs)
    assert all(len(pair) == 2 for pair in pairs)


def test_orientation_of_a_pair_tells_nothing(
    proteome: SimulatedProteome, by_id: dict[str, SimulatedProtein]
) -> None:
    positives = [pair for pair in proteome.pairs_of("train") if pair.label]
    share = np.mean([by_id[pair.id_a].interface == "basic" for pair in positives])
    assert share == pytest.approx(0.5, abs=0.06)


def pair_features(
    vectors: dict[str, np.ndarray], proteome: SimulatedProteome, split: simulate.Split
) -> tuple[np.ndarray, list[int]]:
    pairs = proteome.pairs_of(split)
    a, b = (np.array([vectors[getattr(p, side)] for p in pairs]) for side in ("id_a", "id_b"))
    return np.hstack([(a + b) / 2, abs(a - b), a * b]), [pair.label for pair in pairs]


@pytest.mark.parametrize("seed", [0, 1])
def test_composition_and_length_do_not_tell_the_pairs(seed: int) -> None:
    proteome = simulate_proteome(seed)
    scaler = StandardScaler().fit(composition(proteome.proteins_of("train")))
    rows = np.asarray(scaler.transform(composition(list(proteome.proteins))))
    vectors = dict(zip((p.id for p in proteome.proteins), rows, strict=True))
    model = LogisticRegression(max_iter=1000).fit(*pair_features(vectors, proteome, "train"))
    features, labels = pair_features(vectors, proteome, "test")
    score = average_precision_score(labels, model.predict_proba(features)[:, 1])
    assert score == pytest.approx(0.5, abs=0.06)


def test_composition_and_length_do_not_tell_the_symmetry(proteome: SimulatedProteome) -> None:
    train, test = proteome.proteins_of("train"), proteome.proteins_of("test")
    scaler = StandardScaler().fit(composition(train))
    model = LogisticRegression(max_iter=1000)
    model.fit(scaler.transform(composition(train)), [p.symmetry for p in train])
    scores = model.predict_proba(scaler.transform(composition(test)))
    truth = np.array([[p.symmetry == name for name in model.classes_] for p in test])
    score = average_precision_score(truth, scores, average="macro")
    assert score == pytest.approx(0.25, abs=0.07)


def test_a_rule_that_reads_the_order_tells_all_pairs(
    proteome: SimulatedProteome, by_id: dict[str, SimulatedProtein]
) -> None:
    sets = simulate.RESIDUE_SETS
    lean = {
        p.id: densest_window(p.sequence, sets["basic"]) - densest_window(p.sequence, sets["acidic"])
        for p in by_id.values()
    }
    pairs = proteome.pairs_of("test")
    scores = [-lean[pair.id_a] * lean[pair.id_b] for pair in pairs]
    assert average_precision_score([pair.label for pair in pairs], scores) > 0.99


def test_files_round_trip(tmp_path: Path) -> None:
    proteome = simulate_proteome(0, SMALL)
    paths = write_proteome(proteome, tmp_path / "new" / "folder")
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == set(paths)

    lines = paths["proteins.fasta"].read_text().split()
    sequences = dict(zip((line[1:] for line in lines[::2]), lines[1::2], strict=True))
    assert sequences == {protein.id: protein.sequence for protein in proteome.proteins}

    rows = [tuple(row.values()) for row in read_tsv(paths["pairs.tsv"])]
    known = proteome.pairs_of("train", "validation", "test")
    assert rows == [(p.id_a, p.id_b, str(p.label), p.split) for p in known]

    rows = [tuple(row.values()) for row in read_tsv(paths["symmetry.tsv"])]
    proteins = proteome.proteins_of("train", "validation", "test")
    assert rows == [(p.id, p.sequence, p.symmetry, p.split) for p in proteins]

    rows = [tuple(row.values()) for row in read_tsv(paths["proteins_truth.tsv"])]
    assert rows == [(p.id, p.interface, p.symmetry, p.split) for p in proteome.proteins]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("pairs.tsv", "id_a id_b label split"),
        ("symmetry.tsv", "id sequence label split"),
        ("new_pairs.tsv", "id_a id_b"),
        ("new_pairs_truth.tsv", "id_a id_b label"),
        ("new_symmetry.tsv", "id sequence"),
        ("new_symmetry_truth.tsv", "id sequence label"),
    ],
)
def test_tables_have_the_columns_that_the_commands_read(
    tmp_path: Path, name: str, header: str
) -> None:
    paths = write_proteome(simulate_proteome(0, SMALL), tmp_path)
    assert paths[name].read_text().splitlines()[0].split("\t") == header.split()


def test_new_tables_hold_only_new_proteins_and_truth_stands_row_by_row(tmp_path: Path) -> None:
    proteome = simulate_proteome(0, SMALL)
    paths = write_proteome(proteome, tmp_path)
    asked, truth = (read_tsv(paths[f"new_pairs{end}.tsv"]) for end in ("", "_truth"))
    new = {protein.id for protein in proteome.proteins_of("new")}
    assert {row[side] for row in asked for side in ("id_a", "id_b")} == new
    assert [(r["id_a"], r["id_b"]) for r in asked] == [(r["id_a"], r["id_b"]) for r in truth]
    assert [int(row["label"]) for row in truth] == [p.label for p in proteome.pairs_of("new")]
    assert {row["id"] for row in read_tsv(paths["new_symmetry.tsv"])} == new


def test_readme_says_that_all_is_simulated_and_how(tmp_path: Path) -> None:
    readme = write_proteome(simulate_proteome(7, SMALL), tmp_path)["README.txt"].read_text()
    assert readme.startswith("SIMULATED DATA (seed 7")
    assert simulate.__doc__ is not None
    assert simulate.__doc__ in readme


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        write_proteome(simulate_proteome(0, SMALL), tmp_path / "file")


def test_every_wrong_size_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        ProteomeSizes(train=12, new=8, partners=5, min_length=70)
    message = str(caught.value)
    assert all(part in message for part in ("train=12", "new=8", "partners=5", "lengths 70 to 68"))


def test_the_shortest_allowed_proteins_can_be_made() -> None:
    shortest = simulate.SHORTEST_LENGTH
    for seed in range(5):
        sizes = ProteomeSizes(64, 16, 32, 24, min_length=shortest, max_length=shortest)
        simulate_proteome(seed, sizes)


def test_records_are_frozen(proteome: SimulatedProteome) -> None:
    for record in (proteome, proteome.sizes, proteome.proteins[0], proteome.pairs[0]):
        with pytest.raises(AttributeError):
            setattr(record, fields(record)[0].name, None)
