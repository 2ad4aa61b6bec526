"""The tables of tasks, methods and backbones in the reference say what the registries hold."""

import re
from pathlib import Path

import pytest
from benchmarks.trained_parameters import pair_model

from peftide.adapters import ADAPTERS
from peftide.backbones import BACKBONES
from peftide.backbones.names import ALIASES
from peftide.config import MethodOptions
from peftide.parameters import trained_parameters
from peftide.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"`--task`": "tasks", "`--method`": "methods", "model type": "backbones"}
IN_WORDS = {"none of the backbone": 0, "all of the backbone": 649_400_320}
"""ESM-2 650M without its language-model head and contact head, as docs/results counts it."""


def table(first: str) -> dict[str, list[str]]:
    """Return the rows of the table with that first column, by its cell, as the other cells."""
    page = ROOT / "docs" / "reference" / f"{PAGES[first]}.md"
    text = page.read_text(encoding="utf-8")
    lines = text[text.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def test_every_task_has_its_row() -> None:
    rows = table("`--task`")
    assert sorted(rows) == sorted(TASKS)
    said = {name: cells[0].removeprefix("a ") for name, cells in rows.items()}
    levels = {
        name: "sequence" if text.startswith("variant") else text for name, text in said.items()
    }
    assert levels == {name: task.level for name, task in TASKS.items()}


def test_every_method_has_its_row() -> None:
    assert list(table("`--method`")) == list(ADAPTERS)


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_method_trains_as_many_parameters_as_its_row_says(method: str) -> None:
    """Counted on the whole network, without weights."""
    said = table("`--method`")[method][1]
    number = re.match(r"[\d,]+", said)
    expected = int(number[0].replace(",", "")) if number else IN_WORDS[said]
    model = pair_model(method, MethodOptions(), {})
    inside = {n: p for n, p in trained_parameters(model).items() if n.startswith("backbone.")}
    assert sum(p.numel() for p in inside.values()) == expected


def test_every_backbone_has_its_row_and_no_alias_is_made_up() -> None:
    rows = table("model type")
    assert list(rows) == list(BACKBONES)
    for family, cells in rows.items():
        named = re.findall(r"`([^`]+)`", cells[1])
        assert named
        assert {ALIASES[alias][1]().model_type for alias in named} == {family}


def test_the_readme_fits_on_two_screens() -> None:
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    assert len(words) <= 900


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_to_files_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", (ROOT / name).read_text("utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
