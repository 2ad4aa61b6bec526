"""What `peftide split` writes is what `peftide train` reads."""

from pathlib import Path

from peftide.config import SplitConfig, TrainConfig
from peftide.simulate import ProteomeSizes, simulate_proteome, write_proteome
from peftide.workflows.split import split
from peftide.workflows.train import train
from tests.conftest import TINY

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
