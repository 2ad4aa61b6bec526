from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.errors import InputError, Problems
from peftide.outputs import making_folder
from peftide.predictor.evaluating import read_rows, run_evaluation
from tests.conftest import write_rows

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
        read_rows(config, level="pair", problems=Problems())
    assert caught.value.where == "--part"


def test_every_wrong_row_is_named_at_once(trained: Trained, tmp_path: Path) -> None:
    run = trained("binary", "head")
    rows = [("a", "MKVLAMKVLA", 1), ("b", "MK1VLA", 0), ("c", "MKVLAKK", "maybe"), ("d", "MKW", "")]
    table = write_rows(tmp_path / "t.tsv", "id sequence label", rows)
    config = EvaluateConfig(run=run, input=table, out=tmp_path / "s", threads=1, device="cpu")
    with pytest.raises(InputError) as caught:
        evaluate(config)
    places = [f"{table}:{line}: " in str(caught.value) for line in (2, 3, 4, 5)]
    assert places == [False, True, True, True]
