"""Both tools find kinship that is known, and treat what is odd alike."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from peftide.sequences import read_fasta
from peftide.similarity import SimilaritySettings, search
from peftide.similarity.hits import Hits
from tests.similarity.conftest import random_proteins, relatives, with_mmseqs

FAMILIES = random_proteins(12)


def pairs(hits: Hits):
    return list(zip(hits.query.tolist(), hits.target.tolist(), strict=True))


def test_relatives_are_found_with_their_identity(settings: SimilaritySettings):
    cousins = relatives(FAMILIES, changed=0.5)
    hits = search(cousins, FAMILIES, settings)
    assert pairs(hits) == [(number, number) for number in range(12)]
    # a local alignment may leave out bad ends, and then has a higher identity
    assert ((hits.identity_fraction > 0.47) & (hits.identity_fraction < 0.62)).all()
    assert (hits.query_coverage_fraction > 0.7).all()
    assert (hits.score > 40).all()
    assert hits.tool.split()[0] in {"MMseqs2", "pyopal"}


def test_the_program_agrees():
    rich, odd = "QP" * 60, FAMILIES[1][:60] + "UXBZOJ" + FAMILIES[1][60:]
    queries = [*relatives(FAMILIES, changed=0.5), rich, odd, "MK"]
    targets = [*FAMILIES, "P" + rich[:80], "MK", "W"]
    program, library = (
        search(queries, targets, settings)
        for settings in (with_mmseqs(), SimilaritySettings(tool="pyopal"))
    )
    assert pairs(program) == pairs(library)
    assert {(13, 1), (14, 13)} < set(pairs(program))
    assert program.identity_fraction == pytest.approx(library.identity_fraction, abs=0.05)
    assert program.coverage_fraction == pytest.approx(library.coverage_fraction, abs=0.25)


def test_thresholds_select(settings: SimilaritySettings):
    cousins = relatives(FAMILIES, changed=0.5)
    strict = replace(settings, identity_fraction=0.7)
    assert len(search(cousins, FAMILIES, strict)) == 0
    # a third of each protein is the relative's, the rest is unrelated
    parts = [new[:67] + old for new, old in zip(cousins, random_proteins(12, seed=5), strict=True)]
    wide = replace(settings, coverage_fraction=0.2, identity_fraction=0.4)
    assert len(search(parts, FAMILIES, replace(wide, coverage_fraction=0.6))) == 0
    assert len(search(parts, FAMILIES, wide)) >= 10


def test_coverage_is_that_of_the_shorter(settings: SimilaritySettings):
    domain, protein = FAMILIES[0][40:140], FAMILIES[0]
    one, other = search([domain], [protein], settings), search([protein], [domain], settings)
    assert one.query_coverage_fraction.tolist() == other.target_coverage_fraction.tolist() == [1.0]
    assert one.target_coverage_fraction.tolist() == [0.5]


def test_best_hit_comes_first(settings: SimilaritySettings):
    near, far = relatives(FAMILIES[:1], changed=0.2), relatives(FAMILIES[:1], changed=0.5)
    hits = search(FAMILIES[:1], far + near + FAMILIES[1:] + FAMILIES[:1], settings)
    assert hits.target.tolist() == [13, 1, 0]
    assert hits.identity_fraction[0] == 1


def test_identical_sequences_are_always_similar(settings: SimilaritySettings):
    # too short, too simple or unknown altogether for any statistics
    queries = ["MK", "QQQQQQQQQQQQQQQQQQQQQQQQ", "XXXX", "MK"]
    hits = search(queries, ["XXXX", "MK", "MK", "QQQQQQQQQQQQQQQQQQQQQQQQ"], settings)
    assert sorted(pairs(hits)) == [(0, 1), (0, 2), (1, 3), (2, 0), (3, 1), (3, 2)]
    assert (hits.identity_fraction == 1).all()


def test_nothing_and_one(settings: SimilaritySettings):
    assert len(search([], [], settings)) == 0
    assert len(search(FAMILIES, [], settings)) == 0
    assert len(search([], FAMILIES, settings)) == 0
    assert pairs(search(FAMILIES[:1], FAMILIES[:1], settings)) == [(0, 0)]


def test_other_letters_are_compared_as_unknown(settings: SimilaritySettings):
    odd = FAMILIES[0][:60] + "UXBZOJ" + FAMILIES[0][60:]
    assert pairs(search([odd], FAMILIES, settings)) == [(0, 0)]


def test_few_residues_alone_are_no_kinship(settings: SimilaritySettings):
    rich = [
        "".join("QP"[(number * place * place + place) % 7 > 2] for place in range(150))
        for number in range(1, 7)
    ]
    hits = search(rich, rich, settings)
    assert pairs(hits) == [(number, number) for number in range(6)]


def test_a_very_long_protein(settings: SimilaritySettings):
    (giant,) = random_proteins(1, length=34_350)
    (cousin,) = relatives([giant[2_000:6_000]], changed=0.4)
    hits = search([giant, FAMILIES[0]], [cousin, giant[20_000:20_300]], settings)
    assert pairs(hits) == [(0, 0), (0, 1)]
    assert 0.57 < hits.identity_fraction[0] < 0.63
    assert hits.target_coverage_fraction.tolist() == pytest.approx([1, 1], abs=0.02)
    assert hits.query_coverage_fraction[0] == pytest.approx(4_000 / 34_350, abs=0.01)


@pytest.mark.slow
def test_the_library_finds_what_the_program_finds(data: Path):
    if shutil.which("mmseqs") is None:
        pytest.skip("MMseqs2 is not installed (Debian: apt-get install mmseqs2)")
    proteins, _ = read_fasta(data / "ppi_yeast" / "sequences.fasta")
    queries, targets = proteins.sequences[:800], proteins.sequences[800:]
    program, library = (
        set(pairs(search(queries, targets, SimilaritySettings(tool=tool))))
        for tool in ("mmseqs", "pyopal")
    )
    assert len(program) > 300
    assert len(program & library) > 0.9 * len(program)
    assert len(program & library) > 0.9 * len(library)
