"""Weights, vocabulary and configuration: a change in one of them is another backbone."""

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from peftide.backbones.identity import differences
from peftide.backbones.loading import load_backbone
from tests.conftest import save_checkpoint


def permuted(folder: Path) -> None:
    """Exchange two letters of a vocabulary."""
    letters = (folder / "vocab.txt").read_text().split("\n")
    letters[4], letters[5] = letters[5], letters[4]
    (folder / "vocab.txt").write_text("\n".join(letters))
    for name in ("tokenizer.json", "added_tokens.json"):
        (folder / name).unlink(missing_ok=True)


def test_a_copy_is_the_same_backbone(tmp_path: Path) -> None:
    first = load_backbone(str(save_checkpoint(tmp_path / "a"))).origin
    same = save_checkpoint(tmp_path / "b")
    (same / "model.safetensors").write_bytes((tmp_path / "a/model.safetensors").read_bytes())
    second = load_backbone(str(same)).origin
    assert list(differences(second, first)) == []
    assert second.reading == first.reading


def test_other_weights_are_named(tmp_path: Path) -> None:
    first = load_backbone(str(save_checkpoint(tmp_path / "a"))).origin
    other = save_checkpoint(tmp_path / "b")
    tensors = load_file(other / "model.safetensors")
    name = next(name for name in tensors if "layer.0" in name)
    tensors[name] += 1
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    second = load_backbone(str(other)).origin
    assert list(differences(second, first)) == ["the weights differ"]


def test_a_permuted_vocabulary_is_named(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    before = load_backbone(str(folder)).origin
    permuted(folder)
    after = load_backbone(str(folder)).origin
    (found,) = differences(after, before)
    assert "vocabulary" in found
    assert after.reading != before.reading


def test_a_changed_setting_is_named_with_both_values(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    before = load_backbone(str(folder)).origin
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"token_dropout": true', '"token_dropout": false'))
    after = load_backbone(str(folder)).origin
    (found,) = differences(after, before)
    assert "token_dropout was true and is false" in found
    assert after.reading != before.reading


@pytest.mark.parametrize("names", [{"of_a_newer_release": 1}, {}])
def test_settings_that_only_one_release_names_are_no_difference(names: dict[str, int]) -> None:
    origin = load_backbone("random:esm2_tiny").origin
    recorded = replace(origin, settings={**names, "hidden_act": "gelu"})
    assert list(differences(origin, recorded)) == []


def test_older_records_are_compared_by_their_weights() -> None:
    origin = load_backbone("random:esm2_tiny").origin
    older = replace(origin, vocabulary_sha256="", settings={})
    assert not list(differences(origin, older))
