"""Every command runs with a config that notes which of its options are asked for."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import peftide
from peftide.cli.main import COMMANDS
from peftide.config import (
    AppConfig,
    AuditConfig,
    CompareConfig,
    CompletionConfig,
    DataConfig,
    DemoConfig,
    DoctorConfig,
    EmbedConfig,
    EvaluateConfig,
    ExplainConfig,
    ExportConfig,
    InitConfig,
    MergeConfig,
    MutateConfig,
    PlanConfig,
    PredictConfig,
    PretrainConfig,
    PullConfig,
    PushConfig,
    ReportConfig,
    ScreenConfig,
    SplitConfig,
    SweepConfig,
    TrainConfig,
)
from peftide.errors import InputError
from tests.conftest import TINY, random_sequences, small_config, write_proteins, write_rows

Trained = Callable[[str, str], Path]
Reads = Callable[[type], set[str]]

SOURCE = Path(peftide.__file__).parent
COPYING = ("dataclasses.py", "/peftide/config/", "/peftide/training/options.py")
"""Code that looks at all options alike, to copy, check or write them."""
BY_MAIN = {"debug", "offline"}
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}
OF_MUTANTS = {"wild_type", "mutant_column", "offset"}
"""Read for tables of mutants only: tests/sequences/test_variant_tables.py."""
LONG_RUNS: dict[type, tuple[str, ...]] = {
    DemoConfig: ("commands/demo.py",),
    PretrainConfig: ("commands/pretrain.py", "pretraining/*.py", "run_folder.py", "hardware.py"),
    ReportConfig: ("cli/report.py",),
    ScreenConfig: ("commands/screen.py", "commands/screen_folder.py", "screening/proteins.py")
    + ("screening/selection.py", "screening/preparing.py", "screening/shards.py", "workers.py")
    + ("hardware.py", "process.py"),
    InitConfig: ("commands/init.py",),
    DoctorConfig: ("commands/doctor.py", "cli/doctor.py", "hardware.py"),
    CompletionConfig: ("cli/completion.py",),
    AppConfig: ("commands/app.py", "cli/app.py", "serving/*.py", "hardware.py"),
    MergeConfig: ("commands/merge.py",),
    ExportConfig: ("commands/export.py", "commands/merge.py"),
    PushConfig: ("commands/push.py",),
    PullConfig: ("commands/pull.py",),
    DataConfig: ("commands/data*.py", "databases/*.py"),
    MutateConfig: ("commands/mutate.py", "predictor/mutating.py", "hardware.py"),
}
"""Commands that take long or little: config → files where `config.NAME` must stand."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Return a function: config class → the set of options read from now on."""

    def begin(config_class: type) -> set[str]:
        found: set[str] = set()
        names = {field.name for field in fields(config_class)}

        def note(self: object, name: str) -> object:
            if name in names:
                caller = sys._getframe(1).f_code.co_filename
                if not any(part in caller for part in COPYING):
                    found.add(name)
            return object.__getattribute__(self, name)

        monkeypatch.setattr(config_class, "__getattribute__", note, raising=False)
        return found

    return begin


def unread(config_class: type, found: set[str]) -> set[str]:
    return {field.name for field in fields(config_class)} - found - BY_MAIN - OF_MUTANTS


def tables_by_id(folder: Path, *, pairs: bool) -> dict[str, Any]:
    """Write a table that names proteins by id, and their sequences."""
    fasta = write_proteins(folder / "p.fasta", random_sequences(20, lengths=(20, 30)))
    header = "id_a id_b label split" if pairs else "id label split cluster"
    parts = ["train", "validation", "test"]
    rows: list[tuple[object, ...]] = [
        (f"p{k}", f"p{(k + 3) % 20}", k % 2, parts[k % 3])
        if pairs
        else (f"p{k}", k % 2, parts[k % 3], k)
        for k in range(20)
    ]
    return {"table": write_rows(folder / "t.tsv", header, rows), "sequences": fasta}


@contextlib.contextmanager
def whatever_the_data_say() -> Iterator[None]:
    with contextlib.suppress(InputError):
        yield


def test_every_command_is_looked_at_here() -> None:
    dynamic = {PredictConfig, EvaluateConfig, EmbedConfig, SplitConfig, AuditConfig, TrainConfig}
    dynamic |= {ExplainConfig}
    assert {*dynamic, *LONG_RUNS, PlanConfig, CompareConfig, SweepConfig, ScreenConfig} == set(
        COMMANDS.values()
    )
    # a plan takes the words of the training that it plans
    own = {field.name for field in fields(PlanConfig)}
    assert own - {field.name for field in fields(TrainConfig)} == {"json"}


@pytest.mark.parametrize(
    ("config_class", "places"),
    [
        (CompareConfig, ("commands/compare.py", "comparing/cells.py")),
        (SweepConfig, ("commands/sweep.py", "sweeping/study.py")),
    ],
)
def test_commands_that_train_read_their_own_options(
    config_class: type, places: tuple[str, ...]
) -> None:
    text = "".join((SOURCE / place).read_text(encoding="utf-8") for place in places)
    own = {field.name for field in fields(config_class)}
    own -= {field.name for field in fields(TrainConfig)}
    assert own
    assert {name for name in own if f"config.{name}" not in text} == set()


@pytest.mark.parametrize("config_class", LONG_RUNS)
def test_options_stand_in_the_source_of_a_command(config_class: type) -> None:
    files = [file for pattern in LONG_RUNS[config_class] for file in SOURCE.glob(pattern)]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    names = {field.name for field in fields(config_class)} - BY_MAIN
    read = {name for name in names if f"config.{name}" in text or f"options.{name}" in text}
    assert names - read == set()


def test_predict(trained: Trained, reads: Reads, tmp_path: Path) -> None:
    found = reads(PredictConfig)
    for task, pairs in (("ppi", True), ("regression", False)):
        (tmp_path / task).mkdir()
        data = tables_by_id(tmp_path / task, pairs=pairs)
        peftide.predict(
            PredictConfig(
                run=trained(task, "head"),
                input=data["table"],
                sequences=data["sequences"],
                out=tmp_path / f"{task}.tsv",
                **QUICK,
            )
        )
    assert unread(PredictConfig, found) == set()


def test_explain(trained: Trained, reads: Reads, tmp_path: Path) -> None:
    found = reads(ExplainConfig)
    for task, pairs in (("ppi", True), ("regression", False)):
        (tmp_path / task).mkdir()
        data = tables_by_id(tmp_path / task, pairs=pairs)
        peftide.explain(
            ExplainConfig(
                run=trained(task, "head"),
                input=data["table"],
                sequences=data["sequences"],
                ids=("p1",),
                sites=("1",),
                out=tmp_path / f"{task}-explained",
                **QUICK,
            )
        )
    assert unread(ExplainConfig, found) == set()


def test_evaluate(trained: Trained, reads: Reads, tmp_path: Path) -> None:
    found = reads(EvaluateConfig)
    for task, pairs in (("ppi", True), ("regression", False)):
        (tmp_path / task).mkdir()
        data = tables_by_id(tmp_path / task, pairs=pairs)
        peftide.evaluate(
            EvaluateConfig(
                run=trained(task, "head"),
                input=data["table"],
                sequences=data["sequences"],
                part="test",
                out=tmp_path / f"{task}-scores",
                **QUICK,
            )
        )
    run = trained("residue", "head")
    table = run.parent / "test.tsv"
    peftide.evaluate(EvaluateConfig(run=run, input=table, out=tmp_path / "scores", **QUICK))
    assert unread(EvaluateConfig, found) == set()


def test_embed(trained: Trained, reads: Reads, tmp_path: Path) -> None:
    found = reads(EmbedConfig)
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(3))
    sources: list[dict[str, Any]] = [{"backbone": TINY}, {"run": trained("regression", "head")}]
    for number, source in enumerate(sources):
        out = tmp_path / f"{number}.safetensors"
        peftide.embed(EmbedConfig(sequences=fasta, out=out, **QUICK, **source))
    data = tables_by_id(tmp_path, pairs=True)
    paths = {"sequences": data["sequences"], "data": data["table"]}
    out = tmp_path / "mapped.safetensors"
    peftide.embed(EmbedConfig(**paths, out=out, map=tmp_path / "map", backbone=TINY, **QUICK))
    folder: dict[str, Any] = {"backbone": TINY, "sequences": fasta, "out": tmp_path / "folder"}
    peftide.embed(EmbedConfig(**folder, **QUICK))
    peftide.embed(EmbedConfig(**folder, resume=True, **QUICK))
    # read with --ray: tests/commands/test_embed_folder.py
    assert unread(EmbedConfig, found) == {"workers"}


def test_split(reads: Reads, tmp_path: Path) -> None:
    found = reads(SplitConfig)
    for pairs in (True, False):
        folder = tmp_path / f"{pairs}"
        folder.mkdir()
        data = tables_by_id(folder, pairs=pairs)
        runs: list[dict[str, Any]] = [{"similarity": "pyopal"}]
        runs += [{"kind": "random", "negatives": "sample"}] if pairs else []
        for number, options in enumerate(runs):
            paths: dict[str, Any] = {"input": (data["table"],), "sequences": data["sequences"]}
            with whatever_the_data_say():
                out = folder / f"out{number}"
                peftide.split(SplitConfig(out=out, threads=1, **paths, **options))
    assert unread(SplitConfig, found) == set()


def test_audit(reads: Reads, tmp_path: Path) -> None:
    found = reads(AuditConfig)
    for pairs in (True, False):
        folder = tmp_path / f"{pairs}"
        folder.mkdir()
        data = tables_by_id(folder, pairs=pairs)
        options: dict[str, Any] = {
            "sequences": data["sequences"],
            "similarity": "pyopal",
            "threads": 1,
        }
        peftide.audit(AuditConfig(data=data["table"], out=folder / "a.json", **options))
    assert unread(AuditConfig, found) == set()


def test_train(reads: Reads, tmp_path: Path) -> None:
    found = reads(TrainConfig)
    runs: list[tuple[str, str, dict[str, Any]]] = [
        ("ppi", "lora", {"sampler": "blocks", "blocks": 2, "epochs": 1}),
        ("symmetry", "head", {"epochs": 1, "validation": None}),
        ("residue", "head", {"epochs": 1}),
    ]
    for task, method, options in runs:
        (tmp_path / task).mkdir()
        with whatever_the_data_say():
            peftide.train(small_config(tmp_path / task, task, method, **options))
    data = tables_by_id(tmp_path, pairs=False)
    peftide.train(
        TrainConfig(
            data=data["table"],
            sequences=data["sequences"],
            out=tmp_path / "run",
            backbone=TINY,
            method="head",
            epochs=1,
            **QUICK,
        )
    )
    # `chosen_head` of training/options.py reads it
    assert unread(TrainConfig, found) - {"head"} == set()
