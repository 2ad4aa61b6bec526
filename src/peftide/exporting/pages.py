"""The README of an exported model: its origin, and code that runs inside its folder."""

from collections.abc import Iterator
from string import ascii_uppercase
from typing import Any

from peftide.backbones.names import hub_id_of
from peftide.backbones.transformer import TransformerBackbone
from peftide.bundle import Bundle
from peftide.report.card import front_matter

MODEL = "model.json"
BY_TRANSFORMERS = """\
```python
import torch
from transformers import AutoTokenizer, EsmModel

tokenizer = AutoTokenizer.from_pretrained(".")
model = EsmModel.from_pretrained(".", add_pooling_layer=False).eval()
with torch.no_grad():
    tokens = model(**tokenizer("MKTAYIAKQRQISFVKSHFSRQ", return_tensors="pt")).last_hidden_state
print(tokens[0, 1:-1].mean(dim=0))  # without the tokens <cls> and <eos>
```"""
BY_PEFTIDE = """\
```sh
peftide embed --backbone . --sequences proteins.fasta --out vectors.safetensors
```"""
ENCODING = """\
import json

import numpy as np
import onnxruntime

model = json.load(open("model.json"))
encoder = onnxruntime.InferenceSession("encoder.onnx")
head = onnxruntime.InferenceSession("head.onnx")


def encode(sequence):
    letters = [model["letters"][letter] for letter in sequence.upper()[: model["max_length"]]]
    ids = np.array(model["prefix"] + letters + model["suffix"])
    return encoder.run(["rows"], {"input_ids": ids})[0]


"""
ANSWERING = {
    "pair": """\
a = np.concatenate([encode("MKTAYIAKQRQISFVKSHFSRQ")])  # the first proteins of the pairs
b = np.concatenate([encode("MQIFVKTLTGKTITLEVEPSDT")])  # the second ones
logits, answers = head.run(None, {"a": a, "b": b})
print(answers)""",
    "sequence": """\
rows = np.concatenate([encode("MKTAYIAKQRQISFVKSHFSRQ"), encode("MQIFVKTLTGKTITLEVEPSDT")])
logits, answers = head.run(None, {"rows": rows})
print(answers)""",
    "residue": """\
logits, answers = head.run(None, {"rows": encode("MKTAYIAKQRQISFVKSHFSRQ")})
print(answers)  # one row per residue""",
}
MEANING = {
    "binary": "the calibrated probability of 1",
    "categorical": "the calibrated probability of each class",
    "multilabel": "the calibrated probability of each class, on its own",
    "continuous": "the value, in the units of the labels",
}


def checkpoint_page(bundle: Bundle) -> str:
    """Return the README of a merged checkpoint, in Markdown."""
    backbone = bundle.model.backbone
    is_esm = isinstance(backbone, TransformerBackbone) and backbone.config.model_type == "esm"
    lines = [
        f"# {backbone.origin.name}, adapted by {bundle.recipe.method}",
        "A backbone with its adapter merged into the weights, for plain `transformers`. The "
        "prediction head is not part of it.",
        "## Use",
        BY_TRANSFORMERS if is_esm else BY_PEFTIDE,
        *_origin(bundle),
    ]
    return _front(bundle, "transformers") + "\n\n".join(lines) + "\n"


def onnx_page(bundle: Bundle) -> str:
    """Return the README of ONNX graphs, in Markdown."""
    task = bundle.answering.task
    lines = [
        f"# {bundle.recipe.task}: {bundle.recipe.method} on {bundle.model.backbone.origin.name}",
        "`encoder.onnx` turns the token ids of one sequence into its "
        f"{'rows, one per residue' if task.level == 'residue' else 'vector'}. `head.onnx` turns "
        "vectors into `logits` and `answers`, many rows at once. `model.json` has the token ids, "
        "the names of the classes and the threshold.",
        f"`answers` are {MEANING[task.outcome.kind]}.",
        "## Use",
        f"```python\n{ENCODING}{ANSWERING[task.level]}\n```",
        *_origin(bundle),
    ]
    return _front(bundle, "onnx") + "\n\n".join(lines) + "\n"


def model_record(bundle: Bundle) -> dict[str, Any]:
    """Return the content of `model.json`: token ids, classes and threshold."""
    vocabulary, answering = bundle.model.backbone.vocabulary, bundle.answering
    outcome = answering.task.outcome
    return {
        "task": bundle.recipe.task,
        "level": answering.task.level,
        "letters": {each: int(vocabulary.letter_ids[ord(each)]) for each in ascii_uppercase},
        "prefix": list(vocabulary.prefix),
        "suffix": list(vocabulary.suffix),
        "max_length": bundle.recipe.max_length,
        "class_names": list(answering.labels.class_names) if outcome.has_classes else [],
        "threshold": answering.decisions.threshold if outcome.uses_threshold else None,
    }


def _front(bundle: Bundle, library: str) -> str:
    return front_matter(
        library,
        hub_id=hub_id_of(bundle.model.backbone.origin.name),
        licence=bundle.model.backbone.origin.licence,
        tags=[bundle.recipe.task, bundle.recipe.method],
    )


def _origin(bundle: Bundle) -> Iterator[str]:
    origin = bundle.model.backbone.origin
    yield "## Origin"
    yield (
        f"Written by peftide from a model of the task {bundle.recipe.task}. Backbone: "
        f"{origin.name}, SHA-256 of its weights before the training `{origin.weights_sha256}`. "
        f"Licence of the backbone: {origin.licence or 'not recorded, see its source'}."
    )
