"""Small tables as people have them: each is read as meant, or refused with its line and cause.

Every input stands for a kind of table that a reader could take for another one in silence. The
right value comes from the table itself: its classes, its numbers, or the line that is wrong.
"""

from pathlib import Path

import numpy as np
import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.tasks import TASKS
from peftide.tasks.request import read_request
from peftide.training.problem import Problem, read_problem
from tests.conftest import random_sequences

SEQUENCES = random_sequences(32, seed=5)
PARTS = ["train"] * 16 + ["validation"] * 8 + ["test"] * 8
HEADER = ("id", "sequence", "label", "split")
NUMBERS = [f"{k * k / 7:.3f}" for k in range(32)]
HELICES = ["".join("01"[letter in "AEHKLMQR"] for letter in text) for text in SEQUENCES]


def cycle(*labels: str) -> list[str]:
    """Return one label per row, in turns."""
    return [labels[k % len(labels)] for k in range(32)]


def with_odd(labels: list[str], odd: str, row: int = 3) -> list[str]:
    """Return the labels with another one in a row of train; row 3 is on line 5."""
    return [*labels[:row], odd, *labels[row + 1 :]]


def table(
    labels: list[str],
    *,
    sequences: list[str] = SEQUENCES,
    ids: list[str] | None = None,
    separator: str = "\t",
) -> str:
    names = ids or [f"p{k}" for k in range(32)]
    rows = zip(names, sequences, labels, PARTS, strict=True)
    return "\n".join(separator.join(row) for row in [HEADER, *rows]) + "\n"


def with_sequence(cell: str) -> str:
    return table(NUMBERS, sequences=with_odd(SEQUENCES, cell))


def read(folder: Path, text: str, name: str = "t.tsv", **options: object) -> Problem:
    (folder / name).write_bytes(text.encode())
    config = TrainConfig(task="auto", data=folder / name, out=folder / "out", **options)  # type: ignore[arg-type]
    return read_problem(*read_request(config))


def masked(first: str, second: str, *, labels: tuple[str, str]) -> str:
    """Return a table with a mask whose first two rows have one sequence."""
    sequences = [SEQUENCES[0], *SEQUENCES[:1], *SEQUENCES[2:]]
    every = [*labels, *HELICES[2:]]
    masks = [first, second, *("1" * len(text) for text in sequences[2:])]
    rows = zip(sequences, every, masks, PARTS, strict=True)
    return "\n".join("\t".join(row) for row in [("sequence", "label", "mask", "split"), *rows])


REFUSED = {
    "missing sequence NA": (with_sequence("NA"), "t.tsv:5: the sequence of p3 is 'NA'"),
    "missing sequence nan": (with_sequence("nan"), "t.tsv:5: the sequence of p3 is 'nan'"),
    "missing sequence -": (with_sequence("-"), "t.tsv:5: the sequence of p3 is '-'"),
    "error of a spreadsheet": (with_sequence("#VALUE!"), "t.tsv:5: the sequence of p3"),
    "BioMart's missing sequence": (
        with_sequence("Sequence unavailable"),
        "t.tsv:5: the sequence of p3 is 'Sequence unavailable'",
    ),
    "missing date of pandas": (with_sequence("NaT"), "t.tsv:5: the sequence of p3 is 'NaT'"),
    "missing sequence of a person": (with_sequence("n.d."), "t.tsv:5: .* looks like a missing"),
    "missing sequence in brackets": (with_sequence("(null)"), "t.tsv:5: .* looks like a missing"),
    "missing sequence void": (with_sequence("void"), "t.tsv:5: .* VOID is written void"),
    "phosphorylated residue": (with_sequence("MKVpSLAW"), "t.tsv:5: .* has 'pS'.*phosphorylated"),
    "part NA": (table(NUMBERS).replace("train", "NA", 1), "t.tsv:2: column split says 'NA'"),
    "list that numpy cut": (table(cycle("[0 1 ... 0]", "[1 0 1]")), "t.tsv:2: .*was cut"),
    "list that pandas cut": (
        table(with_odd(cycle("['a', 'b']", "['a']"), "['a', 'b")),
        r"t.tsv:5: .*was cut",
    ),
    "list in a list": (table(cycle("[['a'], ['b']]", "[['a']]")), "is a list of lists"),
    "mapping": (table(cycle("{'a': 1}", "{'b': 1}")), "is a mapping"),
    "mapping in a list": (table(cycle('["a", {"b": 1}]', '["a"]')), "holds a list or a mapping"),
    "counter": (table(cycle("Counter({'a': 1})", "Counter({'b': 1})")), "an object of a program"),
    "series of pandas": (table(cycle("0 a 1 b Name: x, dtype: object", "x")), "an object of a pro"),
    "null in a list": (table(cycle('["a", null]', '["b"]')), "t.tsv:2.*empty or missing entry"),
    "columns of two lengths": (
        table(with_odd(cycle("1,0,1", "0,1,1"), "1,0")),
        "neither one per residue nor 0 and 1 of one length",
    ),
    "shares of classes": (table(cycle("0.2,0.3,0.5", "0.1,0.8,0.1")), "--task residue-regression"),
    "labels of residues with the removed stop": (
        table([f"{text}0" for text in HELICES], sequences=[f"{text}*" for text in SEQUENCES]),
        r"1 longer than their sequences, which lost the '\*'.*--task residue",
    ),
    "labels of residues with a start": (
        table([f"0{text}" for text in HELICES]),
        "1 longer than their sequences.*--task residue",
    ),
    "labels of residues without an end": (
        table([text[1:] for text in HELICES]),
        "1 shorter than their sequences.*--task residue",
    ),
    "labels of residues rounded by a spreadsheet": (
        table([f"{float('1' + text[1:]):.5E}" for text in HELICES]),
        "a spreadsheet has rounded",
    ),
    "digits of residues rounded by a spreadsheet": (
        table([("231" * 5).ljust(len(text), "0") for text in SEQUENCES]),
        "every digit after the 15th is 0",
    ),
    "values of residues in percent": (
        table([" ".join(f"{ord(c)}%" for c in text) for text in SEQUENCES]),
        r"a percent sign, such as .*t.tsv:2.*--task residue-regression",
    ),
    "spans of residues": (table(cycle("2-4", "1-3", "1-4")), "spans, none beyond the end"),
    "values of residues without one": (
        table([" ".join(f"{ord(c) / 9:.2f}" for c in text[1:]) for text in SEQUENCES]),
        "1 shorter than their sequences.*--task residue-regression",
    ),
    "sequences with gaps": (with_sequence("MKV--LAW"), "t.tsv:5.*alignment"),
    "typo among yes and no": (table(with_odd(cycle("yes", "no"), "noo")), r"'noo' \(.*t.tsv:5\)"),
    "invisible character in half of yes and no": (
        table(cycle("yes", "no\u200b")),
        r"except 'no.*ZERO WIDTH SPACE.*t.tsv:3",
    ),
    "classes of enzymes as decimals": (table(cycle("1.1", "2.7", "3.4")), "3 different numbers"),
    "names that a spreadsheet took for numbers": (table(cycle("1E5", "2E5")), "2 different numb"),
    "letter O among 0 and 1": (table(with_odd(cycle("0", "1"), "O")), r"'O' \(.*t.tsv:5\)"),
    "word among groups": (
        table(with_odd(cycle("C1", "C2", "D2"), "monomer")),
        r"symmetry groups, except 'monomer' \(.*t.tsv:5\)",
    ),
    "group with a Cyrillic letter": (
        table(with_odd(cycle("C1", "C2", "D2"), "\u04212")),
        "CYRILLIC CAPITAL LETTER ES",
    ),
    "group with thousands of digits": (
        table(with_odd(cycle("C1", "C2", "D2"), "C" + "9" * 5000)),
        r"\(5,001 characters\) \(.*t.tsv:5\)",
    ),
    "number with a unit": (table(with_odd(NUMBERS, "4.2 nM")), r"a unit, such as '4.2 nM' .*:5\)"),
    "number with a limit": (table(with_odd(NUMBERS, "<0.1")), r"a sign in front, such as '<0.1'"),
    "number with a comma": (table(with_odd(NUMBERS, "4,2")), r"a comma, such as '4,2' \(.*:5\)"),
    "number with an uncertainty": (table(with_odd(NUMBERS, "4.2±0.1")), "an uncertainty"),
    "number in hexadecimal digits": (table(with_odd(NUMBERS, "0x1F")), "hexadecimal digits"),
    "minus of a text program": (table(with_odd(NUMBERS, "\u22124.2")), "another sign for minus"),
    "number that is infinite": (table(with_odd(NUMBERS, "inf")), r"an infinite value.*:5\)"),
    "number too large": (table(with_odd(NUMBERS, "1e300")), "t.tsv:5: label '1e300' is too large"),
    "number beyond all": (table(with_odd(NUMBERS, "1e400")), r"'1e400' \(.*t.tsv:5\)"),
    "missing number": (table(with_odd(NUMBERS, "NA")), r"except 'NA' \(.*t.tsv:5\).*missing"),
    "equal numbers": (table(["1.5"] * 32), "all training values are equal"),
    "line of a comment": ("# made by R\n" + table(NUMBERS), "t.tsv:1: .*begins with '#'"),
    "no header": (table(NUMBERS).partition("\n")[2], "t.tsv:1: the table has no header line"),
    "column twice": (table(NUMBERS).replace("\tid\t", "\t").replace("id\t", "label\t", 1), "label"),
    "numbers of rows by R": (
        "\n".join(
            f"{n}\t{line}" if n else line for n, line in enumerate(table(NUMBERS).splitlines())
        ),
        "The first cells number the rows",
    ),
}
"""Input → text of the table, and what the message says."""


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_cause(tmp_path: Path, kind: str) -> None:
    text, said = REFUSED[kind]
    with pytest.raises(InputError, match=f"(?s){said}") as caught:
        read(tmp_path, text)
    assert len(str(caught.value)) < 1500


ABC = ("a", "b", "c")
SETS = ((1, 0, 1), (0, 1, 0), (0, 0, 0))
"""The sets of the labels below."""
LISTS = {
    "of Python": ("['a', 'c']", "['b']", "[]"),
    "of JSON": ('["a", "c"]', '["b"]', "[]"),
    "tuples": ("('a', 'c')", "('b',)", "()"),
    "sets": ("{'a', 'c'}", "{'b'}", "set()"),
    "frozen sets": ("frozenset({'a', 'c'})", "frozenset({'b'})", "frozenset()"),
    "of numpy": ("['a' 'c']", "['b']", "[]"),
    "arrays": ("array(['a', 'c'], dtype='<U1')", "array(['b'], dtype='<U1')", "[]"),
    "without quotes": ("[a, c]", "[b]", "[]"),
    "of keys": ("dict_keys(['a', 'c'])", "dict_keys(['b'])", "dict_keys([])"),
    "of R": ('c("a", "c")', 'c("b")', "character(0)"),
    "of people": ("a; c", "b", "none"),
}
COLUMNS = {
    "with commas": ("1,0,1", "0,1,0", "0,0,0"),
    "with blanks": ("1 0 1", "0 1 0", "0 0 0"),
    "with semicolons": ("1;0;1", "0;1;0", "0;0;0"),
    "with bars": ("1|0|1", "0|1|0", "0|0|0"),
    "of numpy": ("[1 0 1]", "[0 1 0]", "[0 0 0]"),
    "of R": ("c(1, 0, 1)", "c(0, 1, 0)", "c(0, 0, 0)"),
    "on two lines": ('"[1 0\n 1]"', '"[0 1\n 0]"', '"[0 0\n 0]"'),
    "of floats": ("[1. 0. 1.]", "[0. 1. 0.]", "[0. 0. 0.]"),
    "of truth values": ("[True, False, True]", "[False, True, False]", "[False, False, False]"),
    "of PyTorch": ("tensor([1, 0, 1])", "tensor([0, 1, 0])", "tensor([0, 0, 0])"),
}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        *((labels, ABC) for labels in LISTS.values()),
        *((labels, ("class_1", "class_2", "class_3")) for labels in COLUMNS.values()),
    ],
)
def test_lists_are_sets_of_classes(
    tmp_path: Path, labels: tuple[str, ...], names: tuple[str, ...]
) -> None:
    found = read(tmp_path, table(cycle(*labels)))
    assert found.task is TASKS["multilabel"]
    assert found.labels.class_names == names
    assert found.targets["train"].values[:3].tolist() == [list(row) for row in SETS]


DIALECTS: dict[str, tuple[str, str]] = {
    "semicolons below a header with a comma": (
        "t.csv",
        table(NUMBERS, separator=";")
        .replace("split\n", 'split;"score (log10, M)"\n')
        # the other rows have a cell for it too
        .replace("train\n", "train;1,5\n")
        .replace("validation\n", "validation;1,5\n")
        .replace("test\n", "test;1,5\n"),
    ),
    "a line that names the separator": ("t.csv", "sep=;\n" + table(NUMBERS, separator=";")),
    "blanks after commas": (
        "t.csv",
        table([f'"{n}"' for n in NUMBERS], separator=", ").replace("id, seq", '"id", seq'),
    ),
    "blanks around commas": ("t.csv", table(NUMBERS, separator=" , ")),
    "bars": ("t.csv", table(NUMBERS, separator="|")),
    "commas in a file called tsv": ("t.tsv", table(NUMBERS, separator=",")),
    "several blanks": ("t.txt", table(NUMBERS, separator="   ")),
    "lines that end as on an old Mac": ("t.tsv", table(NUMBERS).replace("\n", "\r")),
    "mark of byte order and lines of Windows": (
        "t.csv",
        "\ufeff" + table(NUMBERS, separator=";").replace("\n", "\r\n"),
    ),
    "a separator at the end of lines": (
        "t.csv",
        table(NUMBERS, separator=",").replace("\n", ",\n"),
    ),
    "an empty line": ("t.tsv", table(NUMBERS).replace("\np9\t", "\n\np9\t")),
    "unquoted quotation marks": (
        "t.tsv",
        table(NUMBERS, ids=[f'"p{k}' if k in (3, 9) else f"p{k}" for k in range(32)]),
    ),
    "quotation marks inside cells": (
        "t.csv",
        table(NUMBERS, separator=",", ids=[f'5" p{k}' for k in range(32)]),
    ),
}


@pytest.mark.parametrize("kind", DIALECTS)
def test_every_row_of_a_dialect_is_read(tmp_path: Path, kind: str) -> None:
    name, text = DIALECTS[kind]
    found = read(tmp_path, text, name)
    assert {part: len(rows.lines) for part, rows in found.dataset.parts.items()} == {
        "train": 16,
        "validation": 8,
        "test": 8,
    }
    assert found.dataset.proteins.sequences == tuple(SEQUENCES)
    train = found.targets["train"].values.ravel()
    np.testing.assert_allclose(train, np.array(NUMBERS[:16], dtype=float), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (table(cycle("Nucleus", "NA", "Cytosol")), "labels_like_missing_values", "'NA'"),
        (table(cycle("Nucleus", "nucleus", "Cytosol")), "similar_classes", "'Nucleus' (6)"),
        (table(cycle("cell wall", "cell-wall", "x")), "similar_classes", "'cell-wall' (5)"),
        (table(cycle("SEPT2", "2-Sep", "x")), "classes_like_dates", "'2-Sep'"),
    ],
)
def test_doubtful_classes_are_findings(tmp_path: Path, text: str, kind: str, said: str) -> None:
    found = read(tmp_path, text)
    decisions = [
        finding.decision for finding in found.targets["train"].findings if finding.kind == kind
    ]
    assert len(decisions) == 1
    assert said in decisions[0]


def test_labels_of_residues_may_be_wrapped_like_sequences(tmp_path: Path) -> None:
    wrapped = [f'"{text[:9]}\n{text[9:]}"' for text in HELICES]
    found = read(tmp_path, table(wrapped, separator=","), "t.csv")
    assert found.task is TASKS["residue"]
    numbers = [int(sign) for text in HELICES[:16] for sign in text]
    assert found.targets["train"].values.argmax(axis=1).tolist() == numbers


@pytest.mark.parametrize("column", ["sequence", "split"])
def test_one_column_is_not_read_as_two_things(tmp_path: Path, column: str) -> None:
    with pytest.raises(InputError, match=f"--label-column and --{column}-column both name"):
        read(tmp_path, table(NUMBERS), label_column=column)


def test_sequences_of_unknown_residues_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, with_sequence("XXXX"))
    kinds = {one.kind: one.count for one in found.dataset.findings}
    assert kinds["sequences_of_unknown_residues"] == 1


HALF, LONG = "1" * (len(SEQUENCES[0]) // 2), len(SEQUENCES[0])
FIRST, SECOND = HALF.ljust(LONG, "0"), HALF.replace("1", "0").ljust(LONG, "1")


@pytest.mark.parametrize(
    ("text", "counted", "kinds"),
    [
        (masked(FIRST, SECOND, labels=(HELICES[0], HELICES[0])), 2, set()),
        (
            masked(FIRST, FIRST, labels=(HELICES[0], HELICES[0][: len(HALF)].ljust(LONG, "1"))),
            1,
            {"repeated_examples"},
        ),
        (
            masked(FIRST, FIRST, labels=("1" * LONG, "0" * LONG)),
            2,
            {"contradictory_labels"},
        ),
    ],
)
def test_masks_belong_to_the_example(
    tmp_path: Path, text: str, counted: int, kinds: set[str]
) -> None:
    found = read(tmp_path, text)
    assert int(found.dataset.parts["train"].counted[:2].sum()) == counted
    about = {"repeated_examples", "contradictory_labels"}
    assert {finding.kind for finding in found.dataset.findings} & about == kinds


def test_a_sequence_beside_another_of_the_same_id_is_an_error(tmp_path: Path) -> None:
    fasta = "".join(f">p{k}\n{text}\n" for k, text in enumerate(SEQUENCES))
    (tmp_path / "p.fasta").write_text(fasta)
    found = read(tmp_path, table(NUMBERS), sequences=tmp_path / "p.fasta")
    assert [one.count for one in found.dataset.findings if one.kind == "own_sequences"] == [32]
    (tmp_path / "p.fasta").write_text(fasta.replace(SEQUENCES[4], SEQUENCES[4] + "A"))
    with pytest.raises(InputError, match=r"t\.tsv:6: id p4 has a different sequence"):
        read(tmp_path, table(NUMBERS), sequences=tmp_path / "p.fasta")
