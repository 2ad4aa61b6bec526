"""`peftide mutate`: from a trained run to a heat map and a list to order."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import peftide
from peftide.config import MutateConfig, TrainConfig, from_mapping, read_yaml
from peftide.errors import InputError
from peftide.quantities import number
from tests.conftest import STEPLESS, header_of, labelled_rows, small_config, write_rows

PLAIN = {"device": "cpu", "precision": "fp32", "threads": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutate")
    rows = labelled_rows("variants", "train", 30)
    other = labelled_rows("variants", "test", 24)
    tables = {
        part: write_rows(folder / f"scan_{part}.tsv", header_of("variants"), found)
        for part, found in {"train": rows, "validation": other}.items()
    }
    config = small_config(
        *(folder, "variants", "head"),
        **{"head": "auto", "head_width": 256, "baselines": ("none",), "test": ()} | STEPLESS,
    )
    return peftide.train(peftide.TrainConfig(**{**vars(config), **tables})).path


def test_all_single_substitutions_are_scored_and_listed(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = MutateConfig(run=run, out=out, exclude_sites=("1", "5-9"), top=7, **PLAIN)
    table = peftide.mutate(config)
    assert len(table) == 19 * 24
    assert table["prediction"].is_monotonic_decreasing
    assert np.all(np.asarray(table["low"]) < np.asarray(table["prediction"]))
    assert not table["mutant"].str[1:-1].astype(int).isin([1, 5, 6, 7, 8, 9]).any()
    wild_type = json.loads((out / "run.json").read_text())["wild_type"]["prediction"]
    same = peftide.load(run, **PLAIN).predict(["WT"])["prediction"][0]
    assert wild_type == pytest.approx(same, abs=1e-5)
    np.testing.assert_allclose(table["change"], table["prediction"] - wild_type)
    assert f"the wild type has {number(wild_type)}" in (out / "heat_map.svg").read_text()
    order = pd.read_csv(out / "order.tsv", sep="\t")
    assert order["mutant"].tolist() == table.query("measured == 'no'")["mutant"].tolist()[:7]
    assert order["sequence"].str.len().eq(30).all()
    assert (out / "heat_map.svg").read_text().count("<title>") == len(table)
    written = pd.read_csv(out / "variants.tsv", sep="\t")
    assert written.columns.tolist() == [
        *("mutant", "prediction", "low", "high", "change", "site", "measured")
    ]
    assert written["site"].astype(str).tolist() == written["mutant"].str[1:-1].tolist()
    known = {
        str(row[0])
        for n, part in ((30, "train"), (24, "test"))
        for row in labelled_rows("variants", part, n)
    }
    measured = [mutant in known for mutant in written["mutant"]]
    assert [answer == "yes" for answer in written["measured"]] == measured
    assert {*written["measured"]} == {"yes", "no"}


def test_listed_mutants_are_scored_instead(run: Path, tmp_path: Path) -> None:
    first, second = (str(row[0]) for row in labelled_rows("variants", "train", 2))
    path = tmp_path / "m.tsv"
    path.write_text(f"mutant\n{first}:{second}\n", encoding="utf-8")
    table = peftide.mutate(MutateConfig(run=run, out=tmp_path / "out", mutants=path, **PLAIN))
    assert table["mutant"].tolist() == [f"{first}:{second}"]
    assert table["site"].tolist() == [f"{first[1:-1]}:{second[1:-1]}"]


def test_a_run_of_another_task_and_sites_outside_are_refused(
    run: Path, trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="expected a run of `peftide train --task variants`"):
        peftide.mutate(MutateConfig(run=trained("regression", "head"), out=tmp_path / "o"))
    with pytest.raises(InputError, match=r"--exclude-sites: received '31'"):
        peftide.mutate(MutateConfig(run=run, out=tmp_path / "o", exclude_sites=("31",)))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("is_measured", [False, True])
def test_sums_of_single_substitutions_are_warned_of(
    is_measured: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sum starts at the wild type if that was measured; the message says where."""
    sequence = "MKTAYIAKQR"
    rows = [[f"{old}{n}{new}", f"{-n / 10}"] for n, old in enumerate(sequence, 1) for new in "GW"]
    rows += [["WT", "0.5"]] if is_measured else []
    train = write_rows(tmp_path / "t.tsv", "mutant label", [*map(tuple, rows)])
    validation = write_rows(
        tmp_path / "v.tsv", "mutant label", [("M1A", "-0.1"), ("K2A", "-0.3"), ("R10A", "-1")]
    )
    config = peftide.TrainConfig(
        task="variants",
        wild_type=sequence,
        train=train,
        validation=validation,
        method="head",
        baselines=("none",),
        out=tmp_path / "run",
        **PLAIN,
    )
    run = peftide.train(config).path
    listed = write_rows(tmp_path / "m.tsv", "mutant", [("K2G:R10G",), ("K2G",), ("R10G",), ("WT",)])
    caplog.clear()
    table = peftide.mutate(MutateConfig(run=run, out=tmp_path / "out", mutants=listed, **PLAIN))
    assert "1 combined variant" in caplog.text
    assert ("train has no wild type" in caplog.text) == (not is_measured)
    found = dict(zip(table["mutant"].tolist(), table["prediction"].tolist(), strict=True))
    if is_measured:
        assert found["WT"] == pytest.approx(0.5, abs=0.01)
        values = [found[name] for name in ("K2G:R10G", "R10G", "K2G", "WT")]
        assert values == sorted(values)


def test_an_error_rate_without_intervals_is_refused(
    run: Path, trained: Callable[[str, str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    low = MutateConfig(run=run, out=tmp_path / "o", error_rate=0.01, **PLAIN)
    with pytest.raises(InputError, match="--error-rate: too few validation variants"):
        peftide.mutate(low)
    yes_or_no = MutateConfig(run=trained("variants-binary", "head"), out=tmp_path / "o", **PLAIN)
    with pytest.raises(InputError, match="--error-rate: the task variants-binary does not read it"):
        peftide.mutate(replace(yes_or_no, error_rate=0.2))
    few = read_yaml(run / "config.yaml")
    rows = labelled_rows("variants", "test", 8)
    few |= {"validation": write_rows(tmp_path / "v.tsv", header_of("variants"), rows)}
    few = peftide.train(from_mapping(TrainConfig, few | {"out": tmp_path / "few"})).path
    table = peftide.mutate(MutateConfig(run=few, out=tmp_path / "o", **PLAIN))
    assert "low" not in table
    assert "note: too few validation variants" in caplog.text


def test_tested_variants_are_measured_and_a_missing_wild_type_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = {part: labelled_rows("variants", part, 24) for part in ("train", "validation", "test")}
    rows = [(*row, part) for part, found in parts.items() for row in found]
    table = write_rows(tmp_path / "scan.tsv", f"{header_of('variants')} split", rows)
    config = small_config(
        *(tmp_path, "variants", "head"),
        **{"head": "auto", "head_width": 256, "baselines": ("none",), "test": ()} | STEPLESS,
    )
    config = replace(config, train=None, validation=None, data=table, out=tmp_path / "run")
    run = peftide.train(config).path
    with caplog.at_level("WARNING"):
        found = peftide.mutate(MutateConfig(run=run, out=tmp_path / "out", **PLAIN))
    measured = set(found.query("measured == 'yes'")["mutant"])
    assert measured == {str(row[0]) for row in rows}
    assert "train has no wild type" in caplog.text
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["wild_type"]["in_train"] is False
