"""What counts as similar, and what looks for it."""

from typing import Any

import pytest

from peftide.errors import InputError
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
