from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.config import EvaluateConfig
from peftide.errors import InputError
from peftide.outputs import making_folder
from peftide.predictor.evaluating import read_rows, run_evaluation

Trained = Callable[[str, str], Path]


def config_of(run: Path, out: Path, **options: object) -> EvaluateConfig:
    values: dict[str, object] = {"device": "cpu", "precision": "fp32", "threads": 1} | options
    return EvaluateConfig(run=run, input=run.parent / "test.tsv", out=out, **values)  # type: ignore[arg-type]


def test_scores_are_those_of_the_written_file(trained: Trained, tmp_path: Path) -> None:
    config = config_of(trained("ppi", "head"), tmp_path / "scores")
    with making_folder(config.out, command="evaluate", overwrite=False, inputs=[]) as work:
        metrics = run_evaluation(config, work)
    assert metrics["splits"].keys() == {"test"}
    assert {"metrics.json", "run.json"} <= {path.name for path in config.out.iterdir()}


def test_a_part_that_the_table_lacks_is_refused(trained: Trained, tmp_path: Path) -> None:
    run = trained("ppi", "head")
    table = tmp_path / "table.tsv"
    lines = (run.parent / "test.tsv").read_text().splitlines()
    table.write_text("\n".join([f"{lines[0]}\tsplit", *(f"{line}\ttest" for line in lines[1:])]))
    config = EvaluateConfig(run=run, input=table, out=tmp_path / "scores", part="tset")
    with pytest.raises(InputError, match="expected one of test") as caught:
        read_rows(config, level="pair")
    assert caught.value.where == "--part"
