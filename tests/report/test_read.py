import json
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.report.read import read_run, read_scores, read_table
from peftide.run_folder import RunFolder
from tests.report.conftest import entry, write_run, write_tsv


def test_all_files_of_a_run_are_read(run_folder: Path) -> None:
    run = read_run(run_folder)
    (part,) = run.parts
    assert (part.name, part.outcome.kind, len(part)) == ("test", "binary", 60)
    assert part.truth.tolist() == [k % 2 for k in range(60)]
    assert part.rows["id_b"][3] == "b3"
    assert part.strata["pairs_in_part"][3] == "4"
    assert run.options["method"] == "lora"
    assert run.reported == ["test"]


def test_only_counted_rows_with_numbers_are_taken(run_folder: Path) -> None:
    rows = (run_folder / "predictions.tsv").read_text().splitlines()
    rows[1] = rows[1][:-1] + "0"
    cells = rows[2].split("\t")
    rows[2] = "\t".join([*cells[:4], "nan", *cells[5:]])
    (run_folder / "predictions.tsv").write_text("\n".join(rows) + "\n")
    (part,) = read_run(run_folder).parts
    assert part.rows["id_a"].tolist() == [f"a{k}" for k in range(2, 60)]


@pytest.mark.parametrize("missing", ["strata.tsv", "predictions.tsv"])
def test_without_one_of_the_tables_there_are_no_parts(run_folder: Path, missing: str) -> None:
    (run_folder / missing).unlink()
    assert read_run(run_folder).parts == ()


def test_tables_that_do_not_fit_give_no_parts(run_folder: Path) -> None:
    with (run_folder / "strata.tsv").open("a") as stream:
        stream.write("1\t60\tnone_seen\t1\n")
    assert read_run(run_folder).parts == ()


def test_scores_alone_are_enough(tmp_path: Path) -> None:
    metrics = {"headline": "auroc", "splits": {"validation": {"auroc": entry(None)}}}
    run = read_run(write_run(tmp_path, metrics))
    assert run.reported == ["validation"]
    assert run.history.empty
    assert run.options == {}


def test_a_folder_without_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no scores.*finished `peftide train`"):
        read_run(tmp_path)


def test_classes_are_read_as_membership_and_ids_as_text(tmp_path: Path) -> None:
    scores = {"macro_average_precision": entry(0.5)}
    metrics = {"headline": "macro_average_precision", "splits": {"input": scores}}
    write_run(tmp_path, metrics | {"outcome": "categorical"}, command="evaluate")
    header = "id label prediction p_C2 p_D2|x counted"
    rows = [
        ("NA", "C2", "C2", 0.75, 0.25, 1),
        ("007", "D2", "C2", 0.5, 0.5, 1),
        ("x", "C2,D2", "C2", 1, 0, 1),
    ]
    write_tsv(tmp_path / "predictions.tsv", header, rows)
    truths = ["C2", "D2|x", ""]
    write_tsv(tmp_path / "strata.tsv", "truth length", [(t, 9) for t in truths])
    (part,) = read_run(tmp_path).parts
    assert part.outcome.kind == "categorical"
    assert part.class_names == ("C2", "D2|x")
    assert part.truth.tolist() == [[1, 0], [0, 1], [0, 0]]
    assert part.answers.tolist() == [[0.75, 0.25], [0.5, 0.5], [1, 0]]
    assert part.rows["id"].tolist() == ["NA", "007", "x"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("split\tname\n", "no column curve, x, y"),
        ("split\tname\tcurve\tx\ty\ntest\tkmer\troc\t0\tmany\n", "curves.tsv:2"),
    ],
)
def test_damaged_curves_are_one_error(run_folder: Path, text: str, said: str) -> None:
    (run_folder / "curves.tsv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_run(run_folder)


def test_curves_keep_the_order_of_their_points(run_folder: Path) -> None:
    rows = [("test", "kmer", "roc", 0, 0), ("test", "degree", "roc", 0.5, 1)]
    write_tsv(
        run_folder / "curves.tsv", "split name curve x y", [*rows, ("test", "kmer", "roc", 1, 1)]
    )
    x, y = read_run(run_folder).curves["test"]["kmer"]["roc"]
    assert (x.tolist(), y.tolist()) == ([0, 1], [0, 1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\tb\n1\t2\t3\n", "t.tsv:2: the row has 3 cells and the header 2"),
        ("a\tb\n1\t2\n1\t2\t3\n", "t.tsv:3: the row has 3 cells"),
        ("a\tb\n1\t2\n1\n", "t.tsv:3: the row has 1 cells"),
        ("a\ta\n1\t2\n", "more than one column is named 'a'"),
        ("", "the file is empty"),
    ],
)
def test_a_damaged_table_is_one_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_table(path, "\t")


def test_a_table_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\t\n007\tNA\n")
    table = read_table(path, "\t")
    assert (list(table), table.to_numpy().tolist()) == (["id", ""], [["007", "NA"]])


@pytest.mark.parametrize("place", ["splits", "baselines", "differences"])
def test_scores_without_the_headline_are_damage(tmp_path: Path, place: str) -> None:
    score = {"auroc": {"value": 0.5}}
    metrics: dict[str, Any] = {"format_version": 9, "outcome": "binary", "headline": "auroc"}
    metrics |= {"splits": {"test": score}, "baselines": {"kmer": {"test": score}}}
    metrics["differences"] = {"kmer": {"test": score}}
    folder = RunFolder(tmp_path)
    folder.metrics.write_text(json.dumps(metrics))
    assert read_scores(folder)["headline"] == "auroc"
    metrics[place] = json.loads(json.dumps(metrics[place]).replace("auroc", "x"))
    folder.metrics.write_text(json.dumps(metrics))
    with pytest.raises(InputError, match=r"'test' has no 'auroc', the headline"):
        read_scores(folder)
