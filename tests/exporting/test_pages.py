"""The pages of exported models name their origin; their code runs in `test_onnx.py`."""

from collections.abc import Callable
from pathlib import Path

import torch
import yaml

from peftide.bundle import load_bundle
from peftide.exporting.checkpoint import write_checkpoint
from peftide.exporting.pages import MEANING, checkpoint_page, model_record, onnx_page
from peftide.outcomes import OUTCOMES


def test_pages_name_backbone_method_and_licence(trained: Callable[[str, str], Path]) -> None:
    bundle = load_bundle(trained("ppi", "lora"))
    for page in (checkpoint_page(bundle), onnx_page(bundle)):
        front = yaml.safe_load(page.split("---\n")[1])
        assert "base_model" not in front  # no hub has random weights
        assert "lora" in front["tags"]
        assert bundle.model.backbone.origin.weights_sha256 in page
        assert "Licence of the backbone: not recorded" in page


def test_the_code_for_transformers_gives_the_vector_of_the_model(
    trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    bundle = load_bundle(trained("regression", "lora"))
    code = checkpoint_page(bundle).split("```python\n")[1].split("```")[0]
    batch = bundle.model.backbone.pack(["MKTAYIAKQRQISFVKSHFSRQ"], max_length=None)
    with torch.no_grad():
        expected = bundle.model.encode(batch)[0]
    write_checkpoint(bundle.model.backbone, tmp_path)
    found: list[torch.Tensor] = []
    exec(code, {"print": found.append})  # in the folder: tests run in an empty folder of their own
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


def test_the_record_has_ids_classes_and_threshold(trained: Callable[[str, str], Path]) -> None:
    pairs = load_bundle(trained("ppi", "head"))
    record = model_record(pairs)
    assert record["level"] == "pair"
    assert record["letters"]["A"] == 5, "the fifth letter of ESM's alphabet"
    assert (record["prefix"], record["suffix"]) == ([0], [2])
    assert record["threshold"] == pairs.answering.decisions.threshold
    assert model_record(load_bundle(trained("multiclass", "head")))["class_names"] == [
        *("cytosol", "nucleus", "other")
    ]
    values = model_record(load_bundle(trained("regression", "head")))
    assert (values["class_names"], values["threshold"]) == ([], None)


def test_the_answers_of_every_outcome_are_explained() -> None:
    assert MEANING.keys() == OUTCOMES.keys()
