from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.evaluation.peers import peer_files, read_peer
from peftide.evaluation.rows import ScoredPart
from peftide.sequences import read_dataset, read_table
from peftide.tasks import TASKS, Labels
from peftide.tasks.reading import reading_options
from tests.conftest import random_sequences, write_proteins, write_rows

Rows = list[tuple[object, ...]]
PAIRS: Rows = [("p0", "p1", 1), ("p1", "p2", 0), ("p3", "p3", 1), ("p2", "p1", 0), ("p3", "p0", 0)]


def labelled(folder: Path, task: str, header: str, rows: Rows) -> ScoredPart:
    fasta = write_proteins(folder / "p.fasta", random_sequences(5, lengths=(3, 5)))
    table = write_rows(folder / "labels.tsv", header, rows)
    options, level = TableOptions(sequences=fasta), TASKS[task].level
    data = read_dataset(
        {"input": read_table(table, options, level=level, needs_labels=True)}, options, level=level
    )
    reading = reading_options(data, "input", max_length=None, class_map=None)
    labels = Labels(class_names=("E", "H"))
    targets = TASKS[task].read_targets(data.parts["input"], labels, reading)
    return ScoredPart(TASKS[task], labels, data, "input", targets)


@pytest.fixture
def pairs(tmp_path: Path) -> Callable[[str, Rows], np.ndarray]:
    """Header and rows of a score file → what is read of it for `PAIRS`, of which 3 count."""
    case = labelled(tmp_path, "ppi", "id_a id_b label", PAIRS)

    def read(header: str, rows: Rows) -> np.ndarray:
        path = write_rows(tmp_path / "peer.tsv", header, rows)
        found = read_peer(path, case, columns=TableOptions())
        assert found.threshold is None
        return found.values

    return read


def test_scores_are_found_in_any_order(pairs: Callable[[str, Rows], np.ndarray]) -> None:
    rows: Rows = [("p0", "p3", 3.5), ("p2", "p1", -2), ("p1", "p0", 0.5)]
    assert pairs("id_a id_b score", rows).tolist() == [0.5, -2, 3.5]


def test_rows_that_do_not_count_and_equal_repeats_do_no_harm(
    pairs: Callable[[str, Rows], np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    rows: Rows = [("p0", "p3", 3), ("p2", "p1", 2), ("p1", "p2", 2), ("p1", "p0", 1)]
    assert pairs("id_a id_b score", [*rows, ("p3", "p3", 9)]).tolist() == [1, 2, 3]
    assert "1 rows repeat an earlier row" in caplog.text


def test_missing_extra_and_repeated_pairs_are_one_error(
    pairs: Callable[[str, Rows], np.ndarray],
) -> None:
    rows: Rows = [("p0", "p1", 1), ("p1", "p0", 2), ("p2", "p4", 1), ("p4", "p2", 1)]
    message = (
        r"peer.tsv: .* 3 scored rows.*: 2 missing "
        r"\(for instance p1–p2, p0–p3\); 1 not in the labelled table \(for instance p2–p4\); "
        r"1 repeated with different scores \(for instance p0–p1\)"
    )
    with pytest.raises(InputError, match=message):
        pairs("id_a id_b score", rows)


@pytest.mark.parametrize("cell", ["nan", "", "inf", "high"])
def test_a_score_that_is_no_number_is_named_by_its_line(
    pairs: Callable[[str, Rows], np.ndarray], cell: str
) -> None:
    rows: Rows = [("p0", "p1", 1), ("p1", "p2", cell), ("p0", "p3", 1)]
    with pytest.raises(
        InputError, match=r"peer.tsv:3: 1 of 3 rows have a score that is not a finite"
    ):
        pairs("id_a id_b score", rows)


def test_a_missing_column_is_named(pairs: Callable[[str, Rows], np.ndarray]) -> None:
    with pytest.raises(InputError, match=r"no column score \(there are: id_a, id_b, points\)"):
        pairs("id_a id_b points", PAIRS)
    with pytest.raises(InputError, match=r"no column id_a \(there are: a, id_b, score\)"):
        pairs("a id_b score", PAIRS)


def test_values_may_be_another_runs_predictions(tmp_path: Path) -> None:
    case = labelled(tmp_path, "regression", "id label", [("p0", 1.5), ("p1", 2.5)])
    path = write_rows(tmp_path / "peer.tsv", "id label prediction", [("p1", 0, 9), ("p0", 0, 8)])
    found = read_peer(path, case, columns=TableOptions())
    assert found.values.tolist() == [8, 9]


def test_residues_are_found_by_position_and_have_a_column_per_class(tmp_path: Path) -> None:
    lengths = [len(text) for text in random_sequences(5, lengths=(3, 5))]
    rows: Rows = [(f"p{k}", "EHEH"[: lengths[k]]) for k in (0, 1)]
    case = labelled(tmp_path, "residue", "id label", rows)
    rows = [
        (f"p{k}", position, k, position) for k in (1, 0) for position in range(1, lengths[k] + 1)
    ]
    path = write_rows(tmp_path / "peer.tsv", "id position p_E p_H", rows)
    found = read_peer(path, case, columns=TableOptions()).values
    assert found[:, 0].tolist() == [0] * lengths[0] + [1] * lengths[1]
    assert found[:, 1].tolist() == [*range(1, lengths[0] + 1), *range(1, lengths[1] + 1)]


def test_two_peers_need_two_names() -> None:
    assert list(peer_files(["a/scores.tsv", "B=b/scores.tsv"], ["model"], flag="--against")) == [
        "scores",
        "B",
    ]
    with pytest.raises(InputError, match=r"--against: two scores named scores\. Use NAME=FILE"):
        peer_files(["a/scores.tsv", "b/scores.tsv"], ["model"], flag="--against")
    with pytest.raises(InputError, match="two scores named model"):
        peer_files(["model=a.tsv"], ["model"], flag="--against")
