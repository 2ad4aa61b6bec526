from pathlib import Path
from typing import Any

import pytest

from peftide.auditing.result import AuditResult
from peftide.commands.audit import audit
from peftide.commands.split import split
from peftide.config import AuditConfig, SplitConfig
from tests.conftest import random_sequences, write_rows

WILD = random_sequences(1, lengths=(40, 41))[0]


def library() -> list[str]:
    """Return all single changes to two residues at 20 sites, and 100 double changes."""

    def changed(*places: tuple[int, str]) -> str:
        letters = list(WILD)
        for site, letter in places:
            letters[site] = letter
        return "".join(letters)

    singles = [changed((site, letter)) for site in range(20) for letter in "WA"]
    doubles = [changed((a, "W"), (b, "A")) for a in range(10) for b in range(10, 20)]
    return [text for text in dict.fromkeys(singles + doubles) if text != WILD]


def audited(folder: Path, kind: Any) -> AuditResult:
    rows = [(text, number % 7) for number, text in enumerate(library())]
    table = write_rows(folder / "t.tsv", "sequence label", rows)
    found = split(
        SplitConfig(input=(table,), kind=kind, fractions=(0.6, 0.1, 0.3), out=folder / kind)
    )
    return audit(AuditConfig(data=found.path))


@pytest.mark.parametrize(
    ("kind", "severity", "said"),
    [
        ("random", "warning", "split at random: 20 of 20 sites"),
        ("position", "note", "split by position: none of"),
        ("order", "note", "split by order: up to 1 changes in train, 2 or more here"),
    ],
)
def test_the_audit_names_the_kind_of_a_split(
    tmp_path: Path, kind: str, severity: str, said: str
) -> None:
    """Every variant is similar to every other, so this is neither searched nor called a leak."""
    result = audited(tmp_path, kind)
    (found,) = [v for v in result.verdicts if (v.kind, v.part) == ("variants", "test")]
    assert found.severity == severity
    assert found.text.startswith(f"variants of one sequence, {said}")
    assert not [v for v in result.verdicts if v.kind == "similar_proteins"]
    assert result.kinship is None
    assert result.leaks == ()
    assert "not searched" not in result.conclusion
    assert result.record()["similarity"] == {"tool": "all are variants of one sequence", "best": []}
