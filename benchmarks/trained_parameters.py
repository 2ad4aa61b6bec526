"""Trained parameters of each method for the ESM-2 650M architecture, as a table.

python benchmarks/trained_parameters.py

The model is built on the meta device: no weights, no memory, no network.
"""

import argparse

import torch

from peftide.adapters import ADAPTERS
from peftide.backbones import Origin, TransformerBackbone
from peftide.backbones.esm import ESM, esm_config, esm_tokenizer
from peftide.bundle import Recipe, build_model
from peftide.config import MethodOptions
from peftide.model import ProteinModel, count_parameters, trained_parameters
from peftide.tasks import Labels
from peftide.tokens import read_vocabulary

ROWS = [
    ("full", {}, {}),
    ("lora", {"lora_layers": "all"}, {}),
    ("lora", {}, {}),
    *((method, {}, {}) for method in ADAPTERS if method not in ("full", "lora", "head")),
    ("head", {}, {}),
    ("head", {}, {"head": "linear"}),
    ("head", {}, {"head": "linear", "pairing": "mean"}),
]


def main() -> None:
    """Print one row per method: backbone, head, total, and full fine-tuning's total over it."""
    from recording import add_record_option, write_record

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_record_option(parser)
    given, rows = parser.parse_args(), []
    print(f"{'method':10}  {'options':26}  {'backbone':>12}  {'head':>9}  {'fewer than full':>20}")
    full = None
    for method, adapter, recipe in ROWS:
        model = pair_model(method, MethodOptions(**adapter), recipe)
        total = count_parameters(model)["trained"]
        inside = sum(
            parameter.numel()
            for name, parameter in trained_parameters(model).items()
            if name.startswith("backbone.")
        )
        full = full or inside
        options = ", ".join(f"{key} {value}" for key, value in (adapter | recipe).items())
        fewer = f"{full / (inside or total):,.0f} ×"
        rows.append((f"`{method}`", options, f"{inside:,}", f"{total - inside:,}", fewer))
        print(f"{method:10}  {options:26}  {inside:12,}  {total - inside:9,}  {fewer:>20}")
    columns = ["Method", "Options", "Backbone", "Head", "Fewer than full"]
    write_record(given.record, columns, rows)
    print("fewer than full: full fine-tuning of the backbone over what trains in it, or the head")


def pair_model(method: str, options: MethodOptions, changes: dict[str, str]) -> ProteinModel:
    """Return the PPI model of a method around a 650M ESM-2 without weights."""
    with torch.device("meta"):
        backbone = TransformerBackbone(
            ESM.random_model(esm_config(33, 1280, 20)).requires_grad_(False),
            architecture=ESM,
            vocabulary=read_vocabulary(esm_tokenizer(None)),
            origin=Origin("random:esm2_t33_650M", "esm", None, ""),
        )
        ADAPTERS[method].apply(backbone, options)
        settings = {"pooling": "mean", "pairing": "order_free", "head": "mlp"} | changes
        recipe = Recipe(
            task="ppi",
            method=method,
            backbone="random:esm2_t33_650M",
            head_width=256,
            head_dropout=0.1,
            max_length=1022,
            **settings,
        )
        return build_model(recipe, Labels(class_names=("0", "1"), class_counts=(1, 1)), backbone)


if __name__ == "__main__":
    main()
