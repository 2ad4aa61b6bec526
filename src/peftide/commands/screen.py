"""`peftide screen`: a trained model and proteins in; the best of all their pairs out."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peftide.backbones.names import check_backbone
from peftide.bundle_record import model_folder, read_answering, read_bundle_record
from peftide.commands.embed import require_library
from peftide.config import ScreenConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError
from peftide.files import file_hash
from peftide.outputs import making_file, require_file
from peftide.screening.hits import Hits, count_hits, is_screen
from peftide.sequences import Proteins, read_fasta
from peftide.sequences.findings import say_findings
from peftide.types import IntArray

if TYPE_CHECKING:
    from peftide.predictor import Predictor
    from peftide.screening.pair_head import PairScorer
    from peftide.screening.screen import Pairs, Wanted

logger = logging.getLogger(__name__)

DEFAULT_TOP_K = 10
LOGITS = 60.0
"""Logits beyond this are 0 or 1 to all digits."""
SAMPLE = 4
"""Proteins whose pairs a dry run scores, to measure the speed."""


@dataclass(frozen=True)
class ScreenResult:
    """Results of a screen.

    Attributes
    ----------
    path
        The file of hits.
    proteins, partners
        Numbers of screened proteins and of possible partners.
    pairs
        Number of scored pairs.
    hits
        Number of kept rows; in a dry run the most there can be.
    seconds
        Time for scoring; in a dry run the forecast.
    """

    path: Path
    proteins: int
    partners: int
    pairs: int
    hits: int
    seconds: float


@dataclass(frozen=True)
class _Proteins:
    """The proteins of a screen, and the distinct sequences behind them.

    Attributes
    ----------
    named
        Screened proteins, then their possible partners if they are others.
    sequences
        Distinct sequences, in the order of their first protein.
    """

    named: Proteins
    count: int
    sequences: tuple[str, ...]
    numbers: IntArray

    @property
    def is_square(self) -> bool:
        """Whether all pairs inside one set are screened."""
        return self.count == len(self.named)

    @property
    def names(self) -> Sequence[str]:
        """Ids of the screened proteins."""
        return self.named.ids[: self.count]

    @property
    def partners(self) -> Sequence[str]:
        """Ids of the possible partners."""
        return self.named.ids if self.is_square else self.named.ids[self.count :]


def screen(config: ScreenConfig, *, given: Names = NOTHING) -> ScreenResult:
    """Score all pairs of proteins, each distinct protein encoded once, and write the best.

    Memory stays flat whatever the number of pairs. An interrupted call goes on when it is repeated.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the model or a file is wrong, or the output exists.
    """
    _check(config)
    proteins = read_proteins(config)
    if config.dry_run:
        predictor = _open(config)
        return _forecast(config, proteins, predictor)
    if config.resume and is_screen(config.out):
        logger.info("%s is already finished", config.out)
        pairs, _ = _pairs(config, proteins)
        return _result(config, proteins, pairs, hits=count_hits(config.out), seconds=0.0)
    with making_file(
        config.out,
        command="screen",
        overwrite=config.overwrite,
        inputs=(config.sequences, config.against, config.known),
        is_ours=is_screen,
    ) as work:
        predictor = _open(config)
        found = _screen(
            config, proteins, predictor, store=work.store, path=work.new / work.out.name
        )
        work.put()
    if not found.hits:
        logger.warning("note: no pair reaches the threshold; the file has no rows")
    return found


def _check(config: ScreenConfig) -> None:
    """Refuse wrong options before torch is imported."""
    recipe, answering = read_answering(config.run)
    if answering.task.level != "pair" or not answering.task.outcome.has_prevalence:
        raise InputError(
            f"a model for {recipe.task}",
            expected="a model that answers yes or no for pairs (ppi)",
            where=config.run,
        )
    answering.check(error_rate=None, prevalence=config.prevalence)
    if config.out.suffix != ".parquet":
        raise InputError(f"received {config.out.name}", expected="NAME.parquet", where="--out")
    require_library("pyarrow")
    check_device(config.device)
    check_backbone(config.backbone)
    for name in ("sequences", "against", "known"):
        require_file(getattr(config, name), where=f"--{name}")


def read_proteins(config: ScreenConfig) -> _Proteins:
    """Read the proteins, and their possible partners if they are others.

    Raises
    ------
    InputError
        If a file is wrong, or there is no pair.
    """
    first, findings = read_fasta(config.sequences)
    say_findings(findings)
    ids, sequences = list(first.ids), list(first.sequences)
    if config.against is not None:
        second, findings = read_fasta(config.against)
        say_findings(findings)
        ids += second.ids
        sequences += second.sequences
    elif len(ids) < 2:
        raise InputError(
            "one protein has no partner",
            expected="two proteins, or partners in --against",
            where=config.sequences,
        )
    places = {text: number for number, text in enumerate(dict.fromkeys(sequences))}
    numbers = np.array([places[text] for text in sequences], dtype=np.int64)
    return _Proteins(Proteins(tuple(ids), tuple(sequences)), len(first), tuple(places), numbers)


def _open(config: ScreenConfig) -> "Predictor":
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.hardware import choose_hardware
    from peftide.predictor.predictor import opened

    hardware = choose_hardware(config)
    return opened(config.run, hardware, allow_bin=config.allow_bin, backbone=config.backbone)


def _pairs(config: ScreenConfig, proteins: _Proteins) -> tuple["Pairs", IntArray]:
    """Return the pairs to score, and the known pairs as codes."""
    from peftide.screening.known import read_known
    from peftide.screening.screen import Pairs

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


def _wanted(config: ScreenConfig, proteins: _Proteins, predictor: "Predictor") -> "Wanted":
    from peftide.screening.screen import Wanted

    top_k = config.top_k
    if top_k is None and config.threshold is None:
        top_k = DEFAULT_TOP_K
    most = len(proteins.partners) - proteins.is_square
    if top_k is not None and top_k > most:
        logger.info("note: --top-k %s: every protein has %s partners", f"{top_k:,}", f"{most:,}")
        top_k = max(most, 1)
    lowest = -np.inf
    if config.threshold is not None:
        lowest = lowest_logit(predictor, config.threshold, prevalence=config.prevalence)
    return Wanted(top_k, lowest)


def lowest_logit(predictor: "Predictor", threshold: float, *, prevalence: float | None) -> float:
    """Return the lowest logit whose probability reaches a threshold; probabilities rise with it."""
    low, high = -LOGITS * 10, LOGITS * 10
    while high - low > 1e-6:
        middle = (low + high) / 2
        probability = _probabilities(predictor, np.array([[middle]]), prevalence=prevalence)[0]
        low, high = (low, middle) if probability >= threshold else (middle, high)
    return high


def _probabilities(predictor: "Predictor", logits: Any, *, prevalence: float | None) -> Any:
    return predictor.answering.columns(logits, prevalence=prevalence)["probability"]


def _screen(
    config: ScreenConfig, proteins: _Proteins, predictor: "Predictor", *, store: Path, path: Path
) -> ScreenResult:
    """Encode, score and write the hits."""
    import torch

    from peftide.screening.progress import ScreenFolder, key_of
    from peftide.screening.screen import screen as all_pairs

    rows = _encoded(config, proteins, predictor, store=store)
    pairs, known = _pairs(config, proteins)
    wanted = _wanted(config, proteins, predictor)
    hits = Hits(
        np.array(proteins.names, dtype=object),
        np.array(proteins.partners, dtype=object),
        lambda scores: _probabilities(predictor, scores[:, None], prevalence=config.prevalence),
        known=None if config.known is None else known,
    )
    key = key_of([_identity(config), wanted.top_k, wanted.lowest, config.self_pairs])
    started = time.monotonic()
    with predictor.encoder.hardware.computing(), torch.inference_mode():
        scorer = _scorer(predictor, rows)
        tables = all_pairs(scorer, pairs, wanted, folder=ScreenFolder(store / "screen"), key=key)
        count = hits.write(tables, path)
    seconds = time.monotonic() - started
    return _result(config, proteins, pairs, hits=count, seconds=seconds)


def _result(
    config: ScreenConfig, proteins: _Proteins, pairs: "Pairs", *, hits: int, seconds: float
) -> ScreenResult:
    partners = len(proteins.partners)
    return ScreenResult(config.out, proteins.count, partners, pairs.count(), hits, seconds)


def _encoded(
    config: ScreenConfig, proteins: _Proteins, predictor: "Predictor", *, store: Path
) -> Any:
    """Return the vector of each distinct sequence on the device of the model. Shape (P, D)."""
    from peftide.encoding import backbone_findings

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


def _identity(config: ScreenConfig) -> list[Any]:
    record = read_bundle_record(model_folder(config.run))
    files = [config.sequences, config.against, config.known]
    hashes = [None if path is None else file_hash(path) for path in files]
    return [str(record), *hashes, config.known_pairs]


def _scorer(predictor: "Predictor", rows: Any) -> "PairScorer":
    from peftide.screening.pair_head import pair_scorer

    model = predictor.encoder.model.eval()
    return pair_scorer(rows, scaling=model.scaling, pairing=model.pairing, head=model.head)


def _forecast(config: ScreenConfig, proteins: _Proteins, predictor: "Predictor") -> ScreenResult:
    """Measure the speed on random vectors, and return the size of the whole screen."""
    import torch

    pairs, _ = _pairs(config, proteins)
    wanted = _wanted(config, proteins, predictor)
    model, hardware = predictor.encoder.model, predictor.encoder.hardware
    count = min(len(proteins.sequences), 20_000)
    with hardware.computing(), torch.inference_mode():
        rows = torch.randn(count, model.width, device=hardware.device)
        scorer = _scorer(predictor, rows)
        scorer.scores(0, slice(0, count))
        started = time.monotonic()
        for one in range(SAMPLE):
            scorer.scores(one % count, slice(0, count))
        per_pair = (time.monotonic() - started) / (SAMPLE * count)
    most = pairs.count() if wanted.top_k is None else proteins.count * wanted.top_k
    return _result(config, proteins, pairs, hits=most, seconds=per_pair * pairs.count())
