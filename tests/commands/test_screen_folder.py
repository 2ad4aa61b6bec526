import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.commands.screen import screen
from peftide.commands.screen_folder import ScreenResult
from peftide.config import ScreenConfig
from peftide.errors import InputError
from peftide.screening import screen as module
from tests.conftest import random_sequences, write_proteins, write_rows

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}
SEQUENCES = random_sequences(9, seed=3)


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """Nine proteins, and a second name of the first."""
    return write_proteins(tmp_path / "p.fasta", [*SEQUENCES, SEQUENCES[0]])


@pytest.fixture
def run(trained: Trained) -> Path:
    return trained("ppi", "head")


def screened(run: Path, fasta: Path, name: str, **options: Any) -> ScreenResult:
    if "." not in name:
        options = {"proteins_per_shard": 3} | options
    out = fasta.parent / name
    return screen(ScreenConfig(run=run, sequences=fasta, out=out, **QUICK, **options))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def table(path: Path) -> pd.DataFrame:
    found = pd.read_parquet(path).sort_values(["id_a", "id_b"], ignore_index=True)
    return found.round({"score": 4, "probability": 4})


@pytest.mark.parametrize(
    "options", [{"top_k": 3}, {"threshold": 0.5}, {"top_k": 4, "threshold": 0.4}]
)
@pytest.mark.parametrize("against", [False, True])
@pytest.mark.parametrize("known_pairs", ["annotate", "drop"])
def test_a_folder_has_the_hits_of_a_file(
    run: Path, fasta: Path, options: dict[str, Any], against: bool, known_pairs: str
) -> None:
    baits = write_proteins(fasta.parent / "baits.fasta", random_sequences(4, seed=8))
    known = write_rows(fasta.parent / "known.tsv", "id_a id_b", [("p0", "p4"), ("p1", "p3")])
    options = options | {"known": known, "known_pairs": known_pairs}
    first, more = (baits, {"against": fasta}) if against else (fasta, {})
    one = screened(run, first, "h.parquet", **options, **more)
    many = screened(run, first, "folder", **options, **more)
    pd.testing.assert_frame_equal(table(many.path), table(one.path), atol=2e-4)
    assert (many.hits, many.proteins, many.partners) == (one.hits, one.proteins, one.partners)
    shards = 2 if against else 4
    names = {f"hits-0000{number}.parquet" for number in range(shards)}
    assert tree(many.path) == {"_screen.json", *names}


def test_pairs_are_counted_once_per_scoring(run: Path, fasta: Path) -> None:
    """Best partners need each pair twice, a threshold once."""
    assert screened(run, fasta, "best", top_k=2).pairs == 10 * 10
    assert screened(run, fasta, "above", threshold=0.5).pairs == 10 * 9 // 2


def test_parts_give_the_bytes_of_one_process(run: Path, fasta: Path) -> None:
    screened(run, fasta, "whole", top_k=3)
    first = screened(run, fasta, "parts", top_k=3, shard="1/2")
    record = json.loads((first.path / "_screen.json").read_text())
    assert (record["status"], record["hits"]) == ("unfinished", None)
    assert first.hits == 4 * 3
    screened(run, fasta, "parts", top_k=3, shard="0/2")
    assert files(fasta.parent / "parts") == files(fasta.parent / "whole")
    assert tree(fasta.parent / "parts") == tree(fasta.parent / "whole")
    record = json.loads((first.path / "_screen.json").read_text())
    assert (record["status"], record["hits"]) == ("finished", 30)
    screened(run, fasta, "parts", top_k=3, shard="0/2")  # a task that Slurm starts again


@pytest.mark.parametrize("stop_at", [1, 3, 6])
def test_an_interrupted_folder_loses_and_repeats_no_shard(
    run: Path, fasta: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    monkeypatch.setattr(module, "PROTEINS_PER_BLOCK", 2)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", 0.0)
    screened(run, fasta, "whole", top_k=3)
    calls, real = 0, module.block_scores

    def scores(*block: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise KeyboardInterrupt
        return real(*block, **more)

    monkeypatch.setattr(module, "block_scores", scores)
    with pytest.raises(KeyboardInterrupt):
        screened(run, fasta, "other", top_k=3)
    screened(run, fasta, "other", top_k=3)
    assert calls == 7 + 1  # blocks of two proteins in shards of three: none is scored twice
    assert files(fasta.parent / "other") == files(fasta.parent / "whole")
    assert tree(fasta.parent / "other") == tree(fasta.parent / "whole")


def test_another_screen_is_refused_and_nothing_lost(run: Path, fasta: Path) -> None:
    screened(run, fasta, "folder", top_k=3, shard="0/2")
    before = files(fasta.parent / "folder")
    for options in ({"top_k": 2}, {"top_k": 3, "self_pairs": "keep"}, {"proteins_per_shard": 4}):
        with pytest.raises(InputError, match="folder holds another screen"):
            screened(run, fasta, "folder", **options)
    fasta.write_text(fasta.read_text() + ">more\nMKV\n")
    with pytest.raises(InputError, match="folder holds another screen"):
        screened(run, fasta, "folder", top_k=3)
    assert files(fasta.parent / "folder") == before


def test_a_shard_of_another_screen_is_refused(run: Path, fasta: Path) -> None:
    screened(run, fasta, "folder", top_k=3)
    screened(run, fasta, "other", top_k=2)
    shutil.copy(fasta.parent / "other" / "hits-00002.parquet", fasta.parent / "folder")
    with pytest.raises(InputError, match=r"hits-00002.parquet: this shard is from another screen"):
        screened(run, fasta, "folder", top_k=3, resume=True)


def test_a_finished_folder_stays_and_a_damaged_shard_is_made_again(run: Path, fasta: Path) -> None:
    screened(run, fasta, "folder", top_k=3)
    before = files(fasta.parent / "folder")
    with pytest.raises(InputError, match="holds this screen, finished.*pass --resume"):
        screened(run, fasta, "folder", top_k=3)
    (fasta.parent / "folder" / "hits-00001.parquet").write_bytes(b"PAR1")
    assert screened(run, fasta, "folder", top_k=3, resume=True).hits == 30
    assert files(fasta.parent / "folder") == before


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("folder", {"shortlist": 5}, "--shortlist: a screen into a folder does not read it"),
        ("folder", {"overwrite": True}, "--overwrite: a screen into a folder does not read it"),
        ("folder", {"shard": "3/3"}, "--shard: received 3/3"),
        ("folder", {"shard": "0/3", "ray": "local"}, "--ray: --shard does not read it"),
        ("folder", {"workers": 3}, "--workers: a screen without --ray does not read it"),
        ("h.parquet", {"shard": "0/3"}, "--shard: a screen into a file does not read it"),
        ("h.tsv", {}, "h.tsv; expected NAME.parquet, or a name without ending"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    run: Path, fasta: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        screened(run, fasta, name, **options)
    assert tree(fasta.parent) == {"p.fasta"}


def test_a_folder_of_something_else_stays(run: Path, fasta: Path) -> None:
    (fasta.parent / "mine").mkdir()
    (fasta.parent / "mine" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="mine exists and was not written by `peftide screen`"):
        screened(run, fasta, "mine")


@pytest.mark.slow
def test_ray_workers_give_the_bytes_of_one_process(run: Path, fasta: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'peftide[ray]'")
    screened(run, fasta, "whole", top_k=3)
    screened(run, fasta, "rayed", top_k=3, ray="local", workers=2)
    assert files(fasta.parent / "rayed") == files(fasta.parent / "whole")
    assert tree(fasta.parent / "rayed") == tree(fasta.parent / "whole")
    assert len(np.unique(pd.read_parquet(fasta.parent / "rayed")["id_a"])) == 10
