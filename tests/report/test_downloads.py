import base64
import gzip
from pathlib import Path

import numpy as np
import pytest

from peftide.report import downloads as module
from peftide.report.downloads import contents, downloads
from peftide.report.read import read_run
from tests.report.conftest import Outline


def links(folder: Path) -> dict[str, bytes]:
    shown = downloads(read_run(folder), threshold=0.5)
    assert shown is not None
    return {
        str(link["download"]): base64.b64decode(str(link["href"]).partition("base64,")[2])
        for link in Outline(shown).all("a")
        if "download" in link
    }


def test_what_is_saved_from_the_page_is_what_lies_in_the_folder(run_folder: Path) -> None:
    saved = links(run_folder)
    for name in ("run.json", "metrics.json", "history.csv", "config.yaml"):
        assert saved[name] == (run_folder / name).read_bytes()
    packed = gzip.decompress(saved["predictions.tsv.gz"])
    assert packed == (run_folder / "predictions.tsv").read_bytes()
    assert saved["confusion_test.tsv"].startswith(b"true\tno\tyes\n")


def test_what_is_too_large_is_only_linked(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EMBEDDED", 1000)
    shown = downloads(read_run(run_folder), threshold=0.5)
    assert shown is not None
    saved = links(run_folder)
    assert "predictions.tsv.gz" not in saved
    assert "history.csv" in saved  # the small ones first
    assert 'href="predictions.tsv"' in shown.markup()
    assert "too large" in shown.markup()


def test_the_same_run_gives_the_same_bytes(run_folder: Path) -> None:
    run = read_run(run_folder)
    assert contents(run, threshold=0.5) == contents(run, threshold=0.5)
    sizes = [len(content) for content in contents(run, threshold=0.5).values()]
    assert (np.diff(sizes) >= 0).all()
