"""`peftide data get` from a server on this machine."""

import hashlib
import json
import lzma
import re
from pathlib import Path

import pandas as pd
import pytest

import peftide
from peftide.commands.data import DataResult
from peftide.config import DataConfig
from peftide.databases.benchmarks import BENCHMARKS, Benchmark, build_gold, rows_digest
from peftide.errors import HubError, InputError
from tests.databases.conftest import Files, files
from tests.databases.published import FILES, FOLDERS

__all__ = ["files"]
PAGE = Path(__file__).parents[2] / "docs/results/data.md"
COMMIT = "c" * 40
SEQUENCES = {"A": "MKV", "B": "MLLS", "C": "MQIF"}
PAIRS = {"train": ("A B\n", "A A\n"), "valid": ("B B\n", "B A\n"), "test": ("C C\n", "C B\n")}
BLOCKS = {"train": "Intra1", "valid": "Intra0", "test": "Intra2"}


@pytest.fixture
def served(files: Files, monkeypatch: pytest.MonkeyPatch) -> Files:
    """A server with a benchmark of six pairs."""
    digests = {"sequences.fasta": rows_digest(list(SEQUENCES.items()))}
    content = {}
    for part, (positive, negative) in PAIRS.items():
        block = BLOCKS[part]
        content[f"data/raw/bernett/{block}_pos_rr.txt"] = positive
        content[f"data/raw/bernett/{block}_neg_rr.txt"] = negative
        table = "".join(f"{name}\t{text}\n" for name, text in SEQUENCES.items())
        content[f"data/processed/bernett/{block}_dictionary.tsv"] = table
        digests[f"{part}.tsv"] = rows_digest(
            [(*positive.split(), "1", part), (*negative.split(), "0", part)]
        )
    benchmark = Benchmark(
        about="six pairs",
        licence="CC0",
        repository="lab/six",
        commit=COMMIT,
        size_bytes=200,
        paths=tuple(content),
        build=build_gold,
        digests=digests,
        training=("--train", "train.tsv"),
    )
    monkeypatch.setitem(BENCHMARKS, "six", benchmark)
    files.content = {f"m/lab/six/{COMMIT}/{path}": t.encode() for path, t in content.items()}
    return files


def get(files: Files, name: str | None = "six", *, overwrite: bool = False) -> DataResult:
    config = DataConfig(
        source="get", name=name, mirror=f"{files.address}/m", out=Path("out"), overwrite=overwrite
    )
    return peftide.data(config)


def test_a_benchmark_is_downloaded_checked_and_recorded(served: Files) -> None:
    result = get(served)
    assert result.path == Path("out/train.tsv")
    assert result.path.read_text() == "id_a\tid_b\tlabel\tsplit\nA\tB\t1\ttrain\nA\tA\t0\ttrain\n"
    assert Path("out/sequences.fasta").read_text() == ">A\nMKV\n>B\nMLLS\n>C\nMQIF\n"
    record = json.loads(Path("out/run.json").read_text())
    assert record["licence"] == "CC0"
    assert record["commit"] == COMMIT
    assert record["urls"] == [f"{served.address}/{path}" for path in served.asked]
    assert record["files"] == {"train.tsv": 2, "valid.tsv": 2, "test.tsv": 2, "sequences.fasta": 3}
    assert record["data"] == {
        path.partition(f"{COMMIT}/")[2]: hashlib.sha256(content).hexdigest()
        for path, content in served.content.items()
    }
    assert {path.name for path in Path("out").iterdir()} == {*record["files"], "run.json"}


@pytest.mark.parametrize("wrong", ["half", "page", "busy", "half gzip"])
def test_a_second_call_takes_what_the_first_has_downloaded(served: Files, wrong: str) -> None:
    paths = list(served.content)
    served.wrong[paths[4]] = wrong
    with pytest.raises(HubError, match=paths[4]):
        get(served)
    assert {path.name for path in Path("out").iterdir()} == {".peftide-data"}
    served.wrong.clear()
    served.asked.clear()
    get(served)
    assert served.asked == paths[4:]
    assert {".peftide-data"}.isdisjoint(path.name for path in Path("out").iterdir())


def test_files_of_another_benchmark_are_not_taken(
    served: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = list(served.content)
    served.wrong[paths[-1]] = "busy"
    with pytest.raises(HubError):
        get(served)
    monkeypatch.setitem(BENCHMARKS, "other", BENCHMARKS["six"])
    served.wrong.clear()
    served.asked.clear()
    get(served, "other")
    assert served.asked == paths


@pytest.mark.parametrize("content", [b"A C\n", b"A B C\n", b"\xff\x00", b""])
def test_wrong_content_is_refused_and_nothing_is_kept(served: Files, content: bytes) -> None:
    path = f"m/lab/six/{COMMIT}/data/raw/bernett/Intra1_pos_rr.txt"
    right = served.content[path]
    served.content[path] = content
    with pytest.raises(HubError, match="expected .*The source has changed, or the download is dam"):
        get(served)
    assert not Path("out").exists()
    served.content[path] = right
    served.asked.clear()
    get(served)
    assert len(served.asked) == len(served.content)


def test_a_missing_file_leaves_no_output(served: Files) -> None:
    served.content.pop(next(iter(served.content)))
    with pytest.raises(HubError, match="there is no file .*404"):
        get(served)
    assert not Path("out").exists()


def test_an_existing_output_is_replaced_only_on_request(served: Files) -> None:
    get(served)
    Path("out/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="out exists"):
        get(served)
    Path("links.txt").write_text("protein1 protein2 combined_score\n1.A 1.B 900\n")
    string = DataConfig(source="string", input=(Path("links.txt"),), out=Path("out"))
    with pytest.raises(InputError, match="out exists"):
        peftide.data(string)
    config = DataConfig(
        source="string", input=(Path("links.txt"),), out=Path("out"), overwrite=True
    )
    peftide.data(config)
    left = {"table.tsv", "ids.txt", "run.json", "mine.txt"}
    assert {path.name for path in Path("out").iterdir()} == left
    Path("out/sequences.fasta").write_text(">1.A\nMK\n")
    peftide.data(config)  # keeps what the user put beside its table
    assert Path("out/sequences.fasta").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "NAME is missing. Known: ppi_yeast"),
        ({"name": "ppi_yaest"}, "Did you mean ppi_yeast"),
        ({"name": "ppi_yeast", "mirror": "ftp://x"}, "--mirror: received 'ftp://x'; expected an"),
        ({"name": "ppi_yeast", "taxon": 9606}, "--taxon: the source get does not read it"),
        ({"name": "ppi_yeast", "input": (Path("x"),)}, "--input: the source get does not read it"),
        ({"source": "string", "input": (Path("x"),), "mirror": "http://x"}, "--mirror: the source"),
        (
            {"source": "string", "name": "links.txt"},
            "--input is missing(.|\n)*name files with --in",
        ),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        peftide.data(DataConfig(**({"source": "get", "out": Path("out")} | options)))  # type: ignore[arg-type]
    assert not Path("out").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_public_benchmark_has_the_published_checksums(
    files: Files, name: str, data: Path
) -> None:
    one = BENCHMARKS[name]
    start = f"m/{one.repository}/{one.commit}/"
    files.content = {start + path: content for path, content in FILES[name](data).items()}
    result = get(files, name)
    published = set(re.findall(r"^([0-9a-f]{64})  (\S+)$", PAGE.read_text(), re.M))
    for path in result.files:
        where = f"{FOLDERS[name]}/{path.name}"
        content = path.read_bytes()
        if path.suffix == ".xz":
            where, content = where.removesuffix(".xz"), lzma.decompress(content)
        assert (hashlib.sha256(content).hexdigest(), where) in published
    assert isinstance(result.table, pd.DataFrame)
