"""The audit of files, from the options to the JSON."""

import json
from pathlib import Path

import pytest

from peftide.auditing import audit_training
from peftide.commands.audit import audit
from peftide.config import AuditConfig, TrainConfig
from peftide.errors import InputError
from peftide.splitting.training_data import read_training_data
from peftide.tasks import TASKS
from tests.conftest import write_proteins, write_rows
from tests.similarity.conftest import random_proteins, relatives

OLD, NEW = random_proteins(6, length=120), random_proteins(4, length=120, seed=9)
COUSIN = relatives(OLD[:1], changed=0.5)[0]
TRAIN = [("p0", "p1", 1), ("p2", "p3", 0), ("p4", "p5", 1), ("p0", "p3", 0)]
CLEAN = [("p6", "p7", 1), ("p8", "p9", 0)]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A clean split of pairs with its sequences; p10 is a relative of p0."""
    write_proteins(tmp_path / "p.fasta", [*OLD, *NEW, COUSIN])
    write_rows(tmp_path / "train.tsv", "id_a id_b label", TRAIN)
    write_rows(tmp_path / "test.tsv", "id_a id_b label", CLEAN)
    return tmp_path


def config(files: Path, **changes: object) -> AuditConfig:
    options = {
        "train": files / "train.tsv",
        "test": (str(files / "test.tsv"),),
        "sequences": files / "p.fasta",
        "similarity": "pyopal",
        "threads": 1,
    }
    return AuditConfig(**(options | changes))  # type: ignore[arg-type]


def severities(result: object) -> dict[tuple[str, str], str]:
    return {(v.part, v.kind): v.severity for v in result.verdicts}  # type: ignore[attr-defined]


def test_a_clean_split(files: Path):
    result = audit(config(files))
    assert not result.leaks
    found = severities(result)
    assert found["test", "shared_proteins"] == "ok"
    assert found["test", "similar_proteins"] == "ok"


def test_what_training_refuses_is_reported(files: Path):
    write_rows(
        files / "test.tsv",
        "id_a id_b label",
        [*CLEAN, ("p0", "p1", 0), ("p1", "p0", 1), ("p10", "p6", 1), ("p6", "absent", 1)],
    )
    result = audit(config(files))
    found = severities(result)
    assert found["test", "shared_proteins"] == "leak"
    assert found["test", "shared_rows"] == "leak"
    assert found["test", "similar_proteins"] == "leak"
    assert found["test", "contradictory_labels"] == "warning"
    assert found["test", "missing_sequences"] == "warning"
    assert {verdict.kind for verdict in result.leaks} == {
        "shared_proteins",
        "shared_rows",
        "similar_proteins",
    }


@pytest.mark.parametrize("odd", ["4.2 nM", "0x1F", "1e400", "2024-03-01", "O.5"])
def test_an_odd_label_among_numbers_is_named_and_makes_no_classes(tmp_path: Path, odd: str):
    labels = [*(str(k / 7) for k in range(23)), odd, *(str(9 + k / 7) for k in range(8))]
    parts = ["train"] * 24 + ["test"] * 8
    sequences = random_proteins(32, length=20)
    rows = list(zip(sequences, labels, parts, strict=True))
    write_rows(tmp_path / "t.tsv", "sequence label split", rows)
    result = audit(AuditConfig(data=tmp_path / "t.tsv", similarity="none"))
    found = severities(result)
    assert found["train", "doubtful_labels"] == "note"
    assert ("test", "label_shift") not in found
    (said,) = [verdict.text for verdict in result.verdicts if verdict.kind == "doubtful_labels"]
    assert "t.tsv:25" in said
    assert not said.startswith("1 ")  # all labels are in doubt, not one


def test_classes_that_differ_in_spelling_are_named(tmp_path: Path):
    rows = [
        (text, label)
        for text, label in zip(
            random_proteins(9), ["Aa", "aa", *["B", "Aa"] * 3, "aa"], strict=True
        )
    ]
    write_rows(tmp_path / "t.tsv", "sequence label", rows)
    result = audit(AuditConfig(train=tmp_path / "t.tsv", similarity="none"))
    (found,) = [verdict for verdict in result.verdicts if verdict.kind == "similar_classes"]
    assert "'Aa' (4) / 'aa' (2)" in found.text


def test_everything_is_in_the_json(files: Path):
    write_rows(files / "test.tsv", "id_a id_b label", [*CLEAN, ("p10", "p6", 1)])
    result = audit(config(files, out=files / "audit.json"))
    record = json.loads((files / "audit.json").read_text())
    assert record == {"command": "audit"} | json.loads(json.dumps(result.record()))
    assert record["format_version"] == 1
    assert record["counts"]["leak"] == len(result.leaks) == 1
    assert sum(record["counts"].values()) == len(record["verdicts"])
    assert record["parts"]["test"]["proteins"] == 5
    assert record["similarity"]["tool"].startswith("pyopal")
    (best,) = record["similarity"]["best"]
    assert (best["id"], best["train_id"]) == ("p10", "p0")
    assert 0.45 < best["identity_fraction"] < 0.65
    with pytest.raises(InputError, match="exists"):
        audit(config(files, out=files / "audit.json"))
    audit(config(files, out=files / "audit.json", overwrite=True))


@pytest.mark.parametrize(
    ("choice", "severity", "advice"),
    [
        ("exclude", "note", "peftide left them out of training and scores"),
        ("keep", "warning", "Leave them out of scores"),
    ],
)
def test_self_pairs_that_a_training_left_out_are_a_note(
    files: Path, choice: str, severity: str, advice: str
):
    write_rows(files / "train.tsv", "id_a id_b label", [*TRAIN, ("p1", "p1", 1), ("p4", "p4", 1)])
    options = {"train": files / "train.tsv", "test": (str(files / "test.tsv"),), "task": "ppi"}
    options |= {"sequences": files / "p.fasta", "self_pairs": choice}
    dataset = read_training_data(TrainConfig(out=files / "run", **options), TASKS["ppi"].level)
    result = audit_training(dataset, pairs=True, max_length=None)
    found = {(v.part, v.kind): v for v in result.verdicts}["train", "self_pairs"]
    assert (found.severity, found.numbers["count"]) == (severity, 2)
    assert found.advice.startswith(advice)
    assert severities(audit(config(files, similarity="none")))["train", "self_pairs"] == "warning"


def test_similarity_can_be_left_out(files: Path):
    result = audit(config(files, similarity="none"))
    assert result.kinship is None
    assert result.record()["similarity"] is None
    assert ("test", "similar_proteins") not in severities(result)


def test_one_table_with_a_split_column(tmp_path: Path):
    rows = [(OLD[0], "C2", "train"), (OLD[1], "C3", "train"), (COUSIN, "C2", "valid")]
    rows += [(OLD[1], "C3", "test_fold")]
    write_rows(tmp_path / "t.tsv", "sequence label split", rows)
    result = audit(AuditConfig(data=tmp_path / "t.tsv", similarity="pyopal", threads=1))
    found = severities(result)
    assert list(result.subject.dataset.parts) == ["train", "validation", "test_fold"]
    assert found["validation", "similar_proteins"] == "leak"
    assert found["test_fold", "shared_rows"] == "leak"
    assert found["validation", "shared_proteins"] == "ok"


def test_train_alone(files: Path):
    result = audit(config(files, test=()))
    assert not result.leaks
    assert {verdict.part for verdict in result.verdicts} == {"train", "sequences"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": None}, "no training table"),
        ({"train": Path("nowhere.tsv")}, "nowhere.tsv: no such file"),
        ({"identity": 30.0}, "--identity: received 30"),
        ({"coverage": float("nan")}, "--coverage: received nan"),
        ({"max_length": 0}, "--max-length: received 0"),
        ({"sequences": None}, "--sequences"),
    ],
)
def test_wrong_options(files: Path, changes: dict[str, object], message: str):
    with pytest.raises(InputError) as caught:
        audit(config(files, **changes))
    assert message in str(caught.value)


def test_an_unknown_part_is_named(tmp_path: Path):
    write_rows(tmp_path / "t.tsv", "sequence label split", [("MA", 1, "trian"), ("MC", 0, "test")])
    with pytest.raises(InputError, match=r"column split says 'trian'. Did you mean train\?"):
        audit(AuditConfig(data=tmp_path / "t.tsv"))


def test_mmseqs_asked_for_and_absent(files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="not on the PATH"):
        audit(config(files, similarity="mmseqs"))


@pytest.mark.slow
def test_the_gold_standard(data: Path):
    gold = data / "ppi_gold"
    result = audit(
        AuditConfig(
            train=gold / "train.tsv",
            validation=gold / "valid.tsv",
            test=(str(gold / "test.tsv"),),
            sequences=gold / "sequences.fasta",
            similarity="none",
        )
    )
    assert not result.leaks
    numbers = {(v.part, v.kind): v.numbers for v in result.verdicts}
    # published with the data set: no shared protein, and what was counted beside it
    assert [numbers[p, "negatives_only"]["count"] for p in result.subject.dataset.parts] == [
        43,
        83,
        74,
    ]
    assert numbers["train", "crops"]["count"] == 878
    assert numbers["test", "degree_alone"]["average_precision"] == pytest.approx(0.5, abs=1e-6)
