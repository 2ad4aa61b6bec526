"""The documentation builds without a warning, loads nothing from elsewhere, and is complete."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from peftide.cli.main import COMMANDS
from peftide.config.reading import flag

ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(https?:)?//[^\"]+\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    run = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    return folder


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
