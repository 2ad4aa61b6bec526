"""Parts of scoring mutants that need no model; `tests/commands/test_mutate.py` has the rest."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.config import MutateConfig
from peftide.errors import InputError
from peftide.predictor.mutating import (
    conformal_limit,
    listed_mutants,
    single_substitutions,
    validation_rows,
)
from peftide.sequences.records import WildType

WILD_TYPE = WildType("MKX", 10)


def test_single_substitutions_are_numbered_as_in_training() -> None:
    names = single_substitutions(WILD_TYPE, {2, 3})
    assert len(names) == 19  # none at an unknown residue
    assert names[0] == "K12A"


def test_listed_mutants_keep_to_the_sites(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text("mutant\tnote\nK12R\t\nM11A:K12R\tx\n", encoding="utf-8")
    config = MutateConfig(run=tmp_path, out=tmp_path / "out", mutants=path)
    assert listed_mutants(config, WILD_TYPE, {2}) == ["K12R"]
    path.write_text("name\nK12R\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column of mutants"):
        listed_mutants(config, WILD_TYPE, {2})


def test_a_variant_is_listed_once_and_rows_without_a_protein_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "m.tsv"
    config = MutateConfig(run=tmp_path, out=tmp_path / "out", mutants=path)
    path.write_text("mutant\nM11A:K12R\nK12R:M11A\nNA\nK12*\n", encoding="utf-8")
    with caplog.at_level("WARNING"):
        assert listed_mutants(config, WILD_TYPE, {1, 2}) == ["M11A:K12R"]
    for said in ("1 repeated mutant", "1 unnamed variant", "1 stop variant"):
        assert said in caplog.text
    path.write_text("mutant\nNA\nK12*\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"m\.tsv: no row names a variant"):
        listed_mutants(config, WILD_TYPE, {1, 2})


def test_intervals_hold_at_their_error_rate() -> None:
    """Reference: coverage of split conformal intervals on exchangeable rows, by simulation."""
    generator = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        scores = np.abs(generator.normal(size=60))
        limit = conformal_limit(scores[:59], 0.1)
        assert limit is not None
        inside.append(scores[59] <= limit)
    assert 0.86 < np.mean(inside) < 0.95
    assert conformal_limit(np.ones(5), 0.1) is None


def test_validation_rows_are_found_in_either_file(tmp_path: Path) -> None:
    assert validation_rows(tmp_path) is None
    rows = pd.DataFrame({"id": ["K2R", "K2A"], "prediction": [1.0, 2.0], "label": [1, 2]})
    rows.assign(split=["validation", "test"]).to_csv(
        tmp_path / "predictions.tsv", sep="\t", index=False
    )
    found = validation_rows(tmp_path)
    assert found is not None
    assert found["id"].tolist() == ["K2R"]


def test_a_list_of_mave_db_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("# Accession: urn:mavedb:1\nhgvs_pro\np.Lys12Arg\n", encoding="utf-8")
    config = MutateConfig(run=tmp_path, out=tmp_path / "out", mutants=path)
    assert listed_mutants(config, WILD_TYPE, {2}) == ["p.Lys12Arg"]


def test_excluded_mutants_are_counted_and_advice_names_no_missing_option(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "m.tsv"
    config = MutateConfig(run=tmp_path, out=tmp_path / "out", mutants=path)
    path.write_text("mutant\nM11A\nK12R\n", encoding="utf-8")
    with caplog.at_level("WARNING"):
        assert listed_mutants(config, WILD_TYPE, {2}) == ["K12R"]
    assert "1 excluded mutant" in caplog.text
    path.write_text("mutant\nW12R\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        listed_mutants(config, WILD_TYPE, {2})
    assert "--wild-type" not in str(error.value)
