"""The notebooks of the documentation: executed, without error, and free of this machine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = ["interactions", "symmetry", "variants", "your_proteins"]
WITHOUT_DATA = {"interactions": "simulated/pairs.tsv", "your_proteins": "answers.csv"}
"""A notebook that needs no data → a file that it writes."""


def code_cells(name: str) -> list[dict[str, Any]]:
    content = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_is_tested() -> None:
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_was_executed_from_top_to_bottom(name: str) -> None:
    cells = code_cells(name)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert "error" not in kinds
    assert "execute_result" in kinds


@pytest.mark.parametrize("name", NAMES)
def test_outputs_name_no_place_on_a_machine(name: str) -> None:
    outputs = json.dumps([cell["outputs"] for cell in code_cells(name)])
    assert not re.findall(r"/(?:home|root|work|tmp|usr|Users)/", outputs)


@pytest.mark.parametrize("name", NAMES)
def test_its_code_compiles(name: str) -> None:
    for cell in code_cells(name):
        text = re.sub(r"^(\s*)%.*$", r"\1pass", "".join(cell["source"]), flags=re.MULTILINE)
        compile(text, name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'peftide[notebooks]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'peftide[notebooks]'")
    monkeypatch.setenv("PEFTIDE_DATA", str(data))
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
    settings = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=3600, resources=settings).execute()


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_it_runs_without_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'peftide[notebooks]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'peftide[notebooks]'")
    monkeypatch.delenv("PEFTIDE_DATA", raising=False)
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
    settings = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=3600, resources=settings).execute()
    assert (tmp_path / WITHOUT_DATA[name]).is_file()
