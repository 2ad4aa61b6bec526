import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from peftide.commands.embed import embed
from peftide.config import EmbedConfig
from peftide.encoding import ModelEncoder
from peftide.errors import InputError
from peftide.shards.folder import ShardFolder, open_folder
from tests.conftest import TINY, random_sequences, write_proteins

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32", "shard_size": 6}
SEQUENCES = [*random_sequences(25, seed=6), "M", "ACDXUZB", "M"]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write_proteins(tmp_path / "p.fasta", SEQUENCES)


def into(fasta: Path, name: str, **options: Any) -> EmbedConfig:
    source = {} if "run" in options else {"backbone": TINY}
    return EmbedConfig(sequences=fasta, out=fasta.parent / name, **{**QUICK, **source, **options})


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("number_type", ["float16", "float32"])
@pytest.mark.parametrize("per_residue", [False, True])
def test_a_folder_has_the_vectors_of_a_file(
    fasta: Path, number_type: str, per_residue: bool
) -> None:
    options: dict[str, Any] = {"per_residue": per_residue}
    expected = embed(into(fasta, "e.h5", shard_size=None, **options))
    found = embed(into(fasta, "folder", number_type=number_type, **options))
    assert len(found) == len(SEQUENCES)
    assert found.keys() == expected.keys()
    for name, vector in found.items():
        assert vector.dtype == number_type
        np.testing.assert_allclose(
            vector, expected[name], atol={"float16": 2e-3}.get(number_type, 1e-5)
        )
    assert isinstance(found, ShardFolder)
    assert found.record.shards == 5
    assert tree(found.path) == {"_embeddings.json", *files(found.path)}


def test_the_adapted_backbone_of_a_run_is_used(trained: Trained, fasta: Path) -> None:
    run = trained("regression", "full")
    expected = embed(into(fasta, "e.h5", run=run, shard_size=None))
    found = embed(into(fasta, "folder", run=run, number_type="float32"))
    for name, vector in found.items():
        np.testing.assert_allclose(vector, expected[name], atol=1e-5)


def test_parts_give_the_bytes_of_one_process(fasta: Path) -> None:
    whole = embed(into(fasta, "whole"))
    for part in ("2/3", "0/3", "1/3"):
        found = embed(into(fasta, "parts", shard=part))
    assert isinstance(found, ShardFolder)
    assert found.record.status == "finished"
    assert found.record.rows == len(SEQUENCES) == len(whole)
    assert files(fasta.parent / "parts") == files(fasta.parent / "whole")
    assert tree(fasta.parent / "parts") == tree(fasta.parent / "whole")


def test_a_part_does_not_finish_a_folder(fasta: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        found = embed(into(fasta, "parts", shard="0/2"))
    assert "part 0/2 is done; 2 of 5 shards are still to be made by others" in caplog.text
    assert isinstance(found, ShardFolder)
    assert found.record.status == "unfinished"
    assert sorted(files(found.path)) == [f"shard-0000{k}.parquet" for k in (0, 2, 4)]
    assert (found.path / ".peftide-embed" / "sequences").is_dir()


def test_sequences_sorted_before_are_not_sorted_again(
    fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embed(into(fasta, "parts", prepare=True)) == {}
    monkeypatch.setattr("peftide.commands.embed_folder.sort_sequences", None)
    embed(into(fasta, "parts", shard="0/2"))
    embed(into(fasta, "parts", shard="1/2"))
    assert embed(into(fasta, "parts", shard="1/2"))  # a task that Slurm starts again
    monkeypatch.undo()
    embed(into(fasta, "whole"))
    assert files(fasta.parent / "parts") == files(fasta.parent / "whole")


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_an_interrupted_folder_loses_and_repeats_no_shard(
    fasta: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    whole = embed(into(fasta, "whole", max_tokens=40))
    encode, seen = ModelEncoder.pack, []

    def stopping(encoder: ModelEncoder, sequences: Any) -> Any:
        if len(seen) == stop_at:
            raise KilledError
        seen.append(list(sequences))
        return encode(encoder, sequences)

    with monkeypatch.context() as patch:
        patch.setattr(ModelEncoder, "pack", stopping)
        with pytest.raises(KilledError):
            embed(into(fasta, "other", max_tokens=40))
    there = {path: path.stat().st_mtime_ns for path in (fasta.parent / "other").glob("*.parquet")}
    found = embed(into(fasta, "other", max_tokens=40))
    assert files(fasta.parent / "other") == files(fasta.parent / "whole")
    assert all(path.stat().st_mtime_ns == time for path, time in there.items())
    assert tree(fasta.parent / "other") == tree(fasta.parent / "whole")
    assert len(found) == len(whole)


def test_killed_for_real_it_goes_on(fasta: Path, tmp_path: Path) -> None:
    """`kill -9` as soon as the second shard is there."""
    embed(into(fasta, "whole", shard_size=1))
    words = f"embed --sequences p.fasta --backbone {TINY} --out other --shard-size 1 --threads 1"
    command = [sys.executable, "-m", "peftide", *words.split(), "--precision", "fp32"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not (tmp_path / "other" / "shard-00001.parquet").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = files(tmp_path / "other")
    assert 2 <= len(before) <= 28
    embed(into(fasta, "other", shard_size=1))
    assert files(tmp_path / "other") == files(tmp_path / "whole")
    assert tree(tmp_path / "other") == tree(tmp_path / "whole")


def test_another_model_or_file_is_refused_and_nothing_lost(fasta: Path, esm2_folder: Path) -> None:
    embed(into(fasta, "folder", shard="0/2"))
    before = files(fasta.parent / "folder")
    with pytest.raises(InputError, match=f"another model: backbone {TINY} instead of .*esm2"):
        embed(into(fasta, "folder", shard="1/2", backbone=str(esm2_folder)))
    with pytest.raises(InputError, match="max_length 1022 instead of 9"):
        embed(into(fasta, "folder", max_length=9))
    with pytest.raises(InputError, match="float16 numbers; expected vectors of 32 float32"):
        embed(into(fasta, "folder", number_type="float32"))
    with pytest.raises(InputError, match="--shard-size: received 7; expected 6"):
        embed(into(fasta, "folder", shard_size=7))
    other = write_proteins(fasta.parent / "other.fasta", SEQUENCES[:3])
    with pytest.raises(InputError, match="another file, p.fasta; expected embeddings of .*other"):
        embed(replace(into(fasta, "folder"), sequences=other))
    assert files(fasta.parent / "folder") == before


def test_a_shard_of_another_model_is_refused(fasta: Path) -> None:
    embed(into(fasta, "folder"))
    embed(into(fasta, "cropped", max_length=4))
    stray = fasta.parent / "cropped" / "shard-00003.parquet"
    shutil.copy(stray, fasta.parent / "folder")
    with pytest.raises(InputError, match="shard-00003.parquet: this shard is from another model"):
        embed(into(fasta, "folder", resume=True))


def test_a_finished_folder_stays(fasta: Path, caplog: pytest.LogCaptureFixture) -> None:
    embed(into(fasta, "folder"))
    before = files(fasta.parent / "folder")
    with pytest.raises(InputError, match="holds finished embeddings of these.*pass --resume"):
        embed(into(fasta, "folder"))
    with caplog.at_level("INFO"):
        embed(into(fasta, "folder", resume=True))
    assert "folder is finished" in caplog.text
    assert files(fasta.parent / "folder") == before
    assert not (fasta.parent / "folder" / ".peftide-embed").exists()


def test_a_shard_that_was_removed_or_damaged_is_made_again(fasta: Path) -> None:
    embed(into(fasta, "folder"))
    before = files(fasta.parent / "folder")
    (fasta.parent / "folder" / "shard-00001.parquet").unlink()
    (fasta.parent / "folder" / "shard-00002.parquet").write_bytes(b"PAR1")
    embed(into(fasta, "folder", resume=True))
    assert files(fasta.parent / "folder") == before
    assert tree(fasta.parent / "folder") == {"_embeddings.json", *before}


def test_a_folder_of_something_else_stays(fasta: Path) -> None:
    (fasta.parent / "mine").mkdir()
    (fasta.parent / "mine" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="mine exists and was not written by `peftide embed`"):
        embed(into(fasta, "mine"))
    (fasta.parent / "file").write_text("x")
    with pytest.raises(InputError, match="file is a file; expected a folder"):
        embed(into(fasta, "file"))
    assert tree(fasta.parent) == {"p.fasta", "mine", "mine/notes.txt", "file"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (">a\nMKV\n>b\nMK*V\n", "p.fasta:4: the sequence of b"),
        (">a\nMKV\n>a\nMK\n", "ids with two different sequences: a"),
        ("", "empty"),
    ],
)
def test_a_bad_fasta_file_leaves_nothing(fasta: Path, content: str, message: str) -> None:
    fasta.write_text(content)
    with pytest.raises(InputError, match=message):
        embed(into(fasta, "folder"))
    assert tree(fasta.parent) == {"p.fasta"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "all"}, "--layers: an embedding into a folder does not read it"),
        ({"map": Path("m")}, "--map: an embedding into a folder does not read it"),
        ({"overwrite": True}, "--overwrite: an embedding into a folder does not read it"),
        ({"workers": 2}, "--workers: an embedding without --ray does not read it"),
        ({"ray": "local", "shard": "0/2"}, "--ray: --shard does not read it"),
        ({"prepare": True, "shard": "0/2"}, "--shard: --prepare does not read it"),
        ({"shard": "2/2"}, "--shard: received 2/2"),
        ({"sequences": None}, "expected --sequences"),
        ({"sequences": Path("absent.fasta")}, "absent.fasta: no such file"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    fasta: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        embed(replace(into(fasta, "folder"), **options))
    assert tree(fasta.parent) == {"p.fasta"}


def test_options_of_folders_are_refused_for_files(fasta: Path) -> None:
    config = EmbedConfig(sequences=fasta, out=Path("e.h5"), shard="0/2", number_type="float32")
    with pytest.raises(InputError, match=r"(?s)--number-type: an embedding into a file.*--shard"):
        embed(config)


def test_one_sequence_and_two_ids_of_a_protein(fasta: Path) -> None:
    fasta.write_text(">a\nMKV\n")
    assert list(embed(into(fasta, "one"))) == ["a"]
    fasta.write_text(">a\nMKV\n>b\nmkv\n")
    found = embed(into(fasta, "two"))
    np.testing.assert_array_equal(found["a"], found["b"])


def test_the_numbers_of_cropped_sequences_are_summed_up(fasta: Path) -> None:
    embed(into(fasta, "folder", max_length=15))
    found = {one.kind: one.count for one in open_folder(fasta.parent / "folder").record.findings}
    assert found == {
        "over_long_sequences": sum(len(sequence) > 15 for sequence in SEQUENCES),
    }


def test_two_processes_on_one_part_are_refused(fasta: Path) -> None:
    embed(into(fasta, "folder", prepare=True))
    code = (
        "import sys; from pathlib import Path; from peftide.files import alone_at\n"
        "with alone_at(Path('folder/.peftide-embed/parts/0-of-1'), wait=False):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another process is writing .*folder"):
            embed(into(fasta, "folder"))
        holder.communicate(b"")
    embed(into(fasta, "folder"))


def workers_of(process: int) -> list[psutil.Process]:
    """Return the processes of the workers that a command started through Ray."""
    children = psutil.Process(process).children(recursive=True)
    return [child for child in children if "ray::_Holder" in " ".join(child.cmdline()[:1])]


@pytest.mark.slow
def test_a_killed_ray_worker_costs_no_shard_and_repeats_none(tmp_path: Path) -> None:
    """A worker dies in mid-run; the folder has the bytes of one undisturbed process."""
    pytest.importorskip("ray", reason="pip install 'peftide[ray]'")
    write_proteins(tmp_path / "p.fasta", random_sequences(600, lengths=(20, 60)))
    words = f"embed --sequences p.fasta --backbone {TINY} --shard-size 10 --threads 1"
    command = [sys.executable, "-m", "peftide", *words.split(), "--precision", "fp32", "--out"]
    subprocess.run([*command, "whole"], check=True, capture_output=True)
    with subprocess.Popen(
        [*command, "rayed", "--ray", "local", "--workers", "2"], stderr=subprocess.PIPE, text=True
    ) as process:
        while len(files(tmp_path / "rayed")) < 4:
            assert process.poll() is None
            time.sleep(0.01)
        victim = workers_of(process.pid)[0]
        victim.kill()
        there = {path: path.stat().st_mtime_ns for path in (tmp_path / "rayed").glob("*.parquet")}
        _, said = process.communicate()
    assert process.returncode == 0
    assert "a worker ended at piece" in said
    assert len(there) < 60
    assert files(tmp_path / "rayed") == files(tmp_path / "whole")
    assert tree(tmp_path / "rayed") == tree(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == time for path, time in there.items())


def peak_memory(folder: Path, count: int) -> int:
    """Return the most memory that an embedding of random peptides took, in bytes."""
    write_proteins(folder / "p.fasta", random_sequences(count, lengths=(8, 12)))
    words = f"embed --sequences p.fasta --backbone {TINY} --out {count} --shard-size 500"
    command = [sys.executable, "-m", "peftide", *words.split(), "--threads", "1"]
    # in bf16, oneDNN keeps a kernel for each shape, which is more than the growth looked for
    command += ["--precision", "fp32"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:  # `ru_maxrss` would have the memory of this process too
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            peak = peak if found is None else max(peak, int(found[1]) * 1024)
        time.sleep(0.02)
    assert process.returncode == 0
    return peak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_number_of_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    few, many = peak_memory(tmp_path, 4_000), peak_memory(tmp_path, 100_000)
    assert many < few + 25e6
