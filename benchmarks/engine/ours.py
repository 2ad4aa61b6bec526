"""peftide's arm: its own model, batches and gradients, as `peftide train` puts them together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import Spent, middle, spent
from proteins import CROP, Pairs, evenly

from peftide.adapters import ADAPTERS
from peftide.backbones.int8_products import hold_frozen
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions, TrainConfig
from peftide.encoding import ModelEncoder
from peftide.engine.blocks import Batch, sides
from peftide.hardware import Hardware
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.tasks import TASKS, Labels, Targets
from peftide.training.batches import choose_batches
from peftide.training.block_gradients import add_block_gradients, empty_bank
from peftide.training.modes import set_training_mode
from peftide.training.parts import Fitting, LabelledPart, encoded_rows

SHAPES = {
    "esm2_t6_8M": (6, 320, 20),
    "esm2_t12_35M": (12, 480, 20),
    "esm2_t30_150M": (30, 640, 20),
    "esm2_t33_650M": (33, 1280, 20),
}
LAYERS, TARGETS = (4, 5), ("key", "value")
LORA: dict[str, Any] = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05}
HEAD: dict[str, Any] = {"outputs": 1, "width": 256, "dropout": 0.1}


def encoder_of(architecture: str, hardware: Hardware, *, lora: bool) -> ModelEncoder:
    """Return a model with random weights, frozen or with LoRA on its last two layers."""
    backbone = load_backbone(f"random:{architecture}")
    options = MethodOptions(
        lora_r=LORA["r"],
        lora_alpha=LORA["lora_alpha"],
        lora_dropout=LORA["lora_dropout"],
        lora_targets=TARGETS,
        lora_layers=",".join(map(str, LAYERS)),
    )
    ADAPTERS["lora" if lora else "head"].apply(backbone, options)
    hold_frozen(backbone, hardware.precision)
    pairing = build_pairing("order_free", pairs=True)
    parts = Parts(
        backbone,
        build_pooling("mean", width=backbone.width, per_residue=False),
        Scaling(backbone.width),
        pairing,
        build_head("mlp", features=pairing.features(backbone.width), **HEAD),
    )
    return ModelEncoder(ProteinModel(parts), hardware, max_length=CROP)


def fitting_of(encoder: ModelEncoder, pairs: Pairs, **options: Any) -> Fitting:
    """Return what the training loop needs, without validation."""
    rows = len(pairs.members)
    targets = Targets(pairs.labels[:, None], np.ones(rows, dtype=bool), np.arange(rows + 1))
    return Fitting(
        config=TrainConfig(task="ppi", out=Path("unused"), **options),
        task=TASKS["ppi"],
        labels=Labels(("0", "1"), (1.0, 1.0)),
        part=LabelledPart(pairs.members, targets),
        source=encoded_rows(encoder, pairs.sequences),
        hardware=encoder.hardware,
        learning_rate=1e-3,
        validate=dict,
        on_epoch=lambda _history: None,
        checkpoints=Path("unused"),
    )


@dataclass(frozen=True)
class TrainingCosts:
    """What the parts of LoRA training cost.

    Attributes
    ----------
    trunk
        The frozen layers, per token of a distinct protein.
    fill
        The trained layers without gradients, per token of a distinct protein.
    encode
        The trained layers and their gradients, per token that a step encodes.
    answer
        Pairing, head, loss and their gradients, per side of a pair.
    """

    trunk: Spent
    fill: Spent
    encode: Spent
    answer: Spent

    def epoch(self, pairs: Pairs, batches: list[Batch], *, epochs: int) -> Spent:
        """Return what an epoch costs of so many, with its share of what is done once."""
        encoded = sum(pairs.tokens[batch.encoded(pairs.members)].sum() for batch in batches)
        once = pairs.tokens[np.unique(pairs.members)].sum()
        answered = sum(map(len, batches))
        before = (self.trunk + self.fill) * (once / epochs)
        return before + self.encode * encoded + self.answer * answered


def batches_of(hardware: Hardware, pairs: Pairs, **options: Any) -> list[Batch]:
    """Return the batches of an epoch of 8M LoRA training as peftide makes them."""
    encoder = encoder_of("esm2_t6_8M", hardware, lora=True)
    return choose_batches(fitting_of(encoder, pairs, **options))(0)


def smaller(pairs: Pairs, batch: Batch, proteins: int) -> Batch:
    """Return a block with fewer proteins, spread evenly by length, and all of their pairs."""
    inside = batch.encoded(pairs.members)
    chosen = np.sort(inside[evenly(pairs.tokens[inside], proteins)])
    return Batch(sides(np.unique(batch.examples), pairs.members, chosen)[0], chosen)


def measure_training(
    hardware: Hardware, pairs: Pairs, block: Batch, *, store: Path, repeats: int
) -> TrainingCosts:
    """Measure the parts of training on one block of proteins."""
    encoder = encoder_of("esm2_t6_8M", hardware, lora=True)
    proteins = block.encoded(pairs.members)
    texts = [pairs.sequences[p] for p in proteins]
    tokens = float(pairs.tokens[proteins].sum())
    trunks = [
        spent(lambda at=store / str(n): encoder.keep_trunk(texts, store=at, limit=1e12))
        for n in range(repeats)
    ]
    fitting = fitting_of(encoder, pairs)
    whole, answer = step_of(encoder, fitting, block), answer_of(encoder, fitting, block)
    fills, steps, answers = [], [], []
    for _ in range(repeats):
        fills.append(spent(lambda: rows_without_graph(fitting, proteins)))
        steps.append(spent(whole))
        answers.append(spent(answer))
    head = middle(answers)
    return TrainingCosts(
        middle(trunks) / tokens,
        middle(fills) / tokens,
        (middle(steps) - head) / tokens,
        head / len(block),
    )


def rows_without_graph(fitting: Fitting, proteins: np.ndarray) -> None:
    with torch.no_grad():
        fitting.source.rows(proteins)


def step_of(encoder: ModelEncoder, fitting: Fitting, block: Batch) -> Callable[[], None]:
    """Return one optimizer step on a block; the vectors of its partners are made up."""
    set_training_mode(encoder.model)
    optimizer = torch.optim.AdamW(trained_parameters(encoder.model).values(), lr=1e-3)
    bank = empty_bank(encoder.model, fitting)
    bank.vectors.normal_()
    fitting = replace(fitting, bank=bank)

    def step() -> None:
        add_block_gradients(encoder.model, fitting, block)
        optimizer.step()
        optimizer.zero_grad()

    return step


def answer_of(encoder: ModelEncoder, fitting: Fitting, block: Batch) -> Callable[[], None]:
    """Return the same step with vectors that are there already: what the pairs alone cost."""
    width = encoder.model.backbone.width

    def rows(proteins: np.ndarray) -> torch.Tensor:
        return torch.randn(len(proteins), width, requires_grad=True)

    return step_of(encoder, replace(fitting, source=replace(fitting.source, rows=rows)), block)
