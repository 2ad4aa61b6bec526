from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import peftide
from peftide.commands.embed import embed
from peftide.commands.screen import screen
from peftide.config import EmbedConfig, ScreenConfig
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


def hits(run: Path, fasta: Path, **options: Any) -> pd.DataFrame:
    out = fasta.parent / "hits.parquet"
    screen(ScreenConfig(run=run, sequences=fasta, out=out, overwrite=True, **QUICK, **options))
    return pd.read_parquet(out)


def predicted(run: Path, rows: pd.DataFrame, fasta: Path) -> pd.DataFrame:
    return peftide.load(run, **QUICK).predict(rows[["id_a", "id_b"]], str(fasta))


@pytest.mark.parametrize("method", ["head", "lora"])
def test_hits_have_the_scores_of_predict(trained: Trained, fasta: Path, method: str) -> None:
    run = trained("ppi", method)
    found = hits(run, fasta, top_k=3)
    assert found.groupby("id_a").size().tolist() == [3] * 10
    expected = predicted(run, found, fasta)
    for column in ("score", "probability"):
        np.testing.assert_allclose(found[column], expected[column], atol=1e-4)


def test_the_best_partners_are_those_of_all_pairs(trained: Trained, fasta: Path) -> None:
    run = trained("ppi", "head")
    found = hits(run, fasta, top_k=2)
    names = [f"p{k}" for k in range(9)]
    pairs = [(a, b) for a in names for b in [*names, "p9"] if a != b and {a, b} != {"p0", "p9"}]
    table = pd.DataFrame(pairs, columns=["id_a", "id_b"])
    table["score"] = predicted(run, table, fasta)["score"].to_numpy()
    for one in names:
        best = sorted(table["score"][table["id_a"] == one], reverse=True)[:2]
        own = list(found["score"][found["id_a"] == one])
        np.testing.assert_allclose(own, best, atol=1e-4)


def test_a_threshold_keeps_each_unordered_pair_once(trained: Trained, fasta: Path) -> None:
    run = trained("ppi", "head")
    names = [f"p{k}" for k in range(10)]
    table = pd.DataFrame(list(combinations(names, 2)), columns=["id_a", "id_b"])
    table["probability"] = predicted(run, table, fasta)["probability"].to_numpy()
    values = np.unique(table["probability"].round(7))
    middle = float(values[len(values) // 2 - 1 : len(values) // 2 + 1].mean())
    found = hits(run, fasta, threshold=middle)
    expected = table[table["probability"] >= middle]
    expected = expected[~((expected["id_a"] == "p0") & (expected["id_b"] == "p9"))]
    assert len(found) == len(expected)
    assert not found.duplicated(["id_a", "id_b"]).any()


def test_baits_meet_a_proteome_and_known_pairs_are_marked(trained: Trained, fasta: Path) -> None:
    baits = write_proteins(fasta.parent / "baits.fasta", random_sequences(2, seed=8))
    known = write_rows(fasta.parent / "known.tsv", "id_a id_b", [("p0", "p4"), ("p1", "p0")])
    options = {"against": fasta, "known": known, "top_k": 10}
    run = trained("ppi", "head")
    found = hits(run, baits, **options)
    assert len(found) == 20
    marked = set(map(tuple, found.loc[found["known"], ["id_a", "id_b"]].to_numpy()))
    assert marked == {("p0", "p4"), ("p1", "p0"), ("p0", "p1")}
    dropped = hits(run, baits, **options, known_pairs="drop")
    assert len(dropped) == 17


def test_prevalence_changes_probabilities_not_the_order(trained: Trained, fasta: Path) -> None:
    run = trained("ppi", "head")
    plain, rare = hits(run, fasta, top_k=3), hits(run, fasta, top_k=3, prevalence=0.001)
    for name in ("id_a", "id_b"):
        assert list(plain[name]) == list(rare[name])
    assert max(rare["probability"] / plain["probability"]) < 1


def test_an_interrupted_screen_changes_no_byte(
    trained: Trained, fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROTEINS_PER_BLOCK", 2)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", 0.0)
    run, real = trained("ppi", "head"), module.block_scores
    config = ScreenConfig(run=run, sequences=fasta, out=fasta.parent / "a.parquet", **QUICK)
    screen(config)
    calls = 0

    def scores(*block: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*block, **more)

    monkeypatch.setattr(module, "block_scores", scores)
    other = ScreenConfig(run=run, sequences=fasta, out=fasta.parent / "b.parquet", **QUICK)
    with pytest.raises(KeyboardInterrupt):
        screen(other)
    screen(other)
    assert calls == 3 + 3
    assert (fasta.parent / "a.parquet").read_bytes() == (fasta.parent / "b.parquet").read_bytes()
    assert not list(fasta.parent.glob(".*peftide*"))


@pytest.mark.parametrize("shortlist", [None, 3])
def test_a_dry_run_writes_nothing(trained: Trained, fasta: Path, shortlist: int | None) -> None:
    out, run = fasta.parent / "hits.parquet", trained("ppi", "head")
    config = ScreenConfig(
        run=run, sequences=fasta, out=out, shortlist=shortlist, dry_run=True, **QUICK
    )
    result = screen(config)
    assert (result.proteins, result.pairs) == (10, 45)
    assert result.seconds > 0
    assert not out.exists()


def test_a_finished_screen_is_not_done_again(
    trained: Trained, fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, run = fasta.parent / "hits.parquet", trained("ppi", "head")
    first = screen(ScreenConfig(run=run, sequences=fasta, out=out, top_k=2, **QUICK))
    monkeypatch.setattr(module, "block_scores", None)
    again = screen(ScreenConfig(run=run, sequences=fasta, out=out, top_k=2, resume=True, **QUICK))
    assert (again.hits, again.pairs) == (first.hits, first.pairs) == (20, 45)


def test_no_hit_is_a_file_without_rows(trained: Trained, fasta: Path) -> None:
    assert hits(trained("ppi", "head"), fasta, threshold=0.9999999).empty


def test_more_partners_than_there_are_give_all(trained: Trained, fasta: Path) -> None:
    found = hits(trained("ppi", "head"), fasta, top_k=1000)
    assert len(found) == 10 * 9 - 2  # without the two names of one protein


@pytest.mark.parametrize(
    ("task", "changes", "said"),
    [
        ("regression", {}, "pairs"),
        ("pair-multiclass", {}, "yes or no"),
        ("ppi", {"out": "hits.tsv"}, "parquet"),
        ("ppi", {"against": "none.fasta"}, "no such file"),
    ],
)
def test_wrong_requests_are_refused(
    trained: Trained, fasta: Path, task: str, changes: dict[str, str], said: str
) -> None:
    options = {"out": "hits.parquet"} | changes
    paths: dict[str, Any] = {name: Path(value) for name, value in options.items()}
    with pytest.raises(InputError, match=said):
        screen(ScreenConfig(run=trained(task, "head"), sequences=fasta, **paths, **QUICK))


def test_one_protein_has_no_partner(trained: Trained, tmp_path: Path) -> None:
    alone = write_proteins(tmp_path / "one.fasta", SEQUENCES[:1])
    with pytest.raises(InputError, match="no partner"):
        hits(trained("ppi", "head"), alone)


def test_a_file_of_something_else_stays(trained: Trained, fasta: Path) -> None:
    out = fasta.parent / "hits.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(out)
    with pytest.raises(InputError, match="leaves it alone"):
        hits(trained("ppi", "head"), fasta)
    assert list(pd.read_parquet(out).columns) == ["x"]


def test_a_short_list_leaves_scores_as_they_are(trained: Trained, fasta: Path) -> None:
    run = trained("ppi", "head")
    write_proteins(fasta, SEQUENCES)
    every = hits(run, fasta, top_k=8).set_index(["id_a", "id_b"])["score"]
    out = fasta.parent / "listed.parquet"
    config = ScreenConfig(run=run, sequences=fasta, out=out, top_k=2, shortlist=5, **QUICK)
    result = screen(config)
    listed = pd.read_parquet(out).set_index(["id_a", "id_b"])["score"]
    assert len(listed) == result.hits == 18
    np.testing.assert_allclose(listed, every[listed.index], atol=1e-5)
    found = {frozenset(pair) for pair in listed.index.to_list()}
    best = every.groupby("id_a").head(2).index.to_list()
    assert result.recall == np.mean([frozenset(pair) in found for pair in best])


def test_a_short_list_is_longer_than_what_is_kept(trained: Trained, fasta: Path) -> None:
    with pytest.raises(InputError, match="--shortlist"):
        hits(trained("ppi", "head"), fasta, top_k=4, shortlist=3)


@pytest.mark.parametrize("number_type", ["float32", "float16"])
def test_vectors_of_a_folder_of_shards_are_used(
    trained: Trained,
    fasta: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number_type: str,
) -> None:
    run, cache = trained("ppi", "lora"), fasta.parent / "cache"
    expected = hits(run, fasta, top_k=3)
    options: dict[str, Any] = {"shard_size": 4, "number_type": number_type, **QUICK}
    embed(EmbedConfig(run=run, sequences=fasta, out=cache / "proteome", **options))
    monkeypatch.setattr("peftide.encoding.ModelEncoder.encode", lambda *_: pytest.fail("encoded"))
    with caplog.at_level("INFO"):
        found = hits(run, fasta, top_k=3, embedding_cache=cache)
    assert "9 of 9 proteins were encoded before: their vectors are in" in caplog.text
    assert ("in half precision" in caplog.text) == (number_type == "float16")
    digits = 1e-2 if number_type == "float16" else 1e-4
    np.testing.assert_allclose(found["score"], expected["score"], atol=digits)
    with pytest.raises(InputError, match="proteome is a folder of emb.*expected the folder around"):
        hits(run, fasta, top_k=3, embedding_cache=cache / "proteome")


def test_vectors_of_another_model_are_not_used(trained: Trained, fasta: Path) -> None:
    run, cache = trained("ppi", "lora"), fasta.parent / "cache"
    expected = hits(run, fasta, top_k=3)
    for name, options in {
        "cls": {"pooling": "cls"},
        "head": {"run": trained("ppi", "head")},
    }.items():
        source: dict[str, Any] = {"run": run, "sequences": fasta, "out": cache / name}
        embed(EmbedConfig(**source | options, **QUICK))
    found = hits(run, fasta, top_k=3, embedding_cache=cache)
    pd.testing.assert_frame_equal(found, expected)


def test_known_pairs_are_only_dropped_if_a_table_names_them(
    trained: Trained, fasta: Path, tmp_path: Path
) -> None:
    config = ScreenConfig(
        run=trained("ppi", "head"),
        sequences=fasta,
        known_pairs="drop",
        out=tmp_path / "hits.parquet",
    )
    with pytest.raises(InputError, match="--known-pairs: a screen without --known does not read"):
        peftide.screen(config)
