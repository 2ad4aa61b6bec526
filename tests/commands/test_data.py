"""`peftide data`: exports become tables that other commands take."""

import json
from pathlib import Path

import pandas as pd
import pytest

import peftide
from peftide.config import DataConfig, SplitConfig
from peftide.errors import InputError
from tests.conftest import random_sequences

LINKS = "protein1 protein2 combined_score\n"


def links(count: int) -> Path:
    path = Path("links.txt")
    pairs = [(f"9606.P{k}", f"9606.P{(k * 7 + 3) % count}") for k in range(count)]
    path.write_text(LINKS + "".join(f"{a} {b} {700 + k}\n" for k, (a, b) in enumerate(pairs)))
    return path


def test_table_ids_and_record_are_written() -> None:
    result = peftide.data(DataConfig(source="string", input=(links(30),), out=Path("out")))
    table = pd.read_csv(result.path, sep="\t")
    assert table.columns.tolist() == ["id_a", "id_b", "label", "score", "records"]
    assert set(table["label"]) == {1}
    ids = Path("out/ids.txt").read_text().split()
    assert ids == sorted({*table["id_a"], *table["id_b"]})
    record = json.loads(Path("out/run.json").read_text())
    assert record["rows"] == len(table)
    assert record["left_out"] == result.left_out


def test_split_takes_the_table_and_draws_negatives() -> None:
    result = peftide.data(DataConfig(source="string", input=(links(60),), out=Path("out")))
    fasta = Path("p.fasta")
    sequences = random_sequences(60, lengths=(30, 60))
    fasta.write_text("".join(f">9606.P{k}\n{text}\n" for k, text in enumerate(sequences)))
    config = SplitConfig(
        input=(result.path,),
        sequences=fasta,
        negatives="sample",
        similarity="none",
        out=Path("parts"),
    )
    split = pd.read_csv(peftide.split(config).path, sep="\t")
    assert set(split["label"]) == {0, 1}


def test_nothing_left_is_an_error_that_says_why() -> None:
    config = DataConfig(source="string", input=(links(5),), out=Path("out"), taxon=10090)
    with pytest.raises(InputError, match=r"no row is left; \d left out: another organism"):
        peftide.data(config)
    assert not Path("out").exists()


def test_an_option_of_another_source_is_refused() -> None:
    with pytest.raises(InputError, match="--channel: the source biogrid does not read it"):
        peftide.data(
            DataConfig(
                source="biogrid", input=(Path("x"),), out=Path("out"), channel="experimental"
            )
        )
