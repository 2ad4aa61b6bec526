import dataclasses
import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import EsmModel

from peftide import bundle as bundle_module
from peftide.adapters import ADAPTERS
from peftide.bundle import Bundle, load_bundle, save_bundle
from peftide.bundle_record import digest_of
from peftide.commands.train import train
from peftide.errors import InputError, StorageError
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.conformal import fit_conformal
from peftide.evaluation.decisions import Decisions
from peftide.parameters import trained_parameters
from peftide.tasks import TASKS, VARIANT_TASKS
from peftide.types import FloatArray
from tests.conftest import FORMS, RUNS, random_sequences, small_config

Trained = Callable[[str, str], Path]
ALWAYS = ["bundle.json", "head.safetensors"]
IN_PEFT_FORM = ["adapter/adapter_config.json", "adapter/adapter_model.safetensors"]
OWN_FILES = {"head": [], "full": ["backbone.safetensors"]}
OWN_FILES |= dict.fromkeys(["bias", "layer_norm", "last_k"], ["delta.safetensors"])
MODEL_FILES = {method: ALWAYS + OWN_FILES.get(method, IN_PEFT_FORM) for method in ADAPTERS}
BOTH = [(task, method) for task, method in RUNS if task not in VARIANT_TASKS]
BOTH += [("ppi", method) for method in ADAPTERS if method not in FORMS]


def logits_of(bundle: Bundle) -> FloatArray:
    model = bundle.model.eval()
    batch = model.backbone.pack(random_sequences(4, seed=5), max_length=None)
    columns = 2 if TASKS[bundle.recipe.task].level == "pair" else 1
    with torch.inference_mode():
        rows = model.encode(batch)
        members = torch.arange(4 if columns == 2 else len(rows)).reshape(-1, columns)
        return model.answer(rows, members).numpy()


def randomise(bundle: Bundle) -> Bundle:
    """Give everything that a method trains other values, as training does."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in bundle.model.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.3)
    return bundle


def changed_model(trained: Trained, task: str, method: str) -> Bundle:
    """The model of a run whose trained weights are no longer those of any file."""
    folder = trained(task, method) / "model"
    bundle = load_bundle(folder)
    delta = folder / "delta.safetensors"
    own = set(load_file(delta)) if delta.is_file() else set()
    for name, parameter in bundle.model.named_parameters():
        added = any(part in name for part in ("lora_", "vera_lambda", "ia3_l"))
        changed = name.removeprefix("backbone.model.") in own
        trains = name.startswith("head") or added or changed
        parameter.requires_grad_(trains or (method == "full" and "contact_head" not in name))
    return randomise(bundle)


@pytest.mark.parametrize(("task", "method"), BOTH)
def test_saved_and_loaded_logits_are_equal_to_the_bit(
    trained: Trained, tmp_path: Path, task: str, method: str
) -> None:
    bundle = changed_model(trained, task, method)
    assert trained_parameters(bundle.model)
    before = logits_of(bundle)
    save_bundle(bundle, tmp_path / "model", probe=lambda: logits_of(bundle))
    loaded = load_bundle(tmp_path / "model")
    assert np.array_equal(logits_of(loaded), before)
    assert np.array_equal(logits_of(bundle), before)
    assert not np.array_equal(logits_of(load_bundle(trained(task, method) / "model")), before)
    assert (loaded.recipe, loaded.answering) == (bundle.recipe, bundle.answering)
    assert (loaded.trained_on, loaded.validated_on) == (bundle.trained_on, bundle.validated_on)


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_model_folder_holds_the_named_files(trained: Trained, method: str) -> None:
    folder = trained("ppi", method) / "model"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*MODEL_FILES[method], "README.md"}


@pytest.mark.parametrize("method", ADAPTERS)
def test_nothing_in_a_run_is_a_pickle(trained: Trained, method: str) -> None:
    for path in trained("ppi", method).rglob("*"):
        if path.is_file():
            start = path.read_bytes()[:2]
            assert start not in (b"PK", b"\x80\x02", b"\x80\x04"), path
            assert path.suffix in {".json", ".safetensors", ".yaml", ".csv", ".tsv", ".html", ".md"}


def test_a_loaded_model_trains_nowhere_and_drops_nothing(trained: Trained) -> None:
    model = load_bundle(trained("ppi", "lora") / "model").model
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.backbone.parameters())


CHANGES = [(method, name) for method in [*FORMS, "last_k"] for name in MODEL_FILES[method]]


@pytest.mark.parametrize(("method", "name"), CHANGES)
def test_one_changed_byte_is_noticed(
    trained: Trained, tmp_path: Path, method: str, name: str
) -> None:
    folder = tmp_path / "model"
    size = (trained("regression", method) / "model" / name).stat().st_size
    # first and last byte, and some between: magic, header, content, end
    for place in {0, 1, 9, size // 3, size // 2, size - 2}:
        shutil.copytree(trained("regression", method) / "model", folder)
        content = bytearray((folder / name).read_bytes())
        content[place] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(
            InputError, match=r"Copy the model folder again|newer peftide"
        ) as caught:
            load_bundle(folder)
        assert caught.value.exit_code == 2
        shutil.rmtree(folder)


@pytest.mark.parametrize(("method", "name"), CHANGES)
def test_a_missing_file_is_noticed(
    trained: Trained, tmp_path: Path, method: str, name: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained("regression", method) / "model", folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=name.rpartition("/")[2]):
        load_bundle(folder)


def edited(trained: Trained, folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    shutil.copytree(trained("regression", "head") / "model", folder)
    record = json.loads((folder / "bundle.json").read_text())
    changed = change(record)
    (folder / "bundle.json").write_text(json.dumps(record if changed is None else changed))
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(threshold=0.9),
        lambda record: record["labels"].update(centre=1e9),
        lambda record: record["files"].clear(),
        lambda record: record.pop("digest"),
        lambda record: record.pop("recipe"),
        lambda record: record.update(format_version="1"),
        lambda _record: [],
        lambda _record: "text",
    ],
    ids=["threshold", "labels", "files", "digest", "recipe", "version", "list", "text"],
)
def test_an_edited_record_is_noticed(
    trained: Trained, tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    folder = edited(trained, tmp_path / "model", lambda record: _kept(record, change))
    with pytest.raises(InputError, match=r"bundle\.json: .*Copy the model folder again"):
        load_bundle(folder)


def _kept(record: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> Any:
    """What a change makes of a record: another object, or the record itself if it is edited."""
    changed = change(record)
    return changed if changed == [] or changed == "text" else record


def test_a_newer_format_asks_for_a_newer_peftide(trained: Trained, tmp_path: Path) -> None:
    folder = edited(trained, tmp_path / "model", lambda record: record.update(format_version=99))
    with pytest.raises(InputError, match="model format 99.*Install a newer peftide"):
        load_bundle(folder)


def test_a_folder_without_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no bundle\.json.*Name the run folder"):
        load_bundle(tmp_path)
    for run in ("a", "b"):
        (tmp_path / "runs" / run / "model").mkdir(parents=True)
        (tmp_path / "runs" / run / "model" / "bundle.json").touch()
    with pytest.raises(InputError, match=r"It has runs: name \S+/runs/a or \S+/runs/b"):
        load_bundle(tmp_path)


def test_another_backbone_under_the_same_name_is_noticed(esm2_folder: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "backbone"
    shutil.copytree(esm2_folder, checkpoint)
    config = small_config(tmp_path, "regression", "head", backbone=str(checkpoint), epochs=1)
    run = train(config).path
    state = load_file(checkpoint / "model.safetensors")
    name = next(name for name in state if "query.weight" in name)
    save_file(
        state | {name: state[name] + 1}, checkpoint / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(InputError, match="is not the backbone in training .*the weights differ"):
        load_bundle(run / "model")


def test_logits_that_differ_after_reading_back_leave_nothing(
    trained: Trained, tmp_path: Path
) -> None:
    bundle = changed_model(trained, "ppi", "lora")
    answers = iter([np.zeros(2), np.ones(2)])
    with pytest.raises(StorageError, match="gives different logits"):
        save_bundle(bundle, tmp_path / "model", probe=lambda: next(answers))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ADAPTERS)
def test_what_was_not_written_is_noticed_by_the_logits(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A file that lacks a tensor passes the comparison of tensors, not that of logits."""
    bundle = changed_model(trained, "ppi", method)
    whole = bundle_module._head_tensors

    def partial(model: Any) -> dict[str, torch.Tensor]:
        return {name: tensor for name, tensor in whole(model).items() if "head.4" not in name}

    monkeypatch.setattr(bundle_module, "_head_tensors", partial)
    with pytest.raises(StorageError, match="gives different logits"):
        save_bundle(bundle, tmp_path / "model", probe=lambda: logits_of(bundle))
    assert not list(tmp_path.iterdir())


def test_a_tensor_written_with_other_values_is_noticed(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = changed_model(trained, "ppi", "head")

    def wrong(tensors: dict[str, torch.Tensor], path: Path) -> None:
        save_file({name: tensor + 1 for name, tensor in tensors.items()}, path)

    monkeypatch.setattr(bundle_module, "save_file", wrong)
    with pytest.raises(StorageError, match="read back from head.safetensors with different values"):
        save_bundle(bundle, tmp_path / "model", probe=lambda: logits_of(bundle))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = changed_model(trained, "ppi", "head")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle_module, "save_file", full)
    with pytest.raises(StorageError, match="no space left"):
        save_bundle(bundle, tmp_path / "model", probe=lambda: logits_of(bundle))
    assert not list(tmp_path.iterdir())


def test_plain_peft_opens_the_adapter_and_gives_the_same_vectors(
    esm2_folder: Path, tmp_path: Path
) -> None:
    """Independent reference: `transformers` and `peft` alone, one padded batch."""
    sequences = random_sequences(5, seed=8)
    config = small_config(
        tmp_path,
        "regression",
        "lora",
        backbone=str(esm2_folder),
        lora_layers="all",
        learning_rate=0.05,
    )
    run = train(config).path
    base = EsmModel.from_pretrained(esm2_folder, add_pooling_layer=False).eval()
    plain = PeftModel.from_pretrained(base, str(run / "model" / "adapter")).eval()
    bundle = load_bundle(run / "model")
    ids = [torch.from_numpy(bundle.model.backbone.vocabulary.encode(text)) for text in sequences]
    padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=1)
    residues = (padded > 3) & (padded != 32)
    with torch.inference_mode():
        hidden = plain(input_ids=padded, attention_mask=(padded != 1).long()).last_hidden_state
        ours = bundle.model.encode(bundle.model.backbone.pack(sequences, max_length=None))
    mean = (hidden * residues[:, :, None]).sum(dim=1) / residues.sum(dim=1, keepdim=True)
    torch.testing.assert_close(ours, mean, atol=1e-5, rtol=1e-5)
    with plain.disable_adapter(), torch.inference_mode():
        frozen = plain(input_ids=padded, attention_mask=(padded != 1).long()).last_hidden_state
    assert (frozen - hidden).abs().max() > 1e-3


def test_calibration_and_limits_come_back_equal(trained: Trained, tmp_path: Path) -> None:
    bundle = changed_model(trained, "ppi", "head")
    decisions = Decisions(
        Calibration("isotonic", knots=(-1.5, 0.1), levels=(-1 / 3, 2.0), prior=(0.2, 0.8)),
        threshold=0.3,
        conformal=fit_conformal(np.array([0.1, 0.7, 0.9]), np.array([[0.0], [1.0], [1.0]])),
    )
    answering = dataclasses.replace(bundle.answering, decisions=decisions)
    bundle = dataclasses.replace(bundle, answering=answering)
    save_bundle(bundle, tmp_path / "model", probe=lambda: logits_of(bundle))
    loaded = load_bundle(tmp_path / "model")
    assert loaded.answering.decisions == decisions


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_backbone_in_few_bits_is_opened_in_as_few(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained("ppi", "head") / "model", folder)
    record = json.loads((folder / "bundle.json").read_text())
    del record["digest"]
    record["recipe"]["base_bits"] = 8
    record["digest"] = digest_of(record)
    (folder / "bundle.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="--base-bits: received 8, but this machine has no CUDA"):
        load_bundle(folder)


def test_a_model_from_before_calibration_still_opens(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained("ppi", "head") / "model", folder)
    record = json.loads((folder / "bundle.json").read_text())
    del record["conformal"], record["digest"]
    del record["recipe"]["base_bits"], record["validated_on"]
    record |= {"calibration": None, "format_version": 1}
    record["digest"] = digest_of(record)
    (folder / "bundle.json").write_text(json.dumps(record))
    loaded = load_bundle(folder)
    decisions = loaded.answering.decisions
    assert (decisions.calibration, decisions.conformal) == (Calibration(), None)
    assert loaded.validated_on == frozenset()
