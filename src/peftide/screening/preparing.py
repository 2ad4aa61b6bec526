"""A model and the proteins of a screen → everything that scores and writes their pairs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from peftide.config import ScreenConfig
from peftide.encoding import backbone_findings
from peftide.hardware import choose_hardware
from peftide.predictor import Predictor
from peftide.predictor.predictor import opened
from peftide.screening.hits import Hits
from peftide.screening.pair_head import PairScorer, pair_scorer
from peftide.screening.proteins import ScreenedProteins
from peftide.screening.screen import Pairs, Wanted
from peftide.screening.selection import pairs_of, probabilities, wanted_of
from peftide.sequences.findings import say_findings


@dataclass(frozen=True)
class PreparedScreen:
    """A screen that is ready to score.

    Attributes
    ----------
    predictor
        The model.
    rows
        Vector of each distinct sequence on the device of the model. Shape (P, D).
    pairs, wanted
        Pairs to score, and to keep.
    hits
        Writer of the kept pairs.
    """

    predictor: Predictor
    rows: Tensor
    pairs: Pairs
    wanted: Wanted
    hits: Hits

    def scorer(self) -> PairScorer:
        """Return the scorer of the model; call it while torch is set up for the hardware."""
        return scorer_of(self.predictor, self.rows)


def open_model(config: ScreenConfig) -> Predictor:
    """Open the model of a screen."""
    hardware = choose_hardware(config)
    return opened(config.run, hardware, allow_bin=config.allow_bin, backbone=config.backbone)


def prepare_screen(
    config: ScreenConfig, proteins: ScreenedProteins, predictor: Predictor, *, store: Path
) -> PreparedScreen:
    """Encode each distinct protein once.

    Parameters
    ----------
    store
        Folder for the vectors if there is no `--embedding-cache`.
    """
    pairs, known = pairs_of(config, proteins)
    hits = Hits(
        np.array(proteins.names, dtype=object),
        np.array(proteins.partners, dtype=object),
        lambda scores: probabilities(predictor, scores[:, None], prevalence=config.prevalence),
        known=None if config.known is None else known,
    )
    rows = _encoded(config, proteins, predictor, store=store)
    return PreparedScreen(predictor, rows, pairs, wanted_of(config, proteins, predictor), hits)


def _encoded(
    config: ScreenConfig, proteins: ScreenedProteins, predictor: Predictor, *, store: Path
) -> Any:
    encoder = predictor.encoder
    findings = backbone_findings(
        proteins.named, encoder.model.backbone, max_length=encoder.max_length
    )
    say_findings(findings)
    first = {number: k for k, number in reversed(list(enumerate(proteins.numbers.tolist())))}
    ids = [proteins.named.ids[first[number]] for number in range(len(proteins.sequences))]
    embeddings = predictor.encode(
        proteins.sequences, store=config.embedding_cache or store, ids=ids
    )
    return embeddings.rows.float().to(encoder.hardware.device)


def scorer_of(predictor: Predictor, rows: Tensor) -> PairScorer:
    """Return the scorer of a model for sequences with these vectors."""
    model = predictor.encoder.model.eval()
    return pair_scorer(rows, scaling=model.scaling, pairing=model.pairing, head=model.head)
