"""What a user gets for input that is wrong: one message, exit code 2, and nothing written."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from peftide import bundle, files
from peftide.cli import main
from tests.conftest import TINY, labelled_rows, random_sequences, write_proteins, write_rows

Trained = Callable[[str, str], Path]
SEQUENCES = random_sequences(7, seed=3)
QUICK = f"--backbone {TINY} --epochs 1 --threads 1 --device cpu --precision fp32"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with sound tables and sequences, for a case to break one of them."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_proteins(folder / "p.fasta", SEQUENCES)
    write_rows(
        folder / "t.tsv",
        "id_a id_b label",
        [("p0", "p1", 1), ("p1", "p2", 0), ("p2", "p3", 1), ("p3", "p0", 0)],
    )
    write_rows(folder / "v.tsv", "id_a id_b label", [("p4", "p5", 1), ("p4", "p6", 0)])
    single = [(f"s{k}", text, k % 2) for k, text in enumerate(SEQUENCES[:4])]
    write_rows(folder / "s.tsv", "id sequence label", single)
    return folder


def train_words(options: str) -> list[str]:
    return f"train --out run {QUICK} {options}".split()


PAIRS = "--task ppi --train in/t.tsv --validation in/v.tsv --sequences in/p.fasta --method head"
SINGLES = "--task regression --train in/s.tsv --method head"


def table(text: str) -> Callable[[Path], None]:
    return lambda folder: put(folder / "t.tsv", text.encode())


def single(text: str) -> Callable[[Path], None]:
    return lambda folder: put(folder / "s.tsv", text.encode())


def fasta(text: str) -> Callable[[Path], None]:
    return lambda folder: put(folder / "p.fasta", text.encode())


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def nothing(_: Path) -> None:
    """Break no file: the words of the command are what is wrong."""


CASES = {
    "empty table": (table(""), PAIRS, ["in/t.tsv", "empty"]),
    "table with a header only": (table("id_a\tid_b\tlabel\n"), PAIRS, ["in/t.tsv", "no rows"]),
    "empty FASTA": (fasta(""), PAIRS, ["in/p.fasta", "empty"]),
    "no such table": (nothing, PAIRS.replace("t.tsv", "tt.tsv"), ["in/tt.tsv", "no such file"]),
    "id twice under two sequences": (
        fasta(">p0\nMKV\n>p1\nMKL\n>p0\nMKW\n"),
        PAIRS,
        ["in/p.fasta:5", "p0", "a different sequence", "line 1"],
    ),
    "wrong column name": (
        table("id_a\tid_b\tlable\np0\tp1\t1\n"),
        PAIRS,
        ["in/t.tsv", "label", "--label-column", "Did you mean lable"],
    ),
    "label column named, but not there": (
        nothing,
        f"{PAIRS} --label-column y",
        ["in/t.tsv", "no column y"],
    ),
    "label maybe": (
        table("id_a\tid_b\tlabel\np0\tp1\t1\np1\tp2\tmaybe\n"),
        PAIRS,
        ["in/t.tsv:3", "maybe"],
    ),
    "a value that is none": (
        single("id\tsequence\tlabel\na\tMKV\t1\nb\tMKL\thigh\n"),
        SINGLES,
        ["in/s.tsv:3", "high"],
    ),
    "an unknown symmetry": (
        single("id\tsequence\tlabel\na\tMKV\tC1\nb\tMKL\tX9\n"),
        SINGLES.replace("regression", "symmetry"),
        ["in/s.tsv:3", "X9", "--class-map"],
    ),
    "residue labels too short": (
        single("id\tsequence\tlabel\na\tMKV\tHHE\nb\tMKLA\tHH\n"),
        SINGLES.replace("regression", "residue"),
        ["in/s.tsv:3", "2 characters", "4 residues"],
    ),
    "sequence with digits": (
        fasta(">p0\nMKV12\n>p1\nMKL\n"),
        PAIRS,
        ["in/p.fasta:2", "p0", "'1'", "numbers"],
    ),
    "sequence with digits in a table": (
        single("id\tsequence\tlabel\na\tMKV\t1\nb\tMK7\t2\n"),
        SINGLES,
        ["in/s.tsv:3", "b", "'7'"],
    ),
    "empty sequence": (fasta(">p0\n\n>p1\nMKL\n"), PAIRS, ["in/p.fasta:1", "p0", "empty"]),
    "empty sequence in a table": (
        single("id\tsequence\tlabel\na\tMKV\t1\nb\t\t2\n"),
        SINGLES,
        ["in/s.tsv:3", "empty"],
    ),
    "ragged row": (
        table("id_a\tid_b\tlabel\np0\tp1\t1\np1\tp2\n"),
        PAIRS,
        ["in/t.tsv:3", "3 cells", "2"],
    ),
    "binary file": (
        lambda folder: put(folder / "t.tsv", b"\x89PNG\r\n\x00\x01\x02"),
        PAIRS,
        ["in/t.tsv", "not a text file"],
    ),
    "Excel workbook": (
        lambda folder: put(folder / "t.tsv", b"PK\x03\x04\x00\x00"),
        PAIRS,
        ["in/t.tsv", "Excel"],
    ),
    "pair whose id is missing": (
        table("id_a\tid_b\tlabel\np0\tp1\t1\np1\tp99\t0\n"),
        PAIRS,
        ["in/t.tsv:3", "p99", "in/p.fasta", "--missing drop"],
    ),
    "pairs without sequences": (
        nothing,
        PAIRS.replace("--sequences in/p.fasta", ""),
        ["in/t.tsv", "--sequences"],
    ),
    "one class only": (
        table("id_a\tid_b\tlabel\np0\tp1\t1\np1\tp2\t1\n"),
        PAIRS,
        ["in/t.tsv", "2 training labels are 1"],
    ),
    "one class only in validation": (
        lambda folder: put(folder / "v.tsv", b"id_a\tid_b\tlabel\np4\tp5\t1\n"),
        PAIRS,
        ["validation"],
    ),
    "one value only in validation": (
        lambda folder: put(folder / "v.tsv", b"id\tsequence\tlabel\nx\tMKVAAA\t1\n"),
        f"{SINGLES} --validation in/v.tsv",
        ["validation"],
    ),
    "all values equal": (
        single("id\tsequence\tlabel\na\tMKV\t1\nb\tMKL\t1\nc\tMKW\t1\n"),
        SINGLES,
        ["equal"],
    ),
    "test protein in train": (
        nothing,
        f"{PAIRS} --test in/t.tsv",
        ["p0", "in/t.tsv:2", "--shared-proteins"],
    ),
    "no train table": (nothing, f"{PAIRS} --train none", ["--train", "--data"]),
    "two tests of one name": (
        nothing,
        f"{PAIRS} --test in/v.tsv --test in/t.tsv",
        ["test", "NAME=FILE"],
    ),
    "backbone that cannot be had": (
        nothing,
        f"{PAIRS} --offline --backbone facebook/esm2_t33_650M_UR50D",
        ["facebook/esm2_t33_650M_UR50D", "--offline", "hf download"],
    ),
    "backbone folder without weights": (nothing, f"{PAIRS} --backbone in", ["in", "config.json"]),
    "unknown alias": (
        nothing,
        f"{PAIRS} --backbone random:esm2_t6_8N",
        ["Did you mean esm2_t6_8M"],
    ),
    "unknown backbone": (nothing, f"{PAIRS} --backbone esm2_t6_8N", ["Did you mean esm2_t6_8M"]),
    "unknown task": (nothing, PAIRS.replace("ppi", "ppj"), ["--task", "Did you mean ppi"]),
    "unknown method": (nothing, f"{PAIRS} --method lorra", ["--method", "Did you mean lora"]),
    "option of another method": (
        nothing,
        f"{PAIRS} --method ia3 --lora-r 4",
        ["--lora-r", "--method ia3 does not read it"],
    ),
    "rank above the width": (
        nothing,
        f"{PAIRS} --method pissa --lora-r 64",
        ["--lora-r", "at most 32"],
    ),
    "layer out of range": (
        nothing,
        f"{PAIRS} --method lora --lora-layers 7",
        ["--lora-layers", "0 to 1"],
    ),
    "layer form": (nothing, f"{PAIRS} --method lora --lora-layers top", ["--lora-layers", "top"]),
    "unknown target": (
        nothing,
        f"{PAIRS} --method lora --lora-targets kee",
        ["--lora-targets", "Did you mean key"],
    ),
    "targets that are none": (
        nothing,
        f"{PAIRS} --method lora --lora-targets=",
        ["--lora-targets: received nothing. Known: query, key, value, output"],
    ),
    "a pattern for everything": (
        nothing,
        f"{PAIRS} --method lora --lora-targets .*",
        ["--lora-targets: received .*. Known: query, key, value, output,", "(several with commas)"],
    ),
    "more layers than there are": (
        nothing,
        f"{PAIRS} --method last_k --lora-layers last:3",
        ["--lora-layers: received last:3, but the backbone has the layers 0 to 1"],
    ),
    "a decoder": (
        lambda folder: put(folder / "config.json", b'{"model_type": "gpt2"}'),
        f"{PAIRS} --backbone in",
        ["--backbone: in holds a model of type 'gpt2'", "one of esm, bert, ", "an encoder"],
    ),
    "a mask of another length": (
        single("sequence\tlabel\tmask\nMKV\tHEH\t111\nMKL\tHHE\t11\n"),
        SINGLES.replace("regression", "residue"),
        ["in/s.tsv:3: mask of 2 characters for a sequence of 3 residues"],
    ),
    "nothing left by the masks": (
        single("sequence\tlabel\tmask\nMKV\tHEH\t000\nMKL\tHHE\t000\n"),
        SINGLES.replace("regression", "residue"),
        ["in/s.tsv: no training label counts: all are masked or left out"],
    ),
    "unknown option value": (
        nothing,
        f"{PAIRS} --precision fp23",
        ["--precision", "fp23", "fp32"],
    ),
    "number of the wrong kind": (
        nothing,
        f"{PAIRS} --epochs many",
        ["--epochs", "many", "a whole number"],
    ),
    "several wrong numbers": (nothing, f"{PAIRS} --epochs x --seed y", ["--epochs", "--seed"]),
    "no epoch": (nothing, f"{PAIRS} --epochs 0", ["--epochs", "1 or more"]),
    "no patience": (nothing, f"{PAIRS} --patience 0", ["--patience", "1 or more"]),
    "negative seed": (nothing, f"{PAIRS} --seed -1", ["--seed", "0 or more"]),
    "negative learning rate": (nothing, f"{PAIRS} --learning-rate -1", ["--learning-rate"]),
    "learning rate that is no number": (
        nothing,
        f"{PAIRS} --head-learning-rate nan",
        ["--head-learning-rate"],
    ),
    "no gradient": (nothing, f"{PAIRS} --max-grad-norm 0", ["--max-grad-norm"]),
    "no thread": (nothing, f"{PAIRS} --threads 0", ["--threads", "1 or more"]),
    "no length": (nothing, f"{PAIRS} --max-length 0", ["--max-length"]),
    "no budget": (nothing, f"{PAIRS} --max-tokens 0", ["--max-tokens"]),
    "unknown device": (nothing, f"{PAIRS} --device gpu", ["--device", "gpu"]),
    "imbalance of values": (nothing, f"{SINGLES} --imbalance weights", ["--imbalance"]),
    "pairs for a task on sequences": (
        nothing,
        PAIRS.replace("ppi", "regression"),
        ["in/t.tsv", "pairs", "single"],
    ),
    "word for a value": (
        single("id\tsequence\tlabel\na\tMKV\t1.5\nb\tMKL\thigh\n"),
        SINGLES,
        ["in/s.tsv:3: label 'high' is not a finite number"],
    ),
    "three labels of a yes or no": (
        single("sequence\tlabel\nMKV\t1\nMKL\t0\nMKI\t2\n"),
        SINGLES.replace("regression", "binary"),
        ["in/s.tsv:4: label '2' is neither 1 nor 0"],
    ),
    "no class in a cell of sets": (
        single("sequence\tlabel\nMKV\ta;b\nMKL\t\n"),
        SINGLES.replace("regression", "multilabel"),
        ["in/s.tsv:3: the label is empty: fill it in (`none` is an empty set of classes)"],
    ),
    "one class of several": (
        single("sequence\tlabel\nMKV\ta\nMKL\ta\nMKI\ta\n"),
        SINGLES.replace("--task regression", ""),
        ["in/s.tsv: the training labels have one class only (a)"],
    ),
    "classes or values": (
        single("sequence\tlabel\n" + "MKV\t1\nMKL\t2\nMKI\t3\n" * 3),
        SINGLES.replace("--task regression", ""),
        ["in/s.tsv: the labels are whole numbers from 1 to 3", "--task multiclass or --task regr"],
    ),
    "no table to read the task off": (nothing, "--method head", ["no training table"]),
    "test part with a strange name": (
        nothing,
        f"{PAIRS} --test a/b=in/v.tsv",
        ["--test: a test part named a/b", "NAME=FILE"],
    ),
    "test parts of one name": (
        nothing,
        f"{PAIRS} --test in/v.tsv --test in/v.tsv",
        ["two parts named test", "NAME=FILE"],
    ),
    "too few rows to hold validation out": (
        single("id\tsequence\tlabel\na\tMKV\t1\n"),
        SINGLES,
        ["in/s.tsv"],
    ),
    "nothing to resume": (nothing, "--resume", ["--resume: run holds no run"]),
    "unknown key in the YAML": (
        lambda folder: put(folder / "c.yaml", b"lora_rank: 4\n"),
        f"{PAIRS} --config in/c.yaml",
        ["in/c.yaml", "lora_rank", "Did you mean lora_"],
    ),
    "underscored number in the YAML": (
        lambda folder: put(folder / "c.yaml", b"seed: 2024_06_30\n"),
        f"{PAIRS} --config in/c.yaml",
        ["in/c.yaml: --seed: received '2024_06_30'; expected a whole number"],
    ),
    "class map that is none": (
        lambda folder: put(folder / "m.tsv", b"a,b\n"),
        f"{SINGLES.replace('regression', 'symmetry')} --class-map in/m.tsv",
        ["in/m.tsv"],
    ),
}


def one_message(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only message on standard error; notes and progress lines are none."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.count("error:") == 1
    return captured.err[captured.err.index("error:") :]


@pytest.mark.parametrize("name", CASES)
def test_wrong_input_to_train(
    inputs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    breaks, options, expected = CASES[name]
    breaks(inputs)
    before = {path: path.read_bytes() for path in inputs.iterdir()}
    assert main(train_words(options)) == 2
    message = one_message(capsys)
    assert message.startswith("error: ")
    for part in expected:
        assert part in message, message
    assert not (tmp_path / "run").exists()
    assert {path: path.read_bytes() for path in inputs.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_method_that_the_architecture_cannot_take(
    inputs: Path, capsys: pytest.CaptureFixture[str], ankh_folder: Path
) -> None:
    assert main(train_words(f"{PAIRS} --method bias --backbone {ankh_folder}")) == 2
    expected = f"--method: the layers of {ankh_folder} have no biases. Choose another method"
    assert expected in one_message(capsys)
    assert not (inputs.parent / "run").exists()


def test_a_run_folder_that_exists_stays(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs.parent / "run").mkdir()
    (inputs.parent / "run" / "notes.txt").write_text("mine")
    assert main(train_words(PAIRS)) == 2
    assert "error: --out: run exists" in one_message(capsys)
    assert main([*train_words(PAIRS), "--overwrite"]) == 2
    assert "not written by `peftide train`" in one_message(capsys)
    assert [path.name for path in (inputs.parent / "run").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("command", ["predict", "evaluate", "embed"])
def test_a_changed_model_is_refused_by_every_command(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    shutil.copytree(trained("regression", "lora"), tmp_path / "copy")
    path = tmp_path / "copy" / "model" / "adapter" / "adapter_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    write_rows(tmp_path / "x.tsv", "id sequence label", [("a", "MKVLA", 1), ("b", "MKWWA", 2)])
    write_proteins(tmp_path / "x.fasta", ["MKV"])
    words = {
        "predict": "predict copy --input x.tsv --out out.tsv",
        "evaluate": "evaluate copy --input x.tsv --out out",
        "embed": "embed --run copy --sequences x.fasta --out out.h5",
    }
    assert main(words[command].split()) == 2
    message = one_message(capsys)
    assert "adapter_model.safetensors" in message
    assert "changed" in message
    assert sorted(found.name for found in tmp_path.iterdir()) == ["copy", "x.fasta", "x.tsv"]


USING_CASES = {
    "no run": ("predict absent --input x.tsv --out out", ["absent"]),
    "run of another kind": ("predict . --input x.tsv --out out", ["bundle.json"]),
    "no such table": ("predict RUN --input y.tsv --out out", ["y.tsv", "no such file"]),
    "pairs for single sequences": ("predict RUN --input pairs.tsv --out out", ["pairs"]),
    "output that exists": ("predict RUN --input bare.tsv --out x.tsv", ["x.tsv exists"]),
    "evaluation without labels": ("evaluate RUN --input bare.tsv --out out", ["label"]),
    "evaluation of a wrong label": ("evaluate RUN --input wrong.tsv --out out", ["wrong.tsv:2"]),
    "evaluation of trained proteins": (
        "evaluate RUN --input TRAIN --out out",
        ["train0", "--shared-proteins"],
    ),
    "no such part": ("evaluate RUN --input split.tsv --part validation --out out", ["--part"]),
    "no split column": ("evaluate RUN --input x.tsv --part test --out out", ["split"]),
    "embedding without sequences": ("embed --out out.h5", ["--sequences"]),
    "unknown format": ("embed --sequences x.fasta --out out.npy", ["out.npy", ".h5"]),
    "residues to parquet": (
        "embed --sequences x.fasta --per-residue --out out.parquet",
        [".parquet", ".h5"],
    ),
}


@pytest.mark.parametrize("name", USING_CASES)
def test_wrong_input_to_the_other_commands(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run = trained("regression", "head")
    write_rows(tmp_path / "x.tsv", "id sequence label", [("a", "MKVLA", 1), ("b", "MKWWA", 2)])
    write_rows(tmp_path / "bare.tsv", "id sequence", [("a", "MKVLA")])
    write_rows(tmp_path / "wrong.tsv", "id sequence label", [("a", "MKVLA", "x")])
    write_rows(tmp_path / "split.tsv", "id sequence label split", [("a", "MKVLA", 1, "test")])
    write_rows(tmp_path / "pairs.tsv", "id_a id_b", [("a", "b")])
    write_proteins(tmp_path / "x.fasta", ["MKV"])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words, expected = USING_CASES[name]
    train_table = str(run.parent / "train.tsv")
    words = words.replace("RUN", str(run)).replace("TRAIN", train_table)
    assert main([*words.split(), "--threads", "1"]) == 2
    message = one_message(capsys)
    for part in expected:
        assert part in message, message
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_wrong_label_costs_no_old_result(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("regression", "head")
    write_rows(tmp_path / "x.tsv", "id sequence label", [("a", "MKVLA", 1), ("b", "MKWWA", 2)])
    write_rows(tmp_path / "wrong.tsv", "id sequence label", [("a", "MKVLA", "x")])
    words = f"evaluate {run} --out scores --overwrite --threads 1 --input".split()
    assert main([*words, "x.tsv"]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "scores").iterdir()}
    capsys.readouterr()
    assert main([*words, "wrong.tsv"]) == 2
    assert "wrong.tsv:2" in one_message(capsys)
    assert {path.name: path.read_bytes() for path in (tmp_path / "scores").iterdir()} == before


def test_labels_that_prediction_does_not_need_may_be_of_any_length(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("residue", "head")
    write_rows(tmp_path / "x.tsv", "id sequence label", [("a", "MKVLA", "EE"), ("b", "MKW", "HHH")])
    code = main(f"predict {run} --input x.tsv --out out.tsv --threads 1".split())
    captured = capsys.readouterr()
    if code == 0:
        return
    assert code == 2
    assert "x.tsv:2" in captured.err


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_no_space_while_saving_the_model(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "save_file", full_disk)
    assert main(train_words(PAIRS)) == 1
    message = one_message(capsys)
    assert "no space left" in message
    assert "--resume" in message
    assert not (inputs.parent / "run" / "model").exists()
    assert not [path for path in inputs.parent.rglob("*") if "partial" in path.name]
    monkeypatch.undo()
    monkeypatch.chdir(inputs.parent)
    assert main(["train", "--out", "run", "--resume"]) == 0
    assert (inputs.parent / "run" / "model" / "bundle.json").is_file()


def test_no_space_from_the_first_byte(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.Path, "write_text", full_disk)
    assert main(train_words(PAIRS)) == 1
    assert "no space left" in one_message(capsys)
    assert not [
        path for path in inputs.parent.rglob("*") if path.is_file() and "in/" not in str(path)
    ]


def test_no_space_for_predictions(
    trained: Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = trained("ppi", "head")
    rows = [row[:2] for row in labelled_rows("ppi", "test", 4)]
    write_rows(tmp_path / "x.tsv", "sequence_a sequence_b", rows)
    monkeypatch.setattr("pandas.DataFrame.to_csv", full_disk)
    assert main(f"predict {run} --input x.tsv --out out.tsv --threads 1".split()) == 1
    assert "no space left" in one_message(capsys)
    # the encoded proteins stay, so that the same command goes on from them
    work = ".out.tsv.peftide-predict"
    assert sorted(path.name for path in tmp_path.iterdir()) == [work, "x.tsv"]
    assert any((tmp_path / work / "embedding").iterdir())
