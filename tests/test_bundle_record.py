"""A record that names parts or files that no model has is refused, even if its digest is right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peftide.bundle import load_bundle
from peftide.bundle_record import digest_of, model_folder, read_bundle_record
from peftide.errors import InputError
from peftide.files import file_hash

Trained = Callable[[str, str], Path]
FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "task": (lambda r: r["recipe"].update(task="ppj"), "recipe.task: received 'ppj'.*mean ppi"),
    "method": (lambda r: r["recipe"].update(method="x"), "recipe.method"),
    "width": (lambda r: r["recipe"].update(head_width=10**12), "recipe.head_width"),
    "negative": (lambda r: r["recipe"].update(head_width=-1), "recipe.head_width"),
    "dropout": (lambda r: r["recipe"].update(head_dropout=7), "recipe.head_dropout"),
    "other width": (lambda r: r["recipe"].update(head_width=17), "head.safetensors: .*expected"),
    "unknown key": (lambda r: r["recipe"].update(code="x"), "recipe.code is no known key"),
    "threshold": (lambda r: r.update(threshold="0.5"), "threshold: received '0.5'"),
    "labels": (lambda r: r["labels"].update(class_names="ab"), "labels.class_names"),
    "calibration": (lambda r: r["calibration"].update(knots=[1]), "calibration.levels"),
    "outside": (lambda r: r["files"].update({"../x.json": "0"}), "files: received '../x.json'"),
    "pickle": (lambda r: r["files"].update({"adapter/a.bin": "0"}), "files: .*ends in .safetens"),
    "unlisted head": (lambda r: r["files"].pop("head.safetensors"), "files"),
    "origin": (lambda r: r.pop("origin"), "origin is missing"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_record_is_refused(trained: Trained, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained("regression", "head") / "model", folder)
    change, message = FORGED[kind]
    record = json.loads((folder / "bundle.json").read_text())
    del record["digest"]
    change(record)
    (folder / "bundle.json").write_text(json.dumps(record | {"digest": digest_of(record)}))
    with pytest.raises(InputError, match=message):
        load_bundle(folder)


def test_an_adapter_that_would_import_a_module_is_refused(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained("regression", "lora") / "model", folder)
    path = folder / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"megatron_config": {"x": 1}}))
    record = json.loads((folder / "bundle.json").read_text())
    del record["digest"]
    record["files"]["adapter/adapter_config.json"] = file_hash(path)
    (folder / "bundle.json").write_text(json.dumps(record | {"digest": digest_of(record)}))
    with pytest.raises(InputError, match=r"adapter_config.json: megatron_config: .*imports"):
        load_bundle(folder)


def test_a_path_through_a_parent_folder_is_opened(trained: Trained) -> None:
    folder = trained("regression", "head") / "model"
    assert load_bundle(folder / ".." / folder.name) is not None


def test_a_folder_that_does_not_exist_is_no_run_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "my_run").mkdir()
    with pytest.raises(InputError, match=r"no such folder.*Did you mean .*my_run\?"):
        read_bundle_record(model_folder(tmp_path / "my_rnu"))
    with pytest.raises(InputError, match=r"holds no bundle\.json"):
        read_bundle_record(tmp_path / "my_run")
    with pytest.raises(InputError, match=r"holds no bundle\.json"):
        read_bundle_record(tmp_path / "my_run" / "model")


@pytest.mark.parametrize(
    ("command", "finished", "fix"),
    [
        ("train", None, "`peftide train --resume --out {folder}`"),
        ("compare", None, "`peftide compare --resume --out {folder}`"),
        ("compare", "best", "{folder}/best"),
        ("sweep", "best.yaml", "`peftide train --config {folder}/best.yaml`"),
        ("pretrain", "model.safetensors", "`peftide train --backbone {folder}`"),
    ],
)
def test_a_folder_of_another_command_leads_to_its_model(
    tmp_path: Path, command: str, finished: str | None, fix: str
) -> None:
    status = "finished" if finished else "running"
    (tmp_path / "run.json").write_text(json.dumps({"command": command, "status": status}))
    (tmp_path / "config.yaml").touch()
    with pytest.raises(InputError) as caught:
        read_bundle_record(tmp_path)
    assert fix.format(folder=tmp_path) in str(caught.value.fix)
