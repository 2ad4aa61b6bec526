"""What `peftide split` writes is clean to `peftide audit`, and what `peftide train` reads."""

from pathlib import Path

import numpy as np
import pytest

from peftide.auditing import AuditResult
from peftide.commands.audit import audit
from peftide.commands.split import split
from peftide.commands.train import train
from peftide.config import AuditConfig, SplitConfig, TrainConfig
from peftide.simulate import ProteomeSizes, simulate_proteome, write_proteome
from tests.conftest import AMINO_ACIDS, TINY, write_rows

QUICK = {"backbone": TINY, "method": "head", "epochs": 1, "threads": 1, "device": "cpu"}
SIZES = ProteomeSizes(train=64, validation=16, test=16, new=16, partners=2)


def test_a_table_that_was_split_trains_as_it_is(tmp_path: Path) -> None:
    files = write_proteome(simulate_proteome(0, SIZES), tmp_path / "in")
    fasta = files["proteins.fasta"]
    pairs = split(
        SplitConfig(
            input=(files["pairs.tsv"],),
            sequences=fasta,
            out=tmp_path / "pairs",
            similarity="none",
            negatives="sample",
            fractions=(0.6, 0.2, 0.2),
        )
    )
    run = train(
        TrainConfig(data=pairs.path, sequences=fasta, out=tmp_path / "run", strict=True, **QUICK)
    )
    assert {"train", "validation", "test"} == run.metrics["splits"].keys() | {"train"}


def test_sequences_that_were_split_train_with_their_clusters(tmp_path: Path) -> None:
    files = write_proteome(simulate_proteome(0, SIZES), tmp_path / "in")
    found = split(
        SplitConfig(
            input=(files["symmetry.tsv"],),
            out=tmp_path / "singles",
            similarity="none",
            fractions=(0.6, 0.2, 0.2),
        )
    )
    run = train(TrainConfig(data=found.path, out=tmp_path / "run", **QUICK))
    assert run.metrics["intervals"]["test"]["unit"] == "cluster"
    assert "previous_split" in found.path.read_text().splitlines()[0]


def relative(sequence: str, generator: np.random.Generator) -> str:
    """Return a sequence that differs in every eighth residue."""
    letters = list(sequence)
    for place in generator.choice(len(letters), len(letters) // 8, replace=False):
        letters[place] = generator.choice(list(AMINO_ACIDS))
    return "".join(letters)


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs and single sequences of a proteome in which each protein has a relative.

    Its pairs are those of the simulation, each now and then of the relatives instead.
    """
    folder = tmp_path_factory.mktemp("families")
    generator = np.random.default_rng(0)
    proteome = simulate_proteome(0, SIZES)
    proteins = proteome.proteins_of("train", "validation", "test")
    records = [(p.id, p.sequence, p.symmetry) for p in proteins]
    records += [(f"{p.id}_b", relative(p.sequence, generator), p.symmetry) for p in proteins]
    (folder / "p.fasta").write_text("".join(f">{name}\n{text}\n" for name, text, _ in records))
    write_rows(folder / "singles.tsv", "id sequence label", records)
    names = {p.id: (p.id, f"{p.id}_b") for p in proteins}
    pairs = [
        (names[pair.id_a][left], names[pair.id_b][right], pair.label)
        for pair in proteome.pairs_of("train", "validation", "test")
        for left, right in [generator.integers(2, size=2)]
    ]
    write_rows(folder / "pairs.tsv", "id_a id_b label", pairs)
    return folder


def audited(table: Path, fasta: Path | None) -> AuditResult:
    return audit(AuditConfig(data=table, sequences=fasta, similarity="pyopal", threads=1))


def kinds(result: AuditResult, *severities: str) -> set[str]:
    return {v.kind for v in result.verdicts if v.severity in severities}


@pytest.mark.parametrize("negatives", ["keep", "sample"])
def test_pairs_are_clean(families: Path, tmp_path: Path, negatives: str) -> None:
    options = {"negatives": negatives, "similarity": "pyopal", "threads": 1}
    config = SplitConfig(
        input=(families / "pairs.tsv",),
        sequences=families / "p.fasta",
        out=tmp_path / "out",
        fractions=(0.6, 0.2, 0.2),
        **options,
    )
    found = audited(split(config).path, families / "p.fasta")
    assert not found.leaks
    assert found.kinship is not None
    assert len(found.kinship.hits) == 0
    if negatives == "sample":
        assert not kinds(found, "warning")


def test_pairs_at_random_are_not(families: Path, tmp_path: Path) -> None:
    config = SplitConfig(
        input=(families / "pairs.tsv",),
        sequences=families / "p.fasta",
        out=tmp_path / "out",
        kind="random",
    )
    assert audited(split(config).path, families / "p.fasta").leaks


def test_single_sequences_are_clean_and_at_random_are_not(families: Path, tmp_path: Path) -> None:
    table = (families / "singles.tsv",)
    options = {"similarity": "pyopal", "threads": 1}
    clean = split(SplitConfig(input=table, out=tmp_path / "out", **options))
    found = audited(clean.path, None)
    assert not found.leaks
    assert found.kinship is not None
    assert len(found.kinship.hits) == 0
    mixed = split(SplitConfig(input=table, out=tmp_path / "mixed", kind="random"))
    assert audited(mixed.path, None).leaks
