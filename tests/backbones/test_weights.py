"""Pickled weights are refused, or read without running anything; the hash sees every bit."""

import os
import pickle
from io import BytesIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.weights import CONVERTED_FOLDER, require_safetensors, weights_sha256
from peftide.errors import BackboneError
from tests.conftest import TINY, save_checkpoint

ALLOWED = LoadOptions(allow_bin=True)


class Malicious:
    """Leaves a file behind when it is unpickled without care."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("was-run",)


def pickled_checkpoint(folder: Path, content: bytes | None = None) -> Path:
    """Turn the weights of a checkpoint into a pickle, or into something else."""
    weights = save_checkpoint(folder) / "model.safetensors"
    if content is None:
        torch.save(load_file(weights), folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(content)
    weights.unlink()
    return folder


def as_torch_file(content: object) -> bytes:
    stream = BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def test_a_pickle_is_refused_and_the_way_out_named(tmp_path: Path):
    folder = pickled_checkpoint(tmp_path)
    with pytest.raises(BackboneError, match=r"only as pytorch_model\.bin, a pickle") as caught:
        load_backbone(str(folder))
    assert "--allow-bin" in caught.value.fix


def test_an_allowed_pickle_gives_the_same_weights(tmp_path: Path, esm2_folder: Path):
    folder = pickled_checkpoint(tmp_path)
    found = load_backbone(str(folder), options=ALLOWED)
    expected = load_backbone(str(esm2_folder))
    assert found.origin.weights_sha256 == expected.origin.weights_sha256
    assert found.origin.name == str(folder)


def test_a_pickle_is_converted_once_unless_it_changes(tmp_path: Path):
    folder = pickled_checkpoint(tmp_path)
    first = load_backbone(str(folder), options=ALLOWED).origin
    converted = folder / CONVERTED_FOLDER
    written = (converted / "model.safetensors").stat()
    assert load_backbone(str(folder), options=ALLOWED).origin == first
    assert require_safetensors(folder, allow_bin=True) == converted
    assert (converted / "model.safetensors").stat().st_ino == written.st_ino
    (folder / "pytorch_model.bin").write_bytes(b"other weights")
    with pytest.raises(BackboneError, match="damaged"):
        load_backbone(str(folder), options=ALLOWED)


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path):
    folder = save_checkpoint(tmp_path)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious()))
    assert require_safetensors(folder, allow_bin=True) == folder


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Malicious(), protocol=2),
        as_torch_file({"weight": Malicious()}),
        as_torch_file([1, 2]),
        as_torch_file({"weight": 3}),
        b"hello",
        b"",
        as_torch_file({"weight": torch.zeros(1000)})[:2000],
    ],
    ids=["malicious", "malicious-zip", "list", "number", "text", "empty", "truncated"],
)
def test_a_pickle_of_anything_but_tensors_is_an_error_and_is_not_run(
    tmp_path: Path, content: bytes
):
    folder = pickled_checkpoint(tmp_path / "checkpoint", content)
    before = set(folder.iterdir())
    with pytest.raises(BackboneError, match=r"damaged, or holds something other|is empty"):
        load_backbone(str(folder), options=ALLOWED)
    assert not Path("was-run").exists()
    assert set(folder.iterdir()) == before


def test_the_malicious_pickle_would_have_run():
    pickle.loads(pickle.dumps(Malicious()))
    assert Path("was-run").is_dir()


def test_the_hash_changes_with_one_weight():
    model = load_backbone(TINY).model
    before = weights_sha256(model)
    assert before == weights_sha256(load_backbone(TINY).model)
    with torch.no_grad():
        last = model.get_submodule("encoder.layer.1.output.dense").bias
        last[-1] = torch.nextafter(last[-1], torch.tensor(1.0))
    assert weights_sha256(model) != before


def test_the_hash_sees_names_shapes_and_types():
    modules = [
        torch.nn.ParameterDict({"a": torch.zeros(4)}),
        torch.nn.ParameterDict({"b": torch.zeros(4)}),
        torch.nn.ParameterDict({"a": torch.zeros(2, 2)}),
        torch.nn.ParameterDict({"a": torch.zeros(4, dtype=torch.float16)}),
        torch.nn.ParameterDict({"a": torch.zeros(8, dtype=torch.float16)}),
        torch.nn.ParameterDict({"a": torch.zeros(4, dtype=torch.bfloat16)}),
    ]
    assert len({weights_sha256(module) for module in modules}) == len(modules)
