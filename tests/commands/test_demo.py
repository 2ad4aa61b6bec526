from pathlib import Path

import pandas as pd
import pytest

from peftide.commands import demo as workflow
from peftide.config import DemoConfig
from peftide.errors import InputError
from peftide.simulate import ProteomeSizes, simulate_proteome

SMALL = ProteomeSizes(train=32, validation=16, test=16, new=16, partners=2)


def test_every_method_is_trained_on_both_tasks_and_new_pairs_are_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "simulate_proteome", lambda seed: simulate_proteome(seed, SMALL))
    result = workflow.demo(DemoConfig(out=tmp_path / "demo", threads=1))
    trained = set(zip(result.table["task"], result.table["method"], strict=True))
    assert trained == {
        (task, method) for task in ("ppi", "symmetry") for method in workflow.SETTINGS
    }
    written = pd.read_csv(tmp_path / "demo" / "table.tsv", sep="\t")
    assert written["test"].tolist() == pytest.approx(result.table["test"].tolist())
    assert (tmp_path / "demo" / "runs" / "ppi_lora" / "model" / "bundle.json").is_file()
    truth = {(p.id_a, p.id_b): p.label for p in simulate_proteome(0, SMALL).pairs_of("new")}
    rows = result.new_pairs.to_dict("records")
    assert {(row["id_a"], row["id_b"]): row["truth"] for row in rows} == truth


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="not written by `peftide demo`"):
        workflow.demo(DemoConfig(out=tmp_path, overwrite=True))
    assert (tmp_path / "mine.txt").read_text() == "precious"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_planted_signal_is_recovered_above_composition(tmp_path: Path, seed: int) -> None:
    table = workflow.demo(DemoConfig(out=tmp_path / "demo", seed=seed)).table
    for row in table.to_dict("records"):
        assert row["test"] > row["composition"] + 0.05
        assert row["method"] == "head" or row["test"] > 0.85
