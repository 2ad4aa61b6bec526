"""The training variants of one protein → the ridge regression in the head of the model."""

import logging

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.backbones import Backbone
from peftide.baselines import SubstitutionScores
from peftide.encoding import ModelEncoder
from peftide.packing import PackedBatch
from peftide.sequences import Dataset
from peftide.sequences.mutants import LETTERS
from peftide.training.problem import Problem
from peftide.types import FloatArray, IntArray
from peftide.variants.head import VariantHead
from peftide.variants.kernels import site_kernels
from peftide.variants.ridge import MOST_VARIANTS
from peftide.variants.rows import VariantRows, letters_of

logger = logging.getLogger(__name__)

NEW_SITES = 0.5
"""Share of substitutions at new sites from which the weights are chosen for new sites."""


def fit_ridge(encoder: ModelEncoder, problem: Problem) -> SubstitutionScores | None:
    """Fit the ridge regression of the model, if it has one; the wild type is encoded once.

    Returns
    -------
    The scores of substitutions by the backbone, if it has an output layer.
    """
    model = encoder.model
    head, pooling = model.head, model.pooling
    if not isinstance(head, VariantHead) or not isinstance(pooling, VariantRows):
        return None
    model.eval()
    with torch.inference_mode(), encoder.autocast():
        batch = model.backbone.pack([pooling.wild_type], max_length=encoder.max_length)
        batch = batch.to(encoder.hardware.device)
        tokens = model.backbone(batch)
        residues = tokens[batch.residue_rows].float().cpu().numpy()
        scores = zero_shot_scores(model.backbone, tokens, batch)
    with torch.no_grad():
        found = head.ridge.cpu().fit(
            site_kernels(pooling.wild_type, residues, scores),
            *_training_variants(problem),
            by_site=has_new_sites(problem.dataset),
        )
    labels = problem.labels
    if labels.class_counts:
        share = labels.class_counts[1] / sum(labels.class_counts)
        head.answer_shares(share, (share * (1 - share)) ** 0.5)
    head.to(encoder.hardware.device)
    left = " over sites" if found.by_site else ""
    scale = ", on the scale of ranks" if found.ranks else ""
    logger.info(
        "ridge regression on %s variants%s: squared error in cross-validation%s is %.0f %% of the "
        "variance of the labels (100 %% is no better than their mean)",
        *(f"{found.used:,}", scale, left, 100 * found.error),
    )
    if found.used == MOST_VARIANTS:
        logger.warning("note: ridge regression reads %s training variants", f"{found.used:,}")
    return None if scores is None else SubstitutionScores(pooling.wild_type, scores)


def zero_shot_scores(
    backbone: Backbone, tokens: Float[Tensor, "N D"], batch: PackedBatch
) -> FloatArray | None:
    """Return how much likelier each letter is than the residue of the wild type, in nats.

    A left-to-right language model reads only the residues before a site. None if the backbone has
    no output layer.

    Parameters
    ----------
    tokens
        Embeddings of the wild type.

    Returns
    -------
    FloatArray
        Shape (L, 20).
    """
    logits = backbone.letter_logits(tokens, batch)
    if logits is None:
        return None
    ids = torch.tensor([int(backbone.vocabulary.letter_ids[ord(letter)]) for letter in LETTERS])
    logits = logits.cpu()
    there = logits.gather(1, batch.input_ids[batch.residue_rows].cpu()[:, None])
    return (logits[:, ids] - there).double().numpy()


def has_new_sites(dataset: Dataset) -> bool:
    """Return whether most substitutions of the test (else validation) are at sites new to train."""
    parts = [part for part in dataset.parts if part not in ("train", "validation")]
    known = _changed_sites(dataset, ["train"])
    asked = _changed_sites(dataset, parts or ["validation"])
    return bool(len(asked)) and float(np.isin(asked, known, invert=True).mean()) > NEW_SITES


def _changed_sites(dataset: Dataset, parts: list[str]) -> IntArray:
    """Return the site of each substitution in some parts."""
    assert dataset.variants_of is not None
    members = np.unique(np.concatenate([dataset.parts[part].members[:, 0] for part in parts]))
    sequences = [dataset.proteins.sequences[member] for member in members]
    letters = letters_of([dataset.variants_of.sequence, *sequences]).numpy()
    return np.nonzero(letters[1:] != letters[0])[1]


def _training_variants(problem: Problem) -> tuple[Tensor, FloatArray]:
    """Return letters and standardised labels of the training variants that count."""
    train = problem.part("train")
    counted = train.targets.counted
    members = train.examples.members[counted, 0]
    sequences = problem.dataset.proteins.sequences
    values = problem.task.outcome.trained(train.targets.values[counted, 0], problem.labels)
    if problem.labels.class_counts:
        values = (values - values.mean()) / values.std()
    letters = letters_of([sequences[member] for member in members]).float()
    return letters, values.astype(np.float64)
