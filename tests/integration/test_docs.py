"""The documentation builds without a warning, loads nothing from elsewhere, and is complete."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from benchmarks.recording import write_record
from docs.generate.options import with_flags
from docs.generate.records import RECORDS, read_record, record_table
from docs.generate.shell_lines import WIDTH, broken_commands

import peftide
from peftide import bundle_record, environment
from peftide.auditing import result as auditing_result
from peftide.baselines import stored
from peftide.cli.main import COMMANDS
from peftide.comparing import leaderboard
from peftide.config.reading import flag
from peftide.evaluation import record as metrics_record
from peftide.metrics import (
    binary_metrics,
    categorical_metrics,
    continuous_metrics,
    multilabel_metrics,
)
from peftide.planning import plan
from peftide.sequences.variants import LEFT_OUT, READ_AS_WILD_TYPE
from peftide.sweeping import summary
from tests.conftest import make_once, shared_folder

ROOT = Path(__file__).resolve().parents[2]
VERSION_OF = r"\| (\d+) \| \[[^]]+\]\(([\w-]+)\.md\) \|$"
LOADED = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(https?:)?//[^\"]+\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = shared_folder(tmp_path_factory) / "site"

    def build() -> None:
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
        run = subprocess.run(
            [*command, str(ROOT / "docs"), str(folder / "html")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert run.stderr == ""

    make_once(folder, build)
    return folder / "html"


def test_options_in_a_meaning_are_code_once() -> None:
    said = with_flags("run of `train --task ppi`, see --seed and `--out`")
    assert said == "run of `train --task ppi`, see `--seed` and `--out`"


def test_no_page_loads_anything_from_elsewhere(site: Path):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    assert not [page.name for page in pages if LOADED.search(page.read_text(encoding="utf-8"))]


def test_every_page_of_the_source_is_a_page_of_the_site(site: Path):
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert not [path for path in sources if not (site / path).with_suffix(".html").is_file()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(site: Path, command: str):
    text = (site / "reference" / "commands" / f"{command}.html").read_text(encoding="utf-8")
    options = [field for field in fields(COMMANDS[command]) if not field.metadata.get("positional")]
    assert not [field.name for field in options if flag(field.name) not in text]


NAMED = {"Tally": 0, "Finding": 1, "row_findings": 1, "Verdict": 1, "_shift": 1, "_finding": 0}
"""Call that makes a finding or a verdict → the place of the name among its arguments."""


def kinds_in_the_source() -> set[str]:
    """Names of all findings and verdicts, read off the calls that make them."""
    found = set()
    for path in (ROOT / "src" / "peftide").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            place = NAMED.get(node.func.id, len(node.args))
            for argument in node.args[place : place + 1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
    return found | {kind for kind, _ in {**LEFT_OUT, **READ_AS_WILD_TYPE}.values()}


def test_every_finding_is_documented():
    page = (ROOT / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert documented - {"leak", "warning", "note", "ok"} == kinds_in_the_source()


def test_results_hold_no_number_beside_the_records():
    pages = [path for path in (ROOT / "docs" / "results").glob("*.md") if path.name != "data.md"]
    assert len(pages) > 10
    assert not [path.name for path in pages if re.search(r"\d\.\d", path.read_text("utf-8"))]


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.json")), ids=lambda path: path.stem)
def test_a_record_names_its_origin(path: Path):
    record = read_record(path.stem)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d( to \d{4}-\d\d-\d\d)?", record["date"])
    assert record["rows"]
    scripts = re.findall(r"benchmarks/[\w/]+\.py", str(record["command"]))
    assert not [script for script in scripts if not (ROOT / script).is_file()]


def test_a_benchmark_writes_a_record_that_a_page_can_show(tmp_path: Path, monkeypatch: Any):
    words = [str(ROOT / "benchmarks" / "plan.py"), "--record", "x.json", "--out", "RUNS"]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr("docs.generate.records.RECORDS", tmp_path)
    write_record(tmp_path / "x.json", ["Set", "Score"], [["gb1", 0.5]], notes=["One run."])
    record = read_record("x")
    assert record["command"] == "python benchmarks/plan.py --out RUNS"
    assert record["machine"]
    shown = record_table("x")
    assert "| gb1 | 0.5 |" in shown
    assert "One run." in shown
    assert record["command"] in shown


def test_every_metric_is_defined():
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    truth, answers = (
        [[1, 0], [0, 1], [1, 1], [0, 1]],
        [[0.9, 0.4], [0.2, 0.7], [0.6, 0.3], [0.4, 0.8]],
    )
    names = {
        *binary_metrics([0, 1, 1], [0.2, 0.7, 0.4], threshold=0.5),
        *categorical_metrics(truth, answers, ("a", "b")),
        *multilabel_metrics(truth, answers, ("a", "b"), threshold=0.5),
        *continuous_metrics([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]),
    }
    assert not [name for name in sorted(names) if f"`{name}`" not in page]


def test_every_public_name_is_documented(site: Path):
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    names = [name for name in peftide.__all__ if not name.endswith("Config")]
    assert not [name for name in names if f"peftide.{name}" not in text]


@pytest.mark.parametrize("name", ["explanation/promises", "results/damaged-inputs"])
def test_every_promise_names_a_test_that_exists(name: str):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    promises = re.findall(r"^\| .* \| `([\w/]+\.py)(?:::(\w+))?` \|$", page, re.MULTILINE)
    assert len(promises) > 30
    for file, test in promises:
        path = ROOT / "tests" / file
        assert path.is_file(), file
        assert f"def {test or 'test_'}" in path.read_text(encoding="utf-8"), test


def scripts_of_records() -> set[str]:
    """The benchmarks that the records name as their command."""
    records = [read_record(path.stem)["command"] for path in RECORDS.glob("*.json")]
    text = " ".join(" ".join(one) if isinstance(one, list) else one for one in records)
    modules = {f"{name.replace('.', '/')}.py" for name in re.findall(r"-m (benchmarks\.\w+)", text)}
    return modules | set(re.findall(r"benchmarks/[\w/]+\.py", text))


@pytest.mark.parametrize("script", sorted(scripts_of_records()))
def test_each_benchmark_of_a_table_writes_its_record(script: str):
    source = (ROOT / script).read_text(encoding="utf-8")
    assert "write_record(" in source or "conclude(options" in source
    assert "add_record_option(" in source or "parser = arguments(" in source


def test_long_commands_are_broken_before_options_and_stay_the_same_command():
    page = (ROOT / "docs" / "how-to" / "large-models.md").read_text(encoding="utf-8")
    shown = broken_commands(page)
    assert shown != page
    commands = re.findall(r"^```sh\n(.*?)^```$", shown, re.MULTILINE | re.DOTALL)
    assert max(len(line) for block in commands for line in block.splitlines()) <= WIDTH
    assert shown.replace(" \\\n    --", " --") == page


def test_the_page_of_formats_has_the_versions_of_the_source():
    page = (ROOT / "docs" / "reference" / "formats" / "index.md").read_text(encoding="utf-8")
    versions = {page: int(version) for version, page in re.findall(VERSION_OF, page, re.MULTILINE)}
    assert versions == {
        "run-folder": environment.FORMAT_VERSION,
        "comparison": leaderboard.FORMAT_VERSION,
        "sweep": summary.FORMAT_VERSION,
        "metrics-json": metrics_record.FORMAT_VERSION,
        "run-json": environment.FORMAT_VERSION,
        "bundle": bundle_record.FORMAT_VERSION,
        "stored-baselines": stored.FORMAT_VERSION,
        "audit-json": auditing_result.FORMAT_VERSION,
        "split-folder": environment.FORMAT_VERSION,
        "backbone-folder": environment.FORMAT_VERSION,
        "plan-json": plan.FORMAT_VERSION,
    }
