"""A trained model → two ONNX graphs: one protein in, its vector out; vectors in, answers out.

::

    encoder.onnx   token ids of one sequence (T,)         → its rows: (1, D), or (L, D) per residue
    head.onnx      rows (B, D); for pairs a and b (B, D)  → logits (B, K), answers (B,) or (B, K)

So every protein is encoded once here too. There is no padding: the length T is free.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.backbones.transformer import TransformerBackbone
from peftide.bundle import Bundle
from peftide.errors import InputError, StorageError
from peftide.evaluation.answering import Answering
from peftide.evaluation.calibration import TIE_SLOPE
from peftide.model import ProteinModel
from peftide.outcomes.continuous import in_units
from peftide.packing import PackedBatch
from peftide.variants.head import VariantHead

ENCODER, HEAD = "encoder.onnx", "head.onnx"
EXAMPLE = "MKTAYIAKQRQISFVKSHFSRQ"
"""A sequence on which the graph is traced; any would do."""
OPSET = 18


class SequenceEncoder(nn.Module):
    """The left half of a model, for one sequence without padding.

    Parameters
    ----------
    model
        The trained model, for its pooling.
    plain
        The model of `transformers` with the merged weights.
    """

    def __init__(self, model: ProteinModel, plain: nn.Module) -> None:
        super().__init__()
        self.plain = plain
        self.pooling = model.pooling
        vocabulary = model.backbone.vocabulary
        self.prefix, self.suffix = len(vocabulary.prefix), len(vocabulary.suffix)

    def forward(self, input_ids: Int[Tensor, " T"]) -> Float[Tensor, "R D"]:
        """Return the rows of one sequence."""
        seen = torch.ones_like(input_ids)[None]
        hidden = self.plain(input_ids=input_ids[None], attention_mask=seen).last_hidden_state[0]
        rows = torch.arange(self.prefix, input_ids.shape[0] - self.suffix)
        batch = PackedBatch(
            input_ids=input_ids,
            position_ids=input_ids,
            residue_rows=rows,
            residue_owner=torch.zeros_like(rows),
            first_rows=torch.zeros(1, dtype=torch.long),
            lengths=(1,),  # one entry per sequence; the pooling reads only how many there are
            is_one=True,
        )
        return self.pooling(hidden, batch)


class AnsweringHead(nn.Module):
    """The right half of a model, with calibrated answers; subclasses say what goes in."""

    knots: Tensor
    levels: Tensor

    def __init__(self, model: ProteinModel, answering: Answering) -> None:
        super().__init__()
        self.scaling, self.pairing, self.head = model.scaling, model.pairing, model.head
        calibration = answering.decisions.calibration
        self.temperature = calibration.temperature
        self.is_isotonic = calibration.method == "isotonic"
        self.register_buffer("knots", torch.tensor(calibration.knots, dtype=torch.float64))
        self.register_buffer("levels", torch.tensor(calibration.levels, dtype=torch.float64))
        self.activation = ACTIVATIONS[answering.task.outcome.kind](answering.labels)

    def answers(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B A"]
    ) -> tuple[Float[Tensor, "B K"], Tensor]:
        """Return logits, and answers as `Answering.answers` has them."""
        logits = self.head(self.pairing(self.scaling(rows), members))
        return logits, self.activation(self.calibrated(logits.double()))

    def calibrated(self, logits: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
        """Return calibrated logits; linear between the knots of an isotonic calibration."""
        if not self.is_isotonic:
            return logits / self.temperature
        levels = self.levels[:1].expand_as(logits)
        if len(self.knots) > 1:
            lower, upper = self.knots[:-1], self.knots[1:]
            inside = torch.minimum(torch.maximum(logits, lower), upper)
            slopes = self.levels.diff() / self.knots.diff()
            levels = levels + ((inside - lower) * slopes).sum(dim=1, keepdim=True)
        return levels + TIE_SLOPE * logits


class RowHead(AnsweringHead):
    """The right half of a model for single sequences or residues."""

    def forward(self, rows: Float[Tensor, "B D"]) -> tuple[Tensor, Tensor]:
        """Return logits and answers."""
        return self.answers(rows, torch.arange(rows.shape[0])[:, None])


class PairHead(AnsweringHead):
    """The right half of a model for pairs."""

    def forward(self, a: Float[Tensor, "B D"], b: Float[Tensor, "B D"]) -> tuple[Tensor, Tensor]:
        """Return logits and answers."""
        first = torch.arange(a.shape[0])
        members = torch.stack([first, first + a.shape[0]], dim=1)
        return self.answers(torch.cat([a, b]), members)


ACTIVATIONS: dict[str, Callable[[Any], Callable[[Tensor], Tensor]]] = {
    "binary": lambda _labels: lambda logits: logits[:, 0].sigmoid(),
    "categorical": lambda _labels: lambda logits: logits.softmax(dim=1),
    "multilabel": lambda _labels: Tensor.sigmoid,
    "continuous": lambda labels: lambda logits: in_units(logits[:, 0], labels),
}
"""Kind of outcome → labels → calibrated logits → the answers that the outcome computes."""


def check_exportable(bundle: Bundle) -> None:
    """Refuse a model that ONNX cannot hold in this form.

    Raises
    ------
    InputError
        If the backbone is recurrent, or the model reads variants of one protein.
    """
    reason = ""
    if isinstance(bundle.model.head, VariantHead):
        reason = "a model of variants compares each sequence with its wild type"
    elif not isinstance(bundle.model.backbone, TransformerBackbone):
        reason = f"the backbone {bundle.model.backbone.origin.name} reads one residue at a time"
    if reason:
        raise InputError(
            f"{reason}, for which there is no ONNX form",
            expected="a model of sequences, pairs or residues on an encoder such as ESM-2",
            fix="`peftide predict` uses this run as it is",
        )


def write_onnx(bundle: Bundle, checkpoint: Path, folder: Path) -> None:
    """Write both graphs, whose weights lie in the same files.

    Parameters
    ----------
    checkpoint
        The merged backbone (`write_checkpoint`).
    folder
        An existing folder.
    """
    backbone = bundle.model.backbone
    assert isinstance(backbone, TransformerBackbone)  # `check_exportable`
    plain = backbone.architecture.load(checkpoint)
    plain.set_attn_implementation("eager")
    model = bundle.model.float().cpu().eval()
    ids = torch.from_numpy(model.backbone.vocabulary.encode(EXAMPLE))
    encoder = SequenceEncoder(model, plain).eval()
    length = {"input_ids": {0: torch.export.Dim("length", min=4)}}
    _write(encoder, (ids,), folder / ENCODER, shapes=length, outputs=["rows"])
    kind = PairHead if bundle.answering.task.level == "pair" else RowHead
    names = ["a", "b"] if kind is PairHead else ["rows"]
    rows = torch.randn(3, model.width, generator=torch.Generator().manual_seed(0))
    batch = torch.export.Dim("rows", min=1)
    _write(
        kind(model, bundle.answering).eval(),
        tuple(rows + shift for shift in range(len(names))),
        folder / HEAD,
        shapes={name: {0: batch} for name in names},
        outputs=["logits", "answers"],
    )


def _write(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    *,
    shapes: dict[str, Any],
    outputs: list[str],
) -> None:
    with _quiet_exporter():
        program = torch.onnx.export(
            module,
            inputs,
            input_names=list(shapes),
            output_names=outputs,
            dynamic_shapes=shapes,
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:
        raise StorageError(f"{path.name} could not be made")
    program.save(path)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Suppress notes of the exporter about its own insides."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
