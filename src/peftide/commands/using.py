"""A trained model and a table → logits of its rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from peftide.bundle import Bundle, load_bundle
from peftide.config import JoinOptions, RunOptions
from peftide.encoding import ModelEncoder, backbone_findings
from peftide.hardware import Hardware, choose_hardware
from peftide.sequences import Dataset, Examples, Table, read_dataset
from peftide.sequences.findings import say_findings
from peftide.tasks import TASKS, Task
from peftide.training import answer_rows
from peftide.types import FloatArray, IntArray

PART = "input"


@dataclass(frozen=True)
class Answered:
    """A table and what the model says of each row.

    Attributes
    ----------
    logits
        Shape (R, K).
    residues
        Residues that the model saw of each row's first protein. Shape (B,).
    """

    bundle: Bundle
    dataset: Dataset
    logits: FloatArray
    residues: IntArray
    hardware: Hardware

    @property
    def task(self) -> Task:
        """The task of the model."""
        return TASKS[self.bundle.recipe.task]

    @property
    def examples(self) -> Examples:
        """The rows of the table."""
        return self.dataset.parts[PART]


def open_model(run: Path, *, allow_bin: bool) -> Bundle:
    """Open the model of a run folder (or a model folder itself)."""
    folder = run / "model" if (run / "model").is_dir() else run
    return load_bundle(folder, allow_bin=allow_bin)


def join(table: Table, bundle: Bundle, options: JoinOptions) -> Dataset:
    """Join a table with its sequences and say what was counted."""
    task = TASKS[bundle.recipe.task]
    dataset = read_dataset({PART: table}, options, level=task.level)
    found = backbone_findings(
        dataset.proteins, bundle.model.backbone, max_length=bundle.recipe.max_length
    )
    dataset = Dataset(dataset.proteins, dataset.parts, dataset.findings + found)
    say_findings(dataset.findings)
    return dataset


def answer(bundle: Bundle, dataset: Dataset, options: RunOptions) -> Answered:
    """Encode every distinct protein of a table once, and answer every row."""
    hardware = choose_hardware(options)
    bundle.model.to(hardware.device)
    encoder = ModelEncoder(bundle.model, hardware, max_length=bundle.recipe.max_length)
    sequences = dataset.proteins.sequences
    members = dataset.parts[PART].members
    embeddings = encoder.embed(sequences)
    return Answered(
        bundle,
        dataset,
        logits=answer_rows(bundle.model, embeddings, members, device=hardware.device),
        residues=np.diff(embeddings.offsets)[members[:, 0]],
        hardware=hardware,
    )
