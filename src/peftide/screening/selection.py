"""The options of a screen → the pairs to score, and the hits to keep."""

import logging
from typing import Any

import numpy as np

from peftide.config import ScreenConfig
from peftide.predictor import Predictor
from peftide.quantities import count_of
from peftide.screening.known import read_known
from peftide.screening.proteins import ScreenedProteins
from peftide.screening.screen import Pairs, Wanted
from peftide.types import IntArray

logger = logging.getLogger(__name__)

DEFAULT_TOP_K = 10
LOGITS = 60.0
"""Logits beyond this are 0 or 1 to all digits."""


def pairs_of(config: ScreenConfig, proteins: ScreenedProteins) -> tuple[Pairs, IntArray]:
    """Return the pairs to score, and the known pairs as codes."""
    own = proteins.numbers[: proteins.count]
    others = own if proteins.is_square else proteins.numbers[proteins.count :]
    known: dict[int, IntArray] = {}
    if config.known is not None:
        partners = None if proteins.is_square else proteins.partners
        found, left = read_known(config.known, proteins.names, partners)
        known = dict(found)
        if left:
            logger.info("%s: %s rows name other proteins", config.known, f"{left:,}")
    codes = [np.int64(a) * len(others) + bs for a, bs in known.items()]
    pairs = Pairs(
        own,
        others,
        proteins.is_square,
        skipped=known if config.known_pairs == "drop" else {},
        keeps_selves=config.self_pairs == "keep",
    )
    return pairs, np.sort(np.concatenate(codes)) if codes else np.empty(0, dtype=np.int64)


def wanted_of(config: ScreenConfig, proteins: ScreenedProteins, predictor: Predictor) -> Wanted:
    """Return which of the scored pairs to keep."""
    top_k = config.top_k
    if top_k is None and config.threshold is None:
        top_k = DEFAULT_TOP_K
    most = proteins.partners_of_each
    if top_k is not None and top_k > most:
        partners = count_of(most, "partner")
        logger.info("note: --top-k %s: every protein has %s", f"{top_k:,}", partners)
        top_k = max(most, 1)
    lowest = -np.inf
    if config.threshold is not None:
        lowest = lowest_logit(predictor, config.threshold, prevalence=config.prevalence)
    return Wanted(top_k, lowest)


def shortlist_of(config: ScreenConfig, proteins: ScreenedProteins) -> int | None:
    """Return how many partners of each protein the model scores; None for all."""
    most = proteins.partners_of_each
    if config.shortlist is None or config.shortlist < most:
        return config.shortlist
    logger.info(
        "note: --shortlist %s: every protein has %s, so the model scores all pairs",
        f"{config.shortlist:,}",
        count_of(most, "partner"),
    )
    return None


def lowest_logit(predictor: Predictor, threshold: float, *, prevalence: float | None) -> float:
    """Return the lowest logit whose probability reaches a threshold; probabilities rise with it."""
    low, high = -LOGITS * 10, LOGITS * 10
    while high - low > 1e-6:
        middle = (low + high) / 2
        probability = probabilities(predictor, np.array([[middle]]), prevalence=prevalence)[0]
        low, high = (low, middle) if probability >= threshold else (middle, high)
    return high


def probabilities(predictor: Predictor, logits: Any, *, prevalence: float | None) -> Any:
    """Return the calibrated probability of each logit."""
    return predictor.answering.columns(logits, prevalence=prevalence)["probability"]
