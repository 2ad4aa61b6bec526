"""What counts as similar, and what looks for it."""

import shutil
from dataclasses import replace
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.similarity import settings as settings_module
from peftide.similarity.settings import SimilaritySettings


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"identity_fraction": 30.0}, "identity_fraction"),
        ({"coverage_fraction": 0.0}, "coverage_fraction"),
        ({"max_evalue": float("nan")}, "max_evalue"),
        ({"max_hits": 0}, "max_hits"),
        ({"threads": 0}, "threads"),
    ],
)
def test_numbers_out_of_range(wrong: dict[str, Any], where: str):
    with pytest.raises(InputError) as caught:
        SimilaritySettings(**wrong)
    assert caught.value.where == where


def test_mmseqs_is_asked_for_and_absent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="not on the PATH") as caught:
        SimilaritySettings(tool="mmseqs")
    assert caught.value.where == "--similarity"
    assert "apt-get install mmseqs2" in caught.value.fix
    assert "pyopal" in caught.value.fix
    assert SimilaritySettings().program() is None


def test_the_rule_in_words():
    words = "at least 30% identity over at least 50% of the shorter protein"
    assert str(SimilaritySettings()) == words
    assert SimilaritySettings(tool="pyopal").program() is None
    assert SimilaritySettings(threads=3).thread_count() == 3
    assert SimilaritySettings().thread_count() >= 1


def test_few_sequences_are_all_aligned_by_pyopal(monkeypatch: pytest.MonkeyPatch):
    auto, few = SimilaritySettings(), ["MKV"] * 500
    assert auto.suited(["MK"], few) == replace(auto, tool="pyopal", max_hits=500)
    assert auto.suited(few, ["MK"]) == replace(auto, tool="pyopal")
    assert auto.suited([], few) is auto
    for tool in ("pyopal", "mmseqs") if shutil.which("mmseqs") else ("pyopal",):
        named = SimilaritySettings(tool=tool)
        assert named.suited(few, few) is named
    monkeypatch.setattr(settings_module, "MOST_CELLS", 3)
    assert auto.suited(few, few) is auto
    assert auto.suited(few, few, most_pairs=250_000) == replace(auto, tool="pyopal", max_hits=1000)
    assert auto.suited(few, few, most_pairs=249_999) is auto
