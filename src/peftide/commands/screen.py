"""`peftide screen`: a trained model and proteins in; the best of all their pairs out."""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peftide.backbones.names import check_backbone
from peftide.bundle_record import read_answering
from peftide.commands.screen_folder import ScreenResult, identity, screen_choices, screen_folder
from peftide.config import ScreenConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Names, unread_problems
from peftide.errors import InputError, raise_problems
from peftide.on_demand import require_library
from peftide.outputs import making_file, require_file
from peftide.screening.hits import count_hits, is_screen
from peftide.screening.proteins import ScreenedProteins, read_proteins

if TYPE_CHECKING:
    from peftide.predictor import Predictor
    from peftide.screening.pair_head import PairScorer
    from peftide.screening.screen import Pairs

logger = logging.getLogger(__name__)

SAMPLE = 4
"""Proteins whose pairs a dry run scores, to measure the speed."""


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
    is_folder = not config.out.suffix or config.out.is_dir()
    raise_problems(unread_problems(config, screen_choices(config, is_folder), given=given))
    _check(config, is_folder)
    if is_folder and not config.dry_run:
        return screen_folder(config)
    proteins = read_proteins(config)
    if config.dry_run:
        predictor = _open(config)
        return _forecast(config, proteins, predictor)
    if config.resume and is_screen(config.out):
        logger.info("%s is already finished", config.out)
        # it loads torch, for which no refusal should wait
        from peftide.screening.selection import pairs_of

        pairs, _ = pairs_of(config, proteins)
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
        reason = "no pair reaches the threshold"
        if config.threshold is None:
            reason = "no pair is left: all are self-pairs (--self-pairs keep) or known pairs"
        logger.warning("note: %s; the file has no rows", reason)
    return found


def _check(config: ScreenConfig, is_folder: bool) -> None:
    """Refuse wrong options before torch is imported."""
    recipe, answering = read_answering(config.run)
    if answering.task.level != "pair" or not answering.task.outcome.has_prevalence:
        raise InputError(
            f"a model for {recipe.task}",
            expected="a model that answers yes or no for pairs (ppi)",
            where=config.run,
        )
    answering.check(error_rate=None, prevalence=config.prevalence)
    if not is_folder and config.out.suffix != ".parquet":
        expected = "NAME.parquet, or a name without ending for a folder of shards"
        raise InputError(f"received {config.out.name}", expected=expected, where="--out")
    if config.shortlist is not None and recipe.head == "dot":
        raise InputError(
            "the head of this model is dot, which scores all pairs at the same speed",
            expected="no short list",
            where="--shortlist",
        )
    if config.shortlist is not None and config.shortlist < (config.top_k or 1):
        raise InputError(
            f"received {config.shortlist}, fewer than --top-k {config.top_k}",
            expected="several times --top-k",
            where="--shortlist",
        )
    require_library("pyarrow", extra="formats", where="--out")
    check_device(config.device)
    check_backbone(config.backbone)
    for name in ("sequences", "against", "known"):
        require_file(getattr(config, name), where=f"--{name}")


def _open(config: ScreenConfig) -> "Predictor":
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.screening.preparing import open_model

    return open_model(config)


def _screen(
    config: ScreenConfig,
    proteins: ScreenedProteins,
    predictor: "Predictor",
    *,
    store: Path,
    path: Path,
) -> ScreenResult:
    """Encode, score and write the hits."""
    import torch

    from peftide.screening.imitation import imitate
    from peftide.screening.preparing import prepare_screen
    from peftide.screening.progress import ScreenFolder, key_of
    from peftide.screening.screen import Wanted
    from peftide.screening.screen import screen as all_pairs
    from peftide.screening.selection import shortlist_of
    from peftide.screening.shortlist import recall, rescored

    ready = prepare_screen(config, proteins, predictor, store=store)
    pairs, wanted, hits = ready.pairs, ready.wanted, ready.hits
    shortlist = shortlist_of(config, proteins)
    key = key_of([identity(config), wanted.top_k, wanted.lowest, config.self_pairs, shortlist])
    folder, found = ScreenFolder(store / "screen"), None
    started = time.monotonic()
    with predictor.encoder.hardware.computing(), torch.inference_mode():
        scorer = ready.scorer()
        if shortlist is None:
            count = hits.write(all_pairs(scorer, pairs, wanted, folder=folder, key=key), path)
        else:
            scaled = predictor.encoder.model.scaling(ready.rows)
            fast = imitate(scorer, scaled, path=store / "imitation.safetensors", key=key)
            listed = all_pairs(fast, pairs, Wanted(shortlist), folder=folder, key=key)
            best = rescored(listed, scorer, pairs, wanted=wanted)
            count = hits.write([best], path)
            found = recall(best, scorer, pairs, wanted=wanted)
    seconds = time.monotonic() - started
    return _result(config, proteins, pairs, hits=count, seconds=seconds, recall=found)


def _result(
    config: ScreenConfig, proteins: ScreenedProteins, pairs: "Pairs", **found: Any
) -> ScreenResult:
    return ScreenResult(config.out, proteins.count, len(proteins.partners), pairs.count(), **found)


def _forecast(
    config: ScreenConfig, proteins: ScreenedProteins, predictor: "Predictor"
) -> ScreenResult:
    """Measure the speed on random vectors, and return the size of the whole screen."""
    import torch

    from peftide.heads import DotHead
    from peftide.screening.imitation import GROUP, WIDTH
    from peftide.screening.pair_head import dot_scorer
    from peftide.screening.preparing import scorer_of
    from peftide.screening.selection import pairs_of, shortlist_of, wanted_of

    pairs, _ = pairs_of(config, proteins)
    wanted = wanted_of(config, proteins, predictor)
    shortlist = shortlist_of(config, proteins)
    model, hardware = predictor.encoder.model, predictor.encoder.hardware
    count = min(len(proteins.sequences), 20_000)
    with hardware.computing(), torch.inference_mode():
        rows = torch.randn(count, model.width, device=hardware.device)
        seconds = _seconds_per_pair(scorer_of(predictor, rows), count)
        if shortlist is None:
            seconds *= pairs.count()
        else:
            seconds *= proteins.count * shortlist + min(GROUP, count) ** 2
            fast = DotHead(2 * model.width, 1, width=WIDTH, dropout=0.0).to(hardware.device)
            seconds += _seconds_per_pair(dot_scorer(fast, rows), count) * pairs.count()
    most = pairs.count() if wanted.top_k is None else proteins.count * wanted.top_k
    return _result(config, proteins, pairs, hits=most, seconds=seconds)


def _seconds_per_pair(scorer: "PairScorer", count: int) -> float:
    everyone = slice(0, count)
    scorer.scores(slice(0, 1), everyone)
    started = time.monotonic()
    scorer.scores(slice(0, SAMPLE), everyone)
    return (time.monotonic() - started) / (min(SAMPLE, count) * count)
