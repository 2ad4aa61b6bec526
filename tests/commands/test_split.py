"""A table in, the same rows with a part each out: what a user gets."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.commands.split import SplitResult, split
from peftide.config import SplitConfig
from peftide.errors import InputError
from tests.conftest import random_sequences, write_proteins, write_rows


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def relatives(sequence: str, count: int, generator: np.random.Generator) -> list[str]:
    """Return a sequence and others that differ from it in a tenth of their residues."""
    found = [sequence]
    for _ in range(count - 1):
        letters = list(sequence)
        for place in generator.choice(len(letters), len(letters) // 10, replace=False):
            letters[place] = generator.choice(list("ACDEFGHIKLMNPQRSTVWY"))
        found.append("".join(letters))
    return found


@pytest.fixture(autouse=True)
def no_mmseqs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search with what comes with peftide, which is faster on a handful of sequences."""
    monkeypatch.setenv("PATH", "")


@pytest.fixture(scope="module")
def families() -> list[str]:
    """Sequences p0 … p119: 40 families of three relatives each."""
    generator = np.random.default_rng(0)
    ancestors = random_sequences(40, lengths=(60, 90))
    return [text for ancestor in ancestors for text in relatives(ancestor, 3, generator)]


@pytest.fixture
def pairs(tmp_path: Path, families: list[str]) -> dict[str, Any]:
    """Options that divide 900 pairs, mostly inside communities, of the 120 proteins."""
    write_proteins(tmp_path / "p.fasta", families)
    generator = np.random.default_rng(1)
    rows = []
    for number in range(900):
        community = 12 * generator.integers(10)
        near = community + generator.integers(0, 12, 2)
        a, b = near if number % 5 else generator.integers(0, 120, 2)
        rows.append((f"p{a}", f"p{b}", number % 2, f"note {number}"))
    write_rows(tmp_path / "t.tsv", "id_a id_b label note", rows)
    clusters = "".join(f"p{k // 3 * 3}\tp{k}\n" for k in range(120))
    (tmp_path / "c.tsv").write_text(clusters)
    paths = {"sequences": tmp_path / "p.fasta", "clusters": tmp_path / "c.tsv"}
    return {"input": (tmp_path / "t.tsv",), **paths}


def divide(out: Path, **options: Any) -> tuple[SplitResult, list[dict[str, str]]]:
    result = split(SplitConfig(out=out, **options))
    return result, read_tsv(result.path)


def parts_of(rows: list[dict[str, str]]) -> dict[str, set[int]]:
    """Return the proteins of each part, by number."""
    found: dict[str, set[int]] = {}
    for row in rows:
        ends = {int(row[name][1:]) for name in ("id_a", "id_b")}
        found.setdefault(row["split"], set()).update(ends)
    return found


def test_pairs_share_neither_proteins_nor_families(tmp_path: Path, pairs: dict[str, Any]) -> None:
    result, rows = divide(tmp_path / "out", **pairs)
    parts = parts_of(rows)
    families_of = {name: {protein // 3 for protein in found} for name, found in parts.items()}
    assert set(parts) == {"train", "validation", "test"}
    assert not families_of["train"] & families_of["test"]
    assert not families_of["train"] & families_of["validation"]
    assert not families_of["validation"] & families_of["test"]
    record = result.record
    assert record["groups"]["groups"] == 40
    assert record["kept_share"] > 1.5 * record["kept_share_at_random"]
    shares = [record["parts"][name]["share"] for name in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.04)
    assert json.loads((tmp_path / "out" / "split.json").read_text())["parts"] == record["parts"]


def test_every_row_is_in_one_of_two_tables_as_it_stood(
    tmp_path: Path, pairs: dict[str, Any]
) -> None:
    result, rows = divide(tmp_path / "out", **pairs)
    dropped = read_tsv(tmp_path / "out" / "dropped.tsv")
    before = read_tsv(pairs["input"][0])
    names = list(before[0])
    assert list(rows[0]) == [*names, "split"]
    assert Counter(row["reason"] for row in dropped) == result.record["dropped"]
    numbers = [int(row["note"].split()[1]) for row in rows]
    assert numbers == sorted(numbers)
    both = rows + dropped
    assert len(both) == len(before) == 900
    kept = {row["note"]: row for row in both}
    assert all({name: kept[row["note"]][name] for name in names} == row for row in before)


def test_drawn_negatives_balance_degrees_in_every_part(
    tmp_path: Path, pairs: dict[str, Any]
) -> None:
    result, rows = divide(tmp_path / "out", negatives="sample", **pairs)
    drawn = [row for row in rows if not row["note"]]
    assert {row["label"] for row in drawn} == {"0"}
    given = read_tsv(pairs["input"][0])
    positive = {frozenset((row["id_a"], row["id_b"])) for row in given if row["label"] == "1"}
    pairs_drawn = [frozenset((row["id_a"], row["id_b"])) for row in drawn]
    assert len(set(pairs_drawn)) == len(pairs_drawn)
    assert all(len(pair) == 2 for pair in pairs_drawn)
    assert not positive & set(pairs_drawn)
    for name, part in result.record["parts"].items():
        own = [row for row in rows if row["split"] == name]
        real = {frozenset((r["id_a"], r["id_b"])) for r in own if r["label"] == "1"}
        up = Counter(protein for pair in real if len(pair) == 2 for protein in pair)
        down = Counter(r[end] for r in own if r["label"] == "0" for end in ("id_a", "id_b"))
        missing = sum(
            finding["count"]
            for finding in result.record["findings"]
            if (finding["part"], finding["kind"]) == (name, "missing_negatives")
        )
        assert sum((up - down).values()) == 2 * missing
        assert not down - up  # nobody is seen more often in negatives, or only there
        assert part["drawn_negatives"] == len([r for r in own if r["label"] == "0"])
    assert result.record["dropped"]["negative of the table, replaced by a sampled one"] == 450
    assert not any(row["id_a"] == row["id_b"] for row in rows)
    selfs = sum(row["id_a"] == row["id_b"] for row in given if row["label"] == "1")
    assert result.record["dropped"]["self-pair, which sampled negatives exclude"] == selfs > 0


def test_a_table_of_positives_alone_needs_no_label(tmp_path: Path, pairs: dict[str, Any]) -> None:
    given = read_tsv(pairs["input"][0])
    table = write_rows(
        tmp_path / "positives.tsv", "id_a id_b", [(r["id_a"], r["id_b"]) for r in given]
    )
    options = pairs | {"input": (table,), "kind": "random", "clusters": None}
    _, rows = divide(tmp_path / "out", negatives="sample", **options)
    assert list(rows[0]) == ["id_a", "id_b", "label", "split"]
    assert Counter(row["label"] for row in rows).keys() == {"0", "1"}


def test_sequences_of_one_family_stay_together(tmp_path: Path, families: list[str]) -> None:
    labels = ["C1" if k // 3 % 4 else "C2" for k in range(120)]
    table = write_rows(
        tmp_path / "s.tsv",
        "id sequence label",
        list(zip(range(120), families, labels, strict=True)),
    )
    result, rows = divide(tmp_path / "out", input=(table,), threads=1)
    assert [row["id"] for row in rows] == [str(k) for k in range(120)]
    for family in range(40):
        own = rows[3 * family : 3 * family + 3]
        assert len({row["split"] for row in own}) == len({row["cluster"] for row in own}) == 1
    assert len({row["cluster"] for row in rows}) == 40
    for part in result.record["parts"].values():
        assert abs(part["labels"]["C2"] - 0.25) < 0.1
    assert result.record["dropped"] == {}
    assert not (tmp_path / "out" / "dropped.tsv").exists()


def test_random_rows_share_proteins_and_say_so(tmp_path: Path, pairs: dict[str, Any]) -> None:
    result, rows = divide(tmp_path / "out", **(pairs | {"kind": "random", "clusters": None}))
    assert len(rows) == 900
    part_of: dict[frozenset[str], set[str]] = {}
    for row in rows:
        part_of.setdefault(frozenset((row["id_a"], row["id_b"])), set()).add(row["split"])
    assert all(len(found) == 1 for found in part_of.values())  # repeats and B-A stay together
    shared = [f for f in result.record["findings"] if f["kind"] == "shared_proteins"]
    assert [finding["part"] for finding in shared] == ["validation", "test"]
    parts = parts_of(rows)
    assert shared[1]["count"] == len(parts["test"] & parts["train"])


def test_the_clusters_of_one_split_serve_the_next(tmp_path: Path, pairs: dict[str, Any]) -> None:
    searched = pairs | {"clusters": None, "threads": 1}
    first, rows = divide(tmp_path / "first", **searched)
    clusters = tmp_path / "first" / "clusters.tsv"
    again, same = divide(tmp_path / "again", **(pairs | {"clusters": clusters}))
    assert rows == same
    assert first.record["groups"]["groups"] == again.record["groups"]["groups"] == 40
    assert "at least 30% identity over at least 50%" in first.record["groups"]["by"]
    assert again.record["groups"]["by"] == str(clusters)


def test_the_cluster_column_of_a_table_decides(tmp_path: Path, families: list[str]) -> None:
    clusters = [f"c{k % 30}" for k in range(120)]
    rows = [(k, text, k % 2, c) for k, (text, c) in enumerate(zip(families, clusters, strict=True))]
    table = write_rows(tmp_path / "s.tsv", "id sequence label fold", rows)
    _, found = divide(tmp_path / "out", input=(table,), cluster_column="fold")
    assert list(found[0]) == ["id", "sequence", "label", "fold", "split"]
    for cluster in set(clusters):
        assert len({row["split"] for row in found if row["fold"] == cluster}) == 1


def test_values_of_an_earlier_split_are_kept_beside(tmp_path: Path, families: list[str]) -> None:
    rows = [(k, text, k % 2, ["a", "holdout"][k % 2]) for k, text in enumerate(families)]
    table = write_rows(tmp_path / "s.tsv", "id sequence label split", rows)
    _, found = divide(tmp_path / "out", input=(table,), kind="random")
    assert list(found[0]) == ["id", "sequence", "label", "previous_split", "split"]
    assert [row["previous_split"] for row in found] == [str(row[3]) for row in rows]
    assert {row["split"] for row in found} == {"train", "validation", "test"}


def test_several_tables_are_one(tmp_path: Path, families: list[str]) -> None:
    rows = [(f"s{k}", text, k % 2) for k, text in enumerate(families)]
    first = write_rows(tmp_path / "a.tsv", "id sequence label", rows[:50])
    second = write_rows(
        tmp_path / "b.tsv", "label sequence id", [(y, text, name) for name, text, y in rows[50:]]
    )
    _, found = divide(tmp_path / "out", input=(first, second), kind="random")
    assert [row["id"] for row in found] == [f"s{k}" for k in range(120)]
    assert [row["sequence"] for row in found] == families
    other = write_rows(tmp_path / "c.tsv", "id sequence value", rows[50:])
    with pytest.raises(InputError, match=r"c\.tsv: the columns are id, sequence, value; expected"):
        divide(tmp_path / "other", input=(first, other), kind="random")


def test_rows_without_sequence_are_dropped_and_kept_apart(
    tmp_path: Path, pairs: dict[str, Any]
) -> None:
    path = pairs["input"][0]
    path.write_text(path.read_text() + "p0\tp999\t1\tlast\n")
    with pytest.raises(InputError, match=r"t\.tsv:902: id p999 has no sequence in .*p\.fasta"):
        divide(tmp_path / "out", **pairs)
    assert not (tmp_path / "out").exists()
    result, _ = divide(tmp_path / "out", missing="drop", **pairs)
    assert result.record["dropped"]["no sequence"] == 1
    assert read_tsv(tmp_path / "out" / "dropped.tsv")[-1] == {
        **{"id_a": "p0", "id_b": "p999", "label": "1", "note": "last"},
        "reason": "no sequence",
    }


def test_the_seed_decides(tmp_path: Path, pairs: dict[str, Any]) -> None:
    options = pairs | {"negatives": "sample", "kind": "random", "clusters": None}
    _, first = divide(tmp_path / "a", **options)
    _, again = divide(tmp_path / "b", **options)
    _, other = divide(tmp_path / "c", seed=1, **options)
    assert first == again != other


def hub(tmp_path: Path) -> dict[str, Any]:
    write_proteins(tmp_path / "h.fasta", random_sequences(31, lengths=(40, 60)))
    rows = [("p0", f"p{k}", k % 2) for k in range(1, 31)]
    table = write_rows(tmp_path / "h.tsv", "id_a id_b label", rows)
    return {"input": (table,), "sequences": tmp_path / "h.fasta", "similarity": "none"}


def test_a_star_cannot_be_divided(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"would be empty: 30 pairs .*p0 is in 100% of them"):
        divide(tmp_path / "out", **hub(tmp_path))
    assert not (tmp_path / "out").exists()


def test_one_giant_family_goes_to_train_and_is_named(tmp_path: Path) -> None:
    sequences = random_sequences(30, lengths=(40, 60))
    rows = [(k, text, k % 2, "big" if k < 27 else f"c{k}") for k, text in enumerate(sequences)]
    table = write_rows(tmp_path / "s.tsv", "id sequence label cluster", rows)
    result, found = divide(tmp_path / "out", input=(table,), fractions=(0.5, 0.25, 0.25))
    assert {row["split"] for row in found[:27]} == {"train"}
    (finding,) = [
        f for f in result.record["findings"] if (f["kind"], f["part"]) == ("other_size", "train")
    ]
    assert "90.0% of all instead of 50.0%" in finding["decision"]
    alone = write_rows(
        tmp_path / "t.tsv", "id sequence label cluster", [(*r[:3], "x") for r in rows]
    )
    with pytest.raises(InputError, match=r"validation and test would be empty: 30 .*in 100% of"):
        divide(tmp_path / "other", input=(alone,))


def test_fewer_than_ten_proteins_are_said(tmp_path: Path) -> None:
    write_proteins(tmp_path / "f.fasta", random_sequences(8, lengths=(40, 60)))
    rows = [(f"p{a}", f"p{b}", (a + b) % 2) for a in range(8) for b in range(a) if a // 4 == b // 4]
    table = write_rows(tmp_path / "f.tsv", "id_a id_b label", rows)
    result, _ = divide(
        tmp_path / "out",
        input=(table,),
        sequences=tmp_path / "f.fasta",
        similarity="none",
        fractions=(0.5, 0.0, 0.5),
    )
    few = {f["part"]: f["count"] for f in result.record["findings"] if f["kind"] == "few_proteins"}
    assert few == {"train": 4, "test": 4}


def test_no_possible_negative_is_an_error_that_names_the_part(tmp_path: Path) -> None:
    write_proteins(tmp_path / "f.fasta", random_sequences(8, lengths=(40, 60)))
    cliques = [(f"p{a}", f"p{b}") for a in range(8) for b in range(a) if a // 4 == b // 4]
    table = write_rows(tmp_path / "f.tsv", "id_a id_b", cliques)
    with pytest.raises(InputError, match=r"no negatives can be drawn for train: all pairs of its"):
        divide(
            tmp_path / "out",
            input=(table,),
            sequences=tmp_path / "f.fasta",
            similarity="none",
            negatives="sample",
            fractions=(0.5, 0.0, 0.5),
        )


def test_two_rows_are_too_few_for_three_parts(tmp_path: Path) -> None:
    table = write_rows(tmp_path / "s.tsv", "sequence label", [("MKVLA", 1), ("GGSGG", 0)])
    with pytest.raises(InputError, match=r"--fractions: .* would be empty: 2 sequences"):
        divide(tmp_path / "out", input=(table,), kind="random")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fractions": (0.8, 0.1, 0.2)}, r"--fractions: received 0\.8,0\.1,0\.2"),
        ({"kind": "cluster"}, r"--kind: cluster of pairs; expected none_seen or random"),
        ({"negatives": "sample", "negative_ratio": 0.0}, r"--negative-ratio: received 0\.0"),
        ({"identity": 1.5}, r"identity.*received 1\.5"),
        ({"identity": 0.5}, r"--identity: .*--clusters"),
        ({"similarity": "none", "clusters": None, "coverage": 0.9}, r"--coverage: .*none"),
        ({"kind": "random"}, r"--clusters: --kind random"),
        ({"negative_ratio": 2.0}, r"--negative-ratio: --negatives keep"),
        ({"similarity": "mmseqs", "clusters": None}, r"the program mmseqs is not on the PATH"),
    ],
)
def test_options_that_make_no_sense(
    tmp_path: Path, pairs: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        divide(tmp_path / "out", **(pairs | options))
    assert not (tmp_path / "out").exists()


def test_labels_other_than_yes_and_no_have_no_negatives(
    tmp_path: Path, pairs: dict[str, Any]
) -> None:
    rows = [(f"p{k}", f"p{k + 1}", "maybe" if k else "1") for k in range(20)]
    table = write_rows(tmp_path / "x.tsv", "id_a id_b label", rows)
    with pytest.raises(InputError, match=r"label 'maybe' is neither 1 nor 0.*--negatives sample"):
        divide(tmp_path / "out", **(pairs | {"input": (table,), "negatives": "sample"}))


def test_nothing_is_replaced_that_a_split_did_not_write(
    tmp_path: Path, pairs: dict[str, Any]
) -> None:
    options = pairs | {"kind": "random", "clusters": None}
    divide(tmp_path / "out", **options)
    (tmp_path / "out" / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match=r"out exists.*--overwrite"):
        divide(tmp_path / "out", **options)
    divide(tmp_path / "out", overwrite=True, **options)
    assert (tmp_path / "out" / "mine.txt").read_text() == "kept"
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "split.tsv").write_text("not ours")
    with pytest.raises(InputError, match=r"was not written by `peftide split`"):
        divide(tmp_path / "foreign", overwrite=True, **options)
    own = pairs | {"input": (tmp_path / "out" / "split.tsv",), "overwrite": True}
    with pytest.raises(InputError, match=r"split\.tsv lies in the output folder"):
        divide(tmp_path / "out", **own)
    with pytest.raises(InputError, match=r"--input: .*t\.tsv is given twice"):
        divide(tmp_path / "new", **(pairs | {"input": pairs["input"] * 2}))


def test_labels_at_which_a_training_stops_are_named_with_their_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(text, f"{k}.5") for k, text in enumerate(random_sequences(24, seed=2))]
    write_rows(tmp_path / "a.tsv", "sequence label", rows[:12])
    write_rows(tmp_path / "b.tsv", "sequence label", [*rows[12:-1], (rows[-1][0], "4.2 nM")])
    with caplog.at_level("WARNING"):
        split(
            SplitConfig(
                input=(tmp_path / "a.tsv", tmp_path / "b.tsv"), out=tmp_path / "out", kind="random"
            )
        )
    assert f"'4.2 nM' ({tmp_path / 'b.tsv'}:13)" in caplog.text


def test_a_table_without_labels_is_split_but_not_called_ready_to_train(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(text, k) for k, text in enumerate(random_sequences(24, seed=2))]
    table = write_rows(tmp_path / "a.tsv", "sequence target", rows)
    options: dict[str, Any] = {"input": (table,), "kind": "random", "overwrite": True}
    with caplog.at_level("WARNING"):
        result = split(SplitConfig(out=tmp_path / "out", **options))
    assert result.tasks == ()
    assert "no column label" in caplog.text
    assert "--label-column" in caplog.text
    result = split(SplitConfig(out=tmp_path / "out", label_column="target", **options))
    assert result.tasks != ()
