import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peftide.auditing import conclusion
from peftide.report.account import audited, cost, counted, learning, next_steps, settings
from peftide.report.read import Run, read_run
from tests.report.conftest import Outline, entry, write_run


def run_of(folder: Path, **record: Any) -> Run:
    metrics = {"headline": "auroc", "splits": {"test": {"auroc": entry(0.6)}}}
    return read_run(write_run(folder, metrics, **record))


def text(part: Any) -> str:
    assert part is not None
    return Outline(part).text()


def test_what_is_unknown_has_no_section(tmp_path: Path) -> None:
    run = run_of(tmp_path, command="evaluate")
    for section in (counted, audited, learning, cost, next_steps, settings):
        found = section(run)
        assert found is None or section is settings, section


def test_rows_and_decisions_are_listed(tmp_path: Path) -> None:
    finding = {"part": "test", "kind": "self_pairs", "count": 1310, "decision": "left out"}
    examples = {"test": {"rows": 4842, "counted": 4710}}
    run = run_of(tmp_path, findings=[finding | {"examples": ["x.tsv:7"]}], examples=examples)
    shown = text(counted(run))
    assert "test4,8424,710" in shown
    assert "1,310 self pairstestleft outx.tsv:7" in shown


def test_findings_of_an_audit_are_shown_without_those_that_are_fine(tmp_path: Path) -> None:
    verdicts = [
        {"severity": "leak", "part": "test", "text": "12 shared", "advice": "split anew"},
        {"severity": "ok", "part": "test", "text": "no repeats", "advice": ""},
    ]
    found = conclusion(["leak", "ok"], searched=False)
    (tmp_path / "audit.json").write_text(json.dumps({"verdicts": verdicts, "conclusion": found}))
    shown = text(audited(run_of(tmp_path)))
    assert "peftide audit also searches for similar proteins." in shown
    assert "1 leak; similar proteins were not searched. 1 other check is fine." in shown
    assert "leaktest12 sharedsplit anew" in shown
    assert "no repeats" not in shown


@pytest.mark.parametrize(
    ("severities", "said"),
    [
        (
            ["warning"] * 11 + ["note"] * 4 + ["ok"] * 18,
            "No leak; 11 warnings, 4 notes. 18 other checks are fine.",
        ),
        (["leak", "leak", "note"], "2 leaks, 1 note."),
        (["ok", "ok"], "No leak. 2 checks are fine."),
    ],
)
def test_an_audit_begins_with_its_outcome(tmp_path: Path, severities: list[str], said: str) -> None:
    verdicts = [{"severity": severity, "part": "test", "text": "t"} for severity in severities]
    found = conclusion(severities, searched=True)
    (tmp_path / "audit.json").write_text(json.dumps({"verdicts": verdicts, "conclusion": found}))
    intro = "Properties of the data that could make these scores too good. "
    shown = text(audited(run_of(tmp_path)))
    assert shown.partition(intro)[2].startswith(said)


@pytest.mark.parametrize("loss", ["0.7,0.6\n2,0.6,0.7", "0.7,0.6", "nan,nan\n2,0.6,0.7"])
def test_any_number_of_epochs_is_drawn(tmp_path: Path, loss: str) -> None:
    (tmp_path / "history.csv").write_text(f"epoch,train_loss,auroc\n1,{loss}\n")
    shown = text(learning(run_of(tmp_path, best_epoch=1, epochs=2, steps=1016)))
    assert ("Training loss. " in shown) == ("\n" in loss)  # one epoch has no curve
    assert "optimizer steps1,016" in shown


def test_a_history_without_numbers_has_no_figures(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,train_loss\n1,nan\n")
    assert learning(run_of(tmp_path)) is None


def test_cost_is_in_units_for_people(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        parameters={"trained": 368640, "total": 649400320},
        peak_memory_bytes=650_000_000,
        memory_before_bytes=509_000_000,
        seconds={"training": 34.6, "this_process": 234},
        training_residues_per_second=1542894,
        hardware={"device": "cpu", "device_name": "Xeon", "threads": 2, "precision": "bf16"},
    )
    shown = text(cost(run))
    assert "368,640 of 649,400,320 (0.057 %)" in shown
    assert "650 MB" in shown
    assert "509 MB" in shown
    assert "3 min 54 s" in shown
    assert "1,542,894 residues per second" in shown
    assert "Xeon, cpu, 2 threads" in shown


def test_the_next_commands_are_quoted_for_a_shell(tmp_path: Path) -> None:
    shown = text(next_steps(run_of(tmp_path / "my run")))
    assert f"peftide predict '{tmp_path}/my run' --input new.fasta" in shown
    assert f"peftide train --config '{tmp_path}/my run/config.yaml' --out again" in shown
    other = text(next_steps(run_of(tmp_path / "scores", command="evaluate", model="runs/a")))
    assert "peftide predict runs/a" in other
    assert "peftide train" not in other


def test_settings_that_the_user_chose_come_first(run_folder: Path) -> None:
    """Not those that peftide decided, as the token budget and the precision."""
    shown = text(settings(read_run(run_folder)))
    before, _, folded = shown.partition("Every option")
    assert "epochs2" in before
    assert "taskppi" in before
    assert "backbone" not in before
    assert "method" not in before
    assert "method: lora" in folded


@pytest.mark.parametrize("data", ["DataFrame of 1,200 rows", "t.tsv"])
def test_only_a_run_whose_data_are_files_can_be_repeated(tmp_path: Path, data: str) -> None:
    run = replace(run_of(tmp_path), options={"data": data, "sequences": "p.fasta"})
    assert ("The same run again" in text(next_steps(run))) == (data == "t.tsv")


def test_a_run_of_variants_leads_to_its_mutants_and_has_no_speed(tmp_path: Path) -> None:
    found = run_of(tmp_path, task="variants", command="train", steps=0)
    found.record["training_residues_per_second"] = 138_269_000_000_000
    commands = text(next_steps(found))
    assert "--input new_mutants.tsv" in commands
    assert f"peftide mutate {found.folder.path} --out designs" in commands
    assert "per second" not in text(cost(found) or "")
