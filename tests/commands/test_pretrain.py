"""A FASTA file in; a backbone that every tool opens out, the same however often it was stopped."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, EsmForMaskedLM, EsmModel

from peftide.backbones.loading import load_backbone
from peftide.commands.pretrain import pretrain
from peftide.config import PretrainConfig, to_yaml
from peftide.errors import InputError
from peftide.outputs import WRITTEN_BY
from peftide.pretraining import loop, results, set_up
from tests.conftest import AMINO_ACIDS, random_sequences, write_proteins, write_rows

WEIGHTS = "model.safetensors"
REPEATS = 20
FILES = ["config.json", "config.yaml", "held_out.tsv", "history.csv", WEIGHTS, "run.json"]
FILES += ["tokenizer_config.json", "vocab.txt"]


def repetitive_sequences(clusters: int, members: int) -> list[str]:
    """Simulated clusters: each repeats its own motif of three residues."""
    generator = np.random.default_rng(0)
    sequences = []
    for _ in range(clusters):
        motif = "".join(generator.choice(list(AMINO_ACIDS[:6]), 3))
        lengths = generator.integers(30, 60, members)
        sequences += [(motif * REPEATS)[:length] for length in lengths]
    return sequences


def config_of(folder: Path, out: str = "out", **changes: Any) -> PretrainConfig:
    fasta = folder / "p.fasta"
    if not fasta.exists():
        write_proteins(fasta, repetitive_sequences(20, 6))
    options: dict[str, Any] = {
        "sequences": (fasta,),
        "out": folder / out,
        "layers": 2,
        "width": 32,
        "attention_heads": 4,
        "rows": 4,
        "row_tokens": 64,
        "steps": 8,
        "held_out": 8,
        "warmup_steps": 2,
        "learning_rate": 0.01,
        "evaluate_every": 3,
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "compile": False,
    }
    if changes.get("backbone"):  # its shape is given
        options = {
            k: v for k, v in options.items() if k not in ("layers", "width", "attention_heads")
        }
    return PretrainConfig(**(options | changes))


def clusters_of(folder: Path) -> Path:
    rows = [(f"p{k - k % 6}", f"p{k}") for k in range(120)]
    return write_rows(folder / "c.tsv", "p0 p0", rows)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that came to its end. Not to be written to."""
    folder = tmp_path_factory.mktemp("pretrained")
    pretrain(config_of(folder, steps=40))
    return folder / "out"


def test_a_training_leaves_a_backbone_and_its_record_and_no_other_file(finished: Path) -> None:
    left = {path.name for path in finished.iterdir()}
    assert set(FILES) <= left
    assert not {name for name in left if "partial" in name or name == "checkpoints"}
    assert left <= set(WRITTEN_BY["pretrain"])
    assert (finished / WEIGHTS).stat().st_mode == (finished / "config.yaml").stat().st_mode
    assert "peftide" not in (finished / "config.json").read_text()


def test_transformers_and_peftide_open_it(finished: Path) -> None:
    stored = load_file(finished / WEIGHTS)
    loaded: Any = EsmForMaskedLM.from_pretrained(finished, output_loading_info=True)
    plain, info = loaded
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    loaded = EsmModel.from_pretrained(finished, add_pooling_layer=False, output_loading_info=True)
    encoder, info = loaded
    assert not info["missing_keys"]
    backbone = load_backbone(str(finished))
    name = "embeddings.word_embeddings.weight"
    for model in (plain.esm, encoder, backbone.model):
        assert torch.equal(model.state_dict()[name], stored[f"esm.{name}"])
    tokens = AutoTokenizer.from_pretrained(finished)("MKV")["input_ids"]
    with torch.no_grad():
        logits = plain.eval()(torch.tensor([tokens])).logits
    assert logits.shape == (1, 5, 33)
    with torch.no_grad():
        packed = backbone(backbone.pack(["MKV"], max_length=None))
        alone = encoder.eval()(torch.tensor([tokens])).last_hidden_state[0]
    torch.testing.assert_close(packed, alone, atol=1e-4, rtol=1e-4)


def test_the_record_holds_what_a_reader_asks_for(finished: Path) -> None:
    record = json.loads((finished / "run.json").read_text())
    assert record["status"] == "finished"
    assert (record["steps"], record["tokens"]) == (40, 40 * 4 * 64)
    assert record["corpus"]["sequences"] == 120
    assert record["corpus"]["training_sequences"] == 112
    assert record["parameters"] == sum(
        p.numel() for p in EsmForMaskedLM.from_pretrained(finished).parameters()
    )
    scores = record["held_out"]
    assert set(scores) == {"model", "uniform", "residue_frequencies", "trigram", "neighbours"}
    assert len({(row["sequences"], row["residues"]) for row in scores.values()}) == 1
    assert scores["uniform"]["perplexity"] == pytest.approx(20)
    assert scores["model"]["perplexity"] < 20 < 33
    assert scores["model"]["perplexity"] != scores["model"]["perplexity_by_sequence"]


def test_tables_hold_the_history_and_each_held_out_sequence(finished: Path) -> None:
    history = pd.read_csv(finished / "history.csv")
    assert history["step"].tolist() == [*range(3, 40, 3), 40]
    assert history["masked_loss"].iloc[-1] < history["masked_loss"].iloc[0]
    assert history["perplexity"].iloc[-1] < history["perplexity"].iloc[0]
    held_out = pd.read_csv(finished / "held_out.tsv", sep="\t")
    record = json.loads((finished / "run.json").read_text())["held_out"]["model"]
    assert len(held_out) == record["sequences"] == 8
    total = np.average(np.log(held_out["perplexity"]), weights=held_out["residues"])
    assert np.exp(total) == pytest.approx(record["perplexity"], rel=1e-5)
    mean = np.exp(np.log(held_out["perplexity"]).mean())
    assert mean == pytest.approx(record["perplexity_by_sequence"], rel=1e-5)


def test_continuing_starts_where_the_backbone_stands(finished: Path, tmp_path: Path) -> None:
    """With a rate of nearly zero one step changes nothing."""
    fasta = (finished.parent / "p.fasta",)
    options: dict[str, Any] = {"sequences": fasta, "steps": 1, "learning_rate": 1e-12}
    new = pretrain(config_of(tmp_path, "new", **options))["held_out"]["model"]
    further = pretrain(config_of(tmp_path, "further", backbone=str(finished), **options))
    before = json.loads((finished / "run.json").read_text())
    found = further["held_out"]["model"]["perplexity"]
    assert found == pytest.approx(before["held_out"]["model"]["perplexity"], rel=1e-4)
    assert found < 0.8 * new["perplexity"]
    assert further["parameters"] == before["parameters"]


def test_stopped_by_hours_and_resumed_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    options = {"checkpoint_minutes": 9.0}
    whole = pretrain(config_of(tmp_path, "whole", **options))
    config = config_of(tmp_path, "pieces", hours=1e-9, **options)
    for steps in (1, 2):
        record = pretrain(replace(config, resume=steps > 1))
        assert (record["status"], record["steps"]) == ("stopped", steps)
        assert load_backbone(str(config.out)).model is not None
    record = pretrain(replace(config, resume=True, hours=None))
    assert (record["status"], record["steps"]) == ("finished", 8)
    assert record["tokens"] == whole["tokens"]
    assert record["weights_sha256"] == whole["weights_sha256"]
    assert (config.out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    tables = [(tmp_path / out / "held_out.tsv").read_text() for out in ("pieces", "whole")]
    assert tables[0] == tables[1]
    histories = [pd.read_csv(tmp_path / out / "history.csv") for out in ("pieces", "whole")]
    first, second = (history.drop(columns="seconds") for history in histories)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("kill_at", [1, 2, 3, 4])
def test_killed_while_evaluating_and_resumed_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """After steps 3, 6 and 8, and in the last evaluation, of all held-out sequences."""
    options = {"checkpoint_minutes": 0.0, "clusters": clusters_of(tmp_path), "held_out": 2}
    options |= {"relatives_weight": 0.5}
    pretrain(config_of(tmp_path, "whole", **options))
    surprise, calls = set_up.model_surprise, 0

    def killing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise KilledError
        return surprise(*arguments)

    for module in (set_up, results):
        monkeypatch.setattr(module, "model_surprise", killing)
    config = config_of(tmp_path, "killed", **options)
    with pytest.raises(KilledError):
        pretrain(config)
    assert json.loads((config.out / "run.json").read_text())["status"] == "running"
    assert pretrain(replace(config, resume=True))["status"] == "finished"
    assert (config.out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


@pytest.mark.parametrize("at_step", [2, 3])
def test_an_interruption_writes_a_resume_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: int
) -> None:
    """In the middle of a step, and (after step 3) in an evaluation."""
    options = {"checkpoint_minutes": 9.0}
    pretrain(config_of(tmp_path, "whole", **options))
    batch, surprise = loop.BatchSource.batch, set_up.model_surprise

    def interrupting_batch(source: Any, step: int) -> Any:
        if at_step == step == 2:
            raise KeyboardInterrupt
        return batch(source, step)

    def interrupting_surprise(*arguments: Any) -> Any:
        if at_step == 3:
            raise KeyboardInterrupt
        return surprise(*arguments)

    config = config_of(tmp_path, "stopped", **options)
    with monkeypatch.context() as patch:
        patch.setattr(loop.BatchSource, "batch", interrupting_batch)
        patch.setattr(set_up, "model_surprise", interrupting_surprise)
        with pytest.raises(KeyboardInterrupt):
            pretrain(config)
    (point,) = (config.out / "checkpoints").glob("step-*")
    assert point.name == f"step-{at_step:09d}"
    pretrain(replace(config, resume=True))
    assert (config.out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    histories = [pd.read_csv(tmp_path / out / "history.csv") for out in ("stopped", "whole")]
    first, second = (history.drop(columns="seconds") for history in histories)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    config = config_of(tmp_path, steps=1)
    record = pretrain(config)
    before = {path: path.stat().st_mtime_ns for path in config.out.iterdir()}
    assert pretrain(replace(config, resume=True)) == record
    assert {path: path.stat().st_mtime_ns for path in config.out.iterdir()} == before


def test_nothing_that_stands_there_is_replaced_unasked(tmp_path: Path) -> None:
    config = config_of(tmp_path, steps=1)
    pretrain(config)
    with pytest.raises(InputError, match="exists"):
        pretrain(config)
    with pytest.raises(InputError, match="options differ"):
        pretrain(replace(config, resume=True, learning_rate=0.5))
    (config.out / "notes.txt").write_text("mine")
    assert pretrain(replace(config, overwrite=True, seed=1))["seed"] == 1
    assert (config.out / "notes.txt").read_text() == "mine"


def test_half_precision_halves_the_file(finished: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, steps=1, weights_dtype="bf16", held_out=2)
    pretrain(config)
    half, single = (load_file(folder / WEIGHTS) for folder in (config.out, finished))
    assert half.keys() == single.keys()
    whole = {name for name, tensor in half.items() if tensor.dtype != torch.bfloat16}
    assert all(name.endswith("inv_freq") for name in whole)
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (config.out, finished)]
    assert 0.45 < sizes[0] / sizes[1] < 0.6  # the header with the names is as long
    assert next(load_backbone(str(config.out)).model.parameters()).dtype == torch.float32


def test_the_relatives_loss_falls_where_it_counts(tmp_path: Path) -> None:
    """Half of each sequence is its cluster's, half a residue that no relative need share."""
    generator, sequences = np.random.default_rng(0), []
    for _ in range(20):
        shared = generator.choice(list(AMINO_ACIDS[:10]), 3)
        for own in generator.choice(list(AMINO_ACIDS[10:]), 6):
            residues = generator.choice([*shared, own, own, own], generator.integers(30, 60))
            sequences.append("".join(residues))
    write_proteins(tmp_path / "p.fasta", sequences)
    options = {"clusters": clusters_of(tmp_path), "held_out": 2, "rows": 8, "steps": 120}
    options |= {"learning_rate": 0.003, "evaluate_every": 30}
    losses: dict[float, list[float]] = {}
    for weight in (1.0, 1e-9):
        pretrain(config_of(tmp_path, str(weight), relatives_weight=weight, **options))
        history = pd.read_csv(tmp_path / str(weight) / "history.csv")
        losses[weight] = history["relatives_loss"].tolist()
        assert history["masked_loss"].iloc[-1] < history["masked_loss"].iloc[0]
    assert losses[1.0][0] > 1.9  # chance: the logarithm of seven other rows
    assert losses[1.0][-1] < 0.5 * losses[1.0][0]
    assert losses[1.0][-1] < 0.5 * losses[1e-9][-1]


def test_the_relatives_loss_leaves_nothing_in_the_backbone(finished: Path, tmp_path: Path) -> None:
    pretrain(config_of(tmp_path, steps=1, relatives_weight=1.0))
    names = [set(load_file(folder / WEIGHTS)) for folder in (finished, tmp_path / "out")]
    assert names[0] == names[1]


def aligned_config(folder: Path, out: str = "out", **changes: Any) -> PretrainConfig:
    """Members of a cluster begin alike; each is aligned with the next, ungapped."""
    clusters_of(folder)
    config = config_of(folder, out, **changes)
    lengths = [len(record) for record in repetitive_sequences(20, 6)]
    rows = []
    for k in range(120):
        other = k - k % 6 + (k + 1) % 6
        rows.append((f"p{k}", f"p{other}", 1, 1, f"{min(lengths[k], lengths[other])}M"))
    table = write_rows(folder / "a.tsv", "p0 p0 1 1 30M", rows)
    return replace(config, alignments=table, clusters=folder / "c.tsv")


def test_the_profiles_loss_falls_and_leaves_nothing_in_the_backbone(
    finished: Path, tmp_path: Path
) -> None:
    config = aligned_config(tmp_path, steps=60, evaluate_every=20)
    pretrain(config)
    found = pd.read_csv(config.out / "history.csv")["profiles_loss"].tolist()
    assert found[-1] < 0.7 * found[0]
    assert set(load_file(config.out / WEIGHTS)) == set(load_file(finished / WEIGHTS))
    assert set(pd.read_csv(finished / "history.csv")["profiles_loss"]) == {0.0}


def test_alignments_are_counted_once_and_resumed_with(tmp_path: Path) -> None:
    whole = aligned_config(tmp_path, "whole")
    pretrain(whole)
    pieces = aligned_config(tmp_path, "pieces", hours=1e-9)
    assert pretrain(pieces)["status"] == "stopped"
    counts = pieces.out / "checkpoints" / "profiles" / "counts.npy"
    written = counts.stat().st_mtime_ns
    pretrain(replace(pieces, resume=True))
    assert counts.stat().st_mtime_ns == written
    assert pretrain(replace(pieces, resume=True, hours=None))["status"] == "finished"
    assert (pieces.out / WEIGHTS).read_bytes() == (whole.out / WEIGHTS).read_bytes()


def test_without_a_weight_there_is_no_relatives_loss(finished: Path) -> None:
    assert set(pd.read_csv(finished / "history.csv")["relatives_loss"]) == {0.0}


@pytest.mark.parametrize("deviation", [0.02, 0.1])
def test_new_weights_have_the_deviation_that_was_asked_for(
    tmp_path: Path, deviation: float
) -> None:
    """At a rate of nearly zero, so that one step changes nothing."""
    options = {"steps": 1, "learning_rate": 1e-12, "held_out": 2}
    config = config_of(tmp_path, initializer_range=deviation, **options)
    pretrain(config)
    stored = load_file(config.out / WEIGHTS)
    for name in ("embeddings.word_embeddings", "encoder.layer.1.intermediate.dense"):
        assert float(stored[f"esm.{name}.weight"].std()) == pytest.approx(deviation, rel=0.1)
    assert json.loads((config.out / "config.json").read_text())["initializer_range"] == deviation


def test_bad_options_are_one_error_and_nothing_is_written(tmp_path: Path) -> None:
    for changes in ({"steps": 0, "mask_fraction": 2.0}, {"exclude": Path("absent.txt"), "rows": 3}):
        with pytest.raises(InputError) as caught:
            pretrain(config_of(tmp_path, relatives_weight=1.0, **changes))
        for name, value in changes.items():
            shown = str(value) if isinstance(value, Path) else f"--{name.replace('_', '-')}"
            assert shown in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_without_a_compiler_steps_are_not_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up.shutil, "which", lambda _name: None)
    assert pretrain(config_of(tmp_path, steps=1, compile=True))["status"] == "finished"


def test_other_sequences_give_another_backbone(finished: Path, tmp_path: Path) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(120, lengths=(30, 60)))
    pretrain(config_of(tmp_path, steps=40))
    name = "lm_head.bias"
    assert not torch.equal(
        load_file(tmp_path / "out" / WEIGHTS)[name], load_file(finished / WEIGHTS)[name]
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_steps_learn_the_same(tmp_path: Path) -> None:
    """In a process of its own: what checks types in tests cannot be compiled."""
    options = {"relatives_weight": 0.5}
    pretrain(config_of(tmp_path, "plain", **options))
    compiled_steps = config_of(tmp_path, "compiled", compile=True, **options)
    (tmp_path / "c.yaml").write_text(to_yaml(compiled_steps))
    words = [sys.executable, "-m", "peftide", "pretrain", "--config", str(tmp_path / "c.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    plain, compiled = (load_file(tmp_path / out / WEIGHTS) for out in ("plain", "compiled"))
    assert any(not torch.equal(compiled[name], tensor) for name, tensor in plain.items())
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, atol=1e-3, rtol=1e-3)
    rows = [pd.read_csv(tmp_path / out / "history.csv") for out in ("plain", "compiled")]
    for name in ("masked_loss", "relatives_loss"):
        np.testing.assert_allclose(rows[0][name], rows[1][name], rtol=1e-3)
