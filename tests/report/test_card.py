"""The card of a model: its code runs, its numbers are those of the run, its head is YAML."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from peftide.report import write_report
from peftide.report.card import card
from peftide.report.read import read_run
from peftide.tasks import TASKS, VARIANT_TASKS

Trained = Callable[[str, str], Path]


@pytest.mark.parametrize("task", TASKS)
def test_the_code_of_a_card_runs_in_the_folder_of_the_model(
    task: str, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(task, "head")
    text = (run / "model" / "README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(code) == (task not in VARIANT_TASKS)
    monkeypatch.chdir(run / "model")
    for block in code:
        exec(block, {})


def test_head_hashes_scores_and_licence(trained: Trained) -> None:
    run = read_run(trained("ppi", "lora"))
    text = card(run, title="My | model")
    front = yaml.safe_load(text.split("---")[1])
    assert front["tags"][-2:] == ["ppi", "lora"]
    assert {"license", "base_model"}.isdisjoint(front)  # the weights are random
    assert text.count("\n# My | model\n") == 1
    assert all(f"`{digest}`" in text for digest in run.record["data"].values())
    value = run.metrics["splits"]["test"]["average_precision"]["value"]
    assert f"| average precision | {value:.3f}" in text
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))


def test_equal_runs_have_equal_cards_and_a_report_rewrites_the_card(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained("regression", "head")
    found = card(read_run(run))
    assert str(run) not in found
    assert found == (run / "model" / "README.md").read_text()
    write_report(run)
    assert found == (run / "model" / "README.md").read_text()


def test_the_head_of_a_card_is_one_that_hubs_take(trained: Trained) -> None:
    run = read_run(trained("ppi", "head"))
    known = {"backbone_hub_id": "facebook/esm2_t6_8M_UR50D", "weights_licence": "CC BY-NC 4.0"}
    front = yaml.safe_load(card(replace(run, record=run.record | known)).split("---")[1])
    assert front["base_model"] == "facebook/esm2_t6_8M_UR50D"
    assert front["license"] == "cc-by-nc-4.0"


def test_without_a_test_part_the_limits_name_validation(trained: Trained) -> None:
    run = read_run(trained("ppi", "head"))
    splits = {"validation": run.metrics["splits"]["validation"]}
    text = card(replace(run, metrics=run.metrics | {"splits": splits}))
    assert "There was no test part" in text
    assert "resemble the validation part" in text
    assert "resemble the test part" not in text
