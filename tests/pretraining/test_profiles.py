"""What relatives have at each place is counted as the alignments say, and from nothing held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from peftide.errors import InputError
from peftide.pretraining.corpus import Corpus
from peftide.pretraining.network import profiles_loss
from peftide.pretraining.profiles import Profiles, open_profiles
from tests.conftest import AMINO_ACIDS
from tests.pretraining.conftest import (
    CLUSTERS,
    RESIDUE_IDS,
    SEQUENCES,
    corpus_of,
    layout_of,
    sampler_of,
)

ALIGNED = ["ACDEFGHIKL", "WWCDEGHIKLMN", "XCDWFG", "ACDEFGHIKL"]
LINES = [
    "p0\tp0\t1\t1\t10M",  # itself
    "p0\tp1\t2\t3\t3M1I5M",  # CDE, then GHIKL without F
    "p0\tp2\t1\t1\t6M",  # X counts for nothing
    "p0\tp3\t1\t1\t10M",  # held out
    "p1\tp0\t3\t2\t3M1D5M",
    "p9\tp0\t1\t1\t3M",  # not of this corpus
]


def table_of(folder: Path, lines: list[str]) -> Path:
    path = folder / "alignments.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def profiles_of(folder: Path, lines: list[str], corpus: Corpus | None = None) -> Profiles:
    return open_profiles(
        folder / "profiles",
        table_of(folder, lines),
        corpus_of(ALIGNED) if corpus is None else corpus,
        training=np.arange(3),
        columns=RESIDUE_IDS,
    )


def letters(counts: np.ndarray) -> list[str]:
    """The residues counted at each place, as letters in order."""
    return ["".join(a * int(n) for a, n in zip(AMINO_ACIDS, row, strict=True)) for row in counts]


def test_residues_of_relatives_are_counted_where_they_stand(tmp_path: Path) -> None:
    found = profiles_of(tmp_path, LINES)
    assert found.begins.tolist() == [0, 10, -1, -1]
    expected = ["", "CC", "DD", "EW", "F", "GG", "H", "I", "K", "L"]
    assert letters(found.counts[:10]) == expected
    assert letters(found.counts[10:]) == ["", "", *"CDEGHIKL", "", ""]


def test_what_was_counted_is_read_again(tmp_path: Path) -> None:
    first = profiles_of(tmp_path, LINES)
    written = (tmp_path / "profiles" / "counts.npy").stat().st_mtime_ns
    assert np.array_equal(profiles_of(tmp_path, LINES).counts, first.counts)
    assert (tmp_path / "profiles" / "counts.npy").stat().st_mtime_ns == written
    other = profiles_of(tmp_path, LINES[:2])
    assert other.counts.sum() < first.counts.sum()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("p0\tp1\t1\t1", "4 columns"),
        ("p0,p1,1,1,5M", "1 columns"),
        ("p0\tp1\t1\t1\t5M2", "the CIGAR has '2'; expected only"),
        ("p0\tp1\t1\t1\tM", "the CIGAR has 'M'; expected only"),
        ("p0\tp1\t1\t1\t5=", "the CIGAR has '5='; expected only"),
        ("p0\tp1\t1\t1\t5I", "aligns nothing"),
        ("p0\tp1\tx\t1\t5M", "'x'"),
        ("p0\tp1\t0\t1\t5M", "positions 0 to 4 of the query, which has 10 residues"),
        ("p0\tp1\t1\t-3\t5M", "positions -3 to 1 of the target, which has 12 residues"),
        ("p0\tp1\t1\t1\t11M", "positions 1 to 11 of the query"),
        ("p0\tp2\t1\t1\t7M", "positions 1 to 7 of the target, which has 6 residues"),
        ("p0\tp1\t1\t1\t99999999999999M", "of the query, which has 10 residues"),
    ],
)
def test_a_line_that_is_no_alignment_of_these_is_named(
    tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(InputError, match=r"alignments\.tsv:3") as caught:
        profiles_of(tmp_path, [LINES[1], "", line])
    assert said in str(caught.value)
    assert not (tmp_path / "profiles").exists()


@pytest.mark.parametrize("line", [LINES[0], "p3\tp0\t1\t1\t3M", LINES[-1]])
def test_a_table_that_aligns_nothing_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        InputError, match="has no alignment between two of the 3 training sequences"
    ):
        profiles_of(tmp_path, [line])


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    found = profiles_of(tmp_path, [*LINES, *[LINES[1]] * 300])
    assert found.record == {
        "sequences": 2,
        "alignments": 256,
        "other_ids": 2,
        "beyond_the_first_255": 2 + 300 - 255,
    }
    assert found.counts[:10].max() == 255


def test_a_uniprot_id_may_stand_there_as_its_accession(tmp_path: Path) -> None:
    names = ("sp|Q1|A_HUMAN", "tr|Q2|B_HUMAN", "Q3", "Q4")
    lines = [line.replace("p0", "Q1").replace("p1", "tr|Q2|B_HUMAN") for line in LINES[:2]]
    found = profiles_of(tmp_path, lines, replace(corpus_of(ALIGNED), ids=names))
    assert letters(found.counts[:4]) == ["", "C", "D", "E"]


def test_two_sequences_of_one_id_are_refused(tmp_path: Path) -> None:
    corpus = replace(corpus_of(ALIGNED), ids=("sp|Q1|A", "Q1", "p2", "p3"))
    with pytest.raises(InputError, match="Q1 is the id of several sequences"):
        profiles_of(tmp_path, LINES, corpus)


def test_every_token_of_a_batch_gets_the_counts_of_its_residue(tmp_path: Path) -> None:
    """Each sequence is aligned with itself moved by one, so its counts are the next residue."""
    count = len(SEQUENCES)
    twins = [*SEQUENCES, *(s[1:] + s[0] for s in SEQUENCES)]
    corpus = corpus_of(twins, [*CLUSTERS.tolist()] * 2)
    lines = [f"p{k}\tp{k + count}\t1\t1\t{len(s)}M" for k, s in enumerate(SEQUENCES) if k % 3]
    profiles = open_profiles(
        tmp_path / "profiles",
        table_of(tmp_path, lines),
        corpus,
        training=np.arange(2 * count),
        columns=RESIDUE_IDS,
    )
    layout = layout_of(8, paired=True)
    rows = sampler_of(corpus, layout, members=np.arange(count)).rows(0)
    found = profiles.of(rows)
    checked = 0
    for piece, (sequence, start) in enumerate(zip(rows.sequences, rows.starts, strict=True)):
        inside = (rows.piece == piece) & rows.is_residue
        moved = twins[sequence + count][start : start + inside.sum()]
        if sequence % 3:
            assert letters(found[inside]) == list(moved)
            checked += 1
        else:
            assert not found[inside].any()
    assert checked >= 5
    assert not found[~rows.is_residue].any()


def test_the_profiles_loss_is_the_mean_cross_entropy_over_covered_places() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 20, generator=generator)
    counts = torch.zeros(2, 3, 20)
    counts[0, 1, 4], counts[0, 1, 7], counts[1, 2, 0] = 3, 1, 2
    surprise = -functional.log_softmax(logits, -1)
    expected = (0.75 * surprise[0, 1, 4] + 0.25 * surprise[0, 1, 7] + surprise[1, 2, 0]) / 2
    torch.testing.assert_close(profiles_loss(logits, counts), expected)
    assert profiles_loss(logits, torch.zeros(2, 3, 20)) == 0
