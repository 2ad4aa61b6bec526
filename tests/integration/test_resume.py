"""A training killed at any moment goes on as if nothing had been."""

import json
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.adapters import ADAPTERS, READS
from peftide.cli import main
from peftide.commands.train import train
from peftide.config import TrainConfig, to_yaml
from peftide.encoding import ModelEncoder
from peftide.training import loop, setting
from peftide.training.resume import save_point
from tests.conftest import random_sequences, small_config, write_rows

STEPS_PER_EPOCH = 5
PROCESSES = multiprocessing.get_context("forkserver")
# torch and peft are imported once for all
PROCESSES.set_forkserver_preload(["peftide.training.running", "peftide.backbones.esm", "peft"])


def long_config(
    folder: Path, method: str, *, steps: int = STEPS_PER_EPOCH, **changes: Any
) -> TrainConfig:
    """Two epochs of few steps, a resume point after every step, no baselines."""
    options = {"batch_size": 4, "checkpoint_minutes": 0.0, "baselines": ("none",)}
    if "lora_dropout" in READS.get(method, ()):
        options["lora_dropout"] = 0.2
    config = small_config(folder, "regression", method, **(options | changes))
    rows = [
        (f"t{k}", text, k % 5 + len(text) / 9)
        for k, text in enumerate(random_sequences(4 * steps, seed=77))
    ]
    assert config.train is not None
    write_rows(config.train, "id sequence label", rows)
    return config


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_time(path: Path) -> list[str]:
    header, *rows = path.read_text().splitlines()
    column = header.split(",").index("seconds")
    return [",".join(np.delete(row.split(","), column)) for row in rows]


def assert_same_run(found: Path, expected: Path) -> None:
    assert content(found / "model") == content(expected / "model")
    for name in ("predictions.tsv", "metrics.json"):
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name
    assert without_time(found / "history.csv") == without_time(expected / "history.csv")
    assert not (found / "checkpoints").exists()


def train_and_die(words: list[str], saves: int) -> None:
    """Train; kill this process once it has written so many resume points."""

    def save(*arguments: Any, **named: Any) -> None:
        nonlocal saves
        save_point(*arguments, **named)
        saves -= 1
        if not saves:
            signal.raise_signal(signal.SIGKILL)

    loop.save_point = save
    main(words)


def kill_in_mid_epoch(config: TrainConfig, folder: Path) -> int:
    """Start a training in a process of its own that is killed; return its last resume point."""
    (folder / "c.yaml").write_text(to_yaml(config))
    words = ["train", "--config", str(folder / "c.yaml")]
    process = PROCESSES.Process(target=train_and_die, args=(words, STEPS_PER_EPOCH + 3))
    process.start()
    process.join(timeout=300)
    assert process.exitcode == -signal.SIGKILL
    points = sorted((config.out / "checkpoints").glob("step-*"))
    return json.loads((points[-1] / "state.json").read_text())["step"]


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_run_killed_in_mid_epoch_ends_bit_for_bit_like_another(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(
        "peftide.training.running.write_report_if_possible", lambda *_, **_named: None
    )
    config = long_config(tmp_path, method)
    step = kill_in_mid_epoch(config, tmp_path)
    assert 0 < step < 2 * STEPS_PER_EPOCH
    assert step % STEPS_PER_EPOCH != 0
    assert not (config.out / "model").exists()
    assert main(["train", "--resume", "--out", str(config.out)]) == 0
    assert "run folder:" in capsys.readouterr().out
    assert f"after step {step} of " in caplog.text
    # its resume points are few, which must make no difference either
    whole = train(replace(config, out=tmp_path / "whole", checkpoint_minutes=60.0))
    assert_same_run(config.out, whole.path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    config = long_config(tmp_path, "head", epochs=1)
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    saves = 0

    def interrupting_save(*arguments: Any, **named: Any) -> None:
        nonlocal saves
        saves += 1
        save_point(*arguments, **named)
        if saves == 3:
            signal.raise_signal(number)

    before = signal.getsignal(signal.SIGTERM)
    # a shell without job control starts background processes with SIGINT ignored
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(loop, "save_point", interrupting_save)
    assert main(["train", "--config", str(tmp_path / "c.yaml")]) == 130
    monkeypatch.setattr(loop, "save_point", save_point)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "interrupted" in captured.err
    assert "--resume" in captured.err
    assert "Traceback" not in captured.err
    files = content(config.out)
    assert not [name for name in files if "partial" in name or name.startswith("model")]
    assert main(["train", "--resume", "--out", str(config.out)]) == 0
    whole = train(replace(config, out=tmp_path / "whole"))
    assert_same_run(config.out, whole.path)
    signal.signal(signal.SIGTERM, before)
    signal.signal(signal.SIGINT, interrupt)


class KilledError(Exception):
    """Stands for a kill while proteins are embedded."""


def test_a_run_killed_while_embedding_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One protein per packed batch and a save every 50: 64 + 16 proteins."""
    config = long_config(tmp_path, "head", steps=16, epochs=1, max_tokens=32)
    encode, calls = ModelEncoder.encode, 0

    def counting(encoder: ModelEncoder, batch: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise KilledError
        return encode(encoder, batch)

    monkeypatch.setattr(ModelEncoder, "encode", counting)
    stop_at = 60
    with pytest.raises(KilledError):
        train(config)
    stop_at = calls = 0
    train(replace(config, resume=True))
    resumed, calls = calls, 0
    whole = train(replace(config, out=tmp_path / "whole"))
    assert resumed == calls - 50
    assert_same_run(config.out, whole.path)


def test_a_resumed_run_keeps_the_token_budget_that_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout depends on which sequences share a packed batch."""
    chosen = 48
    monkeypatch.setattr(setting, "measured_token_budget", lambda *_, **__: chosen)
    config = long_config(tmp_path, "lora", epochs=1, max_tokens="measured")
    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_point", stopping_after(3))
        with pytest.raises(KilledError):
            train(config)
    assert json.loads((config.out / "run.json").read_text())["hardware"]["max_tokens"] == 48
    chosen = 4096
    resumed = train(replace(config, resume=True))
    assert resumed.record["hardware"]["max_tokens"] == 48
    chosen = 48
    whole = train(replace(config, out=tmp_path / "whole"))
    assert_same_run(config.out, whole.path)
    other = train(replace(config, out=tmp_path / "other", max_tokens=4096))
    assert (other.path / "metrics.json").read_bytes() != (whole.path / "metrics.json").read_bytes()


def stopping_after(saves: int) -> Callable[..., None]:
    """Return what writes resume points, and dies with one of them."""
    left = saves

    def save(*arguments: Any, **named: Any) -> None:
        nonlocal left
        save_point(*arguments, **named)
        left -= 1
        if not left:
            raise KilledError

    return save


def test_resuming_with_another_option_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = interrupted(tmp_path)
    assert main(f"train --resume --out {config.out} --epochs 7 --batch-size 2".split()) == 2
    said = capsys.readouterr().err
    assert "--epochs was 1 and is 7" in said
    assert "--batch-size was 4 and is 2" in said


def interrupted(folder: Path) -> TrainConfig:
    """A run that has begun and come no further."""
    from peftide.run_folder import open_run
    from peftide.sequences.training_tables import data_files

    config = long_config(folder, "head", epochs=1)
    with open_run(config, data_files(config)):
        pass
    return config


def test_resuming_with_changed_data_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = interrupted(tmp_path)
    assert config.train is not None
    config.train.write_text(config.train.read_text() + "new\tMKVLA\t1\n")
    assert main(f"train --resume --out {config.out}".split()) == 2
    assert "train.tsv changed since the run in" in capsys.readouterr().err


def test_resuming_a_finished_run_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = small_config(tmp_path, "regression", "head")
    train(config)
    before = content(config.out)
    with caplog.at_level("INFO", logger="peftide"):
        assert main(f"train --resume --out {config.out}".split()) == 0
    assert "already finished" in caplog.text
    assert "Spearman" in capsys.readouterr().out
    assert content(config.out) == before


def test_a_run_needs_resume_or_overwrite_to_be_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = interrupted(tmp_path)
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    before = content(config.out)
    assert main(["train", "--config", str(tmp_path / "c.yaml")]) == 2
    said = capsys.readouterr().err
    assert "exists" in said
    assert "--overwrite" in said
    assert content(config.out) == before


def test_a_run_resumes_with_its_backbone_at_another_place_only(
    esm2_folder: Path,
    esm1v_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = shutil.copytree(esm2_folder, tmp_path / "place")
    config = long_config(tmp_path, "head", backbone=str(place), epochs=1, baselines=("none",))
    monkeypatch.setattr(loop, "save_point", stopping_after(3))
    with pytest.raises(KilledError):
        train(config)
    monkeypatch.setattr(loop, "save_point", save_point)
    place.rename(tmp_path / "moved")
    words = f"train --resume --out {config.out} --backbone"
    assert main([*words.split(), str(esm1v_folder)]) == 2
    assert "is not the backbone in training" in capsys.readouterr().err
    assert main([*words.split(), str(tmp_path / "moved")]) == 0
    assert json.loads((config.out / "run.json").read_text())["status"] == "finished"
